package clients

import (
	"errors"
	"fmt"
	"testing"

	"github.com/adshao/go-binance/v2"
	"github.com/adshao/go-binance/v2/common"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/testkit"
)

// goTypes are go-binance's names for the types of key.
var goTypes = map[access.KeyType]string{
	access.HMAC: common.KeyTypeHmac, access.Ed25519: common.KeyTypeEd25519, access.RSA: common.KeyTypeRsa,
}

// TestGo lets go-binance ask for the account, the assets, the dividends and the
// time, and withdraw, with each type of key.
func TestGo(t *testing.T) {
	var holders []string
	for kind := range goTypes {
		holders = append(holders, "go-"+string(kind))
	}
	s := open(t, "sqlite", holders)
	for kind, name := range goTypes {
		t.Run(string(kind), func(t *testing.T) {
			given := s.key(t, "go-"+string(kind), kind)
			client := binance.NewClient(given.APIKey, given.Secret+given.PrivateKey)
			client.BaseURL, client.KeyType = given.URL, name
			goReads(t, client)
			goTracks(t, client)
			s.goWithdraws(t, client, "go-"+string(kind))
		})
	}
}

// goReads asks for what changes nothing.
func goReads(t *testing.T, client *binance.Client) {
	t.Helper()
	ctx := t.Context()
	if err := client.NewPingService().Do(ctx); err != nil {
		t.Fatal(err)
	}
	offset := testkit.Must(client.NewSetServerTimeService().Do(ctx))(t)
	if client.TimeOffset = offset; offset < -60_000 || offset > 60_000 {
		t.Errorf("the server's clock is %d ms away", offset)
	}
	info := testkit.Must(client.NewExchangeInfoService().Symbol("BNBUSDT").Do(ctx))(t)
	if len(info.Symbols) != 1 || info.Symbols[0].LotSizeFilter().StepSize != "0.00000001" {
		t.Errorf("the symbols are %+v", info.Symbols)
	}
	may := testkit.Must(client.NewGetAPIKeyPermission().Do(ctx))(t)
	if !may.EnableReading || !may.EnableWithdrawals || may.EnableFutures || may.CreateTime == 0 {
		t.Errorf("the key may %+v", may)
	}
	account := testkit.Must(client.NewGetAccountService().OmitZeroBalances(true).Do(ctx))(t)
	same(t, account.Balances, []binance.Balance{
		{Asset: "ADA", Free: "300.01232893", Locked: "0"}, {Asset: "BNB", Free: "2.00002465", Locked: "0"},
	})
	if account.UID <= 0 || account.AccountType != "SPOT" || !account.CanWithdraw {
		t.Errorf("the account is %+v", account)
	}
	assets := testkit.Must(client.NewGetUserAsset().NeedBtcValuation(true).Do(ctx))(t)
	same(t, assets, []binance.UserAssetRecord{
		{Asset: "ADA", Free: "300.01232893", Locked: "0", Freeze: "0", Withdrawing: "0", Ipoable: "0",
			BtcValuation: "0"},
		{Asset: "BNB", Free: "2.00002465", Locked: "0", Freeze: "0", Withdrawing: "0", Ipoable: "0", BtcValuation: "0"},
	})
	dividends := testkit.Must(client.NewAssetDividendService().Asset("BNB").Limit(2).Do(ctx))(t)
	same(t, dividends, &binance.DividendResponseWrapper{Total: 3, Rows: []*binance.DividendResponse{
		{Asset: "BNB", Amount: "0.00000822", Info: "Soft Staking"},
		{Asset: "BNB", Amount: "0.00000822", Info: "Soft Staking"},
	}}, cmpopts.IgnoreFields(binance.DividendResponse{}, "ID", "TranID", "Time"))
	if rows := dividends.Rows; rows[0].ID == rows[1].ID || rows[0].TranID == rows[1].TranID || rows[0].Time == 0 {
		t.Errorf("the rows are %+v and %+v", rows[0], rows[1])
	}
}

// goTracks asks for what a tracker of portfolios asks for.
func goTracks(t *testing.T, client *binance.Client) {
	t.Helper()
	ctx := t.Context()
	const home = "0x94df8b352de7f46f64b01d3666bf6e936e44ce60"
	for _, coin := range testkit.Must(client.NewGetAllCoinsInfoService().Do(ctx))(t) {
		if coin.Coin == "BNB" && (coin.Free != "2.00002465" || len(coin.NetworkList) != 1 ||
			coin.NetworkList[0].Network != "BSC" || !coin.NetworkList[0].IsDefault) {
			t.Errorf("the coin is %+v", coin)
		}
	}
	same(t, testkit.Must(client.NewGetDepositAddressService().Coin("BNB").Network("BSC").Do(ctx))(t),
		&binance.GetDepositAddressResponse{Address: home, Coin: "BNB"})
	var apiErr *common.APIError
	if _, err := client.NewGetDepositAddressService().Coin("SOL").Do(ctx); !errors.As(err, &apiErr) ||
		apiErr.Code != -4042 {
		t.Errorf("the address of a token without one: %v", err)
	}
	wallets := testkit.Must(client.NewWalletBalanceService().QuoteAsset("USDT").Do(ctx))(t)
	same(t, wallets[0], &binance.WalletBalance{Activate: true, Balance: "2150.03081446", WalletName: "Spot"})
	snapshot := testkit.Must(client.NewGetAccountSnapshotService().Type("SPOT").Do(ctx))(t)
	if n := len(snapshot.Snapshot); snapshot.Code != 200 || n != 6 || snapshot.Snapshot[n-1].Type != "spot" ||
		snapshot.Snapshot[n-1].UpdateTime%86_400_000 != 86_399_000 {
		t.Errorf("the snapshots are %+v", snapshot)
	}
	same(t, snapshot.Snapshot[5].Data.Balances,
		[]*binance.SnapshotBalances{
			{Asset: "ADA", Free: "300.01232893", Locked: "0"}, {Asset: "BNB", Free: "2.00002465", Locked: "0"},
		})
	prices := testkit.Must(client.NewListPricesService().Do(ctx))(t)
	same(t, prices, []*binance.SymbolPrice{{Symbol: "ADAUSDT", Price: "0.5"}, {Symbol: "BNBUSDT", Price: "1000"}})
	same(t, testkit.Must(client.NewListPricesService().Symbol("BNBUSDT").Do(ctx))(t), prices[1:])
	stats := testkit.Must(client.NewListPriceChangeStatsService().Symbol("BNBUSDT").Do(ctx))(t)
	if len(stats) != 1 || stats[0].LastPrice != "1000" || stats[0].Count != 0 ||
		stats[0].CloseTime-stats[0].OpenTime != 86_400_000 {
		t.Errorf("the day's figures are %+v", stats)
	}
	same(t, testkit.Must(client.NewTradeFeeService().Symbol("BNBUSDT").Do(ctx))(t),
		[]*binance.TradeFeeDetails{{Symbol: "BNBUSDT", MakerCommission: "0", TakerCommission: "0"}})
	if trades := testkit.Must(client.NewListTradesService().Symbol("BNBUSDT").Do(ctx))(t); len(trades) != 0 {
		t.Errorf("there are trades: %+v", trades)
	}
	if orders := testkit.Must(client.NewListOpenOrdersService().Do(ctx))(t); len(orders) != 0 {
		t.Errorf("there are orders: %+v", orders)
	}
}

// goWithdraws withdraws, and looks at it while it waits and when it is completed.
func (s *site) goWithdraws(t *testing.T, client *binance.Client, holder string) {
	t.Helper()
	ctx := t.Context()
	// Its address book's name has an "@", which this client leaves as it is where others escape it.
	withdraw := func(amount string) (*binance.CreateWithdrawResponse, error) {
		return client.NewCreateWithdrawService().Coin("BNB").Amount(amount).
			Address("bnb136ns6lfw4zs5hg4n85vdthaad7hq5m4gtkgf23").
			AddressTag("101764890").Network("BNB").WithdrawOrderID("rent 1").Name("me@home, café").Do(ctx)
	}
	var apiErr *common.APIError
	if _, err := withdraw("3"); !errors.As(err, &apiErr) || apiErr.Code != -4026 {
		t.Errorf("more than there is: %v", err)
	}
	if _, err := withdraw("0.000000001"); !errors.As(err, &apiErr) || apiErr.Code != -1111 {
		t.Errorf("with too many decimals: %v", err)
	}
	first := testkit.Must(withdraw("0.5"))(t)
	if again := testkit.Must(withdraw("0.5"))(t); *again != *first {
		t.Errorf("the same again is %+v, and was %+v", again, first)
	}
	if _, err := withdraw("0.6"); !errors.As(err, &apiErr) || apiErr.Code != -1130 {
		t.Errorf("another under the same name: %v", err)
	}
	row := binance.Withdraw{
		ID: first.ID, Coin: "BNB", Amount: "0.5", Address: "bnb136ns6lfw4zs5hg4n85vdthaad7hq5m4gtkgf23", Network: "BNB",
		WithdrawOrderID: "rent 1", Status: 2, TransactionFee: "0",
	}
	times := cmpopts.IgnoreFields(binance.Withdraw{}, "ApplyTime", "CompleteTime")
	same(t, testkit.Must(client.NewListWithdrawsService().Coin("BNB").Status(2).Do(ctx))(t),
		[]*binance.Withdraw{&row}, times)

	ending := first.ID + "/completed"
	s.softstake(t,
		fmt.Sprintf(`{"id":%q,"kind":"withdrawal-completed","moves":[{"from":"%s/held","to":"@custody","asset":"BNB","amount":"0.5"}]}`, ending, holder), "post", "-")
	row.Status, row.TxID = 6, ending
	listed := testkit.Must(client.NewListWithdrawsService().WithdrawOrderId("rent 1").Do(ctx))(t)
	same(t, listed, []*binance.Withdraw{&row}, times)
	if listed[0].CompleteTime < listed[0].ApplyTime ||
		listed[0].ApplyTime < s.began.UTC().Format("2006-01-02 15:04:05") {
		t.Errorf("applied for at %s, completed at %s", listed[0].ApplyTime, listed[0].CompleteTime)
	}
	if got := s.balance(t, holder, "BNB"); got != "1.50002465 free, 0 held" {
		t.Errorf("the books have %s", got)
	}
	same(t, testkit.Must(client.NewListDepositsService().Do(ctx))(t), []*binance.Deposit{{
		Coin: "BNB", Amount: "0.5", Status: 1, TxID: "deposit-" + holder, InsertTime: s.deposited.UnixMilli(),
		ConfirmTimes: "1/1",
	}})
}

func same(t *testing.T, got, wanted any, options ...cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(wanted, got, options...); diff != "" {
		t.Errorf("wanted (-), and got (+):\n%s", diff)
	}
}
