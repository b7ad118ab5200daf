package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// closeAfter is how long past midnight a script's days stay open.
const closeAfter = 5 * time.Minute

// Player plays one script on one database.
type Player struct {
	t      testing.TB
	ctx    context.Context
	db     *store.DB
	clock  *testkit.Clock
	script *Script
	random bool // nothing is expected: what happens goes into the record alone
	late   bool // nothing is run before the last line

	refused map[int]bool // the lines that were refused, by number

	// Record has a line for each event: what the books answered.
	Record []string
}

// Play plays a script on new books at the address, with what it expects.
func Play(t testing.TB, s *Script, url string) *Player { return play(t, s, url, false) }

// PlayRandom plays a script that expects nothing: entries may be refused, and days may wait.
func PlayRandom(t testing.TB, s *Script, url string) *Player { return play(t, s, url, true) }

func play(t testing.TB, s *Script, url string, random bool) *Player {
	t.Helper()
	p := &Player{random: random}
	p.start(t, s, url)
	return p
}

// start plays the script.
func (p *Player) start(t testing.TB, s *Script, url string) {
	t.Helper()
	p.t, p.ctx, p.script = t, t.Context(), s
	p.clock, p.refused = testkit.NewClock(Day1.Start()), map[int]bool{}
	if err := p.prepare(url); err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	t.Cleanup(func() {
		if err := p.db.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, l := range s.lines {
		if err := p.play(l); err != nil {
			t.Fatalf("%s:%d: %s: %v", s.Name, l.n, l.text, err)
		}
	}
}

// prepare makes the books that the script presumes.
func (p *Player) prepare(url string) (err error) {
	b := store.Setup{
		From: Day1, Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments(),
		Limits: staking.NoLimit, CloseAfter: closeAfter,
	}
	for _, l := range p.script.lines {
		known := slices.ContainsFunc(b.Tokens, func(t staking.Token) bool { return t.Asset.Symbol == l.word(0) })
		if l.verb != "terms" || known {
			continue
		}
		asset := ledger.Asset{Symbol: l.word(0), Scale: 8, MaxSupply: 200_000_000_00000000}
		terms, err := l.terms(asset, Day1)
		if err != nil {
			return err
		}
		b.Tokens = append(b.Tokens, staking.Token{Asset: asset, Terms: terms})
	}
	if p.db, err = store.Create(p.ctx, url,
		store.Options{Clock: p.clock.Now, Actor: access.Process("scenario"), Volatile: true}, b); err != nil {
		return err
	}
	for _, token := range b.Tokens {
		if token.Terms.Mode != staking.Share && !p.script.has("fund", token.Asset.Symbol) {
			if _, err := p.db.Fund(p.ctx, "begin-"+token.Asset.Symbol, token.Asset.Symbol, 1_000_000_00000000,
				false); err != nil {
				return err
			}
		}
	}
	return p.openHolders()
}

// has reports whether the script has a line of the verb and first word.
func (s *Script) has(verb, word string) bool {
	return slices.ContainsFunc(s.lines, func(l line) bool { return l.verb == verb && l.word(0) == word })
}

// openHolders opens and enrolls those whom the script does not.
func (p *Player) openHolders() error {
	var holders []ledger.Account
	for _, l := range p.script.lines {
		named := map[string]int{"deposit": 1, "transfer": 2}[l.verb]
		for i := range named {
			if a := l.holder(i); a.CheckHolder() == nil && !slices.Contains(holders, a) &&
				!p.script.has("open", l.word(i)) {
				holders = append(holders, a)
			}
		}
	}
	for _, a := range holders {
		if _, err := p.db.OpenAccount(p.ctx, a, "DE"); err != nil {
			return err
		}
		if p.script.has("enroll", string(a)) {
			continue
		}
		if err := p.enroll(a, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// enroll accepts the documents and switches on.
func (p *Player) enroll(a ledger.Account, at time.Time) error {
	for _, name := range staking.DocumentNames {
		if err := p.db.Documents().Accept(p.ctx, a, name, 0, staking.Client{}); err != nil {
			return err
		}
	}
	_, err := p.db.Enroll(p.ctx, a, staking.Client{}, at)
	return err
}

// play plays one line.
func (p *Player) play(l line) error {
	do, known := verbs[l.verb]
	if !known {
		return fmt.Errorf("the verb %q is unknown", l.verb)
	}
	p.clock.Forward(dayOf(l.day).Start())
	if l.at >= 0 && l.refused != "future" {
		p.clock.Forward(l.moment())
	}
	answer, err := do(p, l)
	if err != nil {
		p.refused[l.n] = true
		answer = err.Error()
	}
	p.Record = append(p.Record, fmt.Sprintf("%d: %s: %s", l.n, l.text, answer))
	if p.random && l.verb != "day" {
		return unexpected(err)
	}
	return p.compare(l, err)
}

// refusals are what an event can be refused for, by the word of the script.
var refusals = map[string]error{
	"insufficient": ledger.ErrInsufficient,
	"closed":       ledger.ErrDayClosed,
	"conflict":     ledger.ErrConflict,
	"unknown":      ledger.ErrNotFound,
	"invalid":      ledger.ErrInvalid,
	"future":       ledger.ErrInvalid,
	"region":       staking.ErrRegion,
	"documents":    staking.ErrDocuments,
	"app":          staking.ErrUpdateApp,
}

// compare is how what happened differs from what was expected, or nil.
func (p *Player) compare(l line, err error) error {
	if l.refused == "" {
		return err
	}
	want, known := refusals[l.refused]
	switch {
	case !known:
		return fmt.Errorf("the reason %q is unknown", l.refused)
	case err == nil:
		return fmt.Errorf("it was not refused")
	case !errors.Is(err, want) || (l.refused == "future" && ledger.ReasonOf(err) != store.ReasonFuture):
		return fmt.Errorf("refused for another reason: %w", err)
	}
	return nil
}

// unexpected is an error that is no refusal: a database's.
func unexpected(err error) error {
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			return nil
		}
	}
	return err
}

// Books are those the script is played on. They are closed when the test ends.
func (p *Player) Books() *store.DB { return p.db }
