package db

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"
)

// A moment is kept as milliseconds since 1970, in UTC; where there may be none, that is 0.

// TimeOf is the moment of a number of milliseconds.
func TimeOf(millis int64) time.Time { return time.UnixMilli(millis).UTC() }

// TimeOrZero is TimeOf, and the zero time for 0.
func TimeOrZero(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return TimeOf(millis)
}

// MillisOf is the opposite of TimeOrZero.
func MillisOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Stamps makes keys of rows that are in order of time. In one process a later key is
// greater, also where the clock stands or is put back a little: what two transactions
// write of one row, whose lock each has in its turn, is in order. The zero Stamps is
// ready, and may be used from several goroutines at the same time.
type Stamps struct {
	mu      sync.Mutex
	process string // random, so that two processes never make the same key
	last    int64
	given   uint64
}

// stampsReach is how far the clock may be put back without being followed.
const stampsReach = 30_000 // ms

// Next is a key: the moment, not before that of any other key, and what distinguishes it from
// others of that moment.
func (s *Stamps) Next(now int64) (at int64, nonce string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == "" {
		s.process = rand.Text()
	}
	if s.last-now > stampsReach {
		s.last = now // put back for good
	}
	s.last = max(s.last, now)
	s.given++
	return s.last, fmt.Sprintf("%012x%s", s.given, s.process)
}
