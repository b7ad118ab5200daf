package reports

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/staking"
)

// Reward is what an account was paid for a day, with its figures.
type Reward struct {
	staking.Accrual
	PaidAt     time.Time     // when it was credited; it counts from the end of its day
	Price      int64         // conversion.USDT per whole token in 1e-8, of the day
	PriceKnown bool          //
	Value      ledger.Amount // conversion.USDT in 1e-8, rounded down
}

// Rated reports whether a rate a year earned something of it. What it has beside that is a share of income, or of a
// campaign, whatever the terms of the day say.
func (r Reward) Rated() bool { return r.APR > 0 && (r.Eligible > 0 || r.EligibleRest > 0) }

// RatedAPR is the rate a year that earned something of it, or zero: see Rated.
func (r Reward) RatedAPR() staking.Rate {
	if !r.Rated() {
		return 0
	}
	return r.APR
}

// rewardColumns are what readReward reads of the view rewards, which is called a.
const rewardColumns = accrualColumns + ", a.paid_at"

func readReward(r db.Row) (Reward, error) {
	return Reward{Accrual: readAccrual(r), PaidAt: db.TimeOf(r.Int(12))}, nil
}

// rewarding is the condition that an accrual a paid something, though it may be less than a smallest unit. In the mode
// share most days pay nothing: they only weigh, and their share comes with the reward of another day.
const rewarding = "(a.reward > 0 OR a.carry <> a.before)"

// RewardKey is a reward's place among an account's.
type RewardKey struct {
	Day   staking.Day
	Asset string
}

// RewardsAsked says which paid rewards of an account are wanted, and in which order.
type RewardsAsked struct {
	From, To staking.Day // both ends inclusive
	Asset    string      // "": all
	Newest   bool        // the newest day first, else the oldest; those of a day by token
	// Also the days of the mode share that paid nothing: they are no rewards, and have the day's holding.
	Weighed bool
}

// rewardPage is how many rewards of an account are in memory at once.
const rewardPage = 1000

// Rewards gives visit an account's paid rewards of some days, both ends inclusive, by day
// and token. Rewards of less than one smallest unit are among them, and days that only weigh in the mode share are not.
// ErrNotFound if the account was never opened.
func (rs *Reports) Rewards(ctx context.Context, id ledger.Account, from, to staking.Day,
	visit func(Reward) error) error {
	return walk(rewardPage, func(after *Reward) ([]Reward, error) {
		var place *RewardKey
		if after != nil {
			place = &RewardKey{after.Day, after.Asset}
		}
		return rs.RewardPage(ctx, id, RewardsAsked{From: from, To: to}, place, rewardPage)
	}, visit)
}

// RewardPage are the wanted rewards of an account that come after a place, or from the
// first, at most limit. ErrNotFound if there is no such account or asset.
func (rs *Reports) RewardPage(ctx context.Context, id ledger.Account, asked RewardsAsked, after *RewardKey,
	limit int) ([]Reward, error) {
	if _, err := rs.Account(ctx, id); err != nil {
		return nil, err
	}
	if asked.Asset != "" {
		if _, err := rs.Asset(ctx, asked.Asset); err != nil {
			return nil, err
		}
	}
	from, to := max(asked.From, rs.FirstDay()), min(asked.To, staking.DayOf(rs.Now()))
	place, order := RewardKey{Day: from - 1}, "d.day"
	switch {
	case asked.Newest && after != nil:
		to, place = min(to, after.Day), *after
	case after != nil:
		from, place = max(from, after.Day), *after
	}
	if asked.Newest {
		order = "d.day DESC"
	}
	which := rewarding
	if asked.Weighed {
		which = "1 = 1"
	}
	rewards, err := read(ctx, rs, "read the rewards of "+string(id), func(t db.View) ([]Reward, error) {
		// A day leads to one key.
		rewards, err := db.All(t, readReward, `SELECT `+rewardColumns+` FROM days d CROSS JOIN rewards a
		     WHERE d.bucket = $1 AND d.day BETWEEN $2 AND $3 AND a.bucket = d.bucket AND a.day = d.day AND a.account = $4
		       AND (d.day <> $5 OR a.asset > $6) AND ($7 = '' OR a.asset = $7) AND `+which+`
		     ORDER BY `+order+`, a.asset LIMIT $8`,
			int64(id.Bucket()), int64(from), int64(to), string(id), int64(place.Day), place.Asset, asked.Asset, int64(limit))
		if err != nil {
			return nil, err
		}
		return rewards, priceRewards(t, rewards)
	})
	if err != nil {
		return nil, err
	}
	return rewards, rs.valueRewards(ctx, rewards)
}

// valueRewards says what the rewards were worth, where their price is known.
func (rs *Reports) valueRewards(ctx context.Context, rewards []Reward) error {
	for i := range rewards {
		r := &rewards[i]
		if !r.PriceKnown {
			continue
		}
		assets, err := rs.AssetsOf(ctx, r.Asset)
		if err != nil {
			return err
		}
		if r.Value, err = conversion.Value(assets[r.Asset], r.Reward, r.Price); err != nil {
			return err
		}
	}
	return nil
}

// TokenTotal sums a token's paid days.
type TokenTotal struct {
	Asset   string
	Holders int64         // different ones
	Rewards int64         // records: one a holder and day
	Total   ledger.Amount // in smallest units
	Average ledger.Amount // the mean of all records' averages, rounded down
}

// TokenTotals sums what was paid for some days, both ends inclusive, by token. It
// reads every reward of these days.
func (rs *Reports) TokenTotals(ctx context.Context, from, to staking.Day) ([]TokenTotal, error) {
	assets, err := rs.Assets(ctx)
	if err != nil {
		return nil, err
	}
	index, sums := map[string]int{}, make([]big.Int, len(assets))
	totals := make([]TokenTotal, len(assets))
	for i, a := range assets {
		index[a.Symbol], totals[i].Asset = i, a.Symbol
	}
	for b := range ledger.Buckets {
		seen := map[part]bool{}
		var average big.Int
		err := rs.Read(ctx, func(t db.View) error {
			return t.Query(func(r db.Row) (err error) {
				i := index[r.Text(1)]
				if p := (part{ledger.Account(r.Text(0)), r.Text(1)}); !seen[p] {
					seen[p] = true
					totals[i].Holders++
				}
				totals[i].Rewards++
				sums[i].Add(&sums[i], average.SetInt64(r.Int(2)))
				totals[i].Total, err = totals[i].Total.Add(ledger.Amount(r.Int(3)))
				return err
			}, "SELECT account, asset, average, reward FROM rewards WHERE bucket = $1 AND day BETWEEN $2 AND $3", int64(b),
				int64(from), int64(to))
		})
		if err != nil {
			return nil, fmt.Errorf("sum the rewards: %w", err)
		}
	}
	for i := range totals {
		totals[i].Average = mean(&sums[i], totals[i].Rewards)
	}
	return totals, nil
}

// DayTotal is what was declared for a token and day.
type DayTotal struct {
	Day     staking.Day
	Asset   string
	Holders int64
	Total   ledger.Amount
}

// DayTotals are the declared days, both ends inclusive, by day and token.
func (rs *Reports) DayTotals(ctx context.Context, from, to staking.Day) ([]DayTotal, error) {
	return list(ctx, rs, "read the declared days", readDayTotal,
		"SELECT day, asset, holders, total FROM declarations WHERE day BETWEEN $1 AND $2 ORDER BY day, asset",
		int64(from), int64(to))
}

func readDayTotal(r db.Row) (DayTotal, error) {
	return DayTotal{staking.Day(r.Int(0)), r.Text(1), r.Int(2), ledger.Amount(r.Int(3))}, nil
}

// paidPage is how many rewards of a batch are in memory at once.
const paidPage = 4096

// PaidRewards gives visit the rewards of a batch that are above zero, by account; or an
// account's alone, which is one read by key: account "" is all. visit may take its time:
// no transaction is open while it is called.
func (rs *Reports) PaidRewards(ctx context.Context, b outbox.PaidBatch, account ledger.Account,
	visit func(staking.Accrual) error) error {
	which := "a.account = $4"
	if account == "" {
		which = "a.account > $4"
	}
	return walk(paidPage, func(after *staking.Accrual) ([]staking.Accrual, error) {
		if after != nil {
			account = after.Account
		}
		return list(ctx, rs, fmt.Sprintf("read the rewards of %s of %s", b.Asset, b.Day), scan(readAccrual),
			"SELECT "+accrualColumns+` FROM accruals a
			  WHERE a.bucket = $1 AND a.day = $2 AND a.asset = $3 AND a.reward > 0 AND `+which+" ORDER BY a.account LIMIT $5",
			int64(b.Bucket), int64(b.Day), b.Asset, string(account), int64(paidPage))
	}, visit)
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
func (rs *Reports) Credited(ctx context.Context, id ledger.Account, from, to time.Time, asset string, offset,
	limit int) (credits []Credit, total int, err error) {
	if err := id.CheckHolder(); err != nil {
		return nil, 0, err
	}
	first := from.Add(time.Millisecond - 1).UnixMilli() // of a moment between two milliseconds the later
	err = rs.Look(ctx, func(t db.View) error {
		credits = nil
		days, paid, err := paidIn(t, id.Bucket(), first, to.UnixMilli(), asset)
		if err != nil {
			return err
		}
		return accruedOn(t, id, days, func(c Credit) {
			if at, is := paid[RewardKey{c.Day, c.Asset}]; is {
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

// paidIn is what a bucket paid from a moment to another, both inclusive and in milliseconds, of one asset or of all
// (""): the days, in order, and when each of their tokens was paid.
func paidIn(t db.View, bucket int, from, to int64, asset string) (days []staking.Day, paid map[RewardKey]int64,
	err error) {
	paid = map[RewardKey]int64{}
	err = t.Query(func(r db.Row) error {
		k := RewardKey{staking.Day(r.Int(0)), r.Text(1)}
		days, paid[k] = append(days, k.Day), r.Int(2)
		return nil
	}, `SELECT day, asset, paid_at FROM payments
	     WHERE bucket = $1 AND paid_at BETWEEN $2 AND $3 AND (asset = $4 OR $4 = '')`,
		int64(bucket), from, to, asset)
	if err != nil {
		return nil, nil, fmt.Errorf("read what was paid: %w", err)
	}
	slices.Sort(days)
	return slices.Compact(days), paid, nil
}

// accruedOn gives visit what an account accrued above zero on some days, by key: a
// join that begins with the days is not left to a planner.
func accruedOn(t db.View, id ledger.Account, days []staking.Day, visit func(Credit)) error {
	err := t.QuerySet(func(r db.Row) error {
		visit(Credit{Day: staking.Day(r.Int(0)), Asset: r.Text(1), Average: ledger.Amount(r.Int(2)),
			Reward: ledger.Amount(r.Int(3))})
		return nil
	}, `SELECT a.day, a.asset, a.average, a.reward
	      FROM {rows} JOIN accruals a ON a.bucket = r.bucket AND a.day = r.day AND a.account = r.account AND a.reward > 0`,
		db.SetOf(days,
			db.Int("bucket", func(staking.Day) int64 { return int64(id.Bucket()) }),
			db.Int("day", func(d staking.Day) int64 { return int64(d) }),
			db.Text("account", func(staking.Day) string { return string(id) })))
	if err != nil {
		return fmt.Errorf("read what %s accrued: %w", id, err)
	}
	return nil
}
