package binance

import (
	"cmp"
	"errors"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

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
	a, err := choose(addresses[name], r.parameters.text("network"))
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
