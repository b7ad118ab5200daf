package store_test

import (
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// incomeOf is an income of BNB for the first days of the books.
func incomeOf(reference string, first, last int, gross ledger.Amount) staking.Income {
	return staking.Income{
		Reference: reference, Asset: bnb, Chain: "bsc", Source: "validator 7", First: day1 + staking.Day(first) - 1,
		Last: day1 + staking.Day(last) - 1, Gross: gross, Evidence: "report " + reference,
	}
}

// house are the balances of BNB that have to do with income, in smallest units.
func house(t *testing.T, db *store.DB) map[ledger.Account]int64 {
	t.Helper()
	found := map[ledger.Account]int64{}
	for _, h := range testkit.Must(reports.New(db.Reader()).HouseBalances(t.Context()))(t) {
		if h.Asset == bnb && h.Sum.Sign() != 0 {
			found[h.Account] = new(big.Int).Set(h.Sum).Int64()
		}
	}
	return found
}

// withFee runs a test on Day 4, with a fee of 30 % from Day 2 on.
func withFee(t *testing.T, test func(t *testing.T, db *store.DB, clock *testkit.Clock)) {
	t.Helper()
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		terms := testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), day1))(t)
		for _, terms := range terms {
			if terms.Asset == bnb {
				terms.From, terms.Fee = day1+1, 3*staking.Whole/10
				ok(t, db.SetTerms(t.Context(), terms))
			}
		}
		clock.Set(4, "10:00")
		test(t, db, clock)
	})
}

func TestIncomeIsDivided(t *testing.T) {
	withFee(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		first := testkit.Must(db.PostIncome(ctx, incomeOf("e1", 1, 2, 1_000_001)))(t)
		again := testkit.Must(db.PostIncome(ctx, incomeOf("e1", 1, 2, 1_000_001)))(t)
		if first.Repeated || !again.Repeated || !again.At.Equal(first.At) {
			t.Errorf("%+v, then %+v", first, again)
		}
		testkit.Must(db.PostIncome(ctx, incomeOf("e0", 1, 1, 500)))(t)      // before the fee
		testkit.Must(db.PostIncome(ctx, incomeOf("slashed", 3, 3, -11)))(t) // its fee is returned
		want := map[ledger.Account]int64{ledger.Custody: -1_000_490, ledger.Fees: 299_997, ledger.Rewards: 700_493}
		if diff := cmp.Diff(want, house(t, db)); diff != "" {
			t.Errorf("the house accounts (-want +got):\n%s", diff)
		}
		all := testkit.Must(reports.New(db.Reader()).Incomes(ctx, reports.IncomesAsked{To: staking.Forever},
			reports.Income{}, 10))(t)
		if len(all) != 3 {
			t.Fatalf("%d incomes are listed", len(all))
		}
		for _, i := range all {
			if i.Reference == "e1" {
				want := reports.Income{Income: incomeOf("e1", 1, 2, 1_000_001), Rate: 30_000_000,
					Split: ledger.Split{Gross: 1_000_001, Fee: 300_000, Net: 700_001}, At: first.At, Credential: i.Credential}
				if diff := cmp.Diff(want, i); diff != "" {
					t.Errorf("listed (-want +got):\n%s", diff)
				}
			}
		}
		rest := testkit.Must(reports.New(db.Reader()).Incomes(ctx, reports.IncomesAsked{To: staking.Forever}, all[0], 10))(t)
		if diff := cmp.Diff(all[1:], rest); diff != "" {
			t.Errorf("after the first (-want +got):\n%s", diff)
		}
		clean(t, db, clock)
	})
}

// clean audits the books to the end of the day.
func clean(t *testing.T, db *store.DB, clock *testkit.Clock) {
	t.Helper()
	clock.Set(5, "01:00")
	settle(t, db, clock)
	audited(t, db)
}

func TestIncomeIsRefused(t *testing.T) {
	withFee(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		testkit.Must(db.PostIncome(ctx, incomeOf("e1", 1, 2, 1_000_001)))(t)
		before := house(t, db)
		for _, c := range []struct {
			change func(*staking.Income)
			want   error
		}{
			{func(i *staking.Income) { i.Gross++ }, ledger.ErrConflict},
			{func(i *staking.Income) { i.First++ }, ledger.ErrConflict},
			{func(i *staking.Income) { i.Evidence = "another report" }, ledger.ErrConflict},
			{func(i *staking.Income) { i.Source = "validator 8" }, ledger.ErrConflict},
			{func(i *staking.Income) { i.Reference, i.Asset = "e2", "XXX" }, ledger.ErrNotFound},
			{func(i *staking.Income) { i.Reference, i.Last = "e2", day1+3 }, ledger.ErrInvalid}, // it is not over
			{func(i *staking.Income) { i.Reference, i.First, i.Last = "e2", day1-2, day1-1 }, ledger.ErrInvalid},
			{func(i *staking.Income) { i.Reference, i.Gross = "e2", -1_000_002 }, ledger.ErrInsufficient},
		} {
			i := incomeOf("e1", 1, 2, 1_000_001)
			c.change(&i)
			wants(t, failure(db.PostIncome(ctx, i)), c.want)
		}
		if diff := cmp.Diff(before, house(t, db)); diff != "" {
			t.Errorf("what was refused changed the house accounts (-want +got):\n%s", diff)
		}
	})
}

func TestFeesAreWithdrawn(t *testing.T) {
	withFee(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		testkit.Must(db.PostIncome(ctx, incomeOf("e1", 1, 2, 1000)))(t)
		wants(t, failure(db.MoveFees(ctx, "f1", bnb, 301, false)), ledger.ErrInsufficient)
		testkit.Must(db.MoveFees(ctx, "f1", bnb, 300, false))(t)
		if o := testkit.Must(db.MoveFees(ctx, "f1", bnb, 300, false))(t); !o.Repeated {
			t.Error("a repeated withdrawal was posted")
		}
		wants(t, failure(db.MoveFees(ctx, "f1", bnb, 299, false)), ledger.ErrConflict)
		// The fee of a slashing must be returned first.
		wants(t, failure(db.PostIncome(ctx, incomeOf("slashed", 3, 3, -10))), ledger.ErrInsufficient)
		testkit.Must(db.MoveFees(ctx, "f2", bnb, 3, true))(t)
		testkit.Must(db.PostIncome(ctx, incomeOf("slashed", 3, 3, -10)))(t)
		want := map[ledger.Account]int64{ledger.Custody: -693, ledger.Rewards: 693}
		if diff := cmp.Diff(want, house(t, db)); diff != "" {
			t.Errorf("the house accounts (-want +got):\n%s", diff)
		}
		clean(t, db, clock)
	})
}

// TestFeeOfThePastStays: income was divided by it.
func TestFeeOfThePastStays(t *testing.T) {
	withFee(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		for _, terms := range testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), day1+2))(t) {
			if terms.Asset == bnb {
				terms.Fee--
				wants(t, db.CorrectTerms(t.Context(), day1+2, terms, "why"), ledger.ErrInvalid)
				terms.Fee++
				terms.APR++
				ok(t, db.CorrectTerms(t.Context(), day1+2, terms, "why"))
			}
		}
	})
}

// TestTheLargestHoldings: what holders have together may exceed 63 bits where the supply was
// set too low; a day with a rate is paid all the same.
func TestTheLargestHoldings(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		big := ledger.Asset{Symbol: "BIG", Scale: 0, MaxSupply: ledger.MaxSupply}
		terms := testkit.Must(staking.ParseTerms(big, day1, "0.00000001", "1", "4611686018427387903"))(t)
		ok(t, db.AddAsset(ctx, staking.Token{Asset: big, Terms: terms}))
		ok(t, db.SetLimit(ctx, staking.NoLimit(big)))
		testkit.Must(db.Fund(ctx, "f", "BIG", 1_000_000_000, false))(t)
		for _, id := range []ledger.Account{"alice", "bob", "carol"} {
			open(t, db, id)
			on(t, db, id)
			_, err := db.PostAll(ctx, []ledger.Entry{{ID: "d-" + string(id), Kind: ledger.Deposit, At: noon,
				Moves: []ledger.Move{{From: ledger.Custody, To: id, Asset: "BIG", Amount: ledger.MaxSupply}}}})
			ok(t, err)
		}
		clock.Set(3, "00:10")
		if r := settle(t, db, clock); len(r.Waiting) > 0 || earned(t, db, "alice", "BIG") == 0 {
			t.Errorf("%v waits, and alice earned %d", r.Waiting, earned(t, db, "alice", "BIG"))
		}
	})
}
