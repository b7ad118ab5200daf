package api

import (
	"context"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type regionsOut struct {
	Items    []string     `json:"items" doc:"ISO 3166-1 alpha-2, and ISO 3166-2 where only a part of a country is meant."`
	Listings []listingOut `json:"listings" doc:"The same regions, each with the day from which it is listed."`
}

type listingOut struct {
	Code     string `json:"code" example:"UA-43" doc:"The region."`
	From     string `json:"from" format:"date" example:"2026-11-24" doc:"The first day that its residents do not earn. Nobody there can switch on before it either."`
	Added    string `json:"added" format:"date-time" example:"2026-11-23T10:00:00.000Z" doc:"When it was listed."`
	Reason   string `json:"reason,omitempty" doc:"Why, where a reason was given."`
	Ended    int64  `json:"ended" example:"120" doc:"How many accounts' Soft Staking the listing ended."`
	Removed  string `json:"removed,omitempty" format:"date-time" example:"2026-11-23T11:00:00.000Z" doc:"When it was taken off the list."`
	Restored int64  `json:"restored" example:"118" doc:"How many of these go on earning because the listing was undone."`
}

func showListing(l store.Listing) listingOut {
	return listingOut{
		Code: string(l.Region), From: l.From.String(), Added: instant(l.Added), Reason: l.Reason, Ended: l.Ended,
		Removed: instantIf(l.Removed), Restored: l.Restored,
	}
}

type CodeIn struct {
	Code string `path:"code" maxLength:"6" example:"UA-43" doc:"ISO 3166-1 alpha-2 (DE), or ISO 3166-2 (UA-43)."`
}

// FromIn is the day from which a region is to be listed.
type FromIn struct {
	CodeIn
	From string `query:"from" format:"date" example:"2026-11-24" doc:"The first day that its residents do not earn, at the earliest today. Without it: tomorrow."`
}

// day is the day that is asked for; 0: the books' default, tomorrow.
func (in FromIn) day(now time.Time) (staking.Day, error) {
	if in.From == "" {
		return 0, nil
	}
	d, err := staking.ParseDay(in.From)
	if today := staking.DayOf(now); err == nil && (d < today || d >= staking.Forever) {
		err = ledger.ErrInvalid.In("", "a region is listed from today on, %s, or from a later day", today)
	}
	return d, ledger.At("from", err)
}

type addRegionIn struct {
	FromIn
	Reason string `query:"reason" maxLength:"200" example:"licence ends" doc:"Why. It is kept in the log."`
}

type effectOut struct {
	From     string           `json:"from" format:"date" example:"2026-11-24" doc:"The first day that would not earn."`
	Accounts int64            `json:"accounts" example:"1500" doc:"Open accounts whose residence lies in the region; where a token is taken off offer, all."`
	Enrolled int64            `json:"enrolled" example:"120" doc:"Of these, whose Soft Staking is on."`
	Tokens   []effectTokenOut `json:"tokens" doc:"What they earn on now, by symbol."`
	USDT     string           `json:"usdt" example:"125000.5" doc:"What that is worth today, without tokens that have no price."`
	Unpriced int              `json:"unpriced" example:"0" doc:"How many tokens have no price of today or of the 7 days before."`
}

type effectTokenOut struct {
	Asset   string  `json:"asset" example:"BNB" doc:"Symbol."`
	Holders int64   `json:"holders" example:"90" doc:"How many hold at least the minimum free."`
	Earning string  `json:"earning" example:"200.5" doc:"What they hold free, each up to the cap, in whole tokens."`
	USDT    *string `json:"usdt" example:"125000.5" doc:"What that is worth today; null: there is no price."`
}

func showEffect(e reports.Effect, err error) (*answer[effectOut], error) {
	if err != nil {
		return nil, err
	}
	out := effectOut{From: e.From.String(), Accounts: e.Accounts, Enrolled: e.Enrolled, Unpriced: e.Unpriced,
		USDT: ledger.FormatBig(e.USDT, conversion.PriceScale), Tokens: make([]effectTokenOut, len(e.Tokens))}
	for i, token := range e.Tokens {
		out.Tokens[i] = effectTokenOut{
			Asset: token.Asset.Symbol, Holders: token.Holders,
			Earning: ledger.FormatBig(token.Earning, token.Asset.Scale),
		}
		if token.HasPrice {
			out.Tokens[i].USDT = new(ledger.FormatBig(token.USDT, conversion.PriceScale))
		}
	}
	return reply(out, nil)
}

func (s *server) regionRoutes() {
	get(s, "/v1/regions", everyone, reader.listRegions,
		about("list-regions", "Offer", "List where the product is not offered",
			"In order, including those that are listed from a future day on. A region includes its parts: "+
				"US includes US-CA."))
	get(s, "/v1/regions/{code}/preview", staff, reader.previewRegion,
		about("preview-region", "Offer", "Preview that a region is listed",
			"Whom it would switch off, and what they earn on now. Nothing is written. "+
				"It reads every account there, and takes its time with many."), slow)
	change(s, "PUT /v1/regions/{code}", does(control.AddRegion), writer.addRegion,
		about("add-region", "Offer", "Stop offering the product in a region",
			"Its residents do not earn from a day on, and nobody there can switch on from now on; "+
				"the days before are paid. The code exists in ISO 3166. Repeating has no further effect, "+
				"and answers the listing that there is; from another day than it holds from is refused.", 409), slow)
	change(s, "DELETE /v1/regions/{code}", does(control.RemoveRegion), writer.removeRegion,
		about("remove-region", "Offer", "Offer the product in a region again",
			"Its residents may switch on again. On the day on which it was listed, "+
				"and before the day from which it holds, this undoes the listing: "+
				"those whom it switched off go on earning, unless they have switched off or moved since. "+
				"Later it switches nobody on. A code of older books that does not exist is removed like any other.", 404),
		slow)
}

func (rd reader) listRegions(ctx context.Context, _ *struct{}) (*answer[regionsOut], error) {
	listings, err := rd.Listings(ctx, false)
	if err != nil {
		return nil, err
	}
	out := regionsOut{make([]string, len(listings)), make([]listingOut, len(listings))}
	for i, l := range listings {
		out.Items[i], out.Listings[i] = string(l.Region), showListing(l)
	}
	return reply(out, nil)
}

func (rd reader) previewRegion(ctx context.Context, in *FromIn) (*answer[effectOut], error) {
	from, err := in.day(rd.now())
	if err != nil {
		return nil, err
	}
	e, err := rd.PreviewRegion(ctx, staking.Region(in.Code), from)
	return showEffect(e, ledger.At("code", err))
}

func (wr writer) addRegion(ctx context.Context, in *addRegionIn) (*answer[listingOut], error) {
	from, err := in.day(wr.now())
	if err != nil {
		return nil, err
	}
	l, err := wr.books.AddRegion(ctx, staking.Region(in.Code), from, in.Reason)
	return reply(showListing(l), ledger.At("code", err))
}

func (wr writer) removeRegion(ctx context.Context, in *CodeIn) (*answer[listingOut], error) {
	l, err := wr.books.RemoveRegion(ctx, staking.Region(in.Code))
	return reply(showListing(l), err)
}
