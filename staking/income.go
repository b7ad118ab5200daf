package staking

import (
	"math/bits"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// Income is what a validator or stake account earned of a token on its chain in a period of
// whole days, with the evidence of it. Slashing, and the correction of an income that was
// wrong, is a negative income.
type Income struct {
	Reference string        // the caller's, 1 to 128 characters of an ID; unique forever
	Asset     string        // the token
	Chain     string        // such as "solana"
	Source    string        // the validator or the stake account
	First     Day           // of the period
	Last      Day           // of the period, not before First
	Gross     ledger.Amount // in smallest units; zero says that nothing was earned
	Evidence  string        // the transaction, or the report that says so
}

// maxPeriod is the longest period of an income, in days.
const maxPeriod = 366

// Check returns ledger.ErrInvalid unless the income is well formed and its period is over.
// today is the current day.
func (i Income) Check(today Day) error {
	if err := ledger.CheckID("income", i.Reference); err != nil {
		return ledger.At("reference", err)
	}
	if err := (ledger.Entry{ID: ledger.IncomeID(i.Reference)}).CheckNew(); err != nil {
		return ledger.At("reference", err)
	}
	for _, text := range [][3]string{
		{"chain", "the chain", i.Chain}, {"source", "the source", i.Source}, {"evidence", "the evidence", i.Evidence},
	} {
		if strings.TrimSpace(text[2]) == "" {
			return ledger.ErrInvalid.In(text[0], "%s of the income is missing", text[1])
		}
		if err := ledger.CheckText(text[1], text[2]); err != nil {
			return ledger.At(text[0], err)
		}
	}
	switch {
	case i.First < 0:
		return ledger.ErrInvalid.In("first", "the period begins on %s, before 1970", i.First)
	case i.Last < i.First:
		return ledger.ErrInvalid.In("last", "the period ends on %s, before it begins on %s", i.Last, i.First)
	case i.Last-i.First >= maxPeriod:
		return ledger.ErrInvalid.In("last", "the period has %d days; at most %d are allowed", i.Last-i.First+1, maxPeriod)
	}
	return i.CheckOver(today)
}

// CheckOver returns ledger.ErrInvalid unless the period is over. today is the current day.
func (i Income) CheckOver(today Day) error {
	if i.Last >= today {
		return ledger.ErrInvalid.In("last", "the period is not over: it ends on %s", i.Last)
	}
	return nil
}

// AwaitedDays is how many days a source of income that reports no more is waited for.
const AwaitedDays = 31

// Split divides the income by the operator's fee, 0 to 1 (Terms.Fee of the last day of the
// period). The fee of the absolute amount is rounded down, so that it is never more than
// the rate says, and a correction of the same amount takes back exactly what was taken.
func (i Income) Split(fee Rate) ledger.Split {
	gross := uint64(i.Gross)
	if i.Gross < 0 {
		gross = -gross
	}
	hi, lo := bits.Mul64(gross, uint64(fee))
	part, _ := bits.Div64(hi, lo, uint64(Whole)) // at most gross: the fee is at most Whole
	s := ledger.Split{Gross: i.Gross, Fee: ledger.Amount(part)}
	if i.Gross < 0 {
		s.Fee = -s.Fee
	}
	s.Net = s.Gross - s.Fee
	return s
}

// Hash is the SHA-256 over what the income's entry does not say: a part of its digest. The entry of an
// income of zero has no moves, and so does not say the token either.
func (i Income) Hash() []byte {
	if i.Gross == 0 {
		return ledger.HashTexts("softstake zero income 1", i.Asset, i.Chain, i.Source, i.First.String(), i.Last.String(),
			i.Evidence)
	}
	return ledger.HashTexts("softstake income 1", i.Chain, i.Source, i.First.String(), i.Last.String(), i.Evidence)
}

// Entry is the entry that brings the income into the books, dated when it is posted. fee is
// that of the period's last day.
func (i Income) Entry(fee Rate) ledger.Entry {
	return ledger.Entry{
		ID: ledger.IncomeID(i.Reference), Kind: ledger.StakingIncome, Moves: i.Split(fee).IncomeMoves(i.Asset),
	}
}
