package scenario

import (
	"errors"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestKilledWhileApproving kills the program while it approves, at moments from its start to its end: a proposal is
// decided and its operation done, or neither, and who approves it then does it once. One operation is posted with
// others, the other has a transaction of its own.
func TestKilledWhileApproving(t *testing.T) {
	town := Town{Holders: 3, Days: 1, Last: yesterday()}
	for _, kind := range Databases {
		t.Run(kind, func(t *testing.T) {
			books := NewURL(t, kind, true)
			town.Build(t, books, Chance(Seed(t), 0))
			for _, c := range []struct {
				done    string // how often the operation is done, as SQL counts it
				propose func(*store.DB) error
			}{
				{"SELECT count(*) FROM entries WHERE entry LIKE '%out-1'", func(books *store.DB) error {
					_, err := books.Fund(t.Context(), "out-1", "BNB", 1, true)
					return err
				}},
				{"SELECT count(*) FROM terms WHERE minimum = 7", func(books *store.DB) error {
					terms := staking.Terms{Asset: "BNB", From: staking.DayOf(time.Now()) + 2, Offered: true, APR: 1_000_000,
						Min: 7, Cap: 100}
					return books.SetTerms(t.Context(), terms)
				}},
			} {
				killApprovals(t, Copy(t, books), c.done, c.propose)
			}
		})
	}
}

// killApprovals proposes an operation, and kills the program that approves it.
func killApprovals(t *testing.T, books, done string, propose func(*store.DB) error) {
	t.Helper()
	id, effect := proposed(t, books, propose)
	state := func(url string) string {
		t.Helper()
		return testkit.Must(Rows(t.Context(), url,
			"SELECT (SELECT count(*) FROM proposals WHERE decision = 'executed'), ("+done+")"))(t)[0]
	}
	approve := func(url string) *Process {
		return Start(t, url, nil, nil, "proposal", "approve", id, "--effect", effect, "--actor", "bob")
	}
	open, executed := "", ""
	began, url := time.Now(), Copy(t, books)
	open = state(url)
	if err := approve(url).Wait(time.Minute); err != nil {
		t.Fatal(err)
	}
	executed = state(url)
	span, rounds, killed, halfway := time.Since(began), 4, 0, 0
	if Long() {
		rounds = 60
	}
	for i := range rounds {
		url := Copy(t, books)
		p := approve(url)
		moment := time.NewTimer(span * time.Duration(i) / time.Duration(rounds))
		select {
		case <-moment.C:
		case <-p.exited:
		}
		moment.Stop()
		was, err := p.Kill()
		if err != nil {
			t.Fatal(err)
		}
		if was {
			killed++
		}
		s := state(url)
		if s == open {
			halfway++
		} else if s != executed {
			t.Fatalf("killed, %s: decided and done %s times; it was %s, and is %s when it is executed", id, s, open, executed)
		}
		if err := approve(url).Wait(time.Minute); err != nil {
			t.Fatal(err)
		}
		if s := state(url); s != executed {
			t.Fatalf("approved again, %s: decided and done %s times, not %s", id, s, executed)
		}
	}
	t.Logf("%d of %d were killed, %d of them before it was done", killed, rounds, halfway)
	if open == executed || killed == 0 {
		t.Errorf("%d were killed; before and after an approval it is %s and %s", killed, open, executed)
	}
}

// proposed turns four eyes on and proposes an operation as olga, and closes the books. It returns the proposal's ID and
// the digest of its effect.
func proposed(t *testing.T, url string, propose func(*store.DB) error) (id, effect string) {
	t.Helper()
	olga := access.Actor{Role: access.Operator, Credential: "operator olga", Person: "olga"}
	books := testkit.Must(store.Open(t.Context(), url, store.Options{Clock: time.Now, Actor: olga}))(t)
	err := books.SetFourEyes(t.Context(), true)
	if err == nil {
		err = propose(books)
	}
	needed, is := errors.AsType[*control.Needed](err)
	if !is {
		t.Fatalf("it needs approval: %v", err)
	}
	p := testkit.Must(books.Propose(t.Context(), needed.Draft, "as agreed"))(t)
	if err := books.Close(); err != nil {
		t.Fatal(err)
	}
	return p.ID, p.EffectDigest()
}
