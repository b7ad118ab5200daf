package audit

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// What a day's record says is owed to holders is the sum of a tree of their balances. The audit derives it from the
// other side of the books: by double entry, what holders have by their postings is what house accounts do not have,
// and what they have by rewards is what was declared for @payable. A balance below zero is no liability, and counts
// as nothing in the tree; where an authoritative entry has left one, the sum may be higher than what is derived,
// and not lower.

// RuleOwed is the rule of findings about what is owed.
const RuleOwed = "liabilities of a record"

// Owed is what the record of a day says is owed to all holders of a token.
type Owed struct {
	Key
	Sum     uint64      // in smallest units
	Settled staking.Day // the last day whose rewards are in it; the day before the books began: none
	Above   bool        // the sum is more than 2^63 - 1, and is not stated
}

// countHouse adds a posting of a house account to what these have gained on its day.
func (w *worker) countHouse(x *Posting) {
	if x.Account.IsHouse() && w.only == nil {
		w.gained.add(Key{x.Day, x.Asset}, w.scratch.SetInt64(int64(x.Amount)))
	}
}

// compareOwed compares what records say is owed with what is derived.
func (a *audit) compareOwed() {
	owed := map[string][]Owed{}
	for _, o := range a.outline.Owed {
		owed[o.Asset] = append(owed[o.Asset], o)
	}
	declared := map[string][]Declaration{}
	for _, d := range a.outline.Declared {
		declared[d.Asset] = append(declared[d.Asset], d)
	}
	for _, asset := range slices.Sorted(maps.Keys(owed)) {
		slices.SortFunc(owed[asset], func(x, y Owed) int { return compareKeys(x.Key, y.Key) })
		a.compareOwedOf(asset, owed[asset], declared[asset])
	}
}

// compareOwedOf compares the days of a token, the oldest first.
func (a *audit) compareOwedOf(asset string, owed []Owed, declared []Declaration) {
	slices.SortFunc(declared, func(x, y Declaration) int { return compareKeys(x.Key, y.Key) })
	derived, day := new(big.Int), a.outline.First-1
	for _, o := range owed {
		for ; day < o.Day; day++ {
			derived.Sub(derived, a.gained.of(Key{day + 1, asset}))
		}
		for len(declared) > 0 && declared[0].Day <= o.Settled {
			derived.Add(derived, big.NewInt(int64(declared[0].Total)))
			declared = declared[1:]
		}
		sum := new(big.Int).SetUint64(o.Sum)
		order := sum.Cmp(derived)
		if o.Above {
			sum.SetUint64(math.MaxInt64 + 1) // or more
			order = max(0, sum.Cmp(derived))
		}
		if order == 0 || order > 0 && a.overdrawnAtEnd(o.Key) {
			continue
		}
		of := ledger.Asset{Symbol: asset}
		if t := a.sums[asset]; t != nil {
			of = t.Asset
		}
		said := units(of, sum)
		if o.Above {
			said += " or more"
		}
		f := on(o.Day, "", asset, fmt.Sprintf("the record says that %s is owed to holders; "+
			"by house accounts and declared rewards it is %s", said, units(of, derived)))
		f.Rule = RuleOwed
		a.find(f)
	}
}

// overdrawnAtEnd reports whether a balance of the token may be below zero at the end of the day.
func (a *audit) overdrawnAtEnd(k Key) bool {
	end := (k.Day + 1).Millis()
	return slices.ContainsFunc(a.overdrawn, func(o Overdraft) bool {
		return o.Asset == k.Asset && o.At < end && o.Until >= end
	})
}
