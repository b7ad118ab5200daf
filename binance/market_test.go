package binance_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/testkit"
)

const (
	pricePath  = "/api/v3/ticker/price"
	dayPath    = "/api/v3/ticker/24hr"
	tradesPath = "/api/v3/myTrades"
	ordersPath = "/api/v3/openOrders"
)

const badSymbol = `400 {"code":-1121,"msg":"Invalid symbol."}`

// public sends a GET without a key.
func (f *fixture) public(path, query string) answered {
	f.t.Helper()
	return f.send(ask{method: http.MethodGet, path: path, query: query})
}

// setPrice sets a token's price of a day, Day 1 being the first of the books.
func (f *fixture) setPrice(asset string, day int, price int64) {
	f.t.Helper()
	testkit.Must(f.db.Prices().Set(f.t.Context(),
		[]pricing.Price{{Asset: asset, Day: staking.DayOf(noon) + staking.Day(day-1), Price: price}}))(f.t)
}

// Prices are those of the books; one pair is an object, several are a list.
func TestTickerPrice(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.wants(f.public(pricePath, ""), `200 []`)
		f.wants(f.public(pricePath, "symbol=BNBUSDT"),
			`400 {"code":-1121,"msg":"Invalid symbol: no price of BNB is known today."}`)
		f.setPrice("BNB", 1, 600_12000000)
		f.setPrice("ADA", 1, 50000000)
		const ada, bnb = `{"symbol":"ADAUSDT","price":"0.5"}`, `{"symbol":"BNBUSDT","price":"600.12"}`
		for query, want := range map[string]string{
			"":                              `200 [` + ada + `,` + bnb + `]`,
			"symbol=BNBUSDT":                `200 ` + bnb,
			`symbols=["BNBUSDT"]`:           `200 [` + bnb + `]`,
			`symbols=["BNBUSDT","ADAUSDT"]`: `200 [` + ada + `,` + bnb + `]`,
			"symbols=%5B%22BNBUSDT%22,%22SOLUSDT%22%5D": `200 [` + bnb + `]`, // SOL has no price
			"symbolStatus=BREAK&symbol=ADAUSDT":         `200 ` + ada,
			"symbolStatus=TRADING":                      `200 []`,
			"symbolStatus=TRADING&symbol=ADAUSDT":       `400 {"code":-1220,"msg":"The symbol's status does not match the requested symbolStatus."}`,
			"symbolStatus=trading":                      `400 {"code":-1122,"msg":"Invalid symbolStatus."}`,
			"symbol=BNBBTC":                             badSymbol,
			"symbol=USDTUSDT":                           badSymbol,
			"symbol=bnbusdt":                            illegalIn("symbol"),
			"symbol=BNB%2FUSDT":                         illegalIn("symbol"),
			"symbols=BNBUSDT":                           illegalIn("symbols"),
			"symbols=[]":                                notValid("symbols"),
			`symbols=["BNBUSDT","NOPEUSDT"]`:            badSymbol,
			`symbol=BNBUSDT&symbols=["ADAUSDT"]`:        `400 {"code":-1128,"msg":"Combination of optional parameters invalid."}`,
		} {
			if got := f.public(pricePath, query).String(); got != want {
				t.Errorf("%s: %s, not %s", query, got, want)
			}
		}
		f.clock.Set(8, "23:59") // a price holds 7 days on
		f.wants(f.public(pricePath, "symbol=BNBUSDT"), `200 `+bnb)
		f.clock.Set(9, "00:00")
		f.wants(f.public(pricePath, ""), `200 []`)
	})
}

// A day's figures are the price now and a day before; nothing is traded.
func TestTicker24hr(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const mini = `"symbol":"%s","openPrice":"%s","highPrice":"%s","lowPrice":"%s","lastPrice":"%s","volume":"0","quoteVolume":"0",` +
			`"openTime":%d,"closeTime":%d,"firstId":-1,"lastId":-1,"count":0`
		const full = `{` + mini +
			`,"priceChange":"%s","priceChangePercent":"%s","weightedAvgPrice":"0","prevClosePrice":"%s","lastQty":"0",` +
			`"bidPrice":"0","bidQty":"0","askPrice":"0","askQty":"0"}`
		f.setPrice("BNB", 1, 600_00000000)
		f.setPrice("ADA", 1, 30000000)
		f.clock.Set(2, "12:00")
		f.setPrice("BNB", 2, 590_00000000)
		f.setPrice("ADA", 2, 31000000)
		f.setPrice("SOL", 2, 150_00000000) // its first
		now := f.now().UnixMilli()
		from := now - 86_400_000
		bnb := fmt.Sprintf(full, "BNBUSDT", "600", "600", "590", "590", from, now, "-10", "-1.666", "600")
		ada := fmt.Sprintf(full, "ADAUSDT", "0.3", "0.31", "0.3", "0.31", from, now, "0.01", "3.333", "0.3")
		sol := fmt.Sprintf(full, "SOLUSDT", "150", "150", "150", "150", from, now, "0", "0", "150")
		f.wants(f.public(dayPath, "symbol=BNBUSDT"), `200 `+bnb)
		f.wants(f.public(dayPath, "symbol=ADAUSDT&type=FULL"), `200 `+ada)
		f.wants(f.public(dayPath, ""), `200 [`+ada+`,`+bnb+`,`+sol+`]`)
		f.wants(f.public(dayPath, `symbols=["SOLUSDT"]`), `200 [`+sol+`]`)
		f.wants(f.public(dayPath, "symbol=ADAUSDT&type=MINI"),
			`200 {`+fmt.Sprintf(mini, "ADAUSDT", "0.3", "0.31", "0.3", "0.31", from, now)+`}`)
		f.wants(f.public(dayPath, "type=mini"), `400 {"code":-1139,"msg":"Invalid ticker type."}`)
		f.wants(f.public(dayPath, "symbol=NOPE"), badSymbol)
		micro := f.send(ask{
			method: http.MethodGet, path: dayPath, query: "symbol=BNBUSDT",
			headers: map[string]string{"X-MBX-TIME-UNIT": "MICROSECOND"},
		})
		if want := fmt.Sprintf(`"openTime":%d000,"closeTime":%d000,`, from, now); !strings.Contains(micro.body, want) {
			t.Errorf("in microseconds: %s", micro)
		}
		f.setPrice("SUI", 1, 1)
		f.setPrice("SUI", 2, 92233720368_54775807) // as far as it goes
		f.wants(f.public(dayPath, "symbol=SUIUSDT"),
			`200 `+fmt.Sprintf(full, "SUIUSDT", "0.00000001", "92233720368.54775807", "0.00000001",
				"92233720368.54775807",
				from, now, "92233720368.54775806", "922337203685477580600", "0.00000001"))
	})
}

// There are no trades and no orders: what is asked for is looked at all the same.
func TestNothingIsTraded(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	for query, want := range map[string]string{
		"symbol=BNBUSDT": `200 []`, "symbol=BNBUSDT&orderId=1&fromId=2&limit=1000": `200 []`,
		"symbol=BNBUSDT&startTime=1772366400000&endTime=1772452800000": `200 []`,
		"": missing("symbol"), "symbol=": missing("symbol"), "symbol=NOPE": badSymbol,
		"symbol=bnb":                illegalIn("symbol"),
		"symbol=BNBUSDT&limit=1001": notValid("limit"), "symbol=BNBUSDT&orderId=x": illegalIn("orderId"),
		"symbol=BNBUSDT&startTime=2&endTime=1":        notValid("startTime"),
		"symbol=BNBUSDT&startTime=0&endTime=86400001": `400 {"code":-1127,"msg":"More than 24 hours between startTime and endTime."}`,
	} {
		if got := f.get(tradesPath, query).String(); got != want {
			t.Errorf("%s?%s: %s, not %s", tradesPath, query, got, want)
		}
	}
	for query, want := range map[string]string{
		"": `200 []`, "symbol=BNBUSDT": `200 []`, "symbol=NOPE": badSymbol, "symbol=bnb": illegalIn("symbol"),
	} {
		if got := f.get(ordersPath, query).String(); got != want {
			t.Errorf("%s?%s: %s, not %s", ordersPath, query, got, want)
		}
	}
	f.wants(f.public(tradesPath, "symbol=BNBUSDT"), badFormat)
	f.wants(f.public(ordersPath, ""), badFormat)
}

// What clients ask for first, and what is not here, is empty.
func TestWhatIsElsewhere(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	for _, path := range []string{"/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo"} {
		f.wants(f.public(path, ""), `200 {"timezone":"UTC","serverTime":1772452800000,`+
			`"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":2400}],"exchangeFilters":[],"assets":[],"symbols":[]}`)
	}
	for _, path := range []string{"/sapi/v1/margin/allPairs", "/sapi/v1/margin/isolated/allPairs"} {
		f.wants(f.get(path, ""), `200 []`)
		// a key, and no signature
		f.wants(f.send(ask{method: http.MethodGet, path: path, headers: f.keyed()}), `200 []`)
		f.wants(f.send(ask{method: http.MethodGet, path: path, query: "timestamp=1&signature=ff", headers: f.keyed()}),
			`200 []`)
		f.wants(f.public(path, ""), badFormat)
		f.wants(f.send(ask{
			method: http.MethodGet, path: path, headers: map[string]string{"X-MBX-APIKEY": strings.Repeat("x", 64)},
		}), badKey)
	}
	f.key, f.secret = f.newKey("alice", "read", "203.0.113.0/24")
	f.wants(f.send(ask{method: http.MethodGet, path: "/sapi/v1/margin/allPairs", headers: f.keyed()}), badKey)
}
