package reports

import (
	"cmp"
	"context"
	"maps"
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
	// several accounts: what others had decides too. And where late events may be missing in Events, beyond the limit.
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
// token; of the first limit late events that concern these days, which are at least 1, and of the first 1,000 rewards.
// more: there are more of either. An event from a day that was closed for long concerns each day until the first that
// was open when it came. Each day is taken by itself: with what the day before has carried, and without what another
// reward would have added to the balance.
func (rs *Reports) LateEffects(ctx context.Context, from staking.Day, limit int) (effects []LateEffect, more bool,
	err error) {
	late, err := list(ctx, rs, "read late events", readLateEvent, "SELECT "+lateColumns+
		" FROM join_late WHERE dated > $1 ORDER BY day, entry LIMIT $2", from.Millis(), int64(limit)+1)
	if err != nil {
		return nil, false, err
	}
	complete := staking.Forever // before this day no event is missing
	if more = len(late) > limit; more {
		late = late[:limit]
		complete = late[limit-1].Day
	}
	keys, events := lateKeys(late, max(from, rs.FirstDay()))
	if len(keys) > mostLateEffects {
		keys, more = keys[:mostLateEffects], true
	}
	for _, k := range keys {
		e, err := rs.Explain(ctx, k.account, k.day, k.asset)
		if err != nil {
			return nil, false, err
		}
		effect := e.with(k, events[k])
		effect.Known = effect.Known && k.day < complete
		if !effect.Known || effect.Due != effect.Reward {
			effects = append(effects, effect)
		}
	}
	return effects, more, nil
}

// mostLateEffects is how many rewards are looked at: one event may concern hundreds of days.
const mostLateEffects = 1000

// lateKeys are the rewards from a day on that late events concern, in their order, and the events of each.
func lateKeys(late []LateEvent, from staking.Day) (keys []lateKey, events map[lateKey][]LateEvent) {
	events = map[lateKey][]LateEvent{}
	for _, e := range late {
		if e.Account.IsHeld() { // only what is free earns
			continue
		}
		for d := max(e.Day, from); d < staking.DayOf(e.Dated); d++ {
			k := lateKey{d, e.Account, e.Asset}
			events[k] = append(events[k], e)
		}
	}
	keys = slices.SortedFunc(maps.Keys(events), func(a, b lateKey) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.account, b.account), cmp.Compare(a.asset, b.asset))
	})
	return keys, events
}

// with is what the explained reward would have been with late events.
func (e *Explanation) with(k lateKey, late []LateEvent) LateEffect {
	effect := LateEffect{Day: k.day, Account: k.account, Asset: k.asset, Events: len(late), Reward: e.Measured.Reward}
	for _, c := range e.Compensations {
		effect.MadeGood += c.Amount
	}
	var changes []staking.Change
	for _, l := range late {
		changes = append(changes, staking.Change{Millis: l.At.UnixMilli() - k.day.Millis(), Amount: l.Amount})
	}
	effect.Due, effect.Known = e.due(changes)
	return effect
}

// due is what the explained day would have earned with further changes, where that is known.
func (e *Explanation) due(changes []staking.Change) (due ledger.Amount, known bool) {
	if e.Terms.Mode == staking.Share || len(e.Shares) > 0 || e.Together != (staking.Integral{}) {
		return 0, false
	}
	return e.rewardWith(changes), e.rewardWith(nil) == e.Measured.Reward
}

// rewardWith is what the explained day earns with further changes: 0 where it does not earn.
func (e *Explanation) rewardWith(changes []staking.Change) ledger.Amount {
	a, earns := e.withChanges(changes)
	if !earns {
		return 0
	}
	return a.Reward
}
