package reports

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Previewed are the figures of a token's day that is not paid: amounts in smallest units.
type Previewed struct {
	Asset       string
	Day         staking.Day
	Holders     int64
	Total       ledger.Amount
	Average     ledger.Amount // the mean of the holders' averages, rounded down
	Before      ledger.Amount // the total of the day before
	BeforeKnown bool
	Pool        ledger.Amount // in @rewards

	Carried staking.Exact // by how much the day, and those before it that are in the figures, change what holders carry
}

// Preview is what a token's next day would pay, or will.
type Preview struct {
	Previewed
	Declared  bool      // the total is declared and being paid
	Verdict   error     // why it would wait: staking.ErrFunds, ErrLimit or ErrBreak; nil: it would be paid
	LateUntil time.Time // until then it takes late entries, which may change all this; zero: it takes none
}

// Preview says of each token what its oldest day that is over and not paid would
// pay. It writes nothing, and closes no day: late entries may still change it.
func (rs *Reports) Preview(ctx context.Context) ([]Preview, error) {
	due, err := rs.Due(ctx, staking.DayOf(rs.Now())-1)
	if err != nil {
		return nil, err
	}
	days := map[staking.Day]map[string]*Preview{}
	previews := make([]Preview, len(due))
	for i, d := range due {
		previews[i].Asset, previews[i].Day = d.Asset, d.Day
		if days[d.Day] == nil {
			days[d.Day] = map[string]*Preview{}
		}
		days[d.Day][d.Asset] = &previews[i]
	}
	for d, tokens := range days {
		if err := rs.previewDay(ctx, d, tokens); err != nil {
			return nil, fmt.Errorf("preview %s: %w", d, err)
		}
	}
	err = rs.Read(ctx, func(t db.View) error {
		closings, err := store.ClosingsOf(t)
		if err != nil {
			return err
		}
		over := closings.LastOver(rs.Now())
		for i := range previews {
			p := &previews[i]
			if err := rs.judge(t, p); err != nil {
				return err
			}
			if p.Day > over && !p.Declared {
				p.LateUntil = closings.ClosesAt(p.Day)
			}
		}
		return nil
	})
	return previews, err
}

// previewDay measures a day of some tokens, bucket by bucket, as the run does.
func (rs *Reports) previewDay(ctx context.Context, d staking.Day, tokens map[string]*Preview) error {
	averages := map[string]*big.Int{}
	for token := range tokens {
		averages[token] = new(big.Int)
	}
	sums, err := read(ctx, rs, "", func(t db.View) (*holding.OwnerSums, error) { return previewSums(t, d, tokens) })
	if err != nil {
		return err
	}
	for b := range ledger.Buckets {
		err := rs.Read(ctx, func(t db.View) error {
			terms, err := store.TermsAt(t, d)
			if err != nil {
				return err
			}
			by, err := holding.MeasuringOn(t, d, terms)
			if err != nil {
				return err
			}
			shares, err := sharesOn(t, d, slices.Collect(maps.Keys(tokens)))
			if err != nil {
				return err
			}
			together, err := sums.Together(t, b, d)
			if err != nil {
				return err
			}
			return measureAll(t, b, by, func(asset string) bool { return tokens[asset] != nil }, shares,
				func(page []staking.Holding) error {
					for _, h := range page {
						together.Give(&h)
						a, earned := staking.Accrue(d, terms[h.Asset], h)
						if !earned {
							continue
						}
						p := tokens[h.Asset]
						p.Holders++
						p.Carried = p.Carried.Add(carriedBy(a))
						averages[h.Asset].Add(averages[h.Asset], big.NewInt(int64(a.Average)))
						if p.Total, err = p.Total.Add(a.Reward); err != nil {
							return err
						}
					}
					return nil
				})
		})
		if err != nil {
			return err
		}
	}
	for token, p := range tokens {
		p.Average = mean(averages[token], p.Holders)
	}
	return nil
}

// measureAll measures a bucket's day, with those whom a campaign pays in a token of which they have no balance yet.
func measureAll(t db.View, bucket int, by *holding.Measuring, wanted func(asset string) bool, shares *holding.Shares,
	page func([]staking.Holding) error) error {
	if err := holding.Measure(t, bucket, by, wanted, shares, page); err != nil {
		return err
	}
	return holding.MeasureClaimants(t, bucket, by.Day, wanted, shares, page)
}

// carriedBy is by how much an accrual changes what its account carries.
func carriedBy(a staking.Accrual) staking.Exact {
	return staking.Exact{Part: a.Carry}.Sub(staking.Exact{Part: a.Before})
}

// mean is a sum of amounts divided by how many they are, rounded down; of none, zero.
func mean(sum *big.Int, n int64) ledger.Amount {
	if n == 0 {
		return 0
	}
	return ledger.Amount(new(big.Int).Quo(sum, big.NewInt(n)).Int64())
}

// declaredFor is what was declared for a token's day, if it was.
func declaredFor(t db.View, d staking.Day, asset string) (total DayTotal, declared bool, err error) {
	return db.First(t, readDayTotal, "SELECT day, asset, holders, total FROM declarations WHERE day = $1 AND asset = $2",
		int64(d), asset)
}

// judge finds what the previewed day would wait for, or nothing.
func (rs *Reports) judge(t db.View, p *Preview) error {
	total, declared, err := declaredFor(t, p.Day, p.Asset)
	if err != nil {
		return err
	}
	if p.Declared = declared; declared {
		p.Holders, p.Total = total.Holders, total.Total
	}
	before, known, err := declaredFor(t, p.Day-1, p.Asset)
	if err != nil {
		return err
	}
	p.Before, p.BeforeKnown = before.Total, known
	if p.Pool, err = store.PoolOf(t, p.Asset); err != nil || declared {
		return err
	}
	p.Verdict, err = rs.verdict(t, p.Day, p.Asset, p.Total, p.Carried)
	return err
}

// OpenPreview is what a token's open day would pay as it stands: as if no balance
// changed any more until its end. Before is as declared or as it stands.
type OpenPreview struct {
	Previewed
	At      time.Time     // the moment at which it is read
	Owed    ledger.Amount // what the days before it need, from First on, that are not declared
	First   staking.Day   // the oldest day that is in the figures
	Partial bool          // older days are not paid either, and are not in the figures
	Missing ledger.Amount // what the pool lacks for Owed and Total; 0: nothing
	Over    string        // which limit Total exceeds, so that it needs approval, or nothing
}

// PreviewOpen says of each token on offer what the open day would pay as it stands.
// The figures are those of the run, by the same rule: where nothing moves any more, the
// day pays exactly them. Days before it that are over and not paid are measured with
// it, a week at most, since their rewards and carries count in it. What an owner's other accounts
// have earned on those days is not in what they hold together. It writes nothing,
// and has one bucket in memory at a time.
func (rs *Reports) PreviewOpen(ctx context.Context) ([]OpenPreview, error) {
	if _, err := rs.Assets(ctx); err != nil {
		return nil, err
	}
	now := rs.Now()
	p := openDay{rs: rs, at: now, day: staking.DayOf(now), terms: map[staking.Day]map[string]staking.Terms{},
		by: map[staking.Day]*holding.Measuring{}, tokens: map[string]*openToken{}, sums: map[staking.Day]*holding.OwnerSums{},
		shares: map[staking.Day][]staking.Distribution{}, undeclared: map[string][]staking.Distribution{}}
	if err := p.foresee(ctx); err != nil {
		return nil, fmt.Errorf("preview %s: %w", p.day, err)
	}
	for b := range ledger.Buckets {
		err := rs.Read(ctx, func(t db.View) error {
			p.part = map[string]*openToken{}
			return p.bucket(t, b)
		})
		if err == nil {
			err = p.merge()
		}
		if err != nil {
			return nil, fmt.Errorf("preview %s: %w", p.day, err)
		}
	}
	return read(ctx, rs, fmt.Sprintf("preview %s", p.day), func(t db.View) (previews []OpenPreview, err error) {
		for _, symbol := range slices.Sorted(maps.Keys(p.tokens)) {
			if !p.terms[p.day][symbol].Offered {
				continue
			}
			preview, err := p.judge(t, symbol)
			if err != nil {
				return nil, err
			}
			previews = append(previews, preview)
		}
		return previews, nil
	})
}

// openDay is the measuring of the open day, and of those before it that are not paid.
type openDay struct {
	rs     *Reports
	at     time.Time
	day    staking.Day
	terms  map[staking.Day]map[string]staking.Terms
	by     map[staking.Day]*holding.Measuring
	tokens map[string]*openToken
	part   map[string]*openToken // of the bucket that is being measured
	sums   map[staking.Day]*holding.OwnerSums

	shares     map[staking.Day][]staking.Distribution // the distributions of each day
	undeclared map[string][]staking.Distribution      // those of each token that are not declared, by day
}

// openToken is what comes of a token.
type openToken struct {
	first   staking.Day // that is measured
	paid    staking.Day // through this day in every bucket
	days    map[staking.Day]ledger.Amount
	carried map[staking.Day]staking.Exact // by how much the day changes what holders carry
	holders int64                         // on the open day
	average *big.Int                      // the sum of their averages
}

// earnedOn is what a position has earned on the days that are not paid.
type earnedOn struct {
	rewards ledger.Amount
	carry   staking.Fraction
}

// bucket measures a bucket in one snapshot, day by day.
func (p *openDay) bucket(t db.View, bucket int) error {
	paid := map[string]staking.Day{}
	first := p.day
	err := t.Query(func(r db.Row) error {
		symbol, through := r.Text(0), staking.Day(r.Int(1))
		paid[symbol] = max(through, p.day-1-backlog)
		first = min(first, paid[symbol]+1)
		p.part[symbol] = &openToken{first: paid[symbol] + 1, paid: through, days: map[staking.Day]ledger.Amount{},
			carried: map[staking.Day]staking.Exact{},
			average: new(big.Int)}
		return nil
	}, "SELECT asset, paid_through FROM progress WHERE bucket = $1", int64(bucket))
	if err != nil {
		return err
	}
	before := map[part]earnedOn{}
	for d := first; d <= p.day; d++ {
		if p.terms[d] == nil {
			if p.terms[d], err = store.TermsAt(t, d); err != nil {
				return err
			}
			if p.by[d], err = holding.MeasuringOn(t, d, p.terms[d]); err != nil {
				return err
			}
			if p.sums[d], err = ownerSums(t, p.by[d], p.terms[d], func(string) bool { return true }); err != nil {
				return err
			}
		}
		wanted := func(asset string) bool { return p.part[asset] != nil && paid[asset] < d && p.terms[d][asset].Offered }
		together, err := p.sums[d].Together(t, bucket, d)
		if err != nil {
			return err
		}
		err = measureAll(t, bucket, p.by[d], wanted, holding.SharesOf(p.shares[d]),
			func(page []staking.Holding) error { return p.accrue(d, page, before, together) })
		if err != nil {
			return err
		}
	}
	return nil
}

// accrue applies the rule to a page of a day, with what the days before it have earned.
func (p *openDay) accrue(d staking.Day, page []staking.Holding, before map[part]earnedOn,
	together holding.Together) (err error) {
	for _, h := range page {
		together.Give(&h)
		k := part{h.Account, h.Asset}
		earned, some := before[k]
		if some {
			h.Change(earned.rewards, 0)
			h.Carry = earned.carry
		}
		a, earns := staking.Accrue(d, p.terms[d][h.Asset], h)
		if !earns {
			continue
		}
		token := p.part[h.Asset]
		if token.days[d], err = token.days[d].Add(a.Reward); err != nil {
			return fmt.Errorf("the total of %s: %w", h.Asset, err)
		}
		token.carried[d] = token.carried[d].Add(carriedBy(a))
		if d == p.day {
			token.holders++
			token.average.Add(token.average, big.NewInt(int64(a.Average)))
			continue
		}
		before[k] = earnedOn{earned.rewards + a.Reward, a.Carry}
	}
	return nil
}

// merge adds what was measured in a bucket.
func (p *openDay) merge() (err error) {
	for symbol, part := range p.part {
		token := p.tokens[symbol]
		if token == nil {
			p.tokens[symbol] = part
			continue
		}
		token.first, token.paid = min(token.first, part.first), min(token.paid, part.paid)
		token.holders += part.holders
		token.average.Add(token.average, part.average)
		for d, total := range part.days {
			if token.days[d], err = token.days[d].Add(total); err != nil {
				return fmt.Errorf("the total of %s: %w", symbol, err)
			}
		}
		for d, change := range part.carried {
			token.carried[d] = token.carried[d].Add(change)
		}
	}
	return nil
}

// judge compares what comes of a token with its pool and its limits.
func (p *openDay) judge(t db.View, symbol string) (OpenPreview, error) {
	token := p.tokens[symbol]
	v := OpenPreview{At: p.at, First: token.first, Partial: token.paid+1 < token.first, Previewed: Previewed{
		Asset: symbol, Day: p.day, Holders: token.holders, Total: token.days[p.day],
		Average: mean(token.average, token.holders),
	}}
	v.Carried = token.carried[p.day]
	for d := token.first; d < p.day; d++ {
		declared, err := store.Declared(t, d, symbol)
		if err == nil && !declared {
			v.Carried = v.Carried.Add(token.carried[d])
			v.Owed, err = v.Owed.Add(token.days[d])
		}
		if err != nil {
			return v, err
		}
	}
	before, known, err := declaredFor(t, p.day-1, symbol)
	if err != nil {
		return v, err
	}
	if v.Before, v.BeforeKnown = before.Total, known; !v.BeforeKnown && token.first < p.day {
		v.Before, v.BeforeKnown = token.days[p.day-1], true
	}
	if v.Pool, err = store.PoolOf(t, symbol); err != nil {
		return v, err
	}
	_, reserved, err := store.AvailableAfter(t, p.day, symbol, p.undeclared[symbol], v.Carried)
	if err != nil {
		return v, err
	}
	needed, err := v.Owed.Add(v.Total)
	if err != nil {
		return v, err
	}
	if needed > 0 { // a day that pays nothing waits for nothing
		v.Missing = max(needed+reserved-v.Pool, 0)
	}
	var most, change int64
	if _, err := db.One(t, []*int64{&most, &change}, "SELECT max_total, max_change FROM limits WHERE asset = $1",
		symbol); err != nil {
		return v, err
	}
	l := staking.Limit{Asset: symbol, MaxTotal: ledger.Amount(most), MaxChange: change}
	v.Over, err = p.overLimit(t, l, v)
	return v, err
}

// overLimit is the limit that the open day would exceed, or "". Where its interest is compared, the day before is
// taken as it stands.
func (p *openDay) overLimit(t db.View, l staking.Limit, v OpenPreview) (string, error) {
	asset := p.rs.CachedAssets()[v.Asset]
	if p.terms[p.day][v.Asset].Mode != staking.Share {
		before, err := store.TermsAt(t, p.day-1)
		return l.Exceeded(asset, v.Total, v.Before, v.BeforeKnown && before[v.Asset].Mode == staking.Fixed), err
	}
	over, err := store.OverLimit(t, p.day, l, asset, v.Total)
	if errors.Is(err, staking.ErrUndivided) {
		return "", nil
	}
	return over, err
}
