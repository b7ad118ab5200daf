package web

import (
	"fmt"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// chart is a token's rewards of some days, and what of it was held: the table that
// the charts are drawn from.
type chart struct {
	Asset    ledger.Asset
	Any      bool     // there were rewards, in whatever token and whenever
	Choice   []string // the tokens that may be chosen
	Days     int
	From, To staking.Day
	Points   []reports.Reward // the newest first; days without a reward are left out
	Reward   ledger.Amount    // the largest
	Holding  ledger.Amount    // the largest average or balance at 00:00
}

// chartDays are the lengths that may be chosen. The first is the usual one.
var chartDays = []int{30, 90}

// Lengths are the numbers of days that may be chosen.
func (c chart) Lengths() []int { return chartDays }

// Here is the address of the page with a chart.
func (c chart) Here(asset string, days int) string {
	return fmt.Sprintf("/earn?asset=%s&days=%d", asset, days)
}

// chart reads what the visitor has chosen to see: of a token that they have had
// rewards of or may earn with, else of the one that bears the tag.
func (v *visit) chart(e earning) (c chart, err error) {
	c.Choice = earned(e.Holder)
	c.Any = len(c.Choice) > 0
	for _, symbol := range e.qualifying() {
		if !slices.Contains(c.Choice, symbol) {
			c.Choice = append(c.Choice, symbol)
		}
	}
	slices.Sort(c.Choice)
	if len(c.Choice) == 0 {
		return c, nil
	}
	symbol := v.value("asset")
	if !slices.Contains(c.Choice, symbol) {
		if symbol, err = v.tagged(e); err != nil {
			return c, err
		}
	}
	if !slices.Contains(c.Choice, symbol) {
		symbol = c.Choice[0]
	}
	c.Asset, c.Days = e.Assets[symbol], chartDays[0]
	for _, days := range chartDays {
		if v.value("days") == fmt.Sprint(days) {
			c.Days = days
		}
	}
	c.To = e.Holder.Today - 1
	c.From = c.To - staking.Day(c.Days) + 1
	c.Points, err = v.Reports.RewardPage(v.context(), v.account(),
		reports.RewardsAsked{From: c.From, To: c.To, Asset: symbol, Newest: true}, nil, c.Days)
	for _, r := range c.Points {
		c.Reward, c.Holding = max(c.Reward, r.Reward), max(c.Holding, r.Average, r.Opening)
	}
	return c, err
}

// tagged is the token that bears the tag on the Spot page, or "".
func (v *visit) tagged(e earning) (string, error) {
	prices, err := v.Reports.PricesFor(v.context(), e.Holder.Today)
	if err != nil {
		return "", err
	}
	return tagOf(e.Holder.Tokens, prices), nil
}
