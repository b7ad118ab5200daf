package store

import (
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// ReasonDailyLimit is of access.ErrCeiling: so much would leave the account on the day that its daily limit is passed.
// Its fact is what is left, in whole tokens.
const ReasonDailyLimit = "daily-limit"

// spendingKey names what leaves an account on a day (UTC).
type spendingKey struct {
	account ledger.Account
	asset   string
	day     staking.Day
}

// spending is what leaves an account on a day that has a limit.
type spending struct {
	spendingKey
	limit  ledger.Amount
	before ledger.Amount // this group commit
	fresh  ledger.Amount // by what is accepted in it
}

// outs is what the item lets leave the account of the holder who asks for it, by token: withdrawals and transfers to
// others. A back end is limited by its ceilings, and by none of its holders'.
func (it *item) outs(add func(account ledger.Account, asset string, amount ledger.Amount)) {
	if it.call.actor.Role != access.Holder || it.Kind != ledger.WithdrawalRequest && it.Kind != ledger.Transfer {
		return
	}
	for _, m := range it.Moves {
		if m.To.Owner() != m.From.Owner() || m.To.IsHeld() {
			add(m.From.Owner(), m.Asset, m.Amount)
		}
	}
}

// readSpendings reads what has left the accounts that holders take from, where there are limits. Their balances are
// locked, so that nothing else leaves before the commit.
func (g *groupCommit) readSpendings() error {
	var keys []limitKey
	wanted := map[spendingKey]bool{}
	for it := range g.undecided {
		it.outs(func(account ledger.Account, asset string, _ ledger.Amount) {
			if k := (spendingKey{account, asset, g.day(it)}); !wanted[k] {
				wanted[k] = true
				keys = append(keys, limitsFor(account, asset)...)
			}
		})
	}
	if len(wanted) == 0 {
		return nil
	}
	slices.SortFunc(keys, limitKey.compare)
	all, err := readAccountLimits(g.t, slices.Compact(keys))
	if err != nil {
		return err
	}
	var limited []spendingKey
	for k := range wanted {
		if limit := effective(all, k.account, k.asset, g.now); limit > 0 {
			g.spendings[k] = &spending{spendingKey: k, limit: limit}
			limited = append(limited, k)
		}
	}
	used, err := readSpendings(g.t, limited)
	for k, amount := range used {
		g.spendings[k].before = amount
	}
	return err
}

// readSpendings sums what has left accounts, without the withdrawals that were cancelled, whoever posted it.
func readSpendings(t db.View, wanted []spendingKey) (map[spendingKey]ledger.Amount, error) {
	used := map[spendingKey]ledger.Amount{}
	err := t.QuerySet(func(r db.Row) error {
		k := spendingKey{ledger.Account(r.Text(0)), r.Text(1), staking.Day(r.Int(2))}
		sum, err := used[k].Add(ledger.Amount(-r.Int(3)))
		if err != nil {
			sum = ledger.MaxSupply // sent and received again and again
		}
		used[k] = sum
		return nil
	}, `SELECT p.account, p.asset, p.day, p.amount
	      FROM {rows} JOIN postings p ON p.bucket = r.bucket AND p.day = r.day AND p.account = r.account AND p.asset = r.asset
	       AND p.amount < 0 AND p.kind IN ('withdrawal-request', 'withdrawal', 'transfer')
	       AND NOT EXISTS (SELECT 1 FROM endings e WHERE e.bucket = p.bucket AND e.account = p.account AND e.id = p.entry
	                          AND e.kind = 'withdrawal-cancelled')`,
		db.SetOf(wanted, accountFields(func(k spendingKey) ledger.Account { return k.account },
			db.Text("asset", func(k spendingKey) string { return k.asset }),
			db.Int("day", func(k spendingKey) int64 { return int64(k.day) }))...))
	return used, annotate(err, "read what leaves accounts")
}

// checkSpending says why the item passes the daily limit of an account, or nil.
func (g *groupCommit) checkSpending(it *item) (err error) {
	asked := map[*spending]ledger.Amount{}
	it.outs(func(account ledger.Account, asset string, amount ledger.Amount) {
		o := g.spendings[spendingKey{account, asset, g.day(it)}]
		if o == nil || err != nil {
			return
		}
		if asked[o], err = asked[o].Add(amount); err != nil {
			return
		}
		if left := max(o.limit-o.before-o.fresh, 0); asked[o] > left {
			a := g.assets[asset]
			err = access.ErrCeiling.In("moves[0].amount", "of %s %s a day, %s are left for %s; it begins again at %s",
				a.Format(o.limit), asset, a.Format(left), account, ledger.FormatTime((o.day+1).Start())).
				Because(ReasonDailyLimit, a.Format(left))
		}
	})
	return err
}

// countSpending adds what an accepted item lets leave, and takes off what comes back; the sign -1 does the reverse.
func (g *groupCommit) countSpending(it *item, sign int64) {
	if len(g.spendings) == 0 {
		return
	}
	it.outs(func(account ledger.Account, asset string, amount ledger.Amount) {
		if o := g.spendings[spendingKey{account, asset, g.day(it)}]; o != nil {
			o.fresh += amount * ledger.Amount(sign)
		}
	})
	of, ends := it.ends()
	if r := g.requests[of]; ends && r != nil && it.Kind == ledger.WithdrawalCancelled {
		if o := g.spendings[spendingKey{of.account, r.asset, staking.DayOf(db.TimeOf(r.at))}]; o != nil {
			o.fresh -= r.amount * ledger.Amount(sign)
		}
	}
}
