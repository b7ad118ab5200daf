package store_test

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// shareMode puts BNB into the mode share from Day 2 on, with a fee of 30 %, a minimum of 0.5
// and a cap of 1000.
func shareMode(t *testing.T, db *store.DB) {
	t.Helper()
	for _, terms := range testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), day1))(t) {
		if terms.Asset == bnb {
			terms.From, terms.Mode, terms.APR, terms.Fee = day1+1, staking.Share, 0, 3*staking.Whole/10
			ok(t, db.SetTerms(t.Context(), terms))
		}
	}
}

// enter enters income of BNB for some days.
func enter(t *testing.T, db *store.DB, reference string, first, last int, gross ledger.Amount) {
	t.Helper()
	testkit.Must(db.PostIncome(t.Context(), incomeOf(reference, first, last, gross)))(t)
}

// settleThrough runs the days up to one, each just after its end or, if late, all at once.
func settleThrough(t *testing.T, db *store.DB, clock *testkit.Clock, from, through int, late bool) {
	t.Helper()
	for day := from; day <= through; day++ {
		if !late || day == through {
			clock.Set(day+1, "00:10")
			if r := settle(t, db, clock); len(r.Waiting) > 0 {
				t.Fatalf("%v waits", r.Waiting)
			}
		}
	}
}

// paidTo are an account's rewards of BNB, by day of the books.
func paidTo(t *testing.T, db *store.DB, id ledger.Account) map[int]ledger.Amount {
	t.Helper()
	found := map[int]ledger.Amount{}
	asked := reports.RewardsAsked{From: day1, To: day1 + 100, Asset: bnb}
	for _, r := range testkit.Must(reports.New(db.Reader()).RewardPage(t.Context(), id, asked, nil, 100))(t) {
		if r.Reward > 0 {
			found[int(r.Day-day1)+1] = r.Reward
		}
	}
	return found
}

// shareOracle works out shares by itself.
type shareOracle struct {
	pool, all *big.Int            // the pool in 1/Unit
	carry     map[string]*big.Int // in 1/Unit
}

// reward is what an account with a weight is credited, and keeps what is carried.
func (o shareOracle) reward(id string, weight *big.Int) ledger.Amount {
	share := new(big.Int).Mul(o.pool, weight)
	share.Quo(share, o.all)
	if o.carry[id] == nil {
		o.carry[id] = new(big.Int)
	}
	share.Add(share, o.carry[id])
	reward, _ := share.QuoRem(share, big.NewInt(int64(staking.Unit)), o.carry[id])
	return ledger.Amount(reward.Int64())
}

func parts(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(int64(staking.Unit))) }

// shareStory: alice has 3 BNB and bob 1, dave too little, and carol is above the cap. bob
// leaves on Day 4, before the income of Days 2 and 3 is known. On Day 6 more income of
// Days 4 and 5 is entered. late runs the days of each income in one go.
func shareStory(t *testing.T, db *store.DB, clock *testkit.Clock, late bool) {
	t.Helper()
	shareMode(t, db)
	for id, tokens := range map[ledger.Account]int64{"alice": 3, "bob": 1, "carol": 2000, "dave": 0} {
		open(t, db, id)
		on(t, db, id)
		if tokens > 0 {
			deposit(t, db, "d-"+string(id), id, tokens, bnb, noon)
		}
	}
	if !late {
		settleThrough(t, db, clock, 1, 3, false)
	}
	clock.Set(4, "12:00")
	off(t, db, "bob")
	enter(t, db, "e1", 2, 3, 1_434_285) // the fee is 430,285
	settleThrough(t, db, clock, 1, 5, late)
	clock.Set(6, "12:00")
	enter(t, db, "e2", 4, 5, 1_434_290)
	enter(t, db, "e2b", 4, 5, 1_434_290) // of another validator
	enter(t, db, "slashing", 4, 4, -10)  // the pool of the next is less by 7
	settleThrough(t, db, clock, 6, 6, late)
}

// TestShareMode: bob gets the share of the days that he was enrolled for. A run that comes
// days late pays the same.
func TestShareMode(t *testing.T) {
	for _, late := range []bool{false, true} {
		each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
			shareStory(t, db, clock, late)
			const coin = 100_000_000
			o := shareOracle{parts(1_004_000), big.NewInt(2 * 1004 * coin), map[string]*big.Int{}}
			first := func(id string, tokens int64) ledger.Amount { return o.reward(id, big.NewInt(2*tokens*coin)) }
			want := map[ledger.Account]map[int]ledger.Amount{
				"alice": {4: first("alice", 3)}, "bob": {4: first("bob", 1)}, "carol": {4: first("carol", 1000)}, "dave": {},
			}
			// alice has her reward of Day 4 from Day 5 on.
			alice := 2*3*coin + int64(want["alice"][4])
			o.pool, o.all = parts(2*(1_434_290-430_287)-7), big.NewInt(alice+2*1000*coin)
			want["alice"][6] = o.reward("alice", big.NewInt(alice))
			want["carol"][6] = o.reward("carol", big.NewInt(2*1000*coin))
			for id, rewards := range want {
				if diff := cmp.Diff(rewards, paidTo(t, db, id)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", id, diff)
				}
			}
			conserved(t, db, 1_004_000+2*(1_434_290-430_287)-7)
			audited(t, db)
		})
	}
}

// conserved: what came in is what was paid, what is carried, and what is left.
func conserved(t *testing.T, db *store.DB, came int64) {
	t.Helper()
	r := reports.New(db.Reader())
	all := testkit.Must(r.Distributions(t.Context(), bnb, day1, day1+100, 100))(t)
	if len(all) == 0 {
		t.Fatal("there are no distributions")
	}
	last := all[0] // of the newest day the last one has what was left
	for _, d := range all {
		if d.Day == last.Day {
			last = d
		}
	}
	sum := parts(int64(last.Left().Units))
	sum.Add(sum, big.NewInt(int64(last.Left().Part)))
	for _, id := range []ledger.Account{"alice", "bob", "carol", "dave"} {
		var carry staking.Fraction
		asked := reports.RewardsAsked{From: day1, To: day1 + 100, Asset: bnb}
		for _, reward := range testkit.Must(r.RewardPage(t.Context(), id, asked, nil, 100))(t) {
			sum.Add(sum, parts(int64(reward.Reward)))
			carry = reward.Carry
		}
		sum.Add(sum, big.NewInt(int64(carry)))
	}
	if want := parts(came); sum.Cmp(want) != 0 {
		t.Errorf("paid, carried and left are %s, in parts of a smallest unit; %s came in", sum, want)
	}
}

// TestSharesChangedByHand: the audit finds each, in books of the mode share.
func TestSharesChangedByHand(t *testing.T) {
	url := "sqlite:" + t.TempDir() + "/books.db"
	clock := testkit.NewClock(noon)
	db := testkit.Must(store.Create(t.Context(), url, options(clock), shipped(t, day1)))(t)
	closeAfter(t, db)
	shareStory(t, db, clock, false)
	byHand := handOf(t, url)
	byHand.keep(t)
	wantClean(t, auditOf(t, db, audit.Options{}))
	for _, c := range []struct{ sql, want string }{
		{"UPDATE accruals SET reward = reward + 1 WHERE account = 'alice' AND reward > 3000", "reward is"},
		{"UPDATE accruals SET eligible_rest = eligible_rest + 1 WHERE account = 'alice'", "the eligible average's rest is 1"},
		{"UPDATE shares SET part = part + 1 WHERE units > 0", "parts of a smallest unit of the distribution"},
		{"DELETE FROM shares WHERE units > 0", "parts of a smallest unit of the distribution"},
		{"INSERT INTO shares SELECT bucket, day, asset, first_day - 1, last_day, units, part FROM shares WHERE units > 0",
			"and there is none"},
		{"UPDATE distributions SET paid_units = paid_units + 1", "parts of a smallest unit; the buckets have"},
		{"UPDATE distributions SET net = net + 1", "derived"},
		{"UPDATE distributions SET gross = gross + 1", "has a gross income of"},
		{"UPDATE distributions SET weight = '1' || weight", "is divided by the weight 1"},
		{"UPDATE distributions SET before_part = 7", "begins with"},
		{"DELETE FROM distributions", "is missing, though the day is declared"},
		{"INSERT INTO distributions SELECT asset, day, first_day - 1, last_day, gross, net, before_units, " +
			"before_part, weight, paid_units, paid_part FROM distributions",
			"divides no income"},
		{"UPDATE declarations SET eligible = eligible + 1 WHERE eligible > 0", "declared is a weight of"},
		{"UPDATE batches SET eligible = eligible + 1 WHERE eligible > 0", "the control total of what was eligible"},
		{"UPDATE incomes SET mode = 0", "is of the mode fixed; by the terms of"},
		{"UPDATE batches SET eligible = 0 WHERE eligible > 0; UPDATE declarations SET eligible = 1 WHERE eligible > 0",
			"the control total of what was eligible is 0"},
		{"UPDATE incomes SET gross = gross + 1 WHERE reference = 'e1'", "brings in another income"},
		{"UPDATE incomes SET evidence = 'x' WHERE reference = 'e1'", "has other evidence"},
		{"DELETE FROM incomes WHERE reference = 'e1'", "there are 0 rows of it"},
		{"UPDATE terms SET fee = fee + 1", "was divided by the fee 0.3"},
		{"UPDATE terms SET mode = 0, apr = 0", "has a share of the distribution"},
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
