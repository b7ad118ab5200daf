package api

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// unknownTokens hold each network to a rate of requests with tokens that are not known. Above it a request is refused
// before the books are read, unless its token was valid in this process before: so a back end is not locked out by
// another client of its network. It is safe for concurrent use.
type unknownTokens struct {
	limits *limits // by network

	mu    sync.Mutex
	valid map[[sha256.Size]byte]bool // digests of tokens
}

// How many requests with unknown tokens a network may make: so many at once, and then one a second.
const (
	unknownAtOnce = 30
	unknownEvery  = time.Second
	mostValid     = 10_000 // tokens that are remembered
)

func newUnknownTokens() *unknownTokens {
	return &unknownTokens{
		limits: &limits{every: unknownEvery, burst: unknownAtOnce, all: map[string]*rate.Limiter{}},
		valid:  map[[sha256.Size]byte]bool{},
	}
}

// check is *tooMany where the network has sent too many unknown tokens, and this one was never valid.
func (u *unknownTokens) check(from netip.Prefix, token string, now time.Time) error {
	wait := u.limits.wait(from.String(), now)
	if wait == 0 {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.valid[sha256.Sum256([]byte(token))] {
		return nil
	}
	return &tooMany{wait, "too many requests with unknown tokens have come from this address"}
}

// add counts a token that is not known.
func (u *unknownTokens) add(from netip.Prefix, token string, now time.Time) {
	u.mu.Lock()
	delete(u.valid, sha256.Sum256([]byte(token))) // one that was revoked or has expired
	u.mu.Unlock()
	u.limits.count(from.String(), now)
}

// remember keeps that a token is valid. Where there is no room, another is forgotten.
func (u *unknownTokens) remember(token string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	digest := sha256.Sum256([]byte(token))
	if u.valid[digest] {
		return
	}
	for other := range u.valid {
		if len(u.valid) < mostValid {
			break
		}
		delete(u.valid, other)
	}
	u.valid[digest] = true
}
