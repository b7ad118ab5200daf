package demo

import (
	"math/rand/v2"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// luck is all that is left to chance: whole numbers, the same for the same seed.
type luck struct{ *rand.Rand }

func newLuck(seed uint64) luck { return luck{rand.New(rand.NewPCG(seed, seed))} }

// in says yes so many times in a hundred.
func (l luck) in(percent int) bool { return l.IntN(100) < percent }

// part is between so many thousandths of an amount, both inclusive, cut to a round figure.
func (l luck) part(of ledger.Amount, from, to int64) ledger.Amount {
	thousandths := from + l.Int64N(to-from+1)
	whole, rest := of/1000, of%1000
	return round(whole*ledger.Amount(thousandths) + rest*ledger.Amount(thousandths)/1000)
}

// round cuts a figure to four digits, as people choose them.
func round(n ledger.Amount) ledger.Amount {
	unit := ledger.Amount(1)
	for n/unit >= 10_000 {
		unit *= 10
	}
	return n / unit * unit
}

// moment is a time of a day, to the millisecond.
func (l luck) moment(d staking.Day) time.Time {
	return d.Start().Add(time.Duration(l.Int64N(staking.DayMillis)) * time.Millisecond)
}

// after is a time after another, between two waits.
func (l luck) after(t time.Time, shortest, longest time.Duration) time.Time {
	wait := shortest.Milliseconds() + l.Int64N((longest - shortest).Milliseconds())
	return t.Add(time.Duration(wait) * time.Millisecond)
}

// oneOf chooses one of some things; there is at least one.
func oneOf[T any](l luck, things []T) T { return things[l.IntN(len(things))] }
