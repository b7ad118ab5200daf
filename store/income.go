package store

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// income is staking income on its way into the books, with the fee that it is divided by.
type income struct {
	staking.Income
	fee  staking.Rate
	mode staking.Mode
}

// PostIncome brings staking income of a token into the books, dated now: the fee that the
// terms of the period's last day state goes to @fees, and the net to @rewards. Negative
// income takes both out again; what they have must suffice: ledger.ErrInsufficient. Income of
// zero moves nothing, and says that nothing was earned: in the mode share its period waits no more.
// Idempotent by the reference: with different content it is ledger.ErrConflict.
// ledger.ErrInvalid for an income that is not well formed, a period that is not over, and
// one that ends before the token's first terms.
func (b *DB) PostIncome(ctx context.Context, i staking.Income) (Outcome, error) {
	asset, err := b.Asset(ctx, i.Asset)
	if err != nil {
		return Outcome{}, err
	}
	if err := i.Check(staking.DayOf(b.clock())); err != nil {
		return Outcome{}, err
	}
	if i.Gross > asset.MaxSupply || i.Gross < -asset.MaxSupply {
		return Outcome{}, ledger.ErrInvalid.In("gross", "the income is more %s than there can be (%s)", asset.Symbol,
			asset.Format(asset.MaxSupply))
	}
	in := &income{Income: i}
	// Before the posting: the fee of a day that is over never changes.
	err = b.engine.Read(ctx, func(t db.View) error {
		terms, err := TermsAt(t, i.Last)
		if err != nil {
			return err
		}
		of, known := terms[i.Asset]
		if !known {
			return ledger.ErrInvalid.In("last", "%s has no terms on %s", i.Asset, i.Last)
		}
		in.fee, in.mode = of.Fee, of.Mode
		return oneMode(t, i, of.Mode)
	})
	if err != nil {
		return Outcome{}, annotate(err, "enter the income %s", i.Reference)
	}
	s := i.Split(in.fee)
	detail := fmt.Sprintf("%s of %s to %s as %s, fee %s, net %s; %s", asset.Format(s.Gross), i.First, i.Last,
		ledger.IncomeID(i.Reference), asset.Format(s.Fee), asset.Format(s.Net), i.Evidence)
	c := call{
		system: true, income: in, log: logFields{action: "income", subject: i.Asset, detail: detail},
		op: control.EnterIncome, content: i, above: i.Gross >= 0, // where it is negative, it takes tokens out
	}
	return b.postMove(ctx, i.Entry(in.fee), c)
}

// checkIncome looks again whether the period is over, now by the time that the entry is stamped with: a clock may
// have been set back since.
func (g *groupCommit) checkIncome(it *item) error {
	if it.call.income == nil {
		return nil
	}
	return it.call.income.CheckOver(staking.DayOf(db.TimeOf(it.at)))
}

// writeIncomes writes the evidence of the accepted entries that bring in staking income.
func (g *groupCommit) writeIncomes() error {
	var all []*item
	for _, it := range g.accepted {
		if it.call.income != nil {
			all = append(all, it)
		}
	}
	text := func(name string, of func(*income) string) db.Field[*item] {
		return db.Text(name, func(it *item) string { return of(it.call.income) })
	}
	number := func(name string, of func(*income) int64) db.Field[*item] {
		return db.Int(name, func(it *item) int64 { return of(it.call.income) })
	}
	return g.insertNew("incomes", db.SetOf(all,
		db.Int("bucket", itemBucket),
		text("reference", func(i *income) string { return i.Reference }),
		text("asset", func(i *income) string { return i.Asset }),
		text("chain", func(i *income) string { return i.Chain }),
		text("source", func(i *income) string { return i.Source }),
		number("first_day", func(i *income) int64 { return int64(i.First) }),
		number("last_day", func(i *income) int64 { return int64(i.Last) }),
		number("mode", func(i *income) int64 { return int64(i.mode) }),
		number("gross", func(i *income) int64 { return int64(i.Gross) }),
		number("fee", func(i *income) int64 { return int64(i.fee) }),
		text("evidence", func(i *income) string { return i.Evidence }),
		db.Int("at", itemAt)))
}

// MoveFees moves an amount of an asset from @fees to the outside world, or back, dated now.
// The fees may not go below zero: ledger.ErrInsufficient. Idempotent by the ID: the entry's
// is "fees/" and the caller's.
func (b *DB) MoveFees(ctx context.Context, id, asset string, amount ledger.Amount, back bool) (Outcome, error) {
	move := ledger.Move{From: ledger.Fees, To: ledger.Custody, Asset: asset, Amount: amount}
	if !back {
		return b.moveOwn(ctx, ledger.FeeTransfer, id, ledger.FeesID(id), move, control.WithdrawFees,
			ownMove{id, asset, amount})
	}
	move.From, move.To = move.To, move.From
	return b.moveOwn(ctx, ledger.FeeTransfer, id, ledger.FeesID(id), move, control.ReturnFees,
		ownMove{id, asset, amount})
}

// moveOwn posts an entry of one move between a house account and the outside world. What brings in needs approval above
// the limit of a day alone.
func (b *DB) moveOwn(ctx context.Context, kind ledger.Kind, id, entry string, m ledger.Move,
	op control.Operation, content any) (Outcome, error) {
	if err := ledger.CheckID(string(kind), id); err != nil {
		return Outcome{}, ledger.At("id", err)
	}
	a, err := b.Asset(ctx, m.Asset)
	if err != nil {
		return Outcome{}, err
	}
	e := ledger.Entry{ID: entry, Kind: kind, Moves: []ledger.Move{m}}
	o, err := b.postMove(ctx, e, call{system: true, op: op, content: content, above: m.From == ledger.Custody,
		log: logFields{action: string(op), subject: m.Asset, detail: a.Format(m.Amount) + " as " + entry}})
	return o, annotate(err, "%s %s", op, m.Asset)
}
