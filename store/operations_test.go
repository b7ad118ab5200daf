package store_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/consent"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/store"
)

// changing are the exported functions that change the books, with the operations that they are, by type and function.
// Whoever adds a function adds it here or to changesNothing.
var changing = map[string]string{
	"DB.OpenAccount": "account open", "DB.OpenOwned": "account open", "DB.OpenAccounts": "account open",
	"DB.OpenOrFind": "account open", "DB.SweepAccount": "account sweep", "DB.CloseAccount": "account close",
	"DB.SetRegion": "account set-region", "DB.Freeze": "account freeze", "DB.Unfreeze": "account unfreeze",
	"DB.EraseAccount": "account erase", "DB.LogRead": "account read",
	"DB.SetOwner": "owner set", "DB.AddLabel": "label add", "DB.RemoveLabel": "label remove",
	"DB.Enroll": "enroll", "DB.EnrollBatch": "enroll", "DB.EnrollAll": "enroll", "DB.Leave": "leave",
	"DB.Exclude": "exclude add; exclude end",

	"DB.Post": "post; withdrawal complete; withdrawal cancel", "DB.PostAll": "post", "DB.Convert": "post",
	"DB.Withdraw": "withdrawal request", "DB.PostImport": "import", "DB.PostOpenings": "load",
	"DB.Adjust": "adjust", "DB.AdjustAll": "adjust", "DB.Compensate": "compensate",
	"DB.Resolve": "reconciliation resolve",
	"DB.Fund":    "fund; fund withdraw", "DB.MoveFees": "fees withdraw; fees return", "DB.PostIncome": "income",
	"DB.PostCampaign": "campaign add", "DB.EndCampaign": "campaign end",

	"DB.AddAsset": "asset add", "DB.SetTerms": "terms set", "DB.CorrectTerms": "terms correct",
	"DB.SetAccountLimit": "limit set-account", "DB.SetOwnLimit": "limit own",
	"DB.SetLimit": "limit set", "DB.Approve": "settle approve", "DB.AddRegion": "region add",
	"DB.RemoveRegion": "region remove", "DB.Disclose": "disclosure set", "DB.SetCloseAfter": "days set-close-after",
	"DB.AddSource": "join add", "DB.Join": "join; join add", "DB.AddPartition": "join add",
	"DB.ResumePartition": "join resume", "DB.SkipEvents": "join skip",
	"DB.RetirePartition": "join retire", "DB.CloseWithout": "join close",
	"DB.AddComparison": "reconcile", "DB.SetComparisonLimit": "reconcile set-limit",
	"DB.SetComparisonSource": "reconcile set", "DB.ResolveBreak": "reconcile resolve",
	"DB.ReleaseDay": "reconcile release",
	"DB.AddWebhook": "webhook add", "DB.ChangeWebhook": "webhook change", "DB.RotateWebhook": "webhook rotate",
	"DB.RemoveWebhook": "webhook remove", "DB.DisableWebhook": "webhook disable", "DB.EnableWebhook": "webhook enable",
	"DB.SkipWebhook": "webhook skip", "DB.SendWebhookAgain": "webhook replay", "DB.TestWebhook": "webhook test",
	"DB.ResealWebhooks": "key reseal", "DB.RecordWebhook": "webhook disable",
	"DB.CloseDays": "day close", "DB.Declare": "declare",

	"DB.Propose": "proposal make", "DB.ApproveProposal": "proposal approve", "DB.RejectProposal": "proposal reject",
	"DB.SetFourEyes":         "four-eyes on; four-eyes off",
	"DB.SetWithdrawalFactor": "withdrawal-factor on; withdrawal-factor off",
	"DB.SetPayouts":          "payouts on; payouts off", "DB.AnswerPayouts": "payouts answer",
	"DB.AddTarget": "payouts deliver; events deliver", "DB.ResendTarget": "payouts resend; events resend",
	"DB.EndTarget": "payouts end-delivery; events end-delivery",

	"People.AddToken": "token create", "People.RevokeToken": "token revoke",
	"People.OpenToken": "break-glass", "People.AddKey": "key create",
	"People.RevokeKey": "key revoke", "People.LimitKey": "key limit", "People.Reseal": "key reseal",
	"People.ResealApps": "key reseal",
	"People.AddLogin":   "login add", "People.InviteLogin": "login invite", "People.RemoveLogin": "login remove",
	"People.SetPassword": "login password", "People.ChoosePassword": "login password",
	"People.AddPasskey": "factor add", "People.SetTOTP": "factor add", "People.RenamePasskey": "factor rename",
	"People.RemovePasskey": "factor remove", "People.RemoveTOTP": "factor remove",
	"People.SetRecoveryCodes": "factor codes", "People.ResetFactors": "factor reset",
	"People.SetDepositAddress": "address set", "People.RemoveDepositAddress": "address remove",
	"People.AddWithdrawalAddress":    "withdrawal-address add",
	"People.LoadWithdrawalAddress":   "withdrawal-address load",
	"People.RemoveWithdrawalAddress": "withdrawal-address remove",
	"People.SetSavedOnly":            "withdrawal-address saved-only; withdrawal-address any",
	"People.AddStaff":                "staff add",
	"People.SetStaffRole":            "staff set-role", "People.InviteStaff": "staff invite",
	"People.DisableStaff": "staff disable", "People.AddStaffSession": "staff log-in",
	"People.AddProvidedSession": "staff log-in", "People.RefuseStaff": "staff log-in refused",
	"People.RefuseProvided":  "staff log-in refused; staff log-out",
	"People.EndStaffSession": "staff log-out", "People.EndStaffSessions": "staff log-out",
	"Documents.Publish": "document publish", "Documents.Accept": "accept",
	"Prices.Set": "price set", "Rates.Set": "currency set", "Imports.Record": "import read", "Records.Sign": "anchor",
	"DB.RecordBackup": "backup", "DB.Protect": "key protect", "DB.RenewMACs": "key reseal",
}

// changesNothing are the others: they read, or keep what is nobody's money and no permission (a session, a draft, an
// answer), or are steps of the daily run, which follow from the books.
var changesNothing = strings.Fields(`DB.As DB.Custodian DB.Close DB.Engine DB.Now DB.FirstDay DB.Asset DB.Assets DB.Account DB.Quote
	DB.Closings DB.Evidence DB.Undivided DB.Reader DB.Due DB.Unaccrued DB.Unpaid DB.People DB.Documents DB.Imports
	DB.Prices DB.CurrencyRates DB.Requests DB.Outbox DB.Prune DB.Test DB.CheckSchema DB.Group DB.Pay DB.Accrue DB.Settled
	DB.CheckRights DB.MissingRights DB.Exec DB.Count DB.PostTogether DB.Guard DB.Protected DB.Delivered
	DB.ClaimWebhook DB.CheckWebhook DB.ReleaseWebhook
	DB.CheckRequests DB.ClaimComparison DB.EndComparison DB.ReleaseComparison
	DB.NumberPayouts DB.Target DB.ClaimTarget DB.ReleaseTarget DB.MoveTarget DB.FailTarget DB.Notify DB.ProtectAfterMACs
	People.DerivedSecret People.Confirm People.ConfirmPassword People.Factors People.PasskeyOwner
	People.ChangeMailSettings People.ClaimMail People.EndMail People.MailSettings People.Mails
	People.Notices People.Notify People.NotifyAll People.RetryMail
	People.WithdrawalAddresses People.WithdrawalSettings
	People.ConfirmProvided
	People.AddDraft People.AddSecurityEvent People.AddSession People.CountAttempt People.CountRecipient People.Draft
	People.LastDraft People.NeedFactor
	People.EndSession People.EndSessions People.ExpiringTokens People.Key People.Keys People.Login People.Logins People.Prune
	People.PrunePersonal People.DerivedSecret
	People.RehashPassword People.RemoveDraft People.ResetAttempts People.SealedKey People.Secret People.SecurityEvents
	People.Session People.Sessions People.Token People.Tokens People.TouchSession People.UncountAttempts
	People.UnlimitedTokens People.UsableTokens
	People.AllStaffSessions People.Staff People.StaffMember People.StaffSession People.StaffSessions
	People.TouchStaffSession
	People.BeginStaffLogIn People.TakeStaffLogIn People.ConfirmInvitation
	Prices.Fresh Records.All Records.Check Records.Checkpoints Records.Delivered Records.Make Records.Proof Records.Proofs
	Records.Published Records.Signed Records.Texts Requests.Do Requests.Prune`)

// TestEveryFunctionIsClassified: what changes the books is an operation of the package control.
func TestEveryFunctionIsClassified(t *testing.T) {
	found := map[string]bool{}
	for _, of := range []reflect.Type{reflect.TypeFor[*store.DB](), reflect.TypeFor[*people.People](),
		reflect.TypeFor[*consent.Documents](), reflect.TypeFor[*pricing.Prices](), reflect.TypeFor[*pricing.Rates](),
		reflect.TypeFor[*imports.Imports](), reflect.TypeFor[*idempotency.Requests](),
		reflect.TypeFor[*evidence.Records]()} {
		for i := range of.NumMethod() {
			name := of.Elem().Name() + "." + of.Method(i).Name
			found[name] = true
			if (changing[name] == "") == !slices.Contains(changesNothing, name) {
				t.Errorf("%s: does it change the books, and which operations of the package control is it?", name)
			}
		}
	}
	for name, operations := range changing {
		if !found[name] {
			t.Errorf("there is no %s", name)
		}
		for op := range strings.SplitSeq(operations, "; ") {
			if _, known := control.RuleOf(control.Operation(op)); !known {
				t.Errorf("%s is %q, which the package control does not have", name, op)
			}
		}
	}
}
