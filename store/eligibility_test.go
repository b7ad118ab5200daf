package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// holder reads parts of a holder.
func holder(t *testing.T, db *store.DB, id ledger.Account, parts reports.Parts) reports.Holder {
	t.Helper()
	return testkit.Must(reports.New(db.Reader()).Holder(t.Context(), id, staking.Client{}, parts))(t)
}

func TestEligibility(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		look := func(c staking.Client) reports.Holder {
			t.Helper()
			return testkit.Must(reports.New(db.Reader()).Holder(t.Context(), "alice", c, reports.Eligibility))(t)
		}
		testkit.Must(db.OpenAccount(t.Context(), "alice", "US-CA"))(t)
		s := look(staking.Client{Platform: "ios", Version: "3.0.9"})
		same(t, "a resident of a restricted region with an old app", []error{s.Region, s.Version},
			[]error{staking.ErrRegion, staking.ErrUpdateApp})
		if len(s.Missing) != 3 || s.Missing[0].Name != staking.TermsOfUse {
			t.Errorf("missing are %+v", s.Missing)
		}
		setRegion(t, db, "alice", "DE")
		accept(t, db, "alice")
		if s := look(staking.Client{Platform: "ios", Version: "3.1.0"}); s.Region != nil || s.Version != nil ||
			s.Missing != nil {
			t.Errorf("a resident of Germany who has accepted everything: %+v", s)
		}
		if s := look(staking.Client{Country: "us"}); !errors.Is(s.Region, staking.ErrRegion) {
			t.Errorf("a request from the United States: %v", s.Region)
		}
		on(t, db, "alice")
		off(t, db, "alice")
		if s := look(staking.Client{}); len(s.Enrollments) != 0 {
			t.Errorf("an enrollment that covers no day: %+v", s.Enrollments)
		}
		on(t, db, "alice")
		if s := look(staking.Client{}); !s.On() || s.Running.From != day1+1 {
			t.Errorf("switched on: %t, from %s", s.On(), s.Running.From)
		}
		testkit.Must(db.Documents().Publish(t.Context(), staking.RiskWarning, "Prices fall."))(t)
		if s := look(staking.Client{}); len(s.Missing) != 1 || s.Missing[0].Version != 2 {
			t.Errorf("after a new version: %+v", s.Missing)
		}
		_, err := reports.New(db.Reader()).Holder(t.Context(), "nobody", staking.Client{}, reports.Eligibility)
		wants(t, err, ledger.ErrNotFound)
	})
}

func TestLatestSwitchEvents(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		for range 3 {
			on(t, db, "alice")
			clock.Advance(time.Minute)
			off(t, db, "alice")
			clock.Advance(time.Minute)
		}
		all := testkit.Must(reports.New(db.Reader()).SwitchEvents(t.Context(), "alice"))(t)
		slices.Reverse(all)
		var walked []reports.SwitchEvent
		var after *reports.SwitchEvent
		for {
			page := testkit.Must(reports.New(db.Reader()).LatestSwitchEvents(t.Context(), "alice", after, 2))(t)
			if len(page) == 0 {
				break
			}
			walked = append(walked, page...)
			after = &page[len(page)-1]
		}
		if len(all) != 6 || !slices.Equal(all, walked) {
			t.Errorf("backwards %v; %v is wanted", walked, all)
		}
		_, err := reports.New(db.Reader()).LatestSwitchEvents(t.Context(), "nobody", nil, 2)
		wants(t, err, ledger.ErrNotFound)
	})
}

func TestDocument(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		clock.Advance(time.Hour)
		testkit.Must(db.Documents().Publish(t.Context(), staking.RiskWarning, "Prices fall."))(t)
		for version, wanted := range map[int]string{0: "Prices fall.", 2: "Prices fall.",
			1: staking.ShippedDocuments()[staking.RiskWarning]} {
			if d := testkit.Must(reports.New(db.Reader()).Document(t.Context(), staking.RiskWarning,
				version))(t); d.Text != wanted || (d.Version != version && version != 0) {
				t.Errorf("version %d: %+v", version, d)
			}
		}
		for name, version := range map[string]int{staking.RiskWarning: 3, "poem": 0} {
			_, err := reports.New(db.Reader()).Document(t.Context(), name, version)
			wants(t, err, ledger.ErrNotFound)
		}
		whole := testkit.Must(reports.New(db.Reader()).Documents(t.Context()))(t)
		for i := range whole {
			whole[i].Text = ""
		}
		if versions := testkit.Must(reports.New(db.Reader()).DocumentVersions(t.Context()))(t); len(versions) != 4 ||
			!slices.Equal(versions, whole) {
			t.Errorf("%v; %v is wanted", versions, whole)
		}
	})
}

// TestLogPage: many lines of one moment are walked through once, also with pages
// that end among them.
func TestLogPage(t *testing.T) {
	eachWithAll(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		var prices []pricing.Price
		for _, asset := range []string{"BNB", "SOL", "ADA", "SUI", "TON", "POL"} {
			prices = append(prices, pricing.Price{Asset: asset, Day: day1, Price: 7})
		}
		testkit.Must(db.Prices().Set(t.Context(), prices))(t)
		clock.Advance(time.Minute)
		testkit.Must(db.AddRegion(t.Context(), "FR", day1, ""))(t)
		for size := 1; size <= 9; size++ {
			place, walked := reports.LogPlace{At: clock.Now()}, []string{}
			for {
				lines, next, err := reports.New(db.Reader()).LogPage(t.Context(), place, size)
				ok(t, err)
				for _, l := range lines {
					walked = append(walked, fmt.Sprint(l.Action, " ", l.Subject))
				}
				if place = next; len(lines) < size {
					break
				}
			}
			wanted := []string{"region add FR", "init books", "price set ADA", "price set BNB", "price set POL", "price set SOL",
				"price set SUI", "price set TON"}
			if !slices.Equal(walked, wanted) {
				t.Errorf("in pages of %d: %q; %q is wanted", size, walked, wanted)
			}
		}
	})
}
