package reports

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// withdrawalColumns are what readWithdrawal reads, of the rows that withdrawalRows names.
const (
	withdrawalColumns = "w.id, w.account, w.asset, w.amount, w.address, w.network, w.tag, w.client_id, w.requested, coalesce(e.kind, ''), coalesce(e.at, 0)"
	withdrawalRows    = "withdrawals w LEFT JOIN endings e ON e.bucket = w.bucket AND e.account = w.account AND e.id = w.id"
)

func readWithdrawal(r db.Row) store.Withdrawal {
	w := store.Withdrawal{
		ID: r.Text(0), Account: ledger.Account(r.Text(1)), Asset: r.Text(2), Amount: ledger.Amount(r.Int(3)),
		Address: r.Text(4), Network: r.Text(5), Tag: r.Text(6), ClientID: r.Text(7), At: db.TimeOf(r.Int(8)), State: store.Pending,
	}
	switch ledger.Kind(r.Text(9)) {
	case ledger.WithdrawalCompleted:
		w.State, w.Ended = store.Completed, db.TimeOf(r.Int(10))
	case ledger.WithdrawalCancelled:
		w.State, w.Ended = store.Cancelled, db.TimeOf(r.Int(10))
	}
	return w
}

// readWithdrawals reads the withdrawals of a query.
func (rs *Reports) readWithdrawals(ctx context.Context, sql string, args ...any) (withdrawals []store.Withdrawal, err error) {
	err = rs.Read(ctx, func(t db.View) error {
		withdrawals = nil
		return t.Query(func(r db.Row) error { withdrawals = append(withdrawals, readWithdrawal(r)); return nil }, sql, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read withdrawals: %w", err)
	}
	return withdrawals, nil
}

// store.Withdrawal is the one that an account requested with an entry; ErrNotFound if it did not.
func (rs *Reports) Withdrawal(ctx context.Context, account ledger.Account, id string) (store.Withdrawal, error) {
	found, err := rs.readWithdrawals(ctx, "SELECT "+withdrawalColumns+" FROM "+withdrawalRows+" WHERE w.bucket = $1 AND w.account = $2 AND w.id = $3",
		int64(account.Bucket()), string(account), id)
	if err != nil {
		return store.Withdrawal{}, err
	}
	if found == nil {
		return store.Withdrawal{}, ledger.ErrNotFound.In("", "%s has requested no withdrawal %q", ledger.Clip(string(account)), ledger.Clip(id))
	}
	return found[0], nil
}

// withdrawalPage is how many withdrawals are in memory at once.
const withdrawalPage = 1000

// Withdrawals gives visit an account's withdrawals requested in a range of time,
// both ends inclusive, the oldest first and those of one moment by ID; asset "" is
// all. They are read page by page, and what is requested meanwhile may be among
// them. ErrNotFound if the account was never opened.
func (rs *Reports) Withdrawals(ctx context.Context, id ledger.Account, from, to time.Time, asset string, visit func(store.Withdrawal) error) error {
	if _, err := rs.Account(ctx, id); err != nil {
		return err
	}
	at, after := from.UnixMilli(), ""
	for more := true; more; {
		page, err := rs.readWithdrawals(ctx, "SELECT "+withdrawalColumns+" FROM "+withdrawalRows+`
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
func (rs *Reports) PendingWithdrawals(ctx context.Context, after store.Withdrawal, limit int) ([]store.Withdrawal, error) {
	at := int64(0)
	if !after.At.IsZero() {
		at = after.At.UnixMilli()
	}
	return rs.readWithdrawals(ctx, "SELECT "+withdrawalColumns+" FROM pending n CROSS JOIN "+withdrawalRows+`
	     WHERE w.bucket = n.bucket AND w.account = n.account AND w.id = n.id
	       AND n.requested >= $1 AND (n.requested > $1 OR n.id > $2)
	     ORDER BY n.requested, n.id LIMIT $3`, at, after.ID, int64(max(limit, 0)))
}

// depositDays is how many days of deposits are in memory at once.
const depositDays = 31

// Deposits gives visit an account's deposits that count in a range of time, both
// ends inclusive, the newest first and those of one moment by entry; asset "" is
// all. A line's balance is not told. ErrNotFound if the account was never opened.
func (rs *Reports) Deposits(ctx context.Context, id ledger.Account, from, to time.Time, asset string, visit func(Line) error) error {
	if _, err := rs.Account(ctx, id); err != nil {
		return err
	}
	first := max(staking.DayOf(from), rs.FirstDay())
	last := min(staking.DayOf(to), staking.DayOf(rs.Now())+1)
	for ; last >= first; last -= depositDays {
		lines, err := rs.depositsOf(ctx, id, max(first, last-depositDays+1), last, asset)
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
func (rs *Reports) depositsOf(ctx context.Context, id ledger.Account, from, to staking.Day, asset string) (lines []Line, err error) {
	err = rs.Read(ctx, func(t db.View) error {
		lines = nil
		return t.Query(func(r db.Row) error {
			lines = append(lines, Line{
				At: db.TimeOf(r.Int(0)), Entry: r.Text(1), Kind: ledger.Deposit, Account: id,
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

// LatestWithdrawals are an account's withdrawals, the last requested first and those
// of one moment by ID backwards, that come after one of them, of which At and ID
// count, or the first, at most limit. ErrNotFound if the account was never opened.
func (rs *Reports) LatestWithdrawals(ctx context.Context, id ledger.Account, after *store.Withdrawal, limit int) ([]store.Withdrawal, error) {
	if _, err := rs.Account(ctx, id); err != nil {
		return nil, err
	}
	at, name := int64(math.MaxInt64), ""
	if after != nil {
		at, name = after.At.UnixMilli(), after.ID
	}
	return rs.readWithdrawals(ctx, "SELECT "+withdrawalColumns+" FROM "+withdrawalRows+`
	     WHERE w.bucket = $1 AND w.account = $2 AND w.requested <= $3 AND (w.requested < $3 OR w.id < $4)
	     ORDER BY w.requested DESC, w.id DESC LIMIT $5`,
		int64(id.Bucket()), string(id), at, name, int64(max(limit, 0)))
}
