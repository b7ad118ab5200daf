package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/softstake/softstake/access"
)

// unknownTokens hold each network to a rate of requests with tokens that are not known. Above it a request is refused
// before the books are read, unless its token is one that can be used, as far as is known here: so a back end is not
// locked out by another client of its network, or by all clients of a proxy that does not say who they are. What is
// known here lets a request through to the books, which decide. It is safe for concurrent use.
type unknownTokens struct {
	limits *limits // by network
	usable func(ctx context.Context, n int) ([][sha256.Size]byte, error)

	mu     sync.Mutex
	valid  map[[sha256.Size]byte]bool // hashes of tokens: those of usable, and those that were valid in a request
	looked time.Time                  // when usable was asked
}

const (
	unknownAtOnce = 30          // requests with unknown tokens that a network may make at once
	unknownEvery  = time.Second // after which it may make another
	mostValid     = 10_000      // tokens that are remembered
	usableEvery   = 10 * time.Second
)

// newUnknownTokens asks usable for the hashes of tokens that can be used, at most n, and only while a network is above
// the rate.
func newUnknownTokens(usable func(ctx context.Context, n int) ([][sha256.Size]byte, error)) *unknownTokens {
	return &unknownTokens{
		limits: &limits{every: unknownEvery, burst: unknownAtOnce, all: map[string]*rate.Limiter{}},
		usable: usable, valid: map[[sha256.Size]byte]bool{},
	}
}

// check is *tooMany where the network has sent too many unknown tokens, and this one is none that can be used.
func (u *unknownTokens) check(ctx context.Context, from netip.Prefix, token string, now time.Time) error {
	wait := u.limits.wait(from.String(), now)
	if wait == 0 {
		return nil
	}
	hash := sha256.Sum256([]byte(token))
	known, look := u.knows(hash, now)
	if look {
		usable, err := u.usable(ctx, mostValid)
		if err != nil {
			return err
		}
		u.remember(usable...)
		known, _ = u.knows(hash, now)
	}
	if known {
		return nil
	}
	return &tooMany{wait, "too many requests with unknown tokens have come from this address"}
}

// knows reports whether a token is known to be usable, and whether the books are to be asked, which it does not say
// again for usableEvery.
func (u *unknownTokens) knows(hash [sha256.Size]byte, now time.Time) (known, look bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	known = u.valid[hash]
	if look = !known && now.Sub(u.looked) >= usableEvery; look {
		u.looked = now
	}
	return known, look
}

// record counts a request with an unknown token, and remembers a valid one; err is what the books say of it.
func (u *unknownTokens) record(from netip.Prefix, token string, now time.Time, err error) {
	hash := sha256.Sum256([]byte(token))
	switch {
	case err == nil:
		u.remember(hash)
	case errors.Is(err, access.ErrUnknown):
		u.mu.Lock()
		delete(u.valid, hash) // one that was revoked or has expired
		u.mu.Unlock()
		u.limits.count(from.String(), now)
	}
}

// remember keeps that tokens are valid. Where there is no room, others are forgotten.
func (u *unknownTokens) remember(hashes ...[sha256.Size]byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, hash := range hashes {
		if u.valid[hash] {
			continue
		}
		for other := range u.valid {
			if len(u.valid) < mostValid {
				break
			}
			delete(u.valid, other)
		}
		u.valid[hash] = true
	}
}
