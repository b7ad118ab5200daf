package store

import (
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/join"
)

// JoinSkip is an event of a source that a person has decided never to post.
type JoinSkip struct {
	Source, Event string
	At            time.Time // when that was decided
	By            string    // the credential that decided it
	Reason        string
	Passed        time.Time // when the event came, and what its source has after it was counted; zero: not yet
}

// JoinSkipColumns are what ReadJoinSkip reads.
const JoinSkipColumns = "source, event, set_at, set_by, reason, passed"

// ReadJoinSkip reads a row whose first columns are JoinSkipColumns. It never fails.
func ReadJoinSkip(r db.Row) (JoinSkip, error) {
	return JoinSkip{r.Text(0), r.Text(1), db.TimeOf(r.Int(2)), r.Text(3), r.Text(4), db.TimeOrZero(r.Int(5))}, nil
}

func (b *DB) insertSkip(t db.Tx, s PartitionSkip) error {
	_, err := t.Exec("INSERT INTO join_skips ("+JoinSkipColumns+") VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT DO NOTHING",
		s.Source, s.Event, b.now(), b.actor.Credential, s.Reason)
	return err
}

// readSkips reads the IDs of the events of the source that are never posted, and whether each has come already.
func (x *joining) readSkips() error {
	x.skips = map[string]bool{}
	err := x.t.Query(func(r db.Row) error { x.skips[r.Text(0)] = r.Int(1) != 0; return nil },
		"SELECT event, passed FROM join_skips WHERE source = $1", x.batch.Source)
	return annotate(err, "read the events that are never posted")
}

// skipsEvent reports whether an event is never posted.
func (x *joining) skipsEvent(id string) bool {
	_, is := x.skips[id]
	return is
}

// passOver is an event that is never posted. When it comes first, what its source has after it counts, as far as the
// books know its part; when it comes again, nothing does.
func (x *joining) passOver(e join.Event, index int) *joinedEvent {
	again := x.skips[e.ID]
	passed := &joinedEvent{Event: join.Event{Place: e.Place, Type: join.Ignored, ID: e.ID, At: e.At, Mark: e.Mark},
		index: index, skip: true, again: again}
	switch {
	case e.Number > x.number:
		x.number = e.Number
	case e.Number > 0 && !again:
		x.number = 0 // how those after it are counted is not known
	}
	if again {
		return passed
	}
	x.skips[e.ID] = true
	if e.Type == join.Change || e.Type == join.Balance || e.Type == join.Reward {
		passed.Account, passed.Token, passed.Held, passed.Change, passed.After = e.Account, e.Token, e.Held, e.Change, e.After
	}
	return passed
}

// writeSkips keeps which events that are never posted have come.
func (x *joining) writeSkips() error {
	var came []*joinedEvent
	for _, e := range x.events {
		if e.skip && !e.again {
			came = append(came, e)
		}
	}
	if came == nil {
		return nil
	}
	now := x.now()
	n, err := x.t.Set(nil, "UPDATE join_skips SET passed = r.now FROM {rows} WHERE join_skips.source = r.source "+
		"AND join_skips.event = r.event AND join_skips.passed = 0", db.SetOf(came,
		db.Text("source", func(*joinedEvent) string { return x.batch.Source }),
		db.Text("event", func(e *joinedEvent) string { return e.ID }),
		db.Int("now", func(*joinedEvent) int64 { return now })))
	if err == nil && n != int64(len(came)) { // it has come in another partition at the same time
		err = db.ErrRetry
	}
	return annotate(err, "write the events that have come")
}
