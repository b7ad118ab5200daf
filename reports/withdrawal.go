package reports

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// withdrawalColumns are what readWithdrawal reads, of the rows that withdrawalRows names.
var withdrawalColumns = "SELECT " + integrity.Withdrawals.Columns("w.") + ", coalesce(e.kind, ''), coalesce(e.at, 0)"

const withdrawalRows = "withdrawals w LEFT JOIN endings e " +
	"ON e.bucket = w.bucket AND e.account = w.account AND e.id = w.id"

// readWithdrawal reads a row. Where a pending one was not written by this program, what it says of the payment is left
// out, so that nobody can pay it.
func (rs *Reports) readWithdrawal(r db.Row) (store.Withdrawal, error) {
	w := store.Withdrawal{
		Account: ledger.Account(r.Text(0)), ID: r.Text(1), At: db.TimeOf(r.Int(2)), Asset: r.Text(3),
		Amount: ledger.Amount(r.Int(4)), Address: r.Text(5), Network: r.Text(6), Tag: r.Text(7), ClientID: r.Text(8),
		State: store.Pending,
	}
	kind, at := r.Text(integrity.Withdrawals.MAC()+1), db.TimeOf(r.Int(integrity.Withdrawals.MAC()+2))
	switch ledger.Kind(kind) {
	case ledger.WithdrawalCompleted:
		w.State, w.Ended = store.Completed, at
	case ledger.WithdrawalCancelled:
		w.State, w.Ended = store.Cancelled, at
	default:
		err := rs.Guard().Check(integrity.Withdrawals, r, 0)
		if errors.Is(err, integrity.ErrForged) {
			return store.Withdrawal{Account: w.Account, ID: w.ID, At: w.At, Asset: w.Asset, State: store.Forged}, nil
		}
		return w, err
	}
	return w, nil
}

// readWithdrawals reads the withdrawals of a query.
func (rs *Reports) readWithdrawals(ctx context.Context, sql string, args ...any) ([]store.Withdrawal, error) {
	return list(ctx, rs, "read withdrawals", rs.readWithdrawal, withdrawalColumns+" FROM "+sql, args...)
}

// Withdrawal is the one that an account requested with an entry; ErrNotFound if it did not.
func (rs *Reports) Withdrawal(ctx context.Context, account ledger.Account, id string) (store.Withdrawal, error) {
	found, err := rs.readWithdrawals(ctx, withdrawalRows+" WHERE w.bucket = $1 AND w.account = $2 AND w.id = $3",
		int64(account.Bucket()), string(account), id)
	if err == nil && len(found) == 0 {
		err = ledger.ErrNotFound.In("", "%s has requested no withdrawal %q", ledger.Clip(string(account)), ledger.Clip(id))
	}
	if err != nil {
		return store.Withdrawal{}, err
	}
	return found[0], nil
}

// withdrawalPage is how many withdrawals are in memory at once.
const withdrawalPage = 1000

// WithdrawalsAsked says which withdrawals of an account are wanted, and in which order.
type WithdrawalsAsked struct {
	From, To time.Time // of the request, both ends inclusive; To zero: all from From on
	Asset    string    // "": all
	Newest   bool      // the last requested first and those of one moment by ID backwards, else the other way round
}

// Withdrawals gives visit the wanted withdrawals of an account. They are read page by page,
// and what is requested at the same time may be among them. ErrNotFound if the account was
// never opened.
func (rs *Reports) Withdrawals(ctx context.Context, id ledger.Account, asked WithdrawalsAsked,
	visit func(store.Withdrawal) error) error {
	return walk(withdrawalPage, func(after *store.Withdrawal) ([]store.Withdrawal, error) {
		return rs.WithdrawalPage(ctx, id, asked, after, withdrawalPage)
	}, visit)
}

// WithdrawalPage are the wanted withdrawals of an account that come after one of them, of
// which At and ID count, or from the first, at most limit. ErrNotFound if the account was
// never opened.
func (rs *Reports) WithdrawalPage(ctx context.Context, id ledger.Account, asked WithdrawalsAsked,
	after *store.Withdrawal, limit int) ([]store.Withdrawal, error) {
	if _, err := rs.Account(ctx, id); err != nil {
		return nil, err
	}
	beyond, order := ">", "w.requested, w.id"
	if asked.Newest {
		beyond, order = "<", "w.requested DESC, w.id DESC"
	}
	if asked.To.IsZero() {
		asked.To = time.UnixMilli(math.MaxInt64)
	}
	place, name := int64(-1), "" // no moment of a request
	if after != nil {
		place, name = after.At.UnixMilli(), after.ID
		if asked.Newest {
			asked.To = after.At
		} else {
			asked.From = after.At
		}
	}
	return rs.readWithdrawals(ctx, withdrawalRows+`
	     WHERE w.bucket = $1 AND w.account = $2 AND w.requested BETWEEN $3 AND $4 AND (w.requested <> $5 OR w.id `+beyond+` $6) AND ($7 = '' OR w.asset = $7)
	     ORDER BY `+order+` LIMIT $8`,
		int64(id.Bucket()), string(id), asked.From.UnixMilli(), asked.To.UnixMilli(), place, name, asked.Asset,
		int64(max(limit, 0)))
}

// PendingWithdrawals are the next of all accounts' that wait to be completed or
// cancelled, at most limit, the oldest first. They go on after one of them, of
// which At and ID count; the zero one is before all. It reads only what waits.
func (rs *Reports) PendingWithdrawals(ctx context.Context, after store.Withdrawal, limit int) ([]store.Withdrawal,
	error) {
	return list(ctx, rs, "read pending withdrawals", func(r db.Row) (store.Withdrawal, error) {
		w, err := rs.readWithdrawal(r)
		w.At = db.TimeOf(r.Int(integrity.Withdrawals.MAC() + 3)) // a forged one may say another
		return w, err
	}, withdrawalColumns+", n.requested FROM pending n CROSS JOIN "+withdrawalRows+`
	     WHERE w.bucket = n.bucket AND w.account = n.account AND w.id = n.id
	       AND n.requested >= $1 AND (n.requested > $1 OR n.id > $2)
	     ORDER BY n.requested, n.id LIMIT $3`, db.MillisOf(after.At), after.ID, int64(max(limit, 0)))
}

// depositPage is how many deposits are in memory at once.
const depositPage = 1000

// Deposits gives visit an account's deposits that count in a range of time, both
// ends inclusive, the newest first and those of one moment by entry; asset "" is
// all. A line's balance is zero. ErrNotFound if the account was never opened.
func (rs *Reports) Deposits(ctx context.Context, id ledger.Account, from, to time.Time, asset string,
	visit func(Line) error) error {
	asked, place := LinesAsked{From: staking.DayOf(from), To: staking.DayOf(to), Asset: asset, Kind: ledger.Deposit},
		before(to)
	for next := &place; next != nil; {
		var lines []JournalLine
		var err error
		if lines, next, err = rs.Lines(ctx, id, asked, next, depositPage); err != nil {
			return err
		}
		for _, l := range lines {
			if l.At.Before(from) {
				return nil
			}
			if err := visit(l.Line); err != nil {
				return err
			}
		}
	}
	return nil
}
