package store

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
)

// The contents of proposals that are more than one value: what the functions were called with.
type (
	adjustments struct {
		Corrections []ReasonedEntry
		Atomic      bool
	}
	compensation struct {
		Compensation Compensation
		Reason       string
	}
	ownMove struct {
		ID, Asset string
		Amount    ledger.Amount
	}
	termsCorrection struct {
		Day    staking.Day
		Terms  staking.Terms
		Reason string
	}
	dayOf struct {
		Day   staking.Day
		Asset string
	}
	unfreezing struct {
		Account ledger.Account
		Reason  string
	}
	newRegion struct {
		Account ledger.Account
		Region  staking.Region
	}
	regionListing struct {
		Region staking.Region
		From   staking.Day
		Reason string
	}
)

// execution carries out what was proposed with some content, on books that carry its approval.
type execution func(ctx context.Context, b *DB, content json.RawMessage) error

// executes is the execution of contents of a type.
func executes[C any](run func(context.Context, *DB, C) error) execution {
	return func(ctx context.Context, b *DB, content json.RawMessage) error {
		c, err := control.Read[C](content)
		if err != nil {
			return err
		}
		return run(ctx, b, c)
	}
}

// executions are how what is proposed is carried out: of every operation that may need approval.
var executions = map[control.Operation]execution{
	control.Adjust: executes(func(ctx context.Context, b *DB, c adjustments) error {
		outcomes, err := b.AdjustAll(ctx, c.Corrections, c.Atomic)
		if slices.ContainsFunc(outcomes, func(o Outcome) bool { return o.Err == nil }) {
			return err
		}
		return cmp.Or(err, firstRefusal(outcomes)) // of each by itself nothing is left: it stays open
	}),
	control.Compensate: executes(func(ctx context.Context, b *DB, c compensation) error {
		_, err := b.Compensate(ctx, c.Compensation, c.Reason)
		return err
	}),
	control.Fund: executes(func(ctx context.Context, b *DB, c ownMove) error {
		_, err := b.Fund(ctx, c.ID, c.Asset, c.Amount, false)
		return err
	}),
	control.ReturnFees: executes(func(ctx context.Context, b *DB, c ownMove) error {
		_, err := b.MoveFees(ctx, c.ID, c.Asset, c.Amount, true)
		return err
	}),
	control.WithdrawFunds: executes(func(ctx context.Context, b *DB, c ownMove) error {
		_, err := b.Fund(ctx, c.ID, c.Asset, c.Amount, true)
		return err
	}),
	control.WithdrawFees: executes(func(ctx context.Context, b *DB, c ownMove) error {
		_, err := b.MoveFees(ctx, c.ID, c.Asset, c.Amount, false)
		return err
	}),
	control.EnterIncome: executes(func(ctx context.Context, b *DB, c staking.Income) error {
		_, err := b.PostIncome(ctx, c)
		return err
	}),
	control.AddCampaign: executes(func(ctx context.Context, b *DB, c staking.Campaign) error {
		_, err := b.PostCampaign(ctx, c)
		return err
	}),
	control.CompleteWithdrawal: executes(func(ctx context.Context, b *DB, e ledger.Entry) error {
		_, err := b.PostAll(ctx, []ledger.Entry{e})
		return err
	}),
	control.AddAsset: executes(func(ctx context.Context, b *DB, c staking.Token) error { return b.AddAsset(ctx, c) }),
	control.SetTerms: executes(func(ctx context.Context, b *DB, c staking.Terms) error { return b.SetTerms(ctx, c) }),
	control.SetLimit: executes(func(ctx context.Context, b *DB, c staking.Limit) error { return b.SetLimit(ctx, c) }),
	control.SetAccountLimit: executes(func(ctx context.Context, b *DB, c AccountLimit) error {
		return b.SetAccountLimit(ctx, c)
	}),
	control.CorrectTerms: executes(func(ctx context.Context, b *DB, c termsCorrection) error {
		return b.CorrectTerms(ctx, c.Day, c.Terms, c.Reason)
	}),
	control.ApproveDay: executes(func(ctx context.Context, b *DB, c dayOf) error {
		return b.Approve(ctx, c.Day, c.Asset)
	}),
	control.SetPrices: executes(func(ctx context.Context, b *DB, c []pricing.Price) error {
		_, err := b.Prices().Set(ctx, c)
		return err
	}),
	control.SetRates: executes(func(ctx context.Context, b *DB, c []pricing.Rate) error {
		_, err := b.CurrencyRates().Set(ctx, c)
		return err
	}),
	control.PublishDocument: executes(func(ctx context.Context, b *DB, c staking.Document) error {
		_, err := b.Documents().Publish(ctx, c.Name, c.Text)
		return err
	}),
	control.AddRegion: executes(func(ctx context.Context, b *DB, c regionListing) error {
		_, err := b.AddRegion(ctx, c.Region, c.From, c.Reason)
		return err
	}),
	control.RemoveRegion: executes(func(ctx context.Context, b *DB, c staking.Region) error {
		_, err := b.RemoveRegion(ctx, c)
		return err
	}),
	control.CreateToken: executes(func(ctx context.Context, b *DB, c access.Token) error {
		return b.People().AddToken(ctx, c)
	}),
	control.EraseAccount: executes(func(ctx context.Context, b *DB, id ledger.Account) error {
		_, err := b.EraseAccount(ctx, id)
		return err
	}),
	control.AddStaff: executes(func(ctx context.Context, b *DB, c people.StaffChange) error {
		return b.People().AddStaff(ctx, c.Email, c.Role, c.Invitation())
	}),
	control.SetStaffRole: executes(func(ctx context.Context, b *DB, c people.StaffChange) error {
		return b.People().SetStaffRole(ctx, c.Email, c.Role)
	}),
	control.InviteStaff: executes(func(ctx context.Context, b *DB, c people.StaffChange) error {
		return b.People().InviteStaff(ctx, c.Email, c.Invitation())
	}),
	control.ResetFactors: executes(func(ctx context.Context, b *DB, subject string) error {
		return b.People().ResetFactors(ctx, subject)
	}),
	control.SetOwner: executes(func(ctx context.Context, b *DB, c Ownership) error {
		_, _, err := b.SetOwner(ctx, c.Account, c.Owner, c.From)
		return err
	}),
	control.AddLabel: executes(func(ctx context.Context, b *DB, c labeling) error {
		_, _, err := b.AddLabel(ctx, c.Account, c.Label, c.From)
		return err
	}),
	control.RemoveLabel: executes(func(ctx context.Context, b *DB, c labeling) error {
		_, _, err := b.RemoveLabel(ctx, c.Account, c.Label, c.From)
		return err
	}),
	control.LoadAddress: executes(func(ctx context.Context, b *DB, c people.WithdrawalAddress) error {
		_, err := b.People().LoadWithdrawalAddress(ctx, c)
		return err
	}),
	control.Unfreeze: executes(func(ctx context.Context, b *DB, c unfreezing) error {
		_, _, err := b.Unfreeze(ctx, c.Account, c.Reason)
		return err
	}),
	control.SetRegion: executes(func(ctx context.Context, b *DB, c newRegion) error {
		_, err := b.SetRegion(ctx, c.Account, c.Region)
		return err
	}),
	control.SetCloseAfter: executes(func(ctx context.Context, b *DB, c staking.Closing) error {
		return b.SetCloseAfter(ctx, c)
	}),
	control.SkipEvents: executes(func(ctx context.Context, b *DB, c PartitionSkip) error { return b.SkipEvents(ctx, c) }),
	control.AddSource: executes(func(ctx context.Context, b *DB, s JoinSource) error {
		_, err := b.AddSource(ctx, s)
		return err
	}),
	control.RetirePartition: executes(func(ctx context.Context, b *DB, c PartitionEnd) error {
		return b.RetirePartition(ctx, c)
	}),
	control.DeliverEvents: executes(func(ctx context.Context, b *DB, n NewTarget) error {
		_, err := b.AddTarget(ctx, n)
		return err
	}),
	control.ResendEvents: executes(func(ctx context.Context, b *DB, n NewTarget) error { return b.ResendTarget(ctx, n) }),
	control.RotateWebhook: executes(func(ctx context.Context, b *DB, s WebhookSecret) error {
		return b.RotateWebhook(ctx, s)
	}),
	control.RemoveWebhook: executes(func(ctx context.Context, b *DB, name string) error {
		return b.RemoveWebhook(ctx, name)
	}),
	control.AddWebhook: executes(func(ctx context.Context, b *DB, c NewWebhook) error { return b.AddWebhook(ctx, c) }),
	control.ChangeWebhook: executes(func(ctx context.Context, b *DB, c WebhookChange) error {
		return b.ChangeWebhook(ctx, c)
	}),
	control.SkipWebhook:  executes(func(ctx context.Context, b *DB, c WebhookSkip) error { return b.SkipWebhook(ctx, c) }),
	control.CloseWithout: executes(func(ctx context.Context, b *DB, c DayWithout) error { return b.CloseWithout(ctx, c) }),
	control.SetComparisonLimit: executes(func(ctx context.Context, b *DB, c ComparisonLimit) error {
		return b.SetComparisonLimit(ctx, c)
	}),
	control.SetComparisonSource: executes(func(ctx context.Context, b *DB, c ComparisonSource) error {
		return b.SetComparisonSource(ctx, c)
	}),
	control.ResolveBreak: executes(func(ctx context.Context, b *DB, c BreakResolution) error {
		_, err := b.ResolveBreak(ctx, c)
		return err
	}),
	control.ReleaseDay: executes(func(ctx context.Context, b *DB, c ComparisonRelease) error {
		_, err := b.ReleaseDay(ctx, c)
		return err
	}),
	control.AddLogin: executes(func(ctx context.Context, b *DB, c people.LoginChange) error {
		return b.People().AddLogin(ctx, people.Login{Email: c.Email, Account: c.Account, Invitation: c.Invitation()})
	}),
	control.InviteLogin: executes(func(ctx context.Context, b *DB, c people.LoginChange) error {
		_, err := b.People().InviteLogin(ctx, c.Email, c.Invitation(), c.RevokeKeys)
		return err
	}),
	control.CreateKey: executes(func(ctx context.Context, b *DB, c people.NewKey) error {
		k := c.Whole()
		if sealer, err := b.sealer(); err != nil || sealer != nil {
			if err = cmp.Or(err, sealedBefore(k.Opens(sealer))); err != nil {
				return err
			}
		}
		return b.People().AddKey(ctx, k)
	}),
	control.LimitKey: executes(func(ctx context.Context, b *DB, c people.KeyLimit) error {
		_, err := b.People().LimitKey(ctx, c.Key, c.Addresses)
		return err
	}),
	control.EndPayouts: executes(func(ctx context.Context, b *DB, _ struct{}) error {
		return b.SetPayouts(ctx, false)
	}),
	control.EndWithdrawalFactor: executes(func(ctx context.Context, b *DB, _ struct{}) error {
		return b.SetWithdrawalFactor(ctx, false)
	}),
	control.EndFourEyes: executes(func(ctx context.Context, b *DB, _ struct{}) error { return b.SetFourEyes(ctx, false) }),
}
