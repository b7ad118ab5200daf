package api

import (
	"context"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type OwnerOut struct {
	Owner string `json:"owner" example:"customer-7" doc:"Your ID of the customer. Empty: the account is its own owner."`
	From  string `json:"from" format:"date" example:"2026-11-23" doc:"The first day on which it holds."`
}

type labelOut struct {
	Label string `json:"label" example:"vip" doc:"A word of yours."`
	From  string `json:"from" format:"date" example:"2026-11-23" doc:"The first day on which the account has it."`
	Until string `json:"until,omitempty" format:"date" example:"2026-12-01" doc:"The first day on which it has it no more. Absent: no end is set."`
}

type ownedOut struct {
	Account string `json:"account" example:"alice-sub" doc:"The account."`
	OwnerOut
}

// marks are whose some accounts are, and their labels, for those who may know it: all but
// the holder.
func (rd reader) marks(ctx context.Context, accounts ...ledger.Account) (map[ledger.Account]reports.Marks, error) {
	if token(ctx).Role == access.Holder {
		return map[ledger.Account]reports.Marks{}, nil
	}
	return rd.MarksOf(ctx, accounts...)
}

// mark adds an account's marks to what is shown of it.
func (a accountOut) mark(m reports.Marks) accountOut {
	for _, o := range m.Owners {
		a.Owners = append(a.Owners, showOwner(o))
	}
	for _, l := range m.Labels {
		shown := labelOut{Label: l.Name, From: l.From.String()}
		if l.Until != staking.Forever {
			shown.Until = l.Until.String()
		}
		a.Labels = append(a.Labels, shown)
	}
	return a
}

func showOwner(o store.Ownership) OwnerOut { return OwnerOut{o.Owner, o.From.String()} }

type ownerIn struct {
	AccountIn
	Body struct {
		Owner string `json:"owner" maxLength:"128" example:"customer-7" doc:"Your ID of the customer: up to 128 of A-Z a-z 0-9 . _ : - @ and /. Empty: the account is its own owner."`
		From  string `json:"from,omitempty" format:"date" example:"2026-11-23" doc:"The first day on which it holds, at the earliest tomorrow. Without it: tomorrow."`
	}
}

type ownersIn struct {
	Owner string `query:"owner" maxLength:"128" example:"customer-7" doc:"Only the accounts of this owner. Without it: all."`
	Paging
}

type labelIn struct {
	AccountIn
	Label string `path:"label" maxLength:"32" example:"vip" doc:"1 to 32 characters of a-z 0-9 . _ and -, the first a letter or a digit."`
	From  string `query:"from" format:"date" example:"2026-11-23" doc:"The first day of the change, at the earliest tomorrow. Without it: tomorrow."`
}

func (s *server) ownerRoutes() {
	get(s, "/v1/owners", allHolders, reader.listOwners, about("list-owners", "Accounts", "List whose accounts are",
		"What holds today, and what is set for later days. An account that is not among them is its own owner."))
	change(s, "PUT /v1/accounts/{account}/owner", does("owner set"), writer.setOwner,
		about("set-owner", "Accounts", "Set whose an account is",
			"The accounts of one owner share minimum and cap of the tokens whose terms say so. "+
				"It holds from a day on, at the earliest tomorrow; a day that has begun is never changed. "+
				"Repeating has no further effect."))
	change(s, "PUT /v1/accounts/{account}/labels/{label}", does("label add"), writer.addLabel,
		about("add-label", "Accounts", "Give an account a label",
			"A label is a word of yours, by which a campaign distinguishes accounts. "+
				"It holds from a day on, at the earliest tomorrow, until it is removed. Repeating has no further effect."))
	change(s, "DELETE /v1/accounts/{account}/labels/{label}", does("label remove"), writer.removeLabel,
		about("remove-label", "Accounts", "Take a label off an account",
			"From a day on, at the earliest tomorrow. Repeating has no further effect."))
}

func (rd reader) listOwners(ctx context.Context, in *ownersIn) (*answer[list[ownedOut]], error) {
	keys := keyset[store.Ownership, store.Ownership]{
		2, func(o store.Ownership) []string { return []string{string(o.Account), o.From.String()} },
		func(parts []string) (o store.Ownership, err error) {
			if o.Account = ledger.Account(parts[0]); o.Account.CheckHolder() != nil {
				return o, o.Account.CheckHolder()
			}
			o.From, err = staking.ParseDay(parts[1])
			return o, err
		},
	}
	return pageOf(in.Paging, keys, func(after *store.Ownership, limit int) ([]store.Ownership, error) {
		return rd.Owners(ctx, in.Owner, orZero(after), limit)
	}, func(o store.Ownership) (ownedOut, error) { return ownedOut{string(o.Account), showOwner(o)}, nil })
}

// dayFrom reads the day from which a change holds, "" being tomorrow.
func dayFrom(text string) (staking.Day, error) {
	if text == "" {
		return 0, nil
	}
	d, err := staking.ParseDay(text)
	return d, ledger.At("from", err)
}

func (wr writer) setOwner(ctx context.Context, in *ownerIn) (*answer[accountOut], error) {
	from, err := dayFrom(in.Body.From)
	if err != nil {
		return nil, err
	}
	if _, _, err := wr.books.SetOwner(ctx, in.id(), in.Body.Owner, from); err != nil {
		return nil, err
	}
	return reply(wr.account(ctx, in.id()))
}

func (wr writer) addLabel(ctx context.Context, in *labelIn) (*answer[accountOut], error) {
	from, err := dayFrom(in.From)
	if err != nil {
		return nil, err
	}
	if _, _, err := wr.books.AddLabel(ctx, in.id(), in.Label, from); err != nil {
		return nil, err
	}
	return reply(wr.account(ctx, in.id()))
}

func (wr writer) removeLabel(ctx context.Context, in *labelIn) (*answer[accountOut], error) {
	from, err := dayFrom(in.From)
	if err != nil {
		return nil, err
	}
	if _, _, err := wr.books.RemoveLabel(ctx, in.id(), in.Label, from); err != nil {
		return nil, err
	}
	return reply(wr.account(ctx, in.id()))
}
