package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestBooksThatAreUpgradedUnderAProgram: it reads and writes nothing of them any more.
func TestBooksThatAreUpgradedUnderAProgram(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		ok(t, db.CheckSchema(ctx))
		testkit.Must(db.Exec(ctx, "INSERT INTO migrations (number) VALUES (1000)"))(t)
		e := oneMove("d", ledger.Deposit, ledger.Custody, "alice", 10)
		_, posted := db.Post(ctx, []ledger.Entry{e})
		_, status := reports.New(db.Reader()).Status(ctx)
		_, run := staking.Run(ctx, db, clock.Now(), staking.Options{})
		for what, err := range map[string]error{"check": db.CheckSchema(ctx), "post": posted, "status": status, "run": run} {
			if !errors.Is(err, store.ErrSchema) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// TestATransactionAndAnUpgradeWaitForEachOther: whichever comes first, no transaction
// goes on beyond the other's end with the schema that it began with.
func TestATransactionAndAnUpgradeWaitForEachOther(t *testing.T) {
	t.Run("the upgrade comes first", func(t *testing.T) {
		twoOnPostgres(t, func(t *testing.T, url string, one, two *store.DB) {
			g := shut(t, url, "LOCK TABLE migrations IN ACCESS EXCLUSIVE MODE")
			g.do("INSERT INTO migrations (number) VALUES (1000)")
			posted := later(t, one, oneMove("d", ledger.Deposit, ledger.Custody, "alice", 10))
			g.waiting(1)
			run := make(chan error, 1)
			go func() { // its transactions read one snapshot
				run <- two.Accrue(t.Context(), staking.Batch{0}, day1, []string{bnb}, staking.Accrue)
			}()
			g.waiting(2)
			g.do("COMMIT")
			wants(t, (<-posted).Err, store.ErrSchema)
			wants(t, <-run, store.ErrSchema)
			g.do("DELETE FROM migrations WHERE number = 1000")
		})
	})
	t.Run("the transaction comes first", func(t *testing.T) {
		url, clock := pgtest.Database(t), testkit.NewClock(noon)
		ok(t, store.CreateOld(t.Context(), url, options(clock), shipped(t, day1), store.Released, "alice"))
		g := shut(t, url, "LOCK TABLE migrations IN ACCESS SHARE MODE")
		done := make(chan error, 1)
		go func() {
			_, err := store.Upgrade(t.Context(), url, options(clock), nil)
			done <- err
		}()
		g.waiting(1)
		g.open()
		ok(t, <-done)
	})
	t.Run("the transaction does not end", func(t *testing.T) {
		url, clock := pgtest.Database(t), testkit.NewClock(noon)
		ok(t, store.CreateOld(t.Context(), url, options(clock), shipped(t, day1), store.Released, "alice"))
		g := shut(t, url, "LOCK TABLE migrations IN ACCESS SHARE MODE")
		store.SetSchemaWait(t, 50*time.Millisecond)
		_, err := store.Upgrade(t.Context(), url, options(clock), nil)
		if err == nil || !strings.Contains(err.Error(), "stop those that use these books") {
			t.Errorf("the upgrade: %v", err)
		}
		g.open()
		testkit.Must(store.Upgrade(t.Context(), url, options(clock), nil))(t)
	})
}

// TestAnUpgradeThatIsInterrupted leaves the books as they were before the migration
// that was being run, and goes on with it.
func TestAnUpgradeThatIsInterrupted(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		ctx, clock := t.Context(), testkit.NewClock(noon)
		db := testkit.Must(store.Create(ctx, url, options(clock), shipped(t, day1)))(t)
		open(t, db, "alice")
		ok(t, db.Close())
		interrupt := errors.New("interrupted")
		var fail error = interrupt
		store.AddMigrations(t, func() error { return nil }, func() error { return fail })

		var steps [][2]int64
		progress := func(migration, rows int64) { steps = append(steps, [2]int64{migration, rows}) }
		_, err := store.Upgrade(ctx, url, options(clock), progress)
		wants(t, err, interrupt)
		_, err = store.Open(ctx, url, options(clock))
		wantsOutdated(t, err, store.Schema+1)
		fail = nil
		if u := testkit.Must(store.Upgrade(ctx, url, options(clock), progress))(t); u.From != store.Schema+1 ||
			u.To != store.Schema+2 {
			t.Errorf("upgraded %+v", u)
		}
		one, two := store.Schema+1, store.Schema+2
		if want := [][2]int64{{one, 0}, {one, 1}, {two, 0}, {two, 1}, {two, 0}, {two, 1}}; !slices.Equal(steps, want) {
			t.Errorf("progress: %v", steps)
		}
		db = testkit.Must(store.Open(ctx, url, options(clock)))(t)
		closeAfter(t, db)
		if n := testkit.Must(db.Count(ctx, "SELECT count(*) FROM filled"))(t); n != 2 {
			t.Errorf("%d migrations were run to their end", n)
		}
		deposit(t, db, "d", "alice", 1, bnb, time.Time{})
	})
}
