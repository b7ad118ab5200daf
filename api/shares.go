package api

import (
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// shareOut is a share of a period's income. Weights are whole numbers of any length, as text.
type shareOut struct {
	First    string       `json:"first" format:"date" example:"2026-11-16" doc:"The first day of the period."`
	Last     string       `json:"last" format:"date" example:"2026-11-20" doc:"The last day of the period."`
	Gross    string       `json:"gross" example:"125.5" doc:"The staking income of the period, in whole tokens."`
	FeeRate  string       `json:"feeRate" example:"0.3" doc:"The part that the operator keeps, by the terms of the last day."`
	Fee      string       `json:"fee" example:"37.65" doc:"What the operator kept."`
	Net      string       `json:"net" example:"87.85" doc:"The rest."`
	Before   string       `json:"before" example:"0" doc:"What the distribution before left, or is missing, as a part of the divisor of working."`
	Weight   string       `json:"weight" example:"92448000000000000" doc:"What the account's days of the period weigh: eligible smallest units × milliseconds."`
	Total    string       `json:"total" example:"924480000000000000" doc:"The same of everybody."`
	Share    string       `json:"share" doc:"(net + before) × weight / total, rounded down, as a part of the divisor of working."`
	Amount   string       `json:"amount" example:"8.785" doc:"The same in whole tokens, rounded down."`
	Days     []weighedOut `json:"days" doc:"What each of the account's days weighs, in order. Days that weigh nothing are left out."`
	Declared bool         `json:"declared" doc:"Whether it is declared, and does not change any more."`
}

type weighedOut struct {
	Day      string `json:"day" format:"date" example:"2026-11-20" doc:"The day."`
	Eligible string `json:"eligible" example:"2.14" doc:"What of its average was eligible, in whole tokens, rounded down."`
	Weight   string `json:"weight" example:"18489600000000000" doc:"Eligible smallest units × milliseconds."`
}

type weighingOut struct {
	Weight   string       `json:"weight" example:"18489600000000000" doc:"What the day weighs: eligible smallest units × milliseconds."`
	Total    string       `json:"total,omitempty" example:"184896000000000000" doc:"The same of everybody. Absent before the day is declared."`
	Waits    bool         `json:"waits" doc:"Whether it waits for the income of its period: none is entered."`
	Estimate string       `json:"estimate,omitempty" example:"0.00028" doc:"What a day that no period has divided comes to at the current net rate, in whole tokens, rounded down. It promises nothing. Absent before the first, and where one has."`
	Rate     string       `json:"estimateRate,omitempty" example:"0.0287" doc:"The rate of the estimate."`
	PaidBy   []paymentOut `json:"paidBy" doc:"The periods that have the day and are divided, in the order in which they are paid."`
	Entered  []paymentOut `json:"entered" doc:"The periods that have the day and whose income is entered, and divided when that day is settled."`
}

type paymentOut struct {
	Day   string `json:"day" format:"date" example:"2026-11-22" doc:"The day whose reward has the share."`
	First string `json:"first" format:"date" example:"2026-11-16" doc:"The first day of the period."`
	Last  string `json:"last" format:"date" example:"2026-11-20" doc:"The last day of the period."`
}

// campaignShareOut is a share of a campaign's budget of a day.
type campaignShareOut struct {
	Campaign string `json:"campaign" example:"spring" doc:"The campaign's ID."`
	Title    string `json:"title" example:"Hold BNB, get SOL" doc:"What holders see."`
	Token    string `json:"token" example:"BNB" doc:"The eligible token that was weighed."`
	Day      string `json:"day" format:"date" example:"2026-12-01" doc:"The day that was weighed: the one before the reward's."`
	Left     string `json:"left" doc:"What of the token's part of the pool was left, as a part of the divisor of working."`
	DaysLeft int64  `json:"daysLeft" example:"30" doc:"The campaign's days that were left, with this one."`
	Budget   string `json:"budget" example:"33.33333333" doc:"The day's: left / daysLeft, rounded down to a smallest unit; on the last day all that is left."`
	Measure  string `json:"measure,omitempty" enum:"average,daily-minimum" example:"daily-minimum" doc:"What of the day counts, where the campaign has a measure of its own. Absent: as the token's terms of the day say."`
	Eligible string `json:"eligible" example:"2.14" doc:"What of the account's day was eligible, in whole eligible tokens, rounded down."`
	Factor   string `json:"factor" example:"1.5" doc:"What it counts."`
	Weight   string `json:"weight" example:"2773440000000000000" doc:"What the day weighs: eligible smallest units × milliseconds × 100 × factor."`
	Total    string `json:"total" example:"27734400000000000000" doc:"The same of everybody."`
	Share    string `json:"share" doc:"budget × weight / total, rounded down, as a part of the divisor of working."`
	Amount   string `json:"amount" example:"3.33333333" doc:"The same in whole tokens, rounded down."`
	Declared bool   `json:"declared" doc:"Whether it is declared, and does not change any more."`
}

func showCampaignShares(e reports.Explanation) (all []campaignShareOut) {
	for _, c := range e.Paper().Shares {
		b := c.Budget
		if b == nil {
			continue
		}
		all = append(all, campaignShareOut{
			Campaign: b.Campaign.ID, Title: b.Campaign.Title, Token: b.Token, Day: c.First.String(), Left: c.Before.String(),
			DaysLeft: b.Days, Budget: e.Asset.Format(b.Amount().Units), Measure: b.Campaign.MeasureName(),
			Eligible: c.Weighs.Format(c.Days[0].Eligible),
			Factor:   ledger.FormatDecimal(c.Percent, factorScale), Weight: c.Mine.String(), Total: c.All.String(),
			Share: c.Parts.String(), Amount: e.Asset.Format(c.Exact.Units), Declared: c.Declared,
		})
	}
	return all
}

func showShares(e reports.Explanation) (all []shareOut) {
	a := e.Asset
	for _, c := range e.Paper().Shares {
		if c.Budget != nil {
			continue
		}
		out := shareOut{
			First: c.First.String(), Last: c.Last.String(), Gross: a.Format(c.Gross), FeeRate: c.FeeRate.String(),
			Fee: a.Format(c.Fee()), Net: a.Format(c.Net), Before: c.Before.String(), Weight: c.Mine.String(),
			Total: c.All.String(), Share: c.Parts.String(), Amount: a.Format(c.Exact.Units), Declared: c.Declared,
		}
		for _, d := range c.Days {
			out.Days = append(out.Days, weighedOut{d.Day.String(), a.Format(d.Eligible), d.Integral.String()})
		}
		all = append(all, out)
	}
	return all
}

func showWeighing(e reports.Explanation) *weighingOut {
	w := e.Weighing
	if w == nil {
		return nil
	}
	out := weighingOut{Weight: w.Integral.String(), Waits: w.Waits(), PaidBy: showPayments(w.PaidBy),
		Entered: showPayments(w.Entered)}
	if w.All != (staking.Integral{}) {
		out.Total = w.All.String()
	}
	if len(w.PaidBy) == 0 && w.EstimateKnown {
		out.Estimate, out.Rate = e.Asset.Format(w.Estimate), w.Rate.Net.String()
	}
	return &out
}

func showPayments(payments []reports.Payment) []paymentOut {
	all := []paymentOut{}
	for _, p := range payments {
		all = append(all, paymentOut{p.PaidOn.String(), p.First.String(), p.Last.String()})
	}
	return all
}
