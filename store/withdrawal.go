package store

import (
	"context"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// WithdrawalState is where a withdrawal is on its way.
type WithdrawalState string

// The states of a withdrawal, as its entries say.
const (
	Pending   WithdrawalState = "pending"
	Completed WithdrawalState = "completed"
	Cancelled WithdrawalState = "cancelled"
	// Forged is one that has not ended, and that somebody has changed in the database: nobody is to pay it, and it cannot
	// be ended. Its amount, destination and client's ID are empty.
	Forged WithdrawalState = "forged"
)

// Withdrawal is a withdrawal that was requested.
type Withdrawal struct {
	ID       string // of the entry that requested it; "ID/completed" or "ID/cancelled" ends it
	Account  ledger.Account
	Asset    string
	Amount   ledger.Amount
	Address  string // where it goes; "" where the caller kept that to itself, and so for the next three
	Network  string
	Tag      string
	ClientID string // what its holder calls it
	At       time.Time
	State    WithdrawalState
	Ended    time.Time // when it was completed or cancelled; zero while it is pending
}

// Ending is the entry that ends the withdrawal, now: WithdrawalCompleted moves what
// is held to @custody, and WithdrawalCancelled back to what is free. Its name ties it
// to the request, so that a withdrawal ends once.
func (w Withdrawal) Ending(kind ledger.Kind) ledger.Entry {
	to := ledger.Custody
	if kind == ledger.WithdrawalCancelled {
		to = w.Account
	}
	return ledger.Entry{ID: ledger.EndingID(w.ID, kind), Kind: kind,
		Moves: []ledger.Move{{From: w.Account.Held(), To: to, Asset: w.Asset, Amount: w.Amount}}}
}

// Withdraw requests a withdrawal: it posts the entry that holds the amount and, in
// the same commit, keeps where it goes, in texts of at most 200 characters each. At
// is the entry's time, zero for now; State and Ended are ignored. Idempotent by the ID;
// with different content, also of where it goes, it is ErrConflict. Its other errors are
// those of Post's outcomes.
func (b *DB) Withdraw(ctx context.Context, w Withdrawal) (Outcome, error) {
	for _, text := range [][3]string{
		{"address", "the address", w.Address}, {"network", "the network", w.Network}, {"tag", "the tag", w.Tag},
		{"clientId", "the client's ID", w.ClientID},
	} {
		if err := ledger.CheckText(text[1], text[2]); err != nil {
			return Outcome{}, ledger.At(text[0], err)
		}
	}
	e := ledger.Entry{
		ID: w.ID, Kind: ledger.WithdrawalRequest, At: w.At,
		Moves: []ledger.Move{{From: w.Account, To: w.Account.Held(), Asset: w.Asset, Amount: w.Amount}},
	}
	to := ledger.Destination{Address: w.Address, Network: w.Network, Tag: w.Tag, ClientID: w.ClientID}
	return b.postMove(ctx, e, call{destination: to})
}

// A withdrawal is what its entries say: one requests it, and one named after that
// ends it, completed or cancelled. Whoever ends it changes the balance that holds
// it, so that of two at the same time the second one reads it when the first has
// committed; and the key of its row in endings is the request's, so that there is one.
//
// A pending withdrawal reserves its amount in the held part. A release, a trade, a plain
// withdrawal or an adjustment takes from it at most what no pending withdrawal reserves,
// at every moment since its own time, so that each withdrawal can always be ended.

// request is a withdrawal that was requested, as an entry that ends it finds it.
type request struct {
	asset  string
	amount ledger.Amount
	at     int64
	ended  ledger.Kind // "": it is pending
	forged error       // it was not written by this program

	destination ledger.Destination // where it goes: its address and tag
}

// requested names a request: the account and the ID of the entry.
type requested struct {
	account ledger.Account
	id      string
}

// requestFields are the columns of a request's key in a set.
func requestFields[T any](of func(T) requested) []db.Field[T] {
	return accountFields(func(v T) ledger.Account { return of(v).account },
		db.Text("id", func(v T) string { return of(v).id }))
}

// ends is the request that the item ends, if it is of a kind that ends one.
func (it *item) ends() (requested, bool) {
	id, ends := it.Ends()
	if !ends {
		return requested{}, false
	}
	return requested{it.Moves[0].From.Owner(), id}, true
}

// readRequests reads what the withdrawals are that entries end, under the locks of
// the balances that hold them.
func (g *groupCommit) readRequests() error {
	var ended []requested
	for it := range g.undecided {
		if of, ends := it.ends(); ends {
			ended = append(ended, of)
		}
	}
	err := g.t.QuerySet(func(r db.Row) error {
		is := &request{
			asset: r.Text(3), amount: ledger.Amount(r.Int(4)), at: r.Int(2),
			ended:       ledger.Kind(r.Text(integrity.Withdrawals.MAC() + 1)),
			destination: ledger.Destination{Address: r.Text(5), Tag: r.Text(7)},
		}
		if is.ended == "" {
			is.forged = g.books.guard.Check(integrity.Withdrawals, r, 0)
		}
		g.requests[requested{ledger.Account(r.Text(0)), r.Text(1)}] = is
		return nil
	}, "SELECT "+integrity.Withdrawals.Columns("w.")+`,
	           coalesce((SELECT e.kind FROM endings e
	                      WHERE e.bucket = w.bucket AND e.account = w.account AND e.id = w.id), '')
	      FROM {rows} JOIN withdrawals w ON w.bucket = r.bucket AND w.account = r.account AND w.id = r.id`,
		db.SetOf(ended, requestFields(itself[requested])...))
	return annotate(err, "look withdrawals up")
}

// readReserved sums what pending withdrawals reserve in the held parts that other entries
// take from. Their balances are locked, so that no withdrawal begins or ends before the commit.
func (g *groupCommit) readReserved() error {
	var held []*balance
	for it := range g.undecided {
		for _, c := range it.changes {
			if c.net <= 0 && c.account.IsHeld() && c.exists && !it.Kind.OfWithdrawal() && !slices.Contains(held, c.balance) {
				held = append(held, c.balance)
			}
		}
	}
	err := g.t.QuerySet(func(r db.Row) error {
		b := g.balances[readKey(r)]
		// Each request was at most the supply, but older books may hold less than was requested.
		if sum, err := b.reserved.Add(ledger.Amount(r.Int(3))); err == nil && sum <= ledger.MaxSupply {
			b.reserved = sum
		} else {
			b.reserved = ledger.MaxSupply
		}
		return nil
	}, `SELECT r.bucket, r.account, r.asset,
	           coalesce((SELECT w.amount FROM withdrawals w WHERE w.bucket = n.bucket AND w.account = n.account AND w.id = n.id AND w.asset = r.asset), 0)
	      FROM {rows} JOIN pending n ON n.bucket = r.bucket AND n.account = r.owner`,
		db.SetOf(held, keyFields(balanceKey,
			db.Text("owner", func(b *balance) string { return string(b.account.Owner()) }))...))
	return annotate(err, "read what pending withdrawals hold")
}

// reserve adds an amount to what is reserved in the held part that the item changes.
func (it *item) reserve(amount ledger.Amount) {
	for _, c := range it.changes {
		if c.account.IsHeld() {
			c.balance.reserved += amount
		}
	}
}

// checkEnding says why the item cannot end the withdrawal that it is named after, or
// nil; nil too for an item that ends none.
func (g *groupCommit) checkEnding(it *item) error {
	of, ends := it.ends()
	if !ends {
		return nil
	}
	r, m := g.requests[of], it.Moves[0]
	switch {
	case r == nil:
		return ledger.ErrNotFound.In("", "%s has requested no withdrawal %s; post its request first", of.account, of.id)
	case r.forged != nil:
		return r.forged
	case r.asset != m.Asset || r.amount != m.Amount:
		return ledger.ErrNotRequested.In("", "the withdrawal %s is of %s %s, not of %s %s",
			of.id, g.assets[r.asset].Format(r.amount), r.asset, g.assets[m.Asset].Format(m.Amount), m.Asset)
	case r.ended != "":
		return ledger.ErrEnded.In("", "the withdrawal %s has ended with the entry %s", of.id, ledger.EndingID(of.id, r.ended))
	case it.at < r.at:
		return ledger.ErrInvalid.In("", "the withdrawal %s was requested at %s, and cannot have ended before, at %s", of.id,
			ledger.FormatTime(db.TimeOf(r.at)), ledger.FormatTime(db.TimeOf(it.at)))
	}
	return nil
}

// follow keeps what an accepted item means for the entries that come after it; with the sign -1
// it takes that back, of an item that is not accepted after all.
func (g *groupCommit) follow(it *item, sign ledger.Amount) {
	if len(it.Moves) == 0 { // income of zero
		return
	}
	m := it.Moves[0]
	if of := (requested{m.From, it.ID}); it.Kind == ledger.WithdrawalRequest {
		g.requests[of] = &request{asset: m.Asset, amount: m.Amount, at: it.at}
		if sign < 0 {
			delete(g.requests, of)
		}
		it.reserve(sign * m.Amount)
	}
	if of, ends := it.ends(); ends {
		it.reserve(-sign * m.Amount)
		if r := g.requests[of]; r != nil { // nil: its request was taken back before it
			if r.ended = it.Kind; sign < 0 {
				r.ended = ""
			}
		}
	}
}

func (g *groupCommit) writeWithdrawals() error {
	var begun, ended []*item
	for _, it := range g.accepted {
		if _, ends := it.ends(); ends {
			ended = append(ended, it)
		} else if it.Kind == ledger.WithdrawalRequest {
			begun = append(begun, it)
		}
	}
	if err := g.writeRequests(begun); err != nil {
		return err
	}
	if err := g.notifyOfLarge(begun); err != nil {
		return err
	}
	return g.writeEndings(ended)
}

// notifyOfLarge adds a notice of each withdrawal that is as large as its token's limits say, whoever has requested it:
// its holder may still have it cancelled.
func (g *groupCommit) notifyOfLarge(begun []*item) error {
	largest := map[string]ledger.Amount{}
	for _, it := range begun {
		m := it.Moves[0]
		least, read := largest[m.Asset]
		if !read {
			l, err := limitsOf(g.t, m.Asset)
			if err != nil {
				return err
			}
			least = l.MaxWithdrawal
			largest[m.Asset] = least
		}
		if least == 0 || m.Amount < least {
			continue
		}
		by := DB{books: g.books, actor: it.call.actor}
		if err := by.People().NotifyAll(g.t, []ledger.Account{m.From}, people.NoticeWithdrawal, m.Asset,
			people.EndingOf(it.call.destination.Address)); err != nil {
			return err
		}
	}
	return nil
}

func (g *groupCommit) writeRequests(items []*item) error {
	pending := append(requestFields(func(it *item) requested { return requested{it.Moves[0].From, it.ID} }),
		db.Int("requested", itemAt))
	if err := g.insertNew("pending", db.SetOf(items, pending...)); err != nil {
		return err
	}
	macs, err := g.books.guard.MACs(integrity.Withdrawals, len(items), func(i int) []any {
		it := items[i]
		m, to := it.Moves[0], it.call.destination
		return []any{string(m.From), it.ID, it.at, m.Asset, int64(m.Amount), to.Address, to.Network, to.Tag, to.ClientID}
	})
	if err != nil {
		return annotate(err, "protect withdrawals")
	}
	return g.insertNew("withdrawals", append(db.SetOf(items, append(pending,
		db.Text("asset", func(it *item) string { return it.Moves[0].Asset }),
		db.Int("amount", func(it *item) int64 { return int64(it.Moves[0].Amount) }),
		db.Text("address", func(it *item) string { return it.call.destination.Address }),
		db.Text("network", func(it *item) string { return it.call.destination.Network }),
		db.Text("tag", func(it *item) string { return it.call.destination.Tag }),
		db.Text("client_id", func(it *item) string { return it.call.destination.ClientID }))...), db.Texts("mac", macs)))
}

func (g *groupCommit) writeEndings(items []*item) error {
	ended := requestFields(func(it *item) requested { of, _ := it.ends(); return of })
	if err := g.insertNew("endings", db.SetOf(items, append(ended,
		db.Text("kind", func(it *item) string { return string(it.Kind) }), db.Int("at", itemAt))...)); err != nil {
		return err
	}
	err := g.t.Each(nil, "DELETE FROM pending WHERE bucket = $1 AND account = $2 AND id = $3", db.SetOf(items, ended...))
	return annotate(err, "take withdrawals off the pending ones")
}
