package scenario

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// campaign reads "campaign ID POOL ASSET from N to M for TOKEN[,TOKEN] [first N] [times LABEL:PERCENT[,…]]
// [by MEASURE]".
func (p *Player) campaign(l line) (string, error) {
	pool, asset, err := p.amount(l.word(1), l.word(2))
	if err != nil {
		return "", err
	}
	c := staking.Campaign{ID: l.word(0), Title: "the campaign " + l.word(0), Asset: asset.Symbol, Pool: pool}
	if c.First, err = l.dayAfter("from"); err != nil {
		return "", err
	}
	if c.Last, err = l.dayAfter("to"); err != nil {
		return "", err
	}
	tokens, _ := l.option("for")
	c.Parts = staking.EqualParts(pool, strings.Split(tokens, ","))
	if first, given := l.option("first"); given {
		if c.Members, err = strconv.ParseInt(first, 10, 64); err != nil {
			return "", err
		}
	}
	if times, given := l.option("times"); given {
		if c.Multipliers, err = parseMultipliers(times); err != nil {
			return "", err
		}
	}
	if by, given := l.option("by"); given {
		measure, err := staking.ParseMeasure(by)
		if err != nil {
			return "", err
		}
		c.Measure = &measure
	}
	return p.outcome(l)(p.db.PostCampaign(p.ctx, c))
}

// parseMultipliers reads "vip:150,new:50".
func parseMultipliers(s string) (all []staking.Multiplier, err error) {
	for _, one := range strings.Split(s, ",") {
		label, percent, _ := strings.Cut(one, ":")
		n, err := strconv.ParseInt(percent, 10, 64)
		if err != nil {
			return nil, err
		}
		all = append(all, staking.Multiplier{Label: label, Percent: n})
	}
	return all, nil
}

// endCampaign reads "end ID": today is its last day.
func (p *Player) endCampaign(l line) (string, error) {
	_, err := p.db.EndCampaign(p.ctx, l.word(0), dayOf(l.day))
	return "", err
}

// left expects "left ID AMOUNT DAYS": what a campaign still has, and for how many days.
func (p *Player) left(l line) (string, error) {
	c, err := reports.New(p.db.Reader()).Campaign(p.ctx, l.word(0))
	if err != nil {
		return "", err
	}
	asset, err := p.db.Asset(p.ctx, c.Asset)
	if err != nil {
		return "", err
	}
	got := fmt.Sprintf("%s %d", asset.Format(c.Left), c.DaysLeft)
	return got, same(got, l.word(1)+" "+l.word(2))
}

// dayAfter is the day of the books that follows a name among the words.
func (l line) dayAfter(name string) (staking.Day, error) {
	n, _ := l.option(name)
	day, err := strconv.Atoi(n)
	return dayOf(day), err
}
