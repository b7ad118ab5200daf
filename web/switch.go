package web

import (
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// agreement is the current version of a document, and whether the visitor has accepted it.
type agreement struct {
	staking.Document
	Accepted time.Time // zero: not yet
	Changed  bool      // it is not the version that was shown
}

// Blocks are the document's text, without the heading that it begins with, which is its name.
func (a agreement) Blocks() []block {
	all := blocks(a.Text)
	if len(all) > 0 && all[0].Heading != "" {
		all = all[1:]
	}
	return all
}

// expected is what a token would earn.
type expected struct {
	Asset      ledger.Asset
	Free       ledger.Amount
	Rate       reports.Rate
	Cap, Above ledger.Amount // the part above the cap does not earn
	Day, Year  ledger.Amount
	Beyond     bool // they overflow, or are not known yet
	Joint      bool // the cap is that of the owner's accounts together
}

// Shared reports whether the reward is a share of the staking income.
func (x expected) Shared() bool { return x.Rate.Mode == staking.Share }

// AboveText is the key of what is above the cap.
func (x expected) AboveText() string {
	if x.Joint {
		return "start.above.together"
	}
	return "start.above"
}

// startPage is the sheet from which Soft Staking is switched on.
type startPage struct {
	earnFacts
	F           *ui.Form
	On          bool
	From        staking.Day // the first day that is measured
	Documents   []agreement
	Accepted    bool // all of them, before
	Expected    []expected
	DayIs       ledger.Amount // of all that have a price, in USDT
	YearIs      ledger.Amount
	Unpriced    []string // the tokens that have none
	ChangedOnes []string // names of the documents that have changed
	Nothing     string   // why nothing earns now, or ""
}

// start is the sheet.
func (v *visit) start() error { return v.showStart(http.StatusOK, nil) }

// showStart shows the sheet, or why it cannot be used. changed are the documents of which
// the submitted form has shown another version.
func (v *visit) showStart(status int, changed []string) error {
	p := startPage{earnFacts: earnFacts{view: v.view("start.title")}, F: v.form(), ChangedOnes: changed}
	var err error
	if p.Holder, err = v.holder(reports.Eligibility | reports.Offer); err != nil {
		return err
	}
	if p.Holder.On() {
		p.On, p.From = true, p.Holder.Running.From
		return v.showAs(status, "start", p)
	}
	if p.Holder.Region != nil {
		return p.Holder.Region
	}
	if p.Holder.Version != nil {
		return p.Holder.Version
	}
	if status == http.StatusUnprocessableEntity {
		p.F.SetFault("accept", p.T("start.accept.missing"))
	}
	p.From = p.Holder.Today + 1
	if p.Documents, err = v.agreements(changed); err != nil {
		return err
	}
	p.Accepted = len(p.Holder.Missing) == 0
	if err := p.expect(); err != nil {
		return err
	}
	return v.showAs(status, "start", p)
}

// agreements are the current documents.
func (v *visit) agreements(changed []string) (all []agreement, err error) {
	accepted, err := v.Reports.Acceptances(v.context(), v.account())
	if err != nil {
		return nil, err
	}
	for _, name := range staking.DocumentNames {
		d, err := v.Reports.Document(v.context(), name, 0)
		if err != nil {
			return nil, err
		}
		a := agreement{Document: d, Changed: slices.Contains(changed, name)}
		for _, one := range accepted {
			if one.Document == name && one.Version == d.Version {
				a.Accepted = one.At
			}
		}
		all = append(all, a)
	}
	return all, nil
}

// mostValue is a value of which many can be added up.
const mostValue ledger.Amount = 1 << 56

// expect is what the present balances would earn.
func (p *startPage) expect() error {
	prices, err := p.visit.Reports.PricesFor(p.visit.context(), p.Holder.Today)
	if err != nil {
		return err
	}
	for _, t := range p.Holder.Tokens {
		if !t.Terms.Qualifies(t.Joint) {
			continue
		}
		x := expected{
			Asset: t.Asset, Free: t.Free, Rate: t.Rate, Cap: t.Terms.Cap, Above: t.Free - t.Terms.Earning(t.Free, t.Joint),
			Joint: t.Joint > t.Free,
		}
		x.Day, x.Year, err = staking.Estimate(t.Terms, t.Free, t.Joint, t.Rate.Net)
		x.Beyond = err != nil || !t.Rate.Known
		day, _ := worth(x.Asset, x.Day, prices)
		if year, priced := worth(x.Asset, x.Year, prices); priced && !x.Beyond && year < mostValue {
			p.DayIs, p.YearIs = p.DayIs+day, p.YearIs+year
		} else {
			p.Unpriced = append(p.Unpriced, t.Asset.Symbol)
		}
		p.Expected = append(p.Expected, x)
	}
	if p.Expected == nil {
		p.Nothing = p.whyNothing()
	}
	return nil
}

// Valued reports whether there is an estimate in USDT.
func (p startPage) Valued() bool { return len(p.Unpriced) < len(p.Expected) }

// Sharing reports whether a reward is a share of the staking income.
func (p startPage) Sharing() bool { return slices.ContainsFunc(p.Expected, expected.Shared) }

// Begins is when measuring begins.
func (p startPage) Begins() template.HTML { return p.Both(p.From.Start()) }

// When is a time in the visitor's zone, as text.
func (p startPage) When(t time.Time) string { return p.Time(t.In(p.Location)) }

// Missing names the tokens that are not in the estimate in USDT.
func (p startPage) Missing() string { return p.list(p.Unpriced) }

// Changed names the documents that have changed.
func (p startPage) Changed() string {
	var titles []string
	for _, name := range p.ChangedOnes {
		titles = append(titles, p.Called(name))
	}
	return p.list(titles)
}

// startEarning switches Soft Staking on. Only what was shown is accepted: if a new version
// has come out since, nothing is done, and the sheet shows which.
func (s *submission) startEarning() error {
	h, err := s.holder(reports.Eligibility)
	if err != nil {
		return err
	}
	if !h.On() && h.Region == nil && h.Version == nil {
		if err := s.accept(h.Missing); err != nil {
			return err
		}
	}
	_, err = s.Books.Enroll(s.context(), s.account(), s.client(), time.Time{})
	if errors.Is(err, staking.ErrDocuments) { // one has come out since they were accepted
		_, changed, err := s.shown()
		if err != nil {
			return err
		}
		return s.showStart(http.StatusConflict, changed)
	}
	if err != nil {
		return err
	}
	return s.see("/earn?started")
}

// accept records that the visitor has accepted the documents that were shown. Where that
// is not so it shows the sheet again, and returns errAnswered.
func (s *submission) accept(missing []staking.Document) error {
	versions, changed, err := s.shown()
	switch {
	case err != nil:
		return err
	case len(changed) > 0:
		return answered(s.showStart(http.StatusConflict, changed))
	case len(missing) == 0:
		return nil
	case s.value("accept") == "":
		return answered(s.showStart(http.StatusUnprocessableEntity, nil))
	}
	for _, name := range staking.DocumentNames {
		if err := s.Books.Documents().Accept(s.context(), s.account(), name, versions[name], s.client()); err != nil {
			return err
		}
	}
	return nil
}

// shown are the versions that the form was shown with, and which of them are not the
// current ones.
func (v *visit) shown() (versions map[string]int, changed []string, err error) {
	versions = map[string]int{}
	for _, name := range staking.DocumentNames {
		current, err := v.Reports.Document(v.context(), name, 0)
		if err != nil {
			return nil, nil, err
		}
		n, err := strconv.Atoi(v.value(name))
		if err != nil || n != current.Version {
			changed = append(changed, name)
		}
		versions[name] = n
	}
	return versions, changed, nil
}

// documentPage is a document by itself.
type documentPage struct {
	*view
	D       agreement
	Current int // the newest version
}

// document shows a document to everybody.
func (v *visit) document() error {
	name, version := v.r.PathValue("name"), 0
	if asked := v.value("version"); asked != "" {
		var err error
		if version, err = strconv.Atoi(asked); err != nil || version < 1 || strings.HasPrefix(asked, "+") {
			return ledger.ErrNotFound
		}
	}
	if !slices.Contains(staking.DocumentNames, name) {
		return ledger.ErrNotFound
	}
	current, err := v.Reports.Document(v.context(), name, 0)
	if err != nil {
		return err
	}
	d := current
	if version != 0 {
		if d, err = v.Reports.Document(v.context(), name, version); err != nil {
			return err
		}
	}
	return v.show("document", documentPage{v.view("document." + name), agreement{Document: d}, current.Version})
}

// reward is an amount of a token.
type reward struct {
	Asset  ledger.Asset
	Amount ledger.Amount
}

// stopPage shows the consequences of stopping, and asks for a confirmation.
type stopPage struct {
	*view
	On        bool
	Today     staking.Day
	Begun     bool     // today is measured
	Lost      []reward // what today would pay if nothing moved any more
	Yesterday staking.Day
	Covered   bool     // yesterday is measured, and paid all the same
	Paid      []reward // what it has paid
	Due       []reward // what it will pay
	Before    bool     // days before yesterday are due, and paid as well
}

// stop asks whether to stop.
func (v *visit) stop() error {
	h, err := v.holder(reports.Accruals | reports.LastDay)
	if err != nil {
		return err
	}
	assets, err := v.assets()
	if err != nil {
		return err
	}
	p := stopPage{
		view: v.view("stop.title"), On: h.On(), Today: h.Today, Begun: h.Covers(h.Today),
		Yesterday: h.Yesterday(), Covered: h.Covers(h.Yesterday()),
	}
	add := func(to *[]reward, a ledger.Asset, n ledger.Amount) {
		if n > 0 {
			*to = append(*to, reward{a, n})
		}
	}
	for _, t := range h.Tokens {
		if p.Begun && t.Reached {
			add(&p.Lost, t.Asset, t.Measured.Reward)
		}
	}
	for _, r := range h.Paid {
		add(&p.Paid, assets[r.Asset], r.Reward)
	}
	for _, d := range h.Pending {
		p.Before = p.Before || d.Days > 1
		if d.Day == h.Yesterday() {
			add(&p.Due, assets[d.Asset], d.Reward)
		}
	}
	return v.show("stop", p)
}

// Sums lists rewards: "0.0001 BNB and 0.02 SOL".
func (p *view) Sums(rewards []reward) string {
	var words []string
	for _, r := range rewards {
		words = append(words, p.Plain(r.Asset, r.Amount)+" "+r.Asset.Symbol)
	}
	return p.list(words)
}

// Tomorrow is the first day that is measured if Soft Staking is switched on again today.
func (p stopPage) Tomorrow() staking.Day { return p.Today + 1 }

// stopEarning switches Soft Staking off. It always works, and is idempotent.
func (s *submission) stopEarning() error {
	if err := s.Books.Leave(s.context(), s.account(), s.client(), time.Time{}); err != nil {
		return err
	}
	return s.see("/earn")
}

// block is a part of a document: a heading, a paragraph, or a list.
type block struct {
	Heading   string
	Paragraph string
	Items     []string
	Ordered   bool
	Start     int // the number of the first item
}

// blocks reads the text of a document: lines that begin with "#" are headings,
// with "1." and so on or "-" items of lists; the others continue the line above
// until an empty line. Nothing else is read in it, and nothing of it is HTML.
func blocks(text string) (all []block) {
	open := false // the last block continues
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		var last *block
		if len(all) > 0 {
			last = &all[len(all)-1]
		}
		heading := strings.TrimLeft(line, "#")
		number, item := listItem(line)
		switch {
		case line == "":
			open = false
		case heading != line && strings.TrimSpace(heading) != "":
			all, open = append(all, block{Heading: strings.TrimSpace(heading)}), false
		case item != "" && last != nil && last.Items != nil && last.Ordered == (number >= 0):
			last.Items, open = append(last.Items, item), true
		case item != "":
			all, open = append(all, block{Items: []string{item}, Ordered: number >= 0, Start: max(number, 0)}), true
		case open && last.Items != nil:
			last.Items[len(last.Items)-1] += " " + line
		case open:
			last.Paragraph += " " + line
		default:
			all, open = append(all, block{Paragraph: line}), true
		}
	}
	return all
}

// listItem is the text of a line that is an item of a list, and its number, -1 where
// it has none; or "".
func listItem(line string) (number int, item string) {
	if rest, is := strings.CutPrefix(line, "- "); is {
		return -1, strings.TrimSpace(rest)
	}
	before, rest, is := strings.Cut(line, ". ")
	n, err := strconv.Atoi(before)
	if !is || err != nil || n < 0 || len(before) > 3 {
		return -1, ""
	}
	return n, strings.TrimSpace(rest)
}
