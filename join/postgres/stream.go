package postgres

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/softstake/softstake/join"
)

// What is kept in memory that the books do not have yet: when there is more, the server waits.
const (
	maxBytes   = 16 << 20
	maxRecords = 8192
)

// The times of the connection.
const (
	statusEvery = 5 * time.Second        // how often the server hears from us; it waits for a minute
	askEvery    = 200 * time.Millisecond // how often it is asked how far it is, while that is waited for
	gather      = 2 * time.Millisecond   // to wait for more changes, so that they share a transaction
)

// stream receives the changes, in the order of the commits.
type stream struct {
	conn      *pgconn.PgConn
	silence   time.Duration // after which the server is gone
	confirmed atomic.Uint64 // the position before which the books have all
	ready     chan struct{} // there are records, or an error
	space     chan struct{} // there is room for more
	decoder

	mu      sync.Mutex
	records []join.Record // that wait to be read
	bytes   int           // of their texts
	target  *look         // that is waited for
	passed  bool          // the first one has been reached
	err     error         // why there is nothing after them

	// Of the goroutine that receives.
	reported, asked, heard, until time.Time
	sent                          uint64
}

func newStream(conn *pgconn.PgConn, silence time.Duration, start join.Start, from pglogrepl.LSN) *stream {
	s := &stream{conn: conn, silence: silence, ready: make(chan struct{}, 1), space: make(chan struct{}, 1)}
	s.decoder = decoder{last: start.After, relations: map[uint32]*relation{}}
	if start.After.Part > 0 && pglogrepl.LSN(start.After.Position) == from {
		s.resume = &start
	}
	s.confirmed.Store(uint64(from))
	return s
}

// confirm never goes back, so that a place of the snapshot is no position before the changes.
func (s *stream) confirm(lsn pglogrepl.LSN) {
	s.confirmed.Store(max(s.confirmed.Load(), uint64(lsn)))
}

// reach has a watermark returned when a position is reached.
func (s *stream) reach(l look) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.target == nil { // else the earlier one is reached first
		s.target = &l
	}
}

// fail keeps the first error, which the reader returns after the records before it.
func (s *stream) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	signal(s.ready)
}

// signal wakes who waits, or the next one who does.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// next returns the records that are there. It waits while there are none and the first target is not reached.
func (s *stream) next(ctx context.Context, most int) (records []join.Record, err error) {
	var late <-chan time.Time
	for over := false; ; {
		s.mu.Lock()
		n := min(most-len(records), len(s.records))
		records = append(records, s.records[:n]...)
		for _, r := range s.records[:n] {
			s.bytes -= len(r.Text)
		}
		if s.records = s.records[n:]; len(s.records) == 0 {
			s.records = nil
		}
		passed, failed := s.passed, s.err
		s.mu.Unlock()
		signal(s.space)
		switch {
		case len(records) == most, over, failed == nil && passed && len(records) == 0:
			return records, nil
		case failed != nil && n == 0:
			return records, failed
		case len(records) > 0 && late == nil:
			late = time.After(gather)
		}
		select {
		case <-s.ready:
		case <-late:
			over = true
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// push hands a record to the reader, when there is room.
func (s *stream) push(ctx context.Context, r join.Record) error {
	for {
		s.mu.Lock()
		room := s.bytes < maxBytes && len(s.records) < maxRecords
		if room {
			s.records = append(s.records, r)
			s.bytes += len(r.Text)
		}
		s.mu.Unlock()
		if room {
			signal(s.ready)
			return nil
		}
		select {
		case <-s.space:
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := s.status(time.Now(), false); err != nil {
			return err
		}
	}
}

// receive receives until the context ends. Its error is never nil.
func (s *stream) receive(ctx context.Context) error {
	s.heard = time.Now()
	for ctx.Err() == nil {
		if err := s.tick(time.Now()); err != nil {
			return err
		}
		m, err := s.conn.Frontend().Receive()
		if timeout, is := errors.AsType[net.Error](err); is && timeout.Timeout() {
			continue
		}
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *pgproto3.CopyData:
			err = s.handle(ctx, m.Data)
		case *pgproto3.ErrorResponse:
			err = pgconn.ErrorResponseToPgError(m)
		case *pgproto3.CopyDone:
			err = errors.New("the server has ended the replication")
		}
		if err != nil {
			return err
		}
		s.heard = time.Now() // when the reader has room for it, which may take long
	}
	return ctx.Err()
}

// tick says how far the books are, and asks how far the server is, when it is time for that.
func (s *stream) tick(now time.Time) error {
	if now.Sub(s.heard) > s.silence {
		return unanswered(s.silence)
	}
	if now.After(s.until.Add(-askEvery / 2)) {
		s.until = now.Add(askEvery)
		if err := s.conn.Conn().SetReadDeadline(s.until); err != nil {
			return err
		}
	}
	s.mu.Lock()
	waits := s.target != nil
	s.mu.Unlock()
	confirmed := s.confirmed.Load() != s.sent && now.Sub(s.reported) > statusEvery/5
	if ask := waits && now.Sub(s.asked) >= askEvery; ask || confirmed || now.Sub(s.reported) >= statusEvery {
		return s.status(now, ask)
	}
	return nil
}

// status says how far the books are.
func (s *stream) status(now time.Time, ask bool) error {
	s.reported, s.sent = now, s.confirmed.Load()
	if ask {
		s.asked = now
	}
	return pglogrepl.SendStandbyStatusUpdate(context.Background(), s.conn, pglogrepl.StandbyStatusUpdate{
		WALWritePosition: pglogrepl.LSN(s.sent), ClientTime: now, ReplyRequested: ask})
}

// handle handles what the server has sent.
func (s *stream) handle(ctx context.Context, data []byte) error {
	if len(data) == 0 {
		return errors.New("an empty message")
	}
	switch data[0] {
	case pglogrepl.PrimaryKeepaliveMessageByteID:
		m, err := pglogrepl.ParsePrimaryKeepaliveMessage(data[1:])
		if err == nil && m.ReplyRequested {
			err = s.status(time.Now(), false)
		}
		if err != nil || s.inside {
			return err
		}
		if s.resume != nil {
			if int64(m.ServerWALEnd) > s.last.Position {
				return s.gone()
			}
			return nil
		}
		return s.boundary(ctx, m.ServerWALEnd)
	case pglogrepl.XLogDataByteID:
		x, err := pglogrepl.ParseXLogData(data[1:])
		if err != nil {
			return err
		}
		if len(x.WALData) == 0 {
			return errors.New("an empty change")
		}
		m, err := pglogrepl.Parse(x.WALData)
		if err != nil {
			return err
		}
		return s.change(ctx, m)
	}
	return nil
}

// change handles a message of the plugin.
func (s *stream) change(ctx context.Context, m pglogrepl.Message) error {
	switch m := m.(type) {
	case *pglogrepl.BeginMessage:
		if !s.resumes() { // else the record that is there already comes first
			if err := s.boundary(ctx, m.FinalLSN); err != nil {
				return err
			}
		}
		return s.beginTransaction(m)
	case *pglogrepl.CommitMessage:
		if err := s.endTransaction(); err != nil {
			return err
		}
		return s.boundary(ctx, m.TransactionEndLSN)
	}
	texts, err := s.decode(m)
	for _, text := range texts {
		if err := s.push(ctx, text); err != nil {
			return err
		}
	}
	return err
}

// boundary is a position before which every transaction was received: if the target is reached, it returns a watermark.
func (s *stream) boundary(ctx context.Context, lsn pglogrepl.LSN) error {
	s.mu.Lock()
	l := s.target
	reached := l != nil && l.lsn <= lsn
	if reached {
		s.target = nil
	}
	s.mu.Unlock()
	if !reached {
		return nil
	}
	r := join.Record{Place: s.last, Previous: new(s.last), Watermark: l.before}
	if int64(lsn) > s.last.Position {
		r.Place = join.Place{Position: int64(lsn)}
	}
	if r.Place != s.last || !l.before.IsZero() {
		if err := s.push(ctx, r); err != nil {
			return err
		}
		s.last = r.Place
	}
	s.mu.Lock()
	s.passed = true
	s.mu.Unlock()
	signal(s.ready)
	return nil
}
