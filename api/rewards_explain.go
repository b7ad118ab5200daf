package api

import (
	"context"
	"strconv"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

type explainIn struct {
	AccountIn
	Day   string `path:"day" format:"date" example:"2026-11-21" doc:"The day that was measured, 00:00 to 24:00 UTC."`
	Asset string `path:"asset" maxLength:"20" example:"BNB" doc:"Token."`
}

type explanationOut struct {
	Day      string      `json:"day" format:"date" example:"2026-11-21" doc:"The day that was measured."`
	Asset    string      `json:"asset" example:"BNB" doc:"Token."`
	Over     bool        `json:"over" doc:"Whether the day has ended. If not, the figures assume that the balance does not change any more."`
	Enrolled bool        `json:"enrolled" doc:"Whether the switch was on for the whole day."`
	Earned   bool        `json:"earned" doc:"Whether there is a reward, or will be."`
	Paid     bool        `json:"paid" doc:"Whether it is credited."`
	Credited string      `json:"creditedAt,omitempty" format:"date-time" doc:"When it was credited."`
	Reason   string      `json:"reason,omitempty" doc:"Why there is no reward, or not yet, as a sentence."`
	Terms    *TermsOut   `json:"terms,omitempty" doc:"Those of the day. Absent where the token had none yet."`
	Opening  string      `json:"opening" example:"2" doc:"The free balance at 00:00."`
	Changes  []changeOut `json:"changes" doc:"Each change of the free balance on the day, in order of time."`
	Average  string      `json:"average" example:"2.14" doc:"The day's average free balance, rounded down."`
	Eligible string      `json:"eligible" example:"2.14" doc:"What of the average earns: up to the cap."`
	Reward   string      `json:"reward" example:"0.00000879" doc:"In whole tokens, rounded down."`
	Working  *workingOut `json:"working,omitempty" doc:"The exact working-out, in whole numbers. Absent where nothing is earned."`

	Compensations []compensationOut `json:"compensations,omitempty" doc:"What was made good since of what the reward was too low by. It is no part of the reward."`
}

type changeOut struct {
	At      string         `json:"at" format:"date-time" example:"2026-11-21T12:00:00.000Z" doc:"When it counts."`
	Entry   string         `json:"entry" example:"d-1" doc:"ID of the entry."`
	Kind    ledger.Kind    `json:"kind" example:"deposit" doc:"What happened."`
	Change  string         `json:"change" example:"-0.5" doc:"What came, or went if it is below zero."`
	Balance string         `json:"balance" example:"1.5" doc:"The free balance after it."`
	Other   ledger.Account `json:"counterparty" example:"@custody" doc:"Where it came from, or went to."`
}

// workingOut are whole numbers of any length, as text: what a program would
// otherwise read as numbers that are rounded.
type workingOut struct {
	Integral  string `json:"integral" example:"18489600000000000" doc:"The free balance summed over the day: smallest units × milliseconds."`
	Earning   string `json:"earning" example:"18489600000000000" doc:"The part of it that earns: at most the cap × 86,400,000."`
	Rate      string `json:"rate" example:"150000" doc:"The rate a year in 1e-8."`
	Before    string `json:"carriedBefore" example:"0" doc:"What the reward before left, as a part of the divisor."`
	Numerator string `json:"numerator" example:"2773440000000000000000" doc:"earning × rate + carriedBefore."`
	Divisor   string `json:"divisor" example:"3153600000000000000" doc:"365 × 86,400,000 × 10^8."`
	Units     string `json:"units" example:"879" doc:"numerator / divisor, rounded down: the reward in smallest units."`
	After     string `json:"carriedAfter" example:"1425600000000000000" doc:"The rest of that division. It is carried into the next reward."`
}

func (rd reader) explain(ctx context.Context, in *explainIn) (*answer[explanationOut], error) {
	day, err := staking.ParseDay(in.Day)
	if err != nil {
		return nil, ledger.At("day", err)
	}
	e, err := rd.Explain(ctx, in.id(), day, in.Asset)
	if err != nil {
		return nil, err
	}
	a, m := e.Asset, e.Measured
	out := explanationOut{
		Day: day.String(), Asset: a.Symbol, Over: e.Over, Enrolled: e.Enrolled, Earned: e.Earned, Paid: e.Paid,
		Reason:  e.Reason,
		Opening: a.Format(m.Opening), Average: a.Format(m.Average), Eligible: "0", Reward: "0",
		Changes: make([]changeOut, 0, len(e.Changes)),
	}
	if token(ctx).Role == access.Holder && e.Earned && e.Over && !e.Paid {
		// what the pool has and a day's totals are the operator's
		out.Reason = "It has not been credited yet. It comes by itself."
	}
	if e.Paid {
		out.Credited = instant(e.PaidAt)
	}
	if e.TermsKnown {
		out.Terms = new(showTerms(a, e.Terms))
	}
	if e.Earned {
		out.Eligible, out.Reward, out.Working = a.Format(m.Eligible), a.Format(m.Reward), work(e)
	}
	for _, c := range e.Changes {
		out.Changes = append(out.Changes,
			changeOut{instant(c.At), c.Entry, c.Kind, a.Format(c.Amount), a.Format(c.Balance), c.Other})
	}
	for _, c := range e.Compensations {
		out.Compensations = append(out.Compensations,
			compensationOut{Entry: c.Entry, Amount: a.Format(c.Amount), At: instant(c.At)})
	}
	return say(out, nil)
}

// work writes the figures of a reward as one would work it out on paper.
func work(e reports.Explanation) *workingOut {
	p := e.Paper()
	return &workingOut{
		Integral: p.Integral.String(), Earning: p.Earning.String(), Rate: strconv.FormatInt(int64(e.Measured.APR), 10),
		Before:    strconv.FormatInt(int64(e.Measured.Before), 10),
		Numerator: p.Numerator.String(), Divisor: p.Divisor.String(), Units: p.Units.String(), After: p.Carry.String(),
	}
}
