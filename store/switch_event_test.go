package store_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// actions are what is recorded of an account's switch, the oldest first.
func actions(t *testing.T, db *store.DB, id ledger.Account) (all []string) {
	t.Helper()
	for _, p := range testkit.Must(reports.New(db.Reader()).SwitchEvents(t.Context(), id))(t) {
		all = append(all, p.Action)
	}
	return all
}

// What changes nothing is recorded at most once an hour, so that nobody fills the books
// with it; each change is recorded.
func TestQuietSwitchEvents(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		old := staking.Client{Platform: "ios", Version: "3.0.9"}
		for _, c := range []struct {
			id    ledger.Account
			event func(id ledger.Account) error
			want  []string
		}{
			{"on", func(id ledger.Account) error { _, err := db.Enroll(ctx, id, staking.Client{}, time.Time{}); return err },
				[]string{"on", "on", "on"}},
			{"off", func(id ledger.Account) error { return db.Leave(ctx, id, staking.Client{}, time.Time{}) },
				[]string{"off", "off", "off"}},
			{"refused", func(id ledger.Account) error {
				_, region := db.Enroll(ctx, id, staking.Client{Country: "US"}, time.Time{})
				_, version := db.Enroll(ctx, id, old, time.Time{})
				if errors.Is(region, staking.ErrRegion) && errors.Is(version, staking.ErrUpdateApp) {
					return nil
				}
				return errors.Join(region, version, errors.New("it is not refused"))
			}, []string{"refused: app version", "refused: region", "refused: app version", "refused: region",
				"refused: app version", "refused: region"}},
		} {
			clock.Set(1, "12:00")
			open(t, db, c.id)
			for range 2*60 + 1 { // two hours, each minute
				ok(t, c.event(c.id))
				clock.Advance(time.Minute)
			}
			if got := actions(t, db, c.id); !slices.Equal(got, c.want) {
				t.Errorf("%s: recorded is %q, want %q", c.id, got, c.want)
			}
		}
		// Changes are recorded, however close together.
		clock.Set(1, "16:00")
		open(t, db, "both")
		for range 3 {
			on(t, db, "both")
			clock.Advance(time.Second)
			off(t, db, "both")
			clock.Advance(time.Second)
		}
		if got := actions(t, db, "both"); !slices.Equal(got, []string{"on", "off", "on", "off", "on", "off"}) {
			t.Errorf("recorded is %q", got)
		}
	})
}

// Of many calls at the same time that change nothing, one is recorded.
func TestQuietSwitchEventsAtTheSameTime(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		testkit.Must(db.OpenAccount(t.Context(), "alice", "US"))(t)
		testkit.Must(db.OpenAccount(t.Context(), "bob", "DE"))(t)
		var all sync.WaitGroup
		errs := make([]error, 16)
		for i := range errs {
			all.Go(func() {
				if i%2 == 0 {
					_, errs[i] = db.Enroll(t.Context(), "alice", staking.Client{}, time.Time{})
					return
				}
				errs[i] = db.Leave(t.Context(), "bob", staking.Client{}, time.Time{})
			})
		}
		all.Wait()
		for i, err := range errs {
			if i%2 == 0 {
				wants(t, err, staking.ErrRegion)
			} else {
				ok(t, err)
			}
		}
		if a, b := actions(t, db, "alice"), actions(t, db, "bob"); !slices.Equal(a, []string{"refused: region"}) ||
			!slices.Equal(b, []string{"off"}) {
			t.Errorf("recorded are %q and %q", a, b)
		}
	})
}

// A dated event that changed nothing, and that another row stands for, is answered as
// the first time when it is repeated after the switch has changed.
func TestAQuietSwitchEventIsIdempotent(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		clock.Set(1, "18:00")
		enroll := func(hour string) error {
			_, err := db.Enroll(t.Context(), "alice", staking.Client{}, testkit.Moment(1, hour))
			return err
		}
		ok(t, enroll("13:00"))
		ok(t, enroll("13:30"))
		ok(t, db.Leave(t.Context(), "alice", staking.Client{}, testkit.Moment(1, "14:00")))
		ok(t, enroll("13:30"))
		wants(t, db.Leave(t.Context(), "alice", staking.Client{}, testkit.Moment(1, "13:30")), ledger.ErrInvalid)
		wants(t, enroll("12:30"), ledger.ErrInvalid)
		if got := covered(t, db, "alice", 3); got != "..." {
			t.Errorf("it covers %s", got)
		}
	})
}
