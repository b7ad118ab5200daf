package audit

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// spanSize is how many balances are in memory at the same time, whatever the number of holders.
const spanSize = 4096

// worker audits one bucket after another. Its state is that of the current bucket.
type worker struct {
	*audit
	number     int
	books      Bucket
	head       Head
	found      findings
	counts     Report
	tokens     map[string]*token
	totals     map[Key]*total
	slots      slots
	derivation *derivation
	given      tally[period] // what the bucket's accounts have of each distribution
	gained     tally[Key]    // what house accounts have gained by postings
	positions  []position
	at         int         // where in the positions the rows of the day have come to
	moved      []*position // those with postings on the day
	day        staking.Day
	figures    figures
	others     figures // by the measure that the terms do not have, where a campaign takes it
	scratch    big.Int
	factor     big.Int
	line       []byte
	enrolled   []staking.Enrollment
	excluded   []staking.Exclusion
	owners     []Ownership
	owned      map[ownedKey]*owned
	campaigns  campaigns
}

// token is a bucket's state of a token.
type token struct {
	asset          ledger.Asset
	known          bool
	progress       Progress
	rules          []rule
	rule           *rule       // of the day; nil: no terms yet
	next           int         // among the rules
	needed         staking.Day // from which day on the weights are needed
	weighed        []*Campaign // that weigh the day
	total          *total      // of the day, when there are records
	payable        big.Int     // declared in the bucket and not paid
	payableSeen    bool        // its balance was found
	declared       big.Int     // in all buckets
	holders, house big.Int     // at the end of the last closed day
}

func newWorker(a *audit) *worker { return &worker{audit: a} }

// begin resets the state.
func (w *worker) begin(number int) {
	w.number, w.head, w.found, w.counts = number, Head{}, findings{}, Report{}
	w.tokens, w.totals, w.given = map[string]*token{}, map[Key]*total{}, tally[period]{}
	w.gained = tally[Key]{}
	w.owned = map[ownedKey]*owned{}
	w.slots.clear()
}

// find adds a finding, unless only another day is audited.
func (w *worker) find(f Finding) {
	if w.only == nil || (f.HasDay && f.Day == *w.only) {
		w.found.add(f)
	}
}

// findAt adds a finding of a position on the day.
func (w *worker) findAt(p *position, what string) {
	w.find(on(w.day, p.stored.Account, p.stored.Asset, what))
}

// audited reports whether the records of the current day are to be compared.
func (w *worker) audited() bool { return w.only == nil || *w.only == w.day }

// bucket audits the whole of a bucket: some accounts after the other, each day after day.
func (w *worker) bucket(b Bucket) error {
	w.books = b
	if err := w.readHead(); err != nil {
		return err
	}
	for s := (Span{}); s.Through != End; {
		var err error
		if s, err = b.Span(s.Through, spanSize); err != nil {
			return err
		}
		if err := w.span(s); err != nil {
			return err
		}
	}
	w.compareTotals()
	w.compareShares()
	if err := w.countSums(); err != nil {
		return err
	}
	w.compareCampaigns()
	if w.only != nil {
		return nil
	}
	if err := w.countEntries(); err != nil {
		return err
	}
	if err := w.countWithdrawals(); err != nil {
		return err
	}
	w.countCampaigns()
	if n := w.head.Campaigns.Eligible - w.campaigns.rows; n != 0 {
		w.find(Finding{What: fmt.Sprintf("bucket %d has %d rows of what is eligible in campaigns, of days or accounts that "+
			"it does not have", w.number, n)})
	}
	if err := w.countIncomes(); err != nil {
		return err
	}
	return b.Outside(w.outline.First, w.head.Last, func(d staking.Day, account ledger.Account, asset string) {
		w.find(on(d, account, asset, fmt.Sprintf("has rows of a day that the books do not have; theirs are %s to %s",
			w.outline.First, w.head.Last)))
	})
}

// readHead reads what the bucket has beside its accounts.
func (w *worker) readHead() (err error) {
	if w.head, err = w.books.Head(); err != nil {
		return err
	}
	for _, a := range w.head.Assets {
		t := w.token(a.Symbol)
		t.known = true
		if err := a.Check(); err != nil {
			w.find(Finding{Asset: a.Symbol, What: err.Error()})
			continue
		}
		t.asset = a
	}
	for _, terms := range w.head.Terms {
		t := w.token(terms.Asset)
		if n := len(t.rules); n > 0 && t.rules[n-1].From == terms.From {
			t.rules = t.rules[:n-1]
		}
		t.rules = append(t.rules, newRule(terms))
	}
	for _, p := range w.head.Progress {
		w.token(p.Asset).progress = p
	}
	for _, a := range w.head.Assets {
		if w.token(a.Symbol).progress.Asset == "" {
			w.find(Finding{Asset: a.Symbol, What: fmt.Sprintf("bucket %d has no row of its progress", w.number)})
		}
	}
	w.compareDays()
	w.readTotals()
	w.budget()
	return w.derive()
}

// compareDays looks at which days are closed: all in a row, here as in the last
// bucket, and every day that is accrued.
func (w *worker) compareDays() {
	h := &w.head
	if h.Days != int64(h.Last-w.outline.First)+1 {
		w.find(Finding{What: fmt.Sprintf("bucket %d has rows of %d days; from %s to %s there are %d",
			w.number, h.Days, w.outline.First, h.Last, h.Last-w.outline.First+1)})
	}
	if h.FirstOpen <= w.outline.Closed {
		w.find(on(h.FirstOpen, "", "", fmt.Sprintf("is open in bucket %d, but a later day is closed", w.number)))
	} else if slices.ContainsFunc(h.Progress, func(p Progress) bool {
		return p.Accrued >= h.FirstOpen && !w.begins(p)
	}) {
		w.find(on(h.FirstOpen, "", "", fmt.Sprintf("is accrued in bucket %d, but not closed", w.number)))
	}
}

// begins reports whether nothing of a token is accrued yet. Its progress is then the day
// before its first terms: at the latest the open day on which the token was added.
func (w *worker) begins(p Progress) bool {
	rules := w.token(p.Asset).rules
	return len(rules) > 0 && p.Accrued == rules[0].From-1 && p.Paid == p.Accrued
}

// token is the state of a token; an empty one if it is not among the assets.
func (w *worker) token(symbol string) *token {
	t := w.tokens[symbol]
	if t == nil {
		t = &token{
			asset:    ledger.Asset{Symbol: symbol},
			progress: Progress{Accrued: w.outline.First - 1, Paid: w.outline.First - 1},
		}
		w.tokens[symbol] = t
	}
	return t
}

// turn brings a token's terms to a day; days come in order.
func (t *token) turn(d staking.Day) {
	t.total = nil
	for t.next < len(t.rules) && t.rules[t.next].From <= d {
		t.rule = &t.rules[t.next]
		t.next++
	}
}

// span audits some accounts: forward from nothing, day after day.
func (w *worker) span(s Span) error {
	if err := w.readPositions(s); err != nil {
		return err
	}
	last := w.head.Last
	if w.only != nil {
		last = min(last, *w.only)
	}
	for _, t := range w.tokens {
		t.rule, t.next = nil, 0
	}
	for w.day = w.outline.First; w.day <= last; w.day++ {
		if err := w.walkDay(s); err != nil {
			return err
		}
	}
	if w.only == nil {
		for i := range w.positions {
			w.close(&w.positions[i])
		}
	}
	return nil
}

// walkDay brings the positions over a day: its postings, then what it earned.
func (w *worker) walkDay(s Span) error {
	w.campaigns.nextDay()
	for symbol, t := range w.tokens {
		t.turn(w.day)
		t.needed = w.derivation.neededFrom(symbol, w.day)
		t.weighed = w.weighing(symbol, w.day)
	}
	w.at = 0
	if err := w.books.Postings(w.day, s, w.posting); err != nil {
		return err
	}
	w.endDay()
	if w.day == w.outline.Closed {
		w.sumUp()
	}
	if err := w.readTogether(); err != nil {
		return err
	}
	if err := w.readEligible(s); err != nil {
		return err
	}
	w.at = 0
	if w.audited() {
		if err := w.books.Accruals(w.day, s, w.accrual); err != nil {
			return err
		}
	}
	for ; w.at < len(w.positions); w.at++ {
		w.settle(&w.positions[w.at], nil)
	}
	w.compareEligible()
	return nil
}

// sumUp adds what the positions have at the end of the last closed day.
func (w *worker) sumUp() {
	for i := range w.positions {
		p := &w.positions[i]
		sum := &p.token.holders
		if p.stored.Account.IsHouse() {
			sum = &p.token.house
		}
		sum.Add(sum, &p.balance)
	}
}

// readPositions reads balances, enrollments and exclusions. Each position begins at zero.
func (w *worker) readPositions(s Span) error {
	w.positions = w.positions[:0]
	err := w.books.Balances(s, func(b Balance) {
		if len(w.positions) < cap(w.positions) {
			w.positions = w.positions[:len(w.positions)+1] // its numbers keep their memory
		} else {
			w.positions = append(w.positions, position{})
		}
		t := w.token(b.Asset)
		w.positions[len(w.positions)-1].init(b, t)
		w.checkBalance(b, t)
	})
	if err != nil {
		return err
	}
	w.counts.Positions += int64(len(w.positions))
	w.enrolled = w.enrolled[:0]
	if err := w.books.Enrollments(s, w.enrollment); err != nil {
		return err
	}
	w.enroll()
	w.excluded = w.excluded[:0]
	if err := w.books.Exclusions(s, w.exclusion); err != nil {
		return err
	}
	w.exclude()
	if err := w.readOwners(s); err != nil {
		return err
	}
	return w.readCampaigns(s)
}

// checkBalance finds balances that must not exist.
func (w *worker) checkBalance(b Balance, t *token) {
	wrong := func(what string) { w.find(Finding{Account: b.Account, Asset: b.Asset, What: what}) }
	switch a := b.Account; {
	case a.IsHouse() && !a.IsKnownHouse():
		wrong("there is no such house account")
	case !a.IsHouse() && !b.Opened:
		wrong("the account was never opened")
	}
	if !b.Account.IsSharded() && b.Account.Bucket() != w.number {
		wrong(fmt.Sprintf("its balance lies in bucket %d, where it does not belong", w.number))
	}
	if !t.known {
		wrong("there is no such asset")
	}
}

// enrollment keeps an enrollment that covers a day at all: one that was switched
// off on the day it was switched on covers none.
func (w *worker) enrollment(e Enrollment) {
	wrong := func(what string) { w.find(on(e.From, e.Account, "", what)) }
	if !e.Opened {
		wrong("is enrolled, but the account was never opened")
	}
	if e.Account.IsHouse() || e.Account.IsHeld() || e.Account.Bucket() != w.number {
		wrong(fmt.Sprintf("is enrolled in bucket %d, where it does not belong", w.number))
	}
	if e.Until <= e.From {
		return
	}
	if n := len(w.enrolled); n > 0 && w.enrolled[n-1].Account == e.Account && e.From < w.enrolled[n-1].Until {
		wrong(fmt.Sprintf("is enrolled twice: also from %s until %s", w.enrolled[n-1].From, w.enrolled[n-1].Until))
	}
	w.enrolled = append(w.enrolled, e.Enrollment)
}

// enroll gives each position its account's enrollments.
func (w *worker) enroll() {
	eachOwn(w.positions, w.enrolled, func(e staking.Enrollment) ledger.Account { return e.Account },
		func(p *position, own []staking.Enrollment) { p.switches = own })
}

// eachOwn calls give for each position with the rows of its account. Both are in order.
func eachOwn[T any](positions []position, rows []T, account func(T) ledger.Account, give func(*position, []T)) {
	for i := range positions {
		p := &positions[i]
		for len(rows) > 0 && account(rows[0]) < p.stored.Account {
			rows = rows[1:]
		}
		n := 0
		for n < len(rows) && account(rows[n]) == p.stored.Account {
			n++
		}
		give(p, rows[:n])
	}
}

// seek moves w.at to the position of an account and asset, and calls pass for each position
// before it. It returns nil if there is none: rows come in order.
func (w *worker) seek(account ledger.Account, asset string, pass func(*position)) *position {
	for ; w.at < len(w.positions); w.at++ {
		p := &w.positions[w.at]
		c := strings.Compare(string(p.stored.Account), string(account))
		if c == 0 {
			c = strings.Compare(p.stored.Asset, asset)
		}
		switch {
		case c == 0:
			return p
		case c > 0:
			return nil
		case pass != nil:
			pass(p)
		}
	}
	return nil
}

// posting takes in a posting of the day.
func (w *worker) posting(x *Posting) {
	w.counts.Postings++
	w.checkPosting(x)
	w.countHouse(x)
	if w.only == nil && x.Day <= w.outline.Closed {
		w.countPosting(x)
	}
	p := w.seek(x.Account, x.Asset, nil)
	if p == nil {
		w.find(on(x.Day, x.Account, x.Asset, "has a posting of entry "+x.Entry+", but no balance"+w.inBucket(x.Account)))
		return
	}
	w.move(p, min(max(x.At-w.day.Millis(), 0), dayMillis.Int64()), x.Amount)
}

// checkPosting finds postings that must not exist.
func (w *worker) checkPosting(x *Posting) {
	wrong := func(what string) { w.find(on(x.Day, x.Account, x.Asset, "entry "+x.Entry+": "+what)) }
	if dayOf(x.At) != x.Day {
		wrong("its time " + stamp(x.At) + " is not of the day")
	}
	if (x.Side == 0) != (x.Amount < 0) || x.Amount == 0 || x.Side < 0 || x.Side > 1 || x.Move < 0 {
		wrong(fmt.Sprintf("move %d, side %d cannot have the amount %s",
			x.Move, x.Side, w.token(x.Asset).asset.Format(x.Amount)))
	}
	home := x.Account
	if home.IsSharded() {
		home = x.Other
	}
	if !home.IsSharded() && home.Bucket() != w.number {
		wrong(fmt.Sprintf("lies in bucket %d, where it does not belong", w.number))
	}
	for _, prefix := range ours {
		if strings.HasPrefix(x.Entry, prefix) {
			wrong("what is paid is written as records of rewards, never as postings too")
		}
	}
}

// ours begins the IDs of entries that the journal shows for rewards.
var ours = []string{"reward/", "declare/", "pay/"}

// accrual takes in a record of a reward of the day.
func (w *worker) accrual(a *staking.Accrual) {
	w.counts.Accruals++
	p := w.seek(a.Account, a.Asset, w.pass)
	if p == nil {
		w.addToTotal(w.token(a.Asset), a)
		w.find(on(a.Day, a.Account, a.Asset, "has a reward of "+w.token(a.Asset).asset.Format(a.Reward)+", but no balance"))
		return
	}
	w.addToTotal(p.token, a)
	w.settle(p, a)
	w.at++
}

// pass settles a position that has no record.
func (w *worker) pass(p *position) { w.settle(p, nil) }
