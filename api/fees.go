package api

import (
	"context"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
)

type feesIn struct {
	Body struct {
		ID        string `json:"id" minLength:"1" maxLength:"123" example:"2026-11-22-1" doc:"The caller's name of it, unique forever: repeating it has no further effect."`
		Asset     string `json:"asset" maxLength:"20" example:"SOL" doc:"Symbol."`
		Amount    string `json:"amount" maxLength:"40" example:"37.65" doc:"In whole tokens, above zero."`
		Direction string `json:"direction" enum:"in,out" example:"out" doc:"out: the operator takes fees out; in: it returns them, as before a slashing."`
	}
}

type feeOut struct {
	Entry     string `json:"entry" example:"income/sol/712" doc:"ID of the entry."`
	Kind      string `json:"kind" enum:"income,out,in" example:"income" doc:"income: the fee of an income; out: the operator took fees out; in: it returned them."`
	Asset     string `json:"asset" example:"SOL" doc:"Symbol."`
	Amount    string `json:"amount" example:"37.65" doc:"What @fees got, in whole tokens; below zero for what it gave. The amounts of all of a token make its balance."`
	At        string `json:"at" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was entered, and counts."`
	EnteredBy string `json:"enteredBy" example:"token t-1" doc:"The credential of who entered it."`

	Income *feeIncomeOut `json:"income,omitempty" doc:"The income that it is the fee of. Absent where fees were taken out or returned."`
}

type feeIncomeOut struct {
	Reference string `json:"reference" example:"sol/712" doc:"The caller's name of the income."`
	First     string `json:"first" format:"date" example:"2026-11-20" doc:"The first day of the period."`
	Last      string `json:"last" format:"date" example:"2026-11-21" doc:"The last day of the period."`
	Gross     string `json:"gross" example:"125.5" doc:"How much was earned, in whole tokens; below zero for a slashing or a correction."`
	FeeRate   string `json:"feeRate" example:"0.3" doc:"The part that the operator keeps, by the terms of the last day: 0.3 is 30 %."`
	Net       string `json:"net" example:"87.85" doc:"What went to @rewards."`
}

type feesAsked struct {
	Asset string `query:"asset" maxLength:"20" example:"SOL" doc:"Symbol. Without it: all."`
	DaysIn
	Paging
}

func (s *server) feeRoutes() {
	get(s, "/v1/fees", staff, reader.fees, about("list-fees", "Operation", "List fees",
		"What came into @fees and left it on some days, the last entered first: the fee of each income, also of one "+
			"without a fee, and what the operator took out or returned. The balances are those of `/v1/funds`.", 404))
	change(s, "POST /v1/fees", does(control.WithdrawFees), writer.moveFees,
		about("move-fees", "Operation", "Take fees out, or return them",
			"The operator's share of staking income lies in @fees. The balances are those of `/v1/funds`.", 404, 409))
}

func (rd reader) fees(ctx context.Context, in *feesAsked) (*answer[list[feeOut]], error) {
	if in.Asset != "" {
		if _, err := rd.Asset(ctx, in.Asset); err != nil {
			return nil, ledger.At("asset", err)
		}
	}
	from, to, err := rd.period(in.DaysIn)
	if err != nil {
		return nil, err
	}
	keys := keyset[reports.Fee, reports.Fee]{
		2, func(f reports.Fee) []string { return []string{millis(f.At), f.Entry} },
		func(parts []string) (last reports.Fee, err error) {
			last.Entry = parts[1]
			last.At, err = moment(parts[0])
			return last, err
		},
	}
	return pageOf(in.Paging, keys, func(after *reports.Fee, limit int) ([]reports.Fee, error) {
		return rd.Fees(ctx, reports.FeesAsked{From: from, To: to, Asset: in.Asset}, orZero(after), limit)
	}, func(f reports.Fee) (feeOut, error) {
		a, err := rd.Asset(ctx, f.Asset)
		return showFee(a, f), err
	})
}

func showFee(a ledger.Asset, f reports.Fee) feeOut {
	out := feeOut{Entry: f.Entry, Kind: f.Kind(), Asset: f.Asset, Amount: a.Format(f.Amount), At: instant(f.At),
		EnteredBy: f.Credential}
	if i := f.Income; i != nil {
		out.Income = &feeIncomeOut{i.Reference, i.First.String(), i.Last.String(), a.Format(i.Split.Gross),
			i.Rate.String(), a.Format(i.Net)}
	}
	return out
}

func (wr writer) moveFees(ctx context.Context, in *feesIn) (*answer[entryOut], error) {
	b := in.Body
	amount, err := wr.positive(ctx, b.Asset, b.Amount)
	if err != nil {
		return nil, err
	}
	o, err := wr.books.MoveFees(ctx, b.ID, b.Asset, amount, b.Direction == "in")
	return reply(entryOut{ledger.FeesID(b.ID), instant(o.At), instant(o.PostedAt), o.Repeated}, err)
}
