package api

import (
	"context"
	"errors"
	"math/big"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
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
	Owners []OwnerOut `json:"owners,omitempty" doc:"Whose it is: what holds today, and what is set for later days. Absent: it is its own owner, or you are its holder."`
	Labels []labelOut `json:"labels,omitempty" doc:"Its labels: those of today, and those that are set for later days. Absent: it has none, or you are its holder."`
}

func showAccount(ctx context.Context, a store.Account) accountOut {
	return accountOut{
		ID: string(a.ID), Region: string(a.Region), Opened: instant(a.Opened), Closed: instantIf(a.Closed),
		Frozen: showFreeze(a.Freeze, token(ctx).Role),
	}
}

// accountRoutes are those of holders' accounts.
func (s *server) accountRoutes() {
	change(s, "POST /v1/accounts", does("account open"), writer.openAccount,
		about("open-account", "Accounts", "Open an account",
			"Opens an account for a resident of a region. Repeating has no further effect, and answers "+
				"200 instead of 201. With another region it is refused: a residence is changed by its own operation. "+
				"So it is with another owner than it has today."),
		created[accountOut]("It was open before, as it is."))
	get(s, "/v1/accounts", allHolders, reader.listAccounts, about("list-accounts", "Accounts", "List the accounts",
		"All accounts, closed ones too, in an order that never changes. "+
			"An account that is opened while you read may be found or not."))
	get(s, "/v1/accounts/{account}", oneHolder, reader.getAccount,
		about("get-account", "Accounts", "Look at an account",
			"Its residence, when it was opened and closed, and whether it is frozen. "+
				"A closed account is found as well."))
	change(s, "PUT /v1/accounts/{account}/region", does("account set-region"), writer.setRegion,
		about("set-region", "Accounts", "Set an account's residence",
			"Sets the verified residence, or clears it with an empty string. "+
				"Where the product is not offered there, or no residence is left, the account stops earning from today, "+
				"or from the day from which a listing of the region holds; what it has earned before is paid. "+
				"Repeating has no further effect."))
	change(s, "POST /v1/accounts/{account}/close", does("account close"), writer.closeAccount,
		about("close-account", "Accounts", "Close an account",
			"Closes an account forever. Without sweepTo it must be empty, free and held, "+
				"with no withdrawal pending, its Soft Staking off, and every day that it earned on paid. "+
				"With sweepTo its Soft Staking is switched off, what it has free goes to the other account, "+
				"and so does each reward that is still to come, when it is credited; "+
				"while anything is held it cannot be closed. Your token needs the part trades for it too, "+
				"and what is moved counts to its ceilings. A closed account takes no entries and cannot be opened "+
				"again; its history is kept. Repeating only moves what has come since, or names another account.", 409, 404))
}

type openIn struct {
	Body struct {
		ID     string `json:"id" minLength:"1" maxLength:"128" example:"alice" doc:"Your name for the account: 1 to 128 of A-Z a-z 0-9 . _ : and -, but not . or .. alone, which clients remove from URLs. It never changes."`
		Region string `json:"region,omitempty" maxLength:"6" example:"DE" doc:"The verified residence, a code that exists in ISO 3166, such as DE or UA-43. Without it Soft Staking cannot be switched on."`
		Owner  string `json:"owner,omitempty" maxLength:"128" example:"customer-7" doc:"Your ID of the customer whose account it is, from today on: up to 128 of A-Z a-z 0-9 . _ : - @ and /. Without it the account is its own owner."`
	}
}

func (wr writer) openAccount(ctx context.Context, in *openIn) (*creation[accountOut], error) {
	id := ledger.Account(in.Body.ID)
	if err := id.CheckNew(); err != nil {
		return nil, ledger.At("id", err)
	}
	region, err := parseRegion(in.Body.Region)
	if err != nil {
		return nil, err
	}
	repeated, err := wr.books.OpenOwned(ctx, id, region, in.Body.Owner)
	if err != nil {
		return nil, err
	}
	out, err := wr.account(ctx, id)
	return replyCreated(out, repeated, err)
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
	var marks map[ledger.Account]reports.Marks // of the page
	return pageOf(*in, keys, func(after *ledger.Account, limit int) ([]store.Account, error) {
		accounts, err := rd.Accounts(ctx, orZero(after), limit)
		if err != nil {
			return nil, err
		}
		ids := make([]ledger.Account, len(accounts))
		for i, a := range accounts {
			ids[i] = a.ID
		}
		marks, err = rd.marks(ctx, ids...)
		return accounts, err
	}, func(a store.Account) (accountOut, error) { return showAccount(ctx, a).mark(marks[a.ID]), nil })
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
	return reply(out, err)
}

func (rd reader) getAccount(ctx context.Context, in *AccountIn) (*answer[accountOut], error) {
	return reply(rd.account(ctx, in.id()))
}

// account is an account as it is shown.
func (rd reader) account(ctx context.Context, id ledger.Account) (accountOut, error) {
	a, err := rd.Account(ctx, id)
	if err != nil {
		return accountOut{}, err
	}
	marks, err := rd.marks(ctx, id)
	return showAccount(ctx, a).mark(marks[id]), err
}

type closeIn struct {
	AccountIn
	SweepTo string `query:"sweepTo" maxLength:"128" example:"bob" doc:"Another holder's open account, that gets what this one has free and the rewards that are still to come. Without it the account must be empty."`
}

type closedOut struct {
	ID      string     `json:"id" example:"alice" doc:"The account."`
	Region  string     `json:"region" example:"DE" doc:"The verified residence; empty: none is verified."`
	Opened  string     `json:"opened" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was opened."`
	Closed  string     `json:"closed" format:"date-time" example:"2027-01-31T10:00:00.000Z" doc:"When it was closed, forever."`
	SweepTo string     `json:"sweepTo,omitempty" example:"bob" doc:"The account that gets what is left."`
	Moved   []sweptOut `json:"moved" doc:"What this request has moved there, by token."`
	Unpaid  string     `json:"unpaidFrom,omitempty" format:"date" example:"2027-01-30" doc:"The first day whose reward may still come; it is moved on when it is credited. Absent: none."`
	Refused string     `json:"refused,omitempty" doc:"Why what it has cannot be moved, as a sentence: name another account, or repeat the request later."`
	Left    []leftOut  `json:"left" doc:"Fractions of the smallest unit that its rewards have left: nobody can move them."`
}

type sweptOut struct {
	Entry  string `json:"entry" example:"close/alice/1" doc:"The entry in the journal."`
	Asset  string `json:"asset" example:"BNB" doc:"Symbol."`
	Amount string `json:"amount" example:"2" doc:"In whole tokens."`
}

type leftOut struct {
	Asset string `json:"asset" example:"BNB" doc:"Symbol."`
	Units string `json:"smallestUnits" example:"0.7576452" doc:"Part of the smallest unit, rounded down to 18 decimals."`
}

// leftDigits are the decimals of a fraction that are shown.
const leftDigits = 18

func (wr writer) closeAccount(ctx context.Context, in *closeIn) (*answer[closedOut], error) {
	if err := in.id().CheckHolder(); err != nil {
		return nil, ledger.At("account", err)
	}
	target := ledger.Account(in.SweepTo)
	sweep, err := store.Sweep{}, error(nil)
	if target == "" {
		err = wr.books.CloseAccount(ctx, in.id())
	} else if err = target.CheckHolder(); err != nil {
		return nil, ledger.At("sweepTo", err)
	} else {
		sweep, err = wr.books.SweepAccount(ctx, in.id(), target)
	}
	if errors.Is(err, ledger.ErrInvalid) {
		err = errInUse.In("", "%w", err)
	}
	if err != nil {
		return nil, err
	}
	a, err := wr.Account(ctx, in.id())
	if err != nil {
		return nil, err
	}
	return wr.closed(ctx, a, sweep)
}

func (rd reader) closed(ctx context.Context, a store.Account, sweep store.Sweep) (*answer[closedOut], error) {
	out := closedOut{
		ID: string(a.ID), Region: string(a.Region), Opened: instant(a.Opened), Closed: instant(a.Closed),
		SweepTo: string(sweep.Target), Refused: sweep.Refused, Left: []leftOut{},
	}
	if sweep.Unpaid > 0 {
		out.Unpaid = sweep.Unpaid.String()
	}
	for _, l := range sweep.Left {
		units, _ := reports.UnitsDecimal(big.NewInt(int64(l.Carry)), 0, leftDigits)
		out.Left = append(out.Left, leftOut{l.Asset, units})
	}
	var err error
	out.Moved, err = shown(sweep.Moved, func(m store.Swept) (sweptOut, error) {
		asset, err := rd.Asset(ctx, m.Asset)
		return sweptOut{m.Entry, m.Asset, asset.Format(m.Amount)}, err
	})
	return reply(out, err)
}

type freezeOut struct {
	Since   string `json:"since" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was frozen."`
	Earning bool   `json:"earning" doc:"Whether it goes on earning."`
	Reason  string `json:"reason,omitempty" example:"court order 7" doc:"Why. Absent for the holder."`
}

// showFreeze is nil for an account that is not frozen. The reason may be a secret
// before the holder: an investigation.
func showFreeze(f store.Freeze, role access.Role) *freezeOut {
	if f.Since.IsZero() {
		return nil
	}
	out := &freezeOut{Since: instant(f.Since), Earning: f.Earns, Reason: f.Reason}
	if role == access.Holder {
		out.Reason = ""
	}
	return out
}

// eraseRoutes are those that remove persons.
func (s *server) eraseRoutes() {
	change(s, "POST /v1/accounts/{account}/erase", does("account erase"), writer.eraseAccount,
		about("erase-account", "Accounts", "Remove the person of a closed account",
			"Removes logins and their e-mail addresses, sessions, network addresses and clients, and the secrets, networks "+
				"and labels of keys, which are revoked. The ledger, the log and the records of days stay, and name nobody. "+
				"An account that is open, or has something still to come, is refused. It cannot be undone. Repeating has no "+
				"further effect."))
}

// erasedOut is what was removed.
type erasedOut struct {
	ID     string `json:"id" example:"alice" doc:"The account."`
	Erased string `json:"erased" format:"date-time" example:"2027-02-01T10:00:00.000Z" doc:"When its person was removed: of a repetition, the first time."`
}

func (wr writer) eraseAccount(ctx context.Context, in *AccountIn) (*answer[erasedOut], error) {
	if err := in.id().CheckHolder(); err != nil {
		return nil, ledger.At("account", err)
	}
	e, err := wr.books.EraseAccount(ctx, in.id())
	return reply(erasedOut{string(in.id()), instant(e.At)}, err)
}

// freezeRoutes are those that freeze an account and end it.
func (s *server) freezeRoutes() {
	change(s, "POST /v1/accounts/{account}/freeze", does("account freeze"), writer.freeze,
		about("freeze-account", "Accounts", "Freeze an account",
			"Lets nothing leave the account until it is unfrozen: transfers, withdrawals, "+
				"holds and trades that take from it are refused, whoever posts them; "+
				"so is the completion of a pending withdrawal. What stays in the account is allowed: a release, "+
				"and the cancelling of a withdrawal. Deposits and rewards come in, "+
				"and an operator's adjustment is posted. With `earning` false it earns nothing from today on; "+
				"its end switches Soft Staking on again if it was on. Repeating has no further effect; "+
				"with another `earning` it is refused."))
	change(s, "POST /v1/accounts/{account}/unfreeze", does("account unfreeze"), writer.unfreeze,
		about("unfreeze-account", "Accounts", "Unfreeze an account",
			"Ends the freeze. Where the freeze switched Soft Staking off, "+
				"it is switched on again and earns from tomorrow on, unless its holder switched it off or it is not "+
				"offered to the residence any more. Repeating has no further effect."))
}

type freezeIn struct {
	AccountIn
	Body struct {
		Reason  string `json:"reason" minLength:"1" maxLength:"200" example:"court order 7" doc:"Why; it is kept in the log."`
		Earning bool   `json:"earning" doc:"Whether the account goes on earning."`
	}
}

func (wr writer) freeze(ctx context.Context, in *freezeIn) (*answer[accountOut], error) {
	if err := in.id().CheckHolder(); err != nil {
		return nil, ledger.At("account", err)
	}
	if _, err := wr.books.Freeze(ctx, in.id(), in.Body.Reason, in.Body.Earning); err != nil {
		return nil, err
	}
	return reply(wr.account(ctx, in.id()))
}

type unfreezeIn struct {
	AccountIn
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"200" example:"order lifted" doc:"Why; it is kept in the log."`
	}
}

func (wr writer) unfreeze(ctx context.Context, in *unfreezeIn) (*answer[accountOut], error) {
	if err := in.id().CheckHolder(); err != nil {
		return nil, ledger.At("account", err)
	}
	if _, _, err := wr.books.Unfreeze(ctx, in.id(), in.Body.Reason); err != nil {
		return nil, err
	}
	return reply(wr.account(ctx, in.id()))
}
