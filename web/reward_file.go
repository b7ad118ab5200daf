package web

import (
	"math/big"
	"strconv"

	"github.com/softstake/softstake/download"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
)

// changesColumns are those of a day's changes: what a spreadsheet needs to come to the
// same reward. Amounts are in whole tokens, products in tokens × milliseconds.
var changesColumns = []string{
	"time_utc", "what", "entry", "change", "milliseconds_left", "change_x_left", "balance", "milliseconds_until_next",
	"balance_x_until_next", "asset", "minimum", "cap", "apr", "carried_before", "reward", "carried_after",
}

// carriedDigits are those below the smallest unit that a carried fraction is told with in a file.
const carriedDigits = 19

// rewardChanges is the day's changes as a CSV file.
func (s *server) rewardChanges(v *visit) error {
	e, err := v.explain()
	if err != nil {
		return err
	}
	a, m := e.Asset, e.Measured
	facts := []string{a.Symbol, "", "", "", "", "", ""}
	if e.TermsKnown {
		facts[1], facts[2], facts[3] = a.Format(e.Terms.Min), a.Format(e.Terms.Cap), e.Terms.APR.String()
	}
	if e.Earned {
		before, _ := reports.UnitsDecimal(big.NewInt(int64(m.Before)), a.Scale, carriedDigits)
		after, _ := reports.UnitsDecimal(big.NewInt(int64(m.Carry)), a.Scale, carriedDigits)
		facts[4], facts[5], facts[6] = before, a.Format(m.Reward), after
	}
	return v.file("changes_"+a.Symbol+"_"+m.Day.String(), changesColumns, func(line func(...string) error) error {
		for _, l := range e.Paper().Lines {
			what, entry := "opening-balance", ""
			if l.Change != nil {
				what, entry = string(l.Change.Kind), download.Cell(l.Change.Entry)
			}
			stays := new(big.Int).Mul(big.NewInt(int64(l.Balance)), big.NewInt(l.Stays))
			cells := []string{
				instant(l.At), what, entry, a.Format(l.Amount), strconv.FormatInt(l.Left, 10),
				ledger.FormatBig(l.Product, a.Scale),
				a.Format(l.Balance), strconv.FormatInt(l.Stays, 10), ledger.FormatBig(stays, a.Scale),
			}
			if err := line(append(cells, facts...)...); err != nil {
				return err
			}
		}
		return nil
	})
}
