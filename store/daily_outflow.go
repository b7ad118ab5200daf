package store

import (
	"cmp"
	"fmt"
	"maps"
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

// LeftAccount is the measure of what has left accounts, withdrawn or sent to others, whoever posted it, without the
// withdrawals that were cancelled. It is counted by the day of the entries, whether there is a limit or not, beside
// what is used of ceilings: a limit that is set later holds for the whole day, and is compared with one row, however
// many entries the account has. The rows are of accounts whose balances are locked.
const LeftAccount = "left the account"

// leaves reports whether entries of the kind take tokens from a holder's account, withdrawn or sent.
func leaves(k ledger.Kind) bool {
	return k == ledger.WithdrawalRequest || k == ledger.Withdrawal || k == ledger.Transfer
}

// readSpendings reads what has left accounts.
func readSpendings(t db.View, wanted []spendingKey) (map[spendingKey]ledger.Amount, error) {
	used := map[spendingKey]ledger.Amount{}
	err := t.QuerySet(func(r db.Row) error {
		used[spendingKey{ledger.Account(r.Text(0)), r.Text(1), staking.Day(r.Int(2))}] = ledger.Amount(r.Int(3))
		return nil
	}, `SELECT u.credential, u.asset, u.day, u.used
	      FROM {rows} JOIN ceilings_used u ON u.bucket = r.bucket AND u.credential = r.account AND u.day = r.day
	       AND u.measure = r.measure AND u.asset = r.asset`, db.SetOf(wanted, spendingFields()...))
	return used, annotate(err, "read what leaves accounts")
}

// spendingFields are the columns of the key of a spending, and more.
func spendingFields(more ...db.Field[spendingKey]) []db.Field[spendingKey] {
	return accountFields(func(k spendingKey) ledger.Account { return k.account }, append([]db.Field[spendingKey]{
		db.Int("day", func(k spendingKey) int64 { return int64(k.day) }),
		db.Text("measure", func(spendingKey) string { return LeftAccount }),
		db.Text("asset", func(k spendingKey) string { return k.asset }),
	}, more...)...)
}

// writeSpendings counts what the accepted entries let leave accounts, and takes off what cancelled withdrawals bring
// back. A row counts up to ledger.MaxSupply and no further: so much leaves only where it is received again and again.
func (g *groupCommit) writeSpendings() error {
	left, back := map[spendingKey]ledger.Amount{}, map[spendingKey]ledger.Amount{}
	for _, it := range g.accepted {
		for _, m := range it.Moves {
			if leaves(it.Kind) && !m.From.IsHouse() && !m.From.IsHeld() {
				k := spendingKey{m.From, m.Asset, g.day(it)}
				left[k] = min(left[k]+m.Amount, ledger.MaxSupply)
			}
		}
		of, ends := it.ends()
		if r := g.requests[of]; ends && r != nil && it.Kind == ledger.WithdrawalCancelled {
			back[spendingKey{of.account, r.asset, staking.DayOf(db.TimeOf(r.at))}] += r.amount
		}
	}
	if err := g.addSpendings(left); err != nil {
		return err
	}
	keys := sortedSpendings(back)
	_, err := g.t.Set(nil, `UPDATE ceilings_used SET used = ceilings_used.used - r.back FROM {rows}
	                        WHERE ceilings_used.bucket = r.bucket AND ceilings_used.credential = r.account
	                          AND ceilings_used.day = r.day AND ceilings_used.measure = r.measure AND ceilings_used.asset = r.asset`,
		db.SetOf(keys, spendingFields(db.Int("back", func(k spendingKey) int64 { return int64(back[k]) }))...))
	return annotate(err, "count what comes back to accounts")
}

func (g *groupCommit) addSpendings(left map[spendingKey]ledger.Amount) error {
	keys := sortedSpendings(left)
	_, err := g.t.Set(nil, fmt.Sprintf(`INSERT INTO ceilings_used (bucket, credential, day, measure, asset, used)
	      SELECT r.bucket, r.account, r.day, r.measure, r.asset, r.amount FROM {rows} WHERE true
	          ON CONFLICT (bucket, credential, day, measure, asset) DO UPDATE SET used =
	             CASE WHEN ceilings_used.used > %d - excluded.used THEN %[1]d ELSE ceilings_used.used + excluded.used END`,
		ledger.MaxSupply),
		db.SetOf(keys, spendingFields(db.Int("amount", func(k spendingKey) int64 { return int64(left[k]) }))...))
	return annotate(err, "count what leaves accounts")
}

// sortedSpendings are the keys in the order of their rows.
func sortedSpendings(of map[spendingKey]ledger.Amount) []spendingKey {
	return slices.SortedFunc(maps.Keys(of), func(a, b spendingKey) int {
		return cmp.Or(a.account.Bucket()-b.account.Bucket(), cmp.Compare(a.account, b.account), cmp.Compare(a.day, b.day),
			cmp.Compare(a.asset, b.asset))
	})
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
