package store_test

import (
	"math/big"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// bnbNow is what an account has of BNB now.
func bnbNow(t *testing.T, db *store.DB, id ledger.Account) reports.OfferedToken {
	t.Helper()
	h := testkit.Must(reports.New(db.Reader()).Holder(t.Context(), id, staking.Client{}, reports.Offer))(t)
	return bnbOf(h)
}

// eligibleOn is what of BNB was eligible for the day's reward, by account.
func eligibleOn(t *testing.T, db *store.DB, d staking.Day) map[ledger.Account]ledger.Amount {
	t.Helper()
	eligible := map[ledger.Account]ledger.Amount{}
	for _, a := range owned {
		asked := reports.RewardsAsked{From: d, To: d, Asset: bnb}
		rewards := testkit.Must(reports.New(db.Reader()).RewardPage(t.Context(), ledger.Account(a.id), asked, nil, 10))(t)
		for _, r := range rewards {
			eligible[r.Account] = r.Eligible
		}
	}
	return eligible
}

// TestWhatEarnsNowIsWhatTheDayEarns: where minimum and cap are an owner's, what earns now is for each account what its
// day is paid for if nothing moves, and a preview of what would earn no more is the sum of it.
func TestWhatEarnsNowIsWhatTheDayEarns(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ownerStory(t, db, clock, false)
		clock.Set(6, "11:00")
		setOwner(t, db, "alice-sub", "c-7", day(7))
		exclude(t, db, excluded("bob-sub", bnb, "Launchpool", 7, 0))
		for d := 6; d <= 8; d++ {
			clock.Set(d, "12:00")
			settle(t, db, clock)
			counting, sum, holders := map[ledger.Account]ledger.Amount{}, new(big.Int), int64(0)
			for _, a := range owned {
				if token := bnbNow(t, db, ledger.Account(a.id)); token.Counting > 0 {
					counting[ledger.Account(a.id)] = token.Counting
					sum.Add(sum, big.NewInt(int64(token.Counting)))
					holders++
				}
			}
			e := testkit.Must(reports.New(db.Reader()).PreviewDelisting(t.Context(), bnb, day(d)))(t)
			if len(e.Tokens) != 1 || e.Tokens[0].Earning.Cmp(sum) != 0 || e.Tokens[0].Holders != holders {
				t.Errorf("Day %d: off offer it would affect %+v, and %s of %d holders earns", d, e.Tokens, sum, holders)
			}
			clock.Set(d+1, "00:10")
			settle(t, db, clock)
			same(t, day(d).String(), counting, eligibleOn(t, db, day(d)))
		}
	})
}

// TestJointIsWithoutThoseThatAreNotMeasured: what minimum and cap are compared with now has no account that is switched
// off, excluded or of another owner, and is what is free where the token's limits are each account's own.
func TestJointIsWithoutThoseThatAreNotMeasured(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ownerStory(t, db, clock, false)
		clock.Set(6, "12:00")
		settle(t, db, clock)
		free := func(id ledger.Account) ledger.Amount { return bnbNow(t, db, id).Free }
		joint := func(id ledger.Account, want ledger.Amount) {
			t.Helper()
			if got := bnbNow(t, db, id).Joint; got != want {
				t.Errorf("%s has %d together, not %d", id, got, want)
			}
		}
		joint("bob", free("bob")+free("bob-sub"))
		joint("alice", free("alice"))             // the other one is its own owner, and gina is not enrolled
		joint("gina", free("gina")+free("alice")) // if she were
		joint("dave", free("dave"))               // the only one of its owner
		joint("carol", free("carol"))             // of no owner
		exclude(t, db, excluded("bob-sub", bnb, "Launchpool", 7, 0))
		clock.Set(7, "12:00")
		settle(t, db, clock)
		joint("bob", free("bob"))
		clock.Set(8, "12:00")
		off(t, db, "frank")
		joint("erin", free("erin"))
	})
}

// TestPreviewSumsExactly: accounts of one owner above a cap of 2 smallest units have all of it together, and each
// counts whose part is below one; owner and terms are those of the first day that would not earn.
func TestPreviewSumsExactly(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		perOwner(t, db)
		for _, id := range []ledger.Account{"alice", "bob", "carol"} {
			testkit.Must(db.OpenOwned(t.Context(), id, "DE", ""))(t)
			deposit(t, db, "d-"+string(id), id, 5, bnb, noon)
			accept(t, db, id)
			on(t, db, id)
		}
		settleThrough(t, db, clock, 1, 1, false)
		clock.Set(2, "12:00")
		terms := onDay(t, db, day(2))
		terms.From, terms.Min, terms.Cap = day(4), 1, 2
		ok(t, db.SetTerms(t.Context(), terms))
		for _, id := range []ledger.Account{"alice", "bob", "carol"} {
			setOwner(t, db, id, "c-1", day(4))
		}
		for _, e := range []reports.Effect{
			testkit.Must(reports.New(db.Reader()).PreviewDelisting(t.Context(), bnb, day(4)))(t),
			testkit.Must(reports.New(db.Reader()).PreviewRegion(t.Context(), "DE", day(4)))(t),
		} {
			if len(e.Tokens) != 1 || e.Tokens[0].Holders != 3 || e.Tokens[0].Earning.Int64() != 2 {
				t.Errorf("it would affect %+v", e.Tokens)
			}
		}
	})
}
