// Package ingest brings the events of a source into books, partition by partition: it reads, decodes and hands on. It
// knows no SQL, and decides nothing about money.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/softstake/softstake/backoff"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// Config is what to bring into which books.
type Config struct {
	Books  *store.DB
	Source join.Source
	Name   string // of the source: it is in the ID of each entry
	// Address is the number of the address at which it is read, by store.DB.AddSource; 0: it was not said.
	Address int64
	Decode  func(text []byte, position int64) (join.Event, error) // join.Decode, or that of a mapping
	Log     *slog.Logger
	Poll    time.Duration // how often to look for more, above zero
	Batch   int           // how many events at most share a transaction, at least 1
	// A number from 0 to n-1, for n above zero: so that not all partitions retry at the same moment. Safe for concurrent
	// use.
	Random   func(n int64) int64
	UntilEnd bool // end when there is nothing more now; else when the context ends
}

// Result is what a run has done.
type Result struct {
	Events  int // that were read and are in the books, also from before
	Entries int // that were posted
	Stopped []store.Partition
}

// Run follows every partition of the source. A partition that stops is logged, and goes on when a person has decided;
// until the end it is in the result. An error of the source or of the database is logged and retried or, until the end,
// returned; that the source is read elsewhere now (store.ReasonOtherAddress) is returned in any case.
func Run(ctx context.Context, c Config) (Result, error) {
	r := &run{Config: c, workers: map[string]bool{}}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for {
		names, err := c.Source.Partitions(ctx)
		if err == nil {
			err = r.start(ctx, names, cancel)
		}
		if err != nil && c.UntilEnd {
			cancel(err)
		} else if err != nil && ctx.Err() == nil {
			c.Log.Error("the source cannot be read; retrying", "source", c.Name, "error", err)
		}
		if c.UntilEnd {
			break
		}
		if !backoff.Pause(ctx, c.Poll) {
			break
		}
	}
	r.work.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return r.result, cause
	}
	slices.SortFunc(r.result.Stopped, func(a, b store.Partition) int { return strings.Compare(a.Name, b.Name) })
	return r.result, nil
}

// run is a run of a source.
type run struct {
	Config
	workers map[string]bool
	work    sync.WaitGroup

	mu     sync.Mutex
	result Result
}

// start follows the partitions that are not followed yet. All of them are known to the books first, so that no day
// closes by the watermarks of some while others have not begun. Those of a new source are opened before: days wait for
// what the books know, and so they do not know a source that cannot be read.
func (r *run) start(ctx context.Context, names []string, fail func(error)) error {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return r.workers[name] })
	readers, err := r.openNew(ctx, names)
	for _, name := range names {
		if err == nil {
			_, err = r.Books.AddPartition(ctx, r.Name, name)
		}
	}
	if err != nil {
		return errors.Join(err, closeAll(readers))
	}
	for _, name := range names {
		r.workers[name] = true
		r.work.Go(func() {
			if err := r.follow(ctx, name, readers[name]); err != nil {
				fail(err)
			}
		})
	}
	return nil
}

// openNew opens the partitions of a source of which the books know nothing, but for those whose fault stops them. A
// partition that comes later is known at once.
func (r *run) openNew(ctx context.Context, names []string) (map[string]join.Reader, error) {
	readers := map[string]join.Reader{}
	if len(names) == 0 {
		return readers, nil
	}
	known, err := reports.New(r.Books.Reader()).Partitions(ctx)
	if err != nil || slices.ContainsFunc(known, func(p store.Partition) bool { return p.Source == r.Name }) {
		return readers, err
	}
	for _, name := range names {
		reader, err := r.Source.Open(ctx, name, join.Start{})
		switch {
		case err == nil:
			readers[name] = reader
		case !stops(err):
			return readers, fmt.Errorf("read %s/%s: %w", r.Name, name, err)
		}
	}
	return readers, nil
}

func closeAll(readers map[string]join.Reader) (err error) {
	for _, reader := range readers {
		err = errors.Join(err, reader.Close())
	}
	return err
}

// errEnd is the end of what there is now.
var errEnd = errors.New("nothing more now")

// follow brings a partition into the books until the context ends or, until the end, there is nothing more. opened is
// its reader from the begin on, or nil.
func (r *run) follow(ctx context.Context, name string, opened join.Reader) (err error) {
	defer func() {
		if opened != nil {
			err = errors.Join(err, opened.Close())
		}
	}()
	said, wait := "", r.Poll
	for ctx.Err() == nil {
		began, err := r.Books.AddPartition(ctx, r.Name, name)
		p := began
		if err == nil && p.State == store.Running {
			reader := opened
			opened = nil
			p, err = r.read(ctx, p, reader)
		}
		if err == nil || p.Place != began.Place {
			wait = r.Poll
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errEnd):
			return nil
		case err != nil && (r.UntilEnd || ledger.ReasonOf(err) == store.ReasonOtherAddress):
			return err
		case err != nil:
			in := backoff.Jitter(wait, r.Random)
			r.Log.Error("a partition cannot be read; retrying", "partition", r.Name+"/"+name, "in", in, "error", err)
			backoff.Pause(ctx, in)
			wait = backoff.Next(wait)
			continue
		case r.UntilEnd:
			r.note(func(result *Result) { result.Stopped = append(result.Stopped, p) })
			return nil
		case p.State == store.Retired:
			return nil
		case said != p.Reason:
			said = p.Reason
			r.Log.Error("a partition has stopped; decide about the event", "partition", r.Name+"/"+name, "position",
				p.Stop.String(), "event", p.StopEvent, "reason", p.Reason)
		}
		backoff.Pause(ctx, r.Poll)
	}
	return nil
}

func (r *run) note(fn func(*Result)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fn(&r.result)
}

// read reads a partition from where the books are until it stops; errEnd where there is nothing more, until the end.
// While the books post some events, the next ones are read and decoded, and those that come then share a transaction.
// reader is open there already, or nil.
func (r *run) read(ctx context.Context, p store.Partition, reader join.Reader) (_ store.Partition, err error) {
	if reader == nil {
		if reader, err = r.Source.Open(ctx, p.Name, p.Start()); err != nil {
			return r.fault(ctx, p, err)
		}
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	known := p.Place
	next := r.decode(ctx, reader, p.Name, known, r.Batch)
	for {
		now, handed := next, make(chan struct{})
		var ahead sync.WaitGroup
		if now.goesOn() && now.records > 0 {
			ahead.Go(func() { next = r.decodeUntil(reading, handed, reader, now.Partition, known) })
		}
		p, err = r.hand(ctx, p, now.JoinBatch)
		close(handed)
		if err != nil || p.State != store.Running {
			stop() // what was read ahead is read again
		}
		ahead.Wait()
		if err != nil || p.State != store.Running {
			return p, err
		}
		reader.Confirm(p.Place)
		switch {
		case now.err != nil:
			return r.fault(ctx, p, now.err)
		case now.records > 0:
		case r.UntilEnd:
			return p, errEnd
		case !backoff.Pause(ctx, r.Poll):
			return p, ctx.Err()
		}
		if !now.goesOn() || now.records == 0 {
			next = r.decode(ctx, reader, p.Name, known, r.Batch)
		}
	}
}

// decoded are some events of a reader.
type decoded struct {
	store.JoinBatch
	records int
	initial bool  // the snapshot is read: its reader goes on when the books have it
	err     error // of the reader, after them
}

// decodeEvery is how often more is looked for while the books post.
const decodeEvery = 5 * time.Millisecond

// decodeUntil reads what comes until the books have what they post now.
func (r *run) decodeUntil(ctx context.Context, handed <-chan struct{}, reader join.Reader, partition string,
	known join.Place) decoded {
	d := r.decode(ctx, reader, partition, known, r.Batch)
	for d.goesOn() && d.records < r.Batch {
		wait := time.NewTimer(decodeEvery)
		select {
		case <-handed:
			wait.Stop()
			return d
		case <-wait.C:
		}
		more := r.decode(ctx, reader, partition, known, r.Batch-d.records)
		d.Events, d.Fault = append(d.Events, more.Events...), more.Fault
		d.records, d.initial, d.err = d.records+more.records, more.initial, more.err
	}
	return d
}

// decode reads the next records, at most this many, and makes events of them up to one that is none. One that is none
// and which the books know is left out: another mapping has read it.
func (r *run) decode(ctx context.Context, reader join.Reader, partition string, known join.Place,
	most int) (d decoded) {
	records, err := reader.Next(ctx, most)
	d = decoded{JoinBatch: store.JoinBatch{Source: r.Name, Partition: partition, Identity: reader.Identity(),
		Address: r.Address}, records: len(records), err: err}
	if len(records) > 0 {
		d.Events = make([]join.Event, 0, len(records))
	}
	for _, record := range records {
		d.initial = d.initial || record.Initial
		e, err := r.event(record)
		if err != nil && !record.Initial && record.Place.Compare(known) <= 0 {
			continue
		}
		if err != nil {
			d.Fault = &store.JoinFault{Place: record.Place, Err: err}
			break
		}
		d.Events = append(d.Events, e)
	}
	return d
}

// goesOn reports whether the next ones may be read before the books have these.
func (d decoded) goesOn() bool { return !d.initial && d.err == nil && d.Fault == nil }

// event is what a record becomes.
func (r *run) event(record join.Record) (e join.Event, err error) {
	switch {
	case !record.Watermark.IsZero():
		e = join.Event{Type: join.Watermark, At: record.Watermark.UTC().Truncate(time.Millisecond)}
	case record.Text == nil:
		e = join.Event{Type: join.Ignored}
	default:
		position := record.Position
		if record.Numbered {
			position = join.Numbered
		}
		if e, err = r.Decode(record.Text, position); err != nil {
			return e, err
		}
	}
	e.Place, e.Mark = record.Place, record.Mark
	if record.Previous != nil {
		e.Previous = record.Previous
	}
	e.Initial = record.Initial
	if e.Initial && (e.Type == join.Change || e.Type == join.Reward) && e.ID == record.ID {
		// The snapshot may be made again, where the same row has another place, and would be posted twice.
		return e, ledger.ErrInvalid.In("id", "a change in the snapshot has an ID that its row has, not that of the record")
	}
	return e, nil
}

// hand hands a batch to the books, until all of it is there or its partition stops.
func (r *run) hand(ctx context.Context, p store.Partition, batch store.JoinBatch) (store.Partition, error) {
	for len(batch.Events) > 0 || batch.Fault != nil {
		j, err := r.Books.Join(ctx, batch)
		if err != nil {
			return p, err
		}
		r.note(func(result *Result) {
			result.Events += j.Done
			result.Entries += j.Entries
		})
		if p = j.Partition; p.State != store.Running {
			return p, nil
		}
		batch.Events = batch.Events[j.Done:]
		if !j.Ahead.IsZero() && !backoff.Pause(ctx, min(r.Poll, time.Second)) {
			return p, ctx.Err()
		}
	}
	return p, nil
}

// fault stops a partition whose source is not what it was, and returns other errors.
func (r *run) fault(ctx context.Context, p store.Partition, err error) (store.Partition, error) {
	if !stops(err) {
		return p, fmt.Errorf("read %s/%s: %w", r.Name, p.Name, err)
	}
	return r.hand(ctx, p, store.JoinBatch{Source: r.Name, Partition: p.Name, Address: r.Address,
		Fault: &store.JoinFault{Place: p.After(), Err: err}})
}

// stops reports whether an error of a source stops its partition: trying again does not help.
func stops(err error) bool {
	return errors.Is(err, join.ErrChanged) || errors.Is(err, ledger.ErrInvalid)
}
