package staking_test

import (
	"math/rand/v2"
	"testing"

	"github.com/softstake/softstake/staking"
)

// BenchmarkAccrue is one holder's day: the rule alone, one change taken out, and
// both, with ten changes.
func BenchmarkAccrue(b *testing.B) {
	terms := staking.Terms{Asset: "BNB", Offered: true, APR: 150_000, Min: bnb / 2, Cap: 1_000 * bnb}
	b.Run("rule", func(b *testing.B) {
		h := staking.HoldingAt("alice", "BNB", 2*bnb, 1)
		for b.Loop() {
			staking.Accrue(20_000, terms, h)
		}
	})
	b.Run("undo", func(b *testing.B) {
		h := staking.HoldingAt("alice", "BNB", 2*bnb, 1)
		for b.Loop() {
			h.Rewind(1, 43_200_000)
		}
	})
	b.Run("day of ten changes", func(b *testing.B) {
		events := randomEvents(rand.New(rand.NewPCG(1, 1)), 2*bnb, int64(1_000*bnb))
		for len(events) < 10 {
			events = append(events, event{43_200_000, bnb})
		}
		for b.Loop() {
			h := staking.HoldingAt("alice", "BNB", 2*bnb, 1)
			for _, e := range events[:10] {
				h.Rewind(e.change, e.at)
			}
			staking.Accrue(20_000, terms, h)
		}
	})
}
