package web

import (
	"cmp"
	"context"
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
	"github.com/softstake/softstake/store"
)

// happening is something that happened to an account.
type happening struct {
	happeningPlace
	Gap     bool           // nothing happened: so far was read
	Name    string         // what it is: activity.is.NAME in the catalogue
	Sides   []side         // what came and went
	Other   ledger.Account // the other holder, or ""
	Day     staking.Day    // of a reward
	Entry   string         // of what moved something: its ID
	Detail  string
	Version int // of a document
	Client  string
	Address string
}

// side is a change of a balance.
type side struct {
	Asset  string
	Amount ledger.Amount // signed
	Held   bool          // of what is held
}

// moment is when it happened.
func (h happening) moment() time.Time { return time.UnixMilli(h.At).UTC() }

// activityAsked is what is wanted of the list.
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
)

// activityShows are the parts of the list that can be asked for.
var activityShows = []string{showAll, showWallet, showRewards, showStaking, showSignIns}

// activitySources are how many sources there are. A place in an address names one
// by its number: their order stays.
const activitySources = 4

// sources are those of an account, in their order, without what is not asked for.
func (v *visit) sources(asked activityAsked) []happeningSource {
	sources := slices.Repeat([]happeningSource{readNothing}, activitySources)
	lines := reports.LinesAsked{To: staking.DayOf(v.Books.Now()) + 1, Asset: asked.Asset}
	switch asked.Show {
	case showRewards:
		lines.Kind = reports.KindReward
	case showWallet:
		lines.NoRewards = true
	}
	if asked.Show == showAll || asked.Show == showWallet || asked.Show == showRewards {
		sources[0] = v.readJournal(lines)
	}
	if asked.Asset != "" {
		return sources
	}
	if asked.Show == showAll || asked.Show == showStaking {
		sources[1] = v.readSwitchEvents()
		sources[2] = v.readAccount(asked.Show == showAll)
	}
	if asked.Show == showAll || asked.Show == showSignIns {
		sources[3] = v.readSecurityEvents()
	}
	return sources
}

func readNothing(context.Context, int64, string, int) ([]happening, bool, error) {
	return nil, true, nil
}

// readSwitchEvents tells what was done to the switch.
func (v *visit) readSwitchEvents() happeningSource {
	return func(ctx context.Context, at int64, name string, limit int) (told []happening, over bool, err error) {
		after := store.SwitchEvent{At: time.UnixMilli(at), Action: name}
		if name == "" {
			after.At = time.UnixMilli(at + 1) // those of a moment are told from the last word to the first
		}
		events, err := v.Reports.LatestSwitchEvents(ctx, v.account(), &after, limit)
		for _, p := range events {
			name, region, _ := strings.Cut(p.Action, ": region ")
			if region != "" || p.Action == "off: region" {
				name = strings.TrimSuffix(name, ": region") + " by region"
			}
			told = append(told, happening{
				happeningPlace: happeningPlace{At: p.At.UnixMilli(), ID: p.Action},
				Name:           switchEventNames[name], Detail: region, Client: p.Client, Address: p.Address,
			})
		}
		return told, len(events) < limit, err
	}
}

// switchEventNames are the names of switch events as they are kept.
var switchEventNames = map[string]string{
	"on": "switch-on", "off": "switch-off", "off by region": "switch-off-region", "on by region": "switch-on-region",
	"off: frozen": "switch-off-frozen", "on: unfrozen": "switch-on-unfrozen",
	"refused: region": "switch-refused-region", "refused: unknown country": "switch-refused-country",
	"refused: app version": "switch-refused-app", "refused: documents": "switch-refused-documents",
}

// readAccount tells which documents were accepted and, if it is asked for, when the
// account was opened. They are few.
func (v *visit) readAccount(opened bool) happeningSource {
	return func(ctx context.Context, at int64, name string, _ int) ([]happening, bool, error) {
		acceptances, err := v.Reports.Acceptances(ctx, v.account())
		if err != nil {
			return nil, false, err
		}
		var all []happening
		for _, a := range acceptances {
			all = append(all, happening{
				happeningPlace: happeningPlace{At: a.At.UnixMilli(), ID: fmt.Sprintf("%s %d", a.Document, a.Version)},
				Name:           "accepted", Detail: a.Document, Version: a.Version, Client: a.Client,
				Address: a.Address,
			})
		}
		if opened {
			account, err := v.Books.Account(ctx, v.account())
			if err != nil {
				return nil, false, err
			}
			// Behind all else of its moment: nothing happened before it.
			all = append(all, happening{
				happeningPlace: happeningPlace{At: account.Opened.UnixMilli(), ID: "~opened"}, Name: "opened",
			})
		}
		slices.SortFunc(all, func(a, b happening) int {
			return cmp.Or(cmp.Compare(b.At, a.At), strings.Compare(a.ID, b.ID))
		})
		behind := slices.IndexFunc(all, func(h happening) bool { return h.At < at || h.At == at && h.ID > name })
		if behind < 0 {
			return nil, true, nil
		}
		return all[behind:], true, nil
	}
}

// readSecurityEvents reads what persons did with their access to the pages.
func (v *visit) readSecurityEvents() happeningSource {
	return func(ctx context.Context, at int64, name string, limit int) (told []happening, over bool, err error) {
		after := people.SecurityEvent{At: time.UnixMilli(at), Nonce: name}
		if name == "" {
			after.At = time.UnixMilli(at + 1)
		}
		events, err := v.People.SecurityEvents(ctx, v.account(), &after, limit)
		for _, a := range events {
			told = append(told, happening{
				happeningPlace: happeningPlace{At: a.At.UnixMilli(), ID: a.Nonce},
				Name:           strings.ReplaceAll(a.Action, " ", "-"), Detail: a.Detail, Client: a.Client,
				Address: a.Address,
			})
		}
		return told, len(events) < limit, err
	}
}

// journalLines is how many lines of the journal are read at the same time. A trade has some,
// and a day's rewards one a token.
const journalLines = 200

// readJournal tells what changed the account's balances: an entry, or a day's
// rewards, is one happening with all its sides.
func (v *visit) readJournal(asked reports.LinesAsked) happeningSource {
	return func(ctx context.Context, at int64, name string, _ int) (told []happening, over bool, err error) {
		after := &reports.LineKey{At: time.UnixMilli(at), Entry: name, Move: -1}
		if name != "" {
			after.Move, after.Side = math.MaxInt16, math.MaxInt16 // behind all of its lines
		}
		var lines []reports.JournalLine
		for {
			page, next, err := v.Reports.Lines(ctx, v.account(), asked, after, journalLines)
			if err != nil {
				return nil, false, err
			}
			lines = append(lines, page...)
			told = gather(lines)
			if next == nil {
				return told, true, nil
			}
			if len(page) == 0 || *next != page[len(page)-1].Key {
				// Nothing older was found as far back as this, and all that is younger is there whole.
				return append(told, happening{
					happeningPlace: happeningPlace{At: next.At.UnixMilli(), ID: next.Entry}, Gap: true,
				}), false, nil
			}
			if len(told) > 1 { // of the last there may be more
				return told[:len(told)-1], false, nil
			}
			after = next
		}
	}
}

// gather makes one happening of the lines of an entry, and one of a day's rewards.
func gather(lines []reports.JournalLine) (told []happening) {
	for start, end := 0, 0; start < len(lines); start = end {
		for end = start; end < len(lines) && sameHappening(lines[start], lines[end]); end++ {
		}
		told = append(told, happened(lines[start:end]))
	}
	return told
}

func sameHappening(a, b reports.JournalLine) bool {
	return a.At.Equal(b.At) && (a.Entry == b.Entry || a.Kind == reports.KindReward && b.Kind == reports.KindReward)
}

// happened is what the lines of one entry, or of a day's rewards, tell.
func happened(lines []reports.JournalLine) happening {
	first, last := lines[0], lines[len(lines)-1]
	h := happening{
		happeningPlace: happeningPlace{At: first.At.UnixMilli(), ID: last.Entry}, Name: string(first.Kind),
		Entry: first.Entry,
	}
	for _, l := range lines {
		i := slices.IndexFunc(h.Sides, func(s side) bool { return s.Asset == l.Asset && s.Held == l.Account.IsHeld() })
		if i < 0 {
			i = len(h.Sides)
			h.Sides = append(h.Sides, side{Asset: l.Asset, Held: l.Account.IsHeld()})
		}
		h.Sides[i].Amount += l.Amount // a sum of changes of one balance by one entry, which the books have made
	}
	switch first.Kind {
	case reports.KindReward:
		h.Day = staking.DayOf(first.At) - 1
		h.Entry = ""
	case ledger.Transfer:
		h.Name, h.Other = nameOf(first.Kind, first.Amount), first.Other.Owner()
	}
	h.Sides = slices.DeleteFunc(h.Sides, func(s side) bool { return s.Amount == 0 || s.Held && mirrored(first.Kind) })
	return h
}

// mirrored reports whether what such an entry puts on the held part is what it takes
// from the free one, or the other way round: then the free side tells it all.
func mirrored(kind ledger.Kind) bool {
	return kind == ledger.Hold || kind == ledger.Release || kind == ledger.WithdrawalRequest ||
		kind == ledger.WithdrawalCancelled
}

// What happened to an account is kept in several places, each of which tells the
// newest first. They are merged into one list by time. What happened in the same
// millisecond stands by source and, of one source, in that source's own order: so
// every happening has one place, and a page goes on exactly behind another.

// happeningPlace is the cursor of a happening in the list.
type happeningPlace struct {
	At     int64  // milliseconds since 1970
	Source int    // which of the sources tells it
	ID     string // the source's own name for it among those of the moment; "" is before them all
}

// compare is below zero where p is told before o, and 0 also for two of one source
// and moment, whose order only the source knows.
func (p happeningPlace) compare(o happeningPlace) int {
	return cmp.Or(cmp.Compare(o.At, p.At), cmp.Compare(p.Source, o.Source))
}

// from is where a source goes on behind the place: from a happening of its own on
// or, ID "", from the first of a moment on.
func (p happeningPlace) from(source int) (at int64, id string) {
	switch {
	case source < p.Source:
		return p.At - 1, "" // of this moment all is told
	case source > p.Source:
		return p.At, "" // of this moment nothing is told
	}
	return p.At, p.ID
}

// String is the cursor for an address.
func (p happeningPlace) String() string { return fmt.Sprintf("%d.%d.%s", p.At, p.Source, p.ID) }

// lastMoment is 31 December 9999, after which nothing happens.
const lastMoment = 253_402_300_799_999

// parsePlace reads what String wrote. Its error is ledger.ErrNotFound: there is no such page.
func parsePlace(s string, sources int) (p happeningPlace, err error) {
	at, rest, _ := strings.Cut(s, ".")
	source, id, _ := strings.Cut(rest, ".")
	p.ID = id
	var bad [2]error
	p.At, bad[0] = strconv.ParseInt(at, 10, 64)
	p.Source, bad[1] = strconv.Atoi(source)
	if bad[0] != nil || bad[1] != nil || p.At < 0 || p.At > lastMoment || p.Source < 0 || p.Source >= sources {
		return p, ledger.ErrNotFound.In("", "the place %q of a list", ledger.Clip(s))
	}
	return p, nil
}

// happeningSource tells one kind of happening, the newest first: those behind a
// place of its own, about so many; and whether these were the last. The last of
// them may be a gap, which says how far was read without finding more. A source
// that is not over tells at least one, or a gap.
type happeningSource func(ctx context.Context, at int64, id string, limit int) (told []happening, over bool, err error)

// sourceReader reads a source step by step.
type sourceReader struct {
	read   happeningSource
	number int
	at     int64
	id     string
	ready  []happening // read, and not told yet
	over   bool        // there are no more than those
}

// first is the next that the source has to tell, or nil.
func (r *sourceReader) first(ctx context.Context, limit int) (*happening, error) {
	if len(r.ready) == 0 && !r.over {
		told, over, err := r.read(ctx, r.at, r.id, limit)
		if err != nil {
			return nil, err
		}
		if len(told) == 0 && !over {
			return nil, fmt.Errorf("source %d of an activity list tells nothing and is not over", r.number)
		}
		for i := range told {
			told[i].Source = r.number
		}
		if n := len(told); n > 0 {
			r.at, r.id = told[n-1].At, told[n-1].ID
		}
		r.ready, r.over = told, over
	}
	if len(r.ready) == 0 {
		return nil, nil
	}
	return &r.ready[0], nil
}

// merge gives tell what the sources tell behind a place, the newest first, until
// tell returns that it is enough. Gaps are passed to it too.
func merge(
	ctx context.Context, sources []happeningSource, after happeningPlace, limit int,
	tell func(happening) (bool, error),
) error {
	readers := make([]*sourceReader, len(sources))
	for i, read := range sources {
		at, id := after.from(i)
		readers[i] = &sourceReader{read: read, number: i, at: at, id: id}
	}
	for {
		var next *happening
		var of *sourceReader
		for _, r := range readers {
			h, err := r.first(ctx, limit)
			if err != nil {
				return err
			}
			if h != nil && (next == nil || h.compare(next.happeningPlace) < 0) {
				next, of = h, r
			}
		}
		if next == nil {
			return nil
		}
		of.ready = of.ready[1:]
		if enough, err := tell(*next); err != nil || enough {
			return err
		}
	}
}

// maxGaps is how many gaps a page reads across before it is shown as it is.
const maxGaps = 4

// mergePage is at most so many of what the sources tell behind a place, and where
// the next page goes on; nil: there are no more. A page may be short, and not be
// the last: where for a long time there was nothing.
func mergePage(
	ctx context.Context, sources []happeningSource, after happeningPlace, most int,
) (page []happening, next *happeningPlace, err error) {
	gaps := 0
	err = merge(ctx, sources, after, most+1, func(h happening) (bool, error) {
		switch {
		case h.Gap:
			if gaps++; gaps == maxGaps {
				next = &h.happeningPlace
			}
		case len(page) == most:
			next = &page[most-1].happeningPlace
		default:
			page = append(page, h)
		}
		return next != nil, nil
	})
	return page, next, err
}
