package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/client"
	"github.com/softstake/softstake/testkit"
)

// talk asks what the clients in other languages ask, by package client, and returns the same answers as
// they print. What that client has no types for is left out.
func talk(t *testing.T, s *site, account, other string) map[string]any {
	t.Helper()
	ctx := t.Context()
	c := testkit.Must(client.New(s.URL, s.Tokens["exchange"], client.Config{}))(t)
	said := map[string]any{"opened": nil, "posted": nil, "balances": nil, "pages": nil, "used": nil, "stranger": nil}

	var opened, posted, balances []any
	for _, id := range []string{account, other} {
		body := client.OpenAccountRequest{ID: id, Region: "DE"}
		made := testkit.Must(c.OpenAccount(ctx, body, client.IdempotencyKey(id+"-1")))(t)
		opened = append(opened, made.Region)
	}
	deposit := client.Entry{ID: account + "-d", Kind: client.EntryKindDeposit, Moves: []client.Move{
		{From: "@custody", To: account, Asset: "BNB", Amount: "2.5"},
	}}
	entries := []client.Entry{deposit, deposit}
	for i, amount := range []string{"0.5", "0.25", "100"} {
		entries = append(entries, client.Entry{ID: fmt.Sprintf("%s-t-%d", account, 3-i), Kind: client.EntryKindTransfer,
			Moves: []client.Move{{From: account, To: other, Asset: "BNB", Amount: amount}}})
	}
	for _, e := range entries {
		p, err := c.PostEntry(ctx, e)
		if err != nil {
			posted = append(posted, refusal(t, err))
			continue
		}
		posted = append(posted, p.Repeated)
	}
	for _, b := range testkit.Must(c.GetBalances(ctx, account))(t).Items {
		balances = append(balances, b.Free+" "+b.Asset)
	}
	var lines []any
	for line, err := range c.GetAccountJournal(ctx, account, client.GetAccountJournalQuery{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line.Kind)+" "+line.Amount+" "+line.Asset)
	}
	_, used := c.OpenAccount(ctx, client.OpenAccountRequest{ID: "x"}, client.IdempotencyKey(account+"-1"))
	_, stranger := testkit.Must(client.New(s.URL, "nobody", client.Config{}))(t).ListTokens(ctx)
	said["opened"], said["posted"], said["balances"], said["pages"] = opened, posted, balances, lines
	said["used"], said["stranger"] = refusal(t, used), refusal(t, stranger)
	return said
}

func refusal(t *testing.T, err error) map[string]any {
	t.Helper()
	e := (*client.Error)(nil)
	if !errors.As(err, &e) {
		t.Fatalf("it is no refusal: %v", err)
	}
	return map[string]any{"status": float64(e.Status), "type": "/v1/docs#" + e.Type, "field": e.Field}
}

// ofOthers is what answers.json has of that, in the same form.
func ofOthers(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	first := func(name, field string) (some []any) {
		for _, one := range all[name].([]any) {
			if value, is := one.(map[string]any)[field]; is {
				some = append(some, value)
			} else {
				some = append(some, one)
			}
		}
		return some
	}
	regions := first("opened", "region")
	var lines []any
	for _, page := range all["pages"].([]any) {
		lines = append(lines, page.([]any)...)
	}
	return map[string]any{"opened": regions[1:], "posted": first("posted", "repeated"), "balances": all["balances"],
		"pages": lines, "used": all["used"], "stranger": all["stranger"]}
}

// streams reads the stream of events until a deposit is on it, and an export.
func streams(t *testing.T, s *site) {
	t.Helper()
	c := testkit.Must(client.New(s.URL, s.Tokens["exchange"], client.Config{}))(t)
	for event, err := range c.Events(t.Context(), client.EventsQuery{Account: holder}) {
		if err != nil {
			t.Fatal(err)
		}
		if _, ready := event.Data.(*client.ReadyEvent); ready {
			testkit.Must(c.PostEntry(t.Context(), client.Entry{ID: "streamed", Kind: client.EntryKindDeposit,
				Moves: []client.Move{{From: "@custody", To: holder, Asset: "BNB", Amount: "0.125"}}}))(t)
		}
		if changed, is := event.Data.(*client.BalanceEvent); is {
			if changed.Entry != "streamed" || changed.Change != "0.125" || changed.Account != holder {
				t.Errorf("the event is %+v", changed)
			}
			break
		}
	}
	query := client.ExportBalancesQuery{Format: client.FormatNdjson, At: time.Now()}
	file := testkit.Must(c.ExportBalances(t.Context(), query))(t)
	text, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil || !strings.Contains(string(text), `"account":"`+holder+`"`) {
		t.Errorf("the export is %s: %v", text, err)
	}
}
