package api

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
)

type priceOut struct {
	Asset string `json:"asset" maxLength:"20" example:"BNB" doc:"Symbol."`
	Day   string `json:"day" format:"date" example:"2026-11-21" doc:"The day for which it holds, and for at most 7 days after it that have none of their own."`
	Price string `json:"price" maxLength:"30" example:"600.25" doc:"What a whole token is worth in USDT, with at most 8 decimals, above zero."`
}

// setPrice is a price as it is sent.
type setPrice priceOut

type pricesIn struct {
	DaysIn
	Paging
	Asset string `query:"asset" required:"true" maxLength:"20" example:"BNB" doc:"Of which token."`
}

type setPricesIn struct {
	Body struct {
		Prices []setPrice `json:"prices" minItems:"1" maxItems:"10000" doc:"All of them are set, or none."`
	}
}

type pricesSet struct {
	Set int `json:"set" example:"10" doc:"How many were new or changed."`
}

// pricesLimit is how many bytes 10,000 prices may take.
const pricesLimit = 2 << 20

func (s *server) priceRoutes() {
	get(s, "/v1/prices", everyone, reader.prices, about("list-prices", "Offer", "List a token's prices",
		"Those that were set, by day.", 404))
	change(s, "PUT /v1/prices", does(control.SetPrices), writer.setPrices, about("set-prices", "Offer", "Set prices",
		"Sets the prices of days that have begun, up to 10,000 in one request, all of them or none. "+
			"A price may be changed until its day is declared for the token. A declared day without a price gets one "+
			"once; another then is refused. Setting the same price again only renews its age, for conversions.", 404, 409),
		upTo(pricesLimit))
}

func readPrice(p setPrice) (pricing.Price, error) {
	day, err := staking.ParseDay(p.Day)
	if err != nil {
		return pricing.Price{}, ledger.At("day", err)
	}
	price, err := ledger.ParseDecimal(p.Price, usdt.Scale)
	return pricing.Price{Asset: p.Asset, Day: day, Price: price}, ledger.At("price", err)
}

func (rd reader) prices(ctx context.Context, in *pricesIn) (*answer[list[priceOut]], error) {
	from, to, err := rd.period(in.DaysIn)
	if err != nil {
		return nil, err
	}
	return byDay(in.Paging, from, to, func(p pricing.Price) staking.Day { return p.Day },
		func(from, to staking.Day) ([]pricing.Price, error) { return rd.Prices(ctx, in.Asset, from, to) },
		func(p pricing.Price) priceOut {
			return priceOut{p.Asset, p.Day.String(), usdt.Format(ledger.Amount(p.Price))}
		})
}

// byDay answers with a page of what there is of some days, at most one of each, by day.
func byDay[T, U any](p Paging, from, to staking.Day, day func(T) staking.Day,
	find func(from, to staking.Day) ([]T, error), show func(T) U) (*answer[list[U]], error) {
	keys := keyset[T, staking.Day]{
		1, func(item T) []string { return []string{day(item).String()} },
		func(parts []string) (staking.Day, error) { return staking.ParseDay(parts[0]) },
	}
	return pageOf(p, keys, func(after *staking.Day, _ int) ([]T, error) {
		if after != nil {
			from = *after + 1
		}
		return find(from, to)
	}, func(item T) (U, error) { return show(item), nil })
}

func (wr writer) setPrices(ctx context.Context, in *setPricesIn) (*answer[pricesSet], error) {
	prices := make([]pricing.Price, len(in.Body.Prices))
	for i, p := range in.Body.Prices {
		var err error
		if prices[i], err = readPrice(p); err != nil {
			return nil, ledger.At(fmt.Sprintf("prices[%d]", i), err)
		}
	}
	n, err := wr.books.Prices().Set(ctx, prices)
	return reply(pricesSet{n}, err)
}
