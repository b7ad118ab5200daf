package binance

import (
	"net/http"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// softStaking are the exchange's three endpoints of Soft Staking.
var softStaking = []endpoint{
	get("/sapi/v1/soft-staking/list", access.Read, 50, list),
	{http.MethodGet, "/sapi/v1/soft-staking/set", access.Trade, 50, nil, set},
	get("/sapi/v1/soft-staking/history/rewardsRecord", access.Read, 50, rewardsRecord),
}

// listing is what list answers.
type listing struct {
	Status           bool      `json:"status"`
	TotalRewardsUSDT string    `json:"totalRewardsUsdt"`
	Rows             []product `json:"rows"`
	Total            int       `json:"total"`
}

// product is a token on offer, and what the account has of it.
type product struct {
	Asset        string `json:"asset"`
	MinAmount    string `json:"minAmount"`
	MaxCap       string `json:"maxCap"`
	APR          string `json:"apr"` // in the mode share that of the last complete day, after the fee
	StakedAmount string `json:"stakedAmount"`
	TotalProfit  string `json:"totalProfit"`
}

// list copies GET /sapi/v1/soft-staking/list. The filter does not change the total in USDT.
func list(r *request) (any, error) {
	asset, err := r.parameters.asset("asset")
	if err != nil {
		return nil, err
	}
	offset, size, err := r.page()
	if err != nil {
		return nil, err
	}
	h, err := r.Holder(r.ctx, r.account, staking.Client{}, reports.Offer|reports.Value)
	if err != nil {
		return nil, err
	}
	answer := listing{Status: h.On(), TotalRewardsUSDT: formatValue(int64(h.Value)), Rows: []product{}}
	for _, t := range h.Tokens {
		if asset != "" && asset != t.Asset.Symbol {
			continue
		}
		if answer.Total++; answer.Total > offset && len(answer.Rows) < size {
			answer.Rows = append(answer.Rows, product{
				Asset: t.Asset.Symbol, MinAmount: t.Asset.Format(t.Terms.Min), MaxCap: t.Asset.Format(t.Terms.Cap),
				APR:          t.Rate.Net.String(),
				StakedAmount: t.Asset.Format(t.Counting), TotalProfit: t.Asset.Format(t.Earned),
			})
		}
	}
	return answer, nil
}

// set copies GET /sapi/v1/soft-staking/set. It changes something though it is a GET,
// and clients send a GET again: the same switch twice is a success.
func set(r *request, books *store.DB) (any, error) {
	if _, err := r.parameters.need("softStaking"); err != nil {
		return nil, err
	}
	on, err := r.parameters.flag("softStaking", false)
	if err != nil {
		return nil, err
	}
	caller := access.CallerOf(r.ctx)
	client := staking.Client{
		Platform: caller.Platform, Version: caller.Version, Country: staking.Region(caller.Country),
		NeedCountry: caller.NeedCountry,
	}
	if caller.Address.IsValid() {
		client.Address = caller.Address.String()
	}
	if on {
		_, err = books.Enroll(r.ctx, r.account, client, time.Time{})
	} else {
		err = books.Leave(r.ctx, r.account, client, time.Time{})
	}
	if err != nil {
		return nil, err
	}
	return struct {
		Success bool `json:"success"`
	}{true}, nil
}

// records is what history/rewardsRecord answers.
type records struct {
	Rows  []record `json:"rows"`
	Total int      `json:"total"`
}

// record is a reward as it was credited.
type record struct {
	Asset       string `json:"asset"`
	Rewards     string `json:"rewards"`
	RewardAsset string `json:"rewardAsset"`
	AvgAmount   string `json:"avgAmount"`
	Time        int64  `json:"time"` // when it was credited, in milliseconds
}

// rewardsRecord copies GET /sapi/v1/soft-staking/history/rewardsRecord.
func rewardsRecord(r *request) (any, error) {
	asset, err := r.parameters.asset("asset")
	if err != nil {
		return nil, err
	}
	from, to, err := r.span(30*day, 93*day)
	if err != nil {
		return nil, err
	}
	offset, size, err := r.page()
	if err != nil {
		return nil, err
	}
	credits, total, err := r.Credited(r.ctx, r.account, from, to, asset, offset, size)
	if err != nil {
		return nil, err
	}
	answer := records{Rows: []record{}, Total: total}
	for _, c := range credits {
		a, err := r.Asset(r.ctx, c.Asset)
		if err != nil {
			return nil, err
		}
		answer.Rows = append(answer.Rows, record{
			Asset: c.Asset, Rewards: a.Format(c.Reward), RewardAsset: c.Asset, AvgAmount: a.Format(c.Average),
			Time: c.PaidAt.UnixMilli(),
		})
	}
	return answer, nil
}
