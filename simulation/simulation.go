// Package simulation runs other terms over days that are paid, and compares what they would have cost with what
// was paid. It reads the books, and cannot write them.
package simulation

import (
	"context"
	"fmt"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// MaxDays is the most days that are simulated at once: a page of positions keeps all of them in memory.
const MaxDays = 366

// ReasonUnpaid is ledger.ErrInvalid: the last day is not paid yet for a token that is wanted.
const ReasonUnpaid = "day-not-paid"

// Options are what to simulate. A day is a UTC day.
type Options struct {
	From, Through staking.Day // both ends inclusive; through the last, every wanted token is paid
	Tokens        []string    // those that are wanted; none: all of the books
	// Change returns the terms to simulate in the place of the recorded ones of a day; a token that had none on it
	// has Terms that are not offered. nil: the recorded ones. It is called for each token and day, in order.
	Change func(asset ledger.Asset, d staking.Day, recorded staking.Terms) (staking.Terms, error)
	// Incomes are income beside the recorded, for the mode share. One that is recorded is ignored.
	Incomes  []staking.Income
	Progress func(done, of int) // may be nil
}

// Run simulates terms over the recorded days: the balances stay as they were, with the
// rewards that were paid, so a reward that would have been another compounds as it did. The
// recorded terms therefore give the recorded accruals, to the fraction, in the mode fixed.
//
// In the mode share, income counts whose whole period lies in the days simulated, with the
// fee of the simulated terms: it is divided on the day on which it was entered, or, if it is
// not recorded, on the day after its period, which both may lie after the days simulated.
//
// Shares of campaigns are those that were paid, before and after: what other terms would have changed in the weights of
// a campaign's eligible tokens is not simulated, since its pool costs the same.
//
// Everything is read in one snapshot; nothing is written. It takes one reading of the
// changes since From, two where income is divided, and one more where limits are those of
// owners. Memory: a page of holding.Periods, and 40 bytes for each position that earns.
//
// Errors: ledger.ErrInvalid for days that cannot be simulated and for terms and incomes that
// are not well formed, ledger.ErrConflict for an income that is recorded with different
// content, ledger.ErrNotFound for a token that the books do not keep, and those of Change.
func Run(ctx context.Context, books store.Reader, o Options) (r Result, err error) {
	if o.Change == nil {
		o.Change = func(_ ledger.Asset, _ staking.Day, t staking.Terms) (staking.Terms, error) { return t, nil }
	}
	if err := checkTokens(ctx, books, o.Tokens); err != nil {
		return Result{}, err
	}
	err = books.Read(ctx, func(t db.View) error {
		s := &simulation{Options: o, t: t, index: map[string]int{}}
		if err := s.prepare(books); err != nil {
			return err
		}
		if err := s.measure(); err != nil {
			return err
		}
		r, err = s.result()
		return err
	})
	if err != nil {
		return Result{}, fmt.Errorf("simulate: %w", err)
	}
	return r, nil
}

// simulation is a run over the days in one snapshot.
type simulation struct {
	Options
	t        db.View
	assets   []ledger.Asset
	index    map[string]int // of each of the assets
	incomes  []income
	recorded *plan
	other    *plan // the terms that are simulated
	owners   owners
	periods  *holding.Periods
	tallies  []*tally // of each of the assets

	passes, done int // readings of all buckets, and buckets that are read
}

// days is how many days are simulated.
func (s *simulation) days() int { return int(s.Through-s.From) + 1 }

// prepare reads all but the holdings.
func (s *simulation) prepare(books store.Reader) error {
	if err := s.readAssets(); err != nil {
		return err
	}
	if err := s.checkDays(books); err != nil {
		return err
	}
	s.recorded, s.other = newPlan(s), newPlan(s)
	for d := s.From; d <= s.Through; d++ {
		all, err := store.TermsAt(s.t, d)
		if err != nil {
			return err
		}
		for i, asset := range s.assets {
			terms, known := all[asset.Symbol]
			if !known {
				terms = staking.Terms{Asset: asset.Symbol, From: d, Cap: asset.MaxSupply}
			}
			changed, err := s.Change(asset, d, terms)
			if err == nil && changed != terms { // what the books hold is counted as it stands
				err = changed.Check(asset)
			}
			if err != nil {
				return err
			}
			s.recorded.terms[i], s.other.terms[i] = append(s.recorded.terms[i], terms), append(s.other.terms[i], changed)
		}
	}
	if err := s.readIncomes(); err != nil {
		return err
	}
	for _, p := range s.plans() {
		if err := p.divide(s.incomes, p == s.other); err != nil {
			return err
		}
	}
	wanted := func(asset string) bool { _, is := s.index[asset]; return is }
	var err error
	s.periods, err = holding.PeriodsOf(s.t, s.From, s.Through, wanted)
	return err
}

func (s *simulation) plans() []*plan { return []*plan{s.recorded, s.other} }

func (s *simulation) readAssets() error {
	all, err := db.All(s.t, func(r db.Row) (ledger.Asset, error) {
		return ledger.Asset{Symbol: r.Text(0), Scale: int(r.Int(1)), MaxSupply: ledger.Amount(r.Int(2))}, nil
	}, "SELECT symbol, scale, max_supply FROM assets ORDER BY symbol")
	if err != nil {
		return fmt.Errorf("read the assets: %w", err)
	}
	for _, asset := range all {
		if len(s.Tokens) == 0 || slices.Contains(s.Tokens, asset.Symbol) {
			s.index[asset.Symbol] = len(s.assets)
			s.assets = append(s.assets, asset)
			s.tallies = append(s.tallies, &tally{})
		}
	}
	return nil
}

func checkTokens(ctx context.Context, books store.Reader, tokens []string) error {
	for _, symbol := range tokens {
		if _, err := books.Asset(ctx, symbol); err != nil {
			return err
		}
	}
	return nil
}

// checkDays refuses days that are not in the books or not paid.
func (s *simulation) checkDays(books store.Reader) error {
	switch n := int64(s.Through) - int64(s.From) + 1; {
	case n < 1:
		return ledger.ErrInvalid.In("from", "%s is after %s", s.From, s.Through)
	case n > MaxDays:
		return ledger.ErrInvalid.In("from", "from %s to %s are %d days; at most %d are simulated at once", s.From, s.Through,
			n, MaxDays)
	case s.From < books.FirstDay():
		return ledger.ErrInvalid.In("from", "the first day of the books is %s; %s lies before it", books.FirstDay(),
			s.From)
	}
	return s.t.Query(func(r db.Row) error {
		paid := staking.Day(r.Int(1))
		if _, wanted := s.index[r.Text(0)]; wanted && paid < s.Through {
			return ledger.ErrInvalid.In("through", "%s of %s is not paid yet; the last day that is paid is %s", s.Through,
				r.Text(0), paid).Because(ReasonUnpaid)
		}
		return nil
	}, "SELECT asset, min(paid_through) FROM progress GROUP BY asset ORDER BY min(paid_through), asset")
}

// LastPaid is the last day through which some tokens, or all where none is named, are paid in all buckets; the day
// before the first of the books if there is none. ledger.ErrNotFound for a token that the books do not keep.
func LastPaid(ctx context.Context, books store.Reader, tokens []string) (last staking.Day, err error) {
	if err := checkTokens(ctx, books, tokens); err != nil {
		return 0, err
	}
	err = books.Read(ctx, func(t db.View) error {
		first := true
		return t.Query(func(r db.Row) error {
			if len(tokens) == 0 || slices.Contains(tokens, r.Text(0)) {
				if paid := staking.Day(r.Int(1)); first || paid < last {
					last, first = paid, false
				}
			}
			return nil
		}, "SELECT asset, min(paid_through) FROM progress GROUP BY asset")
	})
	if err != nil {
		return 0, fmt.Errorf("read which days are paid: %w", err)
	}
	return last, nil
}

// measure reads the holdings: for the sums of owners, for everybody's weight, and for what each earns.
func (s *simulation) measure() error {
	weighed := s.recorded.divides() || s.other.divides()
	if err := s.readOwners(); err != nil {
		return err
	}
	s.passes = 1
	if weighed {
		s.passes++
	}
	if s.owners.shared != nil {
		s.passes++
		if err := s.walk(s.sumOwner); err != nil {
			return err
		}
	}
	if weighed {
		if err := s.walk(s.weigh); err != nil {
			return err
		}
		for _, p := range s.plans() {
			if err := p.link(s.t); err != nil {
				return err
			}
		}
	}
	return s.walk(s.compare)
}

// walk gives visit every position, bucket by bucket, with its token's index.
func (s *simulation) walk(visit func(p *holding.Period, token int) error) error {
	for b := range ledger.Buckets {
		if err := s.owners.enter(s.t, b); err != nil {
			return err
		}
		err := s.periods.Measure(b, func(page []holding.Period) error {
			for i := range page {
				if err := visit(&page[i], s.index[page[i].Asset]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if s.done++; s.Progress != nil {
			s.Progress(s.done, s.passes*ledger.Buckets)
		}
	}
	return nil
}

// weigh adds what a position weighs on each day.
func (s *simulation) weigh(p *holding.Period, token int) error {
	for _, plan := range s.plans() {
		if err := plan.weigh(p, token); err != nil {
			return err
		}
	}
	return nil
}
