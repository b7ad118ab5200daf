// Package bench measures how fast the books settle and post, beside the raw rate of the same database in the same run.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Options are what to measure on, and where to report progress.
type Options struct {
	URL      string                          // of empty books; "": a temporary SQLite file
	Day      staking.Day                     // the last day of the books
	Seed     uint64                          // of what is random
	Workers  int                             // batches of buckets at once
	Mode     staking.Mode                    // of the tokens
	Measure  staking.Measure                 // of them
	Periods  int                             // in the mode share: of a day each, divided on the day that is measured
	Shared   int                             // percent of the holders of which two have one owner; 0: none
	Insecure bool                            // see store.Options
	Progress func(what string, done, of int) // may be nil
}

func (o Options) progress(what string, done, of int) {
	if o.Progress != nil {
		o.Progress(what, done, of)
	}
}

// tokens are what each holder has, and how much of each, in smallest units.
var tokens = []string{"BNB", "SOL"}

const (
	each  ledger.Amount = 20_00000000 // of each token
	chunk int           = 2000        // entries a batch while the books are filled
)

// books are books being filled, and the clock they run on.
type books struct {
	*store.DB
	Options
	clock   atomic.Int64 // nanoseconds since 1970
	remove  func() error
	holders int
	buckets []uint8 // of each holder
}

// create makes empty books that begin on a day.
func create(ctx context.Context, o Options, holders int, from staking.Day) (_ *books, err error) {
	b := &books{Options: o, holders: holders, remove: func() error { return nil }}
	if b.URL == "" {
		dir, err := os.MkdirTemp("", "softstake-bench-")
		if err != nil {
			return nil, err
		}
		b.URL = "sqlite:" + filepath.Join(dir, "bench.db")
		b.remove = func() error { return os.RemoveAll(dir) }
	}
	shipped, err := staking.ShippedTokens(from)
	if err != nil {
		return nil, err
	}
	for i := range shipped {
		shipped[i].Terms.Measure = o.Measure
		if terms := &shipped[i].Terms; o.Mode == staking.Share {
			terms.Mode, terms.APR, terms.Fee = o.Mode, 0, 3*staking.Whole/10
		}
		shipped[i].Terms.PerOwner = o.Shared > 0
	}
	b.set(from.Start())
	b.DB, err = store.Create(ctx, b.URL, store.Options{Clock: b.now, Actor: access.Process("bench"), Insecure: o.Insecure},
		store.Setup{
			From: from, Tokens: shipped, Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments(),
			Limits:     staking.NoLimit,
			CloseAfter: closeAfter,
		})
	if err != nil {
		return nil, errors.Join(err, b.remove())
	}
	b.buckets = make([]uint8, holders)
	for i := range b.buckets {
		b.buckets[i] = uint8(id(i).Bucket())
	}
	return b, nil
}

func (b *books) now() time.Time  { return time.Unix(0, b.clock.Load()).UTC() }
func (b *books) set(t time.Time) { b.clock.Store(t.UnixNano()) }
func id(i int) ledger.Account    { return ledger.Account(fmt.Sprintf("holder-%08d", i)) }

// owner is whose a holder's account is: of some holders, two have one.
func (b *books) owner(holder int) string {
	if holder%100 >= b.Shared {
		return ""
	}
	return fmt.Sprintf("owner-%d", holder/2)
}

// on measures on books with holders, who have earned from a day on, and takes the books away.
func on(ctx context.Context, o Options, holders int, from staking.Day, measure func(*books) error) error {
	b, err := create(ctx, o, holders, from)
	if err != nil {
		return err
	}
	if err = b.fill(ctx, from); err != nil {
		err = fmt.Errorf("fill the books: %w", err)
	} else {
		err = measure(b)
	}
	return errors.Join(err, b.DB.Close(), b.remove())
}

// inBucket gives visit the holders of a bucket, some at a time, in order.
func (b *books) inBucket(bucket int, visit func([]int) error) error {
	var some []int
	for i, lies := range b.buckets {
		if int(lies) != bucket {
			continue
		}
		if some = append(some, i); len(some) == chunk/len(tokens) {
			if err := visit(some); err != nil {
				return err
			}
			some = some[:0]
		}
	}
	if len(some) == 0 {
		return nil
	}
	return visit(some)
}

// fill opens the accounts with what they hold, enrolls them from a day on, and
// funds the pool.
func (b *books) fill(ctx context.Context, from staking.Day) error {
	for bucket := range ledger.Buckets {
		err := b.inBucket(bucket, func(holders []int) error { return b.open(ctx, holders, from) })
		if err != nil {
			return err
		}
		b.progress("fill", bucket+1, ledger.Buckets)
	}
	for _, token := range tokens {
		if _, err := b.Fund(ctx, "bench-"+token, token, 1_000_000_00000000, false); err != nil {
			return err
		}
	}
	return nil
}

func (b *books) open(ctx context.Context, holders []int, from staking.Day) error {
	accounts := make([]store.Account, len(holders))
	ids := make([]ledger.Account, len(holders))
	var openings []imports.Opening
	for i, h := range holders {
		ids[i] = id(h)
		accounts[i] = store.Account{ID: ids[i], Region: "DE", Opened: b.now(), Owner: b.owner(h)}
		for _, token := range tokens {
			openings = append(openings, imports.Opening{Account: ids[i], Asset: token, Amount: each})
		}
	}
	if err := b.OpenAccounts(ctx, accounts); err != nil {
		return err
	}
	if err := b.EnrollAll(ctx, ids, from); err != nil {
		return err
	}
	return accepted(b.PostOpenings(ctx, openings))
}

// accepted says what was refused of entries that all should be posted.
func accepted(outcomes []store.Outcome, err error) error {
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		if o.Err != nil {
			return o.Err
		}
	}
	return nil
}

// driven is what was measured of many calls.
type driven struct {
	time time.Duration // of all
	p50  time.Duration // within which half of the calls were answered
	p99  time.Duration // within which 99 of 100 were
}

// drive makes n steps from concurrent callers, step of them a call, and measures the calls.
func (b *books) drive(ctx context.Context, callers, n, step int, what string,
	call func(ctx context.Context, from, to int) error) (driven, error) {
	work, within := errgroup.WithContext(ctx)
	var next atomic.Int64
	times := make([][]time.Duration, callers)
	began := time.Now()
	for c := range callers {
		work.Go(func() error {
			for within.Err() == nil {
				from := int(next.Add(int64(step))) - step
				if from >= n {
					break
				}
				asked := time.Now()
				if err := call(within, from, min(from+step, n)); err != nil {
					return err
				}
				times[c] = append(times[c], time.Since(asked))
				if from%(20*chunk) == 0 {
					b.progress(what, from, n)
				}
			}
			return nil
		})
	}
	err := work.Wait()
	all := slices.Concat(times...)
	d := driven{time: time.Since(began)}
	d.p50, d.p99 = percentiles(all)
	return d, cmp.Or(context.Cause(ctx), err)
}

// percentiles are the times within which half of some are, and 99 of 100; 0 where there are none. It sorts them.
func percentiles(all []time.Duration) (p50, p99 time.Duration) {
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	return all[(len(all)+1)/2-1], all[(len(all)*99+99)/100-1]
}
