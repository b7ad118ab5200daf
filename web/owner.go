package web

import (
	"math/bits"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
)

// heldNow is what is compared with a token's minimum and cap: what is free or, where they are those of an owner, that
// and what its other accounts hold.
func heldNow(t reports.OfferedToken) ledger.Amount {
	sum, _ := t.TogetherNow()
	return sum
}

// partOfCap is what of a free balance earns where it is held together with others: of what they are above the cap, its
// part of the cap, in proportion, rounded down.
func partOfCap(free, together, most ledger.Amount) ledger.Amount {
	if together <= most {
		return free
	}
	high, low := bits.Mul64(uint64(free), uint64(most))
	part, _ := bits.Div64(high, low, uint64(together)) // free is at most what is held together
	return ledger.Amount(part)
}
