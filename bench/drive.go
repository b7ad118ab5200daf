package bench

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// driven is what was measured of many calls.
type driven struct {
	time time.Duration // of all
	p50  time.Duration // within which half of the calls were answered
	p99  time.Duration // within which 99 of 100 were
}

// drive makes n steps from some callers at once, so many steps a call, and measures the calls.
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
	if len(all) > 0 {
		slices.Sort(all)
		d.p50, d.p99 = all[(len(all)+1)/2-1], all[(len(all)*99+99)/100-1]
	}
	return d, cmp.Or(context.Cause(ctx), err)
}
