package store

import (
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/join"
)

// JoinSkip is an event of a source that a person has decided never to post.
type JoinSkip struct {
	Source, Event string
	Partition     string
	Place         join.Place // at which it stopped the partition
	At            time.Time  // when that was decided
	By            string     // the credential that decided it
	Reason        string
	Passed        time.Time // when the event came, and what its source has after it was counted; zero: not yet
}

// JoinSkipColumns are what ReadJoinSkip reads.
const JoinSkipColumns = "source, event, name, position, part, set_at, set_by, reason, passed"

// ReadJoinSkip reads a row whose first columns are JoinSkipColumns. It never fails.
func ReadJoinSkip(r db.Row) (JoinSkip, error) {
	return JoinSkip{r.Text(0), r.Text(1), r.Text(2), join.Place{Position: r.Int(3), Part: r.Int(4)}, db.TimeOf(r.Int(5)),
		r.Text(6), r.Text(7), db.TimeOrZero(r.Int(8))}, nil
}

func (b *DB) insertSkip(t db.Tx, s PartitionSkip, at join.Place) error {
	_, err := t.Exec("INSERT INTO join_skips ("+JoinSkipColumns+") SELECT $1, $2, $3, $4, $5, $6, $7, $8, "+
		"coalesce((SELECT max(passed) FROM join_skips WHERE source = $1 AND event = $2), 0) WHERE true "+
		"ON CONFLICT DO NOTHING",
		s.Source, s.Event, s.Name, at.Position, at.Part, b.now(), b.actor.Credential, s.Reason)
	return err
}

// joinSkips are the events of a source that are never posted.
type joinSkips struct {
	passed map[string]bool       // by ID: it has come already
	here   map[string]join.Place // where the last decision of this partition was, by ID
}

func (x *joining) readSkips() error {
	x.skips = joinSkips{map[string]bool{}, map[string]join.Place{}}
	skips, err := db.All(x.t, ReadJoinSkip, "SELECT "+JoinSkipColumns+" FROM join_skips WHERE source = $1 ORDER BY set_at",
		x.batch.Source)
	for _, s := range skips {
		x.skips.passed[s.Event] = !s.Passed.IsZero()
		if s.Partition == x.batch.Partition {
			x.skips.here[s.Event] = s.Place
		}
	}
	return annotate(err, "read the events that are never posted")
}

// decided reports whether a person has decided about an event at this place: then what is missing before it is passed
// over too.
func (x *joining) decided(e join.Event) bool {
	at, is := x.skips.here[e.ID]
	return is && at == e.Place
}

// skipsEvent reports whether an event is never posted.
func (x *joining) skipsEvent(id string) bool {
	_, is := x.skips.passed[id]
	return is
}

// passOver is an event that is never posted. When it comes first, what its source has after it counts, as far as the
// books know its part; when it comes again, nothing does. Where a person has decided about it, its number is not
// compared with that of the event before it.
func (x *joining) passOver(e join.Event, index int) (*joinedEvent, error) {
	again := x.skips.passed[e.ID]
	passed := &joinedEvent{Event: join.Event{Place: e.Place, Type: join.Ignored, ID: e.ID, At: e.At, Mark: e.Mark},
		index: index, skip: true, again: again}
	switch order := e.Order(x.number); {
	case x.decided(e) && e.Number > 0 && e.Number <= x.number && !again:
		x.number = 0 // how those after it are counted is not known
	case order != join.Next && order != join.Repeats && !x.decided(e):
		return nil, x.refuseNumber(e, index)
	default:
		x.number = max(x.number, e.Number)
	}
	if again {
		return passed, nil
	}
	x.skips.passed[e.ID] = true
	if e.Type == join.Change || e.Type == join.Balance || e.Type == join.Reward {
		passed.Account, passed.Token, passed.Held, passed.Change, passed.After = e.Account, e.Token, e.Held, e.Change, e.After
	}
	return passed, nil
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
	if err == nil && n < int64(len(came)) { // it has come in another partition at the same time
		err = db.ErrRetry
	}
	return annotate(err, "write the events that have come")
}
