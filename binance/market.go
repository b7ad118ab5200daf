package binance

import (
	"fmt"
	"math/big"
	"math/bits"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
)

// market are the endpoints of prices and of trading. Prices are those of the books,
// against USDT. Nothing is traded here: there are no orders and no trades.
var market = []endpoint{
	get("/api/v3/ticker/price", "", 4, tickerPrice),
	get("/api/v3/ticker/24hr", "", 80, ticker24hr),
	get("/api/v3/myTrades", access.Read, 20, myTrades),
	get("/api/v3/openOrders", access.Read, 80, openOrders),
}

// quote is a pair's price now and a day before, in USDT and in 1e-8.
type quote struct {
	symbol       string
	last, before int64
}

// quotes are those of the pairs that are asked for and have a price, and whether it
// was asked for one by its name: then it is answered alone, else a list. A price holds
// on its day and at most 7 days after; where it was not known the day before, it counts
// as unchanged.
func (r *request) quotes() (quotes []quote, one bool, err error) {
	assets, err := r.wantedPairs()
	if err != nil {
		return nil, false, err
	}
	one = r.parameters["symbol"] != ""
	switch status := r.parameters["symbolStatus"]; {
	case status != "" && status != "TRADING" && status != "HALT" && status != notTraded:
		return nil, one, badRequest(-1122, "Invalid symbolStatus.")
	case status != "" && status != notTraded && one:
		return nil, one, badRequest(-1220, "The symbol's status does not match the requested symbolStatus.")
	case status != "" && status != notTraded:
		return nil, one, nil
	}
	today := staking.DayOf(r.now)
	now, err := r.valuation(today)
	if err != nil {
		return nil, one, err
	}
	before, err := r.valuation(today - 1)
	if err != nil {
		return nil, one, err
	}
	for _, a := range assets {
		price, known := now[a.Symbol]
		if !known {
			continue
		}
		q := quote{a.Symbol + conversion.USDT, price.Price, price.Price}
		if old, known := before[a.Symbol]; known {
			q.before = old.Price
		}
		quotes = append(quotes, q)
	}
	if one && len(quotes) == 0 {
		return nil, one, badRequest(-1121,
			fmt.Sprintf("Invalid symbol: no price of %s is known today.", assets[0].Symbol))
	}
	return quotes, one, nil
}

// tickers answers one quote, or the list of all that were asked for.
func tickers[T any](r *request, write func(quote) T) (any, error) {
	quotes, one, err := r.quotes()
	if err != nil {
		return nil, err
	}
	if one {
		return write(quotes[0]), nil
	}
	list := []T{}
	for _, q := range quotes {
		list = append(list, write(q))
	}
	return list, nil
}

type priceTicker struct {
	Symbol string `json:"symbol"`
	Price  string `json:"price"`
}

// tickerPrice copies GET /api/v3/ticker/price. What has no price is not in the list.
func tickerPrice(r *request) (any, error) {
	return tickers(r, func(q quote) priceTicker { return priceTicker{q.symbol, formatValue(q.last)} })
}

// miniTicker is the part of a day's figures that "type" MINI has.
type miniTicker struct {
	Symbol      string `json:"symbol"`
	Open        string `json:"openPrice"`
	High        string `json:"highPrice"`
	Low         string `json:"lowPrice"`
	Last        string `json:"lastPrice"`
	Volume      string `json:"volume"`
	QuoteVolume string `json:"quoteVolume"`
	OpenTime    int64  `json:"openTime"`
	CloseTime   int64  `json:"closeTime"`
	FirstID     int64  `json:"firstId"`
	LastID      int64  `json:"lastId"`
	Count       int64  `json:"count"`
}

// fullTicker is what "type" FULL has beside it.
type fullTicker struct {
	miniTicker
	Change        string `json:"priceChange"`
	ChangePercent string `json:"priceChangePercent"`
	Average       string `json:"weightedAvgPrice"`
	PreviousClose string `json:"prevClosePrice"`
	LastQuantity  string `json:"lastQty"`
	Bid           string `json:"bidPrice"`
	BidQuantity   string `json:"bidQty"`
	Ask           string `json:"askPrice"`
	AskQuantity   string `json:"askQty"`
}

// ticker24hr copies GET /api/v3/ticker/24hr: the price now and the one that held 24
// hours ago. As of every pair in which there was no trade, volumes, bid, ask and the
// weighted average are "0", "count" is 0, and the IDs of the first and the last trade
// are -1.
func ticker24hr(r *request) (any, error) {
	switch r.parameters["type"] {
	case "", "FULL":
		return tickers(r, r.full)
	case "MINI":
		return tickers(r, r.mini)
	}
	return nil, badRequest(-1139, "Invalid ticker type.")
}

func (r *request) mini(q quote) miniTicker {
	return miniTicker{
		Symbol: q.symbol, Open: formatValue(q.before), Last: formatValue(q.last),
		High: formatValue(max(q.last, q.before)), Low: formatValue(min(q.last, q.before)), Volume: "0",
		QuoteVolume: "0",
		OpenTime:    r.stamp(r.now.Add(-24 * time.Hour)), CloseTime: r.stamp(r.now), FirstID: -1, LastID: -1,
	}
}

func (r *request) full(q quote) fullTicker {
	return fullTicker{
		miniTicker: r.mini(q), Change: formatValue(q.last - q.before), ChangePercent: percent(q.before, q.last),
		Average: "0", PreviousClose: formatValue(q.before), LastQuantity: "0",
		Bid: "0", BidQuantity: "0", Ask: "0", AskQuantity: "0",
	}
}

// formatValue writes a price, the difference of two, or a value: n is in 1e-8 of USDT or
// of another asset that is valued in.
func formatValue(n int64) string { return ledger.FormatDecimal(n, conversion.PriceScale) }

// percent is the change from a price above zero to another in percent, with three
// decimals, rounded towards zero.
func percent(from, to int64) string {
	n := big.NewInt(to - from)
	n.Mul(n, big.NewInt(100_000)).Quo(n, big.NewInt(from))
	return ledger.FormatBig(n, 3)
}

// tradesSpan is the longest range of time in which trades are listed.
const tradesSpan = 24 * time.Hour

// myTrades copies GET /api/v3/myTrades: there is no trade.
func myTrades(r *request) (any, error) {
	if _, err := r.parameters.need("symbol"); err != nil {
		return nil, err
	}
	if _, err := r.wantedPairs(); err != nil {
		return nil, err
	}
	for _, name := range []string{"orderId", "fromId"} {
		if text := r.parameters[name]; text != "" && !whole(text) {
			return nil, illegal(name)
		}
	}
	if _, err := r.parameters.int("limit", 500, 1, 1000); err != nil {
		return nil, err
	}
	from, err := r.parameters.time("startTime")
	if err != nil {
		return nil, err
	}
	to, err := r.parameters.time("endTime")
	switch {
	case err != nil:
		return nil, err
	case from.IsZero() || to.IsZero():
	case to.Before(from):
		return nil, invalid("startTime")
	case to.Sub(from) > tradesSpan:
		return nil, badRequest(-1127, "More than 24 hours between startTime and endTime.")
	}
	return []any{}, nil
}

// openOrders copies GET /api/v3/openOrders: there is no order.
func openOrders(r *request) (any, error) {
	if _, err := r.wantedPairs(); err != nil {
		return nil, err
	}
	return []any{}, nil
}

// bitcoin is what the exchange values accounts in where nothing else is asked for.
const bitcoin = "BTC"

// valuation values holdings at the prices that hold on a day.
type valuation map[string]pricing.Price

// valuation is that of a day.
func (r *request) valuation(d staking.Day) (valuation, error) {
	return r.PricesFor(r.ctx, d)
}

// usdt is what some holdings are worth together in USDT and in 1e-8, each rounded
// down. What has no price is left out.
func (v valuation) usdt(holdings ...holding) (total ledger.Amount, err error) {
	for _, h := range holdings {
		price, known := v[h.asset.Symbol]
		if !known {
			continue
		}
		amount, err := h.free.Add(h.held)
		if err != nil {
			return 0, err
		}
		value, err := conversion.Value(h.asset, amount, price.Price)
		if err == nil {
			total, err = total.Add(value)
		}
		if err != nil {
			return 0, err
		}
	}
	return total, nil
}

// in is what some holdings are worth together in another asset, with 8 decimals,
// rounded down. known is false, and text "0", where that asset has no price. Its error
// is ledger.ErrOverflow.
func (v valuation) in(quote string, holdings ...holding) (text string, known bool, err error) {
	price, known := v[quote]
	if !known {
		return "0", false, nil
	}
	value, err := v.usdt(holdings...)
	if err != nil {
		return "", true, err
	}
	high, low := bits.Mul64(uint64(value), conversion.PriceUnit)
	if high >= uint64(price.Price) {
		return "", true, ledger.ErrOverflow
	}
	n, _ := bits.Div64(high, low, uint64(price.Price))
	if n >= 1<<63 {
		return "", true, ledger.ErrOverflow
	}
	return formatValue(int64(n)), true, nil
}

// bitcoin is what some holdings are worth in bitcoin: "0" where it has no price in the books.
func (v valuation) bitcoin(holdings ...holding) (string, error) {
	text, _, err := v.in(bitcoin, holdings...)
	return text, err
}

// elsewhere are what clients ask the exchange for before anything else, and what is
// not here: margin and futures. The answers are empty, in the exchange's shapes.
var elsewhere = []endpoint{
	get("/sapi/v1/margin/allPairs", marketData, 1, noPairs),
	get("/sapi/v1/margin/isolated/allPairs", marketData, 10, noPairs),
	get("/fapi/v1/exchangeInfo", "", 1, noFutures),
	get("/dapi/v1/exchangeInfo", "", 1, noFutures),
}

// noPairs copies GET /sapi/v1/margin/allPairs and /sapi/v1/margin/isolated/allPairs.
func noPairs(*request) (any, error) { return []any{}, nil }

// noFutures copies GET /fapi/v1/exchangeInfo and /dapi/v1/exchangeInfo.
func noFutures(r *request) (any, error) {
	return struct {
		Timezone        string      `json:"timezone"`
		ServerTime      int64       `json:"serverTime"`
		RateLimits      []rateLimit `json:"rateLimits"`
		ExchangeFilters []any       `json:"exchangeFilters"`
		Assets          []any       `json:"assets"`
		Symbols         []any       `json:"symbols"`
	}{"UTC", r.stamp(r.now), []rateLimit{{"REQUEST_WEIGHT", "MINUTE", 1, futureLimit}}, []any{}, []any{}, []any{}}, nil
}
