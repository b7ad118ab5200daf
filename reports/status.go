package reports

import (
	"context"
	"strconv"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Status says how the books stand.
type Status struct {
	db.About
	First, FirstOpen staking.Day
	ClosesAt         time.Time // when the first open day closes at the earliest
	Accounts         int64
	Enrolled         int64 // accounts whose switch is on
	Tokens           []TokenStatus
	Unpriced         int64 // declared days of tokens without a price
}

// TokenStatus says how a token stands.
type TokenStatus struct {
	Asset       string
	PaidThrough staking.Day
	Accrued     bool          // the day after PaidThrough is accrued in every bucket
	Declared    bool          // its total is declared, and being paid
	Pool        ledger.Amount // in @rewards
	Reserved    ledger.Amount // of it, for income and campaigns that are not distributed: the operator may not take it out
	LastTotal   ledger.Amount // of the last declared day
	LastHolders int64
	DaysLeft    int64       // for which the pool, less Reserved, lasts, rounded down; -1: not known
	Undivided   []Undivided // days in the mode share that wait for income, in order
	// What its next day waits for: staking.ErrFunds, ErrLimit, ErrUndivided, ErrBreak or ErrUncompared; nil: for nothing.
	Waiting error
}

// Status reads how the books stand. It counts all accounts.
func (rs *Reports) Status(ctx context.Context) (Status, error) {
	about, err := rs.About(ctx)
	if err != nil {
		return Status{}, err
	}
	return read(ctx, rs, "read the status", func(t db.View) (s Status, err error) {
		s.About, s.First = about, rs.FirstDay()
		if s.FirstOpen, err = rs.FirstOpenAt(t); err != nil {
			return s, err
		}
		closings, err := store.ClosingsOf(t)
		if err != nil {
			return s, err
		}
		s.ClosesAt = closings.ClosesAt(s.FirstOpen)
		if s.Accounts, err = db.Count(t, "SELECT count(*) FROM accounts"); err != nil {
			return s, err
		}
		if s.Enrolled, err = db.Count(t, "SELECT count(*) FROM enrollments WHERE from_day < until_day AND until_day > $1",
			int64(staking.DayOf(rs.Now()))); err != nil {
			return s, err
		}
		if s.Unpriced, err = unpriced(t); err != nil {
			return s, err
		}
		s.Tokens, err = rs.tokenStatus(t, s.FirstOpen-1)
		return s, err
	})
}

// TokenStatus reads how each token stands, without counting accounts.
func (rs *Reports) TokenStatus(ctx context.Context) ([]TokenStatus, error) {
	return read(ctx, rs, "", func(t db.View) ([]TokenStatus, error) {
		firstOpen, err := rs.FirstOpenAt(t)
		if err != nil {
			return nil, err
		}
		return rs.tokenStatus(t, firstOpen-1)
	})
}

// spentOfPool is what of a day's total came neither from staking income nor from a campaign, which bring their own
// funds. Beside them each holder's fraction may make one smallest unit more or less: what is no more than these is
// nothing.
func spentOfPool(t db.View, token string, d staking.Day, total ledger.Amount, holders int64) (ledger.Amount, error) {
	shared, err := store.SharedOn(t, token, d)
	if spent := total - shared; shared == 0 || int64(spent) > holders {
		return spent, err
	}
	return 0, err
}

func (rs *Reports) tokenStatus(t db.View, closed staking.Day) ([]TokenStatus, error) {
	tokens, err := db.All(t, func(r db.Row) (TokenStatus, error) {
		return TokenStatus{Asset: r.Text(0), PaidThrough: staking.Day(r.Int(1)), Accrued: r.Int(2) > r.Int(1),
			DaysLeft: -1}, nil
	}, "SELECT asset, min(paid_through), min(accrued_through) FROM progress GROUP BY asset ORDER BY asset")
	if err != nil {
		return nil, err
	}
	undivided, err := rs.readUndivided(t, closed)
	if err != nil {
		return nil, err
	}
	for i := range tokens {
		s := &tokens[i]
		s.Undivided = undivided[s.Asset]
		pool, err := store.PoolOf(t, s.Asset)
		if err != nil {
			return nil, err
		}
		var day, total int64
		if _, err := db.One(t, []*int64{&day, &s.LastHolders, &total},
			"SELECT day, holders, total FROM declarations WHERE asset = $1 AND day BETWEEN $2 AND $3 ORDER BY day DESC LIMIT 1",
			s.Asset, int64(s.PaidThrough), int64(s.PaidThrough)+1); err != nil {
			return nil, err
		}
		if s.Reserved, err = store.Reserved(t, s.Asset); err != nil {
			return nil, err
		}
		s.Pool, s.LastTotal, s.Declared = pool, ledger.Amount(total), staking.Day(day) > s.PaidThrough
		spent, err := spentOfPool(t, s.Asset, staking.Day(day), s.LastTotal, s.LastHolders)
		if err != nil {
			return nil, err
		}
		if spent > 0 {
			s.DaysLeft = int64(max(pool-s.Reserved, 0) / spent)
		}
		if s.PaidThrough < closed {
			if s.Waiting, err = rs.waiting(t, s.Asset, s.PaidThrough+1); err != nil {
				return nil, err
			}
		}
	}
	return tokens, nil
}

// unpriced counts the declared days of tokens for which no price is known.
func unpriced(t db.View) (int64, error) {
	return db.Count(t, `SELECT count(*) FROM declarations d
	     WHERE d.total > 0 AND d.asset <> 'USDT'
	       AND NOT EXISTS (SELECT 1 FROM prices p WHERE p.asset = d.asset AND p.day BETWEEN d.day - `+strconv.Itoa(pricing.Reach)+` AND d.day)`)
}
