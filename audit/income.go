package audit

import (
	"bytes"
	"fmt"
	"math/big"

	"github.com/softstake/softstake/ledger"
)

// whole is the fee that takes all of an income, in 1e-8.
var whole = big.NewInt(100_000_000)

// entry is the ID of the entry that brings the income in.
func (i *Income) entry() string { return "income/" + i.Reference }

// fee is the part of the income that goes to @fees: of the absolute amount, rounded down.
func (i *Income) fee() ledger.Amount {
	fee := big.NewInt(int64(i.Gross))
	return ledger.Amount(fee.Quo(fee.Mul(fee, big.NewInt(int64(i.Fee))), whole).Int64())
}

// leaves are those of the moves that the income's entry must have.
func (i *Income) leaves() []byte {
	var moves []ledger.Move
	add := func(from, to ledger.Account, amount ledger.Amount) {
		switch {
		case amount > 0:
			moves = append(moves, ledger.Move{From: from, To: to, Asset: i.Asset, Amount: amount})
		case amount < 0:
			moves = append(moves, ledger.Move{From: to, To: from, Asset: i.Asset, Amount: -amount})
		}
	}
	fee := i.fee()
	add("@custody", "@income", i.Gross)
	add("@income", "@fees", fee)
	add("@income", "@rewards", i.Gross-fee)
	return leavesOf(ledger.StakingIncome, moves)
}

// evidence is the SHA-256 over what the entry's moves do not say. An income of zero has no moves.
func (i *Income) evidence() []byte {
	if i.Gross == 0 {
		return hashOf("softstake zero income 1", i.Asset, i.Chain, i.Source, i.First.String(), i.Last.String(), i.Evidence)
	}
	return hashOf("softstake income 1", i.Chain, i.Source, i.First.String(), i.Last.String(), i.Evidence)
}

// countIncomes subtracts the bucket's incomes from the slots of their entries, and compares
// the fee of each with the terms.
func (w *worker) countIncomes() error {
	return w.books.Incomes(func(i *Income) {
		wrong := func(what string) {
			w.find(Finding{Day: dayOf(i.At), HasDay: true, Asset: i.Asset, What: "the income " + i.Reference + " " + what})
		}
		if (ledger.Entry{ID: i.entry()}).Bucket() != w.number {
			wrong(fmt.Sprintf("lies in bucket %d, where it does not belong", w.number))
		}
		if r := w.ruleOn(i.Asset, i.Last); r == nil {
			wrong("is of a token without terms on " + i.Last.String())
		} else if r.Mode != i.Mode {
			wrong(fmt.Sprintf("is of the mode %s; by the terms of %s it is %s", i.Mode, i.Last, r.Mode))
		} else if r.Fee != i.Fee {
			wrong(fmt.Sprintf("was divided by the fee %s; by the terms of %s it is %s", i.Fee, i.Last, r.Fee))
		}
		if dayOf(i.At) <= w.outline.Closed {
			slot := w.slot(i.entry())
			w.slots.goes[slot] -= w.hashRequest(i.entry(), i.At, i.leaves(), i.evidence())
			if i.Gross == 0 { // no posting shows its entry
				w.slots.rows[slot] += w.hashRow(i.entry(), i.At)
			}
		}
	})
}

// explainLostIncome finds the incomes that no entry brings in.
func (a *audit) explainLostIncome(s *suspect) {
	for _, i := range s.incomes {
		if dayOf(i.At) <= a.outline.Closed {
			a.find(Finding{Day: dayOf(i.At), HasDay: true, Asset: i.Asset,
				What: "the income " + i.Reference + " is brought in by no entry"})
		}
	}
}

// explainZero compares the row of an entry without postings with the row of its income, which is zero.
func (a *audit) explainZero(s *suspect) {
	i, row := &s.incomes[0], s.row
	if row.At != i.At || !bytes.Equal(row.Digest, digestOf(s.id, i.At, nil, i.evidence())) || len(row.Leaves) > 0 ||
		!bytes.Equal(row.Destination, i.evidence()) {
		a.find(Finding{Day: dayOf(row.At), HasDay: true, Asset: i.Asset,
			What: "entry " + s.id + " has other evidence than the row of its income says, which is zero"})
	}
}

// explainIncome compares an entry that brings in income with the row of the income. leaves
// are those of its postings.
func (a *audit) explainIncome(s *suspect, leaves []byte) {
	x, row := s.holders(), s.row
	switch {
	case x.Kind != ledger.StakingIncome:
		a.findPosting(x, "brings in no income, and there is a row of one")
		return
	case len(s.incomes) != 1:
		a.findPosting(x, fmt.Sprintf("brings in income, and there are %d rows of it", len(s.incomes)))
		return
	}
	i := &s.incomes[0]
	switch derived := i.leaves(); {
	case row.At != x.At || row.At != i.At:
		a.findPosting(x, fmt.Sprintf("counts at %s by its own row, at %s by its postings, and at %s by the income's",
			stamp(row.At), stamp(x.At), stamp(i.At)))
	case !bytes.Equal(derived, leaves):
		a.findPosting(x, "brings in another income than the row of it says: another token, amount or fee")
	case bytes.Equal(row.Digest, digestOf(s.id, row.At, leaves, row.Destination)) &&
		!bytes.Equal(row.Destination, i.evidence()):
		a.findPosting(x, "has other evidence than the row of its income says: the chain, source, period or evidence "+
			"was changed")
	default:
		a.findPosting(x, fmt.Sprintf("does not say what was posted: its digest is %x, derived %x", row.Digest,
			digestOf(s.id, row.At, leaves, i.evidence())))
	}
}
