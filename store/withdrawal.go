package store

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
)

// WithdrawalState says how a withdrawal stands.
type WithdrawalState string

// The states of a withdrawal, as its entries say.
const (
	Pending   WithdrawalState = "pending"
	Completed WithdrawalState = "completed"
	Cancelled WithdrawalState = "cancelled"
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
	return ledger.Entry{ID: ledger.EndingID(w.ID, kind), Kind: kind, Moves: []ledger.Move{{From: w.Account.Held(), To: to, Asset: w.Asset, Amount: w.Amount}}}
}

// Withdraw requests a withdrawal: it posts the entry that holds the amount and, in
// the same commit, keeps where it goes, in texts of at most 200 characters each. At
// is the entry's time, zero for now; State and Ended are not looked at. The same ID
// with the same content twice is once; with other content, also of where it goes,
// it is ErrConflict. Its other errors are those of Post's outcomes.
func (db *DB) Withdraw(ctx context.Context, w Withdrawal) (Outcome, error) {
	for _, text := range [][3]string{
		{"address", "the address", w.Address}, {"network", "the network", w.Network}, {"tag", "the tag", w.Tag}, {"clientId", "the client's ID", w.ClientID},
	} {
		if err := ledger.CheckText(text[1], text[2]); err != nil {
			return Outcome{}, ledger.At(text[0], err)
		}
	}
	e := ledger.Entry{
		ID: w.ID, Kind: ledger.WithdrawalRequest, At: w.At,
		Moves: []ledger.Move{{From: w.Account, To: w.Account.Held(), Asset: w.Asset, Amount: w.Amount}},
	}
	outcomes, err := db.post(ctx, &call{entries: []ledger.Entry{e}, goes: w.destination()})
	if err != nil {
		return Outcome{}, err
	}
	return ofMove(outcomes[0])
}

// ofMove is what became of an entry that is made of an input with the fields of its one
// move: what is wrong with "moves[0].amount" is wrong with its "amount".
func ofMove(o Outcome) (Outcome, error) {
	o.Err = ledger.Inside("moves[0]", o.Err)
	return o, o.Err
}

func (w Withdrawal) destination() ledger.Destination {
	return ledger.Destination{Address: w.Address, Network: w.Network, Tag: w.Tag, ClientID: w.ClientID}
}

// A withdrawal is what its entries say: one requests it, and one named after that
// ends it, completed or cancelled. Whoever ends it changes the balance that holds
// it, so that of two who come at once, the second looks when the first has
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
}

// requested names a request: the account and the ID of the entry.
type requested struct {
	account ledger.Account
	id      string
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
func (p *posting) readRequests() error {
	var buckets []int64
	var accounts, ids []string
	for it := range p.open {
		if of, ends := it.ends(); ends {
			buckets = append(buckets, int64(of.account.Bucket()))
			accounts, ids = append(accounts, string(of.account)), append(ids, of.id)
		}
	}
	if ids == nil {
		return nil
	}
	err := p.t.QuerySet(func(r row) error {
		p.requests[requested{ledger.Account(r.Text(0)), r.Text(1)}] = &request{r.Text(2), ledger.Amount(r.Int(3)), r.Int(4), ledger.Kind(r.Text(5))}
		return nil
	}, `SELECT w.account, w.id, w.asset, w.amount, w.requested,
	           coalesce((SELECT e.kind FROM endings e WHERE e.bucket = w.bucket AND e.account = w.account AND e.id = w.id), '')
	      FROM {rows} JOIN withdrawals w ON w.bucket = r.bucket AND w.account = r.account AND w.id = r.id`,
		set{ints("bucket", buckets), texts("account", accounts), texts("id", ids)})
	if err != nil {
		return fmt.Errorf("look withdrawals up: %w", err)
	}
	return nil
}

// readReserved sums what pending withdrawals reserve in the held parts that other entries
// take from. Their balances are locked, so that no withdrawal begins or ends before the commit.
func (p *posting) readReserved() error {
	seen := map[*balance]bool{}
	var buckets []int64
	var accounts, owners, assets []string
	for it := range p.open {
		for _, c := range it.changes {
			if c.net > 0 || !c.account.IsHeld() || !c.exists || it.Kind.OfWithdrawal() || seen[c.balance] {
				continue
			}
			seen[c.balance] = true
			buckets, accounts = append(buckets, int64(c.bucket)), append(accounts, string(c.account))
			owners, assets = append(owners, string(c.account.Owner())), append(assets, c.asset)
		}
	}
	if owners == nil {
		return nil
	}
	err := p.t.QuerySet(func(r row) error {
		b := p.keys[key{int(r.Int(0)), ledger.Account(r.Text(1)), r.Text(2)}]
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
		set{ints("bucket", buckets), texts("account", accounts), texts("asset", assets), texts("owner", owners)})
	if err != nil {
		return fmt.Errorf("read what pending withdrawals hold: %w", err)
	}
	return nil
}

// reserve adds an amount to what is reserved in the held part that the item changes.
func (it *item) reserve(amount ledger.Amount) {
	for _, c := range it.changes {
		if c.account.IsHeld() {
			c.balance.reserved += amount
		}
	}
}

// mayEnd says why the item cannot end the withdrawal that it is named after, or
// nil; nil too for an item that ends none.
func (p *posting) mayEnd(it *item) error {
	of, ends := it.ends()
	if !ends {
		return nil
	}
	r, m := p.requests[of], it.Moves[0]
	switch {
	case r == nil:
		return ledger.ErrNotFound.In("", "%s has requested no withdrawal %s; post its request first", of.account, of.id)
	case r.asset != m.Asset || r.amount != m.Amount:
		return ledger.ErrNotRequested.In("", "the withdrawal %s is of %s %s, not of %s %s",
			of.id, p.assets[r.asset].Format(r.amount), r.asset, p.assets[m.Asset].Format(m.Amount), m.Asset)
	case r.ended != "":
		return ledger.ErrEnded.In("", "the withdrawal %s has ended with the entry %s", of.id, ledger.EndingID(of.id, r.ended))
	case it.at < r.at:
		return ledger.ErrInvalid.In("", "the withdrawal %s was requested at %s, and cannot have ended before, at %s", of.id, stamp(r.at), stamp(it.at))
	}
	return nil
}

// follow keeps what an accepted item means for the entries that come after it.
func (p *posting) follow(it *item) {
	if it.Kind == ledger.WithdrawalRequest {
		m := it.Moves[0]
		p.requests[requested{m.From, it.ID}] = &request{asset: m.Asset, amount: m.Amount, at: it.at}
		it.reserve(m.Amount)
	}
	if of, ends := it.ends(); ends {
		p.requests[of].ended = it.Kind
		it.reserve(-it.Moves[0].Amount)
	}
}

// forget takes back what follow kept, of an item that is not accepted after all.
func (p *posting) forget(it *item) {
	if it.Kind == ledger.WithdrawalRequest {
		delete(p.requests, requested{it.Moves[0].From, it.ID})
		it.reserve(-it.Moves[0].Amount)
	}
	if of, ends := it.ends(); ends {
		it.reserve(it.Moves[0].Amount)
		if r := p.requests[of]; r != nil { // nil: its request was forgotten before it
			r.ended = ""
		}
	}
}

// writeWithdrawals writes a row for each accepted entry that requests or ends a withdrawal.
func (p *posting) writeWithdrawals() error {
	var begun, ended []*item
	for _, it := range p.items {
		if !it.isNew() {
			continue
		}
		if _, ends := it.ends(); ends {
			ended = append(ended, it)
		} else if it.Kind == ledger.WithdrawalRequest {
			begun = append(begun, it)
		}
	}
	if begun != nil {
		if err := p.writeRequests(begun); err != nil {
			return err
		}
	}
	if ended != nil {
		return p.writeEndings(ended)
	}
	return nil
}

func (p *posting) writeRequests(items []*item) error {
	n := len(items)
	buckets, ats, amounts := make([]int64, n), make([]int64, n), make([]int64, n)
	accounts, ids, assets := make([]string, n), make([]string, n), make([]string, n)
	addresses, networks, tags, clients := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, it := range items {
		m := it.Moves[0]
		buckets[i], accounts[i], ids[i] = int64(m.From.Bucket()), string(m.From), it.ID
		ats[i], assets[i], amounts[i] = it.at, m.Asset, int64(m.Amount)
		to := it.call.goes
		addresses[i], networks[i], tags[i], clients[i] = to.Address, to.Network, to.Tag, to.ClientID
	}
	key := set{ints("bucket", buckets), texts("account", accounts), texts("id", ids), ints("requested", ats)}
	if err := p.insertNew("pending", key); err != nil {
		return err
	}
	return p.insertNew("withdrawals", append(key, texts("asset", assets), ints("amount", amounts),
		texts("address", addresses), texts("network", networks), texts("tag", tags), texts("client_id", clients)))
}

func (p *posting) writeEndings(items []*item) error {
	n := len(items)
	buckets, ats := make([]int64, n), make([]int64, n)
	accounts, ids, kinds := make([]string, n), make([]string, n), make([]string, n)
	for i, it := range items {
		of, _ := it.ends()
		buckets[i], accounts[i], ids[i] = int64(of.account.Bucket()), string(of.account), of.id
		kinds[i], ats[i] = string(it.Kind), it.at
	}
	key := set{ints("bucket", buckets), texts("account", accounts), texts("id", ids)}
	if err := p.insertNew("endings", append(key, texts("kind", kinds), ints("at", ats))); err != nil {
		return err
	}
	if err := p.t.Each(nil, "DELETE FROM pending WHERE bucket = $1 AND account = $2 AND id = $3", key); err != nil {
		return fmt.Errorf("take withdrawals off those that wait: %w", err)
	}
	return nil
}
