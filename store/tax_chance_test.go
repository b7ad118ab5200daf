package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// scales are the tokens of a tax test by chance, with their decimals. Each of the last three waits for funds: they
// come in the last millisecond of the old year, in the first of the new one, and on 3 January.
var scales = []ledger.Asset{{Symbol: "NIL", Scale: 0}, {Symbol: "TWO", Scale: 2}, {Symbol: "TEN", Scale: 10},
	{Symbol: "MAX", Scale: 18}}

// TestTaxByChance: the reports of books with random prices, rates and amounts, some of them missing, of tokens with
// 0 to 18 decimals, are what rational numbers come to; and the turn of the year is a millisecond wide.
func TestTaxByChance(t *testing.T) {
	games := 2
	if scenario.Long() {
		games = 40
	}
	seed := scenario.Seed(t)
	for _, kind := range scenario.Databases {
		for n := range games {
			if kind == "postgres" && n > 0 && !scenario.Long() {
				continue // the same statements
			}
			t.Run(fmt.Sprint(kind, " ", n), func(t *testing.T) {
				b := chanceBooks(t, kind)
				b.turn(scenario.Chance(seed, uint64(n)))
				b.compare()
				b.turned()
			})
		}
	}
}

// chanceBooks are books of the tokens of scales, on 24 December.
func chanceBooks(t *testing.T, kind string) taxBooks {
	clock := testkit.NewClock((newYear - 8).Start().Add(12 * time.Hour))
	setup := shipped(t, newYear-8)
	setup.Tokens = nil
	for _, asset := range scales {
		asset.MaxSupply = 4_000_000_000_000_000_000
		terms := staking.Terms{Asset: asset.Symbol, From: newYear - 8, Offered: true, APR: 9 * staking.Whole / 10,
			Cap: asset.MaxSupply}
		setup.Tokens = append(setup.Tokens, staking.Token{Asset: asset, Terms: terms})
	}
	db := opened(t, scenario.Books(t, kind, options(clock), setup), clock)
	return taxBooks{t, db, reports.New(db.Reader()), clock, map[string]map[staking.Day]int64{}}
}

// figure is a random price, rate or amount of any magnitude, up to 86 whole ones. With all of them large, values fit 63
// bits.
func figure(r *rand.Rand) int64 { return 1 + r.Int64N(int64(1)<<(1+r.IntN(33))) }

// turn plays the days until 5 January.
func (b taxBooks) turn(r *rand.Rand) {
	fund := func(asset string) {
		testkit.Must(b.Fund(b.Context(), "f-"+asset, asset, 1_000_000_000_000_000_000, false))(b.T)
	}
	fund("NIL")
	for _, id := range holders {
		open(b.T, b.DB, id)
		on(b.T, b.DB, id)
		for _, asset := range scales {
			amount := 10_000 + ledger.Amount(figure(r))<<(asset.Scale*4/3) // it earns a smallest unit a day, or more
			ok(b.T, refusal(b.Post(b.Context(), []ledger.Entry{{ID: "d-" + asset.Symbol + string(id), Kind: ledger.Deposit,
				Moves: []ledger.Move{{From: ledger.Custody, To: id, Asset: asset.Symbol, Amount: amount}}}})))
		}
	}
	for d := newYear - 8; d < newYear+4; d++ {
		b.clock.Forward(d.Start().Add(time.Hour))
		for _, name := range []string{"NIL", "TWO", "TEN", "MAX"} {
			if r.IntN(4) == 0 {
				b.price(name, d, figure(r))
			}
		}
		for _, name := range []string{"EUR", "GBP", "CHF"} {
			if r.IntN(5) == 0 {
				b.rate(name, d, figure(r))
			}
		}
		switch d {
		case newYear - 1:
			b.at(newYear.Start().Add(-time.Millisecond), fund, "TWO")
			b.at(newYear.Start(), fund, "TEN")
		case newYear + 2:
			fund("MAX")
		}
		b.clock.Forward((d + 1).Start().Add(10 * time.Minute))
		settle(b.T, b.DB, b.clock)
	}
}

// at funds a token at a moment, pays what waited for it, and compensates two holders.
func (b taxBooks) at(moment time.Time, fund func(string), asset string) {
	b.clock.Forward(moment)
	fund(asset)
	settle(b.T, b.DB, b.clock)
	for _, id := range holders[:2] {
		testkit.Must(b.Compensate(b.Context(), store.Compensation{Account: id, Asset: asset, Day: newYear - 4,
			Name: "c-" + asset, Amount: 7}, "late"))(b.T)
	}
}

// turned shows what was received in the last millisecond of the old year and in the first of the new one: the rewards
// of 25 to 30 December.
func (b taxBooks) turned() {
	for year, want := range map[int]map[string]int64{
		2026: {"TWO reward": 6, "TWO compensation": 1},
		2027: {"TEN reward": 11, "TEN compensation": 1},
	} {
		got := map[string]int64{}
		for _, l := range testkit.Must(b.Tax(b.Context(), "alice", b.year(year)))(b.T).Lines {
			if key := l.Asset + " " + string(l.Kind); want[key] > 0 {
				got[key] = l.Count
			}
		}
		same(b.T, fmt.Sprint(year), got, want)
	}
}
