package store

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
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

// withdrawalColumns are what readWithdrawal reads, of the rows that withdrawalRows names.
const (
	withdrawalColumns = "w.id, w.account, w.asset, w.amount, w.address, w.network, w.tag, w.client_id, w.requested, coalesce(e.kind, ''), coalesce(e.at, 0)"
	withdrawalRows    = "withdrawals w LEFT JOIN endings e ON e.bucket = w.bucket AND e.account = w.account AND e.id = w.id"
)

func readWithdrawal(r row) Withdrawal {
	w := Withdrawal{
		ID: r.Text(0), Account: ledger.Account(r.Text(1)), Asset: r.Text(2), Amount: ledger.Amount(r.Int(3)),
		Address: r.Text(4), Network: r.Text(5), Tag: r.Text(6), ClientID: r.Text(7), At: timeOf(r.Int(8)), State: Pending,
	}
	switch ledger.Kind(r.Text(9)) {
	case ledger.WithdrawalCompleted:
		w.State, w.Ended = Completed, timeOf(r.Int(10))
	case ledger.WithdrawalCancelled:
		w.State, w.Ended = Cancelled, timeOf(r.Int(10))
	}
	return w
}

// readWithdrawals reads the withdrawals of a query.
func (db *DB) readWithdrawals(ctx context.Context, sql string, args ...any) (withdrawals []Withdrawal, err error) {
	err = db.engine.Read(ctx, func(t view) error {
		withdrawals = nil
		return t.Query(func(r row) error { withdrawals = append(withdrawals, readWithdrawal(r)); return nil }, sql, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read withdrawals: %w", err)
	}
	return withdrawals, nil
}

// Withdrawal is the one that an account requested with an entry; ErrNotFound if it did not.
func (db *DB) Withdrawal(ctx context.Context, account ledger.Account, id string) (Withdrawal, error) {
	found, err := db.readWithdrawals(ctx, "SELECT "+withdrawalColumns+" FROM "+withdrawalRows+" WHERE w.bucket = $1 AND w.account = $2 AND w.id = $3",
		int64(account.Bucket()), string(account), id)
	if err != nil {
		return Withdrawal{}, err
	}
	if found == nil {
		return Withdrawal{}, ledger.ErrNotFound.In("", "%s has requested no withdrawal %q", ledger.Clip(string(account)), ledger.Clip(id))
	}
	return found[0], nil
}

// withdrawalPage is how many withdrawals are in memory at once.
const withdrawalPage = 1000

// Withdrawals gives visit an account's withdrawals requested in a range of time,
// both ends inclusive, the oldest first and those of one moment by ID; asset "" is
// all. They are read page by page, and what is requested meanwhile may be among
// them. ErrNotFound if the account was never opened.
func (db *DB) Withdrawals(ctx context.Context, id ledger.Account, from, to time.Time, asset string, visit func(Withdrawal) error) error {
	if _, err := db.Account(ctx, id); err != nil {
		return err
	}
	at, after := from.UnixMilli(), ""
	for more := true; more; {
		page, err := db.readWithdrawals(ctx, "SELECT "+withdrawalColumns+" FROM "+withdrawalRows+`
		     WHERE w.bucket = $1 AND w.account = $2 AND w.requested >= $3 AND w.requested <= $4
		       AND (w.requested > $3 OR w.id > $5) AND (w.asset = $6 OR $6 = '')
		     ORDER BY w.requested, w.id LIMIT $7`,
			int64(id.Bucket()), string(id), at, to.UnixMilli(), after, asset, int64(withdrawalPage))
		if err != nil {
			return err
		}
		for _, w := range page {
			if err := visit(w); err != nil {
				return err
			}
			at, after = w.At.UnixMilli(), w.ID
		}
		more = len(page) == withdrawalPage
	}
	return nil
}

// PendingWithdrawals are the next of all accounts' that wait to be completed or
// cancelled, at most limit, the oldest first. They go on after one of them, of
// which At and ID count; the zero one is before all. It reads only what waits.
func (db *DB) PendingWithdrawals(ctx context.Context, after Withdrawal, limit int) ([]Withdrawal, error) {
	at := int64(0)
	if !after.At.IsZero() {
		at = after.At.UnixMilli()
	}
	return db.readWithdrawals(ctx, "SELECT "+withdrawalColumns+" FROM pending n CROSS JOIN "+withdrawalRows+`
	     WHERE w.bucket = n.bucket AND w.account = n.account AND w.id = n.id
	       AND n.requested >= $1 AND (n.requested > $1 OR n.id > $2)
	     ORDER BY n.requested, n.id LIMIT $3`, at, after.ID, int64(max(limit, 0)))
}

// depositDays is how many days of deposits are in memory at once.
const depositDays = 31

// Deposits gives visit an account's deposits that count in a range of time, both
// ends inclusive, the newest first and those of one moment by entry; asset "" is
// all. A line's balance is not told. ErrNotFound if the account was never opened.
func (db *DB) Deposits(ctx context.Context, id ledger.Account, from, to time.Time, asset string, visit func(Line) error) error {
	if _, err := db.Account(ctx, id); err != nil {
		return err
	}
	first := max(staking.DayOf(from), db.first)
	last := min(staking.DayOf(to), staking.DayOf(db.clock())+1)
	for ; last >= first; last -= depositDays {
		lines, err := db.depositsOf(ctx, id, max(first, last-depositDays+1), last, asset)
		if err != nil {
			return fmt.Errorf("read the deposits of %s: %w", id, err)
		}
		for _, l := range lines {
			if l.At.Before(from) || l.At.After(to) {
				continue
			}
			if err := visit(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// depositsOf reads the deposits of some days, the newest first.
func (db *DB) depositsOf(ctx context.Context, id ledger.Account, from, to staking.Day, asset string) (lines []Line, err error) {
	err = db.engine.Read(ctx, func(t view) error {
		lines = nil
		return t.Query(func(r row) error {
			lines = append(lines, Line{
				At: timeOf(r.Int(0)), Entry: r.Text(1), Kind: ledger.Deposit, Account: id,
				Asset: r.Text(2), Amount: ledger.Amount(r.Int(3)), Other: ledger.Account(r.Text(4)),
			})
			return nil
		}, `SELECT p.at, p.entry, p.asset, p.amount, p.other FROM days d CROSS JOIN postings p
		     WHERE d.bucket = $1 AND d.day BETWEEN $2 AND $3 AND p.bucket = d.bucket AND p.day = d.day
		       AND p.account = $4 AND p.kind = $5 AND (p.asset = $6 OR $6 = '')
		     ORDER BY p.at DESC, p.entry, p.move`,
			int64(id.Bucket()), int64(from), int64(to), string(id), string(ledger.Deposit), asset)
	})
	return lines, err
}
