// Package backoff is how long to wait before what has failed, such as a broker or a database, is retried: each time
// twice as long, and not at the same moment as others. It knows nothing of what is retried.
package backoff

import (
	"context"
	"time"
)

// Longest is how long to wait at most.
const Longest = 30 * time.Second

// Next is the wait after one that did not help.
func Next(wait time.Duration) time.Duration { return min(2*wait, Longest) }

// Jitter is a random time between half of a wait and the wait. random returns a number from 0 to n-1, for n above zero.
func Jitter(wait time.Duration, random func(n int64) int64) time.Duration {
	return wait - time.Duration(random(int64(wait/2)+1))
}

// Pause waits, and reports whether the context goes on.
func Pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
