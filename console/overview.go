package console

import (
	"slices"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// section is a link of the menu.
type section struct {
	Path  string
	Key   string // of the text
	roles []access.Role
	Here  string // aria-current, or ""
}

// sections are all links of the menu, in its order.
func sections() []section {
	all := []section{
		{Path: Path, Key: "nav.overview", roles: access.StaffRoles},
		{Path: Path + "/proposals", Key: "proposals.title", roles: seesProposals},
		{Path: Path + "/withdrawals", Key: "withdrawals.title", roles: seesEntries},
	}
	for _, g := range registers {
		if !g.apart {
			all = append(all, section{Path: g.path(), Key: g.Name + ".title", roles: g.roles})
		}
	}
	return append(all, section{Path: Path + "/what-if", Key: "what-if.title", roles: seesWhatIf},
		section{Path: Path + "/log", Key: "log.title", roles: seesLog})
}

// overviewPage answers whether everything is all right.
type overviewPage struct {
	*view
	FirstOpen   staking.Day
	ClosesAt    time.Time
	Tokens      []tokenRow
	Streams     []partition        // of all partitions that are not retired, those that need somebody first
	Waits       bool               // FirstOpen is over, and waits for their events
	Stream      table              // the first mostListed of them
	Payouts     payoutStates       // of what another ledger is to credit
	Delivery    table              // where they are delivered to
	Credited    table              // and what of them is not credited
	Topics      table              // where events are delivered to
	Webhooks    table              // endpoints that need somebody
	Proposals   []control.Proposal // open, the newest first, at most mostListed
	Overdrafts  []reports.Reconciliation
	Anchor      reports.Anchor
	Backup      store.Backup       // the last; its At is zero where there is none
	Compared    []reports.Compared // with another ledger, of each token and source the last time
	Comparing   reports.ComparisonState
	Unlimited   []access.Token // of back ends, without ceilings
	Missing     []missingLimit
	Waiting     []waitingWithdrawal // the oldest, at most mostListed, for those who see entries
	Assets      map[string]ledger.Asset
	SeesEntries bool      // the visitor's role sees the entries of all holders
	NightAt     time.Time // when tonight's preview was made; zero: it is being made
}

// mostListed is how many of what needs a person the overview lists; the pages of these have all.
const mostListed = 10

// tokenRow is how a token stands.
type tokenRow struct {
	reports.TokenStatus
	Of      ledger.Asset
	Next    staking.Day          // the oldest day that is not paid
	State   string               // of Next: "closed", "accrued", "declared"; "paid": it is still open
	Needs   string               // "funds", "approval", "income", needsReconciliation or "": nothing
	Tonight *reports.OpenPreview // nil: it is being made, or the token is not on offer
}

// Wait are the days that wait for income, "" where none does.
func (p overviewPage) Wait(r tokenRow) string {
	if len(r.Undivided) == 0 {
		return ""
	}
	first, last := r.Undivided[0].First, r.Undivided[len(r.Undivided)-1].Last
	return p.T("overview.undivided", "first", p.Date(first.Start()), "last", p.Date(last.Start()))
}

// Change is how tonight's total compares with yesterday's, in whole percents rounded to zero, with its sign; "" where
// there is nothing to compare with.
func (r tokenRow) Change() string {
	if r.Tonight == nil || !r.Tonight.BeforeKnown || r.Tonight.Before == 0 {
		return ""
	}
	return signedPercent(r.Tonight.Total, r.Tonight.Before)
}

// Days are those for which the pool lasts.
func (r tokenRow) Days() int { return int(r.DaysLeft) }

// PoolPlaces is the number of decimals of the longest amount in the column of pools.
func (p overviewPage) PoolPlaces() int {
	return p.places(func(r tokenRow) ledger.Amount { return r.Pool })
}

// TonightPlaces is for tonight's totals what PoolPlaces is for pools.
func (p overviewPage) TonightPlaces() int {
	return p.places(func(r tokenRow) (total ledger.Amount) {
		if r.Tonight != nil {
			total = r.Tonight.Total
		}
		return total
	})
}

func (p overviewPage) places(of func(tokenRow) ledger.Amount) (most int) {
	for _, r := range p.Tokens {
		most = max(most, p.amount(r.Of, of(r)).places(p.Decimal))
	}
	return most
}

// Needed is how many things need somebody.
func (p overviewPage) Needed() int {
	n := len(p.Proposals) + len(p.Overdrafts) + p.Payouts.needed() + len(p.Webhooks.Rows)
	if !p.Anchor.Delivery.Failed.IsZero() {
		n++
	}
	if !p.Comparing.Schedule.Failed.IsZero() {
		n++
	}
	for _, s := range p.Streams {
		if s.Needs() {
			n++
		}
	}
	for _, w := range p.Waiting {
		if w.Needs {
			n++
		}
	}
	for _, t := range p.Tokens {
		if t.Needs != "" || t.Tonight != nil && (t.Tonight.Missing > 0 || t.Tonight.Over != "") {
			n++
		}
	}
	return n
}

// ComparedThrough is the last day through which every token that is compared was: each night, where that is on; 0 where
// none ever was.
func (p overviewPage) ComparedThrough() (d staking.Day) {
	last := map[string]staking.Day{}
	for _, c := range p.Compared {
		if c.Source == reports.Nightly || !p.Comparing.Source.On() {
			last[c.Asset] = max(last[c.Asset], c.Day)
		}
	}
	for _, day := range last {
		if d == 0 || day < d {
			d = day
		}
	}
	return d
}

// Differing are the tokens that differed when they were compared last, with any source, each once.
func (p overviewPage) Differing() (symbols []string) {
	for _, c := range p.Compared {
		if n := len(symbols); c.Differences > 0 && (n == 0 || symbols[n-1] != c.Asset) {
			symbols = append(symbols, c.Asset)
		}
	}
	return symbols
}

// Recorded reports whether any day has a record.
func (p overviewPage) Recorded() bool { return p.Anchor.Recorded >= p.visit.Books.FirstDay() }

// overview is the page of all that matters now.
func (v *visit) overview() error {
	p := overviewPage{view: v.view("overview.title")}
	var err error
	if p.Assets, err = v.assets(); err != nil {
		return err
	}
	if p.FirstOpen, p.ClosesAt, err = v.openDay(); err != nil {
		return err
	}
	if err := p.fillStreams(); err != nil {
		return err
	}
	tokens, err := v.Reports.TokenStatus(v.context())
	if err != nil {
		return err
	}
	breaks, err := v.Reports.Breaks(v.context())
	if err != nil {
		return err
	}
	tonight := v.night.look(v.Books.Now())
	p.NightAt = v.night.made()
	for _, t := range tokens {
		row := tokenRow{TokenStatus: t, Of: p.Assets[t.Asset], Next: t.PaidThrough + 1}
		row.State, row.Needs = stateOf(t, p.FirstOpen)
		if row.Needs == "" && slices.ContainsFunc(breaks, func(b store.Break) bool { return b.Asset == t.Asset }) {
			row.Needs = needsReconciliation // its next day will wait
		}
		if preview, there := tonight[t.Asset]; there {
			row.Tonight = &preview
		}
		p.Tokens = append(p.Tokens, row)
	}
	if p.Proposals, err = v.Reports.Proposals(v.context(), control.Proposal{}, store.ProposalsAsked{State: control.Open},
		mostListed); err != nil {
		return err
	}
	if p.Overdrafts, err = v.Reports.Reconciliations(v.context(), reports.Reconciliation{}, true, mostListed); err != nil {
		return err
	}
	if p.Anchor, err = v.Reports.Anchor(v.context()); err != nil {
		return err
	}
	if p.Backup, err = v.Reports.LastBackup(v.context()); err != nil {
		return err
	}
	if p.Compared, err = v.Reports.LastCompared(v.context()); err != nil {
		return err
	}
	if p.Comparing, err = v.Reports.ComparisonState(v.context()); err != nil {
		return err
	}
	if p.Unlimited, err = v.Logins.UnlimitedTokens(v.context()); err != nil {
		return err
	}
	missing, err := v.Reports.MissingLimits(v.context())
	if err != nil {
		return err
	}
	p.Missing = byLimit(missing, len(p.Assets))
	if err := p.fillWithdrawals(); err != nil {
		return err
	}
	return v.show("overview", p)
}

// missingLimit is a limit that some tokens do not have.
type missingLimit struct {
	Name   string   // as staking.Limit.Missing names it
	Tokens []string // nil: no token has it
}

// byLimit is what is missing by limit, in the order of the first token that misses it. tokens is how many there are.
func byLimit(missing []reports.MissingLimits, tokens int) (all []missingLimit) {
	for _, m := range missing {
		for _, name := range m.Limits {
			i := slices.IndexFunc(all, func(l missingLimit) bool { return l.Name == name })
			if i < 0 {
				i, all = len(all), append(all, missingLimit{Name: name})
			}
			all[i].Tokens = append(all[i].Tokens, m.Asset)
		}
	}
	for i := range all {
		if len(all[i].Tokens) == tokens {
			all[i].Tokens = nil
		}
	}
	return all
}

// waitingWithdrawal is one that waits.
type waitingWithdrawal struct {
	store.Withdrawal
	Path  string
	Needs bool // it is large, and nobody has proposed yet to complete it
}

// fillWithdrawals adds the withdrawals that wait, where the visitor sees those of all holders.
func (p *overviewPage) fillWithdrawals() error {
	v := p.visit
	if p.SeesEntries = v.may(seesEntries); !p.SeesEntries {
		return nil
	}
	all, err := v.Reports.PendingWithdrawals(v.context(), store.Withdrawal{}, mostListed)
	if err != nil || len(all) == 0 {
		return err
	}
	limits, err := v.Reports.Limits(v.context())
	if err != nil {
		return err
	}
	for _, w := range all {
		row := waitingWithdrawal{Withdrawal: w, Path: withdrawalPath(w.Account, w.ID)}
		large := func(l staking.Limit) bool {
			return l.Asset == w.Asset && l.MaxWithdrawal > 0 && w.Amount >= l.MaxWithdrawal
		}
		if v.fourEyes && slices.ContainsFunc(limits, large) {
			asked := store.ProposalsAsked{Entry: w.Ending(ledger.WithdrawalCompleted).ID, State: control.Open}
			proposed, err := v.Reports.Proposals(v.context(), control.Proposal{}, asked, 1)
			if err != nil {
				return err
			}
			row.Needs = len(proposed) == 0
		}
		p.Waiting = append(p.Waiting, row)
	}
	return nil
}

// fillStreams adds the partitions of sources, payouts to another ledger, and what is not delivered, if there are any.
func (p *overviewPage) fillStreams() (err error) {
	p.Streams, p.Waits, err = p.visit.partitions(p.FirstOpen, p.ClosesAt)
	p.Streams = slices.DeleteFunc(p.Streams, func(s partition) bool { return s.State == store.Retired })
	p.Stream = p.streamTable(p.Streams[:min(len(p.Streams), mostListed)])
	if err == nil {
		p.Payouts, err = p.visit.payoutStates()
		p.Delivery, p.Credited = p.targetTable(p.Payouts), p.tokenPayouts(p.Payouts)
		p.Topics = p.topicTable(p.Payouts)
	}
	if err == nil {
		p.Webhooks, err = p.visit.undelivered()
	}
	return err
}
