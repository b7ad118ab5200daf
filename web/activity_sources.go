package web

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
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
func (s *server) sources(id ledger.Account, asked activityAsked) []happeningSource {
	sources := slices.Repeat([]happeningSource{tellNothing}, activitySources)
	lines := reports.LinesAsked{To: staking.DayOf(s.Books.Now()) + 1, Asset: asked.Asset}
	switch asked.Show {
	case showRewards:
		lines.Kind = reports.KindReward
	case showWallet:
		lines.NoRewards = true
	}
	if asked.Show == showAll || asked.Show == showWallet || asked.Show == showRewards {
		sources[0] = s.tellJournal(id, lines)
	}
	if asked.Asset != "" {
		return sources
	}
	if asked.Show == showAll || asked.Show == showStaking {
		sources[1] = s.tellSwitchEvents(id)
		sources[2] = s.tellAccount(id, asked.Show == showAll)
	}
	if asked.Show == showAll || asked.Show == showSignIns {
		sources[3] = s.readSecurityEvents(id)
	}
	return sources
}

func tellNothing(context.Context, int64, string, int) ([]happening, bool, error) {
	return nil, true, nil
}

// tellSwitchEvents tells what was done to the switch.
func (s *server) tellSwitchEvents(id ledger.Account) happeningSource {
	return func(ctx context.Context, at int64, name string, limit int) (told []happening, over bool, err error) {
		after := store.SwitchEvent{At: time.UnixMilli(at), Action: name}
		if name == "" {
			after.At = time.UnixMilli(at + 1) // those of a moment are told from the last word to the first
		}
		events, err := s.Reports.LatestSwitchEvents(ctx, id, &after, limit)
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

// tellAccount tells which documents were accepted and, if it is asked for, when the
// account was opened. They are few.
func (s *server) tellAccount(id ledger.Account, opened bool) happeningSource {
	return func(ctx context.Context, at int64, name string, _ int) ([]happening, bool, error) {
		acceptances, err := s.Reports.Acceptances(ctx, id)
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
			account, err := s.Books.Account(ctx, id)
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
func (s *server) readSecurityEvents(id ledger.Account) happeningSource {
	return func(ctx context.Context, at int64, name string, limit int) (told []happening, over bool, err error) {
		after := people.SecurityEvent{At: time.UnixMilli(at), Nonce: name}
		if name == "" {
			after.At = time.UnixMilli(at + 1)
		}
		events, err := s.Books.People().SecurityEvents(ctx, id, &after, limit)
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

// tellJournal tells what changed the account's balances: an entry, or a day's
// rewards, is one happening with all its sides.
func (s *server) tellJournal(id ledger.Account, asked reports.LinesAsked) happeningSource {
	return func(ctx context.Context, at int64, name string, _ int) (told []happening, over bool, err error) {
		after := &reports.LineKey{At: time.UnixMilli(at), Entry: name, Move: -1}
		if name != "" {
			after.Move, after.Side = math.MaxInt16, math.MaxInt16 // behind all of its lines
		}
		var lines []reports.JournalLine
		for {
			page, next, err := s.Reports.Lines(ctx, id, asked, after, journalLines)
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
