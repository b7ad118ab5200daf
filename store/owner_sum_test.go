package store_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// perOwner puts BNB under a minimum of 4 and a cap of 10 for an owner's accounts together,
// from Day 2 on, at a rate of 0.0001 a day, and funds the pool.
func perOwner(t *testing.T, db *store.DB) {
	t.Helper()
	testkit.Must(db.Fund(t.Context(), "f", bnb, coins(10), false))(t)
	for _, terms := range testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), day1))(t) {
		if terms.Asset == bnb {
			terms.From, terms.PerOwner, terms.APR = day1+1, true, 3_650_000
			terms.Min, terms.Cap = 4_00000000, 10_00000000
			ok(t, db.SetTerms(t.Context(), terms))
		}
	}
}

// owned are the accounts of the story, each with its owner and its BNB.
var owned = []struct {
	id, owner string
	tokens    int64
}{
	{"alice", "c-7", 6}, {"alice-sub", "c-7", 9}, // above the cap together
	{"bob", "c-8", 1}, {"bob-sub", "c-8", 3}, // the minimum together
	{"carol", "", 3},                          // below the minimum
	{"dave", "c-9", 12},                       // the only one of its owner
	{"erin", "c-10", 1}, {"frank", "c-10", 2}, // below the minimum together
	{"gina", "c-7", 100}, // not enrolled, and so not counted
}

// ownerStory: from Day 4 on alice-sub is its own owner. late runs all days in one go.
func ownerStory(t *testing.T, db *store.DB, clock *testkit.Clock, late bool) {
	t.Helper()
	perOwner(t, db)
	for _, a := range owned {
		testkit.Must(db.OpenOwned(t.Context(), ledger.Account(a.id), "DE", a.owner))(t)
		deposit(t, db, "d-"+a.id, ledger.Account(a.id), a.tokens, bnb, noon)
		if a.id != "gina" {
			accept(t, db, ledger.Account(a.id))
			on(t, db, ledger.Account(a.id))
		}
	}
	if !late {
		settleThrough(t, db, clock, 1, 2, false)
	}
	clock.Set(3, "12:00")
	setOwner(t, db, "alice-sub", "", 0)
	settleThrough(t, db, clock, 1, 4, late)
}

// ownerRewards are what the story pays, by account and day.
var ownerRewards = map[string]map[int]ledger.Amount{
	"alice": {2: 40000, 3: 40000, 4: 60008}, "alice-sub": {2: 60000, 3: 60000, 4: 90012},
	"bob": {2: 10000, 3: 10001, 4: 10002}, "bob-sub": {2: 30000, 3: 30003, 4: 30006},
	"carol": {}, "dave": {2: 100000, 3: 100000, 4: 100000}, "erin": {}, "frank": {}, "gina": {},
}

// TestOwnersShareMinimumAndCap: the accounts lie in different buckets. A run that comes days
// late pays the same, and so do two at the same time.
func TestOwnersShareMinimumAndCap(t *testing.T) {
	if ledger.Account("alice").Bucket() == ledger.Account("alice-sub").Bucket() {
		t.Fatal("the accounts lie in one bucket")
	}
	for _, late := range []bool{false, true} {
		each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
			ownerStory(t, db, clock, late)
			for id, want := range ownerRewards {
				if diff := cmp.Diff(want, paidTo(t, db, ledger.Account(id))); diff != "" {
					t.Errorf("%s (-want +got):\n%s", id, diff)
				}
			}
			audited(t, db)
		})
	}
}

// TestOwnersInManyBuckets: an owner has 120 accounts, over the buckets. Two processes with
// several workers settle at the same time; a correction of the terms is settled again.
func TestOwnersInManyBuckets(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		perOwner(t, one)
		var accounts []ledger.Account
		for i := range 120 {
			id := ledger.Account("sub-" + strings.Repeat("x", i%7) + "-" + string(rune('a'+i%26)) + strings.Repeat("y", i/26))
			accounts = append(accounts, id)
			testkit.Must(one.OpenOwned(t.Context(), id, "DE", "c-7"))(t)
			deposit(t, one, "d-"+string(id), id, int64(1+i%5), bnb, noon)
			accept(t, one, id)
			on(t, one, id)
		}
		both := func(day int) {
			clock.Set(day+1, "00:10")
			var wait sync.WaitGroup
			for i, db := range []*store.DB{one, two} {
				wait.Go(func() {
					if _, err := staking.Run(t.Context(), db, clock.Now(), staking.Options{Workers: 3, Start: i * 40}); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
		}
		both(1)
		both(2)
		sum := func(day int) (n ledger.Amount) {
			for _, id := range accounts {
				n += paidTo(t, one, id)[day]
			}
			return n
		}
		// The cap is 10 BNB of 360; and what an account loses to rounding is carried.
		if got := sum(2); got > 100000 || got < 100000-120 {
			t.Errorf("together they were paid %d", got)
		}
		ok(t, one.SetLimit(t.Context(), staking.Limit{Asset: bnb, MaxTotal: 1}))
		both(3) // it is accrued, and waits
		for _, terms := range testkit.Must(reports.New(one.Reader()).TermsOn(t.Context(), day1+2))(t) {
			if terms.Asset == bnb {
				terms.Cap = 20_00000000
				ok(t, one.CorrectTerms(t.Context(), day1+2, terms, "typing"))
			}
		}
		both(3)
		ok(t, one.Approve(t.Context(), day1+2, bnb))
		both(3)
		if got := sum(2) + sum(3); got > 300000 || got < 300000-120 {
			t.Errorf("after the correction, in two days they were paid %d", got)
		}
		audited(t, one)
	})
}

// TestOwnersChangedByHand: the audit finds each.
func TestOwnersChangedByHand(t *testing.T) {
	url := "sqlite:" + t.TempDir() + "/books.db"
	clock := testkit.NewClock(noon)
	db := testkit.Must(store.Create(t.Context(), url, options(clock), shipped(t, day1)))(t)
	closeAfter(t, db)
	ownerStory(t, db, clock, false)
	byHand := handOf(t, url)
	byHand.keep(t)
	wantClean(t, auditOf(t, db, audit.Options{}))
	const notTheSum = "is not the sum of what their accounts held"
	for _, c := range []struct{ sql, want string }{
		{"UPDATE owner_sums SET integral = integral || '0' WHERE owner = 'c-10'", notTheSum},
		{"UPDATE owner_sums SET integral = integral || '0' WHERE owner = 'c-7'", "eligible is"},
		{"UPDATE owner_sums SET integral = 'x' WHERE owner = 'c-10'", `is written as "x"`},
		{"UPDATE owner_sums SET accounts = accounts + 1", notTheSum},
		{"UPDATE owner_sums SET owner = 'c-11' WHERE owner = 'c-10'", notTheSum},
		{"UPDATE owner_sums SET owner = 'c-11' WHERE owner = 'c-8'", "has a reward of"},
		{"UPDATE owner_sums SET bucket = (bucket + 1) % 256 WHERE owner = 'c-10'", "where it does not belong"},
		{"UPDATE owner_sums SET day = day - 1 WHERE owner = 'c-10'", notTheSum},
		{"DELETE FROM owner_sums", "counted of 3"},
		{"DELETE FROM owner_sums; DELETE FROM groupings", notTheSum},
		{"DELETE FROM groupings", "is written, and was not counted"},
		{"UPDATE groupings SET owners = owners + 1", "is written of 3, and counted of 4"},
		{"UPDATE owners SET owner = 'c-8' WHERE account = 'erin'", notTheSum},
		{"UPDATE owners SET owner = 'c-9' WHERE account = 'alice' AND owner = 'c-7'", notTheSum},
		{"UPDATE owners SET from_day = from_day + 1 WHERE owner = ''", notTheSum},
		{"UPDATE owners SET bucket = (bucket + 1) % 256 WHERE account = 'bob'", notTheSum},
		{"DELETE FROM owners WHERE account = 'frank'", notTheSum},
		{"UPDATE terms SET per_owner = 0", "eligible is"},
	} {
		byHand(t, c.sql)
		r := auditOf(t, db, audit.Options{})
		byHand.restore(t, c.sql)
		if !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return strings.Contains(f.String(), c.want) }) {
			t.Errorf("%s: not found: %s; found: %v", c.sql, c.want, r.Findings)
		}
	}
	wantClean(t, auditOf(t, db, audit.Options{}))
}

// TestOwnersAreExplained: the explanation of an account works out what was paid, from the sum of
// its owner's accounts alone; so does that of a day that is not over, which its preview agrees with.
func TestOwnersAreExplained(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ownerStory(t, db, clock, false)
		rs := reports.New(db.Reader())
		explain := func(id ledger.Account, d staking.Day, together int64) ledger.Amount {
			t.Helper()
			e := testkit.Must(rs.Explain(t.Context(), id, d, bnb))(t)
			if want := staking.IntegralOf(ledger.Amount(together), staking.DayMillis); e.Together != want {
				t.Errorf("%s on %s: together %s, want %s", id, d, e.Together, want)
			}
			if p := e.Paper(); e.Earned && p.Units.Int64() != int64(e.Measured.Reward) {
				t.Errorf("%s on %s: on paper %s, and %d", id, d, p.Units, e.Measured.Reward)
			}
			return e.Measured.Reward
		}
		explain("alice", day1+1, 15_00000000)
		explain("alice-sub", day1+1, 15_00000000)
		explain("erin", day1+1, 3_00000000)
		explain("dave", day1+1, 0)
		clock.Set(5, "12:00")
		var sum ledger.Amount
		for id, together := range map[ledger.Account]int64{"alice": 0, "bob": 4_00120012} {
			sum += explain(id, day1+4, together)
		}
		sum += explain("bob-sub", day1+4, 4_00120012) + explain("alice-sub", day1+4, 0) + explain("dave", day1+4, 0)
		for _, p := range testkit.Must(rs.PreviewOpen(t.Context()))(t) {
			if p.Asset == bnb && (p.Total != sum || p.Holders != 5) {
				t.Errorf("the preview says %d of %d holders; explained are %d", p.Total, p.Holders, sum)
			}
		}
		clock.Set(6, "00:02")
		for _, p := range testkit.Must(rs.Preview(t.Context()))(t) {
			if p.Asset == bnb && p.Total != sum {
				t.Errorf("the preview of the next run says %d; explained are %d", p.Total, sum)
			}
		}
		clock.Set(6, "00:10")
		settle(t, db, clock)
		paid := ledger.Amount(0)
		for _, a := range owned {
			paid += paidTo(t, db, ledger.Account(a.id))[5]
		}
		if paid != sum {
			t.Errorf("paid is %d, and explained %d", paid, sum)
		}
	})
}
