package join

import (
	"context"
	"time"
)

// Record is a record of a partition: the text of an event, or a word of the source itself.
type Record struct {
	Place
	Previous  *Place    // that of the record before it; nil: its position is one less
	Text      []byte    // of an event; nil: it is a watermark of the source or, without one, only counts by its place
	Watermark time.Time // every event from before then is in the records before this one; zero: it is none
	Initial   bool      // of the snapshot with which the partition begins
	ID        string    // a name made of its place; "": it has none
	Numbered  bool      // its place is a broker's: a position that its event has is a number of the event's own
	Mark      string    // what it is known by: another record at its place has another one; "": it has none
}

// Start is where a reader begins.
type Start struct {
	After    Place  // the last record that the books have; zero: they have none
	Again    bool   // that record is an event, and is returned again, so that the books can see that it is still the same
	Identity string // of what the places are counted in, as a reader named it; "": no reader has
	Mark     string // that of the last record; "": it is not known
}

// Source is where events come from. Its own guarantees are not relied on: the books keep which place they have, in the
// transaction of the entries, and refuse a gap.
type Source interface {
	// Partitions are those that there are now, sorted.
	Partitions(ctx context.Context) ([]string, error)
	// Open reads a partition. ErrChanged if what follows cannot be there any more.
	Open(ctx context.Context, partition string, start Start) (Reader, error)
}

// Reader reads the records of a partition. It is used by one goroutine.
type Reader interface {
	// Identity is what places are counted in, such as a database: in another one the same place is another record. "": it
	// is always the same.
	Identity() string
	// Next returns the next records that are there, at most this many, in order; none if there are no more now. What
	// was read is not returned again.
	Next(ctx context.Context, most int) ([]Record, error)
	// Confirm says that the books have every record up to a place: the source may remove them.
	Confirm(Place)
	Close() error
}
