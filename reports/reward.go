package reports

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Reward is what an account was paid for a day, with its figures.
type Reward struct {
	staking.Accrual
	PaidAt     time.Time     // when it was credited; it counts from the end of its day
	Price      int64         // store.USDT per whole token in 1e-8, of the day
	PriceKnown bool          //
	Value      ledger.Amount // store.USDT in 1e-8, rounded down
}

// rewardColumns are what readReward reads of the view rewards, which is called a.
const rewardColumns = store.AccrualColumns + ", a.paid_at"

func readReward(r db.Row) (Reward, error) {
	return Reward{Accrual: store.ReadAccrual(r), PaidAt: db.TimeOf(r.Int(11))}, nil
}

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
}

// rewardPage is how many rewards of an account are in memory at once.
const rewardPage = 1000

// Rewards gives visit an account's paid rewards of some days, both ends inclusive, by day
// and token. Rewards of less than one smallest unit are among them. ErrNotFound if the
// account was never opened.
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
	rewards, err := read(ctx, rs, func(t db.View) ([]Reward, error) {
		// A day leads to one key.
		rewards, err := db.All(t, readReward, `SELECT `+rewardColumns+` FROM days d CROSS JOIN rewards a
		     WHERE d.bucket = $1 AND d.day BETWEEN $2 AND $3 AND a.bucket = d.bucket AND a.day = d.day AND a.account = $4
		       AND (d.day <> $5 OR a.asset > $6) AND ($7 = '' OR a.asset = $7)
		     ORDER BY `+order+`, a.asset LIMIT $8`,
			int64(id.Bucket()), int64(from), int64(to), string(id), int64(place.Day), place.Asset, asked.Asset, int64(limit))
		if err != nil {
			return nil, err
		}
		return rewards, priceRewards(t, rewards)
	})
	if err != nil {
		return nil, fmt.Errorf("read the rewards of %s: %w", id, err)
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
		if r.Value, err = store.Value(assets[r.Asset], r.Reward, r.Price); err != nil {
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
		type position struct{ account, asset string }
		seen := map[position]bool{}
		var average big.Int
		err := rs.Read(ctx, func(t db.View) error {
			return t.Query(func(r db.Row) (err error) {
				i := index[r.Text(1)]
				if p := (position{r.Text(0), r.Text(1)}); !seen[p] {
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
	totals, err := list(ctx, rs, func(r db.Row) (DayTotal, error) {
		return DayTotal{staking.Day(r.Int(0)), r.Text(1), r.Int(2), ledger.Amount(r.Int(3))}, nil
	}, "SELECT day, asset, holders, total FROM declarations WHERE day BETWEEN $1 AND $2 ORDER BY day, asset", int64(from),
		int64(to))
	if err != nil {
		return nil, fmt.Errorf("read the declared days: %w", err)
	}
	return totals, nil
}
