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
		if all[i].Budget != nil { // a campaign's: no rate follows from it
			continue
		}
		before, err := rateBefore(t, all[i])
		if err != nil {
			return "", err
		}
		rate, err := rateWith(t, all, all[i].Last, asset.Symbol)
		if over := l.Risen(rate, before); err != nil || over != "" {
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
	change := staking.Limit{Asset: l.Asset, MaxChange: l.MaxChange}
	return change.Exceeded(asset, total-shared, before, known), nil
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

// rateBefore is the effective rate a year of the last day before a period that has any.
func rateBefore(t db.View, v staking.Distribution) (staking.Rate, error) {
	last, found, err := db.First(t, readDay, `SELECT last_day FROM distributions
	     WHERE asset = $1 AND last_day < $2 AND paid_units > 0 ORDER BY last_day DESC LIMIT 1`, v.Asset, int64(v.First))
	if err != nil || !found {
		return 0, err
	}
	return rateOn(t, last, v.Asset)
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
	if !ok || r > math.MaxInt64-sum {
		return math.MaxInt64
	}
	return sum + r
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
