package binance

import (
	"fmt"
	"math/big"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
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
	one = r.parameters.text("symbol") != ""
	switch status := r.parameters.text("symbolStatus"); {
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
	switch r.parameters.text("type") {
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
		if text := r.parameters.text(name); text != "" && !whole(text) {
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
