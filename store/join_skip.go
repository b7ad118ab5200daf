package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
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
	Digest        string    // the SHA-256 of what it says, in hexadecimal; "": it has not come yet
}

// JoinSkipColumns are what ReadJoinSkip reads.
const JoinSkipColumns = "source, event, name, position, part, set_at, set_by, reason, passed, digest"

// ReadJoinSkip reads a row whose first columns are JoinSkipColumns. It never fails.
func ReadJoinSkip(r db.Row) (JoinSkip, error) {
	return JoinSkip{r.Text(0), r.Text(1), r.Text(2), join.Place{Position: r.Int(3), Part: r.Int(4)}, db.TimeOf(r.Int(5)),
		r.Text(6), r.Text(7), db.TimeOrZero(r.Int(8)), r.Text(9)}, nil
}

func (b *DB) insertSkip(t db.Tx, s PartitionSkip, at join.Place) error {
	_, err := t.Exec("INSERT INTO join_skips ("+JoinSkipColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, '') "+
		"ON CONFLICT DO NOTHING", s.Source, s.Event, s.Name, at.Position, at.Part, b.now(), b.actor.Credential, s.Reason)
	return err
}

// readSkips reads the events of the source that are never posted, by ID.
func (x *joining) readSkips() error {
	x.skips = map[string][]JoinSkip{}
	skips, err := db.All(x.t, ReadJoinSkip, "SELECT "+JoinSkipColumns+" FROM join_skips WHERE source = $1", x.batch.Source)
	for _, s := range skips {
		x.skips[s.Event] = append(x.skips[s.Event], s)
	}
	return annotate(err, "read the events that are never posted")
}

// decided reports whether a person has decided about an event at this place: then what is missing before it is passed
// over too.
func (x *joining) decided(e join.Event) bool {
	return slices.ContainsFunc(x.skips[e.ID], func(s JoinSkip) bool {
		return s.Partition == x.batch.Partition && s.Place == e.Place
	})
}

// came reports whether an event that is never posted has come before: the same, and not another one of its ID.
func (x *joining) came(e join.Event, said string) bool {
	return slices.ContainsFunc(x.skips[e.ID], func(s JoinSkip) bool { return s.Digest == said })
}

// skipsEvent reports whether an event is never posted: a person has decided about it at this place, or it comes again.
// The rows of a snapshot that is made again have other places.
func (x *joining) skipsEvent(e join.Event) bool {
	skips := x.skips[e.ID]
	return skips != nil && (x.decided(e) || x.came(e, saidDigest(e)) ||
		e.Initial && slices.ContainsFunc(skips, func(s JoinSkip) bool { return s.Digest == "" }))
}

// saidDigest is the SHA-256 of what an event says, but for when, in hexadecimal: a snapshot may be made again.
func saidDigest(e join.Event) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", []string{string(e.Type), string(e.Account), e.Token, fmt.Sprint(e.Held),
		e.Change, e.After, e.Reverses, e.Reward, e.Owner, e.Region, e.Reason}))
	return hex.EncodeToString(sum[:])
}

// passOver is an event that is never posted. When it comes first, what its source has after it counts, as far as the
// books know its part; when it comes again, nothing does. Where a person has decided about it, its number is not
// compared with that of the event before it.
func (x *joining) passOver(e join.Event, index int) (*joinedEvent, error) {
	said := saidDigest(e)
	passed := &joinedEvent{Event: join.Event{Place: e.Place, Type: join.Ignored, ID: e.ID, At: e.At, Mark: e.Mark},
		index: index, skip: true, again: x.came(e, said)}
	switch order := e.Order(x.number); {
	case x.decided(e) && e.Number > 0 && e.Number <= x.number && !passed.again:
		x.number = 0 // how those after it are counted is not known
	case order != join.Next && order != join.Repeats && !x.decided(e):
		return nil, x.refuseNumber(e, index)
	default:
		x.number = max(x.number, e.Number)
	}
	for i, s := range x.skips[e.ID] {
		if s.Digest == "" {
			x.skips[e.ID][i].Digest, passed.digest = said, said
		}
	}
	if !passed.again && (e.Type == join.Change || e.Type == join.Balance || e.Type == join.Reward) {
		passed.Account, passed.Token, passed.Held = e.Account, e.Token, e.Held
		passed.Change, passed.After = e.Change, e.After
	}
	return passed, nil
}

// writeSkips keeps which events that are never posted have come.
func (x *joining) writeSkips() error {
	var came []*joinedEvent
	for _, e := range x.events {
		if e.digest != "" {
			came = append(came, e)
		}
	}
	if came == nil {
		return nil
	}
	now := x.now()
	n, err := x.t.Set(nil, "UPDATE join_skips SET passed = r.now, digest = r.said FROM {rows} "+
		"WHERE join_skips.source = r.source AND join_skips.event = r.event AND join_skips.passed = 0", db.SetOf(came,
		db.Text("source", func(*joinedEvent) string { return x.batch.Source }),
		db.Text("event", func(e *joinedEvent) string { return e.ID }),
		db.Text("said", func(e *joinedEvent) string { return e.digest }),
		db.Int("now", func(*joinedEvent) int64 { return now })))
	if err == nil && n < int64(len(came)) { // it has come in another partition at the same time
		err = db.ErrRetry
	}
	return annotate(err, "write the events that have come")
}
