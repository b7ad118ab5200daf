package binance

import (
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"strings"

	"github.com/softstake/softstake/access"
)

// spot are the endpoints that a Spot user's client needs beside Soft Staking. The
// weights are those of an address. Where the exchange has another kind of limit, the
// weight allows as many requests a minute: a withdrawal weighs 900 of 180,000 there,
// and its history is asked for ten times a second.
var spot = []endpoint{
	get("/api/v3/ping", "", 1, ping),
	get("/api/v3/time", "", 1, serverTime),
	get("/api/v3/exchangeInfo", "", 20, exchangeInfo),
	get("/api/v3/account", access.Read, 20, account),
	post("/sapi/v3/asset/getUserAsset", access.Read, 5, getUserAsset),
	get("/sapi/v1/asset/assetDividend", access.Read, 10, assetDividend),
	{http.MethodPost, "/sapi/v1/capital/withdraw/apply", access.Withdraw, 60, nil, withdrawApply},
	get("/sapi/v1/capital/withdraw/history", access.Read, 20, withdrawHistory),
	get("/sapi/v1/capital/deposit/hisrec", access.Read, 1, depositHistory),
	get("/sapi/v1/account/apiRestrictions", access.Read, 1, apiRestrictions),
	get("/sapi/v1/system/status", "", 1, systemStatus),
}

// ping copies GET /api/v3/ping.
func ping(*request) (any, error) { return struct{}{}, nil }

// serverTime copies GET /api/v3/time.
func serverTime(r *request) (any, error) {
	return struct {
		ServerTime int64 `json:"serverTime"`
	}{r.stamp(r.now)}, nil
}

// systemStatus copies GET /sapi/v1/system/status. A server that answers is up.
func systemStatus(*request) (any, error) {
	return struct {
		Status  int    `json:"status"`
		Message string `json:"msg"`
	}{0, "normal"}, nil
}

// restrictions are what a key may do, in the exchange's words.
type restrictions struct {
	IPRestrict         bool  `json:"ipRestrict"`
	CreateTime         int64 `json:"createTime"`
	Expiration         int64 `json:"tradingAuthorityExpirationTime,omitempty"`
	Reading            bool  `json:"enableReading"`
	Withdrawals        bool  `json:"enableWithdrawals"`
	SpotAndMargin      bool  `json:"enableSpotAndMarginTrading"`
	InternalTransfer   bool  `json:"enableInternalTransfer"`
	UniversalTransfer  bool  `json:"permitsUniversalTransfer"`
	Margin             bool  `json:"enableMargin"`
	Futures            bool  `json:"enableFutures"`
	VanillaOptions     bool  `json:"enableVanillaOptions"`
	PortfolioMargin    bool  `json:"enablePortfolioMarginTrading"`
	FixAPITrade        bool  `json:"enableFixApiTrade"`
	FixReadOnlyAllowed bool  `json:"enableFixReadOnly"`
}

// apiRestrictions copies GET /sapi/v1/account/apiRestrictions. Trading is the switch of
// Soft Staking here; its authority ends with the key. ipRestrict is what a withdrawal
// needs: ranges as wide as the Internet restrict nothing.
func apiRestrictions(r *request) (any, error) {
	answer := restrictions{
		IPRestrict: r.key.Limited(), CreateTime: r.key.Created.UnixMilli(),
		Reading: true, Withdrawals: r.key.May(access.Withdraw), SpotAndMargin: r.key.May(access.Trade),
	}
	if ends := r.key.Ends(); answer.SpotAndMargin && !ends.IsZero() {
		answer.Expiration = ends.UnixMilli()
	}
	return answer, nil
}

// number is a number for a name, the same forever, and above zero. It has at most
// 15 digits (49 bits): one client takes longer ones for something else than a number.
func number(name ...string) int64 {
	sum := sha256.Sum256([]byte(strings.Join(name, "\x00")))
	return int64(binary.BigEndian.Uint64(sum[:8])>>15) | 1
}
