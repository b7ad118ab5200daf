package access

import "sync"

// Places are how many may be at something at once: at most so many in all, and so
// many of one of them, so that no single one keeps all others out. They may be used
// from several goroutines at once.
type Places[Who comparable] struct {
	all, each int
	mu        sync.Mutex
	taken     int
	of        map[Who]int
}

// NewPlaces are so many places in all, and for each.
func NewPlaces[Who comparable](all, each int) *Places[Who] {
	return &Places[Who]{all: all, each: each, of: map[Who]int{}}
}

// Take takes a place, or says that there is none. One that was taken is given back.
func (p *Places[Who]) Take(who Who) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= p.all || p.of[who] >= p.each {
		return false
	}
	p.taken++
	p.of[who]++
	return true
}

// Give gives a place back.
func (p *Places[Who]) Give(who Who) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.of[who]--; p.of[who] == 0 {
		delete(p.of, who)
	}
}

// Taken is how many are taken.
func (p *Places[Who]) Taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}
