package reports

import (
	"context"
	"errors"
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// foresee finds the distributions of each token's days that are not paid in every bucket. Those of a day begin with
// what those of the days before it will have left: else each day would divide the same pool.
func (p *openDay) foresee(ctx context.Context) error {
	type settled struct {
		token string
		paid  staking.Day
	}
	tokens, err := list(ctx, p.rs, "", scan(func(r db.Row) settled {
		return settled{r.Text(0), staking.Day(r.Int(1))}
	}), "SELECT asset, min(paid_through) FROM progress GROUP BY asset ORDER BY asset")
	for _, s := range tokens {
		var before []holding.Foreseen
		for d := s.paid + 1; d <= p.day && err == nil; d++ {
			before, err = p.foreseeDay(ctx, d, s.token, before)
		}
		if err != nil {
			return fmt.Errorf("the distributions of %s: %w", s.token, err)
		}
	}
	return err
}

// foreseeDay finds those of a day, and returns those before the next day that are not declared.
func (p *openDay) foreseeDay(ctx context.Context, d staking.Day, token string,
	before []holding.Foreseen) ([]holding.Foreseen, error) {
	var declared bool
	all, err := read(ctx, p.rs, "", func(t db.View) (all []staking.Distribution, err error) {
		if declared, err = store.Declared(t, d, token); err == nil {
			all, err = distributionsOn(t, d, token, before)
		}
		return all, err
	})
	if err != nil || len(all) == 0 {
		return before, err
	}
	p.shares[d] = append(p.shares[d], all...)
	if declared {
		return before, nil
	}
	p.undeclared[token] = append(p.undeclared[token], all...)
	if d == p.day {
		return before, nil
	}
	paid, err := p.payments(ctx, d, all)
	for i, v := range all {
		if err == nil {
			before = append(before, holding.Foreseen{Distribution: v, Paid: paid[i]})
		}
	}
	return before, err
}

// payments are what the distributions of a day will have paid. Of a day that is too old to be measured, that is all
// there is: its rewards are not in the figures, and its pools are not divided again.
func (p *openDay) payments(ctx context.Context, d staking.Day, all []staking.Distribution) ([]staking.Exact, error) {
	paid := make([]staking.Exact, len(all))
	if d < p.day-backlog {
		for i, v := range all {
			if v.Pays() {
				paid[i] = v.Pool()
			}
		}
		return paid, nil
	}
	for b := range ledger.Buckets {
		part, err := read(ctx, p.rs, "", func(t db.View) ([]staking.Exact, error) { return holding.PaidIn(t, b, all) })
		if err != nil {
			return nil, err
		}
		for i := range paid {
			paid[i] = paid[i].Add(part[i])
		}
	}
	return paid, nil
}

// sharesOn are the shares of a bucket in the distributions of a day of some tokens.
func sharesOn(t db.View, d staking.Day, tokens []string) (*holding.Shares, error) {
	var all []staking.Distribution
	for _, token := range tokens {
		some, err := distributionsOn(t, d, token, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return holding.SharesOf(all), nil
}

// distributionsOn are those of a token's day, after some that are not declared. Of a day in the future of the run, and
// of one that waits because its income cannot be divided, there are none yet.
func distributionsOn(t db.View, d staking.Day, token string, before []holding.Foreseen) ([]staking.Distribution,
	error) {
	all, err := holding.DistributionsAfter(t, d, token, before)
	if errors.Is(err, staking.ErrUndivided) {
		err = nil
	}
	return all, err
}
