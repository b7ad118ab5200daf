package api

import (
	"context"
	"maps"
	"slices"

	"github.com/softstake/softstake/ledger"
)

type dailyLimitOut struct {
	Asset string `json:"asset" example:"BNB" doc:"Symbol."`
	Limit string `json:"limit" example:"10" doc:"How much may leave the account on a day (UTC): the lower one of the operator's limit and the holder's own. 0: no limit holds now."`
	Used  string `json:"used" example:"2.5" doc:"What has left it today: withdrawals, pending ones too, and transfers to others; without what was cancelled."`
	Left  string `json:"left" example:"7.5" doc:"What may still leave it today."`
	Own   string `json:"own" example:"0" doc:"The holder's own limit; 0: none."`
	Next  string `json:"next,omitempty" example:"20" doc:"The own limit that waits; 0: none. Absent: none waits."`
	From  string `json:"from,omitempty" format:"date-time" example:"2026-11-23T10:00:00.000Z" doc:"When that limit begins."`
}

type dailyLimitsOut struct {
	Limits []dailyLimitOut `json:"limits" doc:"By token, in the order of the symbols; tokens without a limit are left out."`
}

func (s *server) dailyLimitRoutes() {
	get(s, "/v1/accounts/{account}/limits", oneHolder, reader.dailyLimits,
		about("list-daily-limits", "Entries", "List what may leave an account on a day",
			"The daily limits of withdrawals and transfers together, as its holder asks for them with a session, a token "+
				"or a key, and what is left of them today. A day ends at midnight UTC. A token of the role `exchange` is "+
				"not bound to them: it has ceilings."))
}

func (rd reader) dailyLimits(ctx context.Context, in *AccountIn) (*answer[dailyLimitsOut], error) {
	all, err := rd.DailyLimits(ctx, in.id())
	if err != nil {
		return nil, ledger.At("account", err)
	}
	out := dailyLimitsOut{Limits: []dailyLimitOut{}}
	for _, symbol := range slices.Sorted(maps.Keys(all)) {
		asset, err := rd.Asset(ctx, symbol)
		if err != nil {
			return nil, err
		}
		l := all[symbol]
		shown := dailyLimitOut{Asset: symbol, Limit: asset.Format(l.Limit), Used: asset.Format(l.Used),
			Left: asset.Format(l.Left()), Own: asset.Format(l.Own)}
		if !l.From.IsZero() {
			shown.Next, shown.From = asset.Format(l.Next), instant(l.From)
		}
		out.Limits = append(out.Limits, shown)
	}
	return reply(out, nil)
}
