package faultproxy

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const (
	// longestRest and longestFault are how long the network works and fails at most.
	longestRest  = 100 * time.Millisecond
	longestFault = 400 * time.Millisecond
	// loseEach is after how many rounds the connections are lost: to notice that takes a client many seconds.
	loseEach = 40
)

// Passing is, by chance, a fault that a client sees at once, or that ends when the network works again.
func Passing(chance *rand.Rand) Fault { return passing[chance.IntN(len(passing))] }

// Fail has the network of some proxies fail for a random time.
func Fail(f Fault, chance *rand.Rand, proxies ...*Proxy) {
	for _, p := range proxies {
		p.Break(f, chance)
	}
	time.Sleep(time.Duration(chance.Int64N(int64(longestFault)))) // the fault itself
	for _, p := range proxies {
		p.Restore()
	}
}

// slack is how much later than it takes by itself something may be noticed on a busy machine.
const slack = 5 * time.Second

// Noticed waits until what uses a silent network notices that: noticed is what it says then, and "" before. That it
// takes longer than within fails the test.
func Noticed(t testing.TB, within time.Duration, noticed func() string) {
	t.Helper()
	began := time.Now()
	for noticed() == "" && time.Since(began) < 2*within {
		time.Sleep(50 * time.Millisecond) // between two looks
	}
	took := time.Since(began).Round(100 * time.Millisecond)
	t.Logf("noticed after %s: %s", took, noticed())
	if took > within+slack {
		t.Errorf("that is later than %s", within)
	}
}

// Disturb has the network of some proxies fail at random moments: in each round by one fault, the same at all of them,
// after which it works again. goesOn waits until what uses the network goes on, and ends the test when it does not. How
// long that takes is logged by fault.
func Disturb(t testing.TB, proxies []*Proxy, rounds int, chance *rand.Rand, goesOn func(Fault)) {
	t.Helper()
	longest := map[Fault]time.Duration{}
	for k := range rounds {
		f := Passing(chance)
		if k%loseEach == loseEach-1 {
			f = Lose
		}
		time.Sleep(time.Duration(chance.Int64N(int64(longestRest)))) // the moment is what is random
		began := time.Now()
		Fail(f, chance, proxies...)
		goesOn(f)
		longest[f] = max(longest[f], time.Since(began))
	}
	for _, f := range slices.Sorted(maps.Keys(longest)) {
		t.Logf("after a %s it went on within %s", f, longest[f].Round(time.Millisecond))
	}
}
