package join

import "context"

// Record is a record of a partition: the text of an event.
type Record struct {
	Position int64 // from 1
	Text     []byte
}

// Source is where events come from. Its own guarantees are not relied on: the books keep which position they have, in
// the transaction of the entries, and refuse a gap.
type Source interface {
	// Partitions are those that there are now, sorted.
	Partitions(ctx context.Context) ([]string, error)
	// Open reads a partition from the record of a position on, at least 1: that of the last event in the books, so that
	// these can see that it is still the same, or 1.
	Open(ctx context.Context, partition string, position int64) (Reader, error)
}

// Reader reads the records of a partition. It is used by one goroutine.
type Reader interface {
	// Next returns the next records that are there, at most this many, in order; none if there are no more now. What
	// was read is not returned again.
	Next(ctx context.Context, most int) ([]Record, error)
	Close() error
}
