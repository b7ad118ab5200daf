package web

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// event is something that happened to an account.
type event struct {
	cursor
	Gap     bool           // no event: the source was read as far as here
	Name    string         // activity.is.NAME in the catalogue
	Sides   []side         // the changes of balances
	Other   ledger.Account // the other holder, or ""
	Day     staking.Day    // of a reward
	Entry   string         // the ID of the entry that moved something
	Detail  string
	Version int // of a document
	Client  string
	Address string
}

// side is a change of a balance.
type side struct {
	Asset  string
	Amount ledger.Amount // signed
	Held   bool          // of the held balance
}

// activityAsked is what is asked for of the list.
type activityAsked struct {
	Show  string // one of activityShows
	Asset string // "": all; else only what moved it
}

// The parts of the list.
const (
	showAll     = "all"
	showWallet  = "wallet"
	showRewards = "rewards"
	showStaking = "soft-staking"
	showSignIns = "sign-ins"
	showNotices = "notices"
)

// activityShows are the parts of the list that can be asked for.
var activityShows = []string{showAll, showWallet, showRewards, showStaking, showSignIns, showNotices}

// activitySources are how many sources there are. A cursor in an address names one
// by its number: their order stays.
const activitySources = 5

// source reads one kind of event, the newest first: those behind a cursor of its own, about
// so many; over reports whether these were the last. The last of them may be a gap, which
// is as far as was read without finding more. A source that is not over returns at least one.
type source func(after cursor, limit int) (read []event, over bool, err error)

// sources are those of the visitor's account, in their order; those not asked for are empty.
func (v *visit) sources(asked activityAsked) []source {
	none := func(cursor, int) ([]event, bool, error) { return nil, true, nil }
	sources, all := slices.Repeat([]source{none}, activitySources), asked.Show == showAll
	if asked.moves() {
		lines := reports.LinesAsked{To: staking.DayOf(v.Books.Now()) + 1, Asset: asked.Asset,
			NoRewards: asked.Show == showWallet}
		if asked.Show == showRewards {
			lines.Kind = reports.KindReward
		}
		sources[0] = func(after cursor, _ int) ([]event, bool, error) { return v.readJournal(lines, after) }
	}
	if asked.Asset != "" {
		return sources
	}
	if all || asked.Show == showStaking {
		sources[1] = v.readSwitchEvents
		sources[2] = func(after cursor, _ int) ([]event, bool, error) { return v.readAccount(all, after) }
	}
	if all || asked.Show == showSignIns {
		sources[3] = v.readSecurityEvents
	}
	if all || asked.Show == showNotices {
		sources[4] = v.readNotices
	}
	return sources
}

// readSwitchEvents reads the switch events.
func (v *visit) readSwitchEvents(after cursor, limit int) (read []event, over bool, err error) {
	events, err := v.Reports.LatestSwitchEvents(v.context(), v.account(),
		&reports.SwitchEvent{At: after.before(), Action: after.ID}, limit)
	for _, e := range events {
		name, region, _ := strings.Cut(e.Action, ": region ")
		if region != "" || e.Action == "off: region" {
			name = strings.TrimSuffix(name, ": region") + " by region"
		}
		read = append(read, event{
			cursor: cursor{At: e.At.UnixMilli(), ID: e.Action}, Name: switchEventNames[name], Detail: region,
			Client: e.Client, Address: e.Address,
		})
	}
	return read, len(events) < limit, err
}

// switchEventNames are the names of switch events as the books keep them.
var switchEventNames = map[string]string{
	"on": "switch-on", "off": "switch-off", "off by region": "switch-off-region", "on by region": "switch-on-region",
	"off: frozen": "switch-off-frozen", "on: unfrozen": "switch-on-unfrozen",
	"refused: region": "switch-refused-region", "refused: unknown country": "switch-refused-country",
	"refused: app version": "switch-refused-app", "refused: documents": "switch-refused-documents",
}

// readAccount reads which documents were accepted and, if it is asked for, when the
// account was opened. They are few, and are all read.
func (v *visit) readAccount(opened bool, after cursor) (read []event, over bool, err error) {
	acceptances, err := v.Reports.Acceptances(v.context(), v.account())
	if err != nil {
		return nil, false, err
	}
	for _, a := range acceptances {
		read = append(read, event{
			cursor: cursor{At: a.At.UnixMilli(), ID: fmt.Sprintf("%s %d", a.Document, a.Version)},
			Name:   "accepted", Detail: a.Document, Version: a.Version, Client: a.Client, Address: a.Address,
		})
	}
	if opened {
		account, err := v.Books.Account(v.context(), v.account())
		if err != nil {
			return nil, false, err
		}
		// Behind all else of its moment: nothing happened before it.
		read = append(read, event{cursor: cursor{At: account.Opened.UnixMilli(), ID: "~opened"}, Name: "opened"})
	}
	slices.SortFunc(read, func(a, b event) int { return cmp.Or(cmp.Compare(b.At, a.At), strings.Compare(a.ID, b.ID)) })
	read = slices.DeleteFunc(read, func(e event) bool { return e.At > after.At || e.At == after.At && e.ID <= after.ID })
	return read, true, nil
}

// readSecurityEvents reads what persons did with their access to the pages.
func (v *visit) readSecurityEvents(after cursor, limit int) (read []event, over bool, err error) {
	events, err := v.People.SecurityEvents(v.context(), v.account(),
		&people.SecurityEvent{At: after.before(), Nonce: after.ID}, limit)
	for _, e := range events {
		read = append(read, event{
			cursor: cursor{At: e.At.UnixMilli(), ID: e.Nonce}, Name: strings.ReplaceAll(e.Action, " ", "-"),
			Detail: e.Detail, Client: e.Client, Address: e.Address,
		})
	}
	return read, len(events) < limit, err
}

// journalLines is how many lines of the journal are read at a time. A trade has some,
// and a day's rewards have one a token.
const journalLines = 200

// readJournal reads what changed the account's balances: an entry, or a day's rewards, is
// one event with all its sides.
func (v *visit) readJournal(asked reports.LinesAsked, after cursor) (read []event, over bool, err error) {
	key := &reports.LineKey{At: time.UnixMilli(after.At), Entry: after.ID, Move: -1}
	if after.ID != "" {
		key.Move, key.Side = math.MaxInt16, math.MaxInt16 // behind all of its lines
	}
	var lines []reports.JournalLine
	for {
		page, next, err := v.Reports.Lines(v.context(), v.account(), asked, key, journalLines)
		if err != nil {
			return nil, false, err
		}
		lines = append(lines, page...)
		read = journalEvents(lines)
		switch {
		case next == nil:
			return read, true, nil
		case len(page) == 0 || *next != page[len(page)-1].Key:
			// Nothing older was found as far back as this, and all younger events are complete.
			return append(read, event{cursor: cursor{At: next.At.UnixMilli(), ID: next.Entry}, Gap: true}), false, nil
		case len(read) > 1: // the last may have more lines
			return read[:len(read)-1], false, nil
		}
		key = next
	}
}

// journalEvents makes one event of the lines of an entry, and one of a day's rewards.
func journalEvents(lines []reports.JournalLine) (events []event) {
	for start, end := 0, 0; start < len(lines); start = end {
		for end = start; end < len(lines) && sameEvent(lines[start], lines[end]); end++ {
		}
		events = append(events, journalEvent(lines[start:end]))
	}
	return events
}

func sameEvent(a, b reports.JournalLine) bool {
	return a.At.Equal(b.At) && (a.Entry == b.Entry || a.Kind == reports.KindReward && b.Kind == reports.KindReward)
}

// journalEvent is the event of the lines of one entry, or of a day's rewards.
func journalEvent(lines []reports.JournalLine) event {
	first, last := lines[0], lines[len(lines)-1]
	e := event{
		cursor: cursor{At: first.At.UnixMilli(), ID: last.Entry}, Name: string(first.Kind), Entry: first.Entry,
	}
	for _, l := range lines {
		i := slices.IndexFunc(e.Sides, func(s side) bool { return s.Asset == l.Asset && s.Held == l.Account.IsHeld() })
		if i < 0 {
			i = len(e.Sides)
			e.Sides = append(e.Sides, side{Asset: l.Asset, Held: l.Account.IsHeld()})
		}
		e.Sides[i].Amount += l.Amount // cannot overflow: the books have applied the sum to one balance
	}
	switch first.Kind {
	case reports.KindReward:
		e.Day, e.Entry = staking.DayOf(first.At)-1, ""
	case ledger.Transfer:
		e.Name, e.Other = nameOf(first.Kind, first.Amount), first.Other.Owner()
	}
	e.Sides = slices.DeleteFunc(e.Sides, func(s side) bool { return s.Amount == 0 || s.Held && mirrored(first.Kind) })
	return e
}

// mirrored reports whether such an entry only moves an amount between the free and the
// held balance: then the free side is enough.
func mirrored(kind ledger.Kind) bool {
	return kind == ledger.Hold || kind == ledger.Release || kind == ledger.WithdrawalRequest ||
		kind == ledger.WithdrawalCancelled
}

// The sources are merged into one list by time. Events of the same millisecond are ordered
// by source and, of one source, in that source's own order: so every event has one place,
// and a page begins exactly behind another.

// cursor is the place of an event in the list.
type cursor struct {
	At     int64  // milliseconds since 1970
	Source int    // the number of its source
	ID     string // the source's own name for it among those of the moment; "" is before them all
}

// moment is when it happened.
func (c cursor) moment() time.Time { return time.UnixMilli(c.At).UTC() }

// before is the cursor's time for a source that lists a moment's events from the last name
// to the first: without a name, the end of the moment.
func (c cursor) before() time.Time {
	if c.ID == "" {
		return time.UnixMilli(c.At + 1)
	}
	return time.UnixMilli(c.At)
}

// compare is below zero where c is listed before o, and 0 also for two of one source
// and moment, whose order only the source knows.
func (c cursor) compare(o cursor) int {
	return cmp.Or(cmp.Compare(o.At, c.At), cmp.Compare(c.Source, o.Source))
}

// in is c as a cursor of one source.
func (c cursor) in(source int) cursor {
	switch {
	case source < c.Source:
		return cursor{At: c.At - 1, Source: source} // of this moment all are listed
	case source > c.Source:
		return cursor{At: c.At, Source: source} // of this moment none is listed
	}
	return c
}

// String is the cursor for an address.
func (c cursor) String() string { return fmt.Sprintf("%d.%d.%s", c.At, c.Source, c.ID) }

// lastMoment is the last millisecond of the year 9999, after which nothing happens.
const lastMoment = 253_402_300_799_999

// parseCursor reads what String wrote. Its error is ledger.ErrNotFound: there is no such page.
func parseCursor(text string, sources int) (cursor, error) {
	n, id, err := parseNumbers(text, 2)
	if err == nil && (n[0] < 0 || n[0] > lastMoment || n[1] < 0 || n[1] >= int64(sources)) {
		err = noCursor(text)
	}
	if err != nil {
		return cursor{}, err
	}
	return cursor{n[0], int(n[1]), id}, nil
}

// parseNumbers reads so many numbers of a cursor, each before a point, and what follows.
func parseNumbers(text string, count int) (numbers []int64, rest string, err error) {
	rest = text
	for range count {
		number, after, found := strings.Cut(rest, ".")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || !found {
			return nil, "", noCursor(text)
		}
		numbers, rest = append(numbers, n), after
	}
	return numbers, rest, nil
}

func noCursor(text string) error {
	return ledger.ErrNotFound.In("", "the place %q of a list", ledger.Clip(text))
}

// sourceReader reads a source step by step.
type sourceReader struct {
	source source
	after  cursor
	ready  []event // read, and not listed yet
	over   bool    // there are no more than those
}

// fill reads on where no event is ready.
func (r *sourceReader) fill(limit int) (err error) {
	if len(r.ready) > 0 || r.over {
		return nil
	}
	if r.ready, r.over, err = r.source(r.after, limit); err != nil {
		return err
	}
	if len(r.ready) == 0 && !r.over {
		return fmt.Errorf("source %d of an activity list returns nothing and is not over", r.after.Source)
	}
	for i := range r.ready {
		r.ready[i].Source = r.after.Source
		r.after = r.ready[i].cursor
	}
	return nil
}

// merge calls visit with the events of the sources behind a cursor, the newest first, until
// visit returns that it is enough. Gaps are passed to it too.
func merge(sources []source, after cursor, limit int, visit func(event) (enough bool, err error)) error {
	readers := make([]sourceReader, len(sources))
	for i := range sources {
		readers[i] = sourceReader{source: sources[i], after: after.in(i)}
	}
	for {
		var next *sourceReader
		for i := range readers {
			r := &readers[i]
			if err := r.fill(limit); err != nil {
				return err
			}
			if len(r.ready) > 0 && (next == nil || r.ready[0].compare(next.ready[0].cursor) < 0) {
				next = r
			}
		}
		if next == nil {
			return nil
		}
		e := next.ready[0]
		next.ready = next.ready[1:]
		if enough, err := visit(e); err != nil || enough {
			return err
		}
	}
}

// maxGaps is how many gaps a page reads across before it is shown as it is.
const maxGaps = 4

// mergePage is at most so many events of the sources behind a cursor, and the cursor of the
// next page; nil: there are no more. A page may be short without being the last: where
// for a long time there was nothing.
func mergePage(sources []source, after cursor, most int) (page []event, next *cursor, err error) {
	gaps := 0
	err = merge(sources, after, most+1, func(e event) (bool, error) {
		switch {
		case e.Gap:
			if gaps++; gaps == maxGaps {
				next = &e.cursor
			}
		case len(page) == most:
			next = &page[most-1].cursor
		default:
			page = append(page, e)
		}
		return next != nil, nil
	})
	return page, next, err
}
