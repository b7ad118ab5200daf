package binance

import (
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// holding is what the account has of an asset.
type holding struct {
	asset      ledger.Asset
	free, held ledger.Amount
}

// holdings are the account's, of every asset that the books keep, by symbol.
func (r *request) holdings() ([]holding, error) {
	assets, err := r.Assets(r.ctx)
	if err != nil {
		return nil, err
	}
	balances, err := r.Balances(r.ctx, r.account)
	if err != nil {
		return nil, err
	}
	holdings := make([]holding, 0, len(assets))
	for _, a := range assets {
		h := holding{asset: a}
		if i, found := slices.BinarySearchFunc(balances, a.Symbol,
			func(b reports.Balance, s string) int { return strings.Compare(b.Asset, s) }); found {
			h.free, h.held = balances[i].Free, balances[i].Held
		}
		holdings = append(holdings, h)
	}
	return holdings, nil
}

type balance struct {
	Asset  string `json:"asset"`
	Free   string `json:"free"`
	Locked string `json:"locked"`
}

// balance is a holding in the exchange's fields.
func (h holding) balance() balance {
	return balance{h.asset.Symbol, h.asset.Format(h.free), h.asset.Format(h.held)}
}

type commissions struct {
	Maker  string `json:"maker"`
	Taker  string `json:"taker"`
	Buyer  string `json:"buyer"`
	Seller string `json:"seller"`
}

// spotAccount is the account in the exchange's fields. Nothing is traded here, and
// so costs nothing.
type spotAccount struct {
	Maker       int         `json:"makerCommission"`
	Taker       int         `json:"takerCommission"`
	Buyer       int         `json:"buyerCommission"`
	Seller      int         `json:"sellerCommission"`
	Rates       commissions `json:"commissionRates"`
	CanTrade    bool        `json:"canTrade"`
	CanWithdraw bool        `json:"canWithdraw"`
	CanDeposit  bool        `json:"canDeposit"`
	Brokered    bool        `json:"brokered"`
	SelfTrade   bool        `json:"requireSelfTradePrevention"`
	PreventSOR  bool        `json:"preventSor"`
	UpdateTime  int64       `json:"updateTime"`
	Type        string      `json:"accountType"`
	Balances    []balance   `json:"balances"`
	Permissions []string    `json:"permissions"`
	UID         int64       `json:"uid"`
}

// account copies GET /api/v3/account. What it can do is what its key may, and
// nothing leaves an account that is frozen; the time
// of its last change is not kept, and so shown as now.
func account(r *request) (any, error) {
	omit, err := r.parameters.flag("omitZeroBalances", false)
	if err != nil {
		return nil, err
	}
	holdings, err := r.holdings()
	if err != nil {
		return nil, err
	}
	of, err := r.Account(r.ctx, r.account)
	if err != nil {
		return nil, err
	}
	free := of.Freeze.Since.IsZero()
	answer := spotAccount{
		Rates:    commissions{"0", "0", "0", "0"},
		CanTrade: r.key.May(access.Trade) && free, CanWithdraw: r.key.May(access.Withdraw) && free, CanDeposit: true,
		UpdateTime: r.stamp(r.now), Type: "SPOT", Balances: []balance{}, Permissions: []string{"SPOT"},
		UID: number("account", string(r.account)),
	}
	for _, h := range holdings {
		if omit && h.free == 0 && h.held == 0 {
			continue
		}
		answer.Balances = append(answer.Balances, h.balance())
	}
	return answer, nil
}

type userAsset struct {
	Asset       string `json:"asset"`
	Free        string `json:"free"`
	Locked      string `json:"locked"`
	Freeze      string `json:"freeze"`
	Withdrawing string `json:"withdrawing"`
	Ipoable     string `json:"ipoable"`
	Bitcoin     string `json:"btcValuation"`
}

// getUserAsset copies POST /sapi/v3/asset/getUserAsset: one asset, or those of which
// there is anything. What is held is not set apart for withdrawals in the books: all
// of it is in "locked". "btcValuation" is "0" where it is not needed, and where the
// asset or bitcoin has no price in the books.
func getUserAsset(r *request) (any, error) {
	wanted, err := r.parameters.asset("asset")
	if err != nil {
		return nil, err
	}
	valued, err := r.parameters.flag("needBtcValuation", false)
	if err != nil {
		return nil, err
	}
	holdings, err := r.holdings()
	if err != nil {
		return nil, err
	}
	var v valuation
	if valued {
		if v, err = r.valuation(staking.DayOf(r.now)); err != nil {
			return nil, err
		}
	}
	answer := []userAsset{}
	for _, h := range holdings {
		if wanted != h.asset.Symbol && (wanted != "" || h.free == 0 && h.held == 0) {
			continue
		}
		value, err := v.bitcoin(h)
		if err != nil {
			return nil, err
		}
		answer = append(answer, userAsset{
			Asset: h.asset.Symbol, Free: h.asset.Format(h.free), Locked: h.asset.Format(h.held),
			Freeze: "0", Withdrawing: "0", Ipoable: "0", Bitcoin: value,
		})
	}
	return answer, nil
}

// dividendSpan is the longest range of time in which dividends are listed.
const dividendSpan = 180 * day

type dividend struct {
	ID        int64  `json:"id"`
	Amount    string `json:"amount"`
	Asset     string `json:"asset"`
	Time      int64  `json:"divTime"`
	Info      string `json:"enInfo"`
	TranID    int64  `json:"tranId"`
	Direction int    `json:"direction"`
}

// assetDividend copies GET /sapi/v1/asset/assetDividend: each reward is a row, the
// newest first, and a day's distribution of a token has one "tranId". The exchange
// does not say which range it takes where none is given: here the longest.
func assetDividend(r *request) (any, error) {
	from, to, err := r.span(dividendSpan, dividendSpan)
	if err != nil {
		return nil, err
	}
	asset, err := r.parameters.asset("asset")
	if err != nil {
		return nil, err
	}
	limit, err := r.parameters.int("limit", 20, 1, 500)
	if err != nil {
		return nil, err
	}
	assets, err := r.assets()
	if err != nil {
		return nil, err
	}
	credits, total, err := r.Credited(r.ctx, r.account, from, to, asset, 0, limit)
	if err != nil {
		return nil, err
	}
	rows := []dividend{}
	for _, c := range credits {
		rows = append(rows, dividend{
			ID:     number("reward", c.Day.String(), c.Asset, string(r.account)),
			TranID: number("reward", c.Day.String(), c.Asset),
			Amount: assets[c.Asset].Format(c.Reward), Asset: c.Asset, Time: c.PaidAt.UnixMilli(),
			Info: "Soft Staking", Direction: 1,
		})
	}
	return struct {
		Rows  []dividend `json:"rows"`
		Total int        `json:"total"`
	}{rows, total}, nil
}

const (
	// snapshotDays are the most snapshots of one request, and the longest range in days.
	snapshotDays = 30
	// snapshotReach is how far a snapshot may lie back: a month.
	snapshotReach = 31 * day
)

// snapshotRow is the Spot account at the end of a day.
type snapshotRow struct {
	Data snapshotData `json:"data"`
	Type string       `json:"type"`
	Time int64        `json:"updateTime"` // the last second of the day, in milliseconds
}

type snapshotData struct {
	Balances []balance `json:"balances"`
	Bitcoin  string    `json:"totalAssetOfBtc"`
}

// accountSnapshot copies GET /sapi/v1/accountSnapshot: the balances at the end of each
// UTC day of the last month, the oldest first, counted back by the journal. There is no
// margin and no futures account, and so no snapshot of one.
func accountSnapshot(r *request) (any, error) {
	kind, err := r.parameters.need("type")
	if err != nil {
		return nil, err
	}
	if kind != "SPOT" && kind != "MARGIN" && kind != "FUTURES" {
		return nil, mandatory("type")
	}
	limit, err := r.parameters.int("limit", 7, 7, snapshotDays)
	if err != nil {
		return nil, err
	}
	from, to, err := r.span(time.Duration(limit)*day, snapshotDays*day)
	if err != nil {
		return nil, err
	}
	oldest := r.now.Add(-snapshotReach)
	switch {
	case from.Before(oldest) && r.parameters["startTime"] != "":
		return nil, invalid("startTime")
	case to.Before(oldest):
		return nil, invalid("endTime")
	case from.Before(oldest):
		from = oldest
	}
	rows := []snapshotRow{}
	if kind == "SPOT" {
		rows, err = r.snapshots(from, to, limit)
	}
	return struct {
		Code      int           `json:"code"`
		Message   string        `json:"msg"`
		Snapshots []snapshotRow `json:"snapshotVos"`
	}{200, "", rows}, err
}

// snapshots are those of a range of time, both ends inclusive, the latest of them where
// there are more than a limit.
func (r *request) snapshots(from, to time.Time, limit int) ([]snapshotRow, error) {
	first := staking.DayOf(from.Add(time.Second+day-time.Nanosecond)) - 1
	last := min(staking.DayOf(to.Add(time.Second)), staking.DayOf(r.now)) - 1
	snapshots, err := r.Snapshots(r.ctx, r.account, max(first, last-staking.Day(limit)+1), last)
	if err != nil {
		return nil, err
	}
	assets, err := r.assets()
	if err != nil {
		return nil, err
	}
	rows := []snapshotRow{}
	for _, s := range snapshots {
		v, err := r.valuation(s.Day)
		if err != nil {
			return nil, err
		}
		balances, holdings := []balance{}, []holding{}
		for _, b := range s.Balances {
			h := holding{assets[b.Asset], b.Free, b.Held}
			holdings = append(holdings, h)
			balances = append(balances, h.balance())
		}
		total, err := v.bitcoin(holdings...)
		if err != nil {
			return nil, err
		}
		end := (s.Day + 1).Start().Add(-time.Second)
		rows = append(rows, snapshotRow{snapshotData{balances, total}, "spot", end.UnixMilli()})
	}
	return rows, nil
}
