package scenario

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// held is a call of Post that stands in the middle of its transaction, at the lock
// of a day's row: what else happens then happens in between, for certain.
type held struct {
	entries []ledger.Entry // dated today, and yesterday
	answer  chan error
	results []store.Outcome // to be read after the answer
	release func()
}

// hold posts two deposits, one dated today and, in a later bucket, one dated
// yesterday, and has the call wait at the row of today.
func hold(t *testing.T, url string, db *store.DB, town Town, today staking.Day) *held {
	t.Helper()
	a, b := town.Holder(0), town.Holder(1)
	for n := 2; a.Bucket() >= b.Bucket(); n++ {
		b = town.Holder(n)
	}
	deposit := func(id string, to ledger.Account, at time.Time) ledger.Entry {
		return ledger.Entry{
			ID: id, Kind: ledger.Deposit, At: at,
			Moves: []ledger.Move{{From: ledger.Custody, To: to, Asset: "BNB", Amount: 1}},
		}
	}
	h := &held{
		answer:  make(chan error, 1),
		entries: []ledger.Entry{deposit("today", a, today.Start()), deposit("yesterday", b, (today - 1).Start())},
	}
	c, err := pgx.Connect(t.Context(), pgtest.Owner(url))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(t.Context(), "SELECT 1 FROM days WHERE bucket = $1 AND day = $2 FOR UPDATE", a.Bucket(),
		int64(today)); err != nil {
		t.Fatal(err)
	}
	h.release = func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
	go func() {
		var err error
		h.results, err = db.Post(context.Background(), h.entries)
		h.answer <- err
	}()
	if !eventually(20*time.Second, func() bool {
		lines, err := Rows(t.Context(), url, "SELECT 1 FROM pg_stat_activity "+
			"WHERE wait_event_type = 'Lock' AND datname = current_database()")
		return err == nil && len(lines) == 1
	}) {
		t.Fatal("the call does not wait at the lock")
	}
	return h
}

// wait waits for what the call answers.
func (h *held) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-h.answer:
		return err
	case <-time.After(time.Minute):
		t.Fatal("the call is not answered")
		return nil
	}
}

// TestADayIsClosedUnderAnEntry closes a day after a call of Post has looked at
// which days are open, and before it has the lock of that day: its entry is refused.
func TestADayIsClosedUnderAnEntry(t *testing.T) {
	town := Town{Holders: 50, Days: 1, Last: Day1}
	url := NewURL(t, "postgres", false)
	town.Build(t, url, Chance(1, 0))
	clock := testkit.NewClock((Day1 + 1).Start().Add(time.Hour))
	db := Open(t, url, clock.Now)
	h := hold(t, url, db, town, Day1+1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := db.CloseDays(ctx, Day1, clock.Now()); err != nil {
		t.Fatal(err)
	}
	h.release()
	if err := h.wait(t); err != nil {
		t.Fatal(err)
	}
	if h.results[0].Err != nil || !errors.Is(h.results[1].Err, ledger.ErrDayClosed) {
		t.Errorf("today: %v; yesterday, which is closed: %v", h.results[0].Err, h.results[1].Err)
	}
	runUntilDone(t, db, clock.Now(), town.Options())
	Clean(t, db)
}

// TestPostgresGoesAwayUnderAnEntry stops PostgreSQL in the middle of a call of
// Post: it is answered, with an error, and may be made again.
func TestPostgresGoesAwayUnderAnEntry(t *testing.T) {
	server := pgtest.New(t)
	url, err := server.NewDatabase(t.Context(), "town")
	if err != nil {
		t.Fatal(err)
	}
	town := Town{Holders: 50, Days: 1, Last: Day1}
	town.Build(t, url, Chance(1, 0))
	clock := testkit.NewClock((Day1 + 1).Start().Add(time.Hour))
	db := Open(t, url, clock.Now)
	h := hold(t, url, db, town, Day1+1)
	if err := server.StopNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.wait(t); err == nil {
		t.Error("the call was answered well by a server that is not there")
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	outcomes, err := db.Post(t.Context(), h.entries)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range outcomes {
		if o.Err != nil || o.Repeated {
			t.Errorf("%s: repeated %t, %v", h.entries[i].ID, o.Repeated, o.Err)
		}
	}
	Clean(t, db)
}

// TestAnErrorOfTheDatabaseIsAnswered takes a table away, so that postings fail for
// good: the caller hears of it, and may try again when it is back.
func TestAnErrorOfTheDatabaseIsAnswered(t *testing.T) {
	for _, kind := range Databases {
		t.Run(kind, func(t *testing.T) {
			town := Town{Holders: 50, Days: 1, Last: Day1}
			url := NewURL(t, kind, false)
			town.Build(t, url, Chance(1, 0))
			db := Open(t, url, testkit.NewClock((Day1 + 1).Start()).Now)
			post := func(id string) error {
				h := &held{answer: make(chan error, 1)}
				go func() {
					_, err := db.Post(t.Context(), []ledger.Entry{town.Transfer(id, Chance(1, 1))})
					h.answer <- err
				}()
				return h.wait(t)
			}
			rename := func(from, to string) {
				if _, err := Rows(t.Context(), url, "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
					t.Fatal(err)
				}
			}
			if err := post("before"); err != nil {
				t.Fatal(err)
			}
			rename("days", "taken_away")
			if err := post("between"); err == nil {
				t.Error("posted without a table that it takes")
			}
			rename("taken_away", "days")
			if err := post("between"); err != nil {
				t.Error(err)
			}
			Clean(t, db)
		})
	}
}
