package staking_test

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

var epoch = staking.Income{
	Reference: "sol/712", Asset: "SOL", Chain: "solana", Source: "validator 1", First: 100, Last: 102, Gross: 1_000_001,
	Evidence: "5Uf7…",
}

// TestSplitAgainstBigIntegers compares the fee with one of arbitrary precision: rounded
// down of the absolute amount, and the same the other way for a correction.
func TestSplitAgainstBigIntegers(t *testing.T) {
	chance := rand.New(rand.NewPCG(12, 1))
	for range 100_000 {
		i := epoch
		i.Gross = ledger.Amount(chance.Uint64() >> (2 + chance.IntN(62)))
		fee := staking.Rate(chance.Int64N(int64(staking.Whole) + 1))
		got := i.Split(fee)
		want := new(big.Int).Mul(big.NewInt(int64(i.Gross)), big.NewInt(int64(fee)))
		want.Quo(want, big.NewInt(100_000_000))
		if int64(got.Fee) != want.Int64() || got.Gross != i.Gross || got.Fee+got.Net != got.Gross {
			t.Fatalf("%d by %s: got %+v, want the fee %s", i.Gross, fee, got, want)
		}
		i.Gross = -i.Gross
		if back := i.Split(fee); back.Fee != -got.Fee || back.Net != -got.Net {
			t.Fatalf("%d by %s: got %+v, want the opposite of %+v", i.Gross, fee, back, got)
		}
	}
}

// TestIncomeEntry: each part goes its way, a part of zero has no move, and a negative
// income goes the other way.
func TestIncomeEntry(t *testing.T) {
	move := func(from, to ledger.Account, amount ledger.Amount) ledger.Move {
		return ledger.Move{From: from, To: to, Asset: "SOL", Amount: amount}
	}
	for _, c := range []struct {
		gross ledger.Amount
		fee   staking.Rate
		want  []ledger.Move
	}{
		{1_000_001, 30_000_000, []ledger.Move{
			move(ledger.Custody, ledger.Income, 1_000_001), move(ledger.Income, ledger.Fees, 300_000),
			move(ledger.Income, ledger.Rewards, 700_001),
		}},
		{-1_000_001, 30_000_000, []ledger.Move{
			move(ledger.Income, ledger.Custody, 1_000_001), move(ledger.Fees, ledger.Income, 300_000),
			move(ledger.Rewards, ledger.Income, 700_001),
		}},
		{1, 30_000_000, []ledger.Move{move(ledger.Custody, ledger.Income, 1), move(ledger.Income, ledger.Rewards, 1)}},
		{0, 30_000_000, nil}, // nothing was earned
		{7, 0, []ledger.Move{move(ledger.Custody, ledger.Income, 7), move(ledger.Income, ledger.Rewards, 7)}},
		{7, staking.Whole, []ledger.Move{move(ledger.Custody, ledger.Income, 7), move(ledger.Income, ledger.Fees, 7)}},
	} {
		i := epoch
		i.Gross = c.gross
		e := i.Entry(c.fee)
		if diff := cmp.Diff(c.want, e.Moves); diff != "" {
			t.Errorf("%d by %s (-want +got):\n%s", c.gross, c.fee, diff)
		}
		sol := ledger.Asset{Symbol: "SOL", Scale: 8, MaxSupply: 1_000_000_000}
		if err := e.Check(map[string]ledger.Asset{"SOL": sol}); err != nil || e.ID != "income/sol/712" {
			t.Errorf("the entry %q: %v", e.ID, err)
		}
	}
}

func TestIncomeChecks(t *testing.T) {
	if err := epoch.Check(103); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*staking.Income){
		"reference": func(i *staking.Income) { i.Reference = "a b" },
		"chain":     func(i *staking.Income) { i.Chain = "" },
		"source":    func(i *staking.Income) { i.Source = " " },
		"evidence":  func(i *staking.Income) { i.Evidence = strings.Repeat("x", ledger.MaxText+1) },
		"first":     func(i *staking.Income) { i.First = -1 },
		"last":      func(i *staking.Income) { i.Last = 103 },
	} {
		i := epoch
		change(&i)
		var e *ledger.Error
		if err := i.Check(103); !errors.As(err, &e) || e.Kind != ledger.ErrInvalid || e.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	for _, period := range [][2]staking.Day{{102, 101}, {0, 366}} {
		i := epoch
		i.First, i.Last = period[0], period[1]
		if err := i.Check(1000); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("a period from %s to %s: got %v", i.First, i.Last, err)
		}
	}
}

// TestIncomeHash: each text of the evidence is a part of it.
func TestIncomeHash(t *testing.T) {
	seen := map[string]bool{string(epoch.Hash()): true}
	for _, change := range []func(*staking.Income){
		func(i *staking.Income) { i.Gross = 0 },
		func(i *staking.Income) { i.Gross, i.Asset = 0, "ADA" },
		func(i *staking.Income) { i.Chain, i.Source = i.Chain+"v", i.Source[1:] },
		func(i *staking.Income) { i.Source += "x" },
		func(i *staking.Income) { i.First-- },
		func(i *staking.Income) { i.Last++ },
		func(i *staking.Income) { i.Evidence += "x" },
	} {
		i := epoch
		change(&i)
		if hash := string(i.Hash()); seen[hash] {
			t.Errorf("%+v has the hash of another", i)
		} else {
			seen[hash] = true
		}
	}
}
