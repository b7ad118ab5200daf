package store_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// sharedTokens adds the tokens of scales in the mode share, and alice and bob who hold 7 and 3 smallest units of each.
func sharedTokens(t *testing.T, db *store.DB, fee staking.Rate) {
	t.Helper()
	for _, id := range []ledger.Account{"alice", "bob"} {
		open(t, db, id)
		on(t, db, id)
	}
	for _, asset := range scales {
		asset.MaxSupply = 4_000_000_000_000_000_000
		ok(t, db.AddAsset(t.Context(), staking.Token{Asset: asset, Terms: staking.Terms{Asset: asset.Symbol, From: day1,
			Offered: true, Mode: staking.Share, Fee: fee, Cap: asset.MaxSupply}}))
		for id, amount := range map[ledger.Account]ledger.Amount{"alice": 7, "bob": 3} {
			ok(t, failure(db.PostAll(t.Context(), []ledger.Entry{{ID: "d-" + asset.Symbol + string(id), Kind: ledger.Deposit,
				At: noon, Moves: []ledger.Move{{From: ledger.Custody, To: id, Asset: asset.Symbol, Amount: amount}}}})))
		}
		testkit.Must(db.Fund(t.Context(), "f-"+asset.Symbol, asset.Symbol, 1_000_000, false))(t) // bears losses
	}
}

// addsUp compares gross, less the fee, with what comes from earlier periods, and what holders get. A fee is written to
// 1e-8, and one that is as stated but for the rounding to a smallest unit as it is stated.
func addsUp(t *testing.T, token string, r reports.Rate) {
	t.Helper()
	whole := big.NewInt(int64(staking.Whole))
	sum := new(big.Int).Mul(big.NewInt(int64(r.Gross)), big.NewInt(int64(staking.Whole-r.Fee)))
	sum.Quo(sum, whole).Add(sum, big.NewInt(int64(r.Earlier-r.Net)))
	off := new(big.Int).Quo(new(big.Int).Abs(big.NewInt(int64(r.Gross))), whole)
	if sum.CmpAbs(off.Add(off, big.NewInt(1000+4))) > 0 || r.Fee < 0 || r.Fee > staking.Whole {
		t.Errorf("the row of %s does not add up, by %s: %+v", token, sum, r)
	}
}

// TestFeeIsShownAsItWasTaken: of an income of 3 smallest units a fee of 10 % is rounded down to nothing.
func TestFeeIsShownAsItWasTaken(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		sharedTokens(t, db, staking.Whole/10)
		settleThrough(t, db, clock, 1, 2, false)
		clock.Set(3, "12:00")
		for n, gross := range []ledger.Amount{3, 1_000_000_009} {
			i := incomeOf(fmt.Sprint("i-", n), 2, 2, gross)
			i.Asset = scales[n].Symbol
			testkit.Must(db.PostIncome(t.Context(), i))(t)
		}
		settleThrough(t, db, clock, 3, 3, false)
		rates := testkit.Must(reports.New(db.Reader()).CurrentRates(t.Context()))(t)
		same(t, "nothing of 3 was taken", rates["NIL"].Fee, 0)
		addsUp(t, "NIL", rates["NIL"])
	})
}

// TestRatesAddUpByChance: so does every row of rates, with random fees, incomes, losses and leftovers of tokens with 0
// to 18 decimals; and the current rate is the row of its day.
func TestRatesAddUpByChance(t *testing.T) {
	games := 3
	if scenario.Long() {
		games = 60
	}
	seed := scenario.Seed(t)
	for game := range games {
		t.Run(fmt.Sprint(game), func(t *testing.T) {
			clock := testkit.NewClock(testkit.Moment(1, "13:00"))
			db := opened(t, scenario.Books(t, "sqlite", options(clock), shipped(t, day1)), clock)
			chance := scenario.Chance(seed, uint64(game))
			sharedTokens(t, db, staking.Rate(chance.Int64N(int64(staking.Whole)+1)))
			settleThrough(t, db, clock, 1, 2, false)
			clock.Set(3, "12:00")
			for _, asset := range scales { // so that there are fees to give back
				i := incomeOf("first-"+asset.Symbol, 2, 2, 10_000)
				i.Asset = asset.Symbol
				testkit.Must(db.PostIncome(t.Context(), i))(t)
			}
			settleThrough(t, db, clock, 3, 3, false)
			for day := 4; day <= 12; day++ {
				clock.Set(day, "12:00")
				for n := range 2 * len(scales) {
					asset := scales[n%len(scales)]
					first := day - 1 - chance.IntN(2)
					i := incomeOf(fmt.Sprint("i-", day, "-", n), first, first+chance.IntN(day-first),
						ledger.Amount(1+chance.Int64N(40)))
					if i.Asset, i.Source = asset.Symbol, fmt.Sprint("v", chance.IntN(2)); chance.IntN(4) == 0 {
						i.Gross = -i.Gross
					}
					testkit.Must(db.PostIncome(t.Context(), i))(t)
				}
				settleThrough(t, db, clock, day, day, false)
			}
			r, rows := reports.New(db.Reader()), 0
			now := testkit.Must(r.CurrentRates(t.Context()))(t)
			for _, asset := range scales {
				for _, row := range testkit.Must(r.Rates(t.Context(), asset.Symbol, day1, day1+12))(t) {
					rows++
					addsUp(t, asset.Symbol, row)
					if of := now[asset.Symbol]; of.Known && row.First <= of.Last && of.Last <= row.Last {
						of.Last = row.Last
						same(t, "the current rate of "+asset.Symbol, of, row)
					}
				}
			}
			if rows < 20 {
				t.Errorf("there are %d rows", rows)
			}
		})
	}
}
