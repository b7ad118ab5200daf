package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

const axs = "AXS"

// TestCampaignsOfSeveralPartsArePaid: what two parts have left is rounded up together. Each by itself would reserve a
// smallest unit more than there is, and the days would wait for it.
func TestCampaignsOfSeveralPartsArePaid(t *testing.T) {
	eachWithAll(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		for _, token := range []string{bnb, sol} {
			testkit.Must(db.Fund(t.Context(), "pool-"+token, token, 100_00000000, false))(t)
		}
		for n := range 7 {
			id := ledger.Account(fmt.Sprintf("holder-%d", n))
			open(t, db, id)
			on(t, db, id)
			deposit(t, db, "b-"+string(id), id, 1, bnb, noon)
			deposit(t, db, "s-"+string(id), id, 1, sol, noon)
		}
		c := staking.Campaign{ID: "autumn", Title: "Hold BNB or SOL, get AXS", Asset: axs, Pool: 20_00000000,
			First: day1 + 1, Last: day1 + 10, Parts: staking.EqualParts(20_00000000, []string{bnb, sol})}
		testkit.Must(db.PostCampaign(t.Context(), c))(t)
		for day := 1; day <= 12; day++ {
			clock.Set(day+1, "00:10")
			if r := settle(t, db, clock); len(r.Waiting) > 0 {
				t.Fatalf("on Day %d: %v waits", day, r.Waiting)
			}
			takeAllOf(t, db, axs, fmt.Sprintf("out-%d", day))
		}
		audited(t, db)
	})
}

// TestCampaignDaysNeverWaitForFunds: whatever campaigns run in a token, in either mode, whoever comes and leaves, and
// though the operator takes out each day what is free, the token is paid where nothing but the pools of the campaigns
// came in.
func TestCampaignDaysNeverWaitForFunds(t *testing.T) {
	for seed := range seeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			clock := testkit.NewClock(noon)
			begin := withTokens(shipped(t, day1), axs, bnb, sol)
			db := opened(t, scenario.Books(t, "sqlite", options(clock), begin), clock)
			campaignDaysAtRandom(t, db, clock, rand.New(rand.NewPCG(seed, 25)))
		})
	}
}

func campaignDaysAtRandom(t *testing.T, db *store.DB, clock *testkit.Clock, random *rand.Rand) {
	t.Helper()
	ctx := t.Context()
	if random.IntN(2) == 0 {
		terms := testkit.Must(reports.New(db.Reader()).TermsOn(ctx, day1+1))(t)
		for _, of := range terms {
			if of.Asset == axs {
				of.From, of.Mode, of.APR, of.GrossAPR = day1+1, staking.Share, 0, 0
				ok(t, db.SetTerms(ctx, of))
			}
		}
	}
	for _, token := range []string{bnb, sol} {
		testkit.Must(db.Fund(ctx, "pool-"+token, token, 1000_00000000, false))(t)
	}
	ids, earns := make([]ledger.Account, 2+random.IntN(6)), map[ledger.Account]bool{}
	for i := range ids {
		ids[i] = ledger.Account(fmt.Sprintf("holder-%d", i))
		open(t, db, ids[i])
		deposit(t, db, "b-"+string(ids[i]), ids[i], 1+random.Int64N(9), bnb, noon)
		deposit(t, db, "s-"+string(ids[i]), ids[i], 1+random.Int64N(9), sol, noon)
	}
	for n := range 1 + random.IntN(3) {
		pool := ledger.Amount(1 + random.Int64N(200))
		c := staking.Campaign{ID: fmt.Sprintf("c-%d", n), Title: "At random", Asset: axs, Pool: pool,
			First: day1 + 1 + staking.Day(random.IntN(3)), Parts: staking.EqualParts(pool, []string{bnb, sol})}
		c.Last = c.First + staking.Day(random.IntN(8))
		if pool == 1 || random.IntN(2) == 0 {
			c.Parts = staking.EqualParts(pool, []string{[]string{bnb, sol}[random.IntN(2)]})
		}
		testkit.Must(db.PostCampaign(ctx, c))(t)
	}
	for day := 1; day <= 13; day++ {
		clock.Set(day, "13:00")
		for _, id := range ids {
			if random.IntN(3) > 0 {
				continue
			}
			if earns[id] = !earns[id]; earns[id] {
				on(t, db, id)
			} else {
				off(t, db, id)
			}
		}
		takeAllOf(t, db, axs, fmt.Sprintf("out-%d", day))
		if random.IntN(3) == 0 && day < 13 { // the run is late
			continue
		}
		clock.Set(day+1, "00:10")
		for _, p := range testkit.Must(reports.New(db.Reader()).Preview(ctx))(t) {
			if p.Asset == axs && p.Verdict != nil {
				t.Fatalf("on Day %d, the preview says: %v", day, p.Verdict)
			}
		}
		if r := settle(t, db, clock); len(r.Waiting) > 0 {
			t.Fatalf("on Day %d: %v waits", day, r.Waiting)
		}
	}
	audited(t, db)
}

// TestALossSparesWhatHoldersCarry: a loss that the next income makes up for hides nothing of it from what is reserved,
// and cannot be entered where only that is left in @rewards.
func TestALossSparesWhatHoldersCarry(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		sharing(t, db, clock, "alice", "bob")
		clock.Set(4, "12:00")
		enter(t, db, "e1", 2, 3, 1001) // net 701: each carries half of a smallest unit
		settleThrough(t, db, clock, 4, 4, false)
		clock.Set(5, "12:00")
		if pool, reserved := poolOf(t, db); pool != 1 || reserved != 1 {
			t.Fatalf("%d of %d are reserved", reserved, pool)
		}
		testkit.Must(db.Fund(t.Context(), "funds", bnb, 49, false))(t)
		testkit.Must(db.MoveFees(t.Context(), "fees", bnb, 100, true))(t)
		wants(t, failure(db.PostIncome(t.Context(), incomeOf("all", 4, 4, -71))), ledger.ErrInsufficient) // net 50 of 50
		enter(t, db, "loss", 4, 4, -70)                                                                   // net 49
		takeAll(t, db, "out")
		if pool, _ := poolOf(t, db); pool != 1 {
			t.Errorf("what holders carry is taken out: %d are left", pool)
		}
		audited(t, db)
	})
}
