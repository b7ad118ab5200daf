package store_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
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

// agrees compares what an account has earned with what its rewards, added up one by one, come to.
func agrees(t *testing.T, rs *reports.Reports, id ledger.Account) reports.Holder {
	t.Helper()
	e := testkit.Must(rs.Holder(t.Context(), id, staking.Client{}, reports.Value))(t)
	var value ledger.Amount
	unpriced := 0
	ok(t, rs.Rewards(t.Context(), id, day1, day1+10_000, func(r reports.Reward) error {
		if value += r.Value; !r.PriceKnown && r.Reward > 0 {
			unpriced++
		}
		return nil
	}))
	if e.Value != value || e.Unpriced != unpriced {
		t.Errorf("the rewards of %s are worth %d and %d have no price, not %d and %d", id, value, unpriced, e.Value,
			e.Unpriced)
	}
	return e
}

// What is kept of an account's worth is what its rewards come to, whatever is paid
// and priced in between, in the process that asks and in another.
func TestEarningsAreWorthWhatTheRewardsAre(t *testing.T) {
	eachBooks(t, func(t *testing.T, url string, clock *testkit.Clock) {
		db := opened(t, url, clock)
		other := testkit.Must(store.Open(t.Context(), url, options(clock)))(t)
		closeAfter(t, other)
		here, there := reports.New(db.Reader()), reports.New(other.Reader()) // each keeps what it knows
		fund(t, db, "BNB", 1000)
		fund(t, db, "SOL", 1000)
		for _, id := range []ledger.Account{"alice", "bob"} {
			open(t, db, id)
			deposit(t, db, "bnb-"+string(id), id, 700, "BNB", noon)
			deposit(t, db, "sol-"+string(id), id, 900, "SOL", noon)
			on(t, db, id)
		}
		random := rand.New(rand.NewPCG(1, 2))
		for day := 2; day < 30; day++ {
			clock.Set(day, "00:06")
			settle(t, db, clock)
			for range random.IntN(3) {
				p := price([]string{"BNB", "SOL"}[random.IntN(2)], 1+random.IntN(day), 1+random.Int64N(900))
				if _, err := other.Prices().Set(t.Context(), []pricing.Price{p}); err != nil {
					wants(t, err, ledger.ErrConflict) // it is paid at another
				}
			}
			agrees(t, here, "alice")
			if day%7 == 0 {
				agrees(t, here, "bob")
				agrees(t, there, "alice")
			}
		}
		if e := agrees(t, here, "alice"); e.Value == 0 {
			t.Error("nothing was worth anything: the test shows nothing")
		}
	})
}

// A token that waits for funds holds none of the others up, and is counted when it is paid.
func TestEarningsOfATokenThatWaits(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		here := reports.New(db.Reader())
		fund(t, db, "BNB", 1000)
		open(t, db, "alice")
		deposit(t, db, "d1", "alice", 700, "BNB", noon)
		deposit(t, db, "d2", "alice", 900, "SOL", noon)
		on(t, db, "alice")
		testkit.Must(db.Prices().Set(t.Context(), []pricing.Price{price("BNB", 1, 600), price("SOL", 1, 150)}))(t)
		var before ledger.Amount
		for day := 3; day < 7; day++ {
			clock.Set(day, "00:06")
			settle(t, db, clock)
			e := agrees(t, here, "alice")
			if e.Value <= before {
				t.Errorf("on Day %d it is %d, and was %d", day, e.Value, before)
			}
			before = e.Value
		}
		fund(t, db, "SOL", 1000)
		settle(t, db, clock)
		if e := agrees(t, here, "alice"); e.Value <= before || e.Unpriced != 0 {
			t.Errorf("%d is worth no more than %d, or %d have no price", e.Value, before, e.Unpriced)
		}
	})
}

// What counts now: from the moment of switching on, up to the cap, from the minimum on.
func TestWhatIsStaked(t *testing.T) {
	eachWithAll(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		deposit(t, db, "d1", "alice", 1001, "BNB", noon) // the cap is 1000
		deposit(t, db, "d2", "alice", 149, "ADA", noon)  // the minimum is 150
		deposit(t, db, "d3", "alice", 1, "SOL", noon)    // the minimum is 1
		staked := func() string {
			t.Helper()
			text := ""
			for _, token := range holder(t, db, "alice", reports.Offer|reports.Value).Tokens {
				text += fmt.Sprintf("%s %s/%s ", token.Asset.Symbol, token.Asset.Format(token.Counting),
					token.Asset.Format(token.Free))
			}
			return text
		}
		const rest = "ALGO 0/0 AXS 0/0 BNB %s/1001 NEAR 0/0 POL 0/0 S 0/0 SOL %s/1 SUI 0/0 TON 0/0 "
		if got, want := staked(), "ADA 0/149 "+fmt.Sprintf(rest, "0", "0"); got != want {
			t.Errorf("off: %s, not %s", got, want)
		}
		on(t, db, "alice")
		if got, want := staked(), "ADA 0/149 "+fmt.Sprintf(rest, "1000", "1"); got != want {
			t.Errorf("on: %s, not %s", got, want)
		}
		off(t, db, "alice")
		if got, want := staked(), "ADA 0/149 "+fmt.Sprintf(rest, "0", "0"); got != want {
			t.Errorf("off again: %s, not %s", got, want)
		}
		nobody := holder(t, db, "nobody", reports.Offer|reports.Value)
		if nobody.On() || nobody.Value != 0 || len(nobody.Tokens) != 10 {
			t.Errorf("an account that nobody opened has %+v", nobody)
		}
		_, err := reports.New(db.Reader()).Holder(t.Context(), ledger.Rewards, staking.Client{}, reports.Offer|reports.Value)
		wants(t, err, ledger.ErrInvalid)
	})
}

// Credited is listed by when it was credited, however late that was, and page by page.
func TestCredited(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		fund(t, db, "BNB", 1000)
		fund(t, db, "SOL", 1000)
		open(t, db, "alice")
		deposit(t, db, "d1", "alice", 700, "BNB", noon)
		deposit(t, db, "d2", "alice", 900, "SOL", noon)
		on(t, db, "alice")
		for _, day := range []int{3, 4, 8, 9} { // Days 4 to 7 are paid late, at once
			clock.Set(day, "00:06")
			settle(t, db, clock)
		}
		var all []reports.Credit
		ok(t, reports.New(db.Reader()).Rewards(t.Context(), "alice", day1, day1+20, func(r reports.Reward) error {
			all = append(all, reports.Credit{Day: r.Day, Asset: r.Asset, Average: r.Average, Reward: r.Reward, PaidAt: r.PaidAt})
			return nil
		}))
		if len(all) != 14 {
			t.Fatalf("%d rewards were paid", len(all))
		}
		slices.SortFunc(all, func(a, b reports.Credit) int {
			return cmp.Or(b.PaidAt.Compare(a.PaidAt), cmp.Compare(b.Day, a.Day), cmp.Compare(a.Asset, b.Asset))
		})
		for _, c := range []struct {
			from, to      time.Time
			asset         string
			offset, limit int
		}{
			{noon, testkit.Moment(20, "00:00"), "", 0, 100},
			{noon, testkit.Moment(20, "00:00"), "", 3, 5},
			{noon, testkit.Moment(20, "00:00"), "", 13, 5},
			{noon, testkit.Moment(20, "00:00"), "", 14, 5},
			{noon, testkit.Moment(20, "00:00"), "", 1 << 40, 5},
			{noon, testkit.Moment(20, "00:00"), "SOL", 0, 100},
			{noon, testkit.Moment(20, "00:00"), "DOGE", 0, 100},
			{testkit.Moment(4, "00:06"), testkit.Moment(8, "00:06"), "", 0, 100}, // both ends are inside
			{testkit.Moment(4, "00:06").Add(time.Microsecond), testkit.Moment(8, "00:06").Add(-time.Microsecond), "", 0, 100},
			{testkit.Moment(8, "00:06"), testkit.Moment(8, "00:06"), "BNB", 0, 2},
			{testkit.Moment(9, "00:07"), noon, "", 0, 100},
		} {
			var want []reports.Credit
			total := 0
			for _, r := range all {
				if r.PaidAt.Before(c.from) || r.PaidAt.After(c.to) || cmp.Or(c.asset, r.Asset) != r.Asset {
					continue
				}
				if total++; total > c.offset && len(want) < c.limit {
					want = append(want, r)
				}
			}
			got, n, err := reports.New(db.Reader()).Credited(t.Context(), "alice", c.from, c.to, c.asset, c.offset, c.limit)
			if err != nil || n != total || !slices.Equal(got, want) {
				t.Errorf("%+v: %d, %v, %v; want %d, %v", c, n, err, got, total, want)
			}
		}
	})
}

// Terms of a day are the newest of the last day that has any.
func TestTermsOnADayWithARevision(t *testing.T) {
	eachWithAll(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		set := func(from staking.Day, apr staking.Rate) {
			t.Helper()
			ok(t, db.SetTerms(t.Context(), staking.Terms{Asset: "BNB", From: from, Offered: true, APR: apr, Min: 1, Cap: 2}))
		}
		set(day1+5, 500)
		set(day1+5, 501)
		set(day1+9, 900)
		for d, want := range map[staking.Day]staking.Rate{day1: 150_000, day1 + 4: 150_000, day1 + 5: 501, day1 + 8: 501,
			day1 + 9: 900, day1 + 99: 900} {
			terms := testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), d))(t)
			if i := slices.IndexFunc(terms, func(t staking.Terms) bool { return t.Asset == "BNB" }); len(terms) != 10 ||
				terms[i].APR != want {
				t.Errorf("on %s: %+v", d, terms)
			}
		}
		if terms := testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), day1-1))(t); len(terms) != 0 {
			t.Errorf("before the books began: %+v", terms)
		}
	})
}
