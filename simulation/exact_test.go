package simulation

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/testkit"
)

// TestTheRecordedTermsGiveTheRecordedAccruals: over random books, in both modes, from the
// first day and from any, to the last fraction.
func TestTheRecordedTermsGiveTheRecordedAccruals(t *testing.T) {
	seed := scenario.Seed(t)
	for _, kind := range scenario.Databases {
		t.Run(kind, func(t *testing.T) {
			w := newTown(t, kind, scenario.Chance(seed, 0))
			w.live(t, 24, 24)
			scenario.Clean(t, w.DB)
			whole := Options{From: day1, Through: w.last}
			before, after := accruals(t, w, whole)
			want := recordedOf(t, w, whole, "")
			if diff := cmp.Diff(want, before); diff != "" {
				t.Errorf("of the whole time (-recorded +simulated):\n%s", diff)
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("the same terms differ:\n%s", diff)
			}
			if len(want) < 200 {
				t.Errorf("only %d accruals were compared", len(want))
			}
			part := Options{From: day1 + 7, Through: w.last - 5, Tokens: []string{"BNB"}}
			before, _ = accruals(t, w, part)
			if diff := cmp.Diff(recordedOf(t, w, part, " AND asset = 'BNB'"), before); diff != "" {
				t.Errorf("of a part of the time (-recorded +simulated):\n%s", diff)
			}
			totals(t, w, whole)
		})
	}
}

// TestOtherMeasuresAndOwnersGiveWhatBooksWithThemHave: two books have the same random days, with exclusions and
// owners that change. One has minimum and cap per owner, and measures by the smallest balance too; the other does
// neither. Those terms, simulated over it, give the accruals of the first. The rate is zero, since rewards would
// compound in one of them.
func TestOtherMeasuresAndOwnersGiveWhatBooksWithThemHave(t *testing.T) {
	seed := scenario.Seed(t)
	for n, measure := range []staking.Measure{staking.Average, staking.Lowest} {
		plain := staking.Terms{Asset: "BNB", From: day1 + 1, Offered: true, Cap: 1_000_000 * coin}
		other := staking.Terms{Asset: "BNB", From: day1 + 1, Offered: true, Measure: measure, PerOwner: true, Min: 20 * coin,
			Cap: 60 * coin}
		towns := [2]*town{}
		for i, terms := range []staking.Terms{plain, other} {
			w := newTown(t, "sqlite", scenario.Chance(seed, uint64(n)))
			ok(t, w.SetTerms(t.Context(), terms))
			w.steady, w.marked = true, true
			w.live(t, 20, 16)
			towns[i] = w
		}
		o := Options{From: day1 + 1, Through: towns[0].last, Tokens: []string{"BNB"},
			Change: func(ledger.Asset, staking.Day, staking.Terms) (staking.Terms, error) { return other, nil }}
		_, after := accruals(t, towns[0], o)
		want := recordedOf(t, towns[1], o, " AND asset = 'BNB'")
		if diff := cmp.Diff(want, after); diff != "" || len(want) < 50 {
			t.Errorf("%s: of %d accruals (-recorded +simulated):\n%s", measure, len(want), diff)
		}
	}
}

// totals compares the cost of each day with what was declared.
func totals(t *testing.T, w *town, o Options) {
	t.Helper()
	r := testkit.Must(Run(t.Context(), w.Reader(), o))(t)
	var got []string
	for _, token := range r.Tokens {
		sum := ledger.Amount(0)
		for _, d := range token.Days {
			if d.Day > o.Through {
				continue
			}
			if d.Before != d.After {
				t.Errorf("%s of %s is %+v", token.Asset.Symbol, d.Day, d)
			}
			sum += d.Before.Total
			got = append(got, token.Asset.Symbol+"\t"+strconv.Itoa(int(d.Day))+"\t"+
				strconv.FormatInt(d.Before.Holders, 10)+"\t"+strconv.FormatInt(int64(d.Before.Total), 10))
		}
		if sum != token.Declared || sum == 0 {
			t.Errorf("of %s %d was declared, and %d is simulated", token.Asset.Symbol, token.Declared, sum)
		}
		if h := token.Holders; h.Same == 0 || h != (Holders{Same: h.Same}) {
			t.Errorf("the same terms are more or less for some: %+v", h)
		}
	}
	want := testkit.Must(scenario.Rows(t.Context(), w.url, "SELECT asset, day, holders, total FROM declarations"))(t)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the totals (-declared +simulated):\n%s", diff)
	}
}

// TestRandomDays: scripts in which anything may happen, late entries and corrections too.
func TestRandomDays(t *testing.T) {
	seed := scenario.Seed(t)
	games := 4
	if scenario.Long() {
		games = 100
	}
	compared := 0
	for n := range games {
		s := testkit.Must(scenario.Parse("random", scenario.RandomDays(scenario.Chance(seed, uint64(n)), 8)))(t)
		url := scenario.NewURL(t, "sqlite", false)
		p := scenario.PlayRandom(t, s, url)
		w := &town{DB: p.Books(), url: url}
		for _, token := range []string{"BNB", "SOL"} {
			last := testkit.Must(LastPaid(t.Context(), w.Reader(), []string{token}))(t)
			for from := w.Reader().FirstDay(); from <= last; from += 3 {
				o := Options{From: from, Through: last, Tokens: []string{token}}
				if f := strconv.Itoa(int(from)); len(testkit.Must(scenario.Rows(t.Context(), url, "SELECT day FROM distributions "+
					"WHERE asset = '"+token+"' AND day >= "+f+" AND first_day < "+f))(t)) > 0 {
					continue // income of a period before is divided, which is not simulated
				}
				before, _ := accruals(t, w, o)
				want := held(recordedOf(t, w, o, " AND asset = '"+token+"'"))
				if diff := cmp.Diff(want, held(before)); diff != "" {
					t.Fatalf("game %d, from %s (-recorded +simulated):\n%s", n, from, diff)
				}
				compared += len(want)
			}
		}
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
}

// held leaves out accruals of empty balances: with a minimum of zero there may be one or none,
// as the balance has a row already or not yet.
func held(lines []string) []string {
	return slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, "\t0\t0\t0\t0\t0\t") })
}
