package staking_test

import (
	"crypto/sha256"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

const (
	bnb  ledger.Amount = 100_000_000 // one BNB
	hour int64         = 3_600_000
	last int64         = staking.DayMillis - 1
)

// What an account earns on a day, case by case. The rate of 0.0365 a year
// is one ten-thousandth a day.
func TestWhatIsEarned(t *testing.T) {
	terms := staking.Terms{Asset: "BNB", Offered: true, APR: 3_650_000, Min: bnb / 2, Cap: 1_000 * bnb}
	none := staking.Accrual{}
	for _, c := range []struct {
		what   string
		before ledger.Amount
		events []event
		want   staking.Accrual // its opening, average, rest, eligible, reward
	}{
		{"2 BNB all day", 2 * bnb, nil,
			staking.Accrual{Opening: 2 * bnb, Average: 2 * bnb, Eligible: 2 * bnb, Reward: 20_000}},
		{"2 BNB from noon", 0, []event{{12 * hour, 2 * bnb}},
			staking.Accrual{Average: bnb, Eligible: bnb, Reward: 10_000}},
		{"2 BNB until noon", 2 * bnb, []event{{12 * hour, -2 * bnb}},
			staking.Accrual{Opening: 2 * bnb, Average: bnb, Eligible: bnb, Reward: 10_000}},
		{"deposited at midnight", 0, []event{{0, bnb}},
			staking.Accrual{Opening: bnb, Average: bnb, Eligible: bnb, Reward: 10_000}},
		{"deposited a millisecond later", 0, []event{{1, bnb}},
			staking.Accrual{Average: bnb - 2, Rest: 72_800_000, Eligible: bnb - 2, Reward: 9_999}},
		{"withdrawn at midnight", bnb, []event{{0, -bnb}}, none},
		{"deposited in the last millisecond", 0, []event{{last, 43_200_000 * bnb}},
			staking.Accrual{Average: bnb / 2, Eligible: bnb / 2, Reward: 5_000}},
		{"deposited at the next midnight", 0, []event{{staking.DayMillis, 1_000 * bnb}}, none},
		{"withdrawn at the next midnight", bnb, []event{{staking.DayMillis, -bnb}},
			staking.Accrual{Opening: bnb, Average: bnb, Eligible: bnb, Reward: 10_000}},
		{"held for an order from 6 to 18", bnb, []event{{6 * hour, -bnb}, {18 * hour, bnb}},
			staking.Accrual{Opening: bnb, Average: bnb / 2, Eligible: bnb / 2, Reward: 5_000}},
		{"in and out in one millisecond", bnb, []event{{hour, 900 * bnb}, {hour, -900 * bnb}},
			staking.Accrual{Opening: bnb, Average: bnb, Eligible: bnb, Reward: 10_000}},
		{"exactly the minimum", bnb / 2, nil,
			staking.Accrual{Opening: bnb / 2, Average: bnb / 2, Eligible: bnb / 2, Reward: 5_000}},
		{"a unit for a millisecond below it", bnb / 2, []event{{last, -1}}, none},
		{"below it and again above it", bnb / 2, []event{{hour, -1}, {2 * hour, 1}, {3 * hour, 1}, {4 * hour, -1}},
			staking.Accrual{Opening: bnb / 2, Average: bnb / 2, Eligible: bnb / 2, Reward: 5_000}},
		{"exactly the cap", 1_000 * bnb, nil,
			staking.Accrual{Opening: 1_000 * bnb, Average: 1_000 * bnb, Eligible: 1_000 * bnb, Reward: 10_000_000}},
		{"above the cap", 5_000 * bnb, nil,
			staking.Accrual{Opening: 5_000 * bnb, Average: 5_000 * bnb, Eligible: 1_000 * bnb, Reward: 10_000_000}},
		{"the cap is for the day, not the moment", 0, []event{{12 * hour, 2_000 * bnb}},
			staking.Accrual{Average: 1_000 * bnb, Eligible: 1_000 * bnb, Reward: 10_000_000}},
		{"nothing", 0, nil, none},
	} {
		h := history{before: c.before, events: c.events, terms: terms}
		v, wrong := checkHistory(h, indexes(len(c.events)))
		if wrong != "" {
			t.Errorf("%s: %s", c.what, wrong)
		}
		got, _ := staking.Accrue(20_000, terms, h.counted(indexes(len(c.events))))
		if c.want != none {
			c.want.Day, c.want.Account, c.want.Asset, c.want.APR = 20_000, "alice", "BNB", terms.APR
			c.want.Carry = staking.Fraction(v.carry.Int64())
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, d)
		}
	}
}

func indexes(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

func TestWhoIsNotOfferedEarnsNothing(t *testing.T) {
	terms := staking.Terms{Asset: "BNB", APR: 3_650_000, Cap: 1_000 * bnb}
	if a, earned := staking.Accrue(0, terms, staking.HoldingAt("alice", "BNB", bnb, 5)); earned ||
		a != (staking.Accrual{}) {
		t.Errorf("not on offer: %+v", a)
	}
}

// The fraction that is carried counts: the smallest of rests tips the next unit over.
func TestTheCarryTipsTheUnit(t *testing.T) {
	terms := staking.Terms{Asset: "BNB", Offered: true, APR: 1, Cap: 1_000 * bnb}
	// a unit for a day at the least rate is DayMillis
	one := staking.HoldingAt("alice", "BNB", 1, staking.Unit-staking.DayMillis)
	if a, _ := staking.Accrue(0, terms, one); a.Reward != 1 || a.Carry != 0 || a.Before != one.Carry {
		t.Errorf("the fractions make a whole unit: %+v", a)
	}
	one.Carry--
	if a, _ := staking.Accrue(0, terms, one); a.Reward != 0 || a.Carry != staking.Unit-1 {
		t.Errorf("all but the least part of a unit: %+v", a)
	}
}

// A unit of carry is a year of a unit at a rate of 1: 365 days in every year.
func TestUnit(t *testing.T) {
	if got := int64(staking.Unit); got != 365*24*60*60*1000*100_000_000 {
		t.Errorf("a unit is %d fractions", got)
	}
}

// The largest figures that the types can say, which no books can hold, still do not panic.
func TestTheLargestFigures(t *testing.T) {
	terms := staking.Terms{Asset: "X", Offered: true, APR: rateMax, Min: math.MaxInt64, Cap: math.MaxInt64}
	h := history{before: math.MaxInt64, terms: terms, carry: staking.Unit - 1}
	if _, wrong := checkHistory(h, nil); wrong != "" {
		t.Error(wrong)
	}
	h.events = []event{{1, -math.MaxInt64}, {2, math.MaxInt64}, {2, -math.MaxInt64}, {3, math.MaxInt64}}
	h.terms.Min = 1
	if _, wrong := checkHistory(h, []int{3, 0, 2, 1}); wrong != "" {
		t.Error(wrong)
	}
}

// Counting back asks for no order, and a change may come in parts.
func TestUndoInAnyOrderAndInParts(t *testing.T) {
	type change struct {
		amount ledger.Amount
		at     int64
	}
	rapid.Check(t, func(t *rapid.T) {
		changes := rapid.SliceOf(rapid.Custom(func(t *rapid.T) change {
			return change{
				ledger.Amount(rapid.Int64Range(-1<<61, 1<<61).Draw(t, "amount")),
				rapid.Int64Range(0, 2*staking.DayMillis).Draw(t, "at"),
			}
		})).Draw(t, "changes")
		whole := staking.HoldingAt("alice", "BNB", 1<<62, 0)
		for _, c := range changes {
			whole.Rewind(c.amount, c.at)
		}
		parts := staking.HoldingAt("alice", "BNB", 1<<62, 0)
		for _, c := range slices.Backward(changes) {
			part := c.amount / 3
			parts.Rewind(part, c.at)
			parts.Rewind(c.amount-part, c.at)
		}
		if whole != parts {
			t.Fatalf("%+v is not %+v", whole, parts)
		}
	})
}

// The line that a paid bucket's digest is made of: auditors recompute it, so it can never change.
func TestAccrualLine(t *testing.T) {
	a := staking.Accrual{
		Day: 20_779, Account: "alice", Asset: "BNB", Opening: 1, Average: 2, Rest: 3, Eligible: 4, APR: 150_000,
		Reward: math.MaxInt64, Before: 6, Carry: staking.Unit - 1,
	}
	got := string(a.AppendLine([]byte("earlier\n")))
	want := "earlier\n2026-11-22 BNB alice 1 2 3 4 150000 9223372036854775807 6 3153599999999999999\n"
	if got != want {
		t.Errorf("the line is\n%q, not\n%q", got, want)
	}
}

// No two accruals that differ in one figure make the same line.
func TestAccrualLinesDiffer(t *testing.T) {
	lines := map[[32]byte]bool{}
	for i, a := range []staking.Accrual{
		{}, {Day: 1}, {Account: "a"}, {Asset: "A"}, {Opening: 1}, {Average: 1}, {Rest: 1}, {Eligible: 1}, {APR: 1},
		{Reward: 1}, {Before: 1}, {Carry: 1},
	} {
		lines[sha256.Sum256(a.AppendLine(nil))] = true
		if len(lines) != i+1 {
			t.Errorf("the line of %+v is another's too", a)
		}
	}
}
