package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Pages are read one at a time, each in a snapshot of its own, and go on after a
// place: so nothing is shown twice or passed over while rows are added. A page walks
// over so many days and postings of a bucket at most, that an account which has moved
// nothing for years, or lies in busy books, costs no more than another; where it ends
// before it is full, it says where to go on.

// pageDays is how many days a page walks over at most.
const pageDays = 92

// LineKey is a line's place in an account's journal, which lists the newest first
// and those of one moment by entry, move and side.
type LineKey struct {
	At    time.Time
	Entry string
	Move  int
	Side  int
}

// compare is below zero where a is listed before b.
func (a LineKey) compare(b LineKey) int {
	return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Entry, b.Entry), a.Move-b.Move, a.Side-b.Side)
}

// before is the place in front of all that counts at a moment or earlier.
func before(at time.Time) LineKey { return LineKey{At: at, Move: -1} }

// JournalLine is a line of an account's journal. Its balance is zero.
type JournalLine struct {
	Line
	Key LineKey
}

func journalLine(p ledger.Posting) JournalLine {
	return JournalLine{lineOf(p), LineKey{At: p.At, Entry: p.Entry, Move: p.Move, Side: p.Side}}
}

// LinesAsked says which lines of an account's journal are wanted.
type LinesAsked struct {
	From, To staking.Day // both ends inclusive
	Asset    string      // "": all
	Kind     ledger.Kind // "": all, KindReward too

	NoRewards bool // none of KindReward
}

// Lines are the changes of an account's free and held balances, the newest first,
// after a place or from the newest, at most limit of them; and where to go on, nil:
// there are no more. A page may be short, or empty, and not be the last. Rewards
// count from the 00:00 after their day. ErrNotFound if the account was never opened.
func (rs *Reports) Lines(ctx context.Context, id ledger.Account, asked LinesAsked, after *LineKey,
	limit int) (lines []JournalLine, next *LineKey, err error) {
	if _, err := rs.Account(ctx, id); err != nil {
		return nil, nil, err
	}
	asked.From, asked.To = max(asked.From, rs.FirstDay()), min(asked.To, staking.DayOf(rs.Now())+1)
	place := before(asked.To.Start().Add(24*time.Hour - time.Millisecond))
	if after != nil && after.compare(place) > 0 {
		place = *after
	}
	to := staking.DayOf(place.At)
	from := max(asked.From, to-pageDays+1)
	if from > to || limit < 1 {
		return nil, nil, nil
	}
	if !asked.NoRewards && (asked.Kind == "" || asked.Kind == KindReward) {
		if lines, err = rs.rewardLines(ctx, id, asked.Asset, from, to, place, limit+1); err != nil {
			return nil, nil, err
		}
	}
	first := from.Start()
	if asked.Kind != KindReward {
		oldest := from
		if len(lines) > limit {
			oldest = staking.DayOf(lines[limit].At) // what lies before it is on no page yet
		}
		posted, reached, err := rs.postedLines(ctx, id, asked, oldest, to, place, limit+1)
		if err != nil {
			return nil, nil, err
		}
		if reached.After(oldest.Start()) {
			first = reached
			lines = slices.DeleteFunc(lines, func(l JournalLine) bool { return l.At.Before(reached) })
		}
		lines = append(lines, posted...)
		slices.SortFunc(lines, func(a, b JournalLine) int { return a.Key.compare(b.Key) })
	}
	switch {
	case len(lines) > limit:
		return lines[:limit], &lines[limit-1].Key, nil
	case first.After(asked.From.Start()):
		rest := before(first.Add(-time.Millisecond))
		return lines, &rest, nil
	}
	return lines, nil, nil
}

// rewardLines are an account's rewards that count on some days, after a place.
func (rs *Reports) rewardLines(ctx context.Context, id ledger.Account, asset string, from, to staking.Day,
	place LineKey, limit int) (lines []JournalLine, err error) {
	var last *RewardKey
	for len(lines) < limit {
		rewards, err := rs.RewardPage(ctx, id, RewardsAsked{From: from - 1, To: to - 1, Asset: asset, Newest: true},
			last, limit)
		if err != nil {
			return nil, err
		}
		for _, r := range rewards {
			if l := journalLine(moveOf(r)); r.Reward > 0 && l.Key.compare(place) > 0 {
				lines = append(lines, l)
			}
			last = &RewardKey{r.Day, r.Asset}
		}
		if len(rewards) < limit {
			break
		}
	}
	return lines[:min(len(lines), limit)], nil
}

// postedLines are an account's postings of some days, after a place. They are read
// from the end of the bucket's days backwards, until there are enough or so many
// were looked at that others wait; reached is the moment that was come to then.
func (rs *Reports) postedLines(ctx context.Context, id ledger.Account, asked LinesAsked, from, to staking.Day,
	place LineKey, limit int) (lines []JournalLine, reached time.Time, err error) {
	bucket := int64(id.Bucket())
	lines, err = read(ctx, rs, "read the journal of "+string(id), func(t db.View) ([]JournalLine, error) {
		floor := from.Millis()
		if _, err := db.One(t, []*int64{&floor}, `SELECT at FROM postings WHERE bucket = $1 AND day BETWEEN $2 AND $3 AND at <= $4
		     ORDER BY day DESC, at DESC LIMIT 1 OFFSET $5`, bucket, int64(from), int64(to), place.At.UnixMilli(), int64(rs.Looks)); err != nil {
			return nil, err
		}
		reached = db.TimeOf(floor)
		return db.All(t, scan(func(r db.Row) JournalLine { return journalLine(readPosting(r)) }), `SELECT `+postingColumns+` FROM postings p
		     WHERE bucket = $1 AND day BETWEEN $2 AND $3 AND at >= $13 AND account IN ($4, $5) AND ($6 = '' OR asset = $6) AND ($7 = '' OR kind = $7)
		       AND (at < $8 OR (at = $8 AND (entry, move, side) > ($9, $10, $11)))
		     ORDER BY day DESC, at DESC, entry, move, side LIMIT $12`,
			bucket, int64(staking.DayOf(reached)), int64(to), string(id), string(id.Held()), asked.Asset, string(asked.Kind),
			place.At.UnixMilli(), place.Entry, int64(place.Move), int64(place.Side), int64(limit), floor)
	})
	return lines, reached, err
}

// Postings are both sides of what was posted on some days, both ends inclusive,
// after one of them or from the first, at most limit: by day, bucket, time, entry,
// move and side. Rewards and declared totals are not among them. A page may be short,
// or empty, and not be the last; next says where to go on, nil: there are no more.
// What is posted into an open day behind the place that was come to is not seen.
func (rs *Reports) Postings(ctx context.Context, from, to staking.Day, after *ledger.Posting,
	limit int) (postings []ledger.Posting, next *ledger.Posting, err error) {
	from, to = max(from, rs.FirstDay()), min(to, staking.DayOf(rs.Now())+1)
	day, place := from, after
	if after != nil {
		day = max(from, staking.DayOf(after.At))
	}
	for last := day + pageDays; day <= to && limit > 0; day, place = day+1, nil {
		if day == last {
			return postings, &ledger.Posting{At: day.Start(), Move: -1}, nil
		}
		page, err := rs.postingsOf(ctx, day, place, limit+1-len(postings))
		if err != nil {
			return nil, nil, fmt.Errorf("read the postings of %s: %w", day, err)
		}
		if postings = append(postings, page...); len(postings) > limit {
			return postings[:limit], &postings[limit-1], nil
		}
	}
	return postings, nil, nil
}

// postingsOf are a day's postings after one of them, or from the first.
func (rs *Reports) postingsOf(ctx context.Context, day staking.Day, after *ledger.Posting,
	limit int) ([]ledger.Posting, error) {
	return read(ctx, rs, "", func(t db.View) ([]ledger.Posting, error) {
		s, place := posted(day), after
		busy, err := s.busyBuckets(t)
		if err == nil && after != nil {
			busy = slices.DeleteFunc(busy, func(bucket int) bool { return bucket < after.Bucket })
		}
		if err != nil || len(busy) == 0 {
			return nil, err
		}
		if after != nil && busy[0] != after.Bucket {
			place = nil
		}
		postings, _, err := s.rows(t, busy, place, limit)
		return postings, err
	})
}
