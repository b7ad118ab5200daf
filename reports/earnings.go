package reports

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Earnings are how an account stands with Soft Staking, from one snapshot.
type Earnings struct {
	On       bool           // the switch is on
	Tokens   []EarningToken // those on offer today, by symbol
	Value    ledger.Amount  // all rewards ever credited, also of tokens that are not offered any more, in store.USDT and in 1e-8
	Unpriced int            // the rewards that are not in Value: the price of their day is not known
}

// EarningToken is how an account stands with a token on offer.
type EarningToken struct {
	Asset  ledger.Asset
	Terms  staking.Terms // of today
	Free   ledger.Amount // now
	Staked ledger.Amount // what of it counts: up to the cap, if the switch is on and it reaches the minimum
	Earned ledger.Amount // all rewards ever credited
}

// Earnings are an account's. They cost some reads by key, however long its history is:
// what its rewards were worth is kept, and only those since are read. An account
// that nobody opened has none.
func (rs *Reports) Earnings(ctx context.Context, id ledger.Account) (Earnings, error) {
	if err := id.CheckHolder(); err != nil {
		return Earnings{}, err
	}
	known := rs.worths.of(id) // before the snapshot: all that it counts is in it
	today := staking.DayOf(rs.Now())
	var s situation
	var terms map[string]staking.Terms
	var rewards []Reward
	err := rs.Read(ctx, func(t db.View) (err error) {
		if s, err = situationOf(t, id, staking.DayOf(rs.Now())); err != nil {
			return err
		}
		if terms, err = store.TermsAt(t, today); err != nil {
			return err
		}
		rewards, err = valued(t, id, s.since(known, rs.FirstDay()), s)
		return err
	})
	if err != nil {
		return Earnings{}, fmt.Errorf("read the earnings of %s: %w", id, err)
	}
	assets, err := rs.AssetsOf(ctx, slices.AppendSeq(slices.Collect(maps.Keys(terms)), maps.Keys(s.earned))...)
	if err != nil {
		return Earnings{}, err
	}
	kept, total, err := s.add(s.since(known, rs.FirstDay()), rewards, assets)
	if err != nil {
		return Earnings{}, fmt.Errorf("add up what the rewards of %s were worth: %w", id, err)
	}
	rs.worths.keep(id, kept)
	return Earnings{On: s.on, Tokens: s.tokens(terms, assets), Value: total.value, Unpriced: total.unpriced}, nil
}

// tokens are how an account stands with those on offer, by symbol.
func (s situation) tokens(terms map[string]staking.Terms, assets map[string]ledger.Asset) (tokens []EarningToken) {
	for _, symbol := range slices.Sorted(maps.Keys(terms)) {
		if !terms[symbol].Offered {
			continue
		}
		token := EarningToken{Asset: assets[symbol], Terms: terms[symbol], Free: s.free[symbol], Earned: s.earned[symbol]}
		if s.on && token.Free >= token.Terms.Min {
			token.Staked = min(token.Free, token.Terms.Cap)
		}
		tokens = append(tokens, token)
	}
	return tokens
}

// situation is what an account has, and how far its bucket is.
type situation struct {
	on           bool
	free, earned map[string]ledger.Amount // by asset
	paid         map[string]staking.Day   // through which day each token is paid in the bucket
	late         int64                    // how often a price was set for a day that was over
}

// situationOf reads it in one statement: each costs a way to the database and back.
func situationOf(t db.View, id ledger.Account, today staking.Day) (situation, error) {
	s := situation{free: map[string]ledger.Amount{}, earned: map[string]ledger.Amount{}, paid: map[string]staking.Day{}}
	err := t.Query(func(r db.Row) error {
		switch asset := r.Text(1); r.Int(0) {
		case 0:
			s.free[asset], s.earned[asset] = ledger.Amount(r.Int(2)), ledger.Amount(r.Int(3))
		case 1:
			s.paid[asset] = staking.Day(r.Int(2))
		case 2:
			s.on = true
		case 3:
			s.late = r.Int(2)
		}
		return nil
	}, `SELECT 0, asset, balance, earned FROM balances WHERE bucket = $1 AND account = $2
	    UNION ALL SELECT 1, asset, paid_through, 0 FROM progress WHERE bucket = $1
	    UNION ALL SELECT 2, '', 0, 0 FROM enrollments WHERE bucket = $1 AND account = $2 AND from_day < until_day AND until_day > $3
	    UNION ALL SELECT 3, '', CAST(value AS bigint), 0 FROM meta WHERE name = $4`,
		int64(id.Bucket()), string(id), int64(today), store.LatePrices)
	return s, err
}

// Credit is a reward as it was credited.
type Credit struct {
	Day     staking.Day // that it was earned on
	Asset   string
	Average ledger.Amount // the day's average holding, rounded down
	Reward  ledger.Amount // above zero
	PaidAt  time.Time     // when it was credited
}

// Credited are an account's rewards credited from a moment to another, both
// inclusive, of one asset or of all (""): the newest first, those of one moment by
// day, the newest first, and by asset; from the offset'th on, at most limit. total
// counts all of them. Rewards of less than one smallest unit credit nothing, and
// are not among them.
func (rs *Reports) Credited(ctx context.Context, id ledger.Account, from, to time.Time, asset string, offset, limit int) (credits []Credit, total int, err error) {
	if err := id.CheckHolder(); err != nil {
		return nil, 0, err
	}
	first := from.Add(time.Millisecond - 1).UnixMilli() // of a moment between two milliseconds the later
	type due struct {
		day   staking.Day
		asset string
	}
	err = rs.Look(ctx, func(t db.View) error {
		credits = nil
		var days []staking.Day
		paid := map[due]int64{} // in the account's bucket
		err := t.Query(func(r db.Row) error {
			d := due{staking.Day(r.Int(0)), r.Text(1)}
			days, paid[d] = append(days, d.day), r.Int(2)
			return nil
		}, "SELECT day, asset, paid_at FROM payments WHERE bucket = $1 AND paid_at BETWEEN $2 AND $3 AND (asset = $4 OR $4 = '')",
			int64(id.Bucket()), first, to.UnixMilli(), asset)
		if err != nil {
			return err
		}
		slices.Sort(days)
		return accruedOn(t, id, slices.Compact(days), func(c Credit) {
			if at, is := paid[due{c.Day, c.Asset}]; is {
				c.PaidAt = db.TimeOf(at)
				credits = append(credits, c)
			}
		})
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read what was credited to %s: %w", id, err)
	}
	slices.SortFunc(credits, func(a, b Credit) int {
		return cmp.Or(b.PaidAt.Compare(a.PaidAt), cmp.Compare(b.Day, a.Day), cmp.Compare(a.Asset, b.Asset))
	})
	total = len(credits)
	credits = credits[min(offset, total):]
	return credits[:min(limit, len(credits))], total, nil
}

// accruedOn gives visit what an account accrued above zero on some days, by key: a
// join that begins with the days is not left to a planner.
func accruedOn(t db.View, id ledger.Account, days []staking.Day, visit func(Credit)) error {
	n := len(days)
	numbers := make([]int64, n)
	for i, d := range days {
		numbers[i] = int64(d)
	}
	err := t.QuerySet(func(r db.Row) error {
		visit(Credit{Day: staking.Day(r.Int(0)), Asset: r.Text(1), Average: ledger.Amount(r.Int(2)), Reward: ledger.Amount(r.Int(3))})
		return nil
	}, `SELECT a.day, a.asset, a.average, a.reward
	      FROM {rows} JOIN accruals a ON a.bucket = r.bucket AND a.day = r.day AND a.account = r.account AND a.reward > 0`,
		db.Set{db.Ints("bucket", slices.Repeat([]int64{int64(id.Bucket())}, n)), db.Ints("day", numbers), db.Texts("account", slices.Repeat([]string{string(id)}, n))})
	if err != nil {
		return fmt.Errorf("read what %s accrued: %w", id, err)
	}
	return nil
}
