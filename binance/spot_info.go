package binance

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
)

// rateLimit is one of the exchange's limits, in its own form.
type rateLimit struct {
	Type     string `json:"rateLimitType"`
	Interval string `json:"interval"`
	Number   int    `json:"intervalNum"`
	Limit    int    `json:"limit"`
}

// symbol is a pair of assets, in the fields of the exchange. Nothing is traded here:
// a pair has a name, by which clients ask what an asset is worth, and figures, by
// which they cut amounts.
type symbol struct {
	Symbol                   string     `json:"symbol"`
	Status                   string     `json:"status"`
	BaseAsset                string     `json:"baseAsset"`
	BasePrecision            int        `json:"baseAssetPrecision"`
	QuoteAsset               string     `json:"quoteAsset"`
	QuotePrecision           int        `json:"quotePrecision"`
	QuoteAssetPrecision      int        `json:"quoteAssetPrecision"`
	BaseCommissionPrecision  int        `json:"baseCommissionPrecision"`
	QuoteCommissionPrecision int        `json:"quoteCommissionPrecision"`
	OrderTypes               []string   `json:"orderTypes"`
	Iceberg                  bool       `json:"icebergAllowed"`
	OCO                      bool       `json:"ocoAllowed"`
	OTO                      bool       `json:"otoAllowed"`
	QuoteOrderQuantity       bool       `json:"quoteOrderQtyMarketAllowed"`
	TrailingStop             bool       `json:"allowTrailingStop"`
	CancelReplace            bool       `json:"cancelReplaceAllowed"`
	AmendKeepPriority        bool       `json:"amendAllowed"`
	SpotTrading              bool       `json:"isSpotTradingAllowed"`
	MarginTrading            bool       `json:"isMarginTradingAllowed"`
	Filters                  []any      `json:"filters"`
	Permissions              []string   `json:"permissions"`
	PermissionSets           [][]string `json:"permissionSets"`
	SelfTrade                string     `json:"defaultSelfTradePreventionMode"`
	SelfTradeModes           []string   `json:"allowedSelfTradePreventionModes"`
}

// The exchange's filters of price and quantity, which clients read for their steps.
type (
	priceFilter struct {
		Type string `json:"filterType"`
		Min  string `json:"minPrice"`
		Max  string `json:"maxPrice"`
		Step string `json:"tickSize"`
	}
	quantityFilter struct {
		Type string `json:"filterType"`
		Min  string `json:"minQty"`
		Max  string `json:"maxQty"`
		Step string `json:"stepSize"`
	}
	valueFilter struct {
		Type        string `json:"filterType"`
		Min         string `json:"minNotional"`
		MinToMarket bool   `json:"applyMinToMarket"`
		Max         string `json:"maxNotional"`
		MaxToMarket bool   `json:"applyMaxToMarket"`
		AverageOver int    `json:"avgPriceMins"`
	}
)

// notTraded is the status of every pair: the exchange's word for one that exists and
// is not traded.
const notTraded = "BREAK"

// pair is an asset against USDT.
func pair(a ledger.Asset) symbol {
	const cheapest, dearest = 1, 1<<63 - 1
	return symbol{
		Symbol: a.Symbol + conversion.USDT, Status: notTraded,
		BaseAsset: a.Symbol, BasePrecision: a.Scale, BaseCommissionPrecision: a.Scale,
		QuoteAsset: conversion.USDT, QuotePrecision: conversion.PriceScale, QuoteAssetPrecision: conversion.PriceScale,
		QuoteCommissionPrecision: conversion.PriceScale, OrderTypes: []string{},
		Permissions: []string{}, PermissionSets: [][]string{{}},
		Filters: []any{
			priceFilter{"PRICE_FILTER", formatValue(cheapest), formatValue(dearest), formatValue(cheapest)},
			quantityFilter{"LOT_SIZE", a.Format(1), a.Format(a.MaxSupply), a.Format(1)},
			valueFilter{Type: "NOTIONAL", Min: formatValue(0), Max: formatValue(dearest)},
		},
		SelfTrade: "NONE", SelfTradeModes: []string{"NONE"},
	}
}

// exchangeInfo copies GET /api/v3/exchangeInfo, of whose filters it has "symbol",
// "symbols" and "symbolStatus".
func exchangeInfo(r *request) (any, error) {
	assets, err := r.wantedPairs()
	if err != nil {
		return nil, err
	}
	status := r.parameters.text("symbolStatus")
	symbols := []symbol{}
	for _, a := range assets {
		if p := pair(a); status == "" || status == p.Status {
			symbols = append(symbols, p)
		}
	}
	return struct {
		Timezone        string      `json:"timezone"`
		ServerTime      int64       `json:"serverTime"`
		RateLimits      []rateLimit `json:"rateLimits"`
		ExchangeFilters []any       `json:"exchangeFilters"`
		Symbols         []symbol    `json:"symbols"`
	}{"UTC", r.stamp(r.now), []rateLimit{{"REQUEST_WEIGHT", "MINUTE", 1, apiLimit}}, []any{}, symbols}, nil
}

// wantedPairs are the assets whose pairs with USDT are asked for by "symbol" or
// "symbols", in order, or all. -1121: a symbol that there is not.
func (r *request) wantedPairs() ([]ledger.Asset, error) {
	wanted, err := wantedSymbols(r.parameters)
	if err != nil {
		return nil, err
	}
	assets, err := r.Assets(r.ctx)
	if err != nil {
		return nil, err
	}
	assets = slices.DeleteFunc(assets, func(a ledger.Asset) bool {
		return a.Symbol == conversion.USDT || wanted != nil && !slices.Contains(wanted, a.Symbol+conversion.USDT)
	})
	if len(assets) < len(wanted) {
		return nil, errSymbol
	}
	return assets, nil
}

// wantedSymbols are those that are asked for, each once; nil is all. -1100: other
// characters than A-Z, digits and "-_.", or no list.
func wantedSymbols(p parameters) ([]string, error) {
	one, several := p.text("symbol"), p.text("symbols")
	switch {
	case one != "" && several != "":
		return nil, badRequest(-1128, "Combination of optional parameters invalid.")
	case one != "" && !symbolLike(one):
		return nil, illegal("symbol")
	case one != "":
		return []string{one}, nil
	case several == "":
		return nil, nil
	}
	var wanted []string
	err := json.Unmarshal([]byte(several), &wanted)
	if err != nil || slices.ContainsFunc(wanted, func(s string) bool { return !symbolLike(s) }) {
		return nil, illegal("symbols")
	}
	if len(wanted) == 0 {
		return nil, invalid("symbols")
	}
	slices.Sort(wanted)
	return slices.Compact(wanted), nil
}

// symbolLike reports whether a text is made as the symbol of a pair is.
func symbolLike(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
}
