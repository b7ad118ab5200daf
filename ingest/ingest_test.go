package ingest

import (
	"testing"
	"time"
)

// TestSpread: a wait is spread over its second half.
func TestSpread(t *testing.T) {
	for _, wait := range []time.Duration{1, 2, time.Second, longestWait} {
		var longest, shortest Config
		longest.Random = func(int64) int64 { return 0 }
		shortest.Random = func(n int64) int64 { return n - 1 }
		if got := longest.spread(wait); got != wait {
			t.Errorf("%s: at most %s", wait, got)
		}
		if got := shortest.spread(wait); got != wait-wait/2 {
			t.Errorf("%s: at least %s", wait, got)
		}
	}
}
