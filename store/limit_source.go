package store

import (
	"math"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// sourceRate is the effective rate a year of what a source reported of a period, less the fee.
type sourceRate struct {
	chain, source string
	first, last   staking.Day
	rate          staking.Rate
}

// sourceRates are those of a token's periods in the mode share that have one of some days: of income that is
// distributed, and of that of a day's distributions, all. A loss is no report.
func sourceRates(t db.View, d staking.Day, all []staking.Distribution, token string,
	from, to staking.Day) (found []sourceRate, err error) {
	err = t.Query(func(r db.Row) error {
		s := sourceRate{chain: r.Text(0), source: r.Text(1), first: staking.Day(r.Int(2)), last: staking.Day(r.Int(3))}
		weight, err := staking.ParseIntegral(r.Text(6))
		for _, v := range all {
			if staking.DayOf(db.TimeOf(r.Int(7))) == d && v.Budget == nil && v.First == s.first && v.Last == s.last {
				weight = v.Weight
			}
		}
		if err != nil || !(staking.Integral{}).Less(weight) {
			return err
		}
		net := staking.Income{Gross: ledger.Amount(r.Int(4))}.Split(staking.Rate(r.Int(5))).Net
		s.rate = addRate(0, net, weight)
		found = append(found, s)
		return nil
	}, `SELECT i.chain, i.source, i.first_day, i.last_day, i.gross, i.fee, COALESCE(x.weight, '0'), i.at
	      FROM incomes i LEFT JOIN distributions x
	        ON x.asset = i.asset AND x.day = i.at / 86400000 AND x.first_day = i.first_day AND x.last_day = i.last_day
	     WHERE i.asset = $1 AND i.mode = $2 AND i.gross >= 0 AND i.last_day >= $3 AND i.first_day <= $4 AND i.at < $5`,
		token, int64(staking.Share), int64(from), int64(to), (d + 1).Millis())
	return found, annotate(err, "read what the sources of %s earned through %s", token, to)
}

// awaitedRate is what the sources that have not reported of a day are expected to add to its rate: of each that
// reported of one of the 31 days before, what it came to on the last of them. Sources report at different times:
// without it a day of which only a small one has reported would be compared with a whole one.
func awaitedRate(reports []sourceRate, d staking.Day) (sum staking.Rate) {
	type source struct{ chain, source string }
	last := map[source]staking.Day{}
	for _, r := range reports {
		if s := (source{r.chain, r.source}); r.first <= d && r.last >= d-staking.AwaitedDays {
			last[s] = max(last[s], min(r.last, d))
		}
	}
	for _, r := range reports {
		if on := last[source{r.chain, r.source}]; on < d && r.first <= on && on <= r.last {
			sum = plusRate(sum, r.rate)
		}
	}
	return sum
}

// plusRate is a sum of rates. One that is out of range is the highest.
func plusRate(a, b staking.Rate) staking.Rate {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
