package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// measure is what of an entry is counted under a name, and the line of the ceilings that it is compared with. What only
// moves tokens within one holder's account, and what gives back, is not counted.
type measure struct {
	of   access.Measure
	name string
}

// measures are those of the kinds of entries. Ending withdrawals is counted apart from requesting them, each up to the
// same ceiling: else a withdrawal would count twice, or one half of it not at all.
var measures = map[ledger.Kind]measure{
	ledger.Deposit:             {access.OfDeposits, "deposits"},
	ledger.Trade:               {access.OfTrades, "trades"},
	ledger.Transfer:            {access.OfTrades, "trades"},
	ledger.Withdrawal:          {access.OfWithdrawals, "withdrawals"},
	ledger.WithdrawalRequest:   {access.OfWithdrawals, "withdrawals"},
	ledger.WithdrawalCompleted: {access.OfWithdrawals, "withdrawals completed"},
}

// desk is the measure of what trades move from or to @desk. It mints, or takes: so it has a ceiling beside that of all
// trades. @desk is the only house account that entries of a back end name beside @custody.
var desk = measure{access.OfDesk, "desk"}

// usageKey names what was used of a ceiling on a day (UTC) on which it was posted, whatever day an entry counts on: by
// a credential, or by whom else the measure says.
type usageKey struct {
	of             string
	day            staking.Day
	measure, asset string
}

func (k usageKey) bucket() int { return ledger.Account(k.of).Bucket() }

// usage is what was used of a ceiling, in the asset's smallest unit, or in switches.
type usage struct {
	usageKey
	ceiling ledger.Amount
	before  ledger.Amount // this group commit
	fresh   ledger.Amount // by what is accepted in it
}

// use is what an item adds to a usage.
type use struct {
	*usage
	amount ledger.Amount
}

// usageFields are the columns of the key of ceilings_used, and more.
func usageFields(more ...db.Field[*usage]) []db.Field[*usage] {
	return append([]db.Field[*usage]{
		db.Int("bucket", func(u *usage) int64 { return int64(u.bucket()) }),
		db.Text("credential", func(u *usage) string { return u.of }),
		db.Int("day", func(u *usage) int64 { return int64(u.day) }),
		db.Text("measure", func(u *usage) string { return u.measure }),
		db.Text("asset", func(u *usage) string { return u.asset }),
	}, more...)
}

func readUsageKey(r db.Row) usageKey {
	return usageKey{r.Text(0), staking.Day(r.Int(1)), r.Text(2), r.Text(3)}
}

// readUsage finds what the undecided entries use of ceilings, and reads what of these is used. It takes no lock:
// writeUsage looks again.
func (g *groupCommit) readUsage() error {
	if err := g.readTokenLimits(); err != nil {
		return err
	}
	for it := range g.undecided {
		m, counted := measures[it.Kind]
		if by := it.call.actor; by.Ceilings != "" && counted && !it.call.system {
			it.refuse(g.countUses(it, by, m))
		}
		it.refuse(g.countOutflow(it)) // what takes tokens out only: outflow.go
		it.refuse(g.countInflow(it))  // what brings tokens in only: inflow.go
	}
	if len(g.usages) == 0 {
		return nil
	}
	all := make([]*usage, 0, len(g.usages))
	for _, u := range g.usages {
		all = append(all, u)
	}
	err := g.t.QuerySet(func(r db.Row) error {
		g.usages[readUsageKey(r)].before = ledger.Amount(r.Int(4))
		return nil
	}, `SELECT u.credential, u.day, u.measure, u.asset, u.used FROM {rows} JOIN ceilings_used u
	        ON u.bucket = r.bucket AND u.credential = r.credential AND u.day = r.day AND u.measure = r.measure AND u.asset = r.asset`,
		db.SetOf(all, usageFields()...))
	return annotate(err, "read what of ceilings is used")
}

// countUses adds up what an item uses, by asset.
func (g *groupCommit) countUses(it *item, by access.Actor, m measure) error {
	for _, move := range it.Moves {
		counted := []measure{m}
		if move.From == ledger.Desk || move.To == ledger.Desk {
			counted = append(counted, desk)
		}
		for _, m := range counted {
			ceiling, err := by.Ceilings.Of(m.of, g.assets[move.Asset])
			if err != nil {
				return err
			}
			u := g.usage(usageKey{by.Credential, g.today(), m.name, move.Asset}, ceiling)
			if err := it.use(u, move.Amount); err != nil {
				return err
			}
		}
	}
	return nil
}

// today is the day on which what is posted now is counted.
func (g *groupCommit) today() staking.Day { return staking.DayOf(db.TimeOf(g.now)) }

// usage is the usage of a key, the same for all items of the transaction.
func (g *groupCommit) usage(k usageKey, ceiling ledger.Amount) *usage {
	u := g.usages[k]
	if u == nil {
		u = &usage{usageKey: k, ceiling: ceiling}
		g.usages[k] = u
	}
	return u
}

// left is what is left of the ceiling; below zero where the ceiling was lowered since.
func (u *usage) left() ledger.Amount { return u.ceiling - u.before - u.fresh }

// use adds an amount to what the item uses. The error is ledger.ErrOverflow.
func (it *item) use(u *usage, amount ledger.Amount) (err error) {
	i := slices.IndexFunc(it.uses, func(x use) bool { return x.usage == u })
	if i < 0 {
		i, it.uses = len(it.uses), append(it.uses, use{usage: u})
	}
	it.uses[i].amount, err = it.uses[i].amount.Add(amount)
	return err
}

// checkCeiling says why the item passes a ceiling of its credential, or nil.
func (g *groupCommit) checkCeiling(it *item) error {
	for _, u := range it.uses {
		left := u.left()
		if u.amount <= left || u.isOutflow() || u.isInflow() {
			continue
		}
		i := slices.IndexFunc(it.Moves, func(m ledger.Move) bool { return m.Asset == u.asset })
		return u.over(g.assets[u.asset], fmt.Sprintf("moves[%d].amount", i), left, u.amount)
	}
	return nil
}

// over is access.ErrCeiling in a field, of what is left of an asset and what is needed.
func (u *usage) over(asset ledger.Asset, field string, left, needed ledger.Amount) error {
	return access.ErrCeiling.In(field, "of %s %s (%s) a day, %s are left for %s, and %s are needed; it begins "+
		"again at %s", asset.Format(u.ceiling), u.asset, u.measure, asset.Format(max(left, 0)), u.of,
		asset.Format(needed), ledger.FormatTime((u.day + 1).Start()))
}

// writeUsage adds what was accepted. The rows are locked last, and for the time of the commit alone: a credential
// that posts in two transactions at the same time does not wait longer. Where the other has used what was left, this
// one is run again, and sees it.
func (g *groupCommit) writeUsage() error {
	var fresh []*usage
	for _, u := range g.usages {
		if u.fresh > 0 {
			fresh = append(fresh, u)
		}
	}
	slices.SortFunc(fresh, func(a, b *usage) int {
		return cmp.Or(a.bucket()-b.bucket(), cmp.Compare(a.of, b.of), cmp.Compare(a.day, b.day),
			cmp.Compare(a.measure, b.measure), cmp.Compare(a.asset, b.asset))
	})
	return addUsage(g.t, fresh, func(u *usage, used ledger.Amount) error {
		if used > u.ceiling {
			return db.ErrRetry
		}
		return nil
	})
}

// addUsage adds the fresh amounts, and gives check what is used then; the rows stay locked.
func addUsage(t db.Tx, fresh []*usage, check func(*usage, ledger.Amount) error) error {
	if len(fresh) == 0 {
		return nil
	}
	of := map[usageKey]*usage{}
	for _, u := range fresh {
		of[u.usageKey] = u
	}
	_, err := t.Set(func(r db.Row) error { return check(of[readUsageKey(r)], ledger.Amount(r.Int(4))) },
		`INSERT INTO ceilings_used (bucket, credential, day, measure, asset, used)
		 SELECT r.bucket, r.credential, r.day, r.measure, r.asset, r.used FROM {rows} WHERE true
		 ON CONFLICT (bucket, credential, day, measure, asset) DO UPDATE SET used = ceilings_used.used + excluded.used
		 RETURNING credential, day, measure, asset, used`,
		db.SetOf(fresh, usageFields(db.Int("used", func(u *usage) int64 { return int64(u.fresh) }))...))
	return annotate(err, "count what of ceilings is used")
}

// useCount counts what the actor does of a measure without assets, in the transaction that does it; access.ErrCeiling
// where that is more than its ceiling allows. Of switches a change of a residence is one, and so is the closing of an
// account: both may end what it earns.
func (b *DB) useCount(t db.Tx, m access.Measure, n int) error {
	if b.actor.Ceilings == "" || n == 0 {
		return nil
	}
	return addUsage(t, []*usage{b.countOf(m, n)}, (*usage).checkCount)
}

// countOf is what is used of a measure without assets.
func (b *DB) countOf(m access.Measure, n int) *usage {
	return b.usage(string(m), "", ledger.Amount(b.actor.Ceilings.Count(m)), ledger.Amount(n))
}

// usage is what a change of the actor's adds to a usage of today.
func (b *DB) usage(measure, asset string, ceiling, fresh ledger.Amount) *usage {
	day := staking.DayOf(db.TimeOf(b.now()))
	return &usage{usageKey: usageKey{b.actor.Credential, day, measure, asset}, ceiling: ceiling, fresh: fresh}
}

// checkCount is access.ErrCeiling where more of a measure without assets is used than the ceiling allows.
func (u *usage) checkCount(used ledger.Amount) error {
	if used <= u.ceiling {
		return nil
	}
	return access.ErrCeiling.In("", "of %d %s a day, %d are left for %s, and %d are needed; it begins again at %s",
		u.ceiling, counted[u.measure], max(u.ceiling-used+u.fresh, 0), u.of, u.fresh, ledger.FormatTime((u.day + 1).Start()))
}

// counted is what messages call what a measure without assets counts.
var counted = map[string]string{string(access.OfSwitches): "switches", string(access.OfAccounts): "new accounts",
	"proposals": "proposals"}

// useSweep counts what an account has free, which its closing moves to another, as a transfer of it counts, and the
// closing as a change of a switch: access.ErrCeiling where either is more than is left. It is the last that a
// transaction does.
func (b *DB) useSweep(t db.Tx, id ledger.Account) error {
	if b.actor.Ceilings == "" {
		return nil
	}
	m, assets := measures[ledger.Transfer], *b.assetCache.Load()
	used := []*usage{b.countOf(access.OfSwitches, 1)}
	err := t.Query(func(r db.Row) error {
		asset := assets[r.Text(0)]
		ceiling, err := b.actor.Ceilings.Of(m.of, asset)
		used = append(used, b.usage(m.name, asset.Symbol, ceiling, ledger.Amount(r.Int(1))))
		return err
	}, "SELECT asset, balance FROM balances WHERE bucket = $1 AND account = $2 AND balance > 0 ORDER BY asset",
		int64(id.Bucket()), string(id))
	if err != nil {
		return annotate(err, "read what %s has", id)
	}
	return addUsage(t, used, func(u *usage, n ledger.Amount) error {
		switch {
		case u.asset == "":
			return u.checkCount(n)
		case n > u.ceiling:
			return u.over(assets[u.asset], "sweepTo", u.ceiling-n+u.fresh, u.fresh)
		}
		return nil
	})
}

// usageKept is for how many days it is kept what of ceilings was used.
const usageKept = 30

// forgettable is what nobody looks at any more in a bucket ($1): usages of days before $2, and what has left accounts
// ($4) on days before $3.
const forgettable = " FROM ceilings_used " +
	"WHERE bucket = $1 AND (measure <> $4 AND day < $2 OR measure = $4 AND day < $3)"

// pruneUsage removes what nobody looks at any more, a bucket in a transaction. What has left accounts is looked at
// while the day is open, and by entries that were posted as it closed: a day longer. Repeating it has no further
// effect.
func (b *DB) pruneUsage(ctx context.Context) error {
	type row struct{ bucket, used, left int64 }
	var old []row
	err := b.engine.Read(ctx, func(t db.View) error {
		open, err := b.firstOpen(t)
		if err != nil {
			return err
		}
		used, left := int64(staking.DayOf(db.TimeOf(b.now()))-usageKept), int64(open)-1
		old = nil
		return t.QueryEach(func(r db.Row) error { old = append(old, row{r.Int(0), used, left}); return nil },
			"SELECT bucket"+forgettable+" LIMIT 1", everyBucket(sameInt("used", used), sameInt("left", left),
				sameText("measure", LeftAccount)))
	})
	for _, o := range old {
		if err == nil {
			err = b.engine.Write(ctx, func(t db.Tx) error {
				_, err := t.Exec("DELETE"+forgettable, o.bucket, o.used, o.left, LeftAccount)
				return err
			})
		}
	}
	return annotate(err, "remove what of ceilings was used")
}
