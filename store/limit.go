package store

import (
	"math"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// OverLimit is a sentence about the limit that a token's undeclared day with a total exceeds, or "". In the mode
// share a day pays what was entered on it for a period, and most days pay nothing: the effective rate of the
// period is compared, not the total. The interest of a day in the mode fixed is compared with that of the day before,
// if that is in the same mode.
func OverLimit(t db.View, d staking.Day, l staking.Limit, asset ledger.Asset, total ledger.Amount) (string, error) {
	most := staking.Limit{Asset: l.Asset, MaxTotal: l.MaxTotal}
	if over := most.Exceeded(asset, total, 0, false); over != "" || l.MaxChange == 0 {
		return over, nil
	}
	all, err := holding.Distributions(t, d, asset.Symbol)
	if err != nil {
		return "", err
	}
	var shared ledger.Amount
	for i := range all {
		if !all[i].Pays() {
			continue
		}
		shared += all[i].Pool().Units
		if all[i].Budget != nil || !l.Compares(total) { // of a campaign no rate follows
			continue
		}
		if over, err := risen(t, d, l, all, all[i]); err != nil || over != "" {
			return over, err
		}
	}
	fixed, err := isFixed(t, asset.Symbol, d)
	if err != nil || !fixed {
		return "", err
	}
	before, known, err := interestOn(t, asset.Symbol, d-1)
	if err != nil {
		return "", err
	}
	return l.Exceeded(asset, total-shared, before, known), nil
}

// rateWith is the effective rate a year of a token's day by the distributions that are declared and by these.
func rateWith(t db.View, all []staking.Distribution, d staking.Day, token string) (staking.Rate, error) {
	sum, err := rateOn(t, d, token)
	for _, v := range all {
		if v.Budget == nil && v.Pays() && v.First <= d && d <= v.Last {
			sum = addRate(sum, v.Pool().Units, v.Weight)
		}
	}
	return sum, err
}

// risen is a sentence about the rate that one of a day's distributions, all, gives the last day of its period, or "":
// it is compared with that of the last day before the period that has any. To both is added what their other sources
// are awaited with, so that neither a source that reports early nor one that reports late looks like a rise.
func risen(t db.View, d staking.Day, l staking.Limit, all []staking.Distribution,
	v staking.Distribution) (string, error) {
	before, found, err := dayBefore(t, all, v)
	if err != nil || !found {
		return "", err
	}
	reports, err := sourceRates(t, d, all, v.Asset, before-staking.AwaitedDays, v.Last)
	if err != nil {
		return "", err
	}
	var rates [2]staking.Rate
	for i, day := range []staking.Day{v.Last, before} {
		if rates[i], err = rateWith(t, all, day, v.Asset); err != nil {
			return "", err
		}
		rates[i] = plusRate(rates[i], awaitedRate(reports, day))
	}
	return l.Risen(rates[0], rates[1]), nil
}

// dayBefore is the last day before a period of which anything is distributed, by the distributions that are declared
// and by these.
func dayBefore(t db.View, all []staking.Distribution, v staking.Distribution) (last staking.Day,
	found bool, err error) {
	declared, err := db.Count(t, `SELECT COALESCE(max(CASE WHEN last_day < $2 THEN last_day ELSE $2 - 1 END), -1)
	      FROM distributions WHERE asset = $1 AND first_day < $2 AND paid_units > 0`, v.Asset, int64(v.First))
	if err != nil {
		return 0, false, annotate(err, "read the last day of %s before %s that is distributed", v.Asset, v.First)
	}
	last = staking.Day(declared)
	for _, o := range all {
		if o.Budget == nil && o.Pays() && o.First < v.First {
			last = max(last, min(o.Last, v.First-1))
		}
	}
	return last, last >= 0, nil
}

// rateOn is the effective rate a year of a token's day: that of all declared distributions whose period has it.
func rateOn(t db.View, d staking.Day, token string) (sum staking.Rate, err error) {
	err = t.Query(func(r db.Row) error {
		weight, err := staking.ParseIntegral(r.Text(1))
		sum = addRate(sum, ledger.Amount(r.Int(0)), weight)
		return err
	}, `SELECT paid_units, weight FROM distributions
	     WHERE asset = $1 AND first_day <= $2 AND last_day >= $2 AND paid_units > 0`,
		token, int64(d))
	return sum, annotate(err, "read the rate of %s on %s", token, d)
}

// addRate adds the rate that an amount is of a weight. One that is out of range is the highest.
func addRate(sum staking.Rate, amount ledger.Amount, weight staking.Integral) staking.Rate {
	r, ok := staking.YearlyRate(amount, weight)
	if !ok {
		return math.MaxInt64
	}
	return plusRate(sum, r)
}

func isFixed(t db.View, token string, d staking.Day) (bool, error) {
	terms, err := TermsAt(t, d)
	return terms[token].Mode == staking.Fixed, err
}

// interestOn is what a declared day in the mode fixed paid beside shares of income and of campaigns.
func interestOn(t db.View, token string, d staking.Day) (paid ledger.Amount, known bool, err error) {
	if known, err = isFixed(t, token, d); err != nil || !known {
		return 0, false, err
	}
	total, known, err := db.First(t, db.IntOf, "SELECT total FROM declarations WHERE day = $1 AND asset = $2",
		int64(d), token)
	if err != nil || !known {
		return 0, false, err
	}
	shared, err := SharedOn(t, token, d)
	return ledger.Amount(total) - shared, err == nil, err
}

// SharedOn is what a declared day of a token paid as shares of staking income and of campaigns, in whole units.
func SharedOn(t db.View, token string, d staking.Day) (ledger.Amount, error) {
	shared, err := db.Count(t, `SELECT CAST(coalesce(sum(paid_units), 0) AS bigint) FROM (
	       SELECT paid_units FROM distributions WHERE asset = $1 AND day = $2
	       UNION ALL SELECT paid_units FROM campaign_distributions WHERE asset = $1 AND day = $2) shares`, token, int64(d))
	return ledger.Amount(shared), annotate(err, "read what was distributed of %s on %s", token, d)
}
