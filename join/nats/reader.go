package nats

import (
	"context"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/softstake/softstake/join"
)

// reader reads a stream. The position of a message is its number in the stream: a stream leaves none out, and so a
// message that was removed is a gap.
type reader struct {
	source   *Source
	stream   string
	start    join.Start
	conn     *nats.Conn
	js       jetstream.JetStream
	identity string
	consumer string // its name; "": there is none yet
	pull     *pull  // nil: there is none yet
	sent     uint64 // how many messages the consumer has sent
	last     uint64 // the number of the last message
	mark     string // and what it is known by; "": nothing is
	end      uint64 // the number up to which there were messages at the start
	check    bool   // the first message that comes is the one that the books have
	looked   time.Time
}

// Identity is when the stream was made.
func (r *reader) Identity() string { return r.identity }

// Confirm does nothing: when messages are removed the stream says.
func (*reader) Confirm(join.Place) {}

// End is the place of the last message that there was when the stream was opened, or one that was removed.
func (r *reader) End() join.Place { return join.Place{Position: int64(r.end)} }

// Close ends the connection.
func (r *reader) Close() (err error) {
	if r.conn == nil {
		return nil
	}
	defer r.conn.Close()
	if r.consumer == "" || r.conn.IsClosed() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	if err := r.js.DeleteConsumer(ctx, r.stream, r.consumer); err != nil {
		return nil // the server forgets it by itself
	}
	return nil
}

// Next returns the next messages. While the stream is not read up to where it was at the start, it waits for them.
// join.ErrChanged where the stream was made again or has lost messages.
func (r *reader) Next(ctx context.Context, most int) (records []join.Record, err error) {
	for began := time.Now(); ; {
		last, mark := r.last, r.mark
		records, err = r.take(ctx, most)
		if err == nil && len(records) > 0 {
			err = r.verify(ctx, last, mark)
		}
		switch {
		case err != nil: // whoever opens the partition again sees what is lost
			return nil, failed(err)
		case len(records) > 0:
			return records, nil
		case r.upToDate() && time.Since(r.looked) < lookEvery:
			return nil, nil
		}
		is, err := r.look(ctx)
		if err == nil {
			err = r.has(is)
		}
		switch {
		case err != nil:
			return nil, failed(err)
		case r.upToDate() && is.last == r.last:
			return nil, nil
		case time.Since(began) > silence:
			return nil, fmt.Errorf("NATS: the stream has messages through %d, and the server has sent none after %d for %s",
				is.last, r.last, silence)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(again):
		}
	}
}

// upToDate reports whether the stream is read up to where it was at the start.
func (r *reader) upToDate() bool { return r.last >= r.end && !r.check }

// take takes what there is, at most this many.
func (r *reader) take(ctx context.Context, most int) (records []join.Record, err error) {
	messages, err := r.pull.next(ctx, most)
	if err != nil {
		return nil, err
	}
	records = make([]join.Record, 0, len(messages))
	for _, m := range messages {
		is, err := m.Metadata()
		if err != nil {
			return nil, err
		}
		if r.sent++; is.Sequence.Consumer != r.sent {
			return nil, fmt.Errorf("%d messages were lost on their way", is.Sequence.Consumer-r.sent)
		}
		one, err := r.record(m, is)
		if err != nil {
			return nil, err
		}
		if one != nil {
			records = append(records, *one)
		}
	}
	return records, nil
}

// record is what a message is; nil: it was only to be compared.
func (r *reader) record(m *nats.Msg, is *nats.MsgMetadata) (*join.Record, error) {
	number := is.Sequence.Stream
	one := &join.Record{Place: join.Place{Position: int64(number)}, Text: m.Data, Numbered: true,
		Mark: mark(is.Timestamp, m.Data)}
	if r.check {
		r.check = false
		switch {
		case number != r.last:
			return nil, fmt.Errorf("%w: message %d, which the books have, is gone", join.ErrChanged, r.last)
		case r.mark != "" && r.mark != one.Mark:
			return nil, fmt.Errorf("%w: message %d is not the one that the books have: its time and checksum are %s, and were "+
				"%s", join.ErrChanged, number, one.Mark, r.mark)
		case !r.start.Again:
			return nil, nil
		}
	} else if number <= r.last {
		return nil, fmt.Errorf("%w: message %d comes after message %d", join.ErrChanged, number, r.last)
	}
	r.last, r.mark = number, one.Mark
	if len(one.Text) == 0 {
		one.Text = []byte("null")
	}
	if r.source.headers {
		headers := []join.Header{{Name: "nats_subject", Value: m.Subject}}
		for name, values := range m.Header {
			for _, value := range values {
				headers = append(headers, join.Header{Name: name, Value: value})
			}
		}
		one.Text = join.AddHeaders(one.Text, headers)
	}
	return one, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mark is what a message is known by: when the stream has taken it, in nanoseconds, and a checksum of its data.
func mark(at time.Time, data []byte) string {
	to := strconv.AppendInt(make([]byte, 0, 32), at.UnixNano(), 10)
	return string(strconv.AppendUint(append(to, ':'), uint64(crc32.Checksum(data, castagnoli)), 16))
}
