package staking

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// Campaign divides a pool over some days among those who earn with its eligible tokens, in
// proportion to what they hold, in a reward token that may be another. It runs beside the
// ordinary terms of these tokens. Each of its days is weighed by what is eligible of the eligible
// token, and what is divided of it is part of the reward token's accrual of the day after.
type Campaign struct {
	ID          string        // the operator's, 1 to 64 characters of an ID, without a slash; unique forever
	Title       string        // a line of plain text
	Asset       string        // in which it pays
	Pool        ledger.Amount // of Asset, in smallest units, above zero
	First, Last Day           // both inclusive
	Parts       []Part        // by token; together the pool
	Members     int64         // how many accounts may take part: those that enrolled first; 0: all
	Multipliers []Multiplier  // by label
	// What of a day is eligible, by the minimum and the cap of the token's terms; nil: by their own measure.
	Measure *Measure
	// The last day that counts: Last, or the day before First and later if it was ended early. Its budgets are
	// those of a campaign that lasts until Last.
	End Day
}

// Part is the part of a campaign's pool that those get who earn with a token.
type Part struct {
	Token  string
	Amount ledger.Amount // of the campaign's asset, in smallest units, above zero
}

// Multiplier is what the eligible integrals of accounts with a label count: 150 is 1.5 times.
// Of several the highest counts; accounts without such a label count once.
type Multiplier struct {
	Label   string
	Percent int64 // 1 to 10000
}

// The limits of a campaign.
const (
	maxCampaignDays         = 3660
	maxCampaignTokens       = 50
	maxMultipliers          = 50
	maxPercent        int64 = 10_000
	maxMembers        int64 = 1_000_000
	maxCampaignID           = 64

	// Once is the multiplier of an account that has no label of the campaign.
	Once int64 = 100
)

// EqualParts divides a pool equally: what a smallest unit cannot divide goes to the first tokens,
// one unit each.
func EqualParts(pool ledger.Amount, tokens []string) []Part {
	parts := make([]Part, len(tokens))
	for i, token := range tokens {
		n := ledger.Amount(len(tokens))
		parts[i] = Part{token, pool / n}
		if ledger.Amount(i) < pool%n {
			parts[i].Amount++
		}
	}
	return parts
}

// ParseParts reads the parts of a pool: TOKEN or TOKEN=AMOUNT, all of them or none with an amount. Without amounts they
// are equal. Its errors are ledger.ErrInvalid.
func ParseParts(asset ledger.Asset, pool ledger.Amount, texts []string) ([]Part, error) {
	var parts []Part
	var tokens []string
	for _, text := range texts {
		token, amount, given := strings.Cut(text, "=")
		if !given {
			tokens = append(tokens, token)
			continue
		}
		n, err := asset.Parse(amount)
		if err != nil {
			return nil, err
		}
		parts = append(parts, Part{Token: token, Amount: n})
	}
	switch {
	case parts == nil:
		return EqualParts(pool, tokens), nil
	case tokens != nil:
		return nil, ledger.ErrInvalid.In("", "%s has no amount, and others have one", ledger.Clip(tokens[0]))
	}
	return parts, nil
}

// ParseMultipliers reads labels, each with its factor: LABEL=FACTOR, such as vip=1.5. Its errors are ledger.ErrInvalid.
func ParseMultipliers(texts []string) (all []Multiplier, err error) {
	for _, text := range texts {
		label, factor, given := strings.Cut(text, "=")
		if !given {
			return nil, ledger.ErrInvalid.In("", "%s has no factor; give it as LABEL=FACTOR", ledger.Clip(text))
		}
		percent, err := ledger.ParseDecimal(factor, factorScale)
		if err != nil {
			return nil, err
		}
		all = append(all, Multiplier{Label: label, Percent: percent})
	}
	return all, nil
}

// factorScale is how many decimals of a multiplier's factor are kept.
const factorScale = 2

// Check returns ledger.ErrInvalid unless the campaign is well formed. The asset is the one in which it pays; nothing
// else is looked at in the books.
func (c Campaign) Check(asset ledger.Asset) error {
	if err := checkCampaignID(c.ID); err != nil {
		return ledger.At("id", err)
	}
	if strings.TrimSpace(c.Title) == "" {
		return ledger.ErrInvalid.In("title", "the title of the campaign is missing")
	}
	if err := ledger.CheckText("the title", c.Title); err != nil {
		return ledger.At("title", err)
	}
	switch {
	case c.Pool <= 0:
		return ledger.ErrInvalid.In("pool", "the pool of a campaign is above zero")
	case c.First < 0:
		return ledger.ErrInvalid.In("first", "the campaign begins on %s, before 1970", c.First)
	case c.Last < c.First:
		return ledger.ErrInvalid.In("last", "the campaign ends on %s, before it begins on %s", c.Last, c.First)
	case c.Last-c.First >= maxCampaignDays:
		return ledger.ErrInvalid.In("last", "the campaign has %d days; at most %d are allowed", c.Last-c.First+1,
			maxCampaignDays)
	case c.Members < 0 || c.Members > maxMembers:
		return ledger.ErrInvalid.In("members", "a campaign is for all (0), or for the first 1 to %d accounts", maxMembers)
	case c.Measure != nil && !c.Measure.known():
		return ledger.ErrInvalid.In("measure", "there is no %s", *c.Measure)
	case len(c.Multipliers) > maxMultipliers:
		return ledger.ErrInvalid.In("multipliers", "a campaign has at most %d multipliers", maxMultipliers)
	}
	if err := c.checkParts(asset); err != nil {
		return err
	}
	return c.checkMultipliers()
}

// checkCampaignID refuses what is no ID, is too long, or could not be in a path.
func checkCampaignID(id string) error {
	if err := ledger.CheckID("campaign", id); err != nil {
		return err
	}
	switch {
	case len(id) > maxCampaignID:
		return ledger.ErrInvalid.In("", "the ID of the campaign has more than %d characters", maxCampaignID)
	case strings.Contains(id, "/") || id == "." || id == "..":
		return ledger.ErrInvalid.In("", "campaign %q: it has no slash, and is not . or ..", ledger.Clip(id))
	}
	return nil
}

func (c Campaign) checkParts(asset ledger.Asset) error {
	if n := len(c.Parts); n < 1 || n > maxCampaignTokens {
		return ledger.ErrInvalid.In("tokens", "a campaign has 1 to %d eligible tokens", maxCampaignTokens)
	}
	left := c.Pool
	for i, p := range c.Parts {
		switch {
		case p.Amount <= 0:
			return ledger.ErrInvalid.In("tokens", "the part of %s is %s %s; it must be above zero", ledger.Clip(p.Token),
				asset.Format(p.Amount), asset.Symbol)
		case p.Amount > left:
			return ledger.ErrInvalid.In("tokens", "the part of %s is %s %s, and %s of the pool is left for it",
				ledger.Clip(p.Token), asset.Format(p.Amount), asset.Symbol, asset.Format(left))
		}
		left -= p.Amount
		if slices.ContainsFunc(c.Parts[:i], func(o Part) bool { return o.Token == p.Token }) {
			return ledger.ErrInvalid.In("tokens", "%s is there twice", ledger.Clip(p.Token))
		}
	}
	if left != 0 {
		return ledger.ErrInvalid.In("tokens", "the parts of the pool are not all of it: %s %s is in none",
			asset.Format(left), asset.Symbol)
	}
	return nil
}

func (c Campaign) checkMultipliers() error {
	for i, m := range c.Multipliers {
		if err := CheckLabel(m.Label); err != nil {
			return ledger.At("multipliers", err)
		}
		if m.Percent < 1 || m.Percent > maxPercent {
			return ledger.ErrInvalid.In("multipliers", "the multiplier of %s is not between 0.01 and %d", m.Label,
				maxPercent/Once)
		}
		if slices.ContainsFunc(c.Multipliers[:i], func(o Multiplier) bool { return o.Label == m.Label }) {
			return ledger.ErrInvalid.In("multipliers", "%s is there twice", m.Label)
		}
	}
	return nil
}

// Days is how many days it was made for.
func (c Campaign) Days() int64 { return int64(c.Last-c.First) + 1 }

// On reports whether a day is weighed. An end only takes days away.
func (c Campaign) On(d Day) bool { return c.First <= d && d <= min(c.Last, c.End) }

// Part is the part of the pool of a token; zero if it is not eligible.
func (c Campaign) Part(token string) ledger.Amount {
	for _, p := range c.Parts {
		if p.Token == token {
			return p.Amount
		}
	}
	return 0
}

// Percent is the multiplier of a label; 0 if the campaign has none for it.
func (c Campaign) Percent(label string) int64 {
	for _, m := range c.Multipliers {
		if m.Label == label {
			return m.Percent
		}
	}
	return 0
}

// ByOther reports whether the campaign takes another measure than the terms of a token have.
func (c Campaign) ByOther(own Measure) bool { return c.Measure != nil && *c.Measure != own }

// MeasureName is the name of the campaign's own measure; "": it has none.
func (c Campaign) MeasureName() string {
	if c.Measure == nil {
		return ""
	}
	return c.Measure.String()
}

// Hash is the SHA-256 over what the campaign's entry does not say: a part of its digest.
func (c Campaign) Hash() []byte {
	texts := []string{"softstake campaign 1", c.Title, c.First.String(), c.Last.String(),
		strconv.FormatInt(c.Members, 10), strconv.Itoa(len(c.Parts))}
	for _, p := range c.Parts {
		texts = append(texts, p.Token, strconv.FormatInt(int64(p.Amount), 10))
	}
	for _, m := range c.Multipliers {
		texts = append(texts, m.Label, strconv.FormatInt(m.Percent, 10))
	}
	if c.Measure != nil {
		texts = append(texts, "measure", c.Measure.String())
	}
	return ledger.HashTexts(texts...)
}

// Entry is the entry that funds the campaign, dated when it is posted.
func (c Campaign) Entry() ledger.Entry {
	return ledger.Entry{ID: ledger.CampaignID(c.ID), Kind: ledger.Fund,
		Moves: []ledger.Move{{From: ledger.Custody, To: ledger.Rewards, Asset: c.Asset, Amount: c.Pool}}}
}

// Describe is how the log says the campaign. a is its asset.
func (c Campaign) Describe(a ledger.Asset) string {
	text := fmt.Sprintf("%q: %s %s from %s to %s", c.Title, a.Format(c.Pool), c.Asset, c.First, c.Last)
	for _, p := range c.Parts {
		text += fmt.Sprintf(", %s for %s", a.Format(p.Amount), p.Token)
	}
	if c.Members > 0 {
		text += fmt.Sprintf(", the first %d", c.Members)
	}
	for _, m := range c.Multipliers {
		text += fmt.Sprintf(", %s × %s", m.Label, ledger.FormatDecimal(m.Percent, 2))
	}
	if c.Measure != nil {
		text += ", measure " + c.Measure.String()
	}
	return text
}

// Budget is what a campaign has for a day of one of its tokens.
type Budget struct {
	Campaign Campaign
	Token    string
	Other    bool  // the day was weighed by the measure that the token's terms do not have
	Left     Exact // of the token's part of the pool, before the day
	Days     int64 // of the campaign that are left, with this one, at least 1
}

// Amount is the day's: what is left / the days that are left, rounded down to a smallest
// unit, and on the last day all that is left. So a day on which nobody earns leaves its budget
// to the later days.
func (b Budget) Amount() Exact {
	if b.Days == 1 {
		return b.Left
	}
	return Exact{Units: b.Left.Units / ledger.Amount(b.Days)}
}

// BudgetOf is a campaign's budget for a day of a token, as a distribution among those who
// earn with the token on that day; it takes effect on the day after. paid is what all days
// before have paid of the token's part, and weight everybody's weight of the day.
func BudgetOf(c Campaign, d Day, token string, paid Exact, weight Integral) Distribution {
	return Distribution{
		Asset: c.Asset, Day: d + 1, First: d, Last: d, Weight: weight,
		Budget: &Budget{Campaign: c, Token: token, Left: Exact{Units: c.Part(token)}.Sub(paid), Days: int64(c.Last-d) + 1},
	}
}

// Times returns i × n, for i from zero and n from 1. The product must fit 127 bits: eligible
// integrals have at most 98, a multiplier 14.
func (i Integral) Times(n int64) Integral {
	hi, lo := bits.Mul64(i.lo, uint64(n))
	return Integral{hi + i.hi*uint64(n), lo}
}
