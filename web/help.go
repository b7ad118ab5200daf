package web

import (
	"cmp"
	"slices"

	"github.com/softstake/softstake/reports"
)

// question is a question that holders ask, with its answer. Its texts are help.NAME
// and help.NAME.answer, and its place on the page of all questions is #q-NAME.
type question struct {
	*view
	Name  string
	Facts []string // what is true for this holder, in their language; shown first
	More  *link    // a page that leads further, or nil
	Open  bool
}

// link leads to a page.
type link struct{ Path, Text string }

// Question is one of the questions, with what is true for this holder.
func (p *view) Question(name string, facts ...string) question {
	q := question{view: p, Name: name, Facts: facts}
	if path := furtherPages[name]; path != "" {
		q.More = &link{path, p.T("help." + name + ".more")}
	}
	return q
}

// furtherPages are the pages that an answer leads to.
var furtherPages = map[string]string{
	"earning": "/earn", "trade": "/convert", "small": "/earn/history", "tokens": "/earn", "stop": "/earn/stop",
	"taxes": "/earn/export", "cost": "/rates", "source": "/rates",
}

// allQuestions are the names of all, in the order in which they are shown.
var allQuestions = []string{
	"earning", "no-tag", "counts", "when", "small", "claim", "trade", "tokens", "cap", "source", "cost", "where", "stop",
	"taxes",
}

// helpPage is the page of all questions.
type helpPage struct {
	*view
	Questions []question
}

// help answers all questions, with what is true for the visitor where that is known.
func (v *visit) help() error {
	e, err := v.earnFacts("help.title")
	if err != nil {
		return err
	}
	if e.Tagged, err = v.tagged(e); err != nil {
		return err
	}
	return v.show("help", helpPage{e.view, e.questions(allQuestions...)})
}

// questions are some of the questions, each with its facts.
func (e earnFacts) questions(names ...string) (all []question) {
	for _, name := range names {
		var facts []string
		if of := factsOf[name]; of != nil {
			facts = of(e)
		}
		q := e.Question(name, facts...)
		if name == "stop" && !e.Holder.On() {
			q.More = nil
		}
		all = append(all, q)
	}
	return all
}

// factsOf are what is true for this holder, by question.
var factsOf = map[string]func(earnFacts) []string{
	"earning": earnFacts.amIEarning, "no-tag": earnFacts.whyNoTag, "counts": earnFacts.whatCounts,
	"when": earnFacts.whenPaid, "small": earnFacts.whySmall, "tokens": earnFacts.whichTokens, "cap": earnFacts.whichCaps,
	"cost": earnFacts.whatIsKept, "where": earnFacts.whereOffered, "stop": earnFacts.isOn,
}

func (e earnFacts) amIEarning() []string {
	tokens := e.qualifying()
	switch {
	case e.Soon():
		return []string{e.T("help.earning.soon", "day", e.Day(e.Holder.Running.From))}
	case e.Holder.On() && len(tokens) > 0:
		return []string{e.T("help.earning.yes", "day", e.Day(e.Holder.Running.From), "tokens", e.list(tokens))}
	case e.Holder.On():
		return []string{e.T("help.earning.idle"), e.whyNothing()}
	default:
		return []string{e.T("help.earning.no")}
	}
}

func (e earnFacts) whatCounts() []string {
	var amounts []string
	for _, row := range e.tokenRows() {
		if row.Counts > 0 {
			amounts = append(amounts, e.Plain(row.Asset, row.Counts)+" "+row.Asset.Symbol)
		}
	}
	switch {
	case amounts == nil:
		return []string{e.whyNothing()}
	case e.Holder.On():
		return []string{e.T("help.counts.now", "amounts", e.list(amounts))}
	}
	return []string{e.T("help.counts.would", "amounts", e.list(amounts))}
}

func (e earnFacts) whenPaid() []string {
	next := e.next()
	key := map[string]string{"in": "help.when.next", "now": "help.when.now", "income": "help.when.income"}[next.Name]
	if key == "" {
		return nil
	}
	return []string{e.T(key, "day", e.Day(next.Day), "window", e.window(e.Holder.Closings, next.Day))}
}

// whySmall explains the largest of yesterday's rewards.
func (e earnFacts) whySmall() []string {
	if len(e.Holder.Paid) == 0 {
		return nil
	}
	r := slices.MaxFunc(e.Holder.Paid, func(a, b reports.Reward) int { return cmp.Compare(a.Value, b.Value) })
	asset := e.Assets[r.Asset]
	if e.paysShares(r.Asset) {
		return []string{e.T("help.small.share", "day", e.Day(r.Day), "reward", e.Plain(asset, r.Reward), "token", r.Asset)}
	}
	return []string{e.T("help.small.last", "day", e.Day(r.Day), "reward", e.Plain(asset, r.Reward), "token", r.Asset,
		"eligible", e.Plain(asset, r.Eligible), "rate", e.Percent(r.APR))}
}

// whatIsKept says what is kept of the rates, where that is known.
func (e earnFacts) whatIsKept() (facts []string) {
	for _, t := range e.Holder.Tokens {
		if words := e.RateWords(t.Rate); words != "" {
			facts = append(facts, e.T("help.cost.fee", "token", t.Asset.Symbol, "words", words))
		}
	}
	return facts
}

func (e earnFacts) whichTokens() []string {
	var symbols []string
	for _, t := range e.Holder.Tokens {
		symbols = append(symbols, t.Asset.Symbol)
	}
	if symbols == nil {
		return []string{e.T("earn.nothing.offered")}
	}
	return []string{e.T("help.tokens.now", "tokens", e.list(symbols))}
}

func (e earnFacts) whichCaps() (facts []string) {
	for _, row := range e.tokenRows() {
		if row.Above > 0 {
			facts = append(facts, e.T("help.cap.above", "amount", e.Plain(row.Asset, row.Above), "token",
				row.Asset.Symbol, "cap", e.Plain(row.Asset, row.Terms.Cap)))
		}
	}
	if facts == nil {
		facts = []string{e.T("help.cap.below")}
	}
	return facts
}

func (e earnFacts) isOn() []string {
	if e.Holder.On() {
		return []string{e.T("help.stop.on")}
	}
	return []string{e.T("help.stop.off")}
}

func (e earnFacts) whyNoTag() []string {
	switch {
	case e.Holder.Region != nil:
		return []string{e.whyRestricted()}
	case e.Tagged == "":
		return []string{e.whyNothing()}
	case e.Holder.On():
		return []string{e.T("help.no-tag.on", "token", e.Tagged)}
	}
	return []string{e.T("help.no-tag.off", "token", e.Tagged)}
}

func (e earnFacts) whereOffered() []string {
	if e.Holder.Region != nil {
		return []string{e.whyRestricted()}
	}
	return []string{e.T("help.where.offered", "region", e.Holder.Residence)}
}
