package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// residents opens an account in each region, switches it on, and gives it 2 BNB.
func residents(t *testing.T, db *store.DB, regions map[ledger.Account]staking.Region) {
	t.Helper()
	for id, region := range regions {
		testkit.Must(db.OpenAccount(t.Context(), id, region))(t)
		accept(t, db, id)
		on(t, db, id)
		deposit(t, db, "d-"+string(id), id, 2, "BNB", time.Time{})
	}
}

func wantsCovered(t *testing.T, db *store.DB, days int, wanted map[ledger.Account]string) {
	t.Helper()
	for id, want := range wanted {
		if got := covered(t, db, id, days); got != want {
			t.Errorf("%s is covered %s, not %s", id, got, want)
		}
	}
}

// Undone on the day on which it was added, a listing restores what it ended, and
// nothing that ended for another reason or changed since.
func TestAListingIsUndoneOnTheSameDay(t *testing.T) {
	each(t, undoOnTheSameDay)
}

func undoOnTheSameDay(t *testing.T, db *store.DB, clock *testkit.Clock) {
	ctx := t.Context()
	residents(t, db, map[ledger.Account]staking.Region{
		"alice": "FR", "bob": "FR-75", "carol": "DE", "dora": "FR", "emil": "FR", "gone": "FR", "hugo": "FR",
	})
	testkit.Must(db.Prices().Set(ctx, []pricing.Price{{Asset: "BNB", Day: day1, Price: 500_00000000}}))(t)
	testkit.Must(db.OpenAccount(ctx, "new", "FR"))(t)
	accept(t, db, "new")
	clock.Set(3, "08:00")
	off(t, db, "gone")
	testkit.Must(db.OpenAccount(ctx, "late", "FR"))(t)
	accept(t, db, "late")
	on(t, db, "late")

	e := testkit.Must(reports.New(db.Reader()).PreviewRegion(ctx, "fr", 0))(t)
	if len(e.Tokens) != 1 {
		t.Fatalf("the preview has %+v", e.Tokens)
	}
	token := e.Tokens[0]
	same(t, "from, accounts, enrolled, holders", []int64{int64(e.From), e.Accounts, e.Enrolled, token.Holders},
		[]int64{int64(day1 + 3), 8, 6, 5})
	same(t, "BNB earning, its worth, and that of all",
		[]string{token.Earning.String(), token.USDT.String(), e.USDT.String()},
		[]string{"1000000000", "500000000000", "500000000000"})
	if n := len(testkit.Must(reports.New(db.Reader()).Regions(ctx))(t)); n != len(staking.ShippedRegions()) {
		t.Errorf("a preview lists a region: there are %d", n)
	}

	l := testkit.Must(db.AddRegion(ctx, "FR", 0, "a new law"))(t)
	if want := (store.Listing{Region: "FR", Number: 1, From: day1 + 3, Added: testkit.Moment(3, "08:00"),
		AddedBy: "test", Reason: "a new law", Ended: 6}); l != want {
		t.Errorf("the listing is %+v, not %+v", l, want)
	}
	if again := testkit.Must(db.AddRegion(ctx, "FR", 0, ""))(t); again != l {
		t.Errorf("added again it is %+v", again)
	}
	wants(t, failure(db.AddRegion(ctx, "FR", day1+2, "")), ledger.ErrConflict)
	wantsCovered(t, db, 6, map[ledger.Account]string{"alice": ".xx...", "bob": ".xx...", "carol": ".xxxxx",
		"gone": ".x....", "late": "......"})
	if s := holder(t, db, "alice", reports.Eligibility); s.Region == nil {
		t.Error("a resident could switch on")
	} else if !s.On() {
		t.Error("it is off before its last day is over")
	}
	on(t, db, "alice") // it is on, until its end
	wants(t, failure(db.Enroll(ctx, "new", staking.Client{}, time.Time{})), staking.ErrRegion)

	clock.Set(3, "09:00")
	off(t, db, "dora")
	setRegion(t, db, "emil", "DE")
	setRegion(t, db, "emil", "FR")
	setRegion(t, db, "hugo", "DE")
	on(t, db, "hugo") // who lives elsewhere by now lifts the end
	clock.Set(3, "23:59")
	l = testkit.Must(db.RemoveRegion(ctx, "FR"))(t)
	if l.Restored != 3 || l.RemovedBy != "test" {
		t.Errorf("the removed listing is %+v", l)
	}
	wants(t, failure(db.RemoveRegion(ctx, "FR")), ledger.ErrNotFound)
	wantsCovered(t, db, 6, map[ledger.Account]string{
		"alice": ".xxxxx", "bob": ".xxxxx", "carol": ".xxxxx", "gone": ".x....", "late": "...xxx", "dora": ".x....",
		"emil": ".xx...", "hugo": ".xxxxx",
	})
	undoneLines(t, db)
}

// undoneLines are what is kept of the listing and its undoing.
func undoneLines(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	events := testkit.Must(reports.New(db.Reader()).SwitchEvents(ctx, "bob"))(t)
	if len(events) != 3 || events[1].Action != "off: region FR from 2026-03-05" || events[2].Action != "on: region FR" {
		t.Errorf("bob's events are %v", events)
	}
	var said []string
	for _, line := range testkit.Must(reports.New(db.Reader()).Log(ctx, testkit.Moment(3, "00:00"), 99))(t) {
		if line.Subject == "FR" {
			said = append(said, line.Action+" "+line.Detail)
		}
	}
	wantsLines(t, said, "region add from 2026-03-05: 6 enrollments end; a new law",
		"region remove listed from 2026-03-05; undone: 3 of 6 enrollments restored")
}

func wantsLines(t *testing.T, lines []string, wanted ...string) {
	t.Helper()
	for i := range max(len(lines), len(wanted)) {
		if i >= len(lines) || i >= len(wanted) || lines[i] != wanted[i] {
			t.Fatalf("the lines are %q, not %q", lines, wanted)
		}
	}
}

// After its first day has come a listing is removed without effect on anyone; before
// that day it is undone however long ago it was added. The day it holds from is the first
// that is not paid, and the audit derives the same.
func TestARemovedListingBringsNobodyBackLater(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		residents(t, db, map[ledger.Account]staking.Region{"alice": "FR", "bob": "IT"})
		testkit.Must(db.Fund(ctx, "f", "BNB", 1000_00000000, false))(t)
		testkit.Must(db.AddRegion(ctx, "FR", day1+3, ""))(t)
		testkit.Must(db.AddRegion(ctx, "IT", day1+5, ""))(t)
		wants(t, failure(db.AddRegion(ctx, "ES", day1-1, "")), ledger.ErrInvalid)
		wants(t, failure(reports.New(db.Reader()).PreviewRegion(ctx, "ES", day1-1)), ledger.ErrInvalid)
		wants(t, failure(db.AddRegion(ctx, "ES", staking.Forever, "")), ledger.ErrInvalid)
		clock.Set(5, "09:00")
		if l := testkit.Must(db.RemoveRegion(ctx, "FR"))(t); l.Restored != 0 || l.Ended != 1 {
			t.Errorf("FR: %+v", l)
		}
		if l := testkit.Must(db.RemoveRegion(ctx, "IT"))(t); l.Restored != 1 {
			t.Errorf("IT: %+v", l)
		}
		wantsCovered(t, db, 7, map[ledger.Account]string{"alice": ".xx....", "bob": ".xxxxxx"})
		on(t, db, "alice")
		wantsCovered(t, db, 7, map[ledger.Account]string{"alice": ".xx..xx"})
		history := testkit.Must(reports.New(db.Reader()).Listings(ctx, true))(t)
		if n := len(history); n != len(staking.ShippedRegions())+2 {
			t.Errorf("there are %d listings in all", n)
		}
		testkit.Must(db.AddRegion(ctx, "FR", day1+5, ""))(t) // alice's is cut short, bob's is his own
		clock.Set(8, "00:10")
		settle(t, db, clock)
		if a, b := earned(t, db, "alice", "BNB"), earned(t, db, "bob", "BNB"); a != 1643 || b != 4931 {
			t.Errorf("alice earns %d on 2 days, and bob %d on 6", a, b)
		}
		if r := auditOf(t, db, audit.Options{}); r.Total != 0 {
			t.Errorf("the audit finds %v", r.Findings)
		}
	})
}

// A region and a part of it may be listed both: what still holds of one limits what the
// undoing of the other restores.
func TestListingsOfARegionAndItsPart(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		residents(t, db, map[ledger.Account]staking.Region{"paris": "FR-75", "lyon": "FR-69", "france": "FR", "other": "DE"})
		add := func(region staking.Region, from staking.Day) int64 {
			t.Helper()
			return testkit.Must(db.AddRegion(ctx, region, from, ""))(t).Ended
		}
		remove := func(region staking.Region) int64 {
			t.Helper()
			return testkit.Must(db.RemoveRegion(ctx, region))(t).Restored
		}
		if n := add("FR-75", day1+2); n != 1 {
			t.Errorf("FR-75 ends %d", n)
		}
		if n := add("FR", day1+4); n != 2 {
			t.Errorf("FR ends %d more", n)
		}
		wantsCovered(t, db, 6, map[ledger.Account]string{"paris": ".x....", "lyon": ".xxx..", "france": ".xxx..",
			"other": ".xxxxx"})
		if n := remove("FR-75"); n != 0 {
			t.Errorf("FR-75 restores %d", n)
		}
		wantsCovered(t, db, 6, map[ledger.Account]string{"paris": ".xxx..", "lyon": ".xxx.."})
		if n := add("FR-75", day1+2); n != 1 {
			t.Errorf("FR-75 ends %d the second time", n)
		}
		if n := remove("FR"); n != 2 {
			t.Errorf("FR restores %d", n)
		}
		wantsCovered(t, db, 6, map[ledger.Account]string{"paris": ".x....", "lyon": ".xxxxx", "france": ".xxxxx"})
		if n := remove("FR-75"); n != 1 {
			t.Errorf("FR-75 restores %d the second time", n)
		}
		wantsCovered(t, db, 6, map[ledger.Account]string{"paris": ".xxxxx", "other": ".xxxxx"})
		add("FR", day1+3)
		if ends := setRegion(t, db, "other", "FR-75"); ends != day1+3 {
			t.Errorf("who moves into a listed region earns until %s", ends)
		}
		remove("FR") // it ended for the move, which it does not undo
		wantsCovered(t, db, 6, map[ledger.Account]string{"other": ".xx..."})
	})
}

// A listing that was interrupted is completed before a day is closed on which it holds.
func TestTheRunCompletesAListing(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		residents(t, db, map[ledger.Account]staking.Region{"alice": "FR", "bob": "IT"})
		testkit.Must(db.AddRegion(ctx, "IT", day1+1, ""))(t)
		testkit.Must(db.Exec(ctx, `INSERT INTO listings
			(code, number, from_day, added, added_by, reason, ended, removed, removed_by, restored, unfinished)
			VALUES ('FR', 1, $1, 0, '', '', 0, 0, '', 0, 1)`, int64(day1+2)))(t)
		testkit.Must(db.Exec(ctx, "UPDATE listings SET removed = 1, unfinished = 1 WHERE code = 'IT'"))(t)
		clock.Set(5, "00:10")
		settle(t, db, clock)
		wantsCovered(t, db, 5, map[ledger.Account]string{"alice": ".x...", "bob": ".xxxx"})
		if left := testkit.Must(db.Count(ctx, "SELECT count(*) FROM listings WHERE unfinished = 1"))(t); left != 0 {
			t.Errorf("%d listings are not complete", left)
		}
	})
}

// A region that is listed with the books, before the day on which they were made, is
// removed on that day like any other that holds for long.
func TestARegionOfTheBooksIsRemoved(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		clock := testkit.NewClock(time.Time{})
		clock.Set(6, "12:00")
		db := testkit.Must(store.Create(t.Context(), url, options(clock), shipped(t, day1)))(t)
		closeAfter(t, db)
		settle(t, db, clock)
		if l := testkit.Must(db.RemoveRegion(t.Context(), "CU"))(t); l.Undone() || l.Restored != 0 {
			t.Errorf("it is %+v", l)
		}
		clock.Set(7, "12:00")
		settle(t, db, clock)
	})
}

// However events, listings and their undoing fall together, each account can be switched
// on and off when no listing is left, and has one enrollment at a time.
func TestListingsAmongSwitchEvents(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		regions := map[ledger.Account]staking.Region{}
		for n := range 6 {
			regions[ledger.Account(fmt.Sprint("user-", n))] = "FR"
		}
		residents(t, db, regions)
		var all sync.WaitGroup
		for id := range regions {
			all.Go(func() {
				for n := range 4 {
					var err error
					if n%2 == 0 {
						err = db.Leave(ctx, id, staking.Client{}, time.Time{})
					} else if _, err = db.Enroll(ctx, id, staking.Client{}, time.Time{}); errors.Is(err, staking.ErrRegion) {
						err = nil
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 2 {
			all.Go(func() {
				for range 3 {
					if _, err := db.AddRegion(ctx, "FR", 0, ""); err != nil && !errors.Is(err, ledger.ErrConflict) &&
						!errors.Is(err, ledger.ErrEnded) {
						t.Error(err)
					}
					if _, err := db.RemoveRegion(ctx, "FR"); err != nil && !errors.Is(err, ledger.ErrNotFound) &&
						!errors.Is(err, ledger.ErrEnded) {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		for id := range regions {
			on(t, db, id)
			wantsCovered(t, db, 4, map[ledger.Account]string{id: ".xxx"})
			off(t, db, id)
			wantsCovered(t, db, 4, map[ledger.Account]string{id: "...."})
		}
		if left := testkit.Must(db.Count(ctx, "SELECT count(*) FROM listings WHERE unfinished = 1 OR (removed = 0 "+
			"AND code = 'FR')"))(t); left != 0 {
			t.Errorf("%d listings are left", left)
		}
	})
}
