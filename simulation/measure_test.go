package simulation

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/testkit"
)

// moment is a change of a balance.
type moment struct{ at, amount int64 }

// journalOf are the changes of every position, in order of time.
func journalOf(t *testing.T, w *town) map[string][]moment {
	t.Helper()
	all := map[string][]moment{}
	lines := testkit.Must(scenario.Rows(t.Context(), w.url, "SELECT account, asset, at, amount FROM journal"))(t)
	for _, line := range lines {
		f := strings.Split(line, "\t")
		at := testkit.Must(strconv.ParseInt(f[2], 10, 64))(t)
		amount := testkit.Must(strconv.ParseInt(f[3], 10, 64))(t)
		all[f[0]+" "+f[1]] = append(all[f[0]+" "+f[1]], moment{at, amount})
	}
	for _, moments := range all {
		slices.SortFunc(moments, func(a, b moment) int { return int(a.at - b.at) })
	}
	return all
}

// dayOf goes forward through the changes: what a day begins with, the smallest balance after
// each millisecond, and the integral.
func dayOf(moments []moment, d staking.Day) (opening, lowest int64, integral *big.Int) {
	integral = new(big.Int)
	balance, since := int64(0), d.Millis()
	sum := func(until int64) {
		integral.Add(integral, new(big.Int).Mul(big.NewInt(balance), big.NewInt(until-since)))
		since = until
	}
	i := 0
	for ; i < len(moments) && moments[i].at <= d.Millis(); i++ {
		balance += moments[i].amount
	}
	opening, lowest = balance, balance
	for ; i < len(moments) && moments[i].at < (d+1).Millis(); i++ {
		sum(moments[i].at)
		balance += moments[i].amount
		if i+1 == len(moments) || moments[i+1].at != moments[i].at {
			lowest = min(lowest, balance)
		}
	}
	sum((d + 1).Millis())
	return opening, lowest, integral
}

// TestPeriodsAreMeasured: each day's opening, smallest balance and integral, against a
// calculation that goes forward through the journal.
func TestPeriodsAreMeasured(t *testing.T) {
	seed := scenario.Seed(t)
	for n, kind := range scenario.Databases {
		w := newTown(t, kind, scenario.Chance(seed, uint64(n)))
		w.live(t, 12, 14)
		journal := journalOf(t, w)
		from, through := day1+3, w.last-2
		days, moved := 0, 0
		ok(t, w.Reader().Read(t.Context(), func(view db.View) error {
			periods, err := holding.PeriodsOf(view, from, through, func(string) bool { return true })
			for b := 0; b < ledger.Buckets && err == nil; b++ {
				err = periods.Measure(b, func(page []holding.Period) error {
					for _, p := range page {
						for d := from; d <= through; d++ {
							h, least := p.On(d, staking.Average), p.On(d, staking.Lowest)
							opening, lowest, integral := dayOf(journal[string(p.Account)+" "+p.Asset], d)
							want := fmt.Sprint(opening, staking.IntegralOf(ledger.Amount(lowest), staking.DayMillis), integral)
							if got := fmt.Sprint(int64(h.Opening), least.Integral, h.Integral); got != want {
								t.Errorf("%s, %s, %s: %s, want %s", p.Account, p.Asset, d, got, want)
							}
							if days++; lowest < opening {
								moved++
							}
						}
					}
					return nil
				})
			}
			return err
		}))
		if days < 100 || moved < 10 {
			t.Errorf("%d days were measured, in %d of them a balance fell", days, moved)
		}
	}
}

// TestOtherTermsAgainstPaper: books in which everything earns say each day's integral; other
// terms, of more than 100 % a year, are worked out from them in big numbers, with carries over the whole time.
func TestOtherTermsAgainstPaper(t *testing.T) {
	w := newTown(t, "sqlite", scenario.Chance(scenario.Seed(t), 0))
	open := staking.Terms{Asset: "BNB", From: day1 + 1, Offered: true, APR: 1_000, Cap: 1_000_000 * coin}
	ok(t, w.SetTerms(t.Context(), open))
	w.steady = true
	w.live(t, 20, 20)
	o := Options{From: day1 + 1, Through: w.last, Tokens: []string{"BNB"}}
	other := staking.Terms{Asset: "BNB", From: day1, Offered: true, APR: 777_777_777, Min: 12 * coin, Cap: 55 * coin}
	o.Change = func(_ ledger.Asset, d staking.Day, t staking.Terms) (staking.Terms, error) {
		if t = other; d%5 == 0 {
			t.APR, t.Cap = 1_234_567, 31*coin
		}
		return t, nil
	}
	_, after := accruals(t, w, o)
	carry := map[string]*big.Int{}
	var want []string
	recorded := recordedOf(t, w, o, " AND asset = 'BNB'") // by day
	for _, line := range recorded {
		f := strings.Split(line, "\t")
		n := func(i int) int64 { return testkit.Must(strconv.ParseInt(f[i], 10, 64))(t) }
		terms := testkit.Must(o.Change(ledger.Asset{}, staking.Day(n(0)), staking.Terms{}))(t)
		day := big.NewInt(staking.DayMillis)
		integral := new(big.Int).Add(new(big.Int).Mul(big.NewInt(n(4)), day), big.NewInt(n(5)))
		if integral.Cmp(new(big.Int).Mul(big.NewInt(int64(terms.Min)), day)) < 0 {
			continue
		}
		if limit := new(big.Int).Mul(big.NewInt(int64(terms.Cap)), day); integral.Cmp(limit) > 0 {
			integral = limit
		}
		if carry[f[2]] == nil {
			carry[f[2]] = new(big.Int)
		}
		before := carry[f[2]].Int64()
		earned := integral.Mul(integral, big.NewInt(int64(terms.APR)))
		reward, left := earned.Add(earned, carry[f[2]]).QuoRem(earned, big.NewInt(int64(staking.Unit)), new(big.Int))
		carry[f[2]] = left
		want = append(want, fmt.Sprintf("%s %s %d %d %d", f[0], f[2], reward, before, left))
	}
	var got []string
	for _, line := range after {
		f := strings.Split(line, "\t")
		got = append(got, strings.Join([]string{f[0], f[2], f[9], f[10], f[11]}, " "))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) || len(want) < 50 || len(want) == len(recorded) {
		t.Errorf("%d of %d accruals, want %d:\n%s\nwant\n%s", len(got), len(recorded), len(want), strings.Join(got, "\n"),
			strings.Join(want, "\n"))
	}
}

// TestLossOfAnEarlierPeriod: what periods before the days simulated have lost is borne by their income, and said.
func TestLossOfAnEarlierPeriod(t *testing.T) {
	w := newTown(t, "sqlite", scenario.Chance(6, 0))
	w.open(t, day1+1, "alice")
	w.clock.Forward(day1.Start().Add(time.Hour))
	w.deposit(t, "d", "alice", "SOL", 100*coin, w.clock.Now())
	w.settle(t, day1+1)
	w.clock.Forward((day1 + 2).Start().Add(time.Hour))
	w.income(t, "first", day1+1, day1+1, 1000)
	w.settle(t, day1+2)
	w.clock.Forward((day1 + 3).Start().Add(time.Hour))
	w.income(t, "loss", day1+1, day1+1, -20)
	w.settle(t, day1+3)
	w.clock.Forward((day1 + 4).Start().Add(time.Hour))
	w.income(t, "second", day1+3, day1+3, 100)
	w.settle(t, day1+4)
	r := testkit.Must(Run(t.Context(), w.Reader(), Options{From: day1 + 3, Through: day1 + 4,
		Tokens: []string{"SOL"}}))(t)
	got := r.Tokens[0]
	if got.Income.Earlier.Units != -14 || got.After+14 != got.Income.Gross-got.Income.FeeAfter {
		t.Errorf("of %+v %d is paid", got.Income, got.After)
	}
}
