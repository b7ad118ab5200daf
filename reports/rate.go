package reports

import (
	"context"
	"maps"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Rate is what the eligible holdings of a token earn a year. In the mode fixed it is what
// the terms state. In the mode share it follows from the income: it is the sum over the
// paid periods that have a day, and what holders earn now is that of the last day that is complete: of which every
// source has reported that reported for any of the 31 days before.
type Rate struct {
	// The days that it is of: in the mode share the current one is of the last complete day and of those before it with
	// the same rate. Last is staking.Forever where no end is known.
	First, Last staking.Day
	Mode        staking.Mode
	Known       bool         // in the mode share: the income of these days is divided
	Net         staking.Rate // what holders get
	Gross       staking.Rate // before the operator's fee; below zero after a slashing
	GrossKnown  bool         // in the mode fixed: the operator states it
	Fee         staking.Rate // the operator's part of the staking income as it was taken, and of a gross rate, 0 to 1
	// In the mode share: what earlier periods left to these, a year, less what they lost; what these lost
	// themselves, and what nobody could get, is carried on to later ones. Gross − fee + Earlier = Net, but for rounding.
	Earlier staking.Rate
}

// Kept is the part of the gross rate that holders do not get.
func (r Rate) Kept() staking.Rate { return r.Gross + r.Earlier - r.Net }

// FeeIsKept reports whether the fee is the part of the gross rate that holders do not get. It is, but for a gross rate
// that an earlier version let be stated against fee and APR.
func (r Rate) FeeIsKept() bool {
	return r.GrossKnown && (r.Mode == staking.Share || r.Gross.Net(r.Fee) == r.Net)
}

// same reports whether the rate is another's, whatever days they are of.
func (r Rate) same(o Rate) bool {
	r.First, r.Last = o.First, o.Last
	return r == o
}

// StatedRate is what terms say of the rate.
func StatedRate(t staking.Terms) Rate {
	r := Rate{First: t.From, Last: staking.Forever, Mode: t.Mode, Fee: t.Fee}
	if t.Mode == staking.Fixed {
		r.Known, r.Net, r.Gross, r.GrossKnown = true, t.APR, t.GrossAPR, t.GrossAPR != 0
	}
	return r
}

// currentRates are the rates of tokens by their terms of today, by token. In the mode share
// the rate is that of the last complete day (completeDay), and not known before any income is divided.
func (rs *Reports) currentRates(t db.View, terms map[string]staking.Terms) (map[string]Rate, error) {
	rates, shared := make(map[string]Rate, len(terms)), []string{}
	for _, symbol := range slices.Sorted(maps.Keys(terms)) {
		rates[symbol] = StatedRate(terms[symbol])
		if terms[symbol].Mode == staking.Share {
			shared = append(shared, symbol)
		}
	}
	divided := map[string]staking.Day{}
	err := t.QuerySet(func(r db.Row) error { divided[r.Text(0)] = staking.Day(r.Int(1)); return nil },
		`SELECT d.asset, max(d.day) FROM {rows} JOIN distributions d ON d.asset = r.asset GROUP BY d.asset`,
		db.SetOf(shared, db.Text("asset", func(symbol string) string { return symbol })))
	if err != nil {
		return nil, err
	}
	for symbol, day := range divided {
		r, err := rs.shared.of(t, symbol, day)
		if err != nil {
			return nil, err
		}
		if r.Known {
			rates[symbol] = r
		}
	}
	return rates, nil
}

// CurrentRates are the rates of all tokens that have terms today, by token.
func (rs *Reports) CurrentRates(ctx context.Context) (map[string]Rate, error) {
	return read(ctx, rs, "read the rates", func(t db.View) (map[string]Rate, error) {
		terms, err := store.TermsAt(t, staking.DayOf(rs.Now()))
		if err != nil {
			return nil, err
		}
		return rs.currentRates(t, terms)
	})
}

// Rates are a token's rates of some days that it was on offer, through today at most, both ends
// inclusive: the newest first. Days that follow one another with the same rate are one. A day of the mode
// share whose income is not divided has one that is not known. ErrNotFound if there is no
// such token.
func (rs *Reports) Rates(ctx context.Context, token string, from, to staking.Day) ([]Rate, error) {
	if _, err := rs.Asset(ctx, token); err != nil {
		return nil, err
	}
	from, to = max(from, rs.FirstDay()), min(to, staking.DayOf(rs.Now()))
	return read(ctx, rs, "read the rates of "+token, func(t db.View) ([]Rate, error) {
		history, err := db.All(t, store.ReadTermsRevision, "SELECT "+store.TermsColumns+
			" FROM terms WHERE asset = $1 ORDER BY from_day, revision", token)
		if err != nil {
			return nil, err
		}
		paid, err := db.All(t, readDistribution, "SELECT "+distributionColumns+
			" FROM distributions WHERE asset = $1 AND last_day >= $2 AND first_day <= $3 ORDER BY day, first_day, last_day",
			token, int64(from), int64(to))
		if err != nil {
			return nil, err
		}
		reports, err := readReports(t, token, from, to)
		return spans(history, paid, feesOf(reports), from, to), err
	})
}

// spans are the rates of some days, the newest first. The terms are by day and revision.
func spans(history []store.TermsRevision, paid []Distribution, fees map[periodKey][]staking.Rate,
	from, to staking.Day) (all []Rate) {
	shared := sumsOf(paid, fees, from, to)
	for day, next := from, 0; day <= to; day++ {
		for next < len(history) && history[next].From <= day {
			next++
		}
		if next == 0 || !history[next-1].Offered {
			continue
		}
		r := StatedRate(history[next-1].Terms)
		if divided, is := shared[day]; is && r.Mode == staking.Share {
			r = divided.rate(r)
		}
		r.First, r.Last = day, day
		if n := len(all); n > 0 && all[n-1].same(r) && all[n-1].Last == day-1 {
			all[n-1].Last = day
			continue
		}
		all = append(all, r)
	}
	slices.Reverse(all)
	return all
}

// Source is what a validator or stake account earned of a token in a period that is known.
type Source struct {
	Chain, Source string
	First, Last   staking.Day
	Gross         ledger.Amount
}

// Sources are where the rewards of a token come from: the income that was entered for periods
// that have the day of which a rate is, or in the mode fixed for the last; by chain and source.
func (rs *Reports) Sources(ctx context.Context, token string, of Rate) ([]Source, error) {
	last := int64(of.Last)
	if of.Mode == staking.Fixed || !of.Known {
		last = 0
	}
	found, err := list(ctx, rs, "read the sources of "+token, func(r db.Row) (Source, error) {
		return Source{r.Text(0), r.Text(1), staking.Day(r.Int(2)), staking.Day(r.Int(3)), ledger.Amount(r.Int(4))}, nil
	}, `SELECT chain, source, first_day, last_day, gross FROM incomes
	     WHERE asset = $1 AND ($2 > 0 AND first_day <= $2 AND last_day >= $2
	        OR $2 = 0 AND last_day = (SELECT max(last_day) FROM incomes WHERE asset = $1))
	     ORDER BY chain, source, first_day`, token, last)
	var sums []Source
	for _, s := range found {
		if n := len(sums); n > 0 && sums[n-1].Chain == s.Chain && sums[n-1].Source == s.Source &&
			sums[n-1].First == s.First {
			if sums[n-1].Gross, err = sums[n-1].Gross.Add(s.Gross); err != nil {
				return nil, err
			}
			continue
		}
		sums = append(sums, s)
	}
	return sums, err
}
