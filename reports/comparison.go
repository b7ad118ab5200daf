package reports

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

const comparisonColumns = "number, day, at, position, source, scheduled, their_position, their_at, payouts, ignored, " +
	"made_at, credential, role, request"

func readComparison(r db.Row) (store.Comparison, error) {
	return store.Comparison{Number: r.Int(0), Day: staking.Day(r.Int(1)), At: db.TimeOf(r.Int(2)), Position: r.Int(3),
		Source: r.Text(4), Scheduled: r.Int(5) == 1,
		Theirs:      reconcile.AsOf{Position: r.Text(6), At: db.TimeOrZero(r.Int(7))},
		WithPayouts: r.Int(8) == 1, Ignored: r.Int(9), MadeAt: db.TimeOf(r.Int(10)),
		By: access.Actor{Credential: r.Text(11), Role: access.Role(r.Text(12)), Request: r.Text(13)}}, nil
}

// Comparisons are those with another ledger from before a number, or the last ones where it is 0, the newest first, at
// most limit: with their tokens, and without the differences.
func (rs *Reports) Comparisons(ctx context.Context, before int64, limit int) ([]store.Comparison, error) {
	return read(ctx, rs, "read the reconciliations", func(t db.View) ([]store.Comparison, error) {
		all, err := db.All(t, readComparison, "SELECT "+comparisonColumns+" FROM comparisons WHERE number < $1 OR $1 = 0 "+
			"ORDER BY number DESC LIMIT $2", before, int64(limit))
		if err != nil {
			return nil, err
		}
		return all, comparedTokens(t, all)
	})
}

// Comparison is the one of a number, with its tokens, and without the differences. ledger.ErrNotFound if there is none.
func (rs *Reports) Comparison(ctx context.Context, number int64) (c store.Comparison, err error) {
	all, err := rs.Comparisons(ctx, number+1, 1)
	switch {
	case err != nil:
		return c, err
	case number < 1 || len(all) == 0 || all[0].Number != number:
		return c, ledger.ErrNotFound.In("", "there is no reconciliation %d", number)
	}
	return all[0], nil
}

// comparedTokens reads the tokens of comparisons: those of each by symbol, its balances before its payouts.
func comparedTokens(t db.View, all []store.Comparison) error {
	i := 0
	err := t.QueryEach(func(r db.Row) error {
		for all[i].Number != r.Int(0) {
			i++
		}
		token, err := readComparedToken(r)
		all[i].Tokens = append(all[i].Tokens, token)
		return err
	}, `SELECT t.number, t.kind, t.asset, a.scale, a.max_supply, t.accounts, t.sum, t.root, t.their_accounts, t.their_sum,
	           t.their_root, t.differences, t.off, t.stops, t.limit_asset, t.limit_number, coalesce(l.amount, -1),
	           coalesce(l.accounts, -1), coalesce(l.waits, 0), coalesce(r.resolved_at, 0), coalesce(r.resolved_by, ''), coalesce(r.reason, '')
	      FROM comparison_tokens t JOIN assets a ON a.symbol = t.asset
	      LEFT JOIN comparison_limits l ON l.asset = t.limit_asset AND l.number = t.limit_number
	      LEFT JOIN comparison_resolutions r ON r.number = t.number AND r.asset = t.asset
	     WHERE t.number = $1 ORDER BY t.asset, t.kind`,
		db.SetOf(all, db.Int("number", func(c store.Comparison) int64 { return c.Number })))
	if err != nil {
		return fmt.Errorf("read what was compared: %w", err)
	}
	return nil
}

func readComparedToken(r db.Row) (c store.ComparedToken, err error) {
	c = store.ComparedToken{Kind: reconcile.Kind(r.Text(1)), Stops: r.Int(13) == 1,
		Limit: store.ComparisonLimit{Asset: r.Text(14), Number: r.Int(15), Amount: ledger.Amount(r.Int(16)),
			Accounts: r.Int(17), Waits: r.Int(18) == 1},
		Resolved: db.TimeOrZero(r.Int(19)), ResolvedBy: r.Text(20), ResolvedWhy: r.Text(21)}
	c.Asset = ledger.Asset{Symbol: r.Text(2), Scale: int(r.Int(3)), MaxSupply: ledger.Amount(r.Int(4))}
	c.Differences, c.Off = r.Int(11), ledger.Amount(r.Int(12))
	for i, side := range []*reconcile.Side{&c.Ours, &c.Theirs} {
		column := 5 + 3*i
		side.Accounts = r.Int(column)
		if _, is := side.Sum.SetString(r.Text(column+1), 10); !is {
			return c, fmt.Errorf("the sum %q is no whole number", r.Text(column+1))
		}
		copy(side.Root[:], r.Bytes(column+2))
	}
	return c, nil
}

// DifferenceKey names a difference of a comparison.
type DifferenceKey struct {
	Kind    reconcile.Kind
	Account ledger.Account
	Asset   string
}

// ComparedDifferences are those of a comparison that are kept, after a key, or the first ones: by kind, account and
// token, at most limit. It does not look whether there is that comparison.
func (rs *Reports) ComparedDifferences(ctx context.Context, number int64, after DifferenceKey, limit int) (
	[]store.ComparedDifference, error) {
	return list(ctx, rs, "read what differs", func(r db.Row) (store.ComparedDifference, error) {
		return store.ComparedDifference{Kind: reconcile.Kind(r.Text(0)),
			Difference: reconcile.Difference{Account: ledger.Account(r.Text(1)),
				Asset: ledger.Asset{Symbol: r.Text(2), Scale: int(r.Int(3)), MaxSupply: ledger.Amount(r.Int(4))},
				Ours:  ledger.Amount(r.Int(5)), Theirs: ledger.Amount(r.Int(6))},
			Cause: reconcile.Cause{Kind: reconcile.CauseKind(r.Text(7)), Entry: r.Text(8), At: db.TimeOrZero(r.Int(9)),
				More: int(r.Int(10))}}, nil
	}, `SELECT d.kind, d.account, d.asset, a.scale, a.max_supply, d.ours, d.theirs, d.cause, d.entry, d.entry_at, d.more
	      FROM comparison_differences d JOIN assets a ON a.symbol = d.asset
	     WHERE d.number = $1 AND (d.kind, d.account, d.asset) > ($2, $3, $4)
	     ORDER BY d.kind, d.account, d.asset LIMIT $5`, number, string(after.Kind), string(after.Account), after.Asset,
		int64(limit))
}

// Breaks are the comparisons that stop paying tokens now, by token, number and kind.
func (rs *Reports) Breaks(ctx context.Context) ([]store.Break, error) {
	return read(ctx, rs, "", func(t db.View) ([]store.Break, error) { return store.Breaks(t, "") })
}

// ComparisonLimits are the limits that count, that of every token first, then by symbol. Those that stop nothing are
// among them where they were set.
func (rs *Reports) ComparisonLimits(ctx context.Context) ([]store.ComparisonLimit, error) {
	return list(ctx, rs, "read from what difference on tokens are not paid", store.ReadComparisonLimit,
		"SELECT "+store.ComparisonLimitColumns+" FROM comparison_limits l "+
			"WHERE number = (SELECT max(m.number) FROM comparison_limits m WHERE m.asset = l.asset) ORDER BY asset")
}

// Nightly is the source of comparisons with the figures that the books name.
const Nightly = "nightly"

// Compared is the last comparison of a token with figures of a source.
type Compared struct {
	Asset       string
	Source      string      // Nightly, or else store.FromFile and the like
	Day         staking.Day // the latest that was compared
	Number      int64       // of the last comparison of that day
	Differences int64       // accounts that differ there, of balances and of payouts
}

// comparedFor is for how long a source counts with which nobody compares any more, while others are compared.
const comparedFor = 7 * 24 * time.Hour

// LastCompared are the last comparisons of the tokens of which there are some, by symbol, with each source: so none
// hides what another one says. Those that were made more than a week before the last one of all are left out.
func (rs *Reports) LastCompared(ctx context.Context) ([]Compared, error) {
	return list(ctx, rs, "read what was compared last", func(r db.Row) (Compared, error) {
		return Compared{r.Text(0), r.Text(1), staking.Day(r.Int(2)), r.Int(3), r.Int(4)}, nil
	}, `SELECT t.asset, l.source, c.day, c.number, CAST(sum(t.differences) AS bigint)
	      FROM (SELECT x.asset, CASE WHEN c.scheduled = 1 THEN $1 ELSE c.source END AS source,
	                   max(c.day * CAST(1000000000000 AS bigint) + c.number) AS last
	              FROM comparisons c JOIN comparison_tokens x ON x.number = c.number
	             WHERE c.made_at > (SELECT max(made_at) FROM comparisons) - $2
	             GROUP BY x.asset, CASE WHEN c.scheduled = 1 THEN $1 ELSE c.source END) l
	      JOIN comparisons c ON c.number = l.last % CAST(1000000000000 AS bigint)
	      JOIN comparison_tokens t ON t.number = c.number AND t.asset = l.asset
	     GROUP BY t.asset, l.source, c.day, c.number ORDER BY t.asset, l.source`, Nightly, comparedFor.Milliseconds())
}

// ComparisonState is where figures of another ledger come from each night, and what became of that.
type ComparisonState struct {
	Source   store.ComparisonSource
	Schedule store.ComparisonSchedule
}

// ComparisonState reads it.
func (rs *Reports) ComparisonState(ctx context.Context) (ComparisonState, error) {
	return read(ctx, rs, "", func(t db.View) (s ComparisonState, err error) {
		if s.Source, err = store.ComparisonSourceNow(t); err != nil {
			return s, err
		}
		s.Schedule, err = store.ComparisonScheduleNow(t)
		return s, err
	})
}

// Comparable is a day at whose end some tokens can be compared: nothing is added to what they then are any more.
type Comparable struct {
	Day    staking.Day
	Tokens []string // by symbol
}

// Comparable are the last days at whose end each token can be compared, the latest first. A token whose days wait has
// an earlier one than others: the reward of a day counts on the day after it. Tokens without such a day are left out,
// and, if due, those that were compared as scheduled at the end of that day, and since the last day was closed.
func (rs *Reports) Comparable(ctx context.Context, due bool) ([]Comparable, error) {
	return read(ctx, rs, "read which days can be compared", func(t db.View) ([]Comparable, error) {
		open, err := rs.FirstOpenAt(t)
		if err != nil {
			return nil, err
		}
		closed, err := db.Count(t, "SELECT coalesce(max(closed_at), 0) FROM closings WHERE day = $1", int64(open)-1)
		if err != nil {
			return nil, err
		}
		tokens := map[staking.Day][]string{}
		err = t.Query(func(r db.Row) error {
			day := min(open-1, staking.Day(r.Int(1))+1)
			if day >= rs.FirstDay() && (!due || r.Int(2) < closed || staking.Day(r.Int(3)) < day) {
				tokens[day] = append(tokens[day], r.Text(0))
			}
			return nil
		}, `SELECT p.asset, min(p.paid_through), coalesce(max(s.made_at), 0), coalesce(max(s.day), 0)
		      FROM progress p LEFT JOIN (SELECT t.asset, max(c.made_at) AS made_at, max(c.day) AS day
		           FROM comparisons c JOIN comparison_tokens t ON t.number = c.number WHERE c.scheduled = 1
		          GROUP BY t.asset) s ON s.asset = p.asset
		     GROUP BY p.asset ORDER BY p.asset`)
		var days []Comparable
		for day, symbols := range tokens {
			days = append(days, Comparable{day, symbols})
		}
		slices.SortFunc(days, func(a, b Comparable) int { return cmp.Compare(b.Day, a.Day) })
		return days, err
	})
}

// PayoutsOf gives visit what each account is to be credited of each token for a day, by account and token in the order
// of their bytes: the payouts of that day which are paid by now. They come from one snapshot. visit may be called from
// the first row again, after begin, where the database asks for a retry.
func (rs *Reports) PayoutsOf(ctx context.Context, d staking.Day, begin func() error,
	visit func(reconcile.Balance) error) error {
	err := rs.Read(ctx, func(t db.View) error {
		if err := begin(); err != nil {
			return err
		}
		others, err := compensated(t, d)
		if err != nil {
			return err
		}
		next := func(until reconcile.Balance) error {
			for len(others) > 0 && others[0].Compare(until) < 0 {
				if err := visit(others[0]); err != nil {
					return err
				}
				others = others[1:]
			}
			return nil
		}
		err = t.Query(func(r db.Row) (err error) {
			b := reconcile.Balance{Account: ledger.Account(r.Text(0)), Asset: r.Text(1), Amount: ledger.Amount(r.Int(2))}
			if err := next(b); err != nil {
				return err
			}
			if len(others) > 0 && others[0].Compare(b) == 0 {
				if b.Amount, err = b.Amount.Add(others[0].Amount); err != nil {
					return err
				}
				others = others[1:]
			}
			return visit(b)
		}, `SELECT a.account, a.asset, a.reward FROM days d CROSS JOIN payout_batches b CROSS JOIN accruals a
		     WHERE d.day = $1 AND b.bucket = d.bucket AND b.day = d.day AND b.entry = ''
		       AND a.bucket = b.bucket AND a.day = b.day AND a.asset = b.asset AND a.reward > 0
		     ORDER BY a.account, a.asset`, int64(d))
		for i := 0; err == nil && i < len(others); i++ {
			err = visit(others[i])
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the payouts of %s: %w", d, err)
	}
	return nil
}

// compensated are the compensations of a day that are payouts: the sum of each account and token, sorted.
func compensated(t db.View, d staking.Day) ([]reconcile.Balance, error) {
	type key struct {
		account ledger.Account
		asset   string
	}
	sums := map[key]*big.Int{}
	err := t.Query(func(r db.Row) error {
		c, _ := ledger.ParseCompensationID(r.Text(0))
		k := key{c.Account, r.Text(1)}
		if sums[k] == nil {
			sums[k] = new(big.Int)
		}
		sums[k].Add(sums[k], big.NewInt(r.Int(2)))
		return nil
	}, `SELECT b.entry, b.asset, b.total FROM days d CROSS JOIN payout_batches b
	     WHERE d.day = $1 AND b.bucket = d.bucket AND b.day = d.day AND b.entry <> ''`, int64(d))
	var all []reconcile.Balance
	for k, sum := range sums {
		if !sum.IsInt64() {
			return nil, ledger.ErrOverflow
		}
		all = append(all, reconcile.Balance{Account: k.account, Asset: k.asset, Amount: ledger.Amount(sum.Int64())})
	}
	slices.SortFunc(all, reconcile.Balance.Compare)
	return all, err
}

// PayoutCause is why another ledger may not have credited the payouts of an account for a day as they are paid, which
// are not zero together where paid: the first of them that it has not acknowledged, or else refuses; of CauseChange one
// that it has acknowledged.
func (rs *Reports) PayoutCause(ctx context.Context, id ledger.Account, asset string, d staking.Day, paid bool) (
	reconcile.Cause, error) {
	open, err := rs.openPayoutsOf(ctx, id, asset, rs.Now().AddDate(0, 0, 1))
	i := slices.IndexFunc(open, func(p Payout) bool { return p.Due.Day == d })
	switch {
	case err != nil:
		return reconcile.Cause{}, err
	case i >= 0:
		return reconcile.Cause{Kind: reconcile.CausePayout, Entry: open[i].ID, At: open[i].Paid}, nil
	case paid:
		return reconcile.Cause{Kind: reconcile.CauseChange,
			Entry: staking.Accrual{Day: d, Asset: asset, Account: id}.EntryID(), At: (d + 1).Start()}, nil
	}
	return reconcile.Cause{Kind: reconcile.CauseNone}, nil
}

// NewestEvent is the newest number that an event of the outbox has; 0: none has one.
func (rs *Reports) NewestEvent(ctx context.Context) (int64, error) {
	return read(ctx, rs, "read the newest number of the outbox", func(t db.View) (int64, error) {
		return db.Count(t, "SELECT coalesce(max(last), 0) FROM sequences WHERE name = 'outbox'")
	})
}
