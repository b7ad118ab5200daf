package reports

import (
	"cmp"
	"context"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// LateEffect is what a reward would have been with the events that came when its day was closed.
type LateEffect struct {
	Day     staking.Day
	Account ledger.Account
	Asset   string
	Events  int           // that would have changed what the account had free on the day
	Reward  ledger.Amount // that the day has earned, in smallest units
	Due     ledger.Amount // what it would have earned with them, if Known
	// False where the day has shares of a sum that is divided among holders, or minimum and cap are those of an owner with
	// several accounts: what others had decides too.
	Known    bool
	MadeGood ledger.Amount // by compensations
}

// lateKey is a reward.
type lateKey struct {
	day     staking.Day
	account ledger.Account
	asset   string
}

// LateEffects are the rewards from a day on that late events would have changed, or may have, by day, account and
// token; of the first limit late events that concern these days. An event from a day that was closed for long concerns
// each day until the first that was open when it came. Each day is taken by itself: with what the day before has
// carried, and without what another reward would have added to the balance.
func (rs *Reports) LateEffects(ctx context.Context, from staking.Day, limit int) ([]LateEffect, error) {
	late, err := list(ctx, rs, "read late events", readLateEvent, "SELECT "+lateColumns+
		" FROM join_late WHERE dated > $1 ORDER BY day, entry LIMIT $2", from.Millis(), int64(limit))
	if err != nil {
		return nil, err
	}
	events := map[lateKey][]LateEvent{}
	for _, e := range late {
		if e.Account.IsHeld() { // only what is free earns
			continue
		}
		for d := max(e.Day, from, rs.FirstDay()); d < staking.DayOf(e.Dated); d++ {
			k := lateKey{d, e.Account, e.Asset}
			events[k] = append(events[k], e)
		}
	}
	var effects []LateEffect
	for k, of := range events {
		e, err := rs.Explain(ctx, k.account, k.day, k.asset)
		if err != nil {
			return nil, err
		}
		if effect := e.with(k, of); !effect.Known || effect.Due != effect.Reward {
			effects = append(effects, effect)
		}
	}
	slices.SortFunc(effects, func(a, b LateEffect) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Asset, b.Asset))
	})
	return effects, nil
}

// with is what the explained reward would have been with late events.
func (e *Explanation) with(k lateKey, late []LateEvent) LateEffect {
	effect := LateEffect{Day: k.day, Account: k.account, Asset: k.asset, Events: len(late), Reward: e.Measured.Reward}
	for _, c := range e.Compensations {
		effect.MadeGood += c.Amount
	}
	if e.Terms.Mode == staking.Share || len(e.Shares) > 0 || e.Together != (staking.Integral{}) {
		return effect
	}
	var without ledger.Amount
	without, effect.Due = e.reward(k.day, nil), e.reward(k.day, late)
	effect.Known = without == e.Measured.Reward
	return effect
}

// reward is what the explained day earns with changes that it has not, by the rule.
func (e *Explanation) reward(d staking.Day, late []LateEvent) ledger.Amount {
	carry := e.measured.Carry
	if e.Stored {
		carry = e.Measured.Before
	}
	h := staking.HoldingAt(e.Measured.Account, e.Asset.Symbol, e.Measured.Opening, carry)
	h.Absent = !e.Measures()
	changes := slices.DeleteFunc(e.changesOf(d), func(c staking.Change) bool { return c.Millis == 0 }) // in the opening
	for _, l := range late {
		millis := l.At.UnixMilli() - d.Millis()
		if millis <= 0 {
			h.Change(l.Amount, 0)
		} else {
			changes = append(changes, staking.Change{Millis: millis, Amount: l.Amount})
		}
	}
	if e.Terms.Measure == staking.Lowest {
		h.MeasureLowest(changes)
	} else {
		for _, c := range changes {
			h.Change(c.Amount, c.Millis)
		}
	}
	accrual, _ := staking.Accrue(d, e.Terms, h)
	return accrual.Reward
}
