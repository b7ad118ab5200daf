package bench

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// driven is what was measured of many calls.
type driven struct {
	time time.Duration // of all
	p50  time.Duration // within which half of the calls were answered
	p99  time.Duration // within which 99 of 100 were
}

// drive makes n steps from some callers at once, so many steps a call, and measures the calls.
func (b *books) drive(ctx context.Context, callers, n, step int, what string, call func(ctx context.Context, from, to int) error) (driven, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var (
		next  atomic.Int64
		work  sync.WaitGroup
		times = make([][]time.Duration, callers)
	)
	began := time.Now()
	for c := range callers {
		work.Go(func() {
			for ctx.Err() == nil {
				from := int(next.Add(int64(step))) - step
				if from >= n {
					return
				}
				asked := time.Now()
				if err := call(ctx, from, min(from+step, n)); err != nil {
					stop(err)
					return
				}
				times[c] = append(times[c], time.Since(asked))
				if from%(20*chunk) == 0 {
					b.progress(what, from, n)
				}
			}
		})
	}
	work.Wait()
	all := slices.Concat(times...)
	d := driven{time: time.Since(began)}
	if len(all) > 0 {
		slices.Sort(all)
		d.p50, d.p99 = all[(len(all)+1)/2-1], all[(len(all)*99+99)/100-1]
	}
	return d, context.Cause(ctx)
}
