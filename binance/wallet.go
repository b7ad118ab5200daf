package binance

import (
	"net/http"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/staking"
)

// wallet are the endpoints that trackers of portfolios ask for beside the Spot account.
var wallet = []endpoint{
	get("/sapi/v1/capital/config/getall", access.Read, 10, coins),
	get("/sapi/v1/capital/deposit/address", access.Read, 10, depositAddress),
	get("/sapi/v1/asset/wallet/balance", access.Read, 60, walletBalance),
	{http.MethodPost, "/sapi/v1/asset/get-funding-asset", access.Read, 1, fundingAsset, nil},
	get("/sapi/v1/asset/assetDetail", access.Read, 1, assetDetail),
	get("/sapi/v1/asset/tradeFee", access.Read, 1, tradeFee),
	get("/sapi/v1/accountSnapshot", access.Read, 2400, accountSnapshot),
	get("/sapi/v1/account/status", access.Read, 1, accountStatus),
	get("/sapi/v1/account/info", access.Read, 1, accountInfo),
}

// wallets are the exchange's others, in its order: here there is only Spot.
var wallets = []string{
	"Funding", "Cross Margin", "Isolated Margin", "USDⓈ-M Futures", "COIN-M Futures", "Earn", "Options", "Trading Bots",
	"Copy Trading",
}

type walletRow struct {
	Active  bool   `json:"activate"`
	Balance string `json:"balance"`
	Name    string `json:"walletName"`
}

// walletBalance copies GET /sapi/v1/asset/wallet/balance: what the account has, free
// and held, in "quoteAsset", which is BTC unless something else is asked for, at the
// prices of today. Tokens without a price are left out. Where bitcoin has no price in
// the books the balance is "0", as "btcValuation" is; another asset without one is
// refused.
func walletBalance(r *request) (any, error) {
	quote, err := r.parameters.asset("quoteAsset")
	if err != nil {
		return nil, err
	}
	if quote == "" {
		quote = bitcoin
	}
	holdings, err := r.holdings()
	if err != nil {
		return nil, err
	}
	v, err := r.valuation(staking.DayOf(r.now))
	if err != nil {
		return nil, err
	}
	total, known, err := v.in(quote, holdings...)
	switch {
	case err != nil:
		return nil, err
	case !known && quote != bitcoin:
		return nil, badRequest(-1130,
			"Data sent for parameter 'quoteAsset' is not valid: no price of it is known today.")
	}
	rows := []walletRow{{true, total, "Spot"}}
	for _, name := range wallets {
		rows = append(rows, walletRow{false, "0", name})
	}
	return rows, nil
}

// fundingAsset copies POST /sapi/v1/asset/get-funding-asset: there is no Funding wallet.
func fundingAsset(r *request) (any, error) {
	if _, err := r.parameters.asset("asset"); err != nil {
		return nil, err
	}
	if _, err := r.parameters.flag("needBtcValuation", false); err != nil {
		return nil, err
	}
	return []userAsset{}, nil
}

type detail struct {
	Min      string `json:"minWithdrawAmount"`
	Deposit  bool   `json:"depositStatus"`
	Fee      int    `json:"withdrawFee"`
	Withdraw bool   `json:"withdrawStatus"`
	Tip      string `json:"depositTip,omitempty"`
}

// noAddress is the message of a token without an address to deposit to.
const noAddress = "The operator has set no deposit address for this account."

// assetDetail copies GET /sapi/v1/asset/assetDetail: an object by symbol. A token can
// be deposited where an address is set for it; any amount can be withdrawn, for nothing.
func assetDetail(r *request) (any, error) {
	wanted, err := r.parameters.asset("asset")
	if err != nil {
		return nil, err
	}
	assets, err := r.Assets(r.ctx)
	if err != nil {
		return nil, err
	}
	addresses, err := r.depositAddresses()
	if err != nil {
		return nil, err
	}
	details := map[string]detail{}
	for _, a := range assets {
		if wanted != "" && wanted != a.Symbol {
			continue
		}
		d := detail{Min: a.Format(1), Deposit: len(addresses[a.Symbol]) > 0, Withdraw: true}
		if !d.Deposit {
			d.Tip = noAddress
		}
		details[a.Symbol] = d
	}
	return details, nil
}

type fee struct {
	Symbol string `json:"symbol"`
	Maker  string `json:"makerCommission"`
	Taker  string `json:"takerCommission"`
}

// tradeFee copies GET /sapi/v1/asset/tradeFee. Nothing is traded, and so costs nothing.
func tradeFee(r *request) (any, error) {
	assets, err := r.wantedPairs()
	if err != nil {
		return nil, err
	}
	fees := []fee{}
	for _, a := range assets {
		fees = append(fees, fee{a.Symbol + conversion.USDT, "0", "0"})
	}
	return fees, nil
}

// accountStatus copies GET /sapi/v1/account/status.
func accountStatus(r *request) (any, error) {
	account, err := r.Account(r.ctx, r.account)
	if err != nil {
		return nil, err
	}
	status := "Normal"
	switch {
	case !account.Closed.IsZero():
		status = "Closed"
	case !account.Freeze.Since.IsZero():
		status = "Locked"
	}
	return struct {
		Data string `json:"data"`
	}{status}, nil
}

// accountInfo copies GET /sapi/v1/account/info: what is not Spot is not enabled.
func accountInfo(*request) (any, error) {
	return struct {
		VIP             int  `json:"vipLevel"`
		Margin          bool `json:"isMarginEnabled"`
		Futures         bool `json:"isFutureEnabled"`
		Options         bool `json:"isOptionsEnabled"`
		PortfolioMargin bool `json:"isPortfolioMarginRetailEnabled"`
	}{}, nil
}
