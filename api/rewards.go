package api

import (
	"context"
	"fmt"
	"strconv"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

type RewardOut struct {
	Day       string  `json:"day" format:"date" example:"2026-11-21" doc:"The day that was measured."`
	Asset     string  `json:"asset" example:"BNB" doc:"The token that was held, and in which it is paid."`
	Opening   string  `json:"opening" example:"2" doc:"The free balance at 00:00, in whole tokens."`
	Average   string  `json:"average" example:"2.14" doc:"What was measured: the day's average free balance, rounded down, or by the measure daily-minimum its smallest."`
	Eligible  string  `json:"eligible" example:"2.14" doc:"What of the average earned: up to the cap."`
	APR       string  `json:"apr" example:"0.0015" doc:"Rate a year as a fraction; 0 where no rate earned any of it, but a share of income or of a campaign."`
	Reward    string  `json:"reward" example:"0.00000879" doc:"What was credited, rounded down. What the rounding left is carried into the next reward."`
	PriceUSDT *string `json:"priceUsdt" example:"600" doc:"What a whole token was worth on the day, in USDT; null: not known."`
	ValueUSDT *string `json:"valueUsdt" example:"0.005274" doc:"What the reward was worth on its day, in USDT, rounded down to 1e-8; null: not known."`
	Credited  string  `json:"creditedAt" format:"date-time" example:"2026-11-22T00:05:01.000Z" doc:"When it was credited. It counts from the end of its day."`
}

// sourcedRewardOut is a reward, and where it came from.
type sourcedRewardOut struct {
	RewardOut
	Sources []string `json:"sources" enum:"rate,income,campaign" doc:"Where it came from, in this order: a rate a year, a share of staking income, shares of campaigns. Empty: it pays only what was carried."`
}

type rewardsIn struct {
	AccountIn
	DaysIn
	Paging
	Asset string `query:"asset" maxLength:"20" example:"BNB" doc:"Only this token."`
}

type earningsOut struct {
	On       bool          `json:"on" doc:"Whether the switch is on."`
	Tokens   []earnedToken `json:"tokens" doc:"Each token in which a reward was ever credited, by symbol; also those that are not offered any more."`
	Value    string        `json:"valueUsdt" example:"3.09827182" doc:"What all rewards were worth on their days, in USDT."`
	Unpriced int           `json:"unpriced" example:"0" doc:"How many rewards are not in the value, since no price of their day is known."`
}

type earnedToken struct {
	Asset  string `json:"asset" example:"BNB" doc:"Symbol."`
	Earned string `json:"earned" example:"0.00171234" doc:"All rewards ever credited, in whole tokens."`
}

func (s *server) rewardRoutes() {
	get(s, "/v1/accounts/{account}/rewards", oneHolder, reader.rewards,
		about("list-rewards", "Soft Staking", "List an account's rewards",
			"Those that are credited, of the newest day first, then by token. "+
				"A day of less than a smallest unit is among them, with a reward of 0: it is carried on.", 404))
	get(s, "/v1/accounts/{account}/rewards/{day}/{asset}", oneHolder, reader.explain,
		about("explain-reward", "Soft Staking", "Explain a reward",
			"How an account's reward of a day came about, step by step and exactly, or why there was none. "+
				"A day that is not over is measured as if nothing moved any more.", 404))
	get(s, "/v1/accounts/{account}/earnings", oneHolder, reader.earnings,
		about("get-earnings", "Soft Staking", "Sum an account's rewards",
			"All rewards ever credited: by token, and together in USDT at the prices of their days.", 404))
}

func (rd reader) rewards(ctx context.Context, in *rewardsIn) (*answer[list[sourcedRewardOut]], error) {
	from, to, err := rd.period(in.DaysIn)
	if err != nil {
		return nil, err
	}
	keys := keyset[reports.SourcedReward, reports.RewardKey]{
		2, func(r reports.SourcedReward) []string { return []string{r.Day.String(), r.Asset} },
		func(parts []string) (reports.RewardKey, error) {
			day, err := staking.ParseDay(parts[0])
			return reports.RewardKey{Day: day, Asset: parts[1]}, err
		},
	}
	asked := reports.RewardsAsked{From: from, To: to, Asset: in.Asset, Newest: true}
	return pageOf(in.Paging, keys, func(after *reports.RewardKey, limit int) ([]reports.SourcedReward, error) {
		return rd.SourcedPage(ctx, in.id(), asked, after, limit)
	}, func(r reports.SourcedReward) (sourcedRewardOut, error) {
		out, err := rd.showReward(ctx, r.Reward)
		return sourcedRewardOut{out, r.Names()}, err
	})
}

func (rd reader) showReward(ctx context.Context, r reports.Reward) (RewardOut, error) {
	a, err := rd.Asset(ctx, r.Asset)
	return RewardOut{
		Day: r.Day.String(), Asset: r.Asset, Opening: a.Format(r.Opening), Average: a.Format(r.Average),
		Eligible: a.Format(r.Eligible), APR: r.RatedAPR().String(), Reward: a.Format(r.Reward),
		PriceUSDT: knownAs(r.PriceKnown, usdt.Format(ledger.Amount(r.Price))),
		ValueUSDT: knownAs(r.PriceKnown, usdt.Format(r.Value)), Credited: instant(r.PaidAt),
	}, err
}

func (rd reader) earnings(ctx context.Context, in *AccountIn) (*answer[earningsOut], error) {
	h, err := rd.Holder(ctx, in.id(), staking.Client{}, reports.Value)
	if err != nil {
		return nil, err
	}
	out := earningsOut{On: h.On(), Tokens: []earnedToken{}, Value: usdt.Format(h.Value), Unpriced: h.Unpriced}
	for _, b := range h.Balances {
		if b.Earned == 0 {
			continue
		}
		a, err := rd.Asset(ctx, b.Asset)
		if err != nil {
			return nil, err
		}
		out.Tokens = append(out.Tokens, earnedToken{b.Asset, a.Format(b.Earned)})
	}
	return reply(out, nil)
}

type explainIn struct {
	AccountIn
	Day   string `path:"day" format:"date" example:"2026-11-21" doc:"The day that was measured, 00:00 to 24:00 UTC."`
	Asset string `path:"asset" maxLength:"20" example:"BNB" doc:"Token."`
}

type explanationOut struct {
	Day      string       `json:"day" format:"date" example:"2026-11-21" doc:"The day that was measured."`
	Asset    string       `json:"asset" example:"BNB" doc:"Token."`
	Over     bool         `json:"over" doc:"Whether the day has ended. If not, the figures assume that the balance does not change any more."`
	Enrolled bool         `json:"enrolled" doc:"Whether the switch was on for the whole day."`
	Excluded string       `json:"excludedBy,omitempty" example:"Launchpool" doc:"The product because of which the day is not measured. Absent: none."`
	Earned   bool         `json:"earned" doc:"Whether there is a reward, or will be."`
	Paid     bool         `json:"paid" doc:"Whether it is credited."`
	Credited string       `json:"creditedAt,omitempty" format:"date-time" doc:"When it was credited."`
	Reason   string       `json:"reason,omitempty" doc:"Why there is no reward, or not yet, as a sentence."`
	Itself   string       `json:"dayItself,omitempty" example:"The day itself is not measured: Launchpool has it." doc:"Why the day itself earns nothing, where the reward is of shares alone, as a sentence. Absent: it earns, or there is no reward."`
	Terms    *TermsOut    `json:"terms,omitempty" doc:"Those of the day. Absent where the token had none yet."`
	Opening  string       `json:"opening" example:"2" doc:"The free balance at 00:00."`
	Changes  []changeOut  `json:"changes" doc:"Each change of the free balance on the day, in order of time."`
	Average  string       `json:"average" example:"2.14" doc:"What was measured: the day's average free balance, rounded down, or by the measure daily-minimum its smallest."`
	Together *togetherOut `json:"together,omitempty" doc:"Where minimum and cap are those of an owner's accounts together, and others of them held something: what all of them held. Absent: this account alone is compared."`
	Eligible string       `json:"eligible" example:"2.14" doc:"What of the average earns: up to the cap, or to the account's part of it."`
	Reward   string       `json:"reward" example:"0.00000879" doc:"In whole tokens, rounded down."`
	Working  *workingOut  `json:"working,omitempty" doc:"The exact working-out, in whole numbers. Absent where nothing is earned."`

	Shares    []shareOut         `json:"shares,omitempty" doc:"The shares of staking income that are part of the reward: of periods that are divided on this day."`
	Campaigns []campaignShareOut `json:"campaigns,omitempty" doc:"The shares of campaigns that are part of the reward: of their budgets for the day before."`
	Weighing  *weighingOut       `json:"weighing,omitempty" doc:"In the mode share: what the day weighs in the distribution of its period, and what becomes of it."`

	Compensations []compensationOut `json:"compensations,omitempty" doc:"What was made good since of what the reward was too low by. It is no part of the reward."`
}

// togetherOut is what the accounts of an owner were measured at. It names none of them.
type togetherOut struct {
	Average   string `json:"average" example:"15" doc:"The sum of what its accounts were measured at, in whole tokens, rounded down. Minimum and cap are compared with it."`
	Integral  string `json:"integral" example:"129600000000000000" doc:"The same exactly: smallest units × milliseconds."`
	CapShared bool   `json:"capShared" doc:"Whether the accounts share the cap: earning is cap × 86,400,000 × the account's integral / this one, rounded down."`
}

func showTogether(e reports.Explanation) *togetherOut {
	if e.Together == (staking.Integral{}) {
		return nil
	}
	average, _ := e.Compared()
	return &togetherOut{e.Asset.Format(average), e.Together.String(), e.Earned && e.CapShared()}
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
	Integral  string `json:"integral" example:"18489600000000000" doc:"The free balance summed over the day: smallest units × milliseconds. By the measure daily-minimum, the smallest balance × 24 h."`
	Earning   string `json:"earning" example:"18489600000000000" doc:"The part of it that earns: at most the cap × 86,400,000, or the account's part of that."`
	Rate      string `json:"rate" example:"150000" doc:"The rate a year in 1e-8."`
	Before    string `json:"carriedBefore" example:"0" doc:"What the reward before left, as a part of the divisor."`
	Shared    string `json:"shared" example:"0" doc:"The sum of the shares, each as a part of the divisor."`
	Numerator string `json:"numerator" example:"2773440000000000000000" doc:"earning × rate + shared + carriedBefore."`
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
		Reason: e.Reason, Excluded: e.Excluded, Itself: e.ItselfReason,
		Opening: a.Format(m.Opening), Average: a.Format(m.Average), Eligible: "0", Reward: "0",
		Changes: make([]changeOut, 0, len(e.Changes)), Together: showTogether(e),
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
		out.Shares, out.Campaigns, out.Weighing = showShares(e), showCampaignShares(e), showWeighing(e)
	}
	for _, c := range e.Changes {
		out.Changes = append(out.Changes,
			changeOut{instant(c.At), c.Entry, c.Kind, a.Format(c.Amount), a.Format(c.Balance), c.Other})
	}
	for _, c := range e.Compensations {
		out.Compensations = append(out.Compensations,
			compensationOut{Entry: c.Entry, Amount: a.Format(c.Amount), At: instant(c.At)})
	}
	return reply(out, nil)
}

// work writes the figures of a reward as one would work it out on paper.
func work(e reports.Explanation) *workingOut {
	p := e.Paper()
	return &workingOut{
		Integral: p.Integral.String(), Earning: p.Earning.String(), Rate: strconv.FormatInt(int64(e.Measured.APR), 10),
		Before: strconv.FormatInt(int64(e.Measured.Before), 10),
		Shared: p.Shared.String(), Numerator: p.Numerator.String(), Divisor: p.Divisor.String(),
		Units: p.Units.String(), After: p.Carry.String(),
	}
}

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
	SoFar    string   `json:"averageSoFar" example:"2.33333333" doc:"The average free balance since 00:00, rounded down; by the measure daily-minimum, the smallest."`
	Average  string   `json:"average" example:"2.5" doc:"What is measured of the whole day if nothing moves any more: the average, rounded down, or by the measure daily-minimum the smallest balance."`
	Together string   `json:"together,omitempty" example:"15" doc:"Where minimum and cap are those of an owner's accounts together, and others of them hold something: the sum of what is measured of all of them, if nothing moves any more. Absent also where this account is not measured today."`
	Eligible string   `json:"eligible" example:"2.5" doc:"What of that average would earn: up to the cap; 0 where it is below the minimum or today is not measured."`
	Reward   string   `json:"reward" example:"0.00001027" doc:"What today would pay then, rounded down, with what earlier rewards have carried on. In the mode share, without the shares of income that are divided today."`
	Estimate string   `json:"estimate,omitempty" example:"0.00028" doc:"In the mode share: what today would come to at the current net rate, rounded down. It promises nothing. Absent before the first."`
	Awaited  string   `json:"awaited,omitempty" format:"date" example:"2026-11-21" doc:"The first day whose reward is still to come. These figures are without it, and without what it carries on; it will count from 00:00 of the day after it."`
	Excluded string   `json:"excludedBy,omitempty" example:"Launchpool" doc:"The product because of which today is not measured. Absent: none."`
	Notice   string   `json:"notice,omitempty" doc:"Notes on these figures, in sentences."`
}

func (s *server) todayRoutes() {
	get(s, "/v1/accounts/{account}/today", oneHolder, reader.getToday,
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
		SoFar: a.Format(t.SoFar), Average: a.Format(m.Average), Eligible: "0", Reward: "0", Excluded: t.Excluded,
	}
	if together, joint := t.Together(); joint && covered && t.Excluded == "" {
		out.Together = a.Format(together)
	}
	if t.Reached && covered {
		out.Eligible, out.Reward = a.Format(m.Eligible), a.Format(m.Reward)
		if units, known := t.Estimate(); known {
			out.Estimate = a.Format(units)
		}
	}
	if covered {
		out.Notice = noticeOf(t)
	}
	if t.Awaited != 0 {
		out.Awaited = t.Awaited.String()
		out.Notice = join(out.Notice, awaiting(t.Awaited))
	}
	return out
}

// noticeOf says what keeps today's figures of a token from being what was measured.
func noticeOf(t reports.OfferedToken) string {
	a, measured, whose := t.Asset, "average", ""
	if t.Terms.Measure == staking.Lowest {
		measured = "smallest balance"
	}
	together, joint := t.Together()
	if joint {
		whose = " of all accounts of the owner together, " + a.Format(together) + " " + a.Symbol + ","
	}
	m := t.Measured
	switch {
	case t.Excluded != "":
		return fmt.Sprintf("%s is not measured today: %s has it.", a.Symbol, t.Excluded)
	case !t.Reached:
		return fmt.Sprintf("The day's %s%s would be below the minimum of %s %s: it would pay nothing.", measured, whose,
			a.Format(t.Terms.Min), a.Symbol)
	case joint && together >= t.Terms.Cap:
		return fmt.Sprintf("All accounts of the owner together have %s %s and share the cap of %s.", a.Format(together),
			a.Symbol, a.Format(t.Terms.Cap))
	case m.Average > t.Terms.Cap || (m.Average == t.Terms.Cap && m.Rest > 0):
		return fmt.Sprintf("What lies above the cap of %s %s earns nothing.", a.Format(t.Terms.Cap), a.Symbol)
	}
	return ""
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
	return reply(showToday(h), err)
}
