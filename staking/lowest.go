package staking

import (
	"cmp"
	"slices"

	"github.com/softstake/softstake/ledger"
)

// Change is a change of a free balance.
type Change struct {
	Millis int64         // since the day began
	Amount ledger.Amount // signed, in smallest units
}

// SmallestBalance is the smallest free balance of a day that begins with opening, which has
// the changes of the first millisecond: at its beginning, and after all changes of each
// later millisecond. So a transfer and its return in one millisecond lower nothing, and a
// change in the day's last millisecond counts. changes may be in any order, and are sorted;
// those of the first millisecond and of other days are passed over. The measure Lowest has
// no source: it is ours.
func SmallestBalance(opening ledger.Amount, changes []Change) ledger.Amount {
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Millis, b.Millis) })
	smallest, balance := opening, opening
	for i, c := range changes {
		if c.Millis <= 0 || c.Millis >= DayMillis {
			continue
		}
		balance += c.Amount
		if i+1 == len(changes) || changes[i+1].Millis != c.Millis {
			smallest = min(smallest, balance)
		}
	}
	return smallest
}

// MeasureLowest measures the day by its smallest balance instead of the average: the
// integral becomes that balance over the whole day, below zero where it was. The opening
// must be that of the day, and changes are all of the day's. A Change at 0 may follow, since
// it moves every balance of the day; no other Change and no Rewind.
func (h *Holding) MeasureLowest(changes []Change) {
	h.Integral = IntegralOf(SmallestBalance(h.Opening, changes), DayMillis)
}
