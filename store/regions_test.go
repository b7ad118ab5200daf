package store_test

import (
	"fmt"
	"slices"
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

// A holder who becomes a resident of a restricted region stops earning from that day.
func TestMovingToARestrictedRegionStopsEarning(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		on(t, db, "alice")
		clock.Set(3, "09:00")
		setRegion(t, db, "alice", "fr")
		if got := covered(t, db, "alice", 5); got != ".xxxx" {
			t.Errorf("a resident of FR is covered %s", got)
		}
		clock.Set(4, "09:00")
		setRegion(t, db, "alice", "US-NY")
		setRegion(t, db, "alice", "US-NY")
		if got := covered(t, db, "alice", 5); got != ".xx.." {
			t.Errorf("a resident of US-NY is covered %s", got)
		}
		_, err := db.Enroll(ctx, "alice", staking.Client{}, time.Time{})
		wants(t, err, staking.ErrRegion)
		clock.Set(4, "10:00")
		setRegion(t, db, "alice", "DE")
		on(t, db, "alice")
		clock.Set(5, "10:00")
		setRegion(t, db, "alice", "") // without a verified residence nobody earns
		if got := covered(t, db, "alice", 7); got != ".xx...." {
			t.Errorf("it covers %s", got)
		}
		lines := logged(t, db, "account set-region")
		if len(lines) < 3 {
			t.Fatalf("the log says %v", lines)
		}
		var changes []string
		for _, l := range lines[len(lines)-3:] {
			change, _, ends := strings.Cut(l.Detail, "; Soft Staking ends on ")
			changes = append(changes, fmt.Sprintf("%s: %s, ends %t", l.Subject, change, ends))
		}
		same(t, "the log", changes, []string{`alice: "US-NY", before "FR", ends true`,
			`alice: "DE", before "US-NY", ends false`, `alice: "", before "DE", ends true`})
		events := testkit.Must(reports.New(db.Reader()).SwitchEvents(ctx, "alice"))(t)
		if len(events) != 5 || events[1].Action != "off: region US-NY" || events[1].At != testkit.Moment(4, "09:00") {
			t.Errorf("the events are %v", events)
		}
		wants(t, failure(db.SetRegion(ctx, "bob", "DE")), ledger.ErrNotFound)
		wants(t, failure(db.SetRegion(ctx, "alice", "Germany")), ledger.ErrInvalid)
	})
}

// Whose region is listed stops earning from that day, and nobody else does.
func TestAListedRegionStopsItsResidents(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for id, region := range map[ledger.Account]staking.Region{"alice": "FR", "bob": "FR-75", "carol": "DE", "dora": "FR",
			"emil": "FR"} {
			testkit.Must(db.OpenAccount(ctx, id, region))(t)
			accept(t, db, id)
		}
		for _, id := range []ledger.Account{"alice", "bob", "carol", "dora"} {
			on(t, db, id)
		}
		clock.Set(2, "09:00")
		off(t, db, "dora")
		clock.Set(3, "08:00")
		on(t, db, "emil") // its first day would be the next
		clock.Set(3, "09:00")
		testkit.Must(db.AddRegion(ctx, "fr", day1+2, ""))(t)
		testkit.Must(db.AddRegion(ctx, "FR", day1+2, ""))(t)
		for id, want := range map[ledger.Account]string{"alice": ".x...", "bob": ".x...", "carol": ".xxxx", "dora": ".....",
			"emil": "....."} {
			if got := covered(t, db, id, 5); got != want {
				t.Errorf("%s is covered %s, not %s", id, got, want)
			}
		}
		if events := testkit.Must(reports.New(db.Reader()).SwitchEvents(ctx, "dora"))(t); len(events) != 2 {
			t.Errorf("dora was off already: %v", events)
		}
		_, err := db.Enroll(ctx, "bob", staking.Client{}, time.Time{})
		wants(t, err, staking.ErrRegion)
		if regions := testkit.Must(reports.New(db.Reader()).Regions(ctx))(t); !slices.Contains(regions, "FR") ||
			!slices.IsSorted(regions) {
			t.Errorf("listed are %v", regions)
		}
		clock.Set(4, "09:00")
		testkit.Must(db.RemoveRegion(ctx, "fr"))(t)
		wants(t, failure(db.RemoveRegion(ctx, "FR")), ledger.ErrNotFound)
		wants(t, failure(db.AddRegion(ctx, "Europe", 0, "")), ledger.ErrInvalid)
		on(t, db, "bob")
		if got := covered(t, db, "bob", 6); got != ".x..xx" {
			t.Errorf("bob is covered %s", got)
		}
		var actions []string
		for _, l := range logged(t, db, "region add", "region remove") {
			actions = append(actions, l.Action+" "+l.Subject)
		}
		if got := strings.Join(actions, ", "); got != "region add FR, region remove FR" {
			t.Errorf("the log says %s", got)
		}
	})
}

// However events and the listing fall together, no resident of the region is left earning.
func TestNoSwitchEventSlipsPastAListing(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		var accounts []ledger.Account // in the buckets that the listing comes to first
		for n := 0; len(accounts) < 8; n++ {
			if id := ledger.Account(fmt.Sprintf("user-%d", n)); id.Bucket() < 4 {
				accounts = append(accounts, id)
			}
		}
		for i, id := range accounts {
			testkit.Must(db.OpenAccount(ctx, id, []staking.Region{"FR", "DE"}[i%2]))(t)
			accept(t, db, id)
		}
		var all sync.WaitGroup
		for i, id := range accounts {
			all.Go(func() {
				_, err := db.Enroll(ctx, id, staking.Client{}, time.Time{})
				if err == nil && i%2 == 1 {
					_, err = db.SetRegion(ctx, id, "FR")
				}
				if err != nil && !strings.Contains(err.Error(), staking.ErrRegion.Error()) {
					t.Error(err)
				}
			})
		}
		all.Go(func() {
			if _, err := db.AddRegion(ctx, "FR", day1, ""); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		for _, id := range accounts {
			if got := covered(t, db, id, 3); got != "..." {
				t.Errorf("%s is covered %s", id, got)
			}
		}
	})
}
