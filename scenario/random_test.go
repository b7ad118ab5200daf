package scenario

import (
	"fmt"
	"strings"
	"testing"
)

// TestRandomDays plays days in which anything may happen on every database: each
// answer and the whole journal must be the same, to the byte.
func TestRandomDays(t *testing.T) {
	games, days := 3, 6 // each run has other days; more of them at once are repetition
	if Long() {
		games, days = 100, 12
	}
	seed := Seed(t)
	for n := range games {
		text := RandomDays(Chance(seed, uint64(n)), days)
		s, err := Parse(fmt.Sprintf("random %d/%d", seed, n), text)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			playEverywhere(t, s, PlayRandom)
		})
	}
}

// TestRandomDaysAreWorthPlaying shows that chance writes everything: entries
// taken, repeated and refused for each reason, rewards, tokens that wait, income, campaigns and exclusions.
func TestRandomDaysAreWorthPlaying(t *testing.T) {
	var all []string
	for _, n := range []uint64{9, 10} { // each has something that the other has not
		s, err := Parse("random", RandomDays(Chance(2, n), 20))
		if err != nil {
			t.Fatal(err)
		}
		p := PlayRandom(t, s, NewURL(t, "sqlite", false))
		Clean(t, p.db)
		all = append(all, p.Record...)
	}
	record := strings.Join(all, "\n")
	for _, want := range []string{
		"repeated false", "repeated true", "insufficient balance", "the day is closed",
		"already exists with different content", "lies in the future", "not found", "is not above zero", "is unknown",
		"not offered in this region", "not enough funds", "over the limit", "paid [{", "at some moment since",
		"the campaign was ended already", "for days from tomorrow on", "no later one to take away",
		"an exclusion begins today", "the period is not over", "in another on another day of the period",
	} {
		if !strings.Contains(record, want) {
			t.Errorf("%q does not happen", want)
		}
	}
}
