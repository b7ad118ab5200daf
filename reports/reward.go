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

// rewardDays is how many days of rewards are in memory at once.
const rewardDays = 92

// Rewards gives visit an account's paid rewards of some days, both ends
// inclusive, by day and token. Rewards of less than one smallest unit are among them.
func (rs *Reports) Rewards(ctx context.Context, id ledger.Account, from, to staking.Day, visit func(Reward) error) error {
	if _, err := rs.Account(ctx, id); err != nil {
		return err
	}
	from, to = max(from, rs.FirstDay()), min(to, staking.DayOf(rs.Now()))
	for ; from <= to; from += rewardDays {
		rewards, err := rs.rewardsOf(ctx, id, from, min(to, from+rewardDays-1))
		if err != nil {
			return fmt.Errorf("read the rewards of %s: %w", id, err)
		}
		if err := every(visit)(rewards); err != nil {
			return err
		}
	}
	return nil
}

// rewardsOf reads the rewards of some days, one key a day, with what they were worth.
func (rs *Reports) rewardsOf(ctx context.Context, id ledger.Account, from, to staking.Day) (rewards []Reward, err error) {
	err = rs.Read(ctx, func(t db.View) error {
		rewards = nil
		err := t.Query(func(r db.Row) error {
			rewards = append(rewards, Reward{Accrual: store.ReadAccrual(r), PaidAt: db.TimeOf(r.Int(11))})
			return nil
		}, `SELECT `+store.AccrualColumns+`, p.paid_at
		      FROM days d CROSS JOIN accruals a CROSS JOIN payments p
		     WHERE d.bucket = $1 AND d.day BETWEEN $2 AND $3
		       AND a.bucket = d.bucket AND a.day = d.day AND a.account = $4
		       AND p.bucket = a.bucket AND p.day = a.day AND p.asset = a.asset
		     ORDER BY a.day, a.asset`, int64(id.Bucket()), int64(from), int64(to), string(id))
		if err != nil {
			return err
		}
		return priceRewards(t, rewards)
	})
	if err != nil {
		return nil, err
	}
	return rewards, rs.valueRewards(ctx, rewards)
}

// RewardKey is a reward's place among an account's.
type RewardKey struct {
	Day   staking.Day
	Asset string
}

// LatestRewards are an account's paid rewards of some days, both ends inclusive,
// of an asset or of all if it is "": the newest day first, then by token, those
// that come after a place, at most limit. ErrNotFound if there is no such account or asset.
func (rs *Reports) LatestRewards(ctx context.Context, id ledger.Account, asset string, from, to staking.Day, after *RewardKey, limit int) (rewards []Reward, err error) {
	if _, err := rs.Account(ctx, id); err != nil {
		return nil, err
	}
	if asset != "" {
		if _, err := rs.Asset(ctx, asset); err != nil {
			return nil, err
		}
	}
	place := RewardKey{Day: to + 1}
	if after != nil {
		place = *after
	}
	err = rs.Read(ctx, func(t db.View) error {
		rewards = nil
		err := t.Query(func(r db.Row) error {
			rewards = append(rewards, Reward{Accrual: store.ReadAccrual(r), PaidAt: db.TimeOf(r.Int(11))})
			return nil
		}, `SELECT `+store.AccrualColumns+`, p.paid_at
		      FROM days d CROSS JOIN accruals a CROSS JOIN payments p
		     WHERE d.bucket = $1 AND d.day BETWEEN $2 AND $3
		       AND a.bucket = d.bucket AND a.day = d.day AND a.account = $4 AND (d.day < $5 OR a.asset > $6) AND ($7 = '' OR a.asset = $7)
		       AND p.bucket = a.bucket AND p.day = a.day AND p.asset = a.asset
		     ORDER BY d.day DESC, a.asset LIMIT $8`,
			int64(id.Bucket()), int64(max(from, rs.FirstDay())), int64(min(to, place.Day)), string(id), int64(place.Day), place.Asset, asset, int64(limit))
		if err != nil {
			return err
		}
		return priceRewards(t, rewards)
	})
	if err != nil {
		return nil, fmt.Errorf("read the rewards of %s: %w", id, err)
	}
	return rewards, rs.valueRewards(ctx, rewards)
}

// priceRewards finds the prices of the rewards' days.
func priceRewards(t db.View, rewards []Reward) error {
	at := map[RewardKey]int{}
	var wanted []store.Price
	for _, r := range rewards {
		key := RewardKey{r.Day, r.Asset}
		if _, there := at[key]; !there {
			at[key] = len(wanted)
			wanted = append(wanted, store.Price{Asset: r.Asset, Day: r.Day})
		}
	}
	known, err := store.PricesAt(t, wanted)
	if err != nil {
		return err
	}
	for i := range rewards {
		r := &rewards[i]
		r.Price = known[at[RewardKey{r.Day, r.Asset}]].Price
		if r.Asset == store.USDT {
			r.Price = store.PriceUnit
		}
		r.PriceKnown = r.Price != 0
	}
	return nil
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
			}, `SELECT a.account, a.asset, a.average, a.reward FROM accruals a CROSS JOIN payments p
			     WHERE a.bucket = $1 AND a.day BETWEEN $2 AND $3 AND p.bucket = a.bucket AND p.day = a.day AND p.asset = a.asset`,
				int64(b), int64(from), int64(to))
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
func (rs *Reports) DayTotals(ctx context.Context, from, to staking.Day) (totals []DayTotal, err error) {
	err = rs.Read(ctx, func(t db.View) error {
		totals = nil
		return t.Query(func(r db.Row) error {
			totals = append(totals, DayTotal{staking.Day(r.Int(0)), r.Text(1), r.Int(2), ledger.Amount(r.Int(3))})
			return nil
		}, "SELECT day, asset, holders, total FROM declarations WHERE day BETWEEN $1 AND $2 ORDER BY day, asset", int64(from), int64(to))
	})
	if err != nil {
		return nil, fmt.Errorf("read the declared days: %w", err)
	}
	return totals, nil
}
