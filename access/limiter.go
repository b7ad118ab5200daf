package access

import (
	"net/netip"
	"sync"
)

// Limiter limits the requests in flight: in total, and of each holder of slots, so that no
// holder can keep all others out. It is safe for concurrent use.
type Limiter[Holder comparable] struct {
	all, each int
	mu        sync.Mutex
	acquired  int
	of        map[Holder]int
}

// NewLimiter has all slots in total, and each for each holder.
func NewLimiter[Holder comparable](all, each int) *Limiter[Holder] {
	return &Limiter[Holder]{all: all, each: each, of: map[Holder]int{}}
}

// Acquire takes a slot, and reports whether there was one. It does not wait. The caller
// must Release each slot that it acquired.
func (l *Limiter[Holder]) Acquire(holder Holder) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acquired >= l.all || l.of[holder] >= l.each {
		return false
	}
	l.acquired++
	l.of[holder]++
	return true
}

// Release gives a slot back.
func (l *Limiter[Holder]) Release(holder Holder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acquired--
	if l.of[holder]--; l.of[holder] == 0 {
		delete(l.of, holder)
	}
}

// Acquired is how many slots are in use.
func (l *Limiter[Holder]) Acquired() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acquired
}

// Network is the range of addresses that limits count as one client: an IPv4 address (also
// one mapped into IPv6), or an IPv6 /64, since one customer has all addresses of it. The
// network of an invalid address is the zero Prefix.
func Network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	network, err := a.Prefix(min(a.BitLen(), 64))
	if err != nil {
		return netip.Prefix{}
	}
	return network
}
