package web

import (
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

func (s *server) earnRoutes() {
	s.get("/earn", s.earn)
	s.get("/earn/history", s.earnHistory)
	s.get("/help", s.help)
}

// earning is the visitor's Soft Staking: the facts that the page, its status and the questions speak of.
type earning struct {
	*view
	Holder reports.Holder
	Assets map[string]ledger.Asset
}

// everything is all that can be read of a holder.
const everything = reports.Eligibility | reports.Offer | reports.Accruals | reports.LastDay | reports.Value

// holder reads parts of the visitor's Soft Staking.
func (v *visit) holder(parts reports.Parts) (reports.Holder, error) {
	h, err := v.Reports.Holder(v.context(), v.account(), v.client(), parts)
	v.closes = h.Closings
	return h, err
}

// earning reads the facts from one snapshot.
func (v *visit) earning(title string) (e earning, err error) {
	e = earning{view: v.view(title)}
	if e.Holder, err = v.holder(everything); err != nil {
		return e, err
	}
	e.Assets, err = v.assets(v.context())
	return e, err
}

// earnPage is the Soft Staking page.
type earnPage struct {
	earning
	Started   bool // the switch was switched on just now
	Status    earnStatus
	Paid      yesterdayFigure
	Next      nextFigure
	Tokens    []tokenRow
	Counting  []todayRow
	Chart     chart
	Latest    []reports.Reward
	Older     bool // there are more than the latest
	Questions []question
}

// latestRewards is how many rewards the page shows of its own.
const latestRewards = 7

// earn is the Soft Staking page.
func (s *server) earn(v *visit) error {
	e, err := v.earning("earn.title")
	if err != nil {
		return err
	}
	p := earnPage{earning: e, Started: v.r.Form.Has("started") && e.Holder.On()}
	p.Status = e.status()
	if p.Paid, err = e.yesterday(); err != nil {
		return err
	}
	coming, err := v.Reports.ComingTerms(v.context(), e.Holder.Today)
	if err != nil {
		return err
	}
	p.Next, p.Tokens, p.Counting = e.next(), e.tokenRows(), e.todayRows()
	for i := range p.Tokens {
		p.Tokens[i].Coming = nextTerms(p.Tokens[i].Terms, coming)
	}
	if p.Chart, err = v.chart(e); err != nil {
		return err
	}
	page, err := v.rewardsPage(e.Holder.Enrollments, "", "", latestRewards)
	if err != nil {
		return err
	}
	p.Latest, p.Older = page.Rewards, page.Next != ""
	p.Questions = e.questions("earning", "small", "when", "counts", "stop")
	return v.show("earn", p)
}

// Soon says whether the switch is on and its first day has not begun.
func (e earning) Soon() bool { return e.Holder.On() && e.Holder.Today < e.Holder.Running.From }

// qualifying are the tokens whose free balance reaches their minimum now, by symbol.
func (e earning) qualifying() (tokens []string) {
	for _, t := range e.Holder.Tokens {
		if t.Terms.Qualifies(t.Free) {
			tokens = append(tokens, t.Asset.Symbol)
		}
	}
	return tokens
}

// nearest is the token that the least is missing of until it reaches its minimum,
// measured against that minimum, and how much.
func (e earning) nearest() (asset ledger.Asset, missing ledger.Amount, found bool) {
	var best reports.OfferedToken
	for _, t := range e.Holder.Tokens {
		if t.Terms.Qualifies(t.Free) {
			continue
		}
		if !found || moreOf(t.Free, max(t.Terms.Min, 1), best.Free, max(best.Terms.Min, 1)) {
			best, found = t, true
		}
	}
	return best.Asset, missingOf(best), found
}

// missingOf is what a token's free balance lacks: of one without a minimum, its smallest unit.
func missingOf(t reports.OfferedToken) ledger.Amount {
	if t.Terms.Qualifies(t.Free) {
		return 0
	}
	return max(t.Terms.Min, 1) - t.Free
}

// tokenRow is a token on offer, as the table shows it.
type tokenRow struct {
	reports.OfferedToken
	Counts  ledger.Amount  // what of it earns, or would if the switch were on: up to the cap
	Missing ledger.Amount  // until it earns, or 0
	Above   ledger.Amount  // what lies above the cap, or 0
	Coming  *staking.Terms // the next that are set for a later day and change its rate or end its offer, or nil
}

// nextTerms are those of some that come which change a token's rate first or end its
// offer, or nil.
func nextTerms(now staking.Terms, coming []store.TermsRevision) *staking.Terms {
	for _, r := range coming {
		if r.Asset == now.Asset && (r.APR != now.APR || r.Offered != now.Offered) {
			return &r.Terms
		}
	}
	return nil
}

// tokenRows are the tokens on offer: those that the holder has first.
func (e earning) tokenRows() (rows []tokenRow) {
	var others []tokenRow
	for _, t := range e.Holder.Tokens {
		row := tokenRow{OfferedToken: t, Missing: missingOf(t)}
		if row.Missing == 0 {
			row.Counts = min(t.Free, t.Terms.Cap)
			row.Above = t.Free - row.Counts
		}
		if t.Free > 0 || t.Earned > 0 {
			rows = append(rows, row)
		} else {
			others = append(others, row)
		}
	}
	return append(rows, others...)
}

// todayRow is what the day has come to in a token that the holder has had of today.
type todayRow struct {
	reports.OfferedToken
	Short ledger.Amount // what the day's average lacks to reach the minimum, or 0
}

// todayRows are what today has come to, where the switch covers it.
func (e earning) todayRows() (rows []todayRow) {
	if !e.Holder.Covers(e.Holder.Today) {
		return nil
	}
	for _, t := range e.Holder.Tokens {
		if t.Free == 0 && t.SoFar == 0 && t.Measured.Average == 0 {
			continue
		}
		row := todayRow{OfferedToken: t}
		if !t.Reached {
			row.Short = max(t.Terms.Min, 1) - t.Measured.Average
		}
		rows = append(rows, row)
	}
	return rows
}

// Self is the address at which the page is read again: what was just pressed is said
// until another page is gone to.
func (p earnPage) Self() string {
	self := p.Chart.Here(p.Chart.Asset.Symbol, p.Chart.Days)
	if p.Started {
		self += "&started"
	}
	return self
}

// Behind reports whether what an earlier day pays is missing from today's figures.
func (p earnPage) Behind() bool {
	for _, r := range p.Counting {
		if r.Awaited != 0 && r.Reached {
			return true
		}
	}
	return false
}
