package api

import (
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
)

type PoolOut struct {
	Pool     string `json:"pool" example:"1000" doc:"What there is to pay rewards from, in whole tokens."`
	LastPaid string `json:"lastTotal" example:"1.25" doc:"What the last declared day pays."`
	DaysLeft *int64 `json:"daysLeft" example:"800" doc:"For how many such days the pool lasts; null: not known."`
}

type fundsOut struct {
	Pools []fundedOut `json:"pools" doc:"What rewards are paid from, each token's, by symbol."`
	House []houseOut  `json:"house" doc:"What the house accounts have: @custody is the outside world and below zero by what all others have, @desk the other side of conversions, @payable what is declared and not yet paid, @rewards the pools."`
}

type fundedOut struct {
	Asset string `json:"asset" example:"BNB" doc:"Symbol."`
	PoolOut
}

type houseOut struct {
	Account ledger.Account `json:"account" example:"@custody" doc:"House account."`
	Asset   string         `json:"asset" example:"BNB" doc:"Symbol."`
	Balance string         `json:"balance" example:"-12000.5" doc:"In whole tokens."`
}

type fundIn struct {
	Body struct {
		ID        string `json:"id" minLength:"1" maxLength:"123" example:"2026-11-22-1" doc:"The caller's name of this funding, unique forever: repeating it has no further effect."`
		Asset     string `json:"asset" maxLength:"20" example:"BNB" doc:"Symbol."`
		Amount    string `json:"amount" maxLength:"40" example:"1000" doc:"In whole tokens, above zero."`
		Direction string `json:"direction" enum:"in,out" example:"in" doc:"in: into the pool, from staking income; out: a surplus out of it."`
	}
}

func (s *server) fundRoutes() {
	get(s, "/v1/funds", office, reader.funds, about("get-funds", "Operation", "Read the house's money",
		"The pools that rewards are paid from, with how long each lasts, "+
			"and the balances of the house accounts."))
	change(s, "POST /v1/funds", operators, writer.fund,
		about("fund", "Operation", "Fund a pool, or take out of it",
			"A day that waits for funds is paid automatically when they are there.", 404, 409))
}

func (rd reader) funds(ctx context.Context, _ *struct{}) (*answer[fundsOut], error) {
	statuses, err := rd.TokenStatus(ctx)
	if err != nil {
		return nil, err
	}
	house, err := rd.HouseBalances(ctx)
	if err != nil {
		return nil, err
	}
	var out fundsOut
	out.Pools, err = shown(statuses, func(st reports.TokenStatus) (fundedOut, error) {
		pool, err := rd.pool(ctx, st)
		return fundedOut{st.Asset, pool}, err
	})
	if err != nil {
		return nil, err
	}
	out.House, err = shown(house, func(h reports.HouseBalance) (houseOut, error) {
		a, err := rd.Asset(ctx, h.Asset)
		return houseOut{h.Account, h.Asset, wholeTokens(h.Sum, a.Scale)}, err
	})
	return say(out, err)
}

func (rd reader) pool(ctx context.Context, st reports.TokenStatus) (PoolOut, error) {
	a, err := rd.Asset(ctx, st.Asset)
	out := PoolOut{Pool: a.Format(st.Pool), LastPaid: a.Format(st.LastTotal)}
	if st.DaysLeft >= 0 {
		out.DaysLeft = &st.DaysLeft
	}
	return out, err
}

// wholeTokens writes a sum that may be larger than an amount as Asset.Format writes amounts.
func wholeTokens(n *big.Int, scale int) string {
	digits := fmt.Sprintf("%0*s", scale+1, new(big.Int).Abs(n).String())
	text := digits[:len(digits)-scale]
	if part := strings.TrimRight(digits[len(digits)-scale:], "0"); part != "" {
		text += "." + part
	}
	if n.Sign() < 0 {
		return "-" + text
	}
	return text
}

func (wr writer) fund(ctx context.Context, in *fundIn) (*answer[entryOut], error) {
	b := in.Body
	asset, err := wr.Asset(ctx, b.Asset)
	if err != nil {
		return nil, ledger.At("asset", err)
	}
	amount, err := asset.Parse(b.Amount)
	if err != nil {
		return nil, ledger.At("amount", err)
	}
	if amount <= 0 {
		return nil, ledger.ErrInvalid.In("amount", "%s is not above zero; direction says which way it goes",
			ledger.Clip(b.Amount))
	}
	o, err := wr.books.Fund(ctx, b.ID, b.Asset, amount, b.Direction == "out")
	return say(entryOut{"fund/" + b.ID, instant(o.At), instant(o.PostedAt), o.Repeated}, err)
}
