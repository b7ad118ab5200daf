package backoff

import (
	"testing"
	"time"
)

// TestJitter: a wait is spread over its second half.
func TestJitter(t *testing.T) {
	for _, wait := range []time.Duration{1, 2, time.Second, Longest} {
		if got := Jitter(wait, func(int64) int64 { return 0 }); got != wait {
			t.Errorf("%s: at most %s", wait, got)
		}
		if got := Jitter(wait, func(n int64) int64 { return n - 1 }); got != wait-wait/2 {
			t.Errorf("%s: at least %s", wait, got)
		}
	}
}
