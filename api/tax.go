package api

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/reports"
)

type TaxIn struct {
	Year     int    `path:"year" minimum:"1970" maximum:"9999" example:"2026" doc:"A UTC calendar year, of those of the books until this one."`
	Currency string `query:"currency" maxLength:"4" default:"USDT" example:"EUR" doc:"What values are in: USDT, or a code of ISO 4217 whose rates the operator sets."`
}

type accountTaxIn struct {
	AccountIn
	TaxIn
}

type taxOut struct {
	Year     int       `json:"year" example:"2026" doc:"The UTC calendar year. A reward belongs to that in which it was credited."`
	Currency string    `json:"currency" example:"EUR" doc:"What values are in."`
	End      string    `json:"end" format:"date" example:"2026-12-31" doc:"31 December, or today while the year has not ended."`
	Value    string    `json:"value" example:"12.5" doc:"What everything was worth when it was received, but for what has no known value."`
	Unvalued int64     `json:"unvalued" example:"0" doc:"How many receipts are not in the value, since no price or no rate of their day is known."`
	Items    []taxLine `json:"items" doc:"By token and kind."`
}

type taxLine struct {
	Asset    string          `json:"asset" example:"BNB" doc:"Symbol."`
	Kind     reports.TaxKind `json:"kind" enum:"reward,compensation,balance" example:"reward" doc:"reward: Soft Staking rewards that were credited in the year; compensation: what made good, in the year, rewards that were too low; balance: what the account had, free and held, at the end."`
	Count    int64           `json:"count" example:"31" doc:"How often something was received; 0 of a balance."`
	Units    string          `json:"units" example:"0.00171234" doc:"How much was received, or the balance, in whole tokens."`
	Value    *string         `json:"value" example:"0.94" doc:"What it was worth when it was received: each amount times the price and the rate of its day, rounded down to 1e-8, then summed. null: not known of any of it, or a balance."`
	Unvalued int64           `json:"unvalued" example:"0" doc:"How many receipts are not in the value."`
	EndValue *string         `json:"endValue" example:"1.02" doc:"What these units were worth at the end. null: not known."`
}

type taxExportIn struct {
	TaxIn
	ExportIn
}

var taxTable = table[reports.TaxAggregate]{columns: reports.TaxAggregateColumns, cells: reports.TaxAggregate.Cells}

func (s *server) taxRoutes() {
	get(s, "/v1/accounts/{account}/tax/{year}", oneHolder, reader.tax,
		about("get-tax", "Soft Staking", "Read an account's tax report",
			"What the account received in a year, by token: how often, how much, and what it was worth when it was "+
				"received and at the end; and its balances at the end. It says what happened; what of it is taxed "+
				"depends on the law. A reward of 31 December is credited on 1 January, and belongs to that year. "+
				"Its value is that of the price and the rate of the day that it is for.", 404))
	get(s, "/v1/exports/tax/{year}", allHolders, reader.exportTax, export("export-tax", "Export the tax report of all",
		"What every account received in a year, by token, for a report under the OECD's Crypto-Asset Reporting "+
			"Framework (CARF) or the EU's DAC8: a line each of rewards and compensations, all of the transfer type "+
			"CARF502, the code of its XML schema for staking income. The columns are ours. "+
			"The residence is the account's country now. All lines come from one state of the "+
			"books; accounts are in no particular order. The file is made before it is sent, and the header "+
			"Content-Length says how long it is. ", taxTable.columns), slow)
}

func (rd reader) tax(ctx context.Context, in *accountTaxIn) (*answer[taxOut], error) {
	year, err := rd.TaxYear(reports.TaxAsked{Year: in.Year, Currency: in.Currency})
	if err != nil {
		return nil, err
	}
	t, err := rd.Tax(ctx, in.id(), year)
	if err != nil {
		return nil, err
	}
	items, err := shown(t.Lines, func(l reports.TaxLine) (taxLine, error) {
		a, err := rd.Asset(ctx, l.Asset)
		r := t.Record(a, l)
		return taxLine{r.Asset, r.Kind, r.Count, r.Units, r.Value, r.Unvalued, r.EndValue}, err
	})
	return reply(taxOut{t.Year, t.Currency, t.End.String(), *reports.ValueText(t.Value), t.Unvalued, items}, err)
}

func (rd reader) exportTax(ctx context.Context, in *taxExportIn) (*stream, error) {
	year, err := rd.TaxYear(reports.TaxAsked{Year: in.Year, Currency: in.Currency})
	if err != nil {
		return nil, err
	}
	return taxTable.spooled(rd, fmt.Sprintf("tax_%d_%s", in.Year, in.Currency), in.Format,
		func(begin func() error, write func(reports.TaxAggregate) error) error {
			return rd.TaxOfOwners(ctx, year, begin, func(lines []reports.TaxLine) error {
				for _, l := range lines {
					a, err := rd.Asset(ctx, l.Asset)
					if err == nil {
						err = write(year.Aggregate(a, l))
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		})
}
