package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func price(asset string, day int, whole int64) pricing.Price {
	return pricing.Price{Asset: asset, Day: day1 + staking.Day(day-1), Price: whole * 1_00000000}
}

// A day's price may be set until the day is paid and never changed after.
func TestPricesAreFrozenOnceTheDayIsPaid(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		set := func(n int, prices ...pricing.Price) {
			t.Helper()
			if got := testkit.Must(db.Prices().Set(ctx, prices))(t); got != n {
				t.Errorf("%d prices were set, not %d", got, n)
			}
		}
		refused := func(wanted error, prices ...pricing.Price) {
			t.Helper()
			_, err := db.Prices().Set(ctx, prices)
			wants(t, err, wanted)
		}
		set(2, price("BNB", 1, 600), price("SOL", 1, 150), price("SOL", 1, 150))
		set(1, price("BNB", 1, 610), price("SOL", 1, 150))
		refused(ledger.ErrInvalid, price("BNB", 2, 600)) // has not begun
		refused(ledger.ErrInvalid, price("BNB", 1, 1), price("BNB", 1, 2))
		refused(ledger.ErrInvalid, price("BNB", 1, 0))
		refused(ledger.ErrInvalid, price("USDT", 1, 2))
		refused(ledger.ErrNotFound, price("DOGE", 1, 2))
		set(0, price("USDT", 1, 1))
		set(0)
		clock.Set(2, "00:05")
		settle(t, db, clock) // Day 1 is paid, though nobody has earned
		set(0, price("BNB", 1, 610))
		refused(ledger.ErrConflict, price("BNB", 2, 620), price("BNB", 1, 600)) // all or nothing
		if got := testkit.Must(reports.New(db.Reader()).Prices(ctx, "BNB", day1-9, day1+9))(t); !slices.Equal(got,
			[]pricing.Price{price("BNB", 1, 610)}) {
			t.Errorf("the prices are %v", got)
		}
		clock.Set(3, "12:00")
		set(1, price("BNB", 2, 620)) // over, not paid
		settle(t, db, clock)
		refused(ledger.ErrConflict, price("BNB", 2, 621))
		refused(ledger.ErrConflict, price("SOL", 2, 151)) // paid at the price of Day 1
		set(1, price("BNB", 3, 700))
	})
}

// A paid day without any price gets one once, and no value that is fixed changes.
func TestAPaidDayWithoutAPriceGetsOneOnce(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		clock.Set(12, "12:00")
		settle(t, db, clock)
		if _, known, err := reports.New(db.Reader()).PriceOf(ctx, "BNB", day1+4); err != nil || known {
			t.Errorf("a price that nobody set is known: %v", err)
		}
		n := testkit.Must(db.Prices().Set(ctx, []pricing.Price{price("BNB", 3, 600), price("BNB", 4, 610)}))(t)
		if n != 2 {
			t.Errorf("%d were set", n)
		}
		for day, want := range map[int]int64{1: 0, 2: 0, 3: 600, 4: 610, 5: 610, 11: 610, 12: 0} {
			got, known, err := reports.New(db.Reader()).PriceOf(ctx, "BNB", day1+staking.Day(day-1))
			if err != nil || got != want*1_00000000 || known != (want != 0) {
				t.Errorf("on Day %d it is %d, %t, %v", day, got, known, err)
			}
		}
		for _, day := range []int{3, 4, 5, 11} {
			_, err := db.Prices().Set(ctx, []pricing.Price{price("BNB", day, 999)})
			wants(t, err, ledger.ErrConflict)
		}
		if n := testkit.Must(db.Prices().Set(ctx, []pricing.Price{price("BNB", -3, 500), price("BNB", 12, 700)}))(t); n != 2 {
			t.Errorf("%d were set", n)
		}
		_, err := db.Prices().Set(ctx, []pricing.Price{price("BNB", -3, 501)}) // Days 1 and 2 were paid at it
		wants(t, err, ledger.ErrConflict)
		if p, known, err := reports.New(db.Reader()).PriceOf(ctx, "USDT", day1); err != nil || !known || p != 1_00000000 {
			t.Errorf("USDT is %d, %t, %v", p, known, err)
		}
		_, _, err = reports.New(db.Reader()).PriceOf(ctx, "DOGE", day1)
		wants(t, err, ledger.ErrNotFound)
		_, err = reports.New(db.Reader()).Prices(ctx, "DOGE", day1, day1)
		wants(t, err, ledger.ErrNotFound)
	})
}

// TestManySmallStepsAreALargeOne: prices of a day that each move little need approval when together they are far from
// the day before; near what was approved they need none.
func TestManySmallStepsAreALargeOne(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		set := func(price int64) error {
			_, err := db.As(proposer).Prices().Set(ctx, []pricing.Price{{Asset: "BNB", Day: day1 + 2, Price: price}})
			return err
		}
		for _, price := range []int64{1100, 1200, 1050, 850, 950} { // of Day 2 it is 1000
			ok(t, set(price))
		}
		ok(t, set(1140))
		wants(t, set(1300), control.ErrNeedsApproval) // 14 % more than the last
		for _, price := range []int64{1000, 900} {
			ok(t, set(price))
		}
		wants(t, set(750), control.ErrNeedsApproval)
		for _, price := range []int64{1000, 1150} {
			ok(t, set(price))
		}
		needed, is := errors.AsType[*control.Needed](set(1300))
		if !is {
			t.Fatal("it needs approval")
		}
		p := testkit.Must(db.As(proposer).Propose(ctx, needed.Draft, ""))(t)
		testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
		ok(t, set(1500))                              // 15 % more than what was approved
		wants(t, set(1600), control.ErrNeedsApproval) // 23 %
	})
}

// TestTheFirstPriceNeedsApproval: it has nothing to be compared with, and keeps no other token's from being set.
func TestTheFirstPriceNeedsApproval(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		prices := func() (n int) {
			for _, asset := range []string{"BNB", "SOL", "ADA"} {
				n += len(testkit.Must(reports.New(db.Reader()).Prices(ctx, asset, day1, day1+9))(t))
			}
			return n
		}
		feed := []pricing.Price{{Asset: "ADA", Day: day1 + 2, Price: 7}, {Asset: "BNB", Day: day1 + 2, Price: 1001},
			{Asset: "SOL", Day: day1 + 2, Price: 500}, {Asset: "SOL", Day: day1 + 1, Price: 499}}
		for _, want := range []int{1, 0} {
			n, err := db.As(proposer).Prices().Set(ctx, feed)
			needed, is := errors.AsType[*control.Needed](err)
			if !is || n != want || prices() != 2 { // BNB's of Day 2 and 3
				t.Fatalf("%d are set, %d are there: %v", n, prices(), err)
			}
			if strings.Contains(string(needed.Draft.Content), "BNB") {
				t.Errorf("the proposal is of others too: %s", needed.Draft.Content)
			}
			same(t, "as new as the feed", testkit.Must(db.Count(ctx, "SELECT max(set_at) FROM prices"))(t),
				clock.Now().UnixMilli()) // so that it can be converted at
			clock.Advance(time.Minute)
			same(t, "the effect", needed.Draft.Effect, "3 prices, ADA of 2026-03-04: 0.00000007, the first one, "+
				"SOL of 2026-03-03: 0.00000499, the first one, SOL of 2026-03-04: 0.000005, the first one")
			p := testkit.Must(db.As(proposer).Propose(ctx, needed.Draft, ""))(t)
			if want == 0 {
				testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
			}
		}
		same(t, "after the approval", prices(), 5)
		testkit.Must(db.As(proposer).Prices().Set(ctx, []pricing.Price{{Asset: "SOL", Day: day1 + 2, Price: 510}}))(t)
		// Who could not even propose it sets the others, and where another moves too far, all of it is one proposal.
		nobody := db.As(access.Actor{Role: access.Operator, Credential: "token 111111111111"})
		n, err := nobody.Prices().Set(ctx, []pricing.Price{{Asset: "SUI", Day: day1 + 2, Price: 7},
			{Asset: "SOL", Day: day1 + 2, Price: 511}})
		wants(t, err, access.ErrForbidden)
		same(t, "of another", n, 1)
		n, err = db.As(proposer).Prices().Set(ctx, []pricing.Price{{Asset: "SUI", Day: day1 + 2, Price: 7},
			{Asset: "BNB", Day: day1 + 2, Price: 5000}, {Asset: "SOL", Day: day1 + 2, Price: 512}})
		wants(t, err, control.ErrNeedsApproval)
		same(t, "of all", n, 0)
	})
}

// TestOnlyWhatIsApprovedBeginsAgain: an approval is of the tokens that its effect names, with all their prices, and of
// no other that was asked for with them; and a history is compared with what it was before it was set again.
func TestOnlyWhatIsApprovedBeginsAgain(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		set := func(prices ...pricing.Price) error {
			_, err := db.As(proposer).Prices().Set(ctx, prices)
			return err
		}
		approve := func(err error) string {
			t.Helper()
			needed, is := errors.AsType[*control.Needed](err)
			if !is {
				t.Fatalf("it needs approval: %v", err)
			}
			p := testkit.Must(db.As(proposer).Propose(ctx, needed.Draft, ""))(t)
			testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
			return p.Effect
		}
		at := func(asset string, day int, whole int64) pricing.Price {
			return pricing.Price{Asset: asset, Day: day1 + staking.Day(day-1), Price: whole}
		}
		clock.Set(3, "12:00")
		approve(set(at("ADA", 3, 500))) // its first
		for day, p := range []int64{820, 680, 560} {
			clock.Set(4+day, "12:00")
			ok(t, set(at("BNB", 4+day, p))) // of Day 2 it is 1000
		}
		clock.Set(7, "12:00")
		effect := approve(set(at("ADA", 7, 900), at("BNB", 7, 500), at("ADA", 6, 500)))
		same(t, "the effect", effect, "3 prices, ADA of 2026-03-07: 0.000005, ADA of 2026-03-08: 0.000009, after "+
			"0.000005 of 2026-03-04")
		clock.Set(8, "12:00")
		wants(t, set(at("BNB", 8, 420)), control.ErrNeedsApproval) // less than a half of Day 2's
		ok(t, set(at("ADA", 8, 1080)))

		history := func(whole int64) (all []pricing.Price) {
			for day := 4; day < 8; day++ {
				all = append(all, at("SOL", day, whole))
			}
			return all
		}
		approve(set(history(600)...))
		ok(t, set(history(480)...)) // a fifth less
		for range 2 {
			wants(t, set(history(385)...), control.ErrNeedsApproval)
			for _, p := range history(385) {
				wants(t, set(p), control.ErrNeedsApproval)
			}
			ok(t, set(history(481)...))
		}
		approve(set(history(385)...))
		ok(t, set(history(310)...))
	})
}

// TestSmallStepsOfDaysAreALargeOne: prices that each move little from one day to the next need approval when they
// come to more than a half within 30 days. What was approved is where it begins again, and a gap hides nothing.
func TestSmallStepsOfDaysAreALargeOne(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		set := func(day int, price int64) error {
			clock.Set(max(day, 3), "12:00")
			_, err := db.As(proposer).Prices().Set(ctx, []pricing.Price{{Asset: "BNB", Day: day1 + staking.Day(day-1),
				Price: price}})
			return err
		}
		approve := func(err error) {
			t.Helper()
			needed, is := errors.AsType[*control.Needed](err)
			if !is {
				t.Fatalf("it needs approval: %v", err)
			}
			p := testkit.Must(db.As(proposer).Propose(ctx, needed.Draft, ""))(t)
			testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
		}
		ok(t, set(3, 1190)) // of Day 2 it is 1000
		ok(t, set(4, 1416))
		err := set(5, 1501) // 6 % more than on the day before, and 50.1 % more than on Day 2
		wants(t, err, control.ErrNeedsApproval)
		ok(t, set(5, 1500))
		approve(err)
		ok(t, set(6, 1801)) // 20 % more than what was approved
		ok(t, set(7, 2161))
		wants(t, set(8, 2252), control.ErrNeedsApproval)
		ok(t, set(8, 1801))
		ok(t, set(9, 1501))
		ok(t, set(10, 1251))
		wants(t, set(11, 1080), control.ErrNeedsApproval) // less than a half of Day 7's
		// In one call with the days before it is the same.
		clock.Set(13, "12:00")
		_, err = db.As(proposer).Prices().Set(ctx, []pricing.Price{{Asset: "BNB", Day: day1 + 11, Price: 1070},
			{Asset: "BNB", Day: day1 + 12, Price: 900}})
		wants(t, err, control.ErrNeedsApproval)

		wants(t, set(60, 1880), control.ErrNeedsApproval) // the last one, of Day 10, was 1251
		ok(t, set(60, 1870))
		ok(t, set(61, 1600)) // that of Day 7 is of more than 30 days before
		wants(t, set(62, 934), control.ErrNeedsApproval)
	})
}
