package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestALateRunPaysTheSame plays days in which anything may happen, once with the runs of the
// script and once with all days in one run at the end: what is paid, and every figure of it, must
// be the same. Lines that are not taken both times, such as one that spends a reward that the
// late run has not paid yet, are left out of both.
func TestALateRunPaysTheSame(t *testing.T) {
	games, days := 1, 6
	if Long() {
		games, days = 25, 20
	}
	seed := Seed(t)
	for n := range games {
		s, err := Parse(fmt.Sprintf("random %d/%d", seed, n), RandomDays(Chance(seed, uint64(n)), days))
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range Databases {
			if kind == "postgres" && !Long() {
				continue // the days themselves are played on both
			}
			t.Run(fmt.Sprint(n, " ", kind), func(t *testing.T) {
				t.Parallel()
				punctual, late := playBoth(t, s, kind)
				if diff := cmp.Diff(punctual, late); diff != "" {
					t.Errorf("punctual, and (+) late:\n%s", diff)
				}
			})
		}
	}
}

// playBoth plays a script punctually and late, with the lines that are taken both times, and
// returns the rewards of each.
func playBoth(t *testing.T, s *Script, kind string) (punctual, late string) {
	t.Helper()
	for {
		taken := len(s.lines)
		var rewards [2]string
		for i := range rewards {
			url := NewURL(t, kind, false)
			p := &Player{late: i == 1, random: true}
			p.start(t, s, url)
			s = s.without(p.refused)
			Clean(t, p.db)
			var err error
			if rewards[i], err = somethingPaid(t.Context(), url); err != nil {
				t.Fatal(err)
			}
		}
		if taken == len(s.lines) {
			return rewards[0], rewards[1]
		}
	}
}

// somethingPaid is what runs have made of the books, as text, without accruals of nothing: where the minimum is zero,
// an account that first gets a balance after the day has one in a late run, and none in a punctual one.
func somethingPaid(ctx context.Context, url string) (string, error) {
	lines, err := Rows(ctx, url, `SELECT bucket, day, account, asset, at, entry, move, side, amount, other, kind FROM journal
			WHERE kind IN ('reward', 'declare');
		SELECT bucket, day, account, asset, opening, average, rest, eligible, apr, reward, before, carry FROM accruals
			WHERE average <> 0 OR rest <> 0 OR reward <> 0;
		SELECT 'payment', bucket, day, asset, total FROM payments WHERE total > 0;
		SELECT 'declaration', day, asset, total FROM declarations`)
	return strings.Join(lines, "\n"), err
}

// without is the script without some lines, by number. The others keep their numbers, and so their IDs.
func (s *Script) without(numbers map[int]bool) *Script {
	lines := slices.DeleteFunc(slices.Clone(s.lines), func(l line) bool { return numbers[l.n] })
	return &Script{Name: s.Name, lines: lines}
}
