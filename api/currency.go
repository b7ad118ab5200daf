package api

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
)

type currencyRateOut struct {
	Currency string `json:"currency" minLength:"3" maxLength:"4" example:"EUR" doc:"A code of ISO 4217."`
	Day      string `json:"day" format:"date" example:"2026-11-21" doc:"The day for which it holds, and for at most 7 days after it that have none of their own."`
	Rate     string `json:"rate" maxLength:"30" example:"0.9213" doc:"What 1 USDT is worth in the currency, with at most 8 decimals, above zero."`
}

// setCurrencyRate is a rate as it is sent.
type setCurrencyRate currencyRateOut

type currencyRatesIn struct {
	DaysIn
	Paging
	Currency string `query:"currency" required:"true" maxLength:"4" example:"EUR" doc:"Of which currency."`
}

type setCurrencyRatesIn struct {
	Body struct {
		Rates []setCurrencyRate `json:"rates" minItems:"1" maxItems:"10000" doc:"All of them are set, or none."`
	}
}

func (s *server) currencyRoutes() {
	get(s, "/v1/currency-rates", everyone, reader.currencyRates,
		about("list-currency-rates", "Offer", "List a currency's rates",
			"Those that were set, by day."))
	change(s, "PUT /v1/currency-rates", does(control.SetRates), writer.setCurrencyRates,
		about("set-currency-rates", "Offer", "Set rates of currencies",
			"Sets what 1 USDT is worth in currencies on days that have begun, up to 10,000 in one request, all of them "+
				"or none. Tax reports value by them. A rate may be changed until its day is declared for any token. A "+
				"declared day without a rate gets one once; another then is refused. Setting the same rate again has no "+
				"further effect.", 409), upTo(pricesLimit))
}

func readCurrencyRate(r setCurrencyRate) (pricing.Rate, error) {
	day, err := staking.ParseDay(r.Day)
	if err != nil {
		return pricing.Rate{}, ledger.At("day", err)
	}
	rate, err := ledger.ParseDecimal(r.Rate, usdt.Scale)
	return pricing.Rate{Currency: r.Currency, Day: day, Rate: rate}, ledger.At("rate", err)
}

func (rd reader) currencyRates(ctx context.Context, in *currencyRatesIn) (*answer[list[currencyRateOut]], error) {
	from, to, err := rd.period(in.DaysIn)
	if err != nil {
		return nil, err
	}
	return byDay(in.Paging, from, to, func(r pricing.Rate) staking.Day { return r.Day },
		func(from, to staking.Day) ([]pricing.Rate, error) {
			return rd.CurrencyRates(ctx, in.Currency, from, to)
		},
		func(r pricing.Rate) currencyRateOut {
			return currencyRateOut{r.Currency, r.Day.String(), usdt.Format(ledger.Amount(r.Rate))}
		})
}

func (wr writer) setCurrencyRates(ctx context.Context, in *setCurrencyRatesIn) (*answer[pricesSet], error) {
	rates := make([]pricing.Rate, len(in.Body.Rates))
	for i, r := range in.Body.Rates {
		var err error
		if rates[i], err = readCurrencyRate(r); err != nil {
			return nil, ledger.At(fmt.Sprintf("rates[%d]", i), err)
		}
	}
	n, err := wr.books.CurrencyRates().Set(ctx, rates)
	return reply(pricesSet{n}, err)
}
