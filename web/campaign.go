package web

import (
	"math/big"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// campaignRow is a campaign that runs or is coming, as a page shows it.
type campaignRow struct {
	reports.TakenPart
	Asset ledger.Asset // in which it pays
	Part  string       // whether the visitor takes part, as a sentence; "" on a public page
}

// Tokens are the eligible tokens.
func (r campaignRow) Tokens() (tokens []string) {
	for _, p := range r.Parts {
		tokens = append(tokens, p.Token)
	}
	return tokens
}

// DaysOpen is how many days are not paid.
func (r campaignRow) DaysOpen() int { return int(r.DaysLeft) }

// Until is the last day that counts.
func (r campaignRow) Until() staking.Day { return min(r.Last, r.End) }

// campaignRows are the campaigns that an account sees; of account "", those that everybody may see.
func (v *visit) campaignRows(account ledger.Account) (rows []campaignRow, err error) {
	parts, err := v.Reports.TakenParts(v.context(), account)
	if err != nil || len(parts) == 0 {
		return nil, err
	}
	assets, err := v.assets()
	for _, p := range parts {
		rows = append(rows, campaignRow{TakenPart: p, Asset: assets[p.Asset]})
	}
	return rows, err
}

// campaigns are the campaigns, with whether the visitor takes part.
func (e earnFacts) campaigns(rows []campaignRow) []campaignRow {
	for i := range rows {
		rows[i].Part = e.part(rows[i])
	}
	return rows
}

// part is the sentence on whether the visitor takes part in a campaign, and why not.
func (e earnFacts) part(r campaignRow) string {
	tokens := e.list(r.Tokens())
	earning := slices.ContainsFunc(e.Holder.Tokens, func(t reports.OfferedToken) bool {
		return slices.Contains(r.Tokens(), t.Asset.Symbol) && qualifies(t)
	})
	key := "campaign.part.in"
	switch {
	case r.Percent == 0 && r.Places() == 0:
		key = "campaign.part.full"
	case !e.Holder.On():
		key = "campaign.part.off"
	case !earning:
		key = "campaign.part.nothing"
	case r.Percent == 0:
		key = "campaign.part.place"
	case r.First > e.Holder.Today:
		key = "campaign.part.soon"
	}
	text := e.T(key, "tokens", tokens, "day", e.Day(max(r.First, e.Holder.Running.From)))
	if r.Percent > 0 && r.Percent != staking.Once && (key == "campaign.part.in" || key == "campaign.part.soon") {
		text += " " + e.T("campaign.part.factor", "factor", e.Factor(r.Percent))
	}
	return text
}

// campaignsOf are the campaigns in which a token counts, and that pay in another or in the token itself.
func campaignsOf(rows []campaignRow, token string) (found []campaignRow) {
	for _, r := range rows {
		if r.Campaign.Part(token) > 0 {
			found = append(found, r)
		}
	}
	return found
}

// Factor is a multiplier in hundredths as a decimal number.
func (p *view) Factor(percent int64) string { return p.Number(ledger.FormatDecimal(percent, 2)) }

// CampaignMeasure says what of a day counts in a campaign that has a measure of its own, or nothing.
func (p *view) CampaignMeasure(r campaignRow) string {
	switch m := r.Campaign.Measure; {
	case m == nil:
		return ""
	case *m == staking.Lowest:
		return p.T("campaign.measure.lowest")
	}
	return p.T("campaign.measure.average")
}

// HeldBy is the message of what of a day weighs in a budget: what earned, or what the campaign's measure takes.
func (rewardPage) HeldBy(b *staking.Budget) string {
	switch m := b.Campaign.Measure; {
	case m == nil:
		return "reward.campaign.held"
	case *m == staking.Lowest:
		return "reward.campaign.held.lowest"
	}
	return "reward.campaign.held.average"
}

// Members says who may take part in a campaign.
func (p *view) Members(r campaignRow) string {
	if r.Campaign.Members == 0 {
		return p.T("campaign.all")
	}
	return p.N("campaign.first", int(r.Places()), "members", p.Number(ledger.FormatDecimal(r.Campaign.Members, 0)))
}

// Multipliers are the labels with what holdings count by them.
func (p *view) Multipliers(r campaignRow) string {
	var all []string
	for _, m := range r.Campaign.Multipliers {
		all = append(all, m.Label+" × "+p.Factor(m.Percent))
	}
	return strings.Join(all, ", ")
}

// Yields are what the newest paid day of each eligible token came to a year.
func (p *view) Yields(r campaignRow) (all []string) {
	for _, d := range r.Newest {
		if d.Rate == 0 {
			all = append(all, p.T("campaign.rate.tiny", "amount", p.Number(staking.Rate(1).String()), "asset", d.Asset,
				"token", d.Token, "day", p.Day(d.Day)))
			continue
		}
		text := p.T("campaign.rate", "amount", p.Number(d.Rate.String()), "asset", d.Asset, "token", d.Token, "day",
			p.Day(d.Day))
		if d.ValueRate != 0 {
			text = p.T("campaign.rate.value", "amount", p.Number(d.Rate.String()), "asset", d.Asset, "token", d.Token, "day",
				p.Day(d.Day), "percent", p.Effective(d.ValueRate))
		}
		all = append(all, text)
	}
	return all
}

// Weighed is smallest units of a token × milliseconds as tokens × seconds.
func (p rewardPage) Weighed(a ledger.Asset, n *big.Int) string {
	return p.Number(ledger.FormatBig(n, a.Scale+3))
}

// Counts is the same of a weight in a campaign, which is in hundredths.
func (p rewardPage) Counts(a ledger.Asset, n *big.Int) string {
	return p.Number(ledger.FormatBig(n, a.Scale+5))
}

// Days is a number of days of a campaign.
func (rewardPage) Days(n int64) int { return int(n) }

// OfToken is the page of a day of another token.
func (p rewardPage) OfToken(d staking.Day, token string) string { return rewardPath(d, token) }
