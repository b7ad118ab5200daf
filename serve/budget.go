package serve

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
)

// budget limits what request bodies take while they are read, and answers while they are
// sent: in total, and of one network. Where it is used up, the body that has been read
// for longest is evicted, or the answer: a slow client loses its own request, and keeps
// nobody out. It is safe for concurrent use.
type budget struct {
	all, each int64

	mu   sync.Mutex
	used int64
	of   map[netip.Prefix]int64
	held []*share // oldest first
}

// share is what one body takes of a budget.
type share struct {
	network netip.Prefix
	size    int64
	expire  func() // ends the reading
	reading bool   // it may be evicted
	evicted bool
}

// errEvicted says that a body was evicted. To its client it did not come in time.
var errEvicted = fmt.Errorf("the body gave way to others: %w", os.ErrDeadlineExceeded)

func newBudget(all, each int64) *budget {
	return &budget{all: all, each: each, of: map[netip.Prefix]int64{}}
}

// acquire is a share for a body that is to be read, or nil: nothing can be evicted for
// it. expire ends the reading; it must be quick, and must not call the budget. The
// caller releases the share.
func (b *budget) acquire(network netip.Prefix, size int64, expire func()) *share {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		own, total := b.of[network]+size > b.each, b.used+size > b.all
		if !own && !total {
			break
		}
		oldest := slices.IndexFunc(b.held, func(s *share) bool { return s.reading && (!own || s.network == network) })
		if oldest < 0 {
			return nil
		}
		s := b.held[oldest]
		s.evicted = true
		b.remove(s)
		s.expire()
	}
	s := &share{network: network, size: size, expire: expire, reading: true}
	b.used += size
	b.of[network] += size
	b.held = append(b.held, s)
	return s
}

// extend sets another deadline for a body, unless it was evicted, which has set its own.
func (b *budget) extend(s *share, deadline func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.evicted {
		return errEvicted
	}
	return deadline()
}

// keep ends the reading of a body, which is not evicted any more: errEvicted if it was.
func (b *budget) keep(s *share) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.evicted {
		return errEvicted
	}
	s.reading = false
	return nil
}

// release gives a share back.
func (b *budget) release(s *share) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !s.evicted {
		b.remove(s)
	}
}

// remove takes a share off the books. The caller has the lock.
func (b *budget) remove(s *share) {
	i := slices.Index(b.held, s)
	b.held = slices.Delete(b.held, i, i+1)
	b.used -= s.size
	if b.of[s.network] -= s.size; b.of[s.network] == 0 {
		delete(b.of, s.network)
	}
}

// taken is how much of the budget is in use.
func (b *budget) taken() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}
