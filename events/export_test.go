package events

// Limit sets how many events wait for a subscriber at most.
func (h *Hub) Limit(n int) { h.limit = n }

// ReadID reads up to which outbox event everything was sent to one who has seen an event's ID.
func ReadID(id string) (after int64, ok bool) { return parseID(id) }
