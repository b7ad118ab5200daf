package reports

import (
	"context"
	"errors"
	"math/big"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// CauseKind is what may be the cause of a difference from another ledger.
type CauseKind string

// The causes, in the order in which they are looked for.
const (
	CausePayout CauseKind = "payout"  // payouts that the other ledger has not credited are what is missing
	CauseHere   CauseKind = "here"    // an entry of the last day moved as much: the other ledger may not have it
	CauseLater  CauseKind = "later"   // an entry since then moved as much: the other ledger may have had it before
	CauseChange CauseKind = "change"  // none of these; the first entry of the last day that moved the token at all
	CauseNone   CauseKind = "unknown" // nothing moved
	CauseNobody CauseKind = "account" // the books have no such account
)

// Cause is the first event that could explain a difference.
type Cause struct {
	Kind  CauseKind
	Entry string    // its ID; "" of CauseNone and CauseNobody
	At    time.Time // of the entry or the payout; zero where there is none
	More  int       // how many more payouts there are of CausePayout
}

// mostCandidates is how many lines of an account are looked at for a cause.
const mostCandidates = 1000

// Cause is the first event that could explain that another ledger has less of a token than an account has here at a
// moment: missing is by how much, in smallest units, below zero where it has more.
func (rs *Reports) Cause(ctx context.Context, id ledger.Account, asset string, missing *big.Int, at time.Time) (Cause,
	error) {
	if _, err := rs.Account(ctx, id); errors.Is(err, ledger.ErrNotFound) {
		return Cause{Kind: CauseNobody}, nil
	} else if err != nil {
		return Cause{}, err
	}
	open, err := rs.openPayoutsOf(ctx, id, asset, staking.DayOf(at)-1)
	if err != nil {
		return Cause{}, err
	}
	if sum := sumOf(open); len(open) > 0 && sum.Cmp(missing) == 0 {
		return Cause{CausePayout, open[0].ID, open[0].Paid, len(open) - 1}, nil
	}
	for _, p := range open {
		if big.NewInt(int64(p.Amount)).Cmp(missing) == 0 {
			return Cause{CausePayout, p.ID, p.Paid, 0}, nil
		}
	}
	lines, err := rs.candidates(ctx, id, asset, at)
	if err != nil || len(lines) == 0 {
		return Cause{Kind: CauseNone}, err
	}
	until := slices.IndexFunc(lines, func(l change) bool { return l.at.After(at) })
	if until < 0 {
		until = len(lines)
	}
	for _, l := range lines[:until] {
		if l.amount.Cmp(missing) == 0 {
			return Cause{CauseHere, l.entry, l.at, 0}, nil
		}
	}
	more := new(big.Int).Neg(missing)
	for _, l := range lines[until:] {
		if l.amount.Cmp(more) == 0 {
			return Cause{CauseLater, l.entry, l.at, 0}, nil
		}
	}
	if until == 0 {
		return Cause{Kind: CauseNone}, nil
	}
	return Cause{CauseChange, lines[0].entry, lines[0].at, 0}, nil
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

// candidates are the changes of a token from the day of a moment on, at most until the next day ends, by time. What
// only moved between free and held is left out.
func (rs *Reports) candidates(ctx context.Context, id ledger.Account, asset string, at time.Time) (all []change,
	err error) {
	day := staking.DayOf(at)
	asked, read := LinesAsked{From: day, To: day + 1, Asset: asset}, 0
	for after := (*LineKey)(nil); ; {
		lines, next, err := rs.Lines(ctx, id, asked, after, mostCandidates)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			if n := len(all); n > 0 && all[n-1].entry == l.Entry {
				all[n-1].amount.Add(all[n-1].amount, big.NewInt(int64(l.Amount)))
				continue
			}
			all = append(all, change{l.Entry, l.At, big.NewInt(int64(l.Amount))})
		}
		if read += len(lines); next == nil || read >= mostCandidates {
			break
		}
		after = next
	}
	all = slices.DeleteFunc(all, func(c change) bool { return c.amount.Sign() == 0 })
	slices.Reverse(all)
	return all, nil
}

// openPayoutsOf are an account's payouts of a token, of days through one, that are not credited, by day.
func (rs *Reports) openPayoutsOf(ctx context.Context, id ledger.Account, asset string,
	through staking.Day) ([]Payout, error) {
	return read(ctx, rs, "read the payouts of "+string(id), func(t db.View) (open []Payout, err error) {
		batches, err := db.All(t, readPayoutBatch, "SELECT "+batchColumns+" FROM payout_batches WHERE bucket = $1 AND "+
			"asset = $2 AND day <= $3 AND credited < count ORDER BY day, entry LIMIT $4",
			int64(id.Bucket()), asset, int64(through), int64(mostCandidates))
		for _, b := range batches {
			if err != nil {
				break
			}
			var mine []Payout
			if mine, err = b.payoutOf(t, id); err == nil {
				mine, err = b.notCredited(t, mine)
			}
			open = append(open, mine...)
		}
		return open, err
	})
}

// payoutOf is the payout of an account in the batch, without its number, if there is one.
func (b PayoutBatch) payoutOf(t db.View, id ledger.Account) ([]Payout, error) {
	if b.entry != "" {
		if c, _ := ledger.ParseCompensationID(b.entry); c.Account != id {
			return nil, nil
		}
		return []Payout{b.payout(0, id, b.Total)}, nil
	}
	return db.All(t, scan(func(r db.Row) Payout { return b.payout(0, id, ledger.Amount(r.Int(0))) }),
		"SELECT reward FROM accruals WHERE bucket = $1 AND day = $2 AND asset = $3 AND account = $4 AND reward > 0",
		b.bucket, int64(b.Due.Day), b.Due.Asset, string(id))
}
