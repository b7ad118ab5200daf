package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// rules.md, the clock: on on Day 1, measured on Day 2, paid on Day 3.
func TestDay1Day2Day3(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		deposit(t, db, "d", "alice", 1000, "BNB", time.Time{})
		testkit.Must(db.Fund(t.Context(), "f", "BNB", 100_00000000, false))(t)
		if e := on(t, db, "alice"); e != (staking.Enrollment{Account: "alice", From: day1 + 1, Until: staking.Forever}) {
			t.Errorf("the enrollment is %+v", e)
		}
		clock.Set(2, "00:05")
		settle(t, db, clock)
		if got := earned(t, db, "alice", "BNB"); got != 0 {
			t.Errorf("Day 1 has earned %d", got)
		}
		clock.Set(3, "00:05")
		settle(t, db, clock)
		if got := earned(t, db, "alice", "BNB"); got != 410_958 { // 1000 BNB × 0.0015 / 365
			t.Errorf("Day 2 has earned %d", got)
		}
	})
}

func TestTheSwitchCoversWholeDays(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		for i, c := range []struct {
			events  string // what, day and hour of each
			covered string // days 1 to 6
		}{
			{"on 1 12:00", ".xxxxx"},
			{"on 2 00:00", "..xxxx"},
			{"on 1 23:59:59", ".xxxxx"},
			{"on 1 12:00, on 3 12:00", ".xxxxx"},
			{"on 1 12:00, off 1 13:00", "......"},
			{"on 1 12:00, off 1 13:00, on 1 14:00", ".xxxxx"},
			{"on 1 12:00, off 1 13:00, on 2 14:00", "..xxxx"},
			{"on 1 12:00, off 2 13:00", "......"},
			{"on 1 12:00, off 2 13:00, on 2 14:00", "..xxxx"},
			{"on 1 12:00, off 4 00:00", ".xx..."},
			{"on 1 12:00, off 4 13:00, on 4 14:00", ".xx.xx"},
			{"on 1 12:00, off 4 13:00, on 4 14:00, off 4 15:00", ".xx..."},
			{"on 1 12:00, off 4 13:00, on 4 14:00, off 4 15:00, on 4 15:00", ".xx.xx"},
			{"on 1 12:00, off 3 13:00, on 5 14:00", ".x...x"},
			{"off 1 12:00", "......"},
			{"on 1 12:00, off 3 01:00, off 4 01:00", ".x...."},
			{"on 2 12:00, off 2 12:00, on 2 12:00", "..xxxx"}, // in one millisecond
		} {
			id := ledger.Account(fmt.Sprintf("user-%d", i))
			clock.Set(1, "10:00")
			open(t, db, id)
			for _, event := range strings.Split(c.events, ", ") {
				words := strings.Fields(event)
				clock.Set(int(words[1][0]-'0'), words[2])
				if words[0] == "on" {
					on(t, db, id)
				} else {
					off(t, db, id)
				}
			}
			if got := covered(t, db, id, 6); got != c.covered {
				t.Errorf("%s: covers %s, not %s", c.events, got, c.covered)
			}
			for _, e := range testkit.Must(reports.New(db.Reader()).Enrollments(t.Context(), id))(t) {
				if e.Until < e.From {
					t.Errorf("%s: an enrollment ends before it begins: %+v", c.events, e)
				}
			}
		}
	})
}

// The order of the checks: already on → success; region; app version; documents.
func TestTheOrderOfTheChecks(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		old := staking.Client{Platform: "iPadOS", Version: "3.0.9", Address: "192.0.2.7", Country: "us"}
		enroll := func(c staking.Client) error {
			clock.Advance(time.Second)
			_, err := db.Enroll(ctx, "alice", c, time.Time{})
			return err
		}
		testkit.Must(db.OpenAccount(ctx, "alice", ""))(t)
		wants(t, enroll(old), staking.ErrRegion) // no verified residence
		setRegion(t, db, "alice", "DE")
		wants(t, enroll(old), staking.ErrRegion) // the request comes from US
		old.Country = "DE"
		wants(t, enroll(old), staking.ErrUpdateApp)
		current := staking.Client{Platform: "iPhone", Version: "3.1.0"}
		wants(t, enroll(current), staking.ErrDocuments)
		accept(t, db, "alice")
		ok(t, enroll(current))
		old.Country = "US"
		ok(t, enroll(old)) // already on
		ok(t, db.Leave(ctx, "alice", staking.Client{Platform: "ios\n", Version: "1", Country: "nowhere"}, time.Time{}))
		if got := covered(t, db, "alice", 3); got != "..." {
			t.Errorf("switching off always works; it covers %s", got)
		}
		var actions []string
		for _, p := range testkit.Must(reports.New(db.Reader()).SwitchEvents(ctx, "alice"))(t) {
			actions = append(actions, p.Action+"|"+p.Client+"|"+p.Address)
		}
		want := "refused: region|ios 3.0.9|192.0.2.7 US,refused: app version|ios 3.0.9|192.0.2.7 DE," +
			"refused: documents|ios 3.1.0|,on|ios 3.1.0|,off||"
		if got := strings.Join(actions, ","); got != want {
			t.Errorf("kept are\n%s, not\n%s", got, want)
		}
		for _, c := range []staking.Client{{Platform: "ios\x00"}, {Version: strings.Repeat("1", 201)}, {Address: "\xff"},
			{Country: "USA"}} {
			wants(t, enroll(c), ledger.ErrInvalid)
		}
		_, err := db.Enroll(ctx, "bob", current, time.Time{})
		wants(t, err, ledger.ErrNotFound)
		wants(t, db.Leave(ctx, "bob", current, time.Time{}), ledger.ErrNotFound)
		_, err = db.Enroll(ctx, "@custody", current, time.Time{})
		wants(t, err, ledger.ErrInvalid)
	})
}

func TestASwitchEventMayBeDatedBackWithinOpenDays(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		enroll := func(at time.Time) error {
			_, err := db.Enroll(ctx, "alice", staking.Client{}, at)
			return err
		}
		clock.Set(3, "12:00")
		wants(t, enroll(testkit.Moment(3, "12:01")), ledger.ErrInvalid)
		wants(t, enroll(noon.Add(-24*time.Hour)), ledger.ErrDayClosed)
		ok(t, enroll(testkit.Moment(1, "09:00")))
		wants(t, enroll(testkit.Moment(1, "08:00")), ledger.ErrInvalid) // it was switched on at 09:00
		ok(t, db.Leave(ctx, "alice", staking.Client{}, testkit.Moment(3, "10:00")))
		wants(t, db.Leave(ctx, "alice", staking.Client{}, testkit.Moment(2, "10:00")), ledger.ErrInvalid)
		wants(t, enroll(testkit.Moment(2, "10:00")), ledger.ErrInvalid)
		ok(t, enroll(testkit.Moment(1, "09:00"))) // the very same event again
		ok(t, db.Leave(ctx, "alice", staking.Client{}, testkit.Moment(3, "10:00")))
		if got := covered(t, db, "alice", 5); got != ".x..." {
			t.Errorf("it covers %s", got)
		}
		if e := testkit.Must(db.Enroll(ctx, "alice", staking.Client{}, testkit.Moment(1, "09:00")))(t); e.From != day1+1 ||
			e.Until != day1+2 {
			t.Errorf("switched on again on Day 1, it is %+v", e)
		}
		settle(t, db, clock)
		wants(t, enroll(testkit.Moment(2, "23:59")), ledger.ErrDayClosed)
		wants(t, db.Leave(ctx, "alice", staking.Client{}, testkit.Moment(2, "23:59")), ledger.ErrDayClosed)
		ok(t, enroll(time.Time{}))
		if got := covered(t, db, "alice", 5); got != ".x.xx" {
			t.Errorf("it covers %s", got)
		}
	})
}

func TestManyChangesAtOnceLeaveOneEnrollment(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		clock.Set(2, "12:00")
		var all sync.WaitGroup
		errs := make([]error, 16)
		for i := range errs {
			all.Go(func() {
				if i%2 == 0 {
					_, errs[i] = db.Enroll(t.Context(), "alice", staking.Client{}, time.Time{})
				} else {
					errs[i] = db.Leave(t.Context(), "alice", staking.Client{}, time.Time{})
				}
			})
		}
		all.Wait()
		ok(t, errors.Join(errs...))
		on(t, db, "alice")
		if got := covered(t, db, "alice", 5); got != "..xxx" {
			t.Errorf("it covers %s", got)
		}
		if all := testkit.Must(reports.New(db.Reader()).Enrollments(t.Context(), "alice"))(t); len(all) != 1 {
			t.Errorf("there are %v", all)
		}
	})
}
