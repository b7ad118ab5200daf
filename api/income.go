package api

import (
	"context"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

type incomeIn struct {
	Body struct {
		Reference string `json:"reference" minLength:"1" maxLength:"128" example:"sol/712" doc:"The caller's name of the income, unique forever, such as that of its transaction: repeating it has no further effect."`
		Asset     string `json:"asset" maxLength:"20" example:"SOL" doc:"Symbol."`
		Chain     string `json:"chain" minLength:"1" maxLength:"200" example:"solana" doc:"The chain."`
		Source    string `json:"source" minLength:"1" maxLength:"200" example:"7Np4Validator" doc:"The validator or stake account that earned it."`
		First     string `json:"first" format:"date" example:"2026-11-20" doc:"The first day of the period."`
		Last      string `json:"last" format:"date" example:"2026-11-21" doc:"The last day of the period, which is over. Its terms state the fee."`
		Gross     string `json:"gross" maxLength:"40" example:"125.5" doc:"How much was earned, before the fee, in whole tokens; below zero for a slashing or a correction."`
		Evidence  string `json:"evidence" minLength:"1" maxLength:"200" example:"5Uf7Transaction" doc:"The transaction, or the report that says so."`
	}
}

type incomeOut struct {
	Reference string `json:"reference" example:"sol/712" doc:"The caller's name of the income. Its entry is \"income/\" and the reference."`
	Asset     string `json:"asset" example:"SOL" doc:"Symbol."`
	Chain     string `json:"chain" example:"solana" doc:"The chain."`
	Source    string `json:"source" example:"7Np4Validator" doc:"The validator or stake account that earned it."`
	First     string `json:"first" format:"date" example:"2026-11-20" doc:"The first day of the period."`
	Last      string `json:"last" format:"date" example:"2026-11-21" doc:"The last day of the period."`
	Gross     string `json:"gross" example:"125.5" doc:"How much was earned, in whole tokens; below zero for a slashing or a correction."`
	FeeRate   string `json:"feeRate" example:"0.3" doc:"The part that the operator keeps, by the terms of the last day: 0.3 is 30 %."`
	Fee       string `json:"fee" example:"37.65" doc:"What went to @fees."`
	Net       string `json:"net" example:"87.85" doc:"What went to @rewards."`
	Evidence  string `json:"evidence" example:"5Uf7Transaction" doc:"The transaction, or the report that says so."`
	At        string `json:"at" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was entered, and counts."`
	EnteredBy string `json:"enteredBy" example:"token t-1" doc:"The credential of who entered it."`

	Mode        string `json:"mode" enum:"fixed,share" example:"share" doc:"share: the net is distributed. fixed: it funds the pool."`
	Day         string `json:"day,omitempty" format:"date" example:"2026-11-22" doc:"The day with whose rewards it is distributed, which is that on which it was entered. Absent in the mode fixed."`
	Distributed bool   `json:"distributed" doc:"Whether it is distributed. Until its day is settled, it waits."`
}

type incomesIn struct {
	Asset string `query:"asset" maxLength:"20" example:"SOL" doc:"Symbol. Without it: all."`
	DaysIn
	Paging
}

func (s *server) incomeRoutes() {
	get(s, "/v1/incomes", staff, reader.incomes, about("list-incomes", "Operation", "List staking income",
		"What was entered for periods that end on some days, the last entered first: its evidence, the fee, and the net.",
		404))
	change(s, "POST /v1/incomes", does(control.EnterIncome), writer.enterIncome,
		about("enter-income", "Operation", "Enter staking income",
			"Moves the gross amount from @custody to @income, and from there the fee to @fees and the net to @rewards, "+
				"in one transaction. Negative income takes both out again. "+
				"Repeating a reference with the same content has no further effect.", 404, 409),
		created[entryOut]("It was entered before: the answer of the first time."))
}

func (rd reader) incomes(ctx context.Context, in *incomesIn) (*answer[list[incomeOut]], error) {
	if in.Asset != "" {
		if _, err := rd.Asset(ctx, in.Asset); err != nil {
			return nil, ledger.At("asset", err)
		}
	}
	from, to, err := in.period(0, staking.DayOf(rd.now()))
	if err != nil {
		return nil, err
	}
	keys := keyset[reports.Income, reports.Income]{
		2, func(i reports.Income) []string { return []string{millis(i.At), i.Reference} },
		func(parts []string) (last reports.Income, err error) {
			last.Reference = parts[1]
			last.At, err = moment(parts[0])
			return last, err
		},
	}
	asked := reports.IncomesAsked{From: from, To: to, Asset: in.Asset}
	return pageOf(in.Paging, keys, func(after *reports.Income, limit int) ([]reports.Income, error) {
		if after == nil {
			after = &reports.Income{}
		}
		return rd.Incomes(ctx, asked, *after, limit)
	}, func(i reports.Income) (incomeOut, error) {
		a, err := rd.Asset(ctx, i.Asset)
		out := incomeOut{
			Reference: i.Reference, Asset: i.Asset, Chain: i.Chain, Source: i.Source, First: i.First.String(),
			Last: i.Last.String(), Gross: a.Format(i.Split.Gross), FeeRate: i.Rate.String(), Fee: a.Format(i.Fee),
			Net: a.Format(i.Net), Evidence: i.Evidence, At: instant(i.At), EnteredBy: i.Credential, Mode: i.Mode.String(),
			Distributed: i.Distributed,
		}
		if i.Mode == staking.Share {
			out.Day = i.Day().String()
		}
		return out, err
	})
}

func (wr writer) enterIncome(ctx context.Context, in *incomeIn) (*posted, error) {
	b := in.Body
	asset, err := wr.Asset(ctx, b.Asset)
	if err != nil {
		return nil, ledger.At("asset", err)
	}
	i := staking.Income{Reference: b.Reference, Asset: b.Asset, Chain: b.Chain, Source: b.Source, Evidence: b.Evidence}
	if i.First, err = staking.ParseDay(b.First); err != nil {
		return nil, ledger.At("first", err)
	}
	if i.Last, err = staking.ParseDay(b.Last); err != nil {
		return nil, ledger.At("last", err)
	}
	if i.Gross, err = asset.Parse(b.Gross); err != nil {
		return nil, ledger.At("gross", err)
	}
	o, err := wr.books.PostIncome(ctx, i)
	return showPosted(ledger.IncomeID(i.Reference), o, err)
}
