package api

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

type AssetIn struct {
	Asset string `path:"asset" maxLength:"20" example:"BNB" doc:"Symbol of a token."`
}

type limitsOut struct {
	MaxTotal  string `json:"maxTotal" maxLength:"40" example:"1000" doc:"The most that a day may pay to all holders together, in whole tokens. 0: no limit."`
	MaxChange string `json:"maxChange" maxLength:"20" example:"25" doc:"By how many percent a day's total may differ from the day before, up or down, with at most 2 decimals. 0: no limit."`
}

// setLimits are limits as they are sent.
type setLimits limitsOut

type limitsIn struct {
	AssetIn
	Body setLimits
}

// percentScale is how many decimals a limit in percent has.
const percentScale = 2

func (s *server) limitRoutes() {
	get(s, "/v1/tokens/{asset}/limits", office, reader.getLimits,
		about("get-limits", "Operation", "Read a token's limits",
			"Above these limits a token's day needs approval before anything of it is paid.", 404))
	change(s, "PUT /v1/tokens/{asset}/limits", operators, writer.setLimits,
		about("set-limits", "Operation", "Set a token's limits",
			"A day over a limit waits, accrued and not paid, until it is approved, "+
				"its terms are corrected or its limits are changed.", 404))
}

func (rd reader) tokenLimits(ctx context.Context, symbol string) (limitsOut, error) {
	asset, err := rd.Asset(ctx, symbol)
	if err != nil {
		return limitsOut{}, err
	}
	limits, err := rd.Limits(ctx)
	shown := limitsOut{MaxTotal: "0", MaxChange: "0"}
	for _, l := range limits {
		if l.Asset == asset.Symbol {
			shown = limitsOut{
				MaxTotal: asset.Format(l.MaxTotal), MaxChange: ledger.FormatDecimal(l.MaxChange, percentScale),
			}
		}
	}
	return shown, err
}

func (rd reader) getLimits(ctx context.Context, in *AssetIn) (*answer[limitsOut], error) {
	return say(rd.tokenLimits(ctx, in.Asset))
}

func (wr writer) setLimits(ctx context.Context, in *limitsIn) (*answer[limitsOut], error) {
	asset, err := wr.Asset(ctx, in.Asset)
	if err != nil {
		return nil, err
	}
	limit := staking.Limit{Asset: asset.Symbol}
	if limit.MaxTotal, err = asset.Parse(in.Body.MaxTotal); err != nil {
		return nil, ledger.At("maxTotal", err)
	}
	if limit.MaxChange, err = ledger.ParseDecimal(in.Body.MaxChange, percentScale); err != nil {
		return nil, ledger.At("maxChange", err)
	}
	if err := wr.books.SetLimit(ctx, limit); err != nil {
		return nil, err
	}
	return say(wr.tokenLimits(ctx, asset.Symbol))
}
