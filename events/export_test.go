package events

import "time"

// Limit sets how many events wait for a subscriber at most.
func (h *Hub) Limit(n int) { h.limit = n }

// ReadCursor reads the cursor in an event's ID, and writes it out again.
func ReadCursor(id string) (written string, moment time.Time, ok bool) {
	p, ok := parseCursor(id)
	return p.String(), p.At, ok
}
