package api

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// AccountIn is the account that a path names.
type AccountIn struct {
	Account string `path:"account" maxLength:"128" example:"alice" doc:"The account's ID."`
}

func (a AccountIn) id() ledger.Account { return ledger.Account(a.Account) }

type accountOut struct {
	ID     string     `json:"id" example:"alice" doc:"Your name for the account: 1 to 128 of A-Z a-z 0-9 . _ : and -."`
	Region string     `json:"region" example:"DE" doc:"The verified residence: ISO 3166-1 alpha-2, or ISO 3166-2 where a part of a country is meant. Empty: none is verified. A code that does not exist, in books from before codes were checked, counts as none."`
	Opened string     `json:"opened" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was opened."`
	Closed string     `json:"closed,omitempty" format:"date-time" example:"2027-01-31T10:00:00.000Z" doc:"When it was closed, forever. Absent: it is open."`
	Ends   string     `json:"softStakingEnds,omitempty" format:"date" example:"2026-11-23" doc:"The first day that it does not earn any more, where this request has ended its Soft Staking. In answers to other requests it is absent."`
	Frozen *freezeOut `json:"frozen,omitempty" doc:"The freeze, while nothing may leave the account. Absent: it is not frozen."`
}

func showAccount(ctx context.Context, a store.Account) accountOut {
	return accountOut{
		ID: string(a.ID), Region: string(a.Region), Opened: instant(a.Opened), Closed: instantIf(a.Closed),
		Frozen: showFreeze(a.Freeze, token(ctx).Role),
	}
}

// accountRoutes are those of holders' accounts.
func (s *server) accountRoutes() {
	change(s, "POST /v1/accounts", exchange, writer.openAccount,
		about("open-account", "Accounts", "Open an account",
			"Opens an account for a resident of a region. Repeating has no further effect, and answers "+
				"200 instead of 201. With another region it is refused: a residence is changed by its own operation."),
		created[accountOut]("It was open before, as it is."))
	get(s, "/v1/accounts", staff, reader.listAccounts, about("list-accounts", "Accounts", "List the accounts",
		"All accounts, closed ones too, in an order that never changes. "+
			"An account that is opened while you read may be found or not."))
	get(s, "/v1/accounts/{account}", everyone, reader.getAccount,
		about("get-account", "Accounts", "Look at an account",
			"Its residence, when it was opened and closed, and whether it is frozen. "+
				"A closed account is found as well."))
	change(s, "PUT /v1/accounts/{account}/region", writers, writer.setRegion,
		about("set-region", "Accounts", "Set an account's residence",
			"Sets the verified residence, or clears it with an empty string. "+
				"Where the product is not offered there, or no residence is left, the account stops earning from today, "+
				"or from the day from which a listing of the region holds; what it has earned before is paid. "+
				"Repeating has no further effect."))
	change(s, "POST /v1/accounts/{account}/close", exchange, writer.closeAccount,
		about("close-account", "Accounts", "Close an account",
			"Closes an account forever. Without sweepTo it must be empty, free and held, "+
				"with no withdrawal pending, its Soft Staking off, and every day that it earned on paid. "+
				"With sweepTo its Soft Staking is switched off, what it has free goes to the other account, "+
				"and so does each reward that is still to come, when it is credited; "+
				"while anything is held it cannot be closed. A closed account takes no entries and cannot be opened "+
				"again; its history is kept. Repeating only moves what has come since, or names another account.", 409, 404))
	s.freezeRoutes()
}

type openIn struct {
	Body struct {
		ID     string `json:"id" minLength:"1" maxLength:"128" example:"alice" doc:"Your name for the account: 1 to 128 of A-Z a-z 0-9 . _ : and -, but not . or .. alone, which clients remove from URLs. It never changes."`
		Region string `json:"region,omitempty" maxLength:"6" example:"DE" doc:"The verified residence, a code that exists in ISO 3166, such as DE or UA-43. Without it Soft Staking cannot be switched on."`
	}
}

func (wr writer) openAccount(ctx context.Context, in *openIn) (*made[accountOut], error) {
	id := ledger.Account(in.Body.ID)
	if err := id.CheckNew(); err != nil {
		return nil, ledger.At("id", err)
	}
	region, err := parseRegion(in.Body.Region)
	if err != nil {
		return nil, err
	}
	repeated, err := wr.books.OpenAccount(ctx, id, region)
	if err != nil {
		return nil, err
	}
	out, err := wr.account(ctx, id)
	return sayMade(out, repeated, err)
}

// parseRegion reads a residence, "" being none. Its error is ledger.ErrInvalid, in its field.
func parseRegion(text string) (staking.Region, error) {
	if text == "" {
		return "", nil
	}
	region, err := staking.ParseRegion(text)
	return region, ledger.At("region", err)
}

func (rd reader) listAccounts(ctx context.Context, in *Paging) (*answer[list[accountOut]], error) {
	keys := keyset[store.Account, ledger.Account]{
		1, func(a store.Account) []string { return []string{string(a.ID)} },
		func(parts []string) (ledger.Account, error) {
			id := ledger.Account(parts[0])
			return id, id.CheckHolder()
		},
	}
	return pageOf(*in, keys, func(after *ledger.Account, limit int) ([]store.Account, error) {
		return rd.Accounts(ctx, orZero(after), limit)
	}, func(a store.Account) (accountOut, error) { return showAccount(ctx, a), nil })
}

type residenceIn struct {
	AccountIn
	Body struct {
		Region string `json:"region" maxLength:"6" example:"DE" doc:"The verified residence, a code that exists in ISO 3166, such as DE or UA-43. Empty: it is cleared."`
	}
}

func (wr writer) setRegion(ctx context.Context, in *residenceIn) (*answer[accountOut], error) {
	region, err := parseRegion(in.Body.Region)
	if err != nil {
		return nil, err
	}
	ends, err := wr.books.SetRegion(ctx, in.id(), region)
	if err != nil {
		return nil, err
	}
	out, err := wr.account(ctx, in.id())
	if ends > 0 {
		out.Ends = ends.String()
	}
	return say(out, err)
}

func (rd reader) getAccount(ctx context.Context, in *AccountIn) (*answer[accountOut], error) {
	return say(rd.account(ctx, in.id()))
}

// account is an account as it is shown.
func (rd reader) account(ctx context.Context, id ledger.Account) (accountOut, error) {
	a, err := rd.Account(ctx, id)
	return showAccount(ctx, a), err
}
