package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Held is what an account has of an asset at a moment, free and held.
type Held struct {
	Account ledger.Account
	Asset   string
	Free    ledger.Amount // smallest units; below zero only of house accounts
	Held    ledger.Amount
}

// allBalancesAt are the balances at the moment $2 on the day $1: those of now, less every
// change that counts after it. A reward counts from the 00:00 after its day, and so on the
// day that is $1 or later if it is one of $1 or later; what it moved in house accounts is
// read from the control rows. Sums are built in two halves: those of all changes may be
// longer than 63 bits where the balance is not. days is what leads to the keys that begin
// with a bucket and a day.
const allBalancesAt = `
SELECT owner, asset,
       CAST(sum(CASE WHEN held = 0 THEN amount / 4294967296 ELSE 0 END) AS bigint), CAST(sum(CASE WHEN held = 0 THEN amount % 4294967296 ELSE 0 END) AS bigint),
       CAST(sum(CASE WHEN held = 1 THEN amount / 4294967296 ELSE 0 END) AS bigint), CAST(sum(CASE WHEN held = 1 THEN amount % 4294967296 ELSE 0 END) AS bigint)
  FROM (SELECT CASE WHEN substr(account, length(account) - 4) = '/held' THEN substr(account, 1, length(account) - 5) ELSE account END AS owner,
               CASE WHEN substr(account, length(account) - 4) = '/held' THEN 1 ELSE 0 END AS held, asset, amount
          FROM (SELECT account, asset, balance AS amount FROM balances
                UNION ALL
                SELECT p.account, p.asset, -p.amount FROM days d CROSS JOIN postings p
                 WHERE d.day >= $1 AND p.bucket = d.bucket AND p.day = d.day AND p.at > $2
                UNION ALL
                SELECT a.account, a.asset, -a.reward FROM days d CROSS JOIN rewards a
                 WHERE d.day >= $1 AND a.bucket = d.bucket AND a.day = d.day
                UNION ALL
                SELECT '@payable', p.asset, p.total FROM days d CROSS JOIN payments p
                 WHERE d.day >= $1 AND p.bucket = d.bucket AND p.day = d.day
                UNION ALL
                SELECT h.account, b.asset, h.sign * b.total FROM days d CROSS JOIN batches b CROSS JOIN declarations c
                       CROSS JOIN (SELECT '@payable' AS account, -1 AS sign UNION ALL SELECT '@rewards', 1) h
                 WHERE d.day >= $1 AND b.bucket = d.bucket AND b.day = d.day AND c.day = b.day AND c.asset = b.asset) changes) parts
 GROUP BY owner, asset ORDER BY owner, asset`

// ExportBalances gives visit what every account, house accounts among them, has of every
// asset at a moment, by account and asset in the order of their bytes; what is zero is
// left out. The moment lies between the first day of the books and now (ledger.ErrInvalid);
// what happens at it counts. All rows come from one snapshot of the books, which lasts as
// long as visit takes: of each asset they sum to zero. Memory does not grow with the
// books. visit may be called from the first row again, after begin, where the database asks
// for a retry.
func (rs *Reports) ExportBalances(ctx context.Context, at time.Time, begin func() error, visit func(Held) error) error {
	at = at.UTC().Truncate(time.Millisecond)
	switch now := rs.Now(); {
	case at.After(now):
		return ledger.ErrInvalid.In("", "%s lies in the future; it is %s", ledger.FormatTime(at), ledger.FormatTime(now))
	case at.Before(rs.FirstDay().Start()):
		return ledger.ErrInvalid.In("", "%s lies before the books, which begin at %s", ledger.FormatTime(at),
			ledger.FormatTime(rs.FirstDay().Start()))
	}
	err := rs.Read(ctx, func(t db.View) error {
		if err := begin(); err != nil {
			return err
		}
		return t.Query(func(r db.Row) error {
			h := Held{
				Account: ledger.Account(r.Text(0)), Asset: r.Text(1),
				Free: joined(r.Int(2), r.Int(3)), Held: joined(r.Int(4), r.Int(5)),
			}
			if h.Free == 0 && h.Held == 0 {
				return nil
			}
			return visit(h)
		}, allBalancesAt, int64(staking.DayOf(at)), at.UnixMilli())
	})
	if err != nil {
		return fmt.Errorf("read the balances at %s: %w", ledger.FormatTime(at), err)
	}
	return nil
}

// joined is a sum from that of its upper parts and that of its lower 32 bits. What
// overflows on the way comes back: the sum itself fits.
func joined(upper, lower int64) ledger.Amount { return ledger.Amount(upper<<32 + lower) }
