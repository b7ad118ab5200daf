package reports

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Preview is what a token's next day would pay, or will: amounts in smallest units.
type Preview struct {
	Asset       string
	Day         staking.Day
	Declared    bool // the total is declared and being paid
	Holders     int64
	Total       ledger.Amount
	Average     ledger.Amount // the mean of the holders' averages, rounded down
	Before      ledger.Amount // the total of the day before
	BeforeKnown bool
	Pool        ledger.Amount // in @rewards
	Verdict     error         // why it would wait: staking.ErrFunds or ErrLimit; nil: it would be paid
	LateUntil   time.Time     // until then it takes late entries, which may change all this; zero: it takes none
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
		previews[i] = Preview{Asset: d.Asset, Day: d.Day}
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
	for b := range ledger.Buckets {
		err := rs.Read(ctx, func(t db.View) error {
			terms, err := store.TermsAt(t, d)
			if err != nil {
				return err
			}
			return store.Holdings(t, b, d, func(asset string) bool { return tokens[asset] != nil },
				func(page []staking.Holding) error {
					for _, h := range page {
						a, earned := staking.Accrue(d, terms[h.Asset], h)
						if !earned {
							continue
						}
						p := tokens[h.Asset]
						p.Holders++
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

// mean is a sum of amounts divided by how many they are, rounded down; of none, zero.
func mean(sum *big.Int, n int64) ledger.Amount {
	if n == 0 {
		return 0
	}
	return ledger.Amount(new(big.Int).Quo(sum, big.NewInt(n)).Int64())
}

// judge says whether the previewed day would be paid.
func (rs *Reports) judge(t db.View, p *Preview) error {
	var holders, total, before int64
	var err error
	if p.Declared, err = db.One(t, []*int64{&holders, &total},
		"SELECT holders, total FROM declarations WHERE day = $1 AND asset = $2", int64(p.Day), p.Asset); err != nil {
		return err
	}
	if p.Declared {
		p.Holders, p.Total = holders, ledger.Amount(total)
	}
	if p.BeforeKnown, err = db.One(t, []*int64{&before}, "SELECT total FROM declarations WHERE day = $1 AND asset = $2",
		int64(p.Day)-1, p.Asset); err != nil {
		return err
	}
	if p.Pool, err = store.PoolOf(t, p.Asset); err != nil {
		return err
	}
	p.Before = ledger.Amount(before)
	if p.Declared {
		return nil
	}
	p.Verdict, err = rs.Verdict(t, p.Day, p.Asset, p.Total)
	return err
}
