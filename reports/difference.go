package reports

import (
	"cmp"
	"context"
	"errors"
	"math/big"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/staking"
)

// mostCandidates is how many lines of an account on a day, and how many payouts, are looked at for a cause.
const mostCandidates = 1000

// Cause is the first event that could explain that another ledger has less of a token than an account has here at a
// moment: missing is by how much, in smallest units, below zero where it has more.
func (rs *Reports) Cause(ctx context.Context, id ledger.Account, asset string, missing *big.Int, at time.Time) (
	reconcile.Cause, error) {
	if _, err := rs.Account(ctx, id); errors.Is(err, ledger.ErrNotFound) {
		return reconcile.Cause{Kind: reconcile.CauseNobody}, nil
	} else if err != nil {
		return reconcile.Cause{}, err
	}
	open, err := rs.openPayoutsOf(ctx, id, asset, at)
	if err != nil {
		return reconcile.Cause{}, err
	}
	if sum := sumOf(open); len(open) > 0 && sum.Cmp(missing) == 0 {
		return reconcile.Cause{Kind: reconcile.CausePayout, Entry: open[0].ID, At: open[0].Paid, More: len(open) - 1}, nil
	}
	for _, p := range open {
		if big.NewInt(int64(p.Amount)).Cmp(missing) == 0 {
			return reconcile.Cause{Kind: reconcile.CausePayout, Entry: p.ID, At: p.Paid}, nil
		}
	}
	day := staking.DayOf(at)
	today, cut, err := rs.changesOn(ctx, id, asset, day)
	if err != nil {
		return reconcile.Cause{}, err
	}
	until := slices.IndexFunc(today, func(c change) bool { return c.at.After(at) })
	if until < 0 {
		until = len(today)
	}
	if c, is := changeOf(today[:until], missing); is {
		return reconcile.Cause{Kind: reconcile.CauseHere, Entry: c.entry, At: c.at}, nil
	}
	tomorrow, more, err := rs.changesOn(ctx, id, asset, day+1)
	if err != nil {
		return reconcile.Cause{}, err
	}
	if c, is := changeOf(slices.Concat(today[until:], tomorrow), new(big.Int).Neg(missing)); is {
		return reconcile.Cause{Kind: reconcile.CauseLater, Entry: c.entry, At: c.at}, nil
	}
	switch {
	case cut || more:
		return reconcile.Cause{Kind: reconcile.CauseMany}, nil
	case until == 0:
		return reconcile.Cause{Kind: reconcile.CauseNone}, nil
	}
	return reconcile.Cause{Kind: reconcile.CauseChange, Entry: today[0].entry, At: today[0].at}, nil
}

// changeOf is the first of some changes by an amount.
func changeOf(all []change, amount *big.Int) (change, bool) {
	i := slices.IndexFunc(all, func(c change) bool { return c.amount.Cmp(amount) == 0 })
	if i < 0 {
		return change{}, false
	}
	return all[i], true
}

func sumOf(payouts []Payout) *big.Int {
	sum := new(big.Int)
	for _, p := range payouts {
		sum.Add(sum, big.NewInt(int64(p.Amount)))
	}
	return sum
}

// change is by how much an entry changed what an account has of a token, free and held together.
type change struct {
	entry  string
	at     time.Time
	amount *big.Int
}

// changesOn are the changes of a token on a day, by time. What only moved between free and held is left out. cut says
// that there are more lines than are read: the earliest are missing.
func (rs *Reports) changesOn(ctx context.Context, id ledger.Account, asset string, d staking.Day) (all []change,
	cut bool, err error) {
	read := 0
	for after := (*LineKey)(nil); ; {
		lines, next, err := rs.Lines(ctx, id, LinesAsked{From: d, To: d, Asset: asset}, after, mostCandidates-read)
		if err != nil {
			return nil, false, err
		}
		for _, l := range lines {
			if n := len(all); n > 0 && all[n-1].entry == l.Entry {
				all[n-1].amount.Add(all[n-1].amount, big.NewInt(int64(l.Amount)))
				continue
			}
			all = append(all, change{l.Entry, l.At, big.NewInt(int64(l.Amount))})
		}
		read += len(lines)
		if cut = next != nil && read >= mostCandidates; next == nil || cut {
			break
		}
		after = next
	}
	all = slices.DeleteFunc(all, func(c change) bool { return c.amount.Sign() == 0 })
	slices.Reverse(all)
	return all, cut, nil
}

// openPayoutsOf are an account's payouts of a token that count until a moment and are not credited, by day: at most
// mostCandidates.
func (rs *Reports) openPayoutsOf(ctx context.Context, id ledger.Account, asset string, at time.Time) ([]Payout, error) {
	return read(ctx, rs, "read the payouts of "+string(id), func(t db.View) (open []Payout, err error) {
		// A reward counts from the 00:00 after its day, a compensation when it is posted.
		batches, err := db.All(t, readPayoutBatch, "SELECT "+batchColumns+" FROM payout_batches WHERE bucket = $1 AND "+
			"asset = $2 AND credited < count AND (entry = '' AND day < $3 OR entry <> '' AND at <= $4) "+
			"ORDER BY day, entry LIMIT $5", int64(id.Bucket()), asset, int64(staking.DayOf(at)), at.UnixMilli(),
			int64(mostCandidates))
		if err != nil || len(batches) == 0 {
			return nil, err
		}
		rewards := map[staking.Day]PayoutBatch{}
		var days []staking.Day
		for _, b := range batches {
			if b.entry == "" {
				rewards[b.Due.Day], days = b, append(days, b.Due.Day)
			} else if c, _ := ledger.ParseCompensationID(b.entry); c.Account == id {
				open = append(open, b.payout(0, id, b.Total))
			}
		}
		same := func(text string) func(staking.Day) string { return func(staking.Day) string { return text } }
		err = t.QuerySet(func(r db.Row) error {
			open = append(open, rewards[staking.Day(r.Int(0))].payout(0, id, ledger.Amount(r.Int(1))))
			return nil
		}, "SELECT a.day, a.reward FROM {rows} JOIN accruals a ON a.bucket = r.bucket AND a.day = r.day AND "+
			"a.asset = r.asset AND a.account = r.account AND a.reward > 0", db.SetOf(days,
			db.Int("bucket", func(staking.Day) int64 { return int64(id.Bucket()) }),
			db.Int("day", func(d staking.Day) int64 { return int64(d) }),
			db.Text("asset", same(asset)), db.Text("account", same(string(id)))))
		if err == nil {
			open, err = batches[0].notCredited(t, open)
		}
		slices.SortFunc(open, func(a, b Payout) int {
			return cmp.Or(cmp.Compare(a.Due.Day, b.Due.Day), cmp.Compare(a.ID, b.ID))
		})
		return open, err
	})
}
