package console

import (
	"strings"
	"testing"

	"github.com/softstake/softstake/control"
)

// logged are the forms of the console, each with what the log calls what it does; "": it changes no books. Whoever
// adds a form adds it here.
var logged = map[string][]control.Operation{
	"/console/login":                      {""},
	"/console/login/provider":             {"staff log-in refused"},
	"/console/login/passkey":              {"staff log-in", "staff log-in refused"},
	"/console/logout":                     {"staff log-out"},
	"/console/invitation":                 {"factor add", "staff log-in"},
	"/console/me":                         {"staff log-out"},
	"/console/me/passkeys":                {""},
	"/console/me/passkeys/made":           {"factor add"},
	"/console/me/passkeys/{id}":           {"factor rename", "factor remove"},
	"/console/settings":                   {""},
	"/console/withdrawals/{account}/{id}": {control.CompleteWithdrawal, "withdrawal cancel"},
	"/console/proposals/{id}":             {"proposal approve", "proposal reject"},
	"/console/days/{day}":                 {control.ApproveDay},
	"/console/what-if":                    {""},
	"/console/terms":                      {control.SetTerms},
	"/console/limits":                     {control.SetLimit},
	"/console/prices":                     {control.SetPrices},
	"/console/regions":                    {control.AddRegion, control.RemoveRegion},
	"/console/documents":                  {control.PublishDocument},
	"/console/fees":                       {control.WithdrawFees, "fees return"},
	"/console/tokens":                     {control.CreateToken, "token revoke"},
	"/console/staff": {control.AddStaff, control.SetStaffRole, control.InviteStaff, control.DisableStaff,
		"staff log-out"},
	"/console/streams": {"join resume", control.SkipEvents, control.CloseWithout, control.RetirePartition},
	"/console/webhooks": {control.AddWebhook, control.ChangeWebhook, control.RotateWebhook, "webhook replay",
		"webhook test", "webhook disable", "webhook enable", control.SkipWebhook, control.RemoveWebhook},
	"/console/payouts":         {"payouts answer"},
	"/console/reconciliations": {control.ResolveBreak, control.ReleaseDay, control.SetComparisonLimit},
	"/console/campaigns":       {control.AddCampaign, "campaign end"},
}

// TestEachFormIsKnown: what each form does is an operation of the table of rules, which says who may do it.
func TestEachFormIsKnown(t *testing.T) {
	forms := map[string]bool{}
	for _, r := range routes() {
		if r.form == nil {
			continue
		}
		forms[r.path] = true
		for _, op := range logged[r.path] {
			if _, known := control.RuleOf(op); !known && op != "" {
				t.Errorf("%s does %q, which no rule names", r.path, op)
			}
		}
		if len(logged[r.path]) == 0 {
			t.Errorf("%s changes something: what does the log call it?", r.path)
		}
	}
	for path := range logged {
		if !forms[path] {
			t.Errorf("%s is no form", path)
		}
	}
}

// TestAFormIsTakenFromItsPageAlone: from another site none is, whoever is logged in.
func TestAFormIsTakenFromItsPageAlone(t *testing.T) {
	o := newOffice(t)
	o.deposit("alice", "20 BNB")
	o.withdraw("alice", "w-1", "BNB", 1_00000000)
	olga := o.as("olga")
	for _, r := range routes() {
		if r.form == nil {
			continue
		}
		path := strings.NewReplacer("{account}", "alice", "{id}", "w-1", "{day}", "2026-03-02").Replace(r.path)
		for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
			{"Origin", "https://evil.example"}} {
			olga.ask("POST", path, map[string][]string{"do": {"cancel"}}, headers...).is(403)
		}
	}
	olga.get("/console/withdrawals/alice/w-1").has("waits")
}
