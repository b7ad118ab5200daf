package binance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/binance"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/testkit"
)

// The paths beside Soft Staking.
const (
	infoPath         = "/api/v3/exchangeInfo"
	accountPath      = "/api/v3/account"
	assetsPath       = "/sapi/v3/asset/getUserAsset"
	dividendsPath    = "/sapi/v1/asset/assetDividend"
	applyPath        = "/sapi/v1/capital/withdraw/apply"
	withdrawnPath    = "/sapi/v1/capital/withdraw/history"
	depositedPath    = "/sapi/v1/capital/deposit/hisrec"
	restrictionsPath = "/sapi/v1/account/apiRestrictions"
)

// post sends a POST signed now, with its parameters in the query.
func (f *fixture) post(path, query string) answered {
	f.t.Helper()
	a := f.signed(path, query)
	a.method = http.MethodPost
	return f.send(a)
}

// unchanged are the options of newFixture as they are.
func unchanged(*binance.Options) {}

// enter posts an entry of one move.
func (f *fixture) enter(id string, kind ledger.Kind, from, to ledger.Account, asset string, amount ledger.Amount) {
	f.t.Helper()
	outcomes := testkit.Must(f.db.Post(f.t.Context(),
		[]ledger.Entry{
			{ID: id, Kind: kind, Moves: []ledger.Move{{From: from, To: to, Asset: asset, Amount: amount}}},
		}))(f.t)
	ok(f.t, outcomes[0].Err)
}

// read decodes what was answered.
func read[T any](t *testing.T, a answered) (v T) {
	t.Helper()
	if a.status != http.StatusOK {
		t.Fatalf("answered %s", a)
	}
	ok(t, json.Unmarshal([]byte(a.body), &v))
	return v
}

func TestSpotPublic(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	public := func(path, query string) answered {
		t.Helper()
		return f.send(ask{method: http.MethodGet, path: path, query: query})
	}
	f.wants(public("/api/v3/ping", ""), `200 {}`)
	f.wants(public("/api/v3/time", ""), `200 {"serverTime":1772452800000}`)
	f.wants(public("/sapi/v1/system/status", ""), `200 {"status":0,"msg":"normal"}`)
	const bnb = `{"symbol":"BNBUSDT","status":"BREAK","baseAsset":"BNB","baseAssetPrecision":8,"quoteAsset":"USDT","quotePrecision":8,"quoteAssetPrecision":8,` +
		`"baseCommissionPrecision":8,"quoteCommissionPrecision":8,"orderTypes":[],"icebergAllowed":false,"ocoAllowed":false,"otoAllowed":false,` +
		`"quoteOrderQtyMarketAllowed":false,"allowTrailingStop":false,"cancelReplaceAllowed":false,"amendAllowed":false,"isSpotTradingAllowed":false,"isMarginTradingAllowed":false,` +
		`"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.00000001","maxPrice":"92233720368.54775807","tickSize":"0.00000001"},` +
		`{"filterType":"LOT_SIZE","minQty":"0.00000001","maxQty":"200000000","stepSize":"0.00000001"},` +
		`{"filterType":"NOTIONAL","minNotional":"0","applyMinToMarket":false,"maxNotional":"92233720368.54775807","applyMaxToMarket":false,"avgPriceMins":0}],` +
		`"permissions":[],"permissionSets":[[]],"defaultSelfTradePreventionMode":"NONE","allowedSelfTradePreventionModes":["NONE"]}`
	f.wants(public(infoPath, "symbol=BNBUSDT"), `200 {"timezone":"UTC","serverTime":1772452800000,`+
		`"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000}],"exchangeFilters":[],"symbols":[`+bnb+`]}`)
	for query, want := range map[string]string{
		"":                              "ADA ALGO AXS BNB NEAR POL S SOL SUI TON",
		`symbols=["BNBUSDT","ADAUSDT"]`: "ADA BNB",
		"symbols=%5B%22BNBUSDT%22,%22BNBUSDT%22]": "BNB",
		"symbolStatus=BREAK&symbol=SUSDT":         "S",
		"symbolStatus=TRADING":                    "",
		"showPermissionSets=false":                "ADA ALGO AXS BNB NEAR POL S SOL SUI TON",
	} {
		info := read[struct{ Symbols []struct{ BaseAsset string } }](t, public(infoPath, query))
		var got []string
		for _, s := range info.Symbols {
			got = append(got, s.BaseAsset)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("exchangeInfo?%s has %v", query, got)
		}
	}
	for query, want := range map[string]string{
		"symbol=bnbusdt":                    illegalIn("symbol"),
		"symbol=BNB/USDT":                   illegalIn("symbol"),
		`symbols=["BNBUSDT","bnbusdt"]`:     illegalIn("symbols"),
		"symbol=BNBBTC":                     `400 {"code":-1121,"msg":"Invalid symbol."}`,
		"symbol=USDTUSDT":                   `400 {"code":-1121,"msg":"Invalid symbol."}`,
		`symbols=["BNBUSDT","NOPEUSDT"]`:    `400 {"code":-1121,"msg":"Invalid symbol."}`,
		"symbol=BNBUSDT&symbols=[]":         `400 {"code":-1128,"msg":"Combination of optional parameters invalid."}`,
		"symbols=[]":                        `400 {"code":-1130,"msg":"Data sent for parameter 'symbols' is not valid."}`,
		"symbols=BNBUSDT":                   `400 {"code":-1100,"msg":"Illegal characters found in parameter 'symbols'."}`,
		"symbols=[[[[[[[[[[[[[[[[[[[[[[[[[": `400 {"code":-1100,"msg":"Illegal characters found in parameter 'symbols'."}`,
	} {
		f.wants(public(infoPath, query), want)
	}
}

func TestSpotAccount(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d1", "alice", 3, "BNB")
		f.deposit("d2", "alice", 100, "ADA")
		f.enter("h1", ledger.Hold, "alice", "alice/held", "BNB", 86000000)
		const fixed = `"makerCommission":0,"takerCommission":0,"buyerCommission":0,"sellerCommission":0,"commissionRates":{"maker":"0","taker":"0","buyer":"0","seller":"0"},`
		const rest = `"brokered":false,"requireSelfTradePrevention":false,"preventSor":false,"updateTime":1772452800000,"accountType":"SPOT","balances":[%s],"permissions":["SPOT"],"uid":%d}`
		const ada, bnb = `{"asset":"ADA","free":"100","locked":"0"}`, `{"asset":"BNB","free":"2.14","locked":"0.86"}`
		const uid = 543193118835557
		got := f.get(accountPath, "omitZeroBalances=true")
		f.wants(got, `200 {`+fixed+`"canTrade":true,"canWithdraw":true,"canDeposit":true,`+
			fmt.Sprintf(rest, ada+","+bnb, uid))
		all := read[struct {
			Balances []struct{ Asset, Free, Locked string }
		}](t, f.get(accountPath, ""))
		if len(all.Balances) != 10 || all.Balances[9].Asset != "TON" || all.Balances[9].Free != "0" ||
			all.Balances[9].Locked != "0" {
			t.Errorf("the balances are %v", all.Balances)
		}
		f.wants(f.post(assetsPath, "asset=BNB&needBtcValuation=True"),
			`200 [{"asset":"BNB","free":"2.14","locked":"0.86","freeze":"0","withdrawing":"0","ipoable":"0","btcValuation":"0"}]`)
		f.wants(f.post(assetsPath, "asset=undefined"), `200 []`)
		f.wants(f.post(assetsPath, "asset=SOL"),
			`200 [{"asset":"SOL","free":"0","locked":"0","freeze":"0","withdrawing":"0","ipoable":"0","btcValuation":"0"}]`)
		if have := read[[]struct{ Asset string }](t, f.post(assetsPath, "")); fmt.Sprint(have) != "[{ADA} {BNB}]" {
			t.Errorf("the assets are %v", have)
		}
		f.wants(f.get(assetsPath, ""),
			`405 {"code":-1020,"msg":"This operation is not supported: the path has another method."}`)

		f.key, f.secret = f.newKey("alice", "read", "192.0.2.0/24")
		got = f.get(accountPath, "omitZeroBalances=true")
		f.wants(got, `200 {`+fixed+`"canTrade":false,"canWithdraw":false,"canDeposit":true,`+
			fmt.Sprintf(rest, ada+","+bnb, uid))
	})
}

func TestSpotRestrictions(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	const none = `"enableInternalTransfer":false,"permitsUniversalTransfer":false,"enableMargin":false,"enableFutures":false,"enableVanillaOptions":false,` +
		`"enablePortfolioMarginTrading":false,"enableFixApiTrade":false,"enableFixReadOnly":false}`
	lapse := noon.Add(access.UnlimitedTrade).UnixMilli()
	for _, c := range []struct {
		permissions, addresses    string
		limited, withdraws, trade bool
		until                     int64
	}{
		{"read,trade,withdraw", "192.0.2.0/24", true, true, true, 0},
		{"read,withdraw", "192.0.0.0/8", true, true, false, 0},
		{"read,trade", "192.0.2.7", true, false, true, 0},
		{"read,trade", "", false, false, true, lapse},
		{"read,trade", "0.0.0.0/0,::/0", false, false, true, lapse},
		{"read,trade", "192.0.2.7,128.0.0.0/1", false, false, true, lapse},
		{"read", "", false, false, false, 0},
		{"read", "192.0.2.0/24", true, false, false, 0},
	} {
		f.key, f.secret = f.newKey("alice", c.permissions, c.addresses)
		until := ""
		if c.until > 0 {
			until = fmt.Sprintf(`"tradingAuthorityExpirationTime":%d,`, c.until)
		}
		f.wants(f.get(restrictionsPath, ""),
			fmt.Sprintf(`200 {"ipRestrict":%t,"createTime":1772452800000,%s"enableReading":true,"enableWithdrawals":%t,"enableSpotAndMarginTrading":%t,`,
				c.limited, until, c.withdraws, c.trade)+none)
	}
	f.caller.Address = netip.MustParseAddr("198.51.100.1")
	f.wants(f.get(restrictionsPath, ""), badKeyFrom("198.51.100.1"))
}

// What moves tokens out needs the permission to withdraw, whatever else a key may do, and
// an address that the key is limited to: whatever is in the books.
func TestWithdrawingNeedsAPermissionOfItsOwn(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d1", "alice", 3, "BNB")
		f.key, f.secret = f.newKey("alice", "read,trade", "192.0.2.7")
		f.wants(f.post(applyPath, "coin=BNB&address=x&amount=1"), badKey)
		f.toggle(true, success)
		f.key, f.secret = f.newKey("alice", "read,withdraw", "192.0.2.7")
		f.apply("coin=BNB&address=x&amount=1")
		f.toggle(false, badKey)
		f.has(2_00000000, 1_00000000)
		refused := f.signed(applyPath, "coin=BNB&address=x&amount=5")
		refused.method = http.MethodPost
		first := f.send(refused)
		f.deposit("d2", "alice", 5, "BNB")
		f.wants(f.send(refused), first.String()) // a signed write is answered as the first time
		f.has(7_00000000, 1_00000000)

		f.key.Permissions, f.key.Addresses = []access.Permission{access.Read, access.Trade, access.Withdraw}, nil
		if err := f.db.People().AddKey(t.Context(), f.key); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("a key that withdraws from anywhere: %v", err)
		}
	})
}

// A key that may trade from anywhere can be used for 90 days.
func TestTradingFromAnywhereEnds(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		anywhere, secret := f.newKey("alice", "read,trade", "")
		limited, limitedSecret := f.newKey("alice", "read,trade", "192.0.2.7")
		reads, readsSecret := f.newKey("alice", "read", "")
		f.clock.Forward(noon.Add(access.UnlimitedTrade).Add(-time.Millisecond))
		f.key, f.secret = anywhere, secret
		f.toggle(true, success)
		f.clock.Advance(time.Millisecond)
		f.toggle(false, badKey)
		f.wants(f.get(listPath, ""), badKey)
		f.key, f.secret = limited, limitedSecret
		f.toggle(false, success)
		f.key, f.secret = reads, readsSecret
		if got := f.get(listPath, ""); got.status != 200 {
			t.Errorf("a key that only reads is answered %s", got)
		}
	})
}

func TestSpotDividends(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d1", "alice", 2, "BNB")
		f.deposit("d2", "alice", 300, "ADA")
		f.toggle(true, success)
		testkit.Must(f.db.Fund(t.Context(), "f1", "BNB", 1_00000000, false))(t)
		testkit.Must(f.db.Fund(t.Context(), "f2", "ADA", 1_00000000, false))(t)
		f.wants(f.get(dividendsPath, ""), `200 {"rows":[],"total":0}`)
		f.clock.Set(3, "00:06")
		f.settle()
		f.clock.Set(4, "00:06")
		f.settle()
		row := func(asset, amount string, at, id, tran int64) string {
			return fmt.Sprintf(`{"id":%d,"amount":"%s","asset":"%s","divTime":%d,"enInfo":"Soft Staking","tranId":%d,"direction":1}`, id, amount, asset, at, tran)
		}
		second := row("BNB", "0.00000821", 1772582760000, 226022344984183, 90952710321779)
		third := row("BNB", "0.00000822", 1772669160000, 277870573750735, 363624528795971)
		f.wants(f.get(dividendsPath, "asset=BNB"), `200 {"rows":[`+third+`,`+second+`],"total":2}`)
		f.wants(f.get(dividendsPath, "asset=BNB&limit=1"), `200 {"rows":[`+third+`],"total":2}`)
		f.wants(f.get(dividendsPath, "asset=BNB&endTime=1772582760000"), `200 {"rows":[`+second+`],"total":1}`)
		f.wants(f.get(dividendsPath, "asset=undefined"), `200 {"rows":[],"total":0}`)
		if all := read[struct{ Rows []struct{ Asset string } }](t,
			f.get(dividendsPath, "limit=500")); fmt.Sprint(all.Rows) != "[{ADA} {BNB} {ADA} {BNB}]" {
			t.Errorf("the rows are of %v", all.Rows)
		}
		f.wants(f.get(dividendsPath, "limit=501"),
			`400 {"code":-1130,"msg":"Data sent for parameter 'limit' is not valid."}`)
		// 180 days from it end before
		f.wants(f.get(dividendsPath, "startTime=1757000000000"), `200 {"rows":[],"total":0}`)
		f.wants(f.get(dividendsPath, "startTime=1757000000000&endTime=1772552000000"), `200 {"rows":[],"total":0}`)
		f.wants(f.get(dividendsPath, "startTime=1757000000000&endTime=1772552000001"),
			`400 {"code":-6021,"msg":"Query time range too large"}`)
		f.wants(f.get(dividendsPath, "startTime=2&endTime=1"),
			`400 {"code":-1130,"msg":"Data sent for parameter 'startTime' is not valid."}`)
	})
}
