package api

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limits hold each credential to a rate of requests.
type limits struct {
	every time.Duration // one request's share of the time; 0: no limit
	burst int

	mu  sync.Mutex
	all map[string]*rate.Limiter // by token ID
}

const (
	// mostLimits is how many credentials are remembered.
	mostLimits = 10_000
	// burstShare is the part of a minute's requests that may come in a burst.
	burstShare = 10
)

// newLimits allows each credential so many requests a minute; 0 is without limit.
func newLimits(perMinute int) *limits {
	l := &limits{all: map[string]*rate.Limiter{}}
	if perMinute > 0 {
		l.every, l.burst = time.Minute/time.Duration(perMinute), max(1, perMinute/burstShare)
	}
	return l
}

// tooMany is the error of a credential that is over its rate limit, with when it may try again.
type tooMany struct {
	wait time.Duration
	who  string // and what it has done; "": its requests are too many
}

func (t *tooMany) Error() string {
	return fmt.Sprintf("%s; make the same request again in %d s",
		cmp.Or(t.who, "this credential has made more requests than it may"), whole(t.wait))
}

// whole is a time in whole seconds, rounded up, at least one.
func whole(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

// quota is how many requests a credential may make.
type quota struct {
	limit     int           // at once; 0: as many as it makes
	remaining int           // of them, still at this moment
	reset     time.Duration // until they are all there again
}

// set puts the quota into the headers of an answer: those of the IETF's first drafts
// of RateLimit fields, three whole numbers, which clients and proxies know. The newer
// drafts put the same into structured fields, whose form still changes, and which no
// description of an API can take apart.
func (q quota) set(h http.Header) {
	if q.limit == 0 {
		return
	}
	h.Set("RateLimit-Limit", strconv.Itoa(q.limit))
	h.Set("RateLimit-Remaining", strconv.Itoa(q.remaining))
	h.Set("RateLimit-Reset", strconv.Itoa(whole(q.reset)))
}

// take counts a request of a credential, and returns what is left: *tooMany if it is
// one too many, which is not counted.
func (l *limits) take(id string, now time.Time) (quota, error) {
	if l.every == 0 {
		return quota{}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.limiter(id, now)
	r := limiter.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	q := quota{limit: l.burst, remaining: max(0, int(limiter.TokensAt(now)))}
	q.reset = time.Duration(l.burst-q.remaining) * l.every
	if wait > 0 {
		return q, &tooMany{wait: wait}
	}
	return q, nil
}

// limiter is that of a credential; the caller has the lock.
func (l *limits) limiter(id string, now time.Time) *rate.Limiter {
	if l.all[id] == nil {
		l.forget(now)
		l.all[id] = rate.NewLimiter(rate.Every(l.every), l.burst)
	}
	return l.all[id]
}

// count counts a request that is made already; where it is one too many, it is not counted.
func (l *limits) count(id string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limiter(id, now).AllowN(now, 1)
}

// wait is for how long no request of a credential would be counted; 0: one would be now.
func (l *limits) wait(id string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.all[id]
	if limiter == nil {
		return 0
	}
	r := limiter.ReserveN(now, 1)
	defer r.CancelAt(now)
	return r.DelayFrom(now)
}

// forget makes room for one more: those who have not asked for a while have their
// whole burst again, and are as if they had never asked. Where all are busy, one of
// them begins again.
func (l *limits) forget(now time.Time) {
	if len(l.all) < mostLimits {
		return
	}
	for id, limiter := range l.all {
		if int(limiter.TokensAt(now)) >= l.burst {
			delete(l.all, id)
		}
	}
	for id := range l.all {
		if len(l.all) < mostLimits {
			return
		}
		delete(l.all, id)
	}
}
