package api

import (
	"context"
	"errors"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

type withdrawalOut struct {
	ID       string `json:"id" example:"w-1" doc:"The entry that requested it. The entry ID/completed or ID/cancelled ends it."`
	Account  string `json:"account" example:"alice" doc:"Whose it is."`
	Asset    string `json:"asset" example:"BNB" doc:"Symbol."`
	Amount   string `json:"amount" example:"1.5" doc:"How much, in whole tokens. It is held until the withdrawal ends."`
	Address  string `json:"address,omitempty" doc:"The destination. Absent: not given, as for the next three."`
	Network  string `json:"network,omitempty" example:"BSC" doc:"On which network."`
	Tag      string `json:"tag,omitempty" doc:"A memo or tag that the address needs."`
	ClientID string `json:"clientId,omitempty" doc:"What its holder calls it."`
	At       string `json:"at" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was requested."`
	State    string `json:"state" enum:"pending,completed,cancelled,forged" doc:"The state of the withdrawal. forged: it is pending, and somebody has changed it in the database; it has no amount and no destination here, and must not be paid."`
	Ended    string `json:"ended,omitempty" format:"date-time" example:"2026-11-22T10:05:00.000Z" doc:"When it was completed or cancelled. Absent while it is pending."`
}

// withdrawalRoutes are those of withdrawals. What ends one is an entry.
func (s *server) withdrawalRoutes() {
	change(s, "POST /v1/accounts/{account}/withdrawals", does("withdrawal request"), writer.requestWithdrawal,
		about("request-withdrawal", "Entries", "Request a withdrawal",
			"Holds the amount, which stops earning, and keeps where it goes. "+
				"It is the entry of the kind `withdrawal-request`, "+
				"and is ended by one of the kind `withdrawal-completed` or `withdrawal-cancelled`. Repeating an ID with "+
				"the same content has no further effect; a holder's begins with its account and a slash."),
		created[entryOut]("It was requested before: the answer of the first time."))
	get(s, "/v1/accounts/{account}/withdrawals", oneHolder, reader.listWithdrawals,
		about("list-withdrawals", "Entries", "List an account's withdrawals",
			"The withdrawals that an account has requested, the oldest first."))
	get(s, "/v1/withdrawals", allHolders, reader.pendingWithdrawals,
		about("list-pending-withdrawals", "Entries", "List the withdrawals that wait",
			"The withdrawals of all accounts that wait to be completed or cancelled, the oldest first: "+
				"what there is to be sent."))
}

type withdrawalIn struct {
	AccountIn
	Body struct {
		ID       string `json:"id" minLength:"1" maxLength:"128" example:"w-1" doc:"Your name for the request, unique forever. A holder's begins with its account and a slash: alice/w-1."`
		Asset    string `json:"asset" maxLength:"20" example:"BNB" doc:"Symbol."`
		Amount   string `json:"amount" maxLength:"40" example:"1.5" doc:"How much, in whole tokens."`
		Address  string `json:"address,omitempty" maxLength:"200" doc:"Where it goes."`
		Network  string `json:"network,omitempty" maxLength:"200" example:"BSC" doc:"On which network."`
		Tag      string `json:"tag,omitempty" maxLength:"200" doc:"A memo or tag that the address needs."`
		ClientID string `json:"clientId,omitempty" maxLength:"200" doc:"What its holder calls it."`
	}
}

func (wr writer) requestWithdrawal(ctx context.Context, in *withdrawalIn) (*posted, error) {
	b := in.Body
	if err := in.id().CheckHolder(); err != nil {
		return nil, ledger.At("account", err)
	}
	asset, amount, err := wr.amount(ctx, b.Asset, b.Amount)
	if err != nil {
		return nil, err
	}
	o, err := wr.books.Withdraw(ctx, store.Withdrawal{
		ID: b.ID, Account: in.id(), Asset: asset.Symbol, Amount: amount, Address: b.Address, Network: b.Network,
		Tag: b.Tag, ClientID: b.ClientID,
	})
	return showPosted(b.ID, o, err)
}

// withdrawalKeys are those of withdrawals: when they were requested, and their ID.
var withdrawalKeys = keyset[store.Withdrawal, store.Withdrawal]{
	2, func(w store.Withdrawal) []string { return []string{millis(w.At), w.ID} },
	func(parts []string) (store.Withdrawal, error) {
		at, err := moment(parts[0])
		return store.Withdrawal{At: at, ID: parts[1]}, errors.Join(err, ledger.CheckID("withdrawal", parts[1]))
	},
}

func (rd reader) showWithdrawal(ctx context.Context) func(store.Withdrawal) (withdrawalOut, error) {
	return func(w store.Withdrawal) (_ withdrawalOut, err error) {
		var asset ledger.Asset
		if w.State != store.Forged { // which may say anything
			asset, err = rd.Asset(ctx, w.Asset)
		}
		return withdrawalOut{
			ID: w.ID, Account: string(w.Account), Asset: w.Asset, Amount: asset.Format(w.Amount), Address: w.Address,
			Network: w.Network, Tag: w.Tag, ClientID: w.ClientID, At: instant(w.At), State: string(w.State),
			Ended: instantIf(w.Ended),
		}, err
	}
}

func (rd reader) pendingWithdrawals(ctx context.Context, in *Paging) (*answer[list[withdrawalOut]], error) {
	return pageOf(*in, withdrawalKeys, func(after *store.Withdrawal, limit int) ([]store.Withdrawal, error) {
		return rd.PendingWithdrawals(ctx, orZero(after), limit)
	}, rd.showWithdrawal(ctx))
}

type withdrawalsIn struct {
	AccountIn
	Paging
	Asset string `query:"asset" maxLength:"20" example:"BNB" doc:"Only this asset's."`
}

func (rd reader) listWithdrawals(ctx context.Context, in *withdrawalsIn) (*answer[list[withdrawalOut]], error) {
	asked := reports.WithdrawalsAsked{Asset: in.Asset, To: rd.now().Add(time.Minute)}
	return pageOf(in.Paging, withdrawalKeys, func(after *store.Withdrawal, limit int) ([]store.Withdrawal, error) {
		return rd.WithdrawalPage(ctx, in.id(), asked, new(orZero(after)), limit)
	}, rd.showWithdrawal(ctx))
}
