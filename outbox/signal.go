package outbox

import "sync"

// signal wakes those of this process who wait for something. The zero signal is ready.
type signal struct {
	mu      sync.Mutex
	waiting chan struct{} // nil: nobody waits
}

// next is a channel that is closed by the next send.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		s.waiting = make(chan struct{})
	}
	return s.waiting
}

// send wakes all who wait.
func (s *signal) send() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting != nil {
		close(s.waiting)
		s.waiting = nil
	}
}
