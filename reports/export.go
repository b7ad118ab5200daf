package reports

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Exports read a page at a time, each in a short snapshot of its own, and hold no
// connection while a page is on its way: a client that takes its time would keep
// SQLite's log from being written back, and others from reading. That pages are
// read one after another does no harm to days that are final, since these never
// change.

// exportPage is how many rows of an export are in memory at once.
const exportPage = 4096

// Final are the last days of which nothing can be added any more: postings lies
// before every open day and every reward that is still to come, rewards is paid
// for every token. They lie before the first day while nothing is final.
func (rs *Reports) Final(ctx context.Context) (postings, rewards staking.Day, err error) {
	err = rs.Read(ctx, func(t db.View) error {
		open, err := rs.FirstOpenAt(t)
		if err != nil {
			return err
		}
		paid, err := db.Count(t, "SELECT min(paid_through) FROM progress")
		if err != nil {
			return err
		}
		// What a day pays counts from the moment after it, and so on the next day.
		postings, rewards = min(open-1, staking.Day(paid)+1), staking.Day(paid)
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("read what is final: %w", err)
	}
	return postings, rewards, nil
}

// ExportJournal gives visit both sides of every move of some days, both ends
// inclusive: day after day, and of a day the declared totals, the rewards that
// count from its first moment, and the postings by bucket and time.
func (rs *Reports) ExportJournal(ctx context.Context, from, to staking.Day, visit func(ledger.Posting) error) error {
	coming := func(p ledger.Posting) error {
		if err := visit(fromSide(p)); err != nil {
			return err
		}
		return visit(p)
	}
	for d := max(from, rs.FirstDay()); d <= min(to, staking.DayOf(rs.Now())+1); d++ {
		err := export(ctx, rs, declared(d), every(coming))
		if err == nil {
			err = export(ctx, rs, rewarded(d-1), every(func(r Reward) error {
				if r.Reward == 0 {
					return nil // of less than a smallest unit: nothing moved
				}
				return coming(moveOf(r))
			}))
		}
		if err == nil {
			err = export(ctx, rs, posted(d), every(visit))
		}
		if err != nil {
			return fmt.Errorf("read the journal of %s: %w", d, err)
		}
	}
	return nil
}

// ExportRewards gives visit the paid rewards of all accounts for some days, both
// ends inclusive, by day, bucket, account and token.
func (rs *Reports) ExportRewards(ctx context.Context, from, to staking.Day, visit func(Reward) error) error {
	write := func(rewards []Reward) error {
		err := rs.Read(ctx, func(t db.View) error { return priceRewards(t, rewards) })
		if err == nil {
			err = rs.valueRewards(ctx, rewards)
		}
		if err == nil {
			err = every(visit)(rewards)
		}
		return err
	}
	for d := max(from, rs.FirstDay()); d <= min(to, staking.DayOf(rs.Now())); d++ {
		if err := export(ctx, rs, rewarded(d), write); err != nil {
			return fmt.Errorf("read the rewards of %s: %w", d, err)
		}
	}
	return nil
}

// moveOf is what a reward's move brought its holder.
func moveOf(r Reward) ledger.Posting {
	return ledger.Posting{
		Bucket: r.Account.Bucket(), Account: r.Account, Asset: r.Asset, At: (r.Day + 1).Start(), Kind: KindReward,
		Entry: r.EntryID(), Side: 1, Amount: r.Reward, Other: ledger.Payable,
	}
}

// fromSide is the other side of a posting that came in from a house account.
func fromSide(p ledger.Posting) ledger.Posting {
	if !p.Other.IsSharded() {
		p.Bucket = p.Other.Bucket()
	}
	p.Account, p.Other, p.Side, p.Amount = p.Other, p.Account, 0, -p.Amount
	return p
}

// shelf is what an export reads of one day, bucket after bucket.
type shelf[T any] struct {
	day staking.Day
	// busy finds out whether the bucket $1 has a row on day $2: most have none in small books.
	busy string
	// page reads at most so many rows of a bucket after a row, or the first.
	page func(t db.View, bucket int, after *T, limit int64) ([]T, error)
}

// busyBuckets are those that have rows on the day.
func (s shelf[T]) busyBuckets(t db.View) ([]int, error) {
	return db.AllEach(t, func(r db.Row) (int, error) { return int(r.Int(0)), nil }, s.busy, store.EveryBucket(s.day))
}

// rows reads at most limit rows of some buckets, those of the first after a row of it, or all.
// rest is the bucket of the last row and those behind it, or empty: there are no more.
func (s shelf[T]) rows(t db.View, buckets []int, after *T, limit int) (rows []T, rest []int, err error) {
	for i, bucket := range buckets {
		part, err := s.page(t, bucket, after, int64(limit-len(rows)))
		if err != nil {
			return nil, nil, err
		}
		if rows = append(rows, part...); len(rows) == limit {
			return rows, buckets[i:], nil
		}
		after = nil
	}
	return rows, nil, nil
}

// export gives write the rows of a shelf, page after page.
func export[T any](ctx context.Context, rs *Reports, s shelf[T], write func([]T) error) error {
	busy, err := read(ctx, rs, "", s.busyBuckets)
	var after *T
	for err == nil && len(busy) > 0 {
		var rows []T
		var rest []int
		err = rs.Read(ctx, func(t db.View) (err error) {
			rows, rest, err = s.rows(t, busy, after, exportPage)
			return err
		})
		if busy, after = rest, nil; len(rest) > 0 {
			after = &rows[len(rows)-1]
		}
		if err == nil && len(rows) > 0 {
			err = write(rows)
		}
	}
	return err
}

// kindDeclare is the kind of a declared total's lines in the journal.
const kindDeclare ledger.Kind = "declare"

// declared are the declared totals that count from the first moment of a day: what
// came into each bucket's @payable.
func declared(d staking.Day) shelf[ledger.Posting] {
	return shelf[ledger.Posting]{
		day:  d - 1,
		busy: "SELECT bucket FROM batches WHERE bucket = $1 AND day = $2 LIMIT 1",
		page: func(t db.View, bucket int, after *ledger.Posting, limit int64) ([]ledger.Posting, error) {
			asset := ""
			if after != nil {
				asset = after.Asset
			}
			return db.All(t, func(r db.Row) (ledger.Posting, error) {
				return ledger.Posting{
					Bucket: bucket, Account: ledger.Payable, Asset: r.Text(0), At: d.Start(), Kind: kindDeclare,
					Entry: fmt.Sprintf("declare/%s/%s", d-1, r.Text(0)), Move: bucket, Side: 1, Amount: ledger.Amount(r.Int(1)),
					Other: ledger.Rewards,
				}, nil
			}, `SELECT b.asset, b.total FROM batches b CROSS JOIN declarations d
			     WHERE b.bucket = $1 AND b.day = $2 AND b.asset > $3 AND b.total > 0 AND d.day = b.day AND d.asset = b.asset
			     ORDER BY b.asset LIMIT $4`, int64(bucket), int64(d)-1, asset, limit)
		},
	}
}

// rewarded are a day's paid rewards, without the days of the mode share that only weigh.
func rewarded(d staking.Day) shelf[Reward] {
	return shelf[Reward]{
		day:  d,
		busy: "SELECT bucket FROM payments WHERE bucket = $1 AND day = $2 LIMIT 1",
		page: func(t db.View, bucket int, after *Reward, limit int64) ([]Reward, error) {
			account, asset := "", ""
			if after != nil {
				account, asset = string(after.Account), after.Asset
			}
			return db.All(t, readReward, `SELECT `+rewardColumns+` FROM rewards a WHERE a.bucket = $1 AND a.day = $2 AND (a.account, a.asset) > ($3, $4)
			       AND `+rewarding+`
			     ORDER BY a.account, a.asset LIMIT $5`, int64(bucket), int64(d), account, asset, limit)
		},
	}
}

// posted are both sides of what was posted on a day.
func posted(d staking.Day) shelf[ledger.Posting] {
	return shelf[ledger.Posting]{
		day:  d,
		busy: "SELECT bucket FROM postings WHERE bucket = $1 AND day = $2 LIMIT 1",
		page: func(t db.View, bucket int, after *ledger.Posting, limit int64) ([]ledger.Posting, error) {
			last := ledger.Posting{At: d.Start(), Move: -1}
			if after != nil {
				last = *after
			}
			return db.All(t, func(r db.Row) (ledger.Posting, error) {
				p := readPosting(r)
				p.Bucket = bucket
				return p, nil
			}, `SELECT `+postingColumns+` FROM postings p WHERE p.bucket = $1 AND p.day = $2 AND (p.at, p.entry, p.move, p.side) > ($3, $4, $5, $6)
			     ORDER BY p.at, p.entry, p.move, p.side LIMIT $7`,
				int64(bucket), int64(d), last.At.UnixMilli(), last.Entry, int64(last.Move), int64(last.Side), limit)
		},
	}
}

// postingColumns are what readPosting reads of the postings or of the journal, which are called p.
const postingColumns = "p.account, p.asset, p.at, p.entry, p.move, p.side, p.amount, p.other, p.kind"

// readPosting reads a posting, but for its bucket.
func readPosting(r db.Row) ledger.Posting {
	return ledger.Posting{
		Account: ledger.Account(r.Text(0)), Asset: r.Text(1), At: db.TimeOf(r.Int(2)), Entry: r.Text(3), Move: int(r.Int(4)),
		Side:   int(r.Int(5)),
		Amount: ledger.Amount(r.Int(6)), Other: ledger.Account(r.Text(7)), Kind: ledger.Kind(r.Text(8)),
	}
}

// Journal gives visit both sides of every move, from one snapshot: postings, and
// with them rewards and declared totals as the entries they stand for, by bucket,
// day, account, asset, time, entry, move and side. The order is the same in both
// databases. A bucket's lines are sorted in the database.
func (rs *Reports) Journal(ctx context.Context, visit func(ledger.Posting) error) error {
	begun := false
	err := rs.Read(ctx, func(t db.View) error {
		if begun {
			return errors.New("the database went away in the middle; ask for it again")
		}
		for b := range ledger.Buckets {
			if err := t.Query(func(r db.Row) error {
				begun = true
				p := readPosting(r)
				p.Bucket = b
				return visit(p)
			}, "SELECT "+postingColumns+" FROM journal p WHERE p.bucket = $1 ORDER BY p.day, p.account, p.asset, p.at, "+
				"p.entry, p.move, p.side", int64(b)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	return nil
}

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
