package store

import (
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/join"
)

// Skips are the IDs of the events of a source that are never posted.
func Skips(t db.View, source string) (map[string]bool, error) {
	skips := map[string]bool{}
	err := t.Query(func(r db.Row) error { skips[r.Text(0)] = true; return nil },
		"SELECT event FROM join_skips WHERE source = $1", source)
	return skips, annotate(err, "read the events that are never posted")
}

func (x *joining) readSkips() (err error) {
	x.skips, err = Skips(x.t, x.batch.Source)
	return err
}

// passOver is an event that is never posted. Only its part and what the source has of it then count, as far as the
// books know them.
func (x *joining) passOver(e join.Event, index int) *joinedEvent {
	if e.Number > 0 {
		x.number = e.Number // those after it follow it, whatever was before
	}
	passed := &joinedEvent{Event: join.Event{Place: e.Place, Type: join.Ignored, ID: e.ID, At: e.At, Mark: e.Mark},
		index: index, skip: true}
	if e.Type == join.Change || e.Type == join.Balance || e.Type == join.Reward {
		passed.Account, passed.Token, passed.Held, passed.Change, passed.After = e.Account, e.Token, e.Held, e.Change, e.After
	}
	return passed
}
