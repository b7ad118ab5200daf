package audit

import (
	"bytes"
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// walk brings a position with a balance and a carry over Day 0 and says what it earned.
func walk(
	terms staking.Terms, balance ledger.Amount, carry staking.Fraction, postings []Posting,
) (*worker, *position, bool) {
	w := newWorker(&audit{})
	w.begin(0)
	p := &position{}
	p.init(Balance{Account: "alice", Asset: terms.Asset}, &token{asset: ledger.Asset{Symbol: terms.Asset, Scale: 8}})
	p.balance.SetInt64(int64(balance))
	p.carry.SetInt64(int64(carry))
	for _, x := range postings {
		w.move(p, x.At, x.Amount)
	}
	w.endDay()
	r := newRule(terms)
	earns := w.figures.derive(p, &r, w.day)
	w.figures.sum(p)
	return w, p, earns
}

// The example of ARCHITECTURE.md: 2 BNB from noon on are 1 on average.
func TestDayOfTheExample(t *testing.T) {
	terms := staking.Terms{Asset: "BNB", Offered: true, APR: 3_650_000, Min: 50_000_000, Cap: 1000_0000_0000}
	w, _, earns := walk(terms, 0, 0, []Posting{{At: staking.DayMillis / 2, Amount: 2_0000_0000}})
	type day struct{ Opening, Average, Reward, Left int64 }
	f := &w.figures
	got := day{f.opening.Int64(), f.average.Int64(), f.reward.Int64(), f.left.Int64()}
	if d := gocmp.Diff(day{Average: 1_0000_0000, Reward: 1_0000}, got); d != "" || !earns {
		t.Errorf("earns %t (-want +got):\n%s", earns, d)
	}
	terms.Min = 1_0000_0001
	if _, _, earns := walk(terms, 0, 0, []Posting{{At: staking.DayMillis / 2, Amount: 2_0000_0000}}); earns {
		t.Error("an average below the minimum earns")
	}
}

// The minimum is compared with the integral: an average that is a millisecond's
// worth below it does not earn, though both round to the same.
func TestMinimumIsComparedExactly(t *testing.T) {
	terms := staking.Terms{Asset: "BNB", Offered: true, APR: 1, Min: 100, Cap: 1000}
	for _, c := range []struct {
		before ledger.Amount
		at     int64
		amount ledger.Amount
		earns  bool
	}{
		{100, 0, 0, true}, {99, 0, 1, true}, {99, 1, 1, false}, {101, 86_399_999, -1, true}, {101, 1, -1, true},
		{101, 0, -2, false},
	} {
		if _, _, earns := walk(terms, c.before, 0, []Posting{{At: c.at, Amount: c.amount}}); earns != c.earns {
			t.Errorf("%d, and %d at %d ms: earns %t", c.before, c.amount, c.at, earns)
		}
	}
}

// Forward with big numbers comes to what staking counts back in 128 bits.
func TestForwardIsBackward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = int64(ledger.MaxSupply)
		amount := rapid.OneOf(rapid.Int64Range(0, most), rapid.Int64Range(0, 1000))
		terms := staking.Terms{
			Asset: "BNB", Offered: true, APR: staking.Rate(rapid.Int64Range(0, 1<<30-1).Draw(t, "rate")),
			Measure: rapid.SampledFrom([]staking.Measure{staking.Average, staking.Lowest}).Draw(t, "measure"),
		}
		terms.Min = ledger.Amount(amount.Draw(t, "minimum"))
		terms.Cap = max(terms.Min, 1, ledger.Amount(amount.Draw(t, "cap")))
		carry := staking.Fraction(rapid.Int64Range(0, int64(staking.Unit)-1).Draw(t, "carry"))
		first := ledger.Amount(amount.Draw(t, "opening"))
		now := first
		var postings []Posting
		times := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, staking.DayMillis-1), rapid.Int64Range(0, 1)), 0, 6).
			Draw(t, "times")
		slices.SortFunc(times, func(a, b int64) int { return cmp.Compare(a, b) })
		for _, at := range times {
			next := ledger.Amount(amount.Draw(t, "balance"))
			postings = append(postings, Posting{At: at, Amount: next - now})
			now = next
		}
		h := staking.HoldingAt("alice", "BNB", now, carry)
		var changes []staking.Change
		for _, x := range postings {
			h.Rewind(x.Amount, x.At)
			changes = append(changes, staking.Change{Millis: x.At, Amount: x.Amount})
		}
		if terms.Measure == staking.Lowest {
			h.MeasureLowest(changes)
		}
		want, wantEarns := staking.Accrue(0, terms, h)
		w, p, earns := walk(terms, first, carry, postings)
		if earns != wantEarns {
			t.Fatalf("earns %t, staking says %t", earns, wantEarns)
		}
		if !earns {
			return
		}
		p.token.rule = new(rule)
		*p.token.rule = newRule(terms)
		if w.compare(p, &want); w.found.total != 0 {
			t.Fatal(w.found.first)
		}
		want.Reward++
		if w.compare(p, &want); w.found.total != 1 {
			t.Fatal("a unit more was not found")
		}
	})
}

// By the measure Lowest the smallest balance counts, after all changes of a moment.
func TestSmallestBalanceOfTheDay(t *testing.T) {
	terms := staking.Terms{Asset: "BNB", Offered: true, APR: 1, Min: 100, Cap: 1000, Measure: staking.Lowest}
	for _, c := range []struct {
		before   ledger.Amount
		postings []Posting
		average  int64 // 0: it does not earn
	}{
		{100, nil, 100},
		{99, []Posting{{At: 0, Amount: 1}}, 100},
		{99, []Posting{{At: 1, Amount: 1}}, 0},
		{150, []Posting{{At: 1, Amount: -60}, {At: 1, Amount: 60}, {At: 2, Amount: -30}}, 120},
		{150, []Posting{{At: 1, Amount: -60}, {At: 2, Amount: 60}}, 0},
		{100, []Posting{{At: 86_399_999, Amount: -1}}, 0},
		{500, []Posting{{At: 7, Amount: -300}, {At: 9, Amount: 900}}, 200},
	} {
		w, _, earns := walk(terms, c.before, 0, c.postings)
		if earns != (c.average != 0) || earns && (w.figures.average.Int64() != c.average || w.figures.rest.Sign() != 0) {
			t.Errorf("%d, %v: earns %t, on %s", c.before, c.postings, earns, &w.figures.average)
		}
	}
}

// Digests are what ledger and staking make of the same, written a second time.
func TestDigestAndLine(t *testing.T) {
	moves := []ledger.Move{
		{From: "alice", To: "bob", Asset: "BNB", Amount: 5},
		{From: "bob", To: "@desk", Asset: "SOL", Amount: ledger.MaxSupply},
	}
	e := ledger.Entry{ID: "t-1", At: time.UnixMilli(1_790_000_000_123), Kind: ledger.Trade, Moves: moves}
	if !bytes.Equal(leavesOf(ledger.Trade, moves), e.Leaves()) {
		t.Error("the leaves of an entry are others")
	}
	to := ledger.Destination{Address: "0x1", Network: "BSC", Tag: "7", ClientID: "c"}
	if !bytes.Equal(destinationOf(to), to.Hash()) {
		t.Error("the hash of a destination is another")
	}
	if digest := e.Digest(e.Leaves(), to.Hash()); !bytes.Equal(digestOf(e.ID, e.At.UnixMilli(), e.Leaves(), to.Hash()),
		digest[:]) {
		t.Error("the digest of an entry is another")
	}
	if first := ledger.FirstDigest(e.Leaves()); !bytes.Equal(firstDigestOf(e.Leaves()), first[:]) {
		t.Error("the digest of version 1 of an entry is another")
	}
	a := staking.Accrual{
		Day: 20_000, Account: "alice", Asset: "BNB", Opening: 1, Average: 2, Rest: 3, Eligible: 4, APR: 5, Reward: 6,
		Before: 7, Carry: 8,
	}
	if line := "2024-10-04 BNB " + string(appendLine(nil, &a)); line != string(a.AppendLine(nil)) {
		t.Errorf("the line of a record is %q, in the books %q", line, a.AppendLine(nil))
	}
}

// However many there are and in whatever order they come, the first are kept.
func TestFirstFindings(t *testing.T) {
	in := []Finding{
		{Day: 1, HasDay: true, Account: "alice", Asset: "BNB"},
		{Day: 1, HasDay: true, Account: "alice", Asset: "SOL"},
		{Day: 1, HasDay: true, Account: "bob", Asset: "BNB"},
		{Day: 1, HasDay: true, Account: "@custody", Asset: "BNB"},
		{Day: 1, HasDay: true, Asset: "BNB"},
		{Day: 2, HasDay: true, Account: "alice", Asset: "BNB"},
		{Account: "alice", Asset: "BNB"},
		{Asset: "BNB", What: "sum"},
	}
	rapid.Check(t, func(t *rapid.T) {
		var one, two findings
		for i, f := range rapid.Permutation(in).Draw(t, "order") {
			if i%2 == 0 {
				one.add(f)
			} else {
				two.add(f)
			}
		}
		for i := range 30 {
			two.add(Finding{Asset: "BNB", What: fmt.Sprintf("then %02d", i)})
		}
		one.merge(&two)
		if one.total != 38 || len(one.first) != named || !slices.Equal(one.first[:len(in)], in) {
			t.Fatalf("%d findings, first %v", one.total, one.first)
		}
	})
}

func TestUnits(t *testing.T) {
	bnb := ledger.Asset{Symbol: "BNB", Scale: 8}
	if s := units(bnb, big.NewInt(-150_000_000)); s != "-1.5" {
		t.Error(s)
	}
	if s := units(bnb, new(big.Int).Lsh(big.NewInt(1), 70)); s != "1180591620717411303424 smallest units" {
		t.Error(s)
	}
}
