package store_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func attempt(t *testing.T, db *store.DB, who string) time.Duration {
	t.Helper()
	return testkit.Must(db.People().CountAttempt(t.Context(), who, 3, time.Minute))(t)
}

func TestAttemptsAreLimited(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		for range 3 {
			if wait := attempt(t, db, "alice"); wait != 0 {
				t.Errorf("it is to wait %v", wait)
			}
			clock.Advance(10 * time.Second)
		}
		for _, want := range []time.Duration{30 * time.Second, 20 * time.Second} {
			if wait := attempt(t, db, "alice"); wait != want {
				t.Errorf("it is to wait %v, not %v", wait, want)
			}
			clock.Advance(10 * time.Second)
		}
		if wait := attempt(t, db, "bob"); wait != 0 {
			t.Errorf("another is to wait %v", wait)
		}
		clock.Advance(10*time.Second - time.Millisecond)
		if wait := attempt(t, db, "alice"); wait != time.Millisecond {
			t.Errorf("at the end it is to wait %v", wait)
		}
		clock.Advance(time.Millisecond) // a new window
		for range 3 {
			if wait := attempt(t, db, "alice"); wait != 0 {
				t.Errorf("in the next window it is to wait %v", wait)
			}
		}
		if wait := attempt(t, db, "alice"); wait != time.Minute {
			t.Errorf("after the next three it is to wait %v", wait)
		}
		for range 2 {
			ok(t, db.People().ResetAttempts(t.Context(), "alice"))
		}
		if wait := attempt(t, db, "alice"); wait != 0 {
			t.Errorf("after the reset it is to wait %v", wait)
		}
	})
}

// Attempts all at once do not pass the limit.
func TestAttemptsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		var all sync.WaitGroup
		var taken atomic.Int32
		for range 12 {
			all.Go(func() {
				switch wait, err := db.People().CountAttempt(t.Context(), "alice", 3, time.Minute); {
				case err != nil:
					t.Error(err)
				case wait == 0:
					taken.Add(1)
				}
			})
		}
		if all.Wait(); taken.Load() != 3 {
			t.Errorf("%d are taken", taken.Load())
		}
	})
}

// An attempt that is taken back leaves its place to another, and none is taken back twice.
func TestAttemptsAreTakenBack(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		for range 3 {
			attempt(t, db, "alice")
		}
		ok(t, db.People().UncountAttempts(ctx, "alice", "bob"))
		if wait := attempt(t, db, "alice"); wait != 0 {
			t.Errorf("it is to wait %v", wait)
		}
		if wait := attempt(t, db, "alice"); wait != time.Minute {
			t.Errorf("after the next one it is to wait %v", wait)
		}
		for range 5 {
			ok(t, db.People().UncountAttempts(ctx, "alice"))
		}
		for range 3 {
			if wait := attempt(t, db, "alice"); wait != 0 {
				t.Errorf("it is to wait %v", wait)
			}
		}
		if wait := attempt(t, db, "alice"); wait == 0 {
			t.Error("more were taken back than there were")
		}
		ok(t, db.People().UncountAttempts(ctx))
	})
}

// A clock that goes a little wrong lets nobody try more often, and one that was far
// ahead locks nobody out for long.
func TestAttemptsOnAWrongClock(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		for range 3 {
			attempt(t, db, "alice")
		}
		clock.Advance(-time.Second)
		if wait := attempt(t, db, "alice"); wait != time.Minute+time.Second {
			t.Errorf("it is to wait %v", wait)
		}
		clock.Advance(-people.AttemptsKept)
		if wait := attempt(t, db, "alice"); wait != 0 {
			t.Errorf("it is to wait %v", wait)
		}
	})
}

func TestAttemptsAreForgottenAndShowNobody(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		attempt(t, db, "Secret, typed into the wrong field\x00\xff")
		if n := testkit.Must(db.Count(ctx, "SELECT count(*) FROM attempts WHERE counter LIKE '%ecret%' OR "+
			"length(counter) <> 64"))(t); n != 0 {
			t.Error("who attempted stands in the books")
		}
		clock.Advance(people.AttemptsKept - time.Millisecond)
		attempt(t, db, "bob")
		for _, want := range []int64{2, 1} {
			ok(t, db.Prune(ctx, people.Retention{}))
			if n := testkit.Must(db.Count(ctx, "SELECT count(*) FROM attempts"))(t); n != want {
				t.Errorf("%d are kept, not %d", n, want)
			}
			clock.Advance(time.Millisecond)
		}
		for _, c := range []struct {
			most   int
			window time.Duration
		}{{0, time.Minute}, {-1, time.Minute}, {3, 0}, {3, people.AttemptsKept + 1}} {
			_, err := db.People().CountAttempt(ctx, strings.Repeat("x", 9), c.most, c.window)
			wants(t, err, ledger.ErrInvalid)
		}
	})
}
