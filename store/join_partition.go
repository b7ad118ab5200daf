package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// PartitionState is whether events of a partition are posted.
type PartitionState int

// The states, as they are kept.
const (
	Running PartitionState = iota
	Stopped                // until a person decides about the event at which it stopped
	Retired                // forever: no day waits for it
)

// String is the state as it is shown.
func (s PartitionState) String() string { return [...]string{"running", "stopped", "retired"}[s] }

// Partition is how far the events of a partition of a source are in the books.
type Partition struct {
	Source, Name string
	join.Place             // of its last event that is; zero: none is
	Event        string    // the ID of that event; "": it has none
	Number       int64     // that its events have given last, where their places are a broker's; 0: none has
	Mark         string    // what the record at the place is known by, as its source names it; "": nothing is kept
	Identity     string    // of what its places are counted in; "": it is always the same, or not known
	Watermark    time.Time // every event from before it is delivered; zero: nothing is known
	Moved        time.Time // when it last moved; zero: never
	State        PartitionState

	Stopped   time.Time // when; zero: it is not
	Stop      join.Place
	StopEvent string // "": it has none, or could not be read
	Reason    string
}

// PartitionColumns are what ReadPartition reads.
const PartitionColumns = "source, name, position, part, event, identity, watermark, moved_at, state, stopped_at, " +
	"stop_position, stop_part, stop_event, reason, number, mark"

// ReadPartition reads a row whose first columns are PartitionColumns. It never fails.
func ReadPartition(r db.Row) (Partition, error) {
	return Partition{Source: r.Text(0), Name: r.Text(1), Place: join.Place{Position: r.Int(2), Part: r.Int(3)},
		Event: r.Text(4), Identity: r.Text(5), Watermark: db.TimeOrZero(r.Int(6)), Moved: db.TimeOrZero(r.Int(7)),
		State: PartitionState(r.Int(8)), Stopped: db.TimeOrZero(r.Int(9)),
		Stop: join.Place{Position: r.Int(10), Part: r.Int(11)}, StopEvent: r.Text(12), Reason: r.Text(13),
		Number: r.Int(14), Mark: r.Text(15)}, nil
}

// lockPartition takes the lock of a partition's row, which it makes if there is none, and reads it.
func (b *DB) lockPartition(t db.Tx, source, name string) (p Partition, err error) {
	n, err := t.Exec("INSERT INTO join_partitions ("+PartitionColumns+") "+
		"VALUES ($1, $2, 0, 0, '', '', 0, 0, 0, 0, 0, 0, '', '', 0, '') ON CONFLICT DO NOTHING", source, name)
	if err == nil && n > 0 {
		err = b.addSource(t, JoinSource{Name: source})
	}
	if err != nil {
		return p, err
	}
	return lockKnown(t, source, name)
}

// lockKnown is lockPartition for one that is there: else ledger.ErrNotFound.
func lockKnown(t db.Tx, source, name string) (p Partition, err error) {
	p, found, err := db.First(t, ReadPartition, "SELECT "+PartitionColumns+
		" FROM join_partitions WHERE source = $1 AND name = $2"+t.Lock(), source, name)
	if err == nil && !found {
		err = ledger.ErrNotFound.In("", "partition %s/%s", ledger.Clip(source), ledger.Clip(name))
	}
	return p, err
}

func writePartition(t db.Tx, p Partition) error {
	_, err := t.Exec(`UPDATE join_partitions SET position = $3, part = $4, event = $5, identity = $6, watermark = $7,
	      moved_at = $8, state = $9, stopped_at = $10, stop_position = $11, stop_part = $12, stop_event = $13, reason = $14, number = $15,
	      mark = $16 WHERE source = $1 AND name = $2`, p.Source, p.Name, p.Position, p.Part, p.Event, p.Identity,
		db.MillisOf(p.Watermark), db.MillisOf(p.Moved), int64(p.State), db.MillisOf(p.Stopped), p.Stop.Position, p.Stop.Part,
		p.StopEvent, p.Reason, p.Number, p.Mark)
	return annotate(err, "write the position of %s/%s", p.Source, p.Name)
}

// AddPartition makes a partition known before its first event, so that no day closes without it. Idempotent.
func (b *DB) AddPartition(ctx context.Context, source, name string) (p Partition, err error) {
	if err := (JoinBatch{Source: source, Partition: name}).check(); err != nil {
		return p, err
	}
	err = b.engine.Write(ctx, func(t db.Tx) (err error) {
		p, err = b.lockPartition(t, source, name)
		return err
	})
	return p, annotate(err, "add the partition %s/%s", source, name)
}

// ResumePartition lets a stopped partition go on with the event at which it stopped: what kept it out of the books is
// corrected. Repeating it has no further effect. ledger.ErrNotFound if there is none,
// ledger.ErrInvalid if it is retired.
func (b *DB) ResumePartition(ctx context.Context, source, name string) error {
	return b.changePartition(ctx, source, name, "resume", func(t db.Tx, p *Partition) error {
		if p.State == Running {
			return nil
		}
		p.run()
		return inOrder(func() error { return writePartition(t, *p) },
			func() error { return b.logLine(t, "join resume", source+"/"+name, "") })
	})
}

// run sets the partition to running.
func (p *Partition) run() {
	p.State, p.Stopped, p.Stop, p.StopEvent, p.Reason = Running, time.Time{}, join.Place{}, "", ""
}

// PartitionSkip lets a stopped partition go on without some events: without the one at which it stopped, or with those
// from a place on.
type PartitionSkip struct {
	Source, Name string
	Event        string // the ID; "": whatever is before From
	From         int64  // the position of that place; 0: an event is named
	Part         int64  `json:",omitempty"` // the part of that place
	Reason       string
}

// SkipEvents never posts the event at which a partition has stopped, or those before a place. It may need approval. The
// reason is kept. An event that is named is never posted from another place either, and the balance that its source has
// after it is what the balances of later events are compared with: the books are without it until it is adjusted. With
// a place, what the places are counted in may be something else from then on, such as another database.
// ledger.ErrInvalid if the place is in the books, or the partition did not stop at the event or is not stopped.
func (b *DB) SkipEvents(ctx context.Context, s PartitionSkip) error {
	if err := ledger.At("reason", CheckReason(s.Reason)); err != nil {
		return err
	}
	return b.changePartition(ctx, s.Source, s.Name, "skip events of", func(t db.Tx, p *Partition) error {
		to := join.Place{Position: s.From, Part: s.Part}.Before()
		switch {
		case (s.Event == "") == (s.From == 0):
			return ledger.ErrInvalid.In("from", "either an event is passed over, or whatever is before a position")
		case p.State != Stopped:
			return ledger.ErrInvalid.In("", "it is %s; only of one that is stopped events are passed over", p.State).
				Because(ReasonNotStopped)
		case s.Event != "" && p.StopEvent == "":
			return ledger.ErrInvalid.In("event", "what it stopped at, at position %s, has no ID of an event that could be "+
				"read; name the position from which it goes on", p.Stop)
		case s.Event != "" && strings.HasPrefix(p.Reason, string(errIdentity)):
			return ledger.ErrInvalid.In("event", "positions are counted in something else than before, not only of this "+
				"event; name the position from which it goes on")
		case s.Event != "" && s.Event != p.StopEvent:
			return ledger.ErrInvalid.In("event", "it stopped at event %q, not at %q", p.StopEvent, ledger.Clip(s.Event))
		case s.Event != "":
			to = p.Stop
		}
		// Nothing is passed over where another database goes on with the next place.
		next := to == p.Place && s.Event == "" && p.Identity != ""
		if to.Compare(p.Place) <= 0 && !next {
			return ledger.ErrInvalid.In("from", "the books have every event through position %s; it is behind the one after "+
				"that", p.Place)
		}
		effect := fmt.Sprintf("what is after position %s is never posted, through %s: %s", p.Place, to, s.Reason)
		if s.Event != "" && to == p.Place.After() {
			effect = fmt.Sprintf("event %s, at position %s, is never posted, wherever it comes again: %s", s.Event, to, s.Reason)
		} else if s.Event != "" {
			effect += "; event " + s.Event + " never, wherever it comes again"
		}
		p.run()
		if s.Event == "" {
			p.Place, p.Event, p.Number, p.Mark = to, skipped, 0, "" // what is passed over has others, which are not known
			p.Identity = ""
		} else if err := b.insertSkip(t, s, to); err != nil {
			return err
		}
		if err := writePartition(t, *p); err != nil {
			return err
		}
		if err := b.permit(t, control.SkipEvents, s, s.Source+"/"+s.Name, effect); err != nil {
			return err
		}
		return b.logLine(t, string(control.SkipEvents), s.Source+"/"+s.Name, effect)
	})
}

// Start is where to read from: the last event in the books is read again where its ID shows that it is still the same.
func (p Partition) Start() join.Start {
	return join.Start{After: p.Place, Again: p.Event != "" && p.Event != skipped, Identity: p.Identity, Mark: p.Mark}
}

// Lag is for how long events may be missing: by how much the watermark is behind a clock, at least 0. known is false
// where no watermark has come yet.
func (p Partition) Lag(now time.Time) (_ time.Duration, known bool) {
	if p.Watermark.IsZero() {
		return 0, false
	}
	return max(now.Sub(p.Watermark), 0), true
}

// Path is how a person names it: SOURCE/PARTITION.
func (p Partition) Path() string { return p.Source + "/" + p.Name }

// HoldsBack reports whether a day waits for events of the partition that may be missing.
func (p Partition) HoldsBack(d staking.Day) bool {
	return p.State != Retired && p.Watermark.Before((d + 1).Start())
}

// skipped is kept for the ID of the last event where that was passed over and is not known: no event has it.
const skipped = "/skipped"

// PartitionEnd ends a partition.
type PartitionEnd struct{ Source, Name, Reason string }

// RetirePartition ends a partition forever: no day waits for it. It may need approval. Repeating it has no further
// effect.
func (b *DB) RetirePartition(ctx context.Context, e PartitionEnd) error {
	if err := ledger.At("reason", CheckReason(e.Reason)); err != nil {
		return err
	}
	return b.changePartition(ctx, e.Source, e.Name, "retire", func(t db.Tx, p *Partition) error {
		if p.State == Retired {
			return nil
		}
		effect := fmt.Sprintf("no event after position %s is posted, and no day waits for it: %s", p.Place, e.Reason)
		p.State = Retired
		if err := writePartition(t, *p); err != nil {
			return err
		}
		if err := b.permit(t, control.RetirePartition, e, e.Source+"/"+e.Name, effect); err != nil {
			return err
		}
		return b.logLine(t, string(control.RetirePartition), e.Source+"/"+e.Name, effect)
	})
}

// changePartition makes a change of a partition under its lock.
func (b *DB) changePartition(ctx context.Context, source, name, what string,
	change func(db.Tx, *Partition) error) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		p, err := lockKnown(t, source, name)
		if err != nil {
			return err
		}
		if p.State == Retired && what == "resume" {
			return ledger.ErrInvalid.In("", "it is retired").Because(ReasonNotStopped)
		}
		return change(t, &p)
	})
	return annotate(err, "%s the partition %s/%s", what, ledger.Clip(source), ledger.Clip(name))
}

// Delivered is the last day of which every event of every source is in the books, or which may close without: Forever
// where no source is joined, the day before the first of the books where nothing is known.
func (b *DB) Delivered(ctx context.Context) (staking.Day, error) {
	last, err := read(ctx, b, delivered)
	return max(last, b.first-1), err
}

func delivered(t db.View) (staking.Day, error) {
	var partitions, watermark int64
	if _, err := db.One(t, []*int64{&partitions, &watermark},
		"SELECT count(*), coalesce(min(watermark), 0) FROM join_partitions WHERE state <> 2"); err != nil {
		return 0, fmt.Errorf("read the watermarks: %w", err)
	}
	if partitions == 0 {
		return staking.Forever, nil
	}
	last, err := db.Count(t, "SELECT coalesce(max(day), -1) FROM join_closings")
	return max(staking.DayOf(db.TimeOf(watermark))-1, staking.Day(last)), annotate(err, "read which days may close")
}

// checkDelivered refuses to close a day that waits for events.
func checkDelivered(t db.View, d staking.Day) error {
	last, err := delivered(t)
	if err == nil && last < d {
		err = ledger.ErrInvalid.In("", "%s waits for the events of its sources; they are delivered through %s", d, last)
	}
	return err
}

// DayWithout is a day that is to close without waiting for the events of its sources.
type DayWithout struct {
	Day    staking.Day
	Reason string
}

// CloseWithout lets the days up to and including one close, though a source has not said that their events are all
// delivered: those that come later are dated later. It may need approval. Repeating it has no further effect.
func (b *DB) CloseWithout(ctx context.Context, d DayWithout) error {
	if err := ledger.At("reason", CheckReason(d.Reason)); err != nil {
		return err
	}
	if d.Day >= staking.DayOf(b.clock()) {
		return ledger.ErrInvalid.In("day", "%s is not over", d.Day)
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		n, err := t.Exec("INSERT INTO join_closings (day, set_at, set_by, reason) VALUES ($1, $2, $3, $4) "+
			"ON CONFLICT DO NOTHING", int64(d.Day), b.now(), b.actor.Credential, d.Reason)
		if err != nil || n == 0 {
			return err
		}
		effect := "it and the days before it close without waiting for events: " + d.Reason
		if err := b.permit(t, control.CloseWithout, d, d.Day.String(), effect); err != nil {
			return err
		}
		return b.logLine(t, string(control.CloseWithout), d.Day.String(), effect)
	})
	return annotate(err, "close %s", d.Day)
}
