package api

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

type todayOut struct {
	Day          string     `json:"day" format:"date" example:"2026-11-22" doc:"Today, in UTC."`
	At           string     `json:"at" format:"date-time" example:"2026-11-22T18:00:00.000Z" doc:"The moment of these figures."`
	On           bool       `json:"on" doc:"Whether the switch is on."`
	Enrolled     bool       `json:"enrolled" doc:"Whether today is measured and will be paid."`
	MeasuredFrom string     `json:"measuredFrom,omitempty" format:"date" example:"2026-11-23" doc:"The first day that is measured, where the switch is on."`
	Notice       string     `json:"notice,omitempty" doc:"Why today is not measured, as a sentence."`
	Tokens       []todayFor `json:"tokens" doc:"Each token on offer, by symbol."`
}

type todayFor struct {
	Asset    string   `json:"asset" example:"BNB" doc:"Symbol."`
	Terms    TermsOut `json:"terms" doc:"Those of today."`
	Free     string   `json:"free" example:"3" doc:"The free balance now."`
	Opening  string   `json:"opening" example:"2" doc:"The free balance at 00:00."`
	SoFar    string   `json:"averageSoFar" example:"2.33333333" doc:"The average free balance since 00:00, rounded down."`
	Average  string   `json:"average" example:"2.5" doc:"The average of the whole day, if nothing moves any more, rounded down."`
	Eligible string   `json:"eligible" example:"2.5" doc:"What of that average would earn: up to the cap; 0 where it is below the minimum or today is not measured."`
	Reward   string   `json:"reward" example:"0.00001027" doc:"What today would pay then, rounded down, with what earlier rewards have carried on."`
	Awaited  string   `json:"awaited,omitempty" format:"date" example:"2026-11-21" doc:"The first day whose reward is still to come. These figures are without it, and without what it carries on; it will count from 00:00 of the day after it."`
	Notice   string   `json:"notice,omitempty" doc:"Notes on these figures, in sentences."`
}

func (s *server) todayRoutes() {
	get(s, "/v1/accounts/{account}/today", everyone, reader.getToday,
		about("get-today", "Soft Staking", "Read today so far",
			"For each token on offer the average since 00:00 UTC, "+
				"and what the day would pay if nothing moved any more. It is the same working-out that the day is paid by.", 404))
}

func showToday(h reports.Holder) todayOut {
	covered := h.Covers(h.Today)
	out := todayOut{Day: h.Today.String(), At: instant(h.At), On: h.On(), Enrolled: covered}
	out.Tokens = make([]todayFor, len(h.Tokens))
	if h.On() {
		out.MeasuredFrom = h.Running.From.String()
	}
	switch {
	case covered:
	case h.On():
		out.Notice = fmt.Sprintf("Soft Staking was switched on today: measuring begins with %s, at 00:00 UTC.",
			h.Running.From)
	default:
		out.Notice = "Soft Staking is off: today is not measured. It earns from the day after it is switched on."
	}
	for i, t := range h.Tokens {
		out.Tokens[i] = showTodayFor(t, covered)
	}
	return out
}

func showTodayFor(t reports.OfferedToken, covered bool) todayFor {
	a, m := t.Asset, t.Measured
	out := todayFor{
		Asset: a.Symbol, Terms: showTerms(a, t.Terms), Free: a.Format(t.Free), Opening: a.Format(m.Opening),
		SoFar: a.Format(t.SoFar), Average: a.Format(m.Average), Eligible: "0", Reward: "0",
	}
	if t.Reached && covered {
		out.Eligible, out.Reward = a.Format(m.Eligible), a.Format(m.Reward)
	}
	switch {
	case !covered:
	case !t.Reached:
		out.Notice = fmt.Sprintf("The day's average would be below the minimum of %s %s: it would pay nothing.",
			a.Format(t.Terms.Min), a.Symbol)
	case m.Average > t.Terms.Cap || (m.Average == t.Terms.Cap && m.Rest > 0):
		out.Notice = fmt.Sprintf("What lies above the cap of %s %s earns nothing.", a.Format(t.Terms.Cap), a.Symbol)
	}
	if t.Awaited != 0 {
		out.Awaited = t.Awaited.String()
		out.Notice = join(out.Notice, awaiting(t.Awaited))
	}
	return out
}

func awaiting(d staking.Day) string {
	return fmt.Sprintf("%s is not settled yet: what it pays is still to come, and is not in these figures.", d)
}

// join puts one sentence behind another.
func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + " " + b
}

func (rd reader) getToday(ctx context.Context, in *AccountIn) (*answer[todayOut], error) {
	h, err := rd.Holder(ctx, in.id(), staking.Client{}, reports.Accruals)
	return say(showToday(h), err)
}
