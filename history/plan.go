package history

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
)

// An import posts the difference between an account's history in the books and all rows
// that are known by now, those of earlier imports included. Posted entries never change: a
// difference is an entry of its own. So files may come in any order, and a stopped import
// is completed by the next one.

// Posted is an entry that an import has posted, by the part of its ID that the plan
// named it with.
type Posted struct {
	Name    string
	Changes []Change
}

// Change is how an entry changes a token's balance.
type Change struct {
	Asset  string
	Amount ledger.Amount // in smallest units; above zero it came, below it went
}

// Books are what a plan needs of the books.
type Books struct {
	Posted []Posted
	// Given are opening balances that no import has posted, by symbol. Each replaces
	// everything before its own time, and is left unchanged.
	Given     map[string]Given
	FirstOpen time.Time // the start of the first day that can be posted to
}

// Given is an opening balance that no import has posted.
type Given struct {
	Amount ledger.Amount
	Since  time.Time // UTC
}

// PlannedEntry is an entry to post.
type PlannedEntry struct {
	Name    string    // unique within the account; the next number where the name was used before
	Opening bool      // a correction of what was there before the first open day, dated at its start
	Reward  bool      // what the exchange paid for Soft Staking
	At      time.Time // a whole second, UTC; not of an opening
	Changes []Change  // none is zero, each token once
}

// Difference is a token whose given opening balance differs from that of the rows.
type Difference struct {
	Asset       string
	Given, Rows ledger.Amount
}

// Plan is what an import posts.
type Plan struct {
	Entries     []PlannedEntry
	Openings    map[string]ledger.Amount // the presumed opening balance of each token, if above zero
	Differences []Difference             // by token
	Known       int                      // seconds, rewards apart, whose posted entries match the rows already
}

// PlanOptions choose what a plan posts, and how.
type PlanOptions struct {
	WithoutRewards bool // leave out what the exchange paid for Soft Staking
	// GainsFirst splits each entry by the sign of its changes, and posts all gains before
	// all losses: then no balance falls below zero on the way if none does in the end.
	// Otherwise entries come in order of time, each whole.
	GainsFirst bool
}

// slot is where changes are posted: a second, in one of two kinds of entries.
type slot struct {
	at     int64 // seconds since 1970
	reward bool
}

func (s slot) time() time.Time { return time.Unix(s.at, 0).UTC() }

// sums are changes by slot and by token.
type sums map[slot]map[string]ledger.Amount

func (s sums) add(at slot, asset string, amount ledger.Amount) error {
	if s[at] == nil {
		s[at] = map[string]ledger.Amount{}
	}
	sum, err := s[at][asset].Add(amount)
	if err != nil {
		return tooLarge(asset, at.time(), err)
	}
	s[at][asset] = sum
	return nil
}

// planning is the state while a plan is made.
type planning struct {
	books   Books
	options PlanOptions
	rows    sums                     // of the rows
	posted  sums                     // what the books have
	uses    map[string]int           // how often a name was used, by its beginning
	opening map[string]ledger.Amount // posted as openings by imports, by symbol
	plan    Plan
}

// MakePlan compares the rows of the tokens asked for with the books. It changes nothing,
// and the same rows and books make the same plan.
func (h *History) MakePlan(b Books, o PlanOptions) (Plan, error) {
	p := &planning{
		books: b, options: o, rows: sums{}, posted: sums{}, uses: map[string]int{}, opening: map[string]ledger.Amount{},
		plan: Plan{Openings: map[string]ledger.Amount{}},
	}
	for _, r := range h.Rows {
		if r.Other || (r.Reward && o.WithoutRewards) {
			continue
		}
		if err := p.rows.add(slot{r.At.Unix(), r.Reward}, r.Coin, r.Change); err != nil {
			return Plan{}, err
		}
	}
	if err := p.readPosted(h); err != nil {
		return Plan{}, err
	}
	if err := p.compare(); err != nil {
		return Plan{}, err
	}
	return p.plan, nil
}

// The names of entries: "opening/BNB", "2025-07-21T09:15:02Z" and
// "2025-07-21T09:15:02Z/reward", each followed by "/2", "/3" … when it is used again.
const (
	openingName = "opening/"
	rewardName  = "/reward"
	secondForm  = "2006-01-02T15:04:05Z"
)

// readPosted takes apart what the books have. What was posted of a second for which no
// row is known stays: an earlier version did not keep the rows.
func (p *planning) readPosted(h *History) error {
	for _, e := range p.books.Posted {
		if rest, opening := strings.CutPrefix(e.Name, openingName); opening {
			asset, _, _ := strings.Cut(rest, "/")
			p.uses[openingName+asset]++
			for _, c := range e.Changes {
				sum, err := p.opening[c.Asset].Add(c.Amount)
				if err != nil {
					return fmt.Errorf("the posted openings of %s: %w", c.Asset, err)
				}
				p.opening[c.Asset] = sum
			}
			continue
		}
		second, rest, _ := strings.Cut(e.Name, "/")
		at, err := time.Parse(secondForm, second)
		if err != nil {
			return fmt.Errorf("the books have an import named %q, which is no time; a newer version may have posted it",
				ledger.Clip(e.Name))
		}
		s := slot{at.Unix(), rest == "reward" || strings.HasPrefix(rest, "reward/")}
		p.uses[s.name()]++
		for _, c := range e.Changes {
			if err := p.posted.add(s, c.Asset, c.Amount); err != nil {
				return err
			}
		}
	}
	type change struct {
		slot
		asset string
	}
	known := map[change]bool{}
	for _, r := range slices.Concat(h.Rows, h.Gone) {
		known[change{slot{r.At.Unix(), r.Reward}, r.Coin}] = true
	}
	for s, changes := range p.posted {
		for asset, amount := range changes {
			if known[change{s, asset}] || (s.reward && p.options.WithoutRewards) ||
				(!s.reward && known[change{slot{s.at, true}, asset}]) {
				continue
			}
			if err := p.rows.add(s, asset, amount); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s slot) name() string {
	name := s.time().Format(secondForm)
	if s.reward {
		name += rewardName
	}
	return name
}

// compare makes the entries that post the differences.
func (p *planning) compare() error {
	assets := maps.Clone(p.opening)
	for _, changes := range p.rows {
		maps.Copy(assets, changes)
	}
	var openings []PlannedEntry
	for _, asset := range slices.Sorted(maps.Keys(assets)) {
		amount, err := p.openingOf(asset)
		if err != nil {
			return err
		}
		if amount != 0 {
			openings = append(openings,
				PlannedEntry{Name: p.next(openingName + asset), Opening: true, Changes: []Change{{asset, amount}}})
		}
	}
	seconds, err := p.seconds()
	if err != nil {
		return err
	}
	if p.options.GainsFirst {
		entries := slices.Concat(openings, seconds)
		p.plan.Entries = slices.Concat(p.signed(entries, true), p.signed(entries, false))
		return nil
	}
	// A lower opening comes last: the gains that make up for it must be there first.
	p.plan.Entries = slices.Concat(p.signed(openings, true), seconds, p.signed(openings, false))
	return nil
}

// signed are the entries with their gains or their losses only. One that is parted has a
// name of its own for its losses.
func (p *planning) signed(entries []PlannedEntry, gain bool) (kept []PlannedEntry) {
	for _, e := range entries {
		all := len(e.Changes)
		e.Changes = slices.DeleteFunc(slices.Clone(e.Changes), func(c Change) bool { return (c.Amount > 0) != gain })
		if len(e.Changes) == 0 {
			continue
		}
		if !gain && len(e.Changes) < all {
			e.Name = p.next(slot{e.At.Unix(), e.Reward}.name())
		}
		kept = append(kept, e)
	}
	return kept
}

// next is the name itself, or the name with the next number if it was used before.
func (p *planning) next(name string) string {
	p.uses[name]++
	if n := p.uses[name]; n > 1 {
		return name + "/" + strconv.Itoa(n)
	}
	return name
}

// openingOf is what is left to post of a token for the time before the first open day:
// the presumed opening balance and all changes of closed days, less what was posted. A
// given opening replaces all of that before its own time.
func (p *planning) openingOf(asset string) (ledger.Amount, error) {
	given, isGiven := p.books.Given[asset]
	var moments []Moment
	var before, closed ledger.Amount // the rows before the given opening, and those after it
	var err error
	for s, changes := range p.rows {
		amount, found := changes[asset]
		if !found {
			continue
		}
		at := s.time()
		moments = append(moments, Moment{at, amount})
		switch {
		case err != nil || !at.Before(p.books.FirstOpen):
		case isGiven && at.Before(given.Since):
			before, err = before.Add(amount)
		default:
			closed, err = closed.Add(amount)
		}
	}
	for s, changes := range p.posted {
		at := s.time()
		if at.Before(p.books.FirstOpen) && (!isGiven || !at.Before(given.Since)) && err == nil {
			closed, err = closed.Sub(changes[asset])
		}
	}
	slices.SortFunc(moments, func(a, b Moment) int { return a.At.Compare(b.At) })
	opening, wrong := smallestOpening(asset, moments)
	if wrong != nil {
		return 0, wrong
	}
	if err == nil {
		closed, err = closed.Sub(p.opening[asset])
	}
	if err == nil {
		before, err = before.Add(opening)
	}
	if err == nil && !isGiven {
		closed, err = closed.Add(before)
	}
	if err != nil {
		return 0, fmt.Errorf("the opening balance of %s: %w; look for a row with a wrong amount", asset, err)
	}
	switch {
	case isGiven && given.Amount != before:
		p.plan.Differences = append(p.plan.Differences, Difference{asset, given.Amount, before})
	case !isGiven && opening > 0:
		p.plan.Openings[asset] = opening
	}
	return closed, nil
}

// seconds are the entries of open days, in order of time; in one second what the
// exchange paid comes first, since it may have been spent at once.
func (p *planning) seconds() ([]PlannedEntry, error) {
	slots := maps.Clone(p.rows)
	maps.Copy(slots, p.posted)
	order := slices.SortedFunc(maps.Keys(slots), func(a, b slot) int {
		if a.at == b.at && a.reward != b.reward {
			if a.reward {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.at, b.at)
	})
	var entries []PlannedEntry
	for _, s := range order {
		if s.time().Before(p.books.FirstOpen) {
			continue
		}
		changes, err := p.differences(s)
		if err != nil {
			return nil, err
		}
		if changes == nil {
			if p.posted[s] != nil {
				p.plan.Known++
			}
			continue
		}
		entries = append(entries,
			PlannedEntry{Name: p.next(s.name()), Reward: s.reward, At: s.time(), Changes: changes})
	}
	return entries, nil
}

// differences are what is left to post of a second, by token.
func (p *planning) differences(s slot) (changes []Change, err error) {
	assets := slices.Sorted(maps.Keys(p.rows[s]))
	assets = slices.AppendSeq(assets, maps.Keys(p.posted[s]))
	slices.Sort(assets)
	for _, asset := range slices.Compact(assets) {
		left, err := p.rows[s][asset].Sub(p.posted[s][asset])
		if err != nil {
			return nil, fmt.Errorf("the %s of %s: %w; look for a row with a wrong amount", asset, s.name(), err)
		}
		if left != 0 {
			changes = append(changes, Change{asset, left})
		}
	}
	return changes, nil
}
