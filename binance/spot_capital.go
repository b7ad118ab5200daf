package binance

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// capitalSpan is the longest range of time in which deposits and withdrawals are listed.
const capitalSpan = 90 * day

// maxRows is the most rows of one answer.
const maxRows = 1000

// maxDestination is the length in characters of the longest part of a withdrawal's destination.
const maxDestination = 200

// withdrawApply copies POST /sapi/v1/capital/withdraw/apply. A withdrawOrderId is
// the name that makes it once: the same again, with the same content, is answered
// as the first time forever, and not only while its request may be repeated. It goes
// to an address that the holder has saved, unless any is allowed. Fees inside the exchange are not ours: "name" and
// "transactionFeeFlag" change nothing, and there is one wallet.
func withdrawApply(r *request, books *store.DB) (any, error) {
	w, err := r.withdrawal()
	if err != nil {
		return nil, err
	}
	if _, err := books.Withdraw(r.ctx, w); err != nil {
		if refusal, is := errors.AsType[*ledger.Error](err); is && errors.Is(err, access.ErrForbidden) &&
			(refusal.Reason == store.ReasonAddressUnknown || refusal.Reason == store.ReasonAddressWaits) {
			return nil, errAddress
		}
		switch ledger.ReasonOf(err) {
		case access.ReasonFactor:
			return nil, errFactor
		case store.ReasonDailyLimit:
			return nil, errDailyLimit
		}
		return nil, err
	}
	return struct {
		ID string `json:"id"`
	}{w.ID}, nil
}

// withdrawal reads what is to be withdrawn, and where to.
func (r *request) withdrawal() (w store.Withdrawal, err error) {
	coin, err := r.parameters.need("coin")
	if err != nil {
		return w, err
	}
	asset, err := r.Asset(r.ctx, coin)
	if errors.Is(err, ledger.ErrNotFound) {
		return w, errNoAsset
	}
	if err != nil {
		return w, err
	}
	if _, err := r.parameters.need("address"); err != nil {
		return w, err
	}
	for _, name := range []string{"address", "network", "addressTag", "withdrawOrderId"} {
		if utf8.RuneCountInString(r.parameters[name]) > maxDestination {
			return w, invalid(name)
		}
	}
	if wallet := r.parameters["walletType"]; wallet != "" && wallet != "0" {
		return w, invalid("walletType")
	}
	amount, err := r.parameters.amount("amount", asset)
	if err != nil {
		return w, err
	}
	return store.Withdrawal{
		ID: r.withdrawalID(), Account: r.account, Asset: asset.Symbol, Amount: amount,
		Address: r.parameters["address"], Network: r.parameters["network"],
		Tag: r.parameters["addressTag"], ClientID: r.parameters["withdrawOrderId"],
	}, nil
}

// withdrawalID names the withdrawal: by the name its holder gave it, else by the
// request, which is repeated only as it is.
func (r *request) withdrawalID() string {
	name := "request\x00" + r.key.Key + "\x00" + string(r.name[:])
	if own := r.parameters["withdrawOrderId"]; own != "" {
		name = "own\x00" + string(r.account) + "\x00" + own
	}
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}

// withdrawAddresses copies GET /sapi/v1/capital/withdraw/address/list: the saved addresses that can be used.
func withdrawAddresses(r *request) (any, error) {
	type row struct {
		Address     string `json:"address"`
		Tag         string `json:"addressTag"`
		Coin        string `json:"coin"`
		Name        string `json:"name"`
		Network     string `json:"network"`
		Origin      string `json:"origin"`
		OriginType  string `json:"originType"`
		WhiteStatus bool   `json:"whiteStatus"`
	}
	all, err := r.WithdrawalAddresses(r.ctx, r.account)
	if err != nil {
		return nil, err
	}
	rows := []row{}
	for _, a := range all {
		if !a.Usable.After(r.now) {
			rows = append(rows, row{a.Address, a.Tag, a.Asset, a.Label, a.Network, "", "", true})
		}
	}
	return rows, nil
}

// withdrawnRow is a withdrawal in the exchange's fields.
type withdrawnRow struct {
	ID           string `json:"id"`
	Amount       string `json:"amount"`
	Fee          string `json:"transactionFee"`
	Coin         string `json:"coin"`
	Status       int    `json:"status"`
	Address      string `json:"address"`
	Tag          string `json:"addressTag"`
	TxID         string `json:"txId"`
	ApplyTime    string `json:"applyTime"`
	Network      string `json:"network"`
	TransferType int    `json:"transferType"`
	OrderID      string `json:"withdrawOrderId,omitempty"`
	Info         string `json:"info"`
	Confirms     int    `json:"confirmNo"`
	Wallet       int    `json:"walletType"`
	TxKey        string `json:"txKey"`
	Completed    string `json:"completeTime,omitempty"`
}

// withdrawalStatus are the exchange's numbers for the states of a withdrawal.
var withdrawalStatus = map[store.WithdrawalState]int{store.Cancelled: 1, store.Pending: 2, store.Forged: 3,
	store.Completed: 6}

// withdrawHistory copies GET /sapi/v1/capital/withdraw/history, the newest first.
// "withdrawOrderId" narrows nothing but the answer: its range is as long as any.
func withdrawHistory(r *request) (any, error) {
	part, err := r.part()
	if err != nil {
		return nil, err
	}
	own, ids := r.parameters["withdrawOrderId"], r.parameters.list("idList")
	asked := reports.WithdrawalsAsked{From: part.from, To: part.to, Asset: part.asset, Newest: true}
	return rowsOf(part, func(visit func(store.Withdrawal) error) error {
		return r.Withdrawals(r.ctx, r.account, asked, visit)
	}, func(w store.Withdrawal) bool {
		return part.has(withdrawalStatus[w.State]) && (own == "" || own == w.ClientID) &&
			(ids == nil || slices.Contains(ids, w.ID))
	}, func(w store.Withdrawal) withdrawnRow { return withdrawn(w, part.assets[w.Asset]) })
}

func withdrawn(w store.Withdrawal, a ledger.Asset) withdrawnRow {
	row := withdrawnRow{
		ID: w.ID, Amount: a.Format(w.Amount), Fee: "0", Coin: w.Asset, Status: withdrawalStatus[w.State],
		Address: w.Address, Tag: w.Tag, Network: w.Network, OrderID: w.ClientID, ApplyTime: w.At.Format(time.DateTime),
	}
	if w.State == store.Completed {
		row.TxID, row.Completed = ledger.EndingID(w.ID, ledger.WithdrawalCompleted), w.Ended.Format(time.DateTime)
	}
	return row
}

// depositRow is a deposit in the exchange's fields.
type depositRow struct {
	ID           string `json:"id"`
	Amount       string `json:"amount"`
	Coin         string `json:"coin"`
	Network      string `json:"network"`
	Status       int    `json:"status"`
	Address      string `json:"address"`
	Tag          string `json:"addressTag"`
	TxID         string `json:"txId"`
	InsertTime   int64  `json:"insertTime"`
	CompleteTime int64  `json:"completeTime"`
	TransferType int    `json:"transferType"`
	Confirms     string `json:"confirmTimes"`
	Unlock       int    `json:"unlockConfirm"`
	Wallet       int    `json:"walletType"`
}

// credited is the exchange's number for a deposit that is there. Others are not in the books.
const credited = 1

// errEnough ends the reading of a list of which there is enough.
var errEnough = errors.New("there is enough")

// depositHistory copies GET /sapi/v1/capital/deposit/hisrec, the newest first. The
// entry of a deposit is its "txId"; where it came from is not in the books.
func depositHistory(r *request) (any, error) {
	part, err := r.part()
	if err != nil {
		return nil, err
	}
	if _, err := r.parameters.flag("includeSource", false); err != nil {
		return nil, err
	}
	entry := r.parameters["txId"]
	return rowsOf(part, func(visit func(reports.Line) error) error {
		return r.Deposits(r.ctx, r.account, part.from, part.to, part.asset, visit)
	}, func(l reports.Line) bool { return part.has(credited) && (entry == "" || entry == l.Entry) },
		func(l reports.Line) depositRow { return deposited(l, part.assets[l.Asset]) })
}

func deposited(l reports.Line, a ledger.Asset) depositRow {
	at := l.At.UnixMilli()
	return depositRow{
		ID: strconv.FormatInt(number("deposit", l.Entry, l.Asset), 10), Amount: a.Format(l.Amount), Coin: l.Asset,
		Status: credited, TxID: l.Entry, InsertTime: at, CompleteTime: at, Confirms: "1/1",
	}
}

// part is which part of a history is asked for.
type part struct {
	from, to      time.Time
	asset         string // "": all
	status        int    // -1: all
	offset, limit int
	assets        map[string]ledger.Asset // that the books keep, by symbol
}

func (p part) has(status int) bool { return p.status < 0 || p.status == status }

// part reads it.
func (r *request) part() (p part, err error) {
	if p.from, p.to, err = r.span(capitalSpan, capitalSpan); err != nil {
		return p, err
	}
	if p.asset, err = r.parameters.asset("coin"); err != nil {
		return p, err
	}
	if p.status, err = r.parameters.int("status", -1, 0, 1<<31-1); err != nil {
		return p, err
	}
	if p.offset, err = r.parameters.int("offset", 0, 0, 100_000); err != nil {
		return p, err
	}
	if p.limit, err = r.parameters.int("limit", maxRows, 1, maxRows); err != nil {
		return p, err
	}
	p.assets, err = r.assets()
	return p, err
}

// rowsOf are the rows of the part that is asked for: of what read visits, what is wanted,
// past the offset, up to the limit.
func rowsOf[T, R any](p part, read func(func(T) error) error, wanted func(T) bool, row func(T) R) ([]R, error) {
	rows, passed := []R{}, 0
	err := read(func(item T) error {
		switch {
		case !wanted(item):
		case passed < p.offset:
			passed++
		case len(rows) == p.limit:
			return errEnough
		default:
			rows = append(rows, row(item))
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return rows, nil
}

// list are the values of a parameter that has several, separated by commas; nil
// where it was not sent.
func (p parameters) list(name string) []string {
	if p[name] == "" {
		return nil
	}
	return strings.Split(p[name], ",")
}

// assets are all that the books keep, by symbol.
func (r *request) assets() (map[string]ledger.Asset, error) {
	all, err := r.Assets(r.ctx)
	if err != nil {
		return nil, err
	}
	return ledger.BySymbol(all), nil
}

// coin is a token and what the account has of it, in the exchange's fields.
type coin struct {
	Coin        string    `json:"coin"`
	DepositAll  bool      `json:"depositAllEnable"`
	WithdrawAll bool      `json:"withdrawAllEnable"`
	Name        string    `json:"name"`
	Free        string    `json:"free"`
	Locked      string    `json:"locked"`
	Freeze      string    `json:"freeze"`
	Withdrawing string    `json:"withdrawing"`
	Ipoing      string    `json:"ipoing"`
	Ipoable     string    `json:"ipoable"`
	Storage     string    `json:"storage"`
	LegalMoney  bool      `json:"isLegalMoney"`
	Trading     bool      `json:"trading"`
	Networks    []network `json:"networkList"`
}

// network is a chain on which a token is deposited and withdrawn.
type network struct {
	Network             string `json:"network"`
	Coin                string `json:"coin"`
	Multiple            string `json:"withdrawIntegerMultiple"`
	Default             bool   `json:"isDefault"`
	Deposit             bool   `json:"depositEnable"`
	Withdraw            bool   `json:"withdrawEnable"`
	DepositDesc         string `json:"depositDesc"`
	WithdrawDesc        string `json:"withdrawDesc"`
	SpecialTips         string `json:"specialTips"`
	SpecialWithdrawTips string `json:"specialWithdrawTips"`
	Name                string `json:"name"`
	ResetAddress        bool   `json:"resetAddressStatus"`
	AddressRegex        string `json:"addressRegex"`
	AddressRule         string `json:"addressRule"`
	MemoRegex           string `json:"memoRegex"`
	Fee                 string `json:"withdrawFee"`
	Min                 string `json:"withdrawMin"`
	Max                 string `json:"withdrawMax"`
	InternalMin         string `json:"withdrawInternalMin"`
	Dust                string `json:"depositDust"`
	MinConfirm          int    `json:"minConfirm"`
	UnlockConfirm       int    `json:"unLockConfirm"`
	SameAddress         bool   `json:"sameAddress"`
	NeedsTag            bool   `json:"withdrawTag"`
	ArrivalMinutes      int    `json:"estimatedArrivalTime"`
	Busy                bool   `json:"busy"`
	ContractURL         string `json:"contractAddressUrl"`
	Contract            string `json:"contractAddress"`
}

// coins copies GET /sapi/v1/capital/config/getall: every token of the books. Its
// networks are those on which the account has an address to deposit to: no other is
// known. A withdrawal is free, of any amount, and to any network: what it names is the
// operator's to read.
func coins(r *request) (any, error) {
	holdings, err := r.holdings()
	if err != nil {
		return nil, err
	}
	addresses, err := r.depositAddresses()
	if err != nil {
		return nil, err
	}
	all := []coin{}
	for _, h := range holdings {
		there := addresses[h.asset.Symbol]
		c := coin{
			Coin: h.asset.Symbol, DepositAll: len(there) > 0, WithdrawAll: true, Name: h.asset.Symbol,
			Free: h.asset.Format(h.free), Locked: h.asset.Format(h.held),
			Freeze: "0", Withdrawing: "0", Ipoing: "0", Ipoable: "0", Storage: "0", Networks: []network{},
		}
		for _, a := range there {
			c.Networks = append(c.Networks, networkOf(h.asset, a, len(there) == 1))
		}
		all = append(all, c)
	}
	return all, nil
}

// networkOf is the network of an address to deposit to. One that was set without a
// network is on the token's own, and named by it.
func networkOf(asset ledger.Asset, a people.DepositAddress, only bool) network {
	name, least := cmp.Or(a.Network, asset.Symbol), asset.Format(1)
	return network{
		Network: name, Coin: asset.Symbol, Name: name, Default: only || a.Network == "", Deposit: true, Withdraw: true,
		Multiple: least, Fee: "0", Min: least, Max: asset.Format(asset.MaxSupply), InternalMin: least,
		Dust: least, MinConfirm: 1,
		SameAddress: a.Tag != "", NeedsTag: a.Tag != "",
	}
}

// depositAddresses are the account's, by token.
func (r *request) depositAddresses() (map[string][]people.DepositAddress, error) {
	all, err := r.DepositAddresses(r.ctx, r.account)
	if err != nil {
		return nil, err
	}
	addresses := map[string][]people.DepositAddress{}
	for _, a := range all {
		addresses[a.Asset] = append(addresses[a.Asset], a)
	}
	return addresses, nil
}

// errNoAddress is the exchange's error for a token that cannot be deposited.
var errNoAddress = badRequest(-4042,
	"This asset cannot get deposit address: the operator has set none for this account.")

// depositAddress copies GET /sapi/v1/capital/deposit/address: what the operator has set
// for the account. Where it has several, one is given without "network" only if it was
// set as the token's own: on another network tokens are lost.
func depositAddress(r *request) (any, error) {
	name, err := r.parameters.need("coin")
	if err != nil {
		return nil, err
	}
	if _, err := r.parameters.asset("coin"); err != nil {
		return nil, err
	}
	_, err = r.Asset(r.ctx, name)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, errNoAsset
	}
	if err != nil {
		return nil, err
	}
	addresses, err := r.depositAddresses()
	if err != nil {
		return nil, err
	}
	a, err := choose(addresses[name], r.parameters["network"])
	if err != nil {
		return nil, err
	}
	return struct {
		Address string `json:"address"`
		Coin    string `json:"coin"`
		Tag     string `json:"tag"`
		URL     string `json:"url"`
	}{a.Address, a.Asset, a.Tag, ""}, nil
}

// choose finds a token's address on a network, in capitals or not; "" is the only one,
// or the one that was set without a network, which also has the token's name.
func choose(addresses []people.DepositAddress, on string) (people.DepositAddress, error) {
	if on == "" && len(addresses) == 1 {
		return addresses[0], nil
	}
	for _, a := range addresses {
		if a.Network == "" && on == "" || on != "" && strings.EqualFold(on, cmp.Or(a.Network, a.Asset)) {
			return a, nil
		}
	}
	if on == "" && len(addresses) > 0 {
		return people.DepositAddress{}, mandatory("network")
	}
	return people.DepositAddress{}, errNoAddress
}
