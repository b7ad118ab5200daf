package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// poolOf is what lies in @rewards of BNB, and what of it is reserved.
func poolOf(t *testing.T, db *store.DB) (pool, reserved ledger.Amount) { return poolIn(t, db, bnb) }

// poolIn is poolOf of a token.
func poolIn(t *testing.T, db *store.DB, token string) (pool, reserved ledger.Amount) {
	t.Helper()
	for _, s := range testkit.Must(reports.New(db.Reader()).TokenStatus(t.Context()))(t) {
		if s.Asset == token {
			pool, reserved = s.Pool, s.Reserved
		}
	}
	return pool, reserved
}

// takeAll takes out of @rewards what is free, and tries to take a smallest unit more.
func takeAll(t *testing.T, db *store.DB, name string) { takeAllOf(t, db, bnb, name) }

// takeAllOf is takeAll of a token.
func takeAllOf(t *testing.T, db *store.DB, token, name string) {
	t.Helper()
	pool, reserved := poolIn(t, db, token)
	if pool < reserved {
		t.Fatalf("%s: %d of %d are reserved", name, reserved, pool)
	}
	if pool > reserved {
		testkit.Must(db.Fund(t.Context(), name, token, pool-reserved, true))(t)
	}
	wants(t, failure(db.Fund(t.Context(), name+"-more", token, 1, true)), ledger.ErrInsufficient)
}

// TestWhatHoldersCarryIsReserved: alice and bob carry half a smallest unit each when they leave, and are paid it when
// they come back, though the operator has taken out everything that was free, and nothing but income came in.
func TestWhatHoldersCarryIsReserved(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		sharing(t, db, clock, "alice", "bob")
		open(t, db, "carol")
		deposit(t, db, "d-carol", "carol", 1, bnb, time.Time{})
		clock.Set(4, "12:00")
		enter(t, db, "e1", 2, 3, 1001) // net 701
		off(t, db, "alice")
		off(t, db, "bob")
		on(t, db, "carol")
		settleThrough(t, db, clock, 4, 4, false)
		if pool, reserved := poolOf(t, db); pool != 1 || reserved != 1 {
			t.Errorf("%d of %d are reserved", reserved, pool)
		}
		clock.Set(6, "12:00")
		takeAll(t, db, "out-6")
		on(t, db, "alice")
		on(t, db, "bob")
		off(t, db, "carol")
		enter(t, db, "e2", 5, 5, 1000) // carol's
		settleThrough(t, db, clock, 6, 7, false)
		clock.Set(8, "12:00")
		takeAll(t, db, "out-8")
		enter(t, db, "e3", 7, 7, 1001)
		settleThrough(t, db, clock, 8, 8, false)
		if got := paidTo(t, db, "alice"); got[4] != 350 || got[8] != 351 {
			t.Errorf("alice has %v", got)
		}
		if pool, reserved := poolOf(t, db); pool != 0 || reserved != 0 {
			t.Errorf("%d of %d are reserved", reserved, pool)
		}
		audited(t, db)
	})
}

// TestShareDaysNeverWaitForFunds: whoever comes and leaves, whatever is earned or lost, and though the operator takes
// out each day what is free, a day in the mode share is paid where nothing but income comes in.
func TestShareDaysNeverWaitForFunds(t *testing.T) {
	for seed := range seeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			clock := testkit.NewClock(noon)
			begin := withTokens(shipped(t, day1), bnb, sol)
			db := opened(t, scenario.Books(t, "sqlite", options(clock), begin), clock)
			shareDaysAtRandom(t, db, clock, rand.New(rand.NewPCG(seed, 24)))
		})
	}
}

func shareDaysAtRandom(t *testing.T, db *store.DB, clock *testkit.Clock, random *rand.Rand) {
	t.Helper()
	shareMode(t, db)
	ids := make([]ledger.Account, 7)
	earns := map[ledger.Account]bool{}
	for i := range ids {
		ids[i] = ledger.Account(fmt.Sprintf("holder-%d", i))
		open(t, db, ids[i])
		deposit(t, db, "d-"+string(ids[i]), ids[i], 1+random.Int64N(9), bnb, noon)
	}
	for day := 1; day <= 9; day++ {
		clock.Set(day, "13:00")
		for _, id := range ids {
			if random.IntN(2) == 0 {
				continue
			}
			if earns[id] = !earns[id]; earns[id] {
				on(t, db, id)
			} else {
				off(t, db, id)
			}
		}
		for n := 0; day > 3 && n < random.IntN(3); n++ {
			first := 2 + random.IntN(day-2)
			last := first + random.IntN(day-first)
			gross := ledger.Amount(random.Int64N(2000) - 200)
			_, err := db.PostIncome(t.Context(), incomeOf(fmt.Sprintf("e-%d-%d", day, n), first, last, gross))
			if err != nil && gross > 0 {
				t.Fatal(err)
			}
		}
		takeAll(t, db, fmt.Sprintf("out-%d", day))
		if random.IntN(3) > 0 || day == 9 { // else the run is late
			clock.Set(day+1, "00:10")
			if r := settle(t, db, clock); len(r.Waiting) > 0 {
				t.Fatalf("on Day %d: %v waits", day, r.Waiting)
			}
		}
	}
	audited(t, db)
}
