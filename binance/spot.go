package binance

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
)

// spot are the endpoints that a Spot user's client needs beside Soft Staking. The
// weights are those of an address. Where the exchange has another kind of limit, the
// weight allows as many requests a minute: a withdrawal weighs 900 of 180,000 there,
// and its history is asked for ten times a second.
var spot = []endpoint{
	get("/api/v3/ping", "", 1, ping),
	get("/api/v3/time", "", 1, serverTime),
	get("/api/v3/exchangeInfo", "", 20, exchangeInfo),
	get("/api/v3/account", access.Read, 20, account),
	{http.MethodPost, "/sapi/v3/asset/getUserAsset", access.Read, 5, getUserAsset, nil},
	get("/sapi/v1/asset/assetDividend", access.Read, 10, assetDividend),
	{http.MethodPost, "/sapi/v1/capital/withdraw/apply", access.Withdraw, 60, nil, withdrawApply},
	get("/sapi/v1/capital/withdraw/history", access.Read, 20, withdrawHistory),
	get("/sapi/v1/capital/withdraw/address/list", access.Read, 10, withdrawAddresses),
	get("/sapi/v1/capital/deposit/hisrec", access.Read, 1, depositHistory),
	get("/sapi/v1/account/apiRestrictions", access.Read, 1, apiRestrictions),
	get("/sapi/v1/system/status", "", 1, systemStatus),
}

// ping copies GET /api/v3/ping.
func ping(*request) (any, error) { return struct{}{}, nil }

// serverTime copies GET /api/v3/time.
func serverTime(r *request) (any, error) {
	return struct {
		ServerTime int64 `json:"serverTime"`
	}{r.stamp(r.now)}, nil
}

// systemStatus copies GET /sapi/v1/system/status. A server that answers is up.
func systemStatus(*request) (any, error) {
	return struct {
		Status  int    `json:"status"`
		Message string `json:"msg"`
	}{0, "normal"}, nil
}

// restrictions are what a key may do, in the exchange's words.
type restrictions struct {
	IPRestrict         bool  `json:"ipRestrict"`
	CreateTime         int64 `json:"createTime"`
	Expiration         int64 `json:"tradingAuthorityExpirationTime,omitempty"`
	Reading            bool  `json:"enableReading"`
	Withdrawals        bool  `json:"enableWithdrawals"`
	SpotAndMargin      bool  `json:"enableSpotAndMarginTrading"`
	InternalTransfer   bool  `json:"enableInternalTransfer"`
	UniversalTransfer  bool  `json:"permitsUniversalTransfer"`
	Margin             bool  `json:"enableMargin"`
	Futures            bool  `json:"enableFutures"`
	VanillaOptions     bool  `json:"enableVanillaOptions"`
	PortfolioMargin    bool  `json:"enablePortfolioMarginTrading"`
	FixAPITrade        bool  `json:"enableFixApiTrade"`
	FixReadOnlyAllowed bool  `json:"enableFixReadOnly"`
}

// apiRestrictions copies GET /sapi/v1/account/apiRestrictions. Trading is the switch of
// Soft Staking here; its authority ends with the key. ipRestrict is what a withdrawal
// needs: ranges as wide as the Internet restrict nothing.
func apiRestrictions(r *request) (any, error) {
	answer := restrictions{
		IPRestrict: r.key.Limited(), CreateTime: r.key.Created.UnixMilli(),
		Reading: true, Withdrawals: r.key.May(access.Withdraw), SpotAndMargin: r.key.May(access.Trade),
	}
	if ends := r.key.Ends(); answer.SpotAndMargin && !ends.IsZero() {
		answer.Expiration = ends.UnixMilli()
	}
	return answer, nil
}

// number is a number for a name, the same forever, and above zero. It has at most
// 15 digits (49 bits): one client takes longer ones for something else than a number.
func number(name ...string) int64 {
	sum := sha256.Sum256([]byte(strings.Join(name, "\x00")))
	return int64(binary.BigEndian.Uint64(sum[:8])>>15) | 1
}

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
	status := r.parameters["symbolStatus"]
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
	one, several := p["symbol"], p["symbols"]
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
