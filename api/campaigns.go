package api

import (
	"context"
	"strconv"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

type campaignPartIn struct {
	Token  string `json:"token" maxLength:"20" example:"BNB" doc:"The eligible token."`
	Amount string `json:"amount,omitempty" maxLength:"40" example:"600" doc:"Its part of the pool. All have one, or none: then the parts are equal."`
}

type campaignMultiplierIn struct {
	Label  string `json:"label" minLength:"1" maxLength:"32" example:"vip" doc:"A label of accounts."`
	Factor string `json:"factor" maxLength:"6" example:"1.5" doc:"What their holdings count, 0.01 to 100. The highest of an account's counts; without one they count once."`
}

type campaignIn struct {
	Body struct {
		ID          string                 `json:"id" minLength:"1" maxLength:"64" example:"spring" doc:"The caller's name of the campaign, unique forever: repeating it has no further effect."`
		Title       string                 `json:"title" minLength:"1" maxLength:"200" example:"Hold BNB, get SOL" doc:"What holders see."`
		Asset       string                 `json:"asset" maxLength:"20" example:"SOL" doc:"The token in which it pays."`
		Pool        string                 `json:"pool" maxLength:"40" example:"1000" doc:"How much it divides, in whole tokens."`
		First       string                 `json:"first" format:"date" example:"2026-12-01" doc:"The first day that is weighed, from tomorrow on."`
		Last        string                 `json:"last" format:"date" example:"2026-12-30" doc:"The last day that is weighed."`
		Tokens      []campaignPartIn       `json:"tokens" minItems:"1" maxItems:"50" doc:"The eligible tokens."`
		Multipliers []campaignMultiplierIn `json:"multipliers,omitempty" maxItems:"50" doc:"By label."`
		Measure     string                 `json:"measure,omitempty" enum:"average,daily-minimum" example:"daily-minimum" doc:"What of a day counts: its average, or its smallest balance. Minimum and cap of the token's terms are compared with it. Absent: as the terms of each token say."`
		Members     int64                  `json:"members,omitempty" minimum:"0" maximum:"1000000" example:"100" doc:"How many accounts take part: the first that were enrolled. 0: all."`
	}
}

type campaignPart struct {
	Token  string `json:"token" example:"BNB" doc:"The eligible token."`
	Amount string `json:"amount" example:"600" doc:"Its part of the pool, in whole tokens of the campaign's asset."`
}

type campaignMultiplier struct {
	Label  string `json:"label" example:"vip" doc:"A label of accounts."`
	Factor string `json:"factor" example:"1.5" doc:"What their holdings count. The highest of an account's counts."`
}

type campaignOut struct {
	ID          string               `json:"id" example:"spring" doc:"The caller's name of the campaign. The entry that funds it is \"campaign/\" and the ID."`
	Title       string               `json:"title" example:"Hold BNB, get SOL" doc:"What holders see."`
	Asset       string               `json:"asset" example:"SOL" doc:"The token in which it pays."`
	Pool        string               `json:"pool" example:"1000" doc:"How much it divides, in whole tokens."`
	First       string               `json:"first" format:"date" example:"2026-12-01" doc:"The first day that is weighed. Its shares are part of the rewards of the day after."`
	Last        string               `json:"last" format:"date" example:"2026-12-30" doc:"The last day that is weighed, as it was made."`
	Ends        string               `json:"ends" format:"date" example:"2026-12-30" doc:"The last day that counts: last, or an earlier one if it was ended early."`
	Tokens      []campaignPart       `json:"tokens" doc:"The eligible tokens, each with its part of the pool."`
	Multipliers []campaignMultiplier `json:"multipliers" doc:"By label."`
	Measure     string               `json:"measure,omitempty" enum:"average,daily-minimum" example:"daily-minimum" doc:"What of a day counts, if it is not what the terms of each token say: its average, or its smallest balance."`
	Members     int64                `json:"members" example:"100" doc:"How many accounts may take part; 0: all."`
	Enlisted    int64                `json:"enlisted" example:"42" doc:"How many take part so far, where not all do; else 0."`
	Paid        string               `json:"paid" example:"33.3" doc:"What it has paid, rounded down."`
	Left        string               `json:"left" example:"966.7" doc:"What of the pool is still reserved for it, rounded up; 0 when it is over."`
	DaysLeft    int64                `json:"daysLeft" example:"29" doc:"How many days are not paid yet."`
	Newest      []campaignDayOut     `json:"newest" doc:"Of each eligible token the newest paid day: what the campaign pays now. Tokens of which no day is paid are left out."`
}

type campaignDayOut struct {
	Day       string `json:"day" format:"date" example:"2026-12-01" doc:"The day that was weighed."`
	Token     string `json:"token" example:"BNB" doc:"The eligible token."`
	Budget    string `json:"budget" example:"33.33333333" doc:"What the day had, in whole tokens of the campaign's asset."`
	Paid      string `json:"paid" example:"33.33333333" doc:"What it paid, rounded down. What rounding leaves, and all where nobody earned, goes to the later days."`
	Weight    string `json:"weight" example:"8640000000000000000" doc:"Everybody's eligible integrals × multiplier: smallest units × milliseconds × 100."`
	Rate      string `json:"rate" example:"0.0365" doc:"The gross rate a year in the reward token: so much of it for a whole eligible token, for an account that counts once."`
	ValueRate string `json:"valueRate,omitempty" example:"0.041" doc:"The same in value, by the prices of the day, where they are known: 0.041 is 4.1 %."`
}

// CampaignPath is the campaign in a path.
type CampaignPath struct {
	Campaign string `path:"campaign" maxLength:"64" example:"spring" doc:"The campaign's ID."`
}

type campaignDaysIn struct {
	CampaignPath
	Paging
}

type endCampaignIn struct {
	CampaignPath
	Body struct {
		Last string `json:"last" format:"date" example:"2026-12-10" doc:"The last day that counts, at the earliest today. It is always given: so a request that is repeated after midnight means the same day."`
	}
}

func (s *server) campaignRoutes() {
	get(s, "/v1/campaigns", everyone, reader.campaigns,
		about("list-campaigns", "Offer", "List campaigns",
			"All that were ever made, by ID. A campaign divides a pool over some days among those who earn with its "+
				"eligible tokens, beside the ordinary terms of these."))
	get(s, "/v1/campaigns/{campaign}", everyone, reader.campaign,
		about("get-campaign", "Offer", "Show a campaign", "What it divides, and what is left.", 404))
	get(s, "/v1/campaigns/{campaign}/days", everyone, reader.campaignDays,
		about("list-campaign-days", "Offer", "List the days of a campaign",
			"Its paid days, the newest first, then by token: budget, what was paid, and the effective rates.", 404))
	change(s, "POST /v1/campaigns", does(control.AddCampaign), writer.addCampaign,
		about("add-campaign", "Offer", "Make a campaign",
			"Moves the pool from @custody to @rewards, where it is reserved. A campaign is for days from tomorrow on, and "+
				"cannot be changed; it can be ended early. Repeating an ID with the same content has no further effect.", 404, 409),
		created[entryOut]("It was made before: the answer of the first time."))
	change(s, "POST /v1/campaigns/{campaign}/end", does("campaign end"), writer.endCampaign,
		about("end-campaign", "Offer", "End a campaign early",
			"The days up to the last one are paid as before; then what is left of the pool is the operator's. "+
				"Repeating it has no further effect; another day is a conflict.", 404, 409))
}

func (rd reader) showCampaign(ctx context.Context, c reports.Campaign) (campaignOut, error) {
	a, err := rd.Asset(ctx, c.Asset)
	out := campaignOut{
		ID: c.ID, Title: c.Title, Asset: c.Asset, Pool: a.Format(c.Pool), First: c.First.String(), Last: c.Last.String(),
		Ends: c.End.String(), Tokens: []campaignPart{}, Multipliers: []campaignMultiplier{}, Members: c.Campaign.Members,
		Enlisted: c.Enlisted, Paid: a.Format(c.Paid.Units), Left: a.Format(c.Left), DaysLeft: c.DaysLeft,
		Newest: []campaignDayOut{}, Measure: c.MeasureName(),
	}
	for _, d := range c.Newest {
		out.Newest = append(out.Newest, showCampaignDay(a, d))
	}
	for _, p := range c.Parts {
		out.Tokens = append(out.Tokens, campaignPart{p.Token, a.Format(p.Amount)})
	}
	for _, m := range c.Multipliers {
		out.Multipliers = append(out.Multipliers, campaignMultiplier{m.Label, ledger.FormatDecimal(m.Percent, factorScale)})
	}
	return out, err
}

// factorScale is how many decimals a multiplier has.
const factorScale = 2

func (rd reader) campaigns(ctx context.Context, _ *struct{}) (*answer[list[campaignOut]], error) {
	all, err := rd.Campaigns(ctx)
	if err != nil {
		return nil, err
	}
	out := list[campaignOut]{Items: make([]campaignOut, len(all))}
	for i, c := range all {
		if out.Items[i], err = rd.showCampaign(ctx, c); err != nil {
			return nil, err
		}
	}
	return reply(out, nil)
}

func (rd reader) campaign(ctx context.Context, in *CampaignPath) (*answer[campaignOut], error) {
	c, err := rd.Campaign(ctx, in.Campaign)
	if err != nil {
		return nil, err
	}
	return reply(rd.showCampaign(ctx, c))
}

func (rd reader) campaignDays(ctx context.Context, in *campaignDaysIn) (*answer[list[campaignDayOut]], error) {
	c, err := rd.Campaign(ctx, in.Campaign)
	if err != nil {
		return nil, err
	}
	a, err := rd.Asset(ctx, c.Asset)
	if err != nil {
		return nil, err
	}
	keys := keyset[reports.CampaignDay, reports.CampaignDay]{
		2, func(d reports.CampaignDay) []string { return []string{strconv.FormatInt(int64(d.Day), 10), d.Token} },
		func(parts []string) (last reports.CampaignDay, err error) {
			day, err := strconv.ParseInt(parts[0], 10, 32)
			last.Day, last.Token = staking.Day(day), parts[1]
			return last, err
		},
	}
	return pageOf(in.Paging, keys, func(after *reports.CampaignDay, limit int) ([]reports.CampaignDay, error) {
		if after == nil {
			after = &reports.CampaignDay{}
		}
		return rd.CampaignDays(ctx, c.ID, *after, limit)
	}, func(d reports.CampaignDay) (campaignDayOut, error) { return showCampaignDay(a, d), nil })
}

func showCampaignDay(a ledger.Asset, d reports.CampaignDay) campaignDayOut {
	out := campaignDayOut{Day: d.Day.String(), Token: d.Token, Budget: a.Format(d.Budget.Units),
		Paid: a.Format(d.Paid.Units), Weight: d.Weight.String(), Rate: d.Rate.String()}
	if d.ValueRate > 0 {
		out.ValueRate = d.ValueRate.String()
	}
	return out
}

func (wr writer) addCampaign(ctx context.Context, in *campaignIn) (*posted, error) {
	b := in.Body
	asset, err := wr.Asset(ctx, b.Asset)
	if err != nil {
		return nil, ledger.At("asset", err)
	}
	c := staking.Campaign{ID: b.ID, Title: b.Title, Asset: b.Asset, Members: b.Members}
	if c.First, err = staking.ParseDay(b.First); err != nil {
		return nil, ledger.At("first", err)
	}
	if c.Last, err = staking.ParseDay(b.Last); err != nil {
		return nil, ledger.At("last", err)
	}
	if c.Pool, err = asset.Parse(b.Pool); err != nil {
		return nil, ledger.At("pool", err)
	}
	if c.Parts, err = partsOf(asset, c.Pool, b.Tokens); err != nil {
		return nil, ledger.At("tokens", err)
	}
	if b.Measure != "" {
		measure, err := staking.ParseMeasure(b.Measure)
		if err != nil {
			return nil, err
		}
		c.Measure = &measure
	}
	for _, m := range b.Multipliers {
		percent, err := ledger.ParseDecimal(m.Factor, factorScale)
		if err != nil {
			return nil, ledger.At("multipliers", err)
		}
		c.Multipliers = append(c.Multipliers, staking.Multiplier{Label: m.Label, Percent: percent})
	}
	o, err := wr.books.PostCampaign(ctx, c)
	return showPosted(ledger.CampaignID(c.ID), o, err)
}

// partsOf are the parts of the pool that a body names.
func partsOf(asset ledger.Asset, pool ledger.Amount, named []campaignPartIn) ([]staking.Part, error) {
	var parts []staking.Part
	var equal []string
	for _, p := range named {
		if p.Amount == "" {
			equal = append(equal, p.Token)
			continue
		}
		n, err := asset.Parse(p.Amount)
		if err != nil {
			return nil, err
		}
		parts = append(parts, staking.Part{Token: p.Token, Amount: n})
	}
	switch {
	case parts == nil:
		return staking.EqualParts(pool, equal), nil
	case equal != nil:
		return nil, ledger.ErrInvalid.In("", "%s has no amount, and others have one", ledger.Clip(equal[0]))
	}
	return parts, nil
}

func (wr writer) endCampaign(ctx context.Context, in *endCampaignIn) (*answer[campaignOut], error) {
	last, err := staking.ParseDay(in.Body.Last)
	if err != nil {
		return nil, ledger.At("last", err)
	}
	if _, err := wr.books.EndCampaign(ctx, in.Campaign, last); err != nil {
		return nil, err
	}
	c, err := wr.Campaign(ctx, in.Campaign)
	if err != nil {
		return nil, err
	}
	return reply(wr.showCampaign(ctx, c))
}
