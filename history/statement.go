package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/ledger"
)

// Moment is what happened to a token's Spot balance at one time: the sum of all its rows.
type Moment struct {
	At  time.Time
	Sum ledger.Amount
}

// Statement is the history of one token in the Spot account.
type Statement struct {
	Asset ledger.Asset
	// Opening is the smallest balance before the first row with which none falls below
	// zero, the rewards that were really paid included; above zero where the history
	// begins in the middle.
	Opening ledger.Amount
	Moments []Moment // in order of time, of those that change the balance; without rewards
	Rewards []Moment // what the exchange paid, in order of time
}

// Statements are those of the tokens asked for that have rows, by symbol. Sums
// that do not fit 63 bits are an error.
func (h *History) Statements() ([]Statement, error) {
	bySymbol := map[string]*Statement{}
	for _, row := range h.Rows {
		if row.Other {
			continue
		}
		s := bySymbol[row.Coin]
		if s == nil {
			s = &Statement{Asset: h.assets[row.Coin]}
			bySymbol[row.Coin] = s
		}
		list := &s.Moments
		if row.Reward {
			list = &s.Rewards
		}
		if err := add(list, row); err != nil {
			return nil, err
		}
	}
	statements := make([]Statement, 0, len(bySymbol))
	for _, s := range bySymbol {
		nothing := func(m Moment) bool { return m.Sum == 0 }
		s.Moments = slices.DeleteFunc(s.Moments, nothing)
		opening, err := smallestOpening(s.Asset.Symbol, mergeMoments(s.Moments, s.Rewards))
		if err != nil {
			return nil, err
		}
		s.Opening = opening
		statements = append(statements, *s)
	}
	slices.SortFunc(statements, func(a, b Statement) int { return cmp.Compare(a.Asset.Symbol, b.Asset.Symbol) })
	return statements, nil
}

// add adds a row to the list's last moment, or as a moment of its own. Rows come in order of time.
func add(list *[]Moment, row Row) error {
	last := len(*list) - 1
	if last < 0 || !(*list)[last].At.Equal(row.At) {
		*list = append(*list, Moment{row.At, row.Change})
		return nil
	}
	sum, err := (*list)[last].Sum.Add(row.Change)
	if err != nil {
		return tooLarge(row.Coin, row.At, err)
	}
	(*list)[last].Sum = sum
	return nil
}

func tooLarge(symbol string, at time.Time, err error) error {
	return fmt.Errorf("the %s of %s come to more than can be: %w; look for a row with a wrong amount",
		symbol, at.Format(time.DateTime), err)
}

// mergeMoments puts two lists into one, in order of time.
func mergeMoments(a, b []Moment) []Moment {
	merged := slices.Concat(a, b)
	slices.SortStableFunc(merged, func(a, b Moment) int { return a.At.Compare(b.At) })
	return merged
}

// smallestOpening is the smallest opening balance with which no balance after any of the
// moments, which are in order of time, is below zero. What happened in one second counts
// together: its order is not known. A balance that is too large is an error.
func smallestOpening(symbol string, moments []Moment) (ledger.Amount, error) {
	var balance, lowest, highest ledger.Amount
	for i, m := range moments {
		var err error
		if balance, err = balance.Add(m.Sum); err != nil {
			return 0, fmt.Errorf("the balance of %s at %s: %w; look for a row with a wrong amount before it",
				symbol, m.At.Format(time.DateTime), err)
		}
		if i+1 < len(moments) && moments[i+1].At.Equal(m.At) {
			continue
		}
		lowest, highest = min(lowest, balance), max(highest, balance)
	}
	opening, err := ledger.Amount(0).Sub(lowest)
	if err == nil {
		_, err = highest.Add(opening)
	}
	if err != nil {
		return 0, fmt.Errorf("the balance of %s with what it must have begun with: %w; "+
			"look for a row with a wrong amount", symbol, err)
	}
	return opening, nil
}
