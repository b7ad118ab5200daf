package cli

import (
	"fmt"
	"math/big"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

type (
	// shareJSON is a share of a period's income. Weights are whole numbers, which no program reads as floats.
	shareJSON struct {
		First    staking.Day   `json:"first"`
		Last     staking.Day   `json:"last"`
		Gross    string        `json:"gross"`
		FeeRate  string        `json:"feeRate"`
		Fee      string        `json:"fee"`
		Net      string        `json:"net"`
		Before   string        `json:"before"`
		Weight   string        `json:"weight"`
		Total    string        `json:"total"`
		Share    string        `json:"share"`
		Amount   string        `json:"amount"`
		Days     []weighedJSON `json:"days"`
		Declared bool          `json:"declared"`
	}
	campaignShareJSON struct {
		Campaign string      `json:"campaign"`
		Title    string      `json:"title"`
		Token    string      `json:"token"`
		Day      staking.Day `json:"day"`
		Left     string      `json:"left"`
		DaysLeft int64       `json:"daysLeft"`
		Budget   string      `json:"budget"`
		Measure  string      `json:"measure,omitempty"`
		Eligible string      `json:"eligible"`
		Factor   string      `json:"factor"`
		Weight   string      `json:"weight"`
		Total    string      `json:"total"`
		Share    string      `json:"share"`
		Amount   string      `json:"amount"`
		Declared bool        `json:"declared"`
	}
	weighedJSON struct {
		Day      staking.Day `json:"day"`
		Eligible string      `json:"eligible"`
		Weight   string      `json:"weight"`
	}
	weighingJSON struct {
		Weight   string        `json:"weight"`
		Total    string        `json:"total,omitempty"`
		Waits    bool          `json:"waits"` // its income is not entered
		Estimate string        `json:"estimate,omitempty"`
		Rate     string        `json:"estimateRate,omitempty"`
		PaidBy   []paymentJSON `json:"paidBy"`
		Entered  []paymentJSON `json:"entered"` // income that is divided when that day is settled
	}
	paymentJSON struct {
		Day   staking.Day `json:"day"`
		First staking.Day `json:"first"`
		Last  staking.Day `json:"last"`
	}
)

func formatShares(a ledger.Asset, shares []reports.Counted) (all []shareJSON) {
	for _, c := range shares {
		if c.Budget != nil {
			continue
		}
		j := shareJSON{
			First: c.First, Last: c.Last, Gross: a.Format(c.Gross), FeeRate: c.FeeRate.String(), Fee: a.Format(c.Fee()),
			Net: a.Format(c.Net), Before: c.Before.String(), Weight: c.Mine.String(), Total: c.All.String(),
			Share: c.Parts.String(), Amount: a.Format(c.Exact.Units), Declared: c.Declared,
		}
		for _, d := range c.Days {
			j.Days = append(j.Days, weighedJSON{d.Day, a.Format(d.Eligible), d.Integral.String()})
		}
		all = append(all, j)
	}
	return all
}

func formatCampaignShares(a ledger.Asset, shares []reports.Counted) (all []campaignShareJSON) {
	for _, c := range shares {
		b := c.Budget
		if b == nil {
			continue
		}
		all = append(all, campaignShareJSON{
			Campaign: b.Campaign.ID, Title: b.Campaign.Title, Token: b.Token, Day: c.First, Left: c.Before.String(),
			DaysLeft: b.Days, Budget: a.Format(b.Amount().Units), Measure: b.Campaign.MeasureName(),
			Eligible: c.Weighs.Format(c.Days[0].Eligible),
			Factor:   ledger.FormatDecimal(c.Percent, percentScale), Weight: c.Mine.String(), Total: c.All.String(),
			Share: c.Parts.String(), Amount: a.Format(c.Exact.Units), Declared: c.Declared,
		})
	}
	return all
}

func formatWeighing(a ledger.Asset, w *reports.DayWeight) *weighingJSON {
	if w == nil {
		return nil
	}
	j := weighingJSON{Weight: w.Integral.String(), Waits: w.Waits(), PaidBy: formatPayments(w.PaidBy),
		Entered: formatPayments(w.Entered)}
	if w.All != (staking.Integral{}) {
		j.Total = w.All.String()
	}
	if len(w.PaidBy) == 0 && w.EstimateKnown {
		j.Estimate, j.Rate = a.Format(w.Estimate), w.Rate.Net.String()
	}
	return &j
}

func formatPayments(payments []reports.Payment) []paymentJSON {
	all := []paymentJSON{}
	for _, p := range payments {
		all = append(all, paymentJSON{p.PaidOn, p.First, p.Last})
	}
	return all
}

// shareLines are the working-out of the shares that are part of a reward.
func shareLines(a ledger.Asset, shares []reports.Counted) (lines [][2]string) {
	for _, c := range shares {
		if c.Budget != nil {
			lines = append(lines, campaignLines(a, c)...)
			continue
		}
		lines = append(lines,
			[2]string{"income", fmt.Sprintf("%s of %s to %s, less the fee of %s %%, %s: %s", withUnit(a, c.Gross), c.First,
				c.Last, percent(c.FeeRate), a.Format(c.Fee()), withUnit(a, c.Net))})
		if c.Before.Sign() != 0 {
			lines = append(lines, [2]string{"left before", signedDigits(c.Before, a)})
		}
		for _, d := range c.Days {
			lines = append(lines, [2]string{"weighs", weight(a, d.Millis(), 1) + ", on " + d.Day.String()})
		}
		lines = append(lines,
			[2]string{"share", fmt.Sprintf("%s × %s / %s = %s %s", inDigits(c.Pool, a.Scale),
				overDay(a, c.Mine, 1, shownDigits), overDay(a, c.All, 1, shownDigits), inDigits(c.Parts, a.Scale), a.Symbol)})
	}
	return lines
}

// campaignLines are the working-out of a share of a campaign's budget.
func campaignLines(a ledger.Asset, c reports.Counted) [][2]string {
	b := c.Budget
	budget := fmt.Sprintf("%s %s left / %d days, rounded down = %s", inDigits(c.Before, a.Scale), a.Symbol, b.Days,
		withUnit(a, b.Amount().Units))
	if b.Days == 1 {
		budget = fmt.Sprintf("all that is left, on the last day: %s %s", inDigits(c.Before, a.Scale), a.Symbol)
	}
	held := weight(c.Weighs, c.Days[0].Millis(), 1)
	mine := overDay(c.Weighs, c.Mine, staking.Once, shownDigits)
	all := overDay(c.Weighs, c.All, staking.Once, shownDigits)
	if m := b.Campaign.Measure; m != nil {
		held += ", by " + holdingBy(*m)
	}
	if c.Percent != staking.Once {
		held += " × " + ledger.FormatDecimal(c.Percent, percentScale) + " = " + weight(c.Weighs, c.Mine, staking.Once)
	}
	return [][2]string{
		{"campaign", fmt.Sprintf("%s: %s, for %s of %s", b.Campaign.ID, b.Campaign.Title, b.Token, c.First)},
		{"budget", budget},
		{"weighs", held},
		{"share", fmt.Sprintf("%s × %s / %s = %s %s", inDigits(c.Pool, a.Scale), mine, all, inDigits(c.Parts, a.Scale),
			a.Symbol)},
	}
}

// signedDigits is what a distribution left, or is missing.
func signedDigits(parts *big.Int, a ledger.Asset) string {
	if parts.Sign() < 0 {
		return "- " + inDigits(new(big.Int).Neg(parts), a.Scale) + " " + a.Symbol
	}
	return "+ " + inDigits(parts, a.Scale) + " " + a.Symbol
}

// weighingLines are what becomes of a day in the mode share.
func weighingLines(a ledger.Asset, w *reports.DayWeight) (lines [][2]string) {
	if w == nil {
		return nil
	}
	mine, all := w.Whole()
	weighs := weight(a, mine, 1)
	if all.Sign() > 0 {
		weighs += ", of everybody's " + weight(a, all, 1)
	}
	lines = append(lines, [2]string{"this day weighs", weighs})
	for _, p := range w.PaidBy {
		lines = append(lines, [2]string{"paid", fmt.Sprintf("with the reward of %s, which divides %s to %s", p.PaidOn,
			p.First, p.Last)})
	}
	for _, p := range w.Entered {
		lines = append(lines, [2]string{"income", fmt.Sprintf("of %s to %s, entered on %s: divided when %s is settled",
			p.First, p.Last, p.PaidOn, p.PaidOn)})
	}
	switch {
	case len(w.PaidBy) > 0:
	case w.EstimateKnown:
		lines = append(lines, [2]string{"estimate", fmt.Sprintf("about %s, at %s %% a year, the current rate; "+
			"it promises nothing", withUnit(a, w.Estimate), percent(w.Rate.Net))})
	default:
		lines = append(lines, [2]string{"estimate", "none before the first period is paid"})
	}
	return lines
}
