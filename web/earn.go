package web

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// earnFacts is the visitor's Soft Staking, for the page, its status and the questions.
type earnFacts struct {
	*view
	Holder reports.Holder
	Assets map[string]ledger.Asset
	Tagged string // the token that bears the tag; only read for the page of all questions
}

// everything is all that can be read of a holder.
const everything = reports.Eligibility | reports.Offer | reports.Accruals | reports.LastDay | reports.Value |
	reports.Waits

// holder reads parts of the visitor's Soft Staking.
func (v *visit) holder(parts reports.Parts) (reports.Holder, error) {
	h, err := v.Reports.Holder(v.context(), v.account(), v.client(), parts)
	v.closes = h.Closings
	return h, err
}

// earnFacts reads the facts from one snapshot.
func (v *visit) earnFacts(title string) (e earnFacts, err error) {
	e = earnFacts{view: v.view(title)}
	if e.Holder, err = v.holder(everything); err != nil {
		return e, err
	}
	e.Assets, err = v.assets()
	return e, err
}

// earnPage is the Soft Staking page.
type earnPage struct {
	earnFacts
	Started   bool // the switch was switched on just now
	Status    earnStatus
	Paid      yesterdayFigure
	Next      nextFigure
	Tokens    []tokenRow
	Counting  []todayRow
	Chart     chart
	Latest    []rewardRow
	Older     bool // there are more than the latest
	Campaigns []campaignRow
	Questions []question
	Proof     *proofFacts // of the last day that is proved; nil: none is
}

// latestRewards is how many rewards the page shows of its own.
const latestRewards = 7

// earn is the Soft Staking page.
func (v *visit) earn() error {
	e, err := v.earnFacts("earn.title")
	if err != nil {
		return err
	}
	p := earnPage{earnFacts: e, Started: v.r.Form.Has("started") && e.Holder.On()}
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
	campaigns, err := v.campaignRows(v.account())
	if err != nil {
		return err
	}
	p.Campaigns = e.campaigns(campaigns)
	for i := range p.Tokens {
		p.Tokens[i].Campaigns = campaignsOf(campaigns, p.Tokens[i].Asset.Symbol)
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
	if p.Proof, err = v.lastProof(); err != nil {
		return err
	}
	return v.show("earn", p)
}

// Soon reports whether the switch is on and its first day has not begun.
func (e earnFacts) Soon() bool { return e.Holder.On() && e.Holder.Today < e.Holder.Running.From }

// qualifying are the tokens that qualify, by symbol.
func (e earnFacts) qualifying() (tokens []string) {
	for _, t := range e.Holder.Tokens {
		if qualifies(t) {
			tokens = append(tokens, t.Asset.Symbol)
		}
	}
	return tokens
}

// nearest is the token that is nearest to its minimum, as a part of that minimum, and how
// much is missing.
func (e earnFacts) nearest() (asset ledger.Asset, missing ledger.Amount, found bool) {
	var best reports.OfferedToken
	for _, t := range e.Holder.Tokens {
		if t.Excluded != "" || qualifies(t) {
			continue
		}
		if !found || moreOf(t.Joint, max(t.Terms.Min, 1), best.Joint, max(best.Terms.Min, 1)) {
			best, found = t, true
		}
	}
	return best.Asset, missingOf(best), found
}

// missingOf is what a token's free balance lacks: of one without a minimum, its smallest unit.
func missingOf(t reports.OfferedToken) ledger.Amount {
	if t.Terms.Qualifies(t.Joint) {
		return 0
	}
	return max(t.Terms.Min, 1) - t.Joint
}

// tokenRow is a token on offer, as the table shows it.
type tokenRow struct {
	reports.OfferedToken
	Counts  ledger.Amount  // the part that earns, or would if the switch were on: up to the cap
	Missing ledger.Amount  // until it earns, or 0
	Above   ledger.Amount  // the part above the cap, or 0
	Coming  *staking.Terms // the next terms with another rate, fee or mode, or the end of the offer; or nil

	Campaigns []campaignRow // in which it counts
}

// nextTerms are the first of the coming terms that change a token's rate, its fee or its mode, or end its offer,
// or nil.
func nextTerms(now staking.Terms, coming []store.TermsRevision) *staking.Terms {
	for _, r := range coming {
		if r.Asset == now.Asset && (r.APR != now.APR || r.GrossAPR != now.GrossAPR || r.Fee != now.Fee ||
			r.Mode != now.Mode || r.Offered != now.Offered) {
			return &r.Terms
		}
	}
	return nil
}

// TogetherNow is what the owner's accounts have together, where that is compared with minimum and cap, or 0. What
// another product has is not in it.
func (r tokenRow) TogetherNow() ledger.Amount {
	if r.Excluded == "" && r.Joint > r.Free {
		return r.Joint
	}
	return 0
}

// tokenRows are the tokens on offer: those that the holder has first.
func (e earnFacts) tokenRows() (rows []tokenRow) {
	for _, t := range e.Holder.Tokens {
		row := tokenRow{OfferedToken: t, Missing: missingOf(t)}
		if row.Missing == 0 && t.Excluded == "" {
			row.Counts = t.Terms.Earning(t.Free, t.Joint)
			row.Above = t.Free - row.Counts
		}
		rows = append(rows, row)
	}
	had := func(r tokenRow) bool { return r.Free > 0 || r.Earned > 0 }
	slices.SortStableFunc(rows, func(a, b tokenRow) int { return trueFirst(had(a), had(b)) })
	return rows
}

// todayRow is the day so far of a token that the holder has had today.
type todayRow struct {
	reports.OfferedToken
	Short     ledger.Amount // what the day's average lacks to reach the minimum, or 0
	Shares    bool          // the reward is a share of the staking income
	Estimated ledger.Amount // of such a reward, or 0
}

// Missed is the key of how much is missing.
func (r todayRow) Missed() string {
	key := ui.TextBy(r.Terms.Measure, "earn.today.short")
	if _, joint := r.Together(); joint {
		key += ".together"
	}
	return key
}

// todayRows are the day so far, where the switch covers it.
func (e earnFacts) todayRows() (rows []todayRow) {
	if !e.Holder.Covers(e.Holder.Today) {
		return nil
	}
	for _, t := range e.Holder.Tokens {
		if t.Free == 0 && t.SoFar == 0 && t.Measured.Average == 0 {
			continue
		}
		row := todayRow{OfferedToken: t}
		if !t.Reached && t.Excluded == "" {
			measured, joint := t.Together()
			if !joint {
				measured = t.Measured.Average
			}
			row.Short = max(t.Terms.Min, 1) - measured
		}
		if row.Shares = t.Terms.Mode == staking.Share; row.Shares {
			row.Estimated, _ = t.Estimate() // 0 where it is not known
		}
		rows = append(rows, row)
	}
	return rows
}

// Accrued is the heading over the days that are accrued and not paid.
func (p earnPage) Accrued() string {
	if slices.ContainsFunc(p.Holder.Waiting, func(w reports.WaitingDays) bool { return w.Entered == 0 }) {
		return p.T("earn.waiting")
	}
	return p.T("earn.waiting.entered")
}

// Sharing reports whether a reward of today is a share of the staking income.
func (p earnPage) Sharing() bool {
	return slices.ContainsFunc(p.Counting, func(r todayRow) bool { return r.Shares && r.Reached })
}

// Self is the address at which the page is read again: it still shows that the switch was
// just switched on.
func (p earnPage) Self() string {
	self := p.Chart.Here(p.Chart.Asset.Symbol, p.Chart.Days)
	if p.Started {
		self += "&started"
	}
	return self
}

// Behind reports whether an earlier day's reward is missing from today's figures.
func (p earnPage) Behind() bool {
	return slices.ContainsFunc(p.Counting, func(r todayRow) bool { return r.Awaited != 0 && r.Reached })
}

// chart is a token's rewards and holdings of some days: the table that the charts are drawn
// from.
type chart struct {
	Asset    ledger.Asset
	Any      bool     // there were rewards, of any token and at any time
	Choice   []string // the tokens that may be chosen
	Days     int
	From, To staking.Day
	Points   []reports.Reward // the newest first; days without a reward are left out
	Reward   ledger.Amount    // the largest
	Holding  ledger.Amount    // the largest average or balance at 00:00
}

// chartDays are the lengths that may be chosen. The first is the usual one.
var chartDays = []int{30, 90}

// Lengths are the numbers of days that may be chosen.
func (c chart) Lengths() []int { return chartDays }

// Here is the address of the page with a chart.
func (c chart) Here(asset string, days int) string {
	return fmt.Sprintf("/earn?asset=%s&days=%d", asset, days)
}

// chart reads the chart of a token that the visitor has chosen, and has rewards of or may
// earn with; else of the one that bears the tag.
func (v *visit) chart(e earnFacts) (c chart, err error) {
	c.Choice = earned(e.Holder)
	c.Any = len(c.Choice) > 0
	c.Choice = append(c.Choice, e.qualifying()...)
	slices.Sort(c.Choice)
	if c.Choice = slices.Compact(c.Choice); len(c.Choice) == 0 {
		return c, nil
	}
	symbol := v.choice("asset", c.Choice)
	if symbol == "" {
		if symbol, err = v.tagged(e); err != nil {
			return c, err
		}
	}
	if !slices.Contains(c.Choice, symbol) {
		symbol = c.Choice[0]
	}
	c.Asset, c.Days = e.Assets[symbol], chartDays[0]
	for _, days := range chartDays {
		if v.value("days") == fmt.Sprint(days) {
			c.Days = days
		}
	}
	c.To = e.Holder.Today - 1
	c.From = c.To - staking.Day(c.Days) + 1
	c.Points, err = v.Reports.RewardPage(v.context(), v.account(),
		reports.RewardsAsked{From: c.From, To: c.To, Asset: symbol, Newest: true, Weighed: true}, nil, c.Days)
	for _, r := range c.Points {
		c.Reward, c.Holding = max(c.Reward, r.Reward), max(c.Holding, r.Average, r.Opening)
	}
	return c, err
}

// tagged is the token that bears the tag on the Spot page, or "".
func (v *visit) tagged(e earnFacts) (string, error) {
	prices, err := v.Reports.PricesFor(v.context(), e.Holder.Today)
	if err != nil {
		return "", err
	}
	return tagOf(e.Holder.Tokens, prices), nil
}

// rewardsPage is a page of an account's rewards, the newest first.
type rewardsPage struct {
	Rewards  []rewardRow
	From, To staking.Day // the days that were read; none where From is above To
	Next     string      // the cursor of the next page, or ""
}

// paid is a reward by a name that does not hide its field Reward.
type paid = reports.Reward

// rewardRow is a reward in a list, and where it came from.
type rewardRow struct {
	paid
	reports.Sources
}

const (
	historyRows = 50
	// historyDays is how many days are read for a page: who has earned nothing for years
	// waits no longer than others.
	historyDays = 366
)

// rewardsPage reads the visitor's rewards of an asset or of all (""), after a cursor or from
// the newest (""), at most limit. ledger.ErrNotFound for a cursor or an asset that cannot be.
func (v *visit) rewardsPage(enrollments []staking.Enrollment, asset, after string, limit int) (p rewardsPage,
	err error) {
	p.To = staking.DayOf(v.Books.Now()) - 1
	var key *reports.RewardKey
	if after != "" {
		if key, err = rewardAfter(after); err != nil {
			return p, err
		}
		p.To = min(p.To, key.Day)
	}
	first := p.To + 1
	covers := func(e staking.Enrollment) bool { return e.From < e.Until }
	if i := slices.IndexFunc(enrollments, covers); i >= 0 { // no day before has a reward
		first = min(first, enrollments[i].From)
	}
	p.From = max(first, p.To-historyDays+1)
	rewards, err := v.Reports.SourcedPage(v.context(), v.account(),
		reports.RewardsAsked{From: p.From, To: p.To, Asset: asset, Newest: true}, key, limit+1)
	for _, r := range rewards {
		p.Rewards = append(p.Rewards, rewardRow{r.Reward, r.Sources})
	}
	switch {
	case err != nil:
		return p, err
	case len(p.Rewards) > limit:
		p.Rewards = p.Rewards[:limit]
		last := p.Rewards[limit-1]
		p.Next = last.Day.String() + "." + last.Asset
	case p.From > first:
		p.Next = (p.From - 1).String()
	}
	return p, nil
}

// rewardAfter reads a cursor among rewards: "2026-11-22.BNB" is after that reward,
// "2026-11-22" is before all of that day.
func rewardAfter(text string) (*reports.RewardKey, error) {
	day, asset, _ := strings.Cut(text, ".")
	d, err := staking.ParseDay(day)
	if err != nil {
		return nil, ledger.ErrNotFound
	}
	return &reports.RewardKey{Day: d, Asset: asset}, nil
}

// historyPage is all rewards.
type historyPage struct {
	*view
	rewardsPage
	Asset  string   // the one that is chosen, or ""
	Choice []string // the tokens that have rewards
	First  bool     // it is the newest page, which grows
	Assets map[string]ledger.Asset
	Today  staking.Day
}

// earnHistory is all rewards, page by page.
func (v *visit) earnHistory() error {
	h := historyPage{
		view: v.view("earn.history.title"), Asset: v.value("asset"), First: v.value("after") == "",
		Today: staking.DayOf(v.Books.Now()),
	}
	var err error
	if h.Assets, err = v.assets(); err != nil {
		return err
	}
	holder, err := v.holder(0)
	if err != nil {
		return err
	}
	h.Choice = earned(holder)
	if h.rewardsPage, err = v.rewardsPage(holder.Enrollments, h.Asset, v.value("after"), historyRows); err != nil {
		return err
	}
	if h.Asset != "" && !slices.Contains(h.Choice, h.Asset) {
		h.Choice = append(h.Choice, h.Asset)
	}
	return v.show("earn-history", h)
}

// earned are the tokens that a holder has rewards of, on offer or not.
func earned(h reports.Holder) (tokens []string) {
	for _, b := range h.Balances {
		if b.Earned > 0 {
			tokens = append(tokens, b.Asset)
		}
	}
	return tokens
}

// Newest is the first page, and Older the next.
func (h historyPage) Newest() string { return h.Of(h.Asset) }
func (h historyPage) Older() string {
	return ui.Address("/earn/history", "asset", h.Asset, "after", h.Next)
}

// Of is the first page of the rewards of an asset, or of all.
func (h historyPage) Of(asset string) string { return ui.Address("/earn/history", "asset", asset) }
