package api

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

type RewardOut struct {
	Day       string  `json:"day" format:"date" example:"2026-11-21" doc:"The day that was measured."`
	Asset     string  `json:"asset" example:"BNB" doc:"The token that was held, and in which it is paid."`
	Opening   string  `json:"opening" example:"2" doc:"The free balance at 00:00, in whole tokens."`
	Average   string  `json:"average" example:"2.14" doc:"The day's average free balance, rounded down."`
	Eligible  string  `json:"eligible" example:"2.14" doc:"What of the average earned: up to the cap."`
	APR       string  `json:"apr" example:"0.0015" doc:"Rate a year as a fraction."`
	Reward    string  `json:"reward" example:"0.00000879" doc:"What was credited, rounded down. What the rounding left is carried into the next reward."`
	PriceUSDT *string `json:"priceUsdt" example:"600" doc:"What a whole token was worth on the day, in USDT; null: not known."`
	ValueUSDT *string `json:"valueUsdt" example:"0.005274" doc:"What the reward was worth on its day, in USDT, rounded down to 1e-8; null: not known."`
	Credited  string  `json:"creditedAt" format:"date-time" example:"2026-11-22T00:05:01.000Z" doc:"When it was credited. It counts from the end of its day."`
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
	get(s, "/v1/accounts/{account}/rewards", everyone, reader.rewards,
		about("list-rewards", "Soft Staking", "List an account's rewards",
			"Those that are credited, of the newest day first, then by token. "+
				"A day of less than a smallest unit is among them, with a reward of 0: it is carried on.", 404))
	get(s, "/v1/accounts/{account}/rewards/{day}/{asset}", everyone, reader.explain,
		about("explain-reward", "Soft Staking", "Explain a reward",
			"How an account's reward of a day came about, step by step and exactly, or why there was none. "+
				"A day that is not over is measured as if nothing moved any more.", 404))
	get(s, "/v1/accounts/{account}/earnings", everyone, reader.earnings,
		about("get-earnings", "Soft Staking", "Sum an account's rewards",
			"All rewards ever credited: by token, and together in USDT at the prices of their days.", 404))
}

func (rd reader) rewards(ctx context.Context, in *rewardsIn) (*answer[list[RewardOut]], error) {
	from, to, err := rd.period(in.DaysIn)
	if err != nil {
		return nil, err
	}
	keys := keyset[reports.Reward, reports.RewardKey]{
		2, func(r reports.Reward) []string { return []string{r.Day.String(), r.Asset} },
		func(parts []string) (reports.RewardKey, error) {
			day, err := staking.ParseDay(parts[0])
			return reports.RewardKey{Day: day, Asset: parts[1]}, err
		},
	}
	asked := reports.RewardsAsked{From: from, To: to, Asset: in.Asset, Newest: true}
	return pageOf(in.Paging, keys, func(after *reports.RewardKey, limit int) ([]reports.Reward, error) {
		return rd.RewardPage(ctx, in.id(), asked, after, limit)
	}, func(r reports.Reward) (RewardOut, error) { return rd.showReward(ctx, r) })
}

func (rd reader) showReward(ctx context.Context, r reports.Reward) (RewardOut, error) {
	a, err := rd.Asset(ctx, r.Asset)
	return RewardOut{
		Day: r.Day.String(), Asset: r.Asset, Opening: a.Format(r.Opening), Average: a.Format(r.Average),
		Eligible: a.Format(r.Eligible), APR: r.APR.String(), Reward: a.Format(r.Reward),
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
	return say(out, nil)
}
