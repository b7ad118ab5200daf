package binance_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/testkit"
)

const (
	coinsPath    = "/sapi/v1/capital/config/getall"
	addressPath  = "/sapi/v1/capital/deposit/address"
	walletPath   = "/sapi/v1/asset/wallet/balance"
	fundingPath  = "/sapi/v1/asset/get-funding-asset"
	detailPath   = "/sapi/v1/asset/assetDetail"
	feePath      = "/sapi/v1/asset/tradeFee"
	snapshotPath = "/sapi/v1/accountSnapshot"
	statusPath   = "/sapi/v1/account/status"
	aboutPath    = "/sapi/v1/account/info"
)

// addBitcoin lets the books keep bitcoin.
func (f *fixture) addBitcoin() {
	f.t.Helper()
	ok(f.t, f.db.AddAsset(f.t.Context(), staking.Token{
		Asset: ledger.Asset{Symbol: "BTC", Scale: 8, MaxSupply: 21_000_000_00000000},
		Terms: staking.Terms{Asset: "BTC", From: staking.DayOf(noon), APR: 100_000, Min: 1, Cap: 1_00000000},
	}))
}

// address sets where alice sends a token.
func (f *fixture) address(asset, network, address, tag string) {
	f.t.Helper()
	testkit.Must(f.db.People().SetDepositAddress(f.t.Context(),
		people.DepositAddress{Account: "alice", Asset: asset, Network: network, Address: address, Tag: tag}))(f.t)
}

const otherWallets = `{"activate":false,"balance":"0","walletName":"Funding"},{"activate":false,"balance":"0","walletName":"Cross Margin"},` +
	`{"activate":false,"balance":"0","walletName":"Isolated Margin"},{"activate":false,"balance":"0","walletName":"USDⓈ-M Futures"},` +
	`{"activate":false,"balance":"0","walletName":"COIN-M Futures"},{"activate":false,"balance":"0","walletName":"Earn"},` +
	`{"activate":false,"balance":"0","walletName":"Options"},{"activate":false,"balance":"0","walletName":"Trading Bots"},` +
	`{"activate":false,"balance":"0","walletName":"Copy Trading"}]`

// The Spot wallet is worth what is in it, free and held, at the prices of today.
func TestWalletBalance(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		spot := func(balance string) string {
			return `200 [{"activate":true,"balance":"` + balance + `","walletName":"Spot"},` + otherWallets
		}
		f.deposit("d1", "alice", 3, "BNB")
		f.deposit("d2", "alice", 100, "ADA")
		f.deposit("d3", "alice", 7, "SOL") // has no price, and is left out
		f.enter("h1", ledger.Hold, "alice", "alice/held", "BNB", 86000000)
		f.wants(f.get(walletPath, "quoteAsset=USDT"), spot("0"))
		f.setPrice("BNB", 1, 600_00000000)
		f.setPrice("ADA", 1, 30000001)
		f.wants(f.get(walletPath, "quoteAsset=USDT"), spot("1830.000001"))
		f.wants(f.get(walletPath, "quoteAsset=BNB"), spot("3.05"))
		f.wants(f.get(walletPath, "quoteAsset=ADA"), spot("6099.9998"))
		f.wants(f.get(walletPath, ""), spot("0")) // bitcoin has no price
		f.wants(f.get(walletPath, "quoteAsset=BTC"), spot("0"))
		f.wants(f.get(walletPath, "quoteAsset=SOL"),
			`400 {"code":-1130,"msg":"Data sent for parameter 'quoteAsset' is not valid: no price of it is known today."}`)
		f.wants(f.get(walletPath, "quoteAsset=x%2Fy"), illegalIn("quoteAsset"))
		f.addBitcoin()
		f.setPrice("BTC", 1, 90_000_00000000)
		f.wants(f.get(walletPath, ""), spot("0.02033333"))
		f.wants(f.post(assetsPath, "asset=BNB&needBtcValuation=true"),
			`200 [{"asset":"BNB","free":"2.14","locked":"0.86","freeze":"0","withdrawing":"0","ipoable":"0","btcValuation":"0.02"}]`)
		f.wants(f.post(assetsPath, "asset=BNB"),
			`200 [{"asset":"BNB","free":"2.14","locked":"0.86","freeze":"0","withdrawing":"0","ipoable":"0","btcValuation":"0"}]`)
		f.wants(f.post(assetsPath, "asset=SOL&needBtcValuation=true"),
			`200 [{"asset":"SOL","free":"7","locked":"0","freeze":"0","withdrawing":"0","ipoable":"0","btcValuation":"0"}]`)
	})
}

// There is no other wallet than Spot, and it may be asked for in the query or in the body.
func TestFundingAsset(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	f.deposit("d1", "alice", 3, "BNB")
	for query, want := range map[string]string{
		"": `200 []`, "asset=BNB&needBtcValuation=true": `200 []`,
		"needBtcValuation=maybe": missing("needBtcValuation"), "asset=B%2FB": illegalIn("asset"),
	} {
		f.wants(f.post(fundingPath, query), want)
		a := f.signed(fundingPath, query)
		a.method, a.query, a.body = http.MethodPost, "", a.query
		f.wants(f.send(a), want)
	}
	f.wants(f.get(fundingPath, ""),
		`405 {"code":-1020,"msg":"This operation is not supported: the path has another method."}`)
}

func TestAccountStatusAndInfo(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	f.wants(f.get(statusPath, ""), `200 {"data":"Normal"}`)
	f.wants(f.get(aboutPath, ""),
		`200 {"vipLevel":0,"isMarginEnabled":false,"isFutureEnabled":false,"isOptionsEnabled":false,"isPortfolioMarginRetailEnabled":false}`)
	f.wants(f.public(statusPath, ""), badFormat)
	ok(t, f.db.CloseAccount(t.Context(), "alice"))
	f.wants(f.get(statusPath, ""), `200 {"data":"Closed"}`)
}

func TestTradeFee(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	const bnb = `{"symbol":"BNBUSDT","makerCommission":"0","takerCommission":"0"}`
	f.wants(f.get(feePath, "symbol=BNBUSDT"), `200 [`+bnb+`]`)
	f.wants(f.get(feePath, "symbol=NOPE"), badSymbol)
	f.wants(f.get(feePath, "symbol=bnb"), illegalIn("symbol"))
	if got := f.get(feePath, ""); got.status != http.StatusOK || strings.Count(got.body, `"symbol":`) != 10 ||
		!strings.Contains(got.body, bnb) {
		t.Errorf("answered %s", got)
	}
}

func TestAssetDetail(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const closed = `200 {"BNB":{"minWithdrawAmount":"0.00000001","depositStatus":false,"withdrawFee":0,"withdrawStatus":true,` +
			`"depositTip":"The operator has set no deposit address for this account."}}`
		f.wants(f.get(detailPath, "asset=BNB"), closed)
		f.address("BNB", "BSC", "0x1", "")
		f.wants(f.get(detailPath, "asset=BNB"),
			`200 {"BNB":{"minWithdrawAmount":"0.00000001","depositStatus":true,"withdrawFee":0,"withdrawStatus":true}}`)
		f.wants(f.get(detailPath, "asset=undefined"), `200 {}`)
		f.wants(f.get(detailPath, "asset=B%2FB"), illegalIn("asset"))
		if all := read[map[string]struct{ WithdrawStatus bool }](t, f.get(detailPath, "")); len(all) != 10 ||
			!all["SOL"].WithdrawStatus {
			t.Errorf("the assets are %v", all)
		}
	})
}

func TestCoins(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d1", "alice", 3, "BNB")
		f.enter("h1", ledger.Hold, "alice", "alice/held", "BNB", 86000000)
		network := func(name string, standard, tag bool) string {
			return fmt.Sprintf(`{"network":"%s","coin":"BNB","withdrawIntegerMultiple":"0.00000001","isDefault":%t,"depositEnable":true,"withdrawEnable":true,"depositDesc":"","withdrawDesc":"",`+
				`"specialTips":"","specialWithdrawTips":"","name":"%s","resetAddressStatus":false,"addressRegex":"","addressRule":"","memoRegex":"","withdrawFee":"0",`+
				`"withdrawMin":"0.00000001","withdrawMax":"200000000","withdrawInternalMin":"0.00000001","depositDust":"0.00000001","minConfirm":1,"unLockConfirm":0,`+
				`"sameAddress":%t,"withdrawTag":%t,"estimatedArrivalTime":0,"busy":false,"contractAddressUrl":"","contractAddress":""}`, name, standard, name, tag, tag)
		}
		bnb := func(deposit bool, networks ...string) {
			t.Helper()
			want := fmt.Sprintf(`{"coin":"BNB","depositAllEnable":%t,"withdrawAllEnable":true,"name":"BNB","free":"2.14","locked":"0.86","freeze":"0","withdrawing":"0",`+
				`"ipoing":"0","ipoable":"0","storage":"0","isLegalMoney":false,"trading":false,"networkList":[%s]}`,
				deposit, strings.Join(networks, ","))
			if got := f.get(coinsPath, ""); got.status != http.StatusOK || !strings.Contains(got.body, want) ||
				strings.Count(got.body, `"storage"`) != 10 {
				t.Errorf("answered\n%s\nwithout\n%s", got, want)
			}
		}
		bnb(false)
		f.address("BNB", "BSC", "0x1", "")
		bnb(true, network("BSC", true, false))
		f.address("BNB", "OPBNB", "0x2", "7")
		bnb(true, network("BSC", false, false), network("OPBNB", false, true))
		f.address("BNB", "", "bnb1", "")
		bnb(true, network("BNB", true, false), network("BSC", false, false), network("OPBNB", false, true))
	})
}

// Where tokens are lost if the network is another, none is guessed.
func TestDepositAddress(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const none = `400 {"code":-4042,"msg":"This asset cannot get deposit address: the operator has set none for this account."}`
		at := func(coin, address, tag string) string {
			return fmt.Sprintf(`200 {"address":"%s","coin":"%s","tag":"%s","url":""}`, address, coin, tag)
		}
		wants := func(answers map[string]string) {
			t.Helper()
			for query, want := range answers {
				if got := f.get(addressPath, query).String(); got != want {
					t.Errorf("%s: %s, not %s", query, got, want)
				}
			}
		}
		wants(map[string]string{"coin=BNB": none, "coin=BNB&network=BSC": none, "coin=BNB&network=BNB": none,
			"coin=NOPE": `400 {"code":-4018,"msg":"We don't have this asset."}`,
			"":          missing("coin"), "coin=": missing("coin"), "network=BSC": missing("coin"),
			"coin=B%2FB": illegalIn("coin")})
		f.address("BNB", "BSC", "0x1", "")
		wants(map[string]string{"coin=BNB": at("BNB", "0x1", ""), "coin=BNB&network=BSC&amount=1": at("BNB", "0x1", ""),
			"coin=BNB&network=bsc": at("BNB", "0x1", ""),
			"coin=BNB&network=ETH": none, "coin=BNB&network=BNB": none, "coin=SOL": none})
		f.address("BNB", "OPBNB", "0x2", "7")
		wants(map[string]string{
			"coin=BNB": missing("network"), "coin=BNB&network=OPBNB": at("BNB", "0x2", "7"),
			"coin=BNB&network=BNB": none,
		})
		f.address("BNB", "", "bnb1", "8")
		wants(map[string]string{
			"coin=BNB": at("BNB", "bnb1", "8"), "coin=BNB&network=BNB": at("BNB", "bnb1", "8"),
			"coin=BNB&network=BSC": at("BNB", "0x1", ""),
		})
		f.open("bob")
		f.key, f.secret = f.newKey("bob", "read", "")
		wants(map[string]string{"coin=BNB": none})
	})
}

// The ends of days, in the exchange's shape to the letter.
func TestAccountSnapshot(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		answer := func(rows ...string) string {
			return `200 {"code":200,"msg":"","snapshotVos":[` + strings.Join(rows, ",") + `]}`
		}
		row := func(day int, bitcoin string, balances ...string) string {
			end := noon.Truncate(24*time.Hour).AddDate(0, 0, day).Add(-time.Second).UnixMilli()
			return fmt.Sprintf(`{"data":{"balances":[%s],"totalAssetOfBtc":"%s"},"type":"spot","updateTime":%d}`,
				strings.Join(balances, ","), bitcoin, end)
		}
		const two, both, ada = `{"asset":"BNB","free":"2","locked":"0"}`, `{"asset":"BNB","free":"1.5","locked":"0.5"}`, `{"asset":"ADA","free":"300","locked":"0"}`
		f.addBitcoin()
		f.setPrice("BNB", 1, 600_00000000)
		f.setPrice("BTC", 1, 60_000_00000000)
		f.deposit("d1", "alice", 2, "BNB")
		f.wants(f.get(snapshotPath, "type=SPOT"), answer()) // no day is over
		f.clock.Set(2, "09:00")
		f.setPrice("BNB", 2, 300_00000000)
		f.deposit("d2", "alice", 300, "ADA")
		f.enter("h1", ledger.Hold, "alice", "alice/held", "BNB", 50000000)
		f.wants(f.get(snapshotPath, "type=SPOT"), answer(row(1, "0.02", two)))
		f.clock.Set(3, "23:59")
		f.enter("w1", ledger.Withdrawal, "alice", ledger.Custody, "ADA", 300_00000000)
		f.clock.Set(4, "00:00")
		first, second, third := row(1, "0.02", two), row(2, "0.01", ada, both), row(3, "0.01", both)
		f.wants(f.get(snapshotPath, "type=SPOT"), answer(first, second, third))
		f.wants(f.get(snapshotPath, "type=SPOT&limit=30"), answer(first, second, third))
		end := func(day int) int64 {
			return noon.Truncate(24*time.Hour).AddDate(0, 0, day).Add(-time.Second).UnixMilli()
		}
		for query, want := range map[string]string{
			fmt.Sprintf("startTime=%d&endTime=%d", end(1), end(2)):   answer(first, second),
			fmt.Sprintf("startTime=%d&endTime=%d", end(1)+1, end(2)): answer(second),
			fmt.Sprintf("startTime=%d&endTime=%d", end(1), end(2)-1): answer(first),
			fmt.Sprintf("startTime=%d", end(2)):                      answer(second, third),
			fmt.Sprintf("endTime=%d", end(1)):                        answer(first),
			fmt.Sprintf("endTime=%d", end(30)):                       answer(), // 7 days before it there is nothing yet
			fmt.Sprintf("endTime=%d&limit=30", end(30)):              answer(first, second, third),
		} {
			if got := f.get(snapshotPath, "type=SPOT&"+query).String(); got != want {
				t.Errorf("%s:\n%s, not\n%s", query, got, want)
			}
		}
		f.wants(f.get(snapshotPath, "type=MARGIN"), answer())
		f.wants(f.get(snapshotPath, "type=FUTURES"), answer())
		f.clock.Set(20, "12:00")
		var rows []string
		for day := 13; day < 20; day++ { // prices hold 7 days on
			rows = append(rows, row(day, "0", both))
		}
		f.wants(f.get(snapshotPath, "type=SPOT"), answer(rows...))
		// the latest of them
		f.wants(f.get(snapshotPath, fmt.Sprintf("type=SPOT&startTime=%d&endTime=%d", end(4), end(25))), answer(rows...))
	})
}

func TestAccountSnapshotRefused(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	f.clock.Set(60, "00:00")
	now := f.now().UnixMilli()
	const dayMillis = 86_400_000
	for query, want := range map[string]string{
		"": missing("type"), "type=": missing("type"), "type=spot": missing("type"), "type=OPTIONS": missing("type"),
		"type=SPOT&limit=6": notValid("limit"), "type=SPOT&limit=31": notValid("limit"),
		"type=SPOT&limit=x":               illegalIn("limit"),
		"type=SPOT&startTime=2&endTime=1": notValid("startTime"),
		fmt.Sprintf("type=SPOT&startTime=%d&endTime=%d", now-30*dayMillis-1, now):          `400 {"code":-6021,"msg":"Query time range too large"}`,
		fmt.Sprintf("type=SPOT&startTime=%d", now-31*dayMillis-1):                          notValid("startTime"),
		fmt.Sprintf("type=SPOT&endTime=%d", now-31*dayMillis-1):                            notValid("endTime"),
		fmt.Sprintf("type=FUTURES&startTime=%d", now-31*dayMillis):                         `200 {"code":200,"msg":"","snapshotVos":[]}`,
		fmt.Sprintf("type=FUTURES&startTime=%d&endTime=%d&limit=7", now-30*dayMillis, now): `200 {"code":200,"msg":"","snapshotVos":[]}`,
	} {
		if got := f.get(snapshotPath, query).String(); got != want {
			t.Errorf("%s: %s, not %s", query, got, want)
		}
	}
	if got := read[struct{ SnapshotVos []any }](t,
		f.get(snapshotPath, "type=SPOT&limit=30")); len(got.SnapshotVos) != 30 {
		t.Errorf("of 30 days there are %d", len(got.SnapshotVos))
	}
}
