package reports

import (
	"math"
	"math/big"
	"slices"
	"sync"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

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
		for d := max(r.first, last-2*staking.AwaitedDays); d <= min(r.last, last); d++ {
			reported[s][d] = true
		}
	}
	for d := last; d >= last-staking.AwaitedDays; d-- {
		complete, any := true, false
		for _, days := range reported {
			awaited := false
			for before := d - staking.AwaitedDays; before < d; before++ {
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
	from := staking.Day(last) - 2*staking.AwaitedDays
	paid, err := db.All(t, readDistribution, "SELECT "+distributionColumns+` FROM distributions
	     WHERE asset = $1 AND last_day >= (SELECT min(first_day) FROM distributions WHERE asset = $1 AND last_day >= $2)
	     ORDER BY day, first_day, last_day`, token, int64(from))
	if err != nil {
		return Rate{}, err
	}
	whole := from // of the days from here on every distribution is read
	for _, d := range paid {
		if d.Last >= from {
			whole = min(whole, d.First)
		}
	}
	reports, err := readReports(t, token, whole, staking.Day(last))
	if err != nil {
		return Rate{}, err
	}
	paid = slices.DeleteFunc(paid, func(d Distribution) bool { return d.Weight == (staking.Integral{}) })
	divided := map[periodKey]bool{}
	for _, d := range paid {
		divided[d.key()] = true
	}
	reports = slices.DeleteFunc(reports, func(r report) bool { return !divided[periodKey{r.day, r.first, r.last}] })
	fees := feesOf(reports)
	reports = slices.DeleteFunc(reports, func(r report) bool { return r.gross < 0 })
	if len(reports) == 0 {
		return Rate{}, nil
	}
	day := completeDay(reports, slices.MaxFunc(reports, func(a, b report) int { return int(a.last - b.last) }).last)
	days := sumsOf(paid, fees, whole, day)
	r := days[day].rate(Rate{})
	r.First, r.Last = day, day
	for before := day - 1; days[before] != nil && days[before].rate(Rate{}).same(r); before-- {
		r.First = before
	}
	return r, nil
}

// sumsOf are what distributions come to on each of some days that one has.
func sumsOf(paid []Distribution, fees map[periodKey][]staking.Rate, from, to staking.Day) map[staking.Day]*rateSum {
	days := map[staking.Day]*rateSum{}
	for _, d := range paid {
		for day := max(d.First, from); day <= min(d.Last, to); day++ {
			if days[day] == nil {
				days[day] = new(rateSum)
			}
			days[day].add(d, fees[d.key()])
		}
	}
	return days
}

// rateSum is what distributions come to together on a day: exact sums, in smallest units a unit-millisecond.
type rateSum struct {
	fees                     []staking.Rate
	gross, fee, earlier, net big.Rat
}

// add adds what a distribution has paid to the days of its period. fees are those of its incomes. One of which nobody
// was eligible adds nothing.
func (s *rateSum) add(d Distribution, fees []staking.Rate) {
	weight, ok := new(big.Int).SetString(d.Weight.String(), 10)
	if !ok || weight.Sign() <= 0 {
		return
	}
	s.fees = append(s.fees, fees...)
	whole := func(n ledger.Amount) staking.Exact { return staking.Exact{Units: n} }
	addExact(&s.gross, whole(d.Gross), weight)
	addExact(&s.fee, whole(d.Gross-d.Net), weight)
	addExact(&s.earlier, d.Paid.Sub(whole(d.Net)), weight)
	addExact(&s.net, d.Paid, weight)
}

// addExact adds an amount, divided by a weight.
func addExact(sum *big.Rat, n staking.Exact, weight *big.Int) {
	amount := new(big.Rat).SetFrac64(int64(n.Part), int64(staking.Unit))
	amount.Add(amount, new(big.Rat).SetInt64(int64(n.Units)))
	sum.Add(sum, amount.Quo(amount, new(big.Rat).SetInt(weight)))
}

// rate is the sum; the net rate is rounded down, the others towards zero.
func (s *rateSum) rate(stated Rate) Rate {
	fee, earlier := s.feeTaken(stated.Fee)
	return Rate{
		Mode: staking.Share, Known: true, GrossKnown: true, Fee: fee, Gross: yearly(&s.gross, false),
		Earlier: yearly(earlier, false), Net: yearly(&s.net, true),
	}
}

// feeShown is by how much, in 1e-8, the fee that was taken may differ from the stated one that is shown, and a row of
// rates from its sum.
const feeShown = 1000

// feeTaken is the part of the gross income that the operator has kept, to the nearest 1e-8, and what earlier periods
// left. A fee is rounded down to a smallest unit: where that cannot be seen in the rates, it is the fee of the
// incomes. Where losses leave so little of the gross income that what was kept is no part of it, it is that as well,
// and the rest counts to what earlier periods left. stated is the fee where there are no incomes.
func (s *rateSum) feeTaken(stated staking.Rate) (fee staking.Rate, earlier *big.Rat) {
	slices.Sort(s.fees)
	several := slices.Compact(s.fees)
	if len(several) > 0 {
		stated = several[len(several)-1]
	}
	whole := new(big.Rat).SetInt64(int64(staking.Whole))
	if s.gross.Sign() != 0 {
		part := new(big.Rat).Quo(&s.fee, &s.gross)
		if part.Sign() >= 0 && part.Cmp(big.NewRat(1, 1)) <= 0 {
			part.Mul(part, whole).Add(part, big.NewRat(1, 2))
			fee = staking.Rate(new(big.Int).Quo(part.Num(), part.Denom()).Int64())
			away, gross := max(fee-stated, stated-fee), yearly(&s.gross, false)
			if len(several) == 1 && away <= feeShown && max(gross, -gross) <= staking.Whole*feeShown/max(away, 1) {
				fee = stated
			}
			return fee, &s.earlier
		}
	} else if s.fee.Sign() == 0 {
		return stated, &s.earlier
	}
	beside := new(big.Rat).SetInt64(int64(stated))
	beside.Quo(beside, whole).Mul(beside, &s.gross).Sub(beside, &s.fee)
	return stated, beside.Add(beside, &s.earlier)
}

// yearly is the rate a year of a sum, rounded down or towards zero. One that is out of range is the furthest.
func yearly(sum *big.Rat, down bool) staking.Rate {
	n := new(big.Int).Mul(sum.Num(), big.NewInt(int64(staking.Unit)))
	if down {
		n.Div(n, sum.Denom())
	} else {
		n.Quo(n, sum.Denom())
	}
	switch {
	case n.IsInt64():
		return staking.Rate(n.Int64())
	case n.Sign() < 0:
		return math.MinInt64
	}
	return math.MaxInt64
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
