package api

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

type rateOut struct {
	Mode    string `json:"mode" enum:"fixed,share" example:"share" doc:"fixed: the rate is stated. share: it follows from staking income."`
	Known   bool   `json:"known" doc:"Whether there is a rate: in the mode share there is none before the income of a period is divided."`
	Net     string `json:"net" example:"0.0287" doc:"What holders get a year, as a fraction: 0.0287 is 2.87 %. In the mode share the effective rate of these days, rounded down."`
	Gross   string `json:"gross,omitempty" example:"0.041" doc:"The rate before the operator's fee; below zero after a slashing. Absent where it is not known: in the mode fixed unless the operator states it."`
	Fee     string `json:"fee" example:"0.3" doc:"The part of staking income, and of the gross rate, that the operator keeps: 0.3 is 30 %. In the mode share the part that was taken of all income of these days together."`
	Earlier string `json:"fromEarlier" example:"0" doc:"In the mode share what earlier periods left to these, a year; below zero: what they lost. What these lost themselves is passed on, and is above zero. gross less the fee, and this, is net, but for rounding."`
	First   string `json:"first" format:"date" example:"2026-11-20" doc:"The first day that it is of. In the mode share a current rate is that of the day through, and of the days before it with the same one."`
	Through string `json:"through,omitempty" format:"date" example:"2026-11-21" doc:"The last day that it is of. Absent: it holds until other terms do."`
}

func showRate(r reports.Rate) rateOut {
	out := rateOut{
		Mode: r.Mode.String(), Known: r.Known, Net: r.Net.String(), Fee: r.Fee.String(), First: r.First.String(),
		Earlier: r.Earlier.String(),
	}
	if r.GrossKnown {
		out.Gross = r.Gross.String()
	}
	if r.Last != staking.Forever {
		out.Through = r.Last.String()
	}
	return out
}

type ratesIn struct {
	AssetIn
	DaysIn
	Paging
}

type sourceOut struct {
	Chain  string `json:"chain" example:"solana" doc:"The chain."`
	Source string `json:"source" example:"7Np4Validator" doc:"The validator or stake account that earned it."`
	First  string `json:"first" format:"date" example:"2026-11-20" doc:"The first day of the period."`
	Last   string `json:"last" format:"date" example:"2026-11-21" doc:"The last day of the period."`
	Gross  string `json:"gross" example:"125.5" doc:"How much was earned, before the fee, in whole tokens; below zero for a slashing."`
}

type disclosureOut struct {
	Asset     string      `json:"asset" example:"SOL" doc:"Symbol."`
	Terms     TermsOut    `json:"terms" doc:"Today's."`
	Rate      rateOut     `json:"rate" doc:"What holders earn a year, by today's terms."`
	Method    string      `json:"method" doc:"How a reward and the fee are worked out, in English."`
	Sources   []sourceOut `json:"sources" doc:"Where the income of the periods came from that have the day through which the rate is; in the mode fixed of the last period."`
	Version   int         `json:"version,omitempty" example:"1" doc:"Of the operator's statement. Absent where nothing is stated."`
	Published string      `json:"published,omitempty" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was published."`
	Text      string      `json:"text,omitempty" doc:"The operator's statement of the source of rewards, in Markdown."`
}

type discloseIn struct {
	AssetIn
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"65536" doc:"Where the rewards of the token come from, in Markdown: at most 64 KiB of UTF-8."`
	}
}

// disclosureLimit is how long the body of a disclosure is at most: each byte of its text may be written as six.
const disclosureLimit = 448 << 10

func (s *server) rateRoutes() {
	get(s, "/v1/tokens/{asset}/rates", everyone, reader.rates, about("list-rates", "Offer", "List a token's rates",
		"The effective rates of the days that it was on offer, through today, the newest first: in the mode fixed what "+
			"the terms state, in the mode share what each day has come to by the periods that were paid. "+
			"Days that follow one another with the same rate are one item.", 404))
	get(s, "/v1/tokens/{asset}/disclosure", everyone, reader.disclosure,
		about("get-disclosure", "Offer", "Read what is disclosed of a token's rewards",
			"The source of the rewards, how they are worked out, and all that is kept of them.", 404))
	change(s, "PUT /v1/tokens/{asset}/disclosure", does("disclosure set"), writer.disclose,
		about("set-disclosure", "Offer", "State where a token's rewards come from",
			"Makes a text the current statement. Every version is kept. The current text again has no effect.", 404),
		upTo(disclosureLimit))
}

func (rd reader) rates(ctx context.Context, in *ratesIn) (*answer[list[rateOut]], error) {
	from, to, err := rd.period(in.DaysIn)
	if err != nil {
		return nil, err
	}
	keys := keyset[reports.Rate, staking.Day]{
		1, func(r reports.Rate) []string { return []string{r.First.String()} },
		func(parts []string) (staking.Day, error) { return staking.ParseDay(parts[0]) },
	}
	return pageOf(in.Paging, keys, func(after *staking.Day, limit int) ([]reports.Rate, error) {
		last := to
		if after != nil {
			last = min(to, *after-1)
		}
		rates, err := rd.Rates(ctx, in.Asset, from, last)
		return rates[:min(limit, len(rates))], err
	}, func(r reports.Rate) (rateOut, error) { return showRate(r), nil })
}

func (rd reader) disclosure(ctx context.Context, in *AssetIn) (*answer[disclosureOut], error) {
	d, err := rd.Disclosure(ctx, in.Asset)
	if err != nil {
		return nil, err
	}
	out := disclosureOut{
		Asset: d.Asset.Symbol, Terms: showTerms(d.Asset, d.Terms), Rate: showRate(d.Rate), Method: methodOf(d),
		Sources: make([]sourceOut, 0, len(d.Sources)), Version: d.Words.Version, Text: d.Words.Text,
	}
	if d.Words.Version > 0 {
		out.Published = instant(d.Words.Published)
	}
	for _, s := range d.Sources {
		out.Sources = append(out.Sources,
			sourceOut{s.Chain, s.Source, s.First.String(), s.Last.String(), d.Asset.Format(s.Gross)})
	}
	return reply(out, nil)
}

func (wr writer) disclose(ctx context.Context, in *discloseIn) (*answer[disclosureOut], error) {
	if _, err := wr.books.Disclose(ctx, in.Asset, in.Body.Text); err != nil {
		return nil, err
	}
	return wr.disclosure(ctx, &in.AssetIn)
}

// methodOf is how a token's rewards are worked out. The page of rates says it in the visitor's language.
func methodOf(d reports.Disclosed) string {
	measure := "the exact time-weighted average of the free balance over the UTC day"
	if d.Terms.Measure == staking.Lowest {
		measure = "the smallest free balance of the UTC day"
	}
	whose := "an account"
	if d.Terms.PerOwner {
		whose = "all accounts of one owner together"
	}
	base := fmt.Sprintf("A day is measured by %s. Below the minimum of %s nothing is earned; of more than the cap of %s "+
		"only the cap is eligible; both are for %s. ", measure, d.Asset.Format(d.Terms.Min), d.Asset.Format(d.Terms.Cap),
		whose)
	if d.Terms.Mode == staking.Share {
		return base + fmt.Sprintf("From the staking income of a period the operator keeps a fee of %s of it, rounded "+
			"down to the smallest unit. The rest is divided in proportion to what was eligible on the days of the period, "+
			"and is credited with the reward of the day on which the income was entered. Nothing else is charged.", d.Terms.Fee)
	}
	base += fmt.Sprintf("The reward of a day is what is eligible × %s / 365, rounded down to the smallest unit; the "+
		"rest is carried into the next reward.", d.Terms.APR)
	switch {
	case d.Rate.FeeIsKept():
		base += fmt.Sprintf(" The operator states a gross rate of %s a year, and keeps a fee of %s of it, which is %s.",
			d.Rate.Gross, d.Rate.Fee, d.Rate.Kept())
	case d.Rate.GrossKnown:
		base += fmt.Sprintf(" The operator states a gross rate of %s a year, and keeps the difference of %s.", d.Rate.Gross,
			d.Rate.Kept())
	case d.Rate.Fee != 0:
		base += fmt.Sprintf(" Of the staking income the operator keeps %s; the rate before that is not stated.", d.Rate.Fee)
	}
	return base + " Nothing else is charged."
}
