package reports

import (
	"math/big"
	"slices"
	"sync"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// awaitedDays is how many days a source of income that reports no more is waited for.
const awaitedDays = 31

// report is what a source reported of a period, and with which day's rewards it was divided.
type report struct {
	chain, source    string
	day, first, last staking.Day
	gross            ledger.Amount
	fee              staking.Rate
}

// periodKey is the key of a token's distribution.
type periodKey struct{ day, first, last staking.Day }

func (d Distribution) key() periodKey { return periodKey{d.Day, d.First, d.Last} }

// readReports are the incomes of a token in the mode share whose periods have one of some days.
func readReports(t db.View, token string, from, to staking.Day) ([]report, error) {
	return db.All(t, scan(func(r db.Row) report {
		return report{
			chain: r.Text(0), source: r.Text(1), first: staking.Day(r.Int(2)), last: staking.Day(r.Int(3)),
			gross: ledger.Amount(r.Int(4)), fee: staking.Rate(r.Int(5)), day: staking.DayOf(db.TimeOf(r.Int(6))),
		}
	}), `SELECT chain, source, first_day, last_day, gross, fee, at FROM incomes
	     WHERE asset = $1 AND mode = $2 AND last_day >= $3 AND first_day <= $4`, token, int64(staking.Share), int64(from),
		int64(to))
}

// feesOf are the fees of the incomes that each distribution divides, in order and without repetition.
func feesOf(reports []report) map[periodKey][]staking.Rate {
	fees := map[periodKey][]staking.Rate{}
	for _, r := range reports {
		k := periodKey{r.day, r.first, r.last}
		fees[k] = append(fees[k], r.fee)
	}
	for k := range fees {
		slices.Sort(fees[k])
		fees[k] = slices.Compact(fees[k])
	}
	return fees
}

// completeDay is the last day, of the 32 through one, of which every source has reported that reported for any of the
// 31 days before it. Where sources stopped one after another, so that there is none, it is the last.
func completeDay(reports []report, last staking.Day) staking.Day {
	type source struct{ chain, source string }
	reported := map[source]map[staking.Day]bool{}
	for _, r := range reports {
		s := source{r.chain, r.source}
		if reported[s] == nil {
			reported[s] = map[staking.Day]bool{}
		}
		for d := max(r.first, last-2*awaitedDays); d <= min(r.last, last); d++ {
			reported[s][d] = true
		}
	}
	for d := last; d >= last-awaitedDays; d-- {
		complete, any := true, false
		for _, days := range reported {
			awaited := false
			for before := d - awaitedDays; before < d; before++ {
				awaited = awaited || days[before]
			}
			complete, any = complete && (days[d] || !awaited), any || days[d]
		}
		if complete && any {
			return d
		}
	}
	return last
}

// sharedRate is the rate of the last complete day of a token in the mode share; not Known before any is divided. A loss
// is no report of a day.
func sharedRate(t db.View, token string) (Rate, error) {
	last, err := db.Count(t, "SELECT COALESCE(max(last_day), -1) FROM distributions WHERE asset = $1", token)
	if err != nil || last < 0 {
		return Rate{}, err
	}
	from := staking.Day(last) - 2*awaitedDays
	paid, err := db.All(t, readDistribution, "SELECT "+distributionColumns+
		" FROM distributions WHERE asset = $1 AND last_day >= $2 ORDER BY day, first_day, last_day", token, int64(from))
	if err != nil {
		return Rate{}, err
	}
	reports, err := readReports(t, token, from, staking.Day(last))
	if err != nil {
		return Rate{}, err
	}
	divided := map[periodKey]bool{}
	for _, d := range paid {
		divided[d.key()] = d.Weight != (staking.Integral{})
	}
	reports = slices.DeleteFunc(reports, func(r report) bool { return !divided[periodKey{r.day, r.first, r.last}] })
	fees, sum := feesOf(reports), rateSum{}
	reports = slices.DeleteFunc(reports, func(r report) bool { return r.gross < 0 })
	if len(reports) == 0 {
		return Rate{}, nil
	}
	day := completeDay(reports, slices.MaxFunc(reports, func(a, b report) int { return int(a.last - b.last) }).last)
	for _, d := range paid {
		if d.First <= day && day <= d.Last && divided[d.key()] {
			sum.add(d, fees[d.key()])
		}
	}
	r := sum.rate(Rate{})
	r.Last = day
	return r, nil
}

// rateSum is what distributions come to together. The zero one is of none.
type rateSum struct {
	r          Rate
	fees       []staking.Rate
	fee, gross big.Rat // a unit-millisecond
}

// add adds what a distribution has paid to the days of its period. fees are those of its incomes.
func (s *rateSum) add(d Distribution, fees []staking.Rate) {
	r := &s.r
	if !r.Known {
		r.First, r.Last = d.First, d.Last
	}
	r.First = min(r.First, d.First)
	r.Mode, r.Known, r.GrossKnown = staking.Share, true, true
	carried := d.Paid.Sub(staking.Exact{Units: d.Net})
	if carried.Units < 0 && carried.Part > 0 {
		carried.Units++ // towards zero: a part of a smallest unit is the rounding of the shares
	}
	r.Gross, r.Net = r.Gross+signedRate(d.Gross, d.Weight), r.Net+d.NetRate
	r.Earlier += signedRate(carried.Units, d.Weight)
	s.fees = append(s.fees, fees...)
	if weight, ok := new(big.Int).SetString(d.Weight.String(), 10); ok && weight.Sign() > 0 {
		s.fee.Add(&s.fee, new(big.Rat).SetFrac(big.NewInt(int64(d.Gross-d.Net)), weight))
		s.gross.Add(&s.gross, new(big.Rat).SetFrac(big.NewInt(int64(d.Gross)), weight))
	}
}

// rate is the sum. Where its incomes have several fees, the fee is that of all of them together: what was taken, of the
// gross income, rounded down. Where there is none, the rate and the fee are those stated.
func (s *rateSum) rate(stated Rate) Rate {
	r := s.r
	if !r.Known {
		return stated
	}
	r.Fee = stated.Fee
	slices.Sort(s.fees)
	if several := slices.Compact(s.fees); len(several) == 1 {
		r.Fee = several[0]
	} else if len(several) > 1 && s.gross.Sign() > 0 {
		all := new(big.Rat).Quo(&s.fee, &s.gross)
		whole := new(big.Int).Mul(all.Num(), big.NewInt(int64(staking.Whole)))
		r.Fee = staking.Rate(whole.Div(whole, all.Denom()).Int64())
	}
	return r
}

// signedRate is the rate a year that an amount, which may be below zero, is of a weight, towards zero.
func signedRate(n ledger.Amount, weight staking.Integral) staking.Rate {
	if n < 0 {
		return -signedRate(-n, weight)
	}
	r, _ := staking.YearlyRate(n, weight) // zero where nobody was eligible
	return r
}

// sharedRates keep the current rates in the mode share. What is declared never changes: a rate is that of the last day
// with a distribution.
type sharedRates struct {
	mu    sync.Mutex
	rates map[string]dividedRate // by token
}

// dividedRate is a rate by the distributions through a day.
type dividedRate struct {
	day staking.Day
	Rate
}

// of is a token's rate where the last distribution is of a day.
func (s *sharedRates) of(t db.View, token string, day staking.Day) (Rate, error) {
	s.mu.Lock()
	kept, is := s.rates[token]
	s.mu.Unlock()
	if is && kept.day == day {
		return kept.Rate, nil
	}
	r, err := sharedRate(t, token)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.rates == nil {
			s.rates = map[string]dividedRate{}
		}
		s.rates[token] = dividedRate{day, r}
	}
	return r, err
}
