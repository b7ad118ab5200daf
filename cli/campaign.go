package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type campaignCmd struct {
	Add  campaignAddCmd  `cmd:"" help:"Make a campaign, and fund it."`
	End  campaignEndCmd  `cmd:"" help:"End a campaign early."`
	List campaignListCmd `cmd:"" help:"List the campaigns, and what they have left."`
	Show campaignShowCmd `cmd:"" help:"Show a campaign, and what each day paid."`
}

type campaignAddCmd struct {
	ID         string      `arg:"" help:"Your name of the campaign: making it again has no further effect."`
	Asset      string      `arg:"" help:"Token in which it pays."`
	Pool       string      `arg:"" help:"How much it divides."`
	Title      string      `required:"" placeholder:"TEXT" help:"Title that holders see."`
	First      staking.Day `required:"" placeholder:"DAY" help:"First day that is weighed, from tomorrow on."`
	Last       staking.Day `required:"" placeholder:"DAY" help:"Last day that is weighed."`
	Token      []string    `required:"" sep:"none" placeholder:"TOKEN[=AMOUNT]" help:"Eligible token, and its part of the pool; may be repeated. Without amounts the parts are equal."`
	Members    *int64      `placeholder:"N" help:"Only the first N accounts that were enrolled take part. Without it all do."`
	Multiplier []string    `sep:"none" placeholder:"LABEL=FACTOR" help:"What the holdings of accounts with a label count, such as vip=1.5; may be repeated. The highest of an account's counts."`
	Measure    *string     `placeholder:"MEASURE" help:"What of a day counts: average, or daily-minimum, its smallest balance. Without it, as the terms of each token say."`
}

func (c *campaignAddCmd) Help() string {
	return `The pool goes from @custody to @rewards, and is reserved. Each day is divided among those who earn with an eligible token on it, in proportion to what is eligible by the token's terms; --measure replaces their measure, and their minimum and cap are compared with it. The share is part of the reward of the day after. A day on which nobody earns leaves its budget to the later days.

Examples:

  softstake campaign add spring SOL 1000 --title "Hold BNB, get SOL" --first 2026-12-01 --last 2026-12-30 --token BNB
  softstake campaign add first SUI 90 --title "The first hundred" --first 2026-12-01 --last 2026-12-09 --token BNB=30 --token SOL=60 --members 100 --multiplier vip=1.5
  softstake campaign add still AXS 300 --title "Keep it still" --first 2026-12-01 --last 2026-12-30 --token BNB --measure daily-minimum`
}

func (c *campaignAddCmd) Run(env *Env) error {
	if c.Members != nil && *c.Members < 1 {
		return usage("--members %d is not above zero; leave it out, and all take part", *c.Members)
	}
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		asset, pool, err := parseAmount(ctx, db, c.Asset, c.Pool)
		if err != nil {
			return err
		}
		x := staking.Campaign{ID: c.ID, Title: c.Title, Asset: c.Asset, Pool: pool, First: c.First, Last: c.Last,
			Members: given(c.Members, 0)}
		if x.Parts, err = staking.ParseParts(asset, pool, c.Token); err != nil {
			return err
		}
		if x.Multipliers, err = staking.ParseMultipliers(c.Multiplier); err != nil {
			return err
		}
		if c.Measure != nil {
			measure, err := staking.ParseMeasure(*c.Measure)
			if err != nil {
				return err
			}
			x.Measure = &measure
		}
		o, err := db.PostCampaign(context.WithoutCancel(ctx), x)
		if o.Repeated {
			return env.printf("%s was made before, at %s UTC; nothing is repeated.\n", c.ID, clockTime(o.At))
		}
		return env.done(err, "%s pays %s for %s to %s, for those who earn with %s; %s.\n", c.ID, withUnit(asset, pool),
			c.First, c.Last, a.tokensOf(x), firstOnes(x))
	})
}

type campaignEndCmd struct {
	ID   string       `arg:"" help:"Campaign."`
	Last *staking.Day `placeholder:"DAY" help:"Last day that counts. Without it: today."`
}

func (c *campaignEndCmd) Help() string {
	return `The days up to the last one are paid as before. When it is paid, what is left of the pool is yours again (softstake fund --withdraw).

Example:

  softstake campaign end spring`
}

func (c *campaignEndCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		last := given(c.Last, staking.DayOf(env.Now()))
		repeated, err := db.EndCampaign(ctx, c.ID, last)
		if repeated {
			return env.printf("%s was ended before; nothing is repeated.\n", c.ID)
		}
		return env.done(err, "The last day of %s is %s.\n", c.ID, last)
	})
}

type campaignListCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (c *campaignListCmd) Help() string {
	return `Each eligible token has what its last paid day came to in a year, for an account that counts once: in percent of its value, or in reward tokens for a whole one where the day's prices are not known.

Example:

  softstake campaign list`
}

type campaignPartJSON struct {
	Token  string `json:"token"`
	Amount string `json:"amount"`
}

type multiplierJSON struct {
	Label  string `json:"label"`
	Factor string `json:"factor"`
}

type campaignJSON struct {
	ID          string             `json:"id"`
	Title       string             `json:"title"`
	Asset       string             `json:"asset"`
	Pool        string             `json:"pool"`
	First       staking.Day        `json:"first"`
	Last        staking.Day        `json:"last"`
	Ends        staking.Day        `json:"ends"`
	Tokens      []campaignPartJSON `json:"tokens"`
	Multipliers []multiplierJSON   `json:"multipliers"`
	Members     int64              `json:"members,omitempty"`
	Measure     string             `json:"measure,omitempty"`
	Enlisted    *int64             `json:"enlisted,omitempty"`
	Paid        string             `json:"paid"`
	Left        string             `json:"left"`
	DaysLeft    int64              `json:"daysLeft"`
	Newest      []campaignDayJSON  `json:"newest"`
	At          instant            `json:"at"`
	MadeBy      string             `json:"madeBy"`
}

func (a assets) campaignJSON(c reports.Campaign) campaignJSON {
	out := campaignJSON{
		ID: c.ID, Title: c.Title, Asset: c.Asset, Pool: a.plain(c.Asset, c.Pool), First: c.First, Last: c.Last, Ends: c.End,
		Multipliers: []multiplierJSON{}, Members: c.Campaign.Members, Paid: a.plain(c.Asset, c.Paid.Units),
		Left: a.plain(c.Asset, c.Left), DaysLeft: c.DaysLeft, At: instant(c.At), MadeBy: c.Credential,
		Newest: []campaignDayJSON{}, Measure: c.MeasureName(),
	}
	for _, d := range c.Newest {
		out.Newest = append(out.Newest, a.campaignDayJSON(d))
	}
	for _, p := range c.Parts {
		out.Tokens = append(out.Tokens, campaignPartJSON{p.Token, a.plain(c.Asset, p.Amount)})
	}
	for _, m := range c.Multipliers {
		out.Multipliers = append(out.Multipliers, multiplierJSON{m.Label, ledger.FormatDecimal(m.Percent, percentScale)})
	}
	if c.Campaign.Members > 0 {
		out.Enlisted = &c.Enlisted
	}
	return out
}

// firstOnes says which accounts take part in a campaign that was made.
func firstOnes(c staking.Campaign) string {
	if c.Members == 0 {
		return "all take part"
	}
	return "the first " + strconv.FormatInt(c.Members, 10) + " that were enrolled take part"
}

// takePart is how many accounts take part.
func takePart(c reports.Campaign) string {
	if c.Campaign.Members == 0 {
		return "all"
	}
	return strconv.FormatInt(c.Enlisted, 10) + " of " + strconv.FormatInt(c.Campaign.Members, 10)
}

// tokensOf are the eligible tokens, with their parts of the pool where there are several.
func (a assets) tokensOf(c staking.Campaign) string {
	if len(c.Parts) == 1 {
		return c.Parts[0].Token
	}
	var tokens []string
	for _, p := range c.Parts {
		tokens = append(tokens, p.Token+" ("+a.with(c.Asset, p.Amount)+")")
	}
	return strings.Join(tokens, ", ")
}

// ratesOf are the eligible tokens, each with what its newest paid day came to a year for an account that counts once:
// in value or, without the day's prices, in reward tokens for a whole one.
func ratesOf(c reports.Campaign) string {
	tokens := make([]string, len(c.Parts))
	for i, p := range c.Parts {
		tokens[i] = p.Token
		for _, d := range c.Newest {
			switch {
			case d.Token != p.Token:
			case d.ValueRate > 0:
				tokens[i] += " " + effective(d.ValueRate) + " %"
			case d.Rate > 0:
				tokens[i] += " " + d.Rate.String() + " " + c.Asset
			}
		}
	}
	return strings.Join(tokens, ", ")
}

// effective is a rate that was worked out, in percent with two decimals, rounded down.
func effective(r staking.Rate) string {
	const hundredth = staking.Whole / 10_000
	return percent(r - r%hundredth)
}

func (c *campaignListCmd) Run(env *Env) error {
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		all, err := reports.New(db.Reader()).Campaigns(ctx)
		return list[reports.Campaign]{
			json: c.JSON,
			// They fit a terminal of 80 columns, but for many tokens. "show" and JSON have the rest.
			columns: []col{text("campaign"), figure("pool"), figure("left"), text("token"), text("last day"), text("members"),
				text("eligible, a year")},
			item: func(c reports.Campaign) (any, []string) {
				return a.campaignJSON(c), []string{c.ID, a.plain(c.Asset, c.Pool), a.plain(c.Asset, c.Left), c.Asset,
					min(c.Last, c.End).String(), takePart(c), ratesOf(c)}
			},
			none: "There are no campaigns.\n",
		}.print(env, all, err)
	})
}

// campaignMeasure is by what a campaign is weighed that has a measure of its own.
func campaignMeasure(c reports.Campaign) string {
	if c.Measure == nil {
		return ""
	}
	return ", by " + holdingBy(*c.Measure)
}

// holdingBy is what of a day a measure takes.
func holdingBy(m staking.Measure) string {
	if m == staking.Lowest {
		return "the smallest balance of the day"
	}
	return "the average of the day"
}

type campaignShowCmd struct {
	ID    string `arg:"" help:"Campaign."`
	Limit int    `placeholder:"N" default:"31" help:"How many days of tokens to show, the newest first; 0: all."`
	JSON  bool   `help:"Print JSON."`
}

func (c *campaignShowCmd) Help() string {
	return `The rate is that of an account that counts once: reward tokens a year for a whole eligible token, and the same in value by the day's prices.

Example:

  softstake campaign show spring`
}

type campaignDayJSON struct {
	Day       staking.Day `json:"day"`
	Token     string      `json:"token"`
	Budget    string      `json:"budget"`
	Paid      string      `json:"paid"`
	Weight    string      `json:"weight"`
	Rate      string      `json:"rate"`
	ValueRate string      `json:"valueRate,omitempty"`
}

func (a assets) campaignDayJSON(d reports.CampaignDay) campaignDayJSON {
	value := ""
	if d.ValueRate > 0 {
		value = d.ValueRate.String()
	}
	return campaignDayJSON{d.Day, d.Token, a.plain(d.Asset, d.Budget.Units), a.plain(d.Asset, d.Paid.Units),
		d.Weight.String(), d.Rate.String(), value}
}

func (c *campaignShowCmd) Run(env *Env) error {
	if c.Limit < 0 {
		return usage("--limit %d is below zero", c.Limit)
	}
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		rs := reports.New(db.Reader())
		x, err := rs.Campaign(ctx, c.ID)
		if err != nil {
			return err
		}
		if !c.JSON {
			if err := env.printf("%s: %s\n%s %s for %s to %s, for those who earn with %s; members: %s.\n"+
				"Left: %s %s; days left: %d.\n", x.ID, x.Title, a.plain(x.Asset, x.Pool), x.Asset, x.First, min(x.Last, x.End),
				a.tokensOf(x.Campaign)+campaignMeasure(x), takePart(x), a.plain(x.Asset, x.Left), x.Asset, x.DaysLeft); err != nil {
				return err
			}
		}
		_, _, err = list[reports.CampaignDay]{
			json: c.JSON,
			columns: []col{text("day"), text("token"), figure("budget"), figure("paid"), figure("rate"),
				figure("% a year in value")},
			item: func(d reports.CampaignDay) (any, []string) {
				j, inPercent := a.campaignDayJSON(d), ""
				if d.ValueRate > 0 {
					inPercent = percent(d.ValueRate)
				}
				return j, []string{d.Day.String(), d.Token, j.Budget, j.Paid, j.Rate, inPercent}
			},
			none: "No day is paid yet.\n",
		}.printPages(env, c.Limit, func(after reports.CampaignDay, most int) ([]reports.CampaignDay, error) {
			return rs.CampaignDays(ctx, c.ID, after, most)
		})
		return err
	})
}
