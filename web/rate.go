package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// RateFigure is what holders get a year: "2.87%", or "–" where it is not known yet.
func (p *view) RateFigure(r reports.Rate) string {
	if !r.Known {
		return "–"
	}
	if r.Mode == staking.Fixed { // stated, not worked out
		return p.Percent(r.Net)
	}
	return p.Effective(r.Net)
}

// RateWords say what a rate is before the fee, and what is kept of it; "" where nothing is stated of it.
func (p *view) RateWords(r reports.Rate) string {
	switch {
	case r.Mode == staking.Share && !r.Known:
		return p.T("rates.words.not-yet", "fee", p.Percent(r.Fee))
	case r.Mode == staking.Share && r.Earlier != 0:
		return p.T("rates.words.earlier", "gross", p.Effective(r.Gross), "fee", p.Effective(r.Fee), "earlier",
			p.SignedRate(r.Earlier), "net", p.Effective(r.Net))
	case r.Mode == staking.Share:
		return p.T("rates.words", "gross", p.Effective(r.Gross), "fee", p.Effective(r.Fee), "net", p.Effective(r.Net))
	case r.FeeIsKept():
		return p.T("rates.words", "gross", p.Percent(r.Gross), "fee", p.Percent(r.Fee), "net", p.Percent(r.Net))
	case r.GrossKnown:
		return p.T("rates.words.kept", "gross", p.Percent(r.Gross), "kept", p.Percent(r.Kept()), "net", p.Percent(r.Net))
	}
	return ""
}

// ComingRate says what a token earns by terms that come.
func (p *view) ComingRate(t staking.Terms) string {
	switch {
	case !t.Offered:
		return p.T("earn.coming.end", "day", p.Day(t.From))
	case t.Mode == staking.Share:
		return p.T("earn.coming.share", "day", p.Day(t.From), "fee", p.Percent(t.Fee))
	}
	rate := cmp.Or(p.RateWords(reports.StatedRate(t)), p.Percent(t.APR))
	return p.T("earn.coming", "day", p.Day(t.From), "rate", rate)
}

// Effective is a rate that was worked out, towards zero: with two decimals, or with four figures of one below 1 %.
func (p *view) Effective(r staking.Rate) string {
	const percent = staking.Whole / 100
	unit := percent / 100
	for unit > 1 && r < percent && r > -percent && r/unit < 1000 && r/unit > -1000 {
		unit /= 10
	}
	return p.Percent(r - r%unit)
}

// SignedRate is such a rate with its sign.
func (p *view) SignedRate(r staking.Rate) string {
	if r > 0 {
		return "+" + p.Effective(r)
	}
	return p.Effective(r)
}

// Earlier reports whether one of the rates has something of earlier periods.
func (p ratePage) Earlier() bool {
	return p.Rate.Earlier != 0 || slices.ContainsFunc(p.Rates, func(r reports.Rate) bool { return r.Earlier != 0 })
}

// Period is the days from one through another.
func (p *view) Period(first, last staking.Day) string {
	if first == last {
		return p.Day(first)
	}
	return p.T("rates.period", "first", p.Day(first), "last", p.Day(last))
}

// ratesPage is what the tokens on offer earn, for everybody.
type ratesPage struct {
	*view
	Tokens    []reports.Disclosed
	Campaigns []campaignRow // without personal data
}

// publicFor lets caches keep a page that nobody has logged in for. Books that are a test have a clock of their
// own, and are never kept.
const publicFor = "public, max-age=60"

func (v *visit) letCachesKeep() {
	if v.session.Account == "" && !v.Books.Test() && v.Play == nil {
		v.w.Header().Set("Cache-Control", publicFor)
		v.w.Header().Add("Vary", "Cookie, Accept-Language")
	}
}

// rates is the public page of rates.
func (v *visit) rates() error {
	all, err := v.Reports.Disclosures(v.context())
	if err != nil {
		return err
	}
	campaigns, err := v.campaignRows("")
	if err != nil {
		return err
	}
	v.letCachesKeep()
	return v.show("rates", ratesPage{v.view("rates.title"), all, campaigns})
}

// ratePage is what is disclosed of a token, with the history of its rate.
type ratePage struct {
	*view
	reports.Disclosed
	Rates    []reports.Rate // the newest first
	Chart    rateChart
	From, To staking.Day // of the history
}

// rateDays is how many days of history the page of a token shows, and its file has.
const rateDays = 366

// rate is the public page of a token's rate.
func (v *visit) rate() error {
	d, rates, err := v.rateHistory()
	if err != nil {
		return err
	}
	p := ratePage{view: v.view("rates.title"), Disclosed: d, Rates: rates, To: staking.DayOf(v.Books.Now())}
	p.From = p.To
	if len(rates) > 0 {
		p.From = rates[len(rates)-1].First
	}
	p.Chart = rateChartOf(rates, p.From, p.To)
	v.letCachesKeep()
	return v.show("rate", p)
}

// rateHistory is what is disclosed of the token of the path, and its rates of the last days.
func (v *visit) rateHistory() (d reports.Disclosed, rates []reports.Rate, err error) {
	token, today := v.r.PathValue("asset"), staking.DayOf(v.Books.Now())
	if d, err = v.Reports.Disclosure(v.context(), token); err != nil {
		return d, nil, err
	}
	rates, err = v.Reports.Rates(v.context(), token, today-rateDays+1, today)
	return d, rates, err
}

// ratesFile is a token's rates as a CSV file: a line for the days that follow one another with the same rate.
func (v *visit) ratesFile() error {
	d, rates, err := v.rateHistory()
	if err != nil {
		return err
	}
	v.letCachesKeep()
	columns := []string{"first", "last", "asset", "mode", "gross", "fee", "net", "from_earlier"}
	return v.file("rates_"+d.Asset.Symbol, columns, func(line func(...string) error) error {
		for _, r := range rates {
			gross, net := "", ""
			if r.GrossKnown {
				gross = r.Gross.String()
			}
			if r.Known {
				net = r.Net.String()
			}
			if err := line(r.First.String(), r.Last.String(), d.Asset.Symbol, r.Mode.String(), gross, r.Fee.String(),
				net, r.Earlier.String()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Method is how rewards are worked out, in sentences.
func (p ratePage) Method() []string {
	t := p.Terms
	measure, whose := "average", "account"
	if t.Measure == staking.Lowest {
		measure = "lowest"
	}
	if t.PerOwner {
		whose = "owner"
	}
	all := []string{
		p.T(fmt.Sprintf("rates.method.%s", measure)),
		p.T(fmt.Sprintf("rates.limits.%s", whose), "token", p.Asset.Symbol, "minimum", p.Plain(p.Asset, t.Min), "cap",
			p.Plain(p.Asset, t.Cap)),
	}
	if t.Mode == staking.Share {
		return append(all, p.T("rates.method.share", "fee", p.Percent(t.Fee)), p.T("rates.method.estimate"))
	}
	return append(all, p.T("rates.method.fixed", "rate", p.Percent(t.APR)))
}

// Charged is all that is charged, in a sentence.
func (p ratePage) Charged() string {
	switch {
	case p.Terms.Mode == staking.Share:
		return p.T("rates.charged.share", "fee", p.Percent(p.Terms.Fee))
	case p.Rate.FeeIsKept():
		return p.T("rates.charged.stated", "fee", p.Percent(p.Rate.Fee), "gross", p.Percent(p.Rate.Gross), "kept",
			p.Percent(p.Rate.Kept()))
	case p.Rate.GrossKnown:
		return p.T("rates.charged.kept", "kept", p.Percent(p.Rate.Kept()), "gross", p.Percent(p.Rate.Gross))
	case p.Rate.Fee != 0:
		return p.T("rates.charged.income", "fee", p.Percent(p.Rate.Fee))
	}
	return p.T("rates.charged.none")
}

// Statement is what the operator states.
func (p ratePage) Statement() []block { return blocks(p.Words.Text) }

// rateChart is the history of a rate as a stepped line, in a box of a day's width for each day by rateHeight that
// is stretched to the page's width.
type rateChart struct {
	Days       int
	Net, Gross string // paths; "" where there is none
	Top        staking.Rate
}

const (
	rateTop    = 8 // of the highest rate
	rateFloor  = 152
	rateHeight = 160
)

// Height and Floor are the picture's.
func (rateChart) Height() int { return rateHeight }
func (rateChart) Floor() int  { return rateFloor }

// rateChartOf draws rates of some days, the newest first.
func rateChartOf(rates []reports.Rate, from, to staking.Day) rateChart {
	c := rateChart{Days: int(to-from) + 1}
	for _, r := range rates {
		c.Top = max(c.Top, r.Net, r.Gross)
	}
	if c.Top == 0 {
		return c
	}
	var net, gross strings.Builder
	step := func(b *strings.Builder, r reports.Rate, of staking.Rate) {
		y := rateFloor - int(int64(max(of, 0))*(rateFloor-rateTop)/int64(c.Top))
		fmt.Fprintf(b, "M%d %dH%d", r.First-from, y, r.Last-from+1)
	}
	for _, r := range slices.Backward(rates) {
		if r.Known {
			step(&net, r, r.Net)
		}
		if r.GrossKnown {
			step(&gross, r, r.Gross)
		}
	}
	c.Net, c.Gross = net.String(), gross.String()
	return c
}
