package store_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// taxBooks are books that begin on 24 December 2026, and the prices and rates that the test has set.
type taxBooks struct {
	*testing.T
	*store.DB
	*reports.Reports
	clock  *testkit.Clock
	prices map[string]map[staking.Day]int64 // of tokens and of currencies
}

// holders are accounts of a tax test, in several buckets.
var holders = []ledger.Account{"alice", "bob", "carol", "dave"}

// newYear is the first day of 2027: Day 306.
var newYear = staking.DayOf(time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC))

// eachTaxBooks runs a test on every database, on 5 January 2027. Each day was paid at 00:10 of the day after it, but
// BNB waited for funds for some days, until 4 January. SOL has no price, and no rate of CHF is known after 24 December,
// nor one of GBP before 31 December. carol and dave got compensations, in either year.
func eachTaxBooks(t *testing.T, test func(b taxBooks)) {
	t.Helper()
	for _, kind := range scenario.Databases {
		t.Run(kind, func(t *testing.T) {
			clock := testkit.NewClock((newYear - 8).Start().Add(12 * time.Hour))
			url := scenario.Books(t, kind, options(clock), shipped(t, newYear-8))
			db := opened(t, url, clock)
			b := taxBooks{t, db, reports.New(db.Reader()), clock, map[string]map[staking.Day]int64{}}
			b.play()
			test(b)
		})
	}
}

func (b taxBooks) play() {
	random := rand.New(rand.NewPCG(2026, 12))
	for _, asset := range []string{"SOL", "ADA"} {
		testkit.Must(b.Fund(b.Context(), "f-"+asset, asset, coins(1_000_0), false))(b.T)
	}
	for _, id := range holders {
		open(b.T, b.DB, id)
		on(b.T, b.DB, id)
		for _, asset := range []string{bnb, "SOL", "ADA"} {
			deposit(b.T, b.DB, "d-"+asset+string(id), id, 200+random.Int64N(700), asset, b.clock.Now())
		}
	}
	b.rate("CHF", newYear-8, 88_123456)
	// Enough BNB for two days or so, and on 3 January for all.
	funds := map[staking.Day]ledger.Amount{newYear - 7: 2_000000, newYear + 2: 5_00000000}
	for d := newYear - 8; d < newYear+4; d++ {
		b.clock.Forward(d.Start().Add(time.Hour))
		b.price(bnb, d, 600_00000000+random.Int64N(1_00000000))
		if d < newYear-4 { // the last of at most 7 days before
			b.price("ADA", d, 30000000+random.Int64N(10000000))
			b.rate("EUR", d, 90000000+random.Int64N(10000000))
		}
		if d == newYear-1 {
			b.rate("GBP", d, 79_000001)
		}
		b.clock.Forward((d + 1).Start().Add(10 * time.Minute))
		if funds[d] > 0 {
			testkit.Must(b.Fund(b.Context(), "f-"+d.String(), bnb, funds[d], false))(b.T)
		}
		settle(b.T, b.DB, b.clock)
		if d == newYear-3 || d == newYear+1 {
			b.compensate("carol", d-3, "c-"+d.String(), 12345)
			b.compensate("dave", d-3, "c-"+d.String(), 1)
		}
	}
}

func (b taxBooks) price(asset string, d staking.Day, price int64) {
	b.keep(asset, d, price)
	testkit.Must(b.DB.Prices().Set(b.Context(), []pricing.Price{{Asset: asset, Day: d, Price: price}}))(b.T)
}

func (b taxBooks) rate(currency string, d staking.Day, rate int64) {
	b.keep(currency, d, rate)
	testkit.Must(b.DB.CurrencyRates().Set(b.Context(), []pricing.Rate{{Currency: currency, Day: d, Rate: rate}}))(b.T)
}

func (b taxBooks) keep(name string, d staking.Day, figure int64) {
	if b.prices[name] == nil {
		b.prices[name] = map[staking.Day]int64{}
	}
	b.prices[name][d] = figure
}

func (b taxBooks) compensate(id ledger.Account, d staking.Day, name string, amount ledger.Amount) {
	b.Helper()
	testkit.Must(b.Compensate(b.Context(), store.Compensation{Account: id, Asset: "ADA", Day: d, Name: name,
		Amount: amount}, "late"))(b.T)
}

// year is a year in USDT.
func (b taxBooks) year(n int) reports.TaxYear {
	b.Helper()
	return testkit.Must(b.TaxYear(reports.TaxAsked{Year: n, Currency: "USDT"}))(b.T)
}

// worth is what an amount was worth on a day by what the test has set, with rational numbers: in 1e-8, rounded down.
func (b taxBooks) worth(asset, currency string, d staking.Day, amount ledger.Amount) *big.Int {
	scale := int64(testkit.Must(b.DB.Asset(b.Context(), asset))(b.T).Scale)
	value := new(big.Rat).SetFrac(big.NewInt(int64(amount)), new(big.Int).Exp(big.NewInt(10), big.NewInt(scale), nil))
	for _, name := range []string{asset, currency} {
		if name == "USDT" {
			continue
		}
		back := staking.Day(0)
		for back <= 7 && b.prices[name][d-back] == 0 {
			back++
		}
		if back > 7 {
			return nil
		}
		value.Mul(value, big.NewRat(b.prices[name][d-back], 1_00000000))
	}
	value.Mul(value, big.NewRat(1_00000000, 1))
	return new(big.Int).Quo(value.Num(), value.Denom())
}

// expected is the tax report that the account's statement and rewards come to.
func (b taxBooks) expected(id ledger.Account, asked reports.TaxYear, end staking.Day) map[string]reports.TaxLine {
	b.Helper()
	lines := map[string]reports.TaxLine{}
	add := func(asset string, kind reports.TaxKind, d staking.Day, amount ledger.Amount) {
		l := lines[asset+" "+string(kind)]
		l.Account, l.Residence, l.Asset, l.Kind, l.Units = id, "DE", asset, kind, l.Units+amount
		if kind != reports.TaxBalance {
			value := b.worth(asset, asked.Currency, d, amount)
			l.Count++
			switch {
			case value == nil:
				l.Unvalued++
			case l.Value == nil:
				l.Value = value
			default:
				l.Value = new(big.Int).Add(l.Value, value)
			}
		}
		lines[asset+" "+string(kind)] = l
	}
	ok(b.T, b.Rewards(b.Context(), id, newYear-8, newYear+9, func(r reports.Reward) error {
		if r.PaidAt.Year() == asked.Year && r.Reward > 0 {
			add(r.Asset, reports.TaxReward, r.Day, r.Reward)
		}
		return nil
	}))
	ok(b.T, b.Statement(b.Context(), id, newYear-8, newYear+9, func(l reports.Line) error {
		if l.Kind == ledger.Compensation && l.At.Year() == asked.Year {
			add(l.Asset, reports.TaxCompensation, staking.DayOf(l.At), l.Amount)
		}
		if l.At.Before((end + 1).Start()) {
			add(l.Asset, reports.TaxBalance, 0, l.Amount)
		}
		return nil
	}))
	for key, l := range lines {
		l.EndValue = b.worth(l.Asset, asked.Currency, end, l.Units)
		lines[key] = l
	}
	return lines
}

// shownLine is a line as a test compares it.
func shownLine(l reports.TaxLine) string {
	return fmt.Sprint(l.Account, l.Residence, l.Asset, l.Kind, l.Count, l.Units, l.Value, l.Unvalued, l.EndValue)
}

// TestTaxYears: each figure of every account, year and currency is what rational numbers come to, in the account's
// report and in that of all.
func TestTaxYears(t *testing.T) { eachTaxBooks(t, taxBooks.compare) }

// compare compares the reports of every account, year and currency with what rational numbers come to.
func (b taxBooks) compare() {
	for _, currency := range []string{"USDT", "EUR", "GBP", "CHF", "USD"} {
		for year, end := range map[int]staking.Day{2026: newYear - 1, 2027: newYear + 4} {
			asked := testkit.Must(b.TaxYear(reports.TaxAsked{Year: year, Currency: currency}))(b.T)
			ofAll := map[string]string{}
			ok(b.T, b.TaxOfAll(b.Context(), asked, func() error { return nil }, func(lines []reports.TaxLine) error {
				for _, l := range lines {
					ofAll[fmt.Sprint(l.Account, " ", l.Asset, " ", l.Kind)] = shownLine(l)
				}
				return nil
			}))
			for _, id := range holders {
				b.compareAccount(id, asked, end, ofAll)
			}
			same(b.T, "lines of nobody", ofAll, map[string]string{})
		}
	}
}

// compareAccount compares an account's report with what rational numbers come to and with the lines of all, which it
// takes away.
func (b taxBooks) compareAccount(id ledger.Account, asked reports.TaxYear, end staking.Day, ofAll map[string]string) {
	got := testkit.Must(b.Tax(b.Context(), id, asked))(b.T)
	want := b.expected(id, asked, end)
	if len(got.Lines) != len(want) || got.End != end {
		b.Errorf("%s %d %s has %d lines until %s, not %d until %s", id, asked.Year, asked.Currency, len(got.Lines), got.End,
			len(want), end)
	}
	sum, unvalued := new(big.Int), int64(0)
	for _, l := range got.Lines {
		same(b.T, fmt.Sprint(asked.Year, asked.Currency), shownLine(l), shownLine(want[l.Asset+" "+string(l.Kind)]))
		key := fmt.Sprint(l.Account, " ", l.Asset, " ", l.Kind)
		if l.Kind != reports.TaxBalance {
			same(b.T, "of all, "+key, ofAll[key], shownLine(l))
			delete(ofAll, key)
		}
		if unvalued += l.Unvalued; l.Value != nil {
			sum.Add(sum, l.Value)
		}
	}
	if sum.Cmp(got.Value) != 0 || unvalued != got.Unvalued {
		b.Errorf("the lines sum to %s and %d, not to %s and %d", sum, unvalued, got.Value, got.Unvalued)
	}
}

// TestTaxYearBegins: a reward is received when it is credited: that of 31 December on 1 January, and those that waited
// for funds when they came. Their value is still that of their days.
func TestTaxYearBegins(t *testing.T) {
	eachTaxBooks(t, func(b taxBooks) {
		counts := func(year int) (counts [3]int64) {
			report := testkit.Must(b.Tax(b.Context(), "alice", b.year(year)))(b.T)
			for _, l := range report.Lines {
				for i, asset := range []string{"ADA", bnb, "SOL"} {
					if l.Asset == asset && l.Kind == reports.TaxReward {
						counts[i] = l.Count
					}
				}
			}
			return counts
		}
		waited := counts(2026)[1]
		if waited <= 0 || waited >= 6 {
			b.Errorf("%d rewards of BNB were credited in 2026: the story is not what it should be", waited)
		}
		same(b.T, "2026", counts(2026), [3]int64{6, waited, 6})      // 25 to 30 December
		same(b.T, "2027", counts(2027), [3]int64{5, 11 - waited, 5}) // 31 December to 4 January
		for _, asked := range []reports.TaxAsked{
			{Year: 2025, Currency: "USDT"}, {Year: 2028, Currency: "USDT"}, {Year: 2026, Currency: "euro"}, {Year: 2026},
		} {
			wants(b.T, failure(b.TaxYear(asked)), ledger.ErrInvalid)
		}
		wants(b.T, failure(b.Tax(b.Context(), "nobody", b.year(2026))), ledger.ErrNotFound)
	})
}
