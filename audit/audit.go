// Package audit re-derives every reward from the journal with arithmetic of its own. It knows nothing of SQL.
package audit

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Options are the settings of an audit.
type Options struct {
	Day      *staking.Day       // only this day's rewards; nil: everything
	Workers  int                // how many buckets are read at once, at least 1
	Progress func(done, of int) // called after each part, from several goroutines; may be nil
}

// Report is what an audit has checked and found.
type Report struct {
	Through   staking.Day // the last closed day: sums over all accounts are as of its end
	Accounts  int64
	Positions int64 // balances
	Postings  int64
	Accruals  int64
	Tokens    []TokenSum // by symbol; empty for one day's audit
	Findings  []Finding  // the first of them, by day, account and token
	Total     int64      // of all findings
}

// TokenSum is the sums of a token over all holders and over all house accounts at the end
// of the last closed day, in smallest units. Their sum is zero.
type TokenSum struct {
	Asset   ledger.Asset
	Holders *big.Int // free and held
	House   *big.Int // @custody, @desk, @rewards and @payable
}

// Run audits the books. Its error is the database's; findings are in the report. Memory
// does not grow with the number of holders. It changes nothing, and may run beside postings.
func Run(ctx context.Context, b Books, o Options) (Report, error) {
	outline, err := b.Outline(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("audit: %w", err)
	}
	if o.Day != nil && (*o.Day < outline.First || *o.Day > outline.Closed) {
		return Report{}, ledger.ErrInvalid.In("day",
			"%s is not a closed day of these books; they begin on %s and the last closed day is %s",
			*o.Day, outline.First, outline.Closed)
	}
	a := &audit{
		books: b, outline: outline, only: o.Day, seed: maphash.MakeSeed(), sums: map[string]*TokenSum{},
		batches: map[Key]*declared{}, shares: tally[period]{}, gained: tally[Key]{}, owned: map[ownedKey]*owned{},
		derivation: derive(&outline.Sharing),
		weights:    tally[weightKey]{}, budgets: tally[budgetKey]{}, places: map[string]*places{},
		weighedThrough: map[string]staking.Day{},
	}
	for _, x := range outline.Campaigns.Weighed {
		a.weighedThrough[x.Campaign] = max(a.weighedThrough[x.Campaign], x.Day)
	}
	a.compareDistributions()
	a.compareBudgets()
	for _, d := range outline.Declared {
		a.batches[d.Key] = &declared{declaration: d}
	}
	if err := a.readBuckets(ctx, o); err != nil {
		return Report{}, fmt.Errorf("audit: %w", err)
	}
	a.compareDeclared()
	a.comparePaid()
	a.compareOwned()
	a.compareWeighed()
	a.comparePlaces(outline.Campaigns.Campaigns)
	if outline.Intended < outline.Closed || outline.Intents != int64(outline.Intended-outline.First)+1 {
		a.find(Finding{
			What: fmt.Sprintf("the closing of %d days is written down, the last %s; closed are all from %s to %s",
				outline.Intents, outline.Intended, outline.First, outline.Closed),
		})
	}
	if o.Day == nil {
		err := a.explainMoves(ctx)
		if err == nil {
			err = b.Forged(ctx, func(what string) { a.find(Finding{What: what}) })
		}
		if err != nil {
			return Report{}, fmt.Errorf("audit: %w", err)
		}
		a.compareSums()
		a.compareCarried()
		a.compareOwed()
		if err := b.Contradictions(ctx, a.find); err != nil {
			return Report{}, fmt.Errorf("audit: %w", err)
		}
	}
	a.report.Through = outline.Closed
	a.report.Findings, a.report.Total = a.found.first, a.found.total
	return a.report, nil
}

// audit is one run. The fields under the mutex are merged from the buckets, each as a whole
// after its snapshot was read.
type audit struct {
	books   Books
	outline Outline
	only    *staking.Day
	seed    maphash.Seed
	// The last day that was weighed in each campaign when the audit began.
	weighedThrough map[string]staking.Day

	mu      sync.Mutex
	report  Report
	found   findings
	sums    map[string]*TokenSum
	batches map[Key]*declared
	shares  tally[period] // of the distributions, over all buckets
	gained  tally[Key]    // by house accounts, over all buckets
	owned   map[ownedKey]*owned
	weights tally[weightKey]
	budgets tally[budgetKey]
	places  map[string]*places // by campaign
	slots   slots

	overdrawn []Overdraft

	derivation *derivation // of the latest snapshot
}

// readBuckets reads the buckets, several at the same time, and stops at the first error.
func (a *audit) readBuckets(ctx context.Context, o Options) error {
	work, within := errgroup.WithContext(ctx)
	var next, done atomic.Int64
	for range max(o.Workers, 1) {
		work.Go(func() error {
			w := newWorker(a)
			for b := next.Add(1) - 1; b < ledger.Buckets && within.Err() == nil; b = next.Add(1) - 1 {
				err := a.books.ReadBucket(within, int(b), func(books Bucket) error {
					w.begin(int(b))
					return w.bucket(books)
				})
				if err != nil {
					return fmt.Errorf("bucket %d: %w", b, err)
				}
				a.merge(w)
				if n := done.Add(1); o.Progress != nil {
					o.Progress(int(n), ledger.Buckets)
				}
			}
			return nil
		})
	}
	if work.Wait() != nil {
		return context.Cause(within) // the first error, or the caller's reason to stop if that came before
	}
	return context.Cause(ctx)
}

// merge adds what a worker has read of a bucket.
func (a *audit) merge(w *worker) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.found.merge(&w.found)
	a.report.Accounts += w.head.Accounts
	a.report.Positions += w.counts.Positions
	a.report.Postings += w.counts.Postings
	a.report.Accruals += w.counts.Accruals
	a.slots.add(&w.slots)
	a.mergeOwned(w)
	for symbol, t := range w.tokens {
		sum := a.sum(symbol, t.asset)
		sum.Holders.Add(sum.Holders, &t.holders)
		sum.House.Add(sum.House, &t.house)
	}
	for p, sum := range w.given {
		a.shares.add(p, sum)
	}
	for k, sum := range w.gained {
		a.gained.add(k, sum)
	}
	a.overdrawn = append(a.overdrawn, w.head.Overdrawn...)
	a.mergeCampaigns(w)
	for _, b := range w.head.Batches {
		if d := a.batches[b.Key]; d != nil {
			d.add(b)
		}
	}
	for k, t := range w.totals {
		if d := a.batches[k]; d != nil {
			d.carried.Add(&d.carried, &t.carried)
		}
	}
}

func (a *audit) sum(symbol string, asset ledger.Asset) *TokenSum {
	s := a.sums[symbol]
	if s == nil {
		s = &TokenSum{Asset: asset, Holders: new(big.Int), House: new(big.Int)}
		a.sums[symbol] = s
	}
	return s
}

// compareSums checks that each token sums to zero over all accounts. What was
// declared left @rewards at the end of its day.
func (a *audit) compareSums() {
	for _, d := range a.outline.Declared {
		if d.Day < a.outline.Closed {
			s := a.sum(d.Asset, ledger.Asset{Symbol: d.Asset})
			s.House.Sub(s.House, big.NewInt(int64(d.Total)))
		}
	}
	for _, s := range slices.SortedFunc(maps.Values(a.sums),
		func(x, y *TokenSum) int { return strings.Compare(x.Asset.Symbol, y.Asset.Symbol) }) {
		if new(big.Int).Add(s.Holders, s.House).Sign() != 0 {
			a.find(Finding{Asset: s.Asset.Symbol,
				What: fmt.Sprintf("at the end of %s holders have %s and house accounts %s, which is not zero together",
					a.outline.Closed, units(s.Asset, s.Holders), units(s.Asset, s.House))})
		}
		a.report.Tokens = append(a.report.Tokens, *s)
	}
}

// find adds a finding, unless only another day is audited.
func (a *audit) find(f Finding) {
	if a.only == nil || (f.HasDay && f.Day == *a.only) {
		a.found.add(f)
	}
}

// units writes a number of smallest units as the asset's decimal.
func units(asset ledger.Asset, n *big.Int) string {
	if !n.IsInt64() {
		return n.String() + " smallest units"
	}
	return asset.Format(ledger.Amount(n.Int64()))
}
