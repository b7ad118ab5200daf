package reports

import (
	"context"
	"fmt"

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
	for d := max(from, rs.FirstDay()); d <= min(to, staking.DayOf(rs.Now())); d++ {
		if err := rs.exportDay(ctx, d, visit); err != nil {
			return fmt.Errorf("read the rewards of %s: %w", d, err)
		}
	}
	return nil
}

// exportDay gives visit a day's rewards, with what they were worth.
func (rs *Reports) exportDay(ctx context.Context, d staking.Day, visit func(Reward) error) error {
	return export(ctx, rs, rewarded(d), func(rewards []Reward) error {
		if err := rs.Read(ctx, func(t db.View) error { return priceRewards(t, rewards) }); err != nil {
			return err
		}
		if err := rs.valueRewards(ctx, rewards); err != nil {
			return err
		}
		return every(visit)(rewards)
	})
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

// export gives write the rows of a shelf, page after page.
func export[T any](ctx context.Context, rs *Reports, s shelf[T], write func([]T) error) error {
	busy, err := read(ctx, rs, s.busyBuckets)
	var after *T
	for err == nil && len(busy) > 0 {
		var rows []T
		next, last := busy, after
		err = rs.Read(ctx, func(t db.View) error {
			rows, next, last = nil, busy, after
			for len(next) > 0 {
				limit := exportPage - len(rows)
				part, err := s.page(t, next[0], last, int64(limit))
				if err != nil {
					return err
				}
				rows = append(rows, part...)
				if len(part) == limit {
					last = &part[limit-1]
					return nil
				}
				next, last = next[1:], nil
			}
			return nil
		})
		busy, after = next, last
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

// rewarded are a day's paid rewards.
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
