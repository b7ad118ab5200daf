package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softstake/softstake/join"
)

// reader reads the snapshot, if there is one to make, and then the changes.
type reader struct {
	*Source
	start                join.Start
	identity             string
	first                look
	queries, replication *pgconn.PgConn
	begin                *beginning // nil: the changes are followed
	confirmed            join.Place
	changes              *stream
	end                  context.CancelFunc // of what runs beside the reader
	running              sync.WaitGroup
}

// Identity is the database system and its timeline.
func (r *reader) Identity() string { return r.identity }

// Next returns the rows of the snapshot, and then the changes. While the database is not read up to where it was when
// the changes began to be followed, it waits for them.
func (r *reader) Next(ctx context.Context, most int) ([]join.Record, error) {
	if r.begin != nil {
		records, err := r.begin.next(ctx, r, most)
		if err != nil || len(records) > 0 || r.dryRun {
			return records, r.failed(err)
		}
		if err := r.finish(ctx); err != nil {
			return nil, r.failed(err)
		}
	}
	records, err := r.changes.next(ctx, most)
	return records, r.failed(err)
}

func (*reader) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("PostgreSQL: %w", err)
}

// Confirm lets the database remove what is before a place.
func (r *reader) Confirm(place join.Place) {
	r.confirmed = place
	if r.changes != nil {
		r.changes.confirm(pglogrepl.LSN(place.Position))
	}
}

// follow follows the changes from a position on.
func (r *reader) follow(ctx context.Context, from pglogrepl.LSN) error {
	err := within(ctx, r.silence, func(ctx context.Context) error {
		return pglogrepl.StartReplication(ctx, r.replication, r.slot, from, pglogrepl.StartReplicationOptions{
			Mode:       pglogrepl.LogicalReplication,
			PluginArgs: []string{"proto_version '1'", `publication_names '"` + r.publication + `"'`},
		})
	})
	if err != nil {
		return err
	}
	r.changes = newStream(r.replication, r.silence, r.start, from)
	r.changes.reach(r.first)
	ctx, r.end = context.WithCancel(ctx)
	r.running.Go(func() { r.changes.fail(r.changes.receive(ctx)) })
	r.running.Go(func() { r.changes.fail(r.watch(ctx)) })
	return nil
}

// watch looks again and again how far the database is.
func (r *reader) watch(ctx context.Context) error {
	tick := time.NewTicker(r.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		l, err := r.look(ctx)
		if err != nil {
			return err
		}
		r.changes.reach(l)
	}
}

// Close ends the connections: the slot is free for another reader.
func (r *reader) Close() error {
	if r.begin != nil && r.begin.rows != nil {
		r.begin.end(nil)
	}
	if r.end != nil {
		r.end()
		// What waits for the server ends now.
		r.changes.fail(r.replication.Conn().SetDeadline(time.Now()))
		r.running.Wait()
		// So that the slot keeps no more than it must. Where it cannot be said, the next reader says it.
		if now := time.Now(); r.replication.Conn().SetDeadline(now.Add(closeWithin)) == nil {
			r.changes.fail(r.changes.status(now, false))
		}
	}
	return r.disconnect()
}

// closeWithin is how long the server may take to say that a connection has ended.
const closeWithin = time.Second

// disconnect closes the connections.
func (r *reader) disconnect() (err error) {
	for _, c := range []*pgconn.PgConn{r.queries, r.replication} {
		if c == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
		err = errors.Join(err, r.failed(c.Close(ctx)))
		cancel()
	}
	return err
}
