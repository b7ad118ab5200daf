package kafka

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/softstake/softstake/join"
)

// reader reads a partition. The position of a record is its offset and one: positions begin with 1.
type reader struct {
	source    *Source
	client    *kgo.Client
	partition int32
	start     join.Start
	identity  string
	next      int64 // the offset of the next record, or one before that
	end       int64 // the offset up to which there were records at the start
	epoch     int32 // of the leader that has written the last record; below zero: it is not known
	check     bool  // the first record that comes is the one that the books have
	last      join.Place
}

// Identity is the ID of the topic, which no other one ever has. Brokers before Kafka 2.8 have none.
func (r *reader) Identity() string { return r.identity }

// Confirm does nothing: when records are removed the topic says.
func (*reader) Confirm(join.Place) {}

// End is the place of the last record that there was when the partition was opened, or one that was removed.
func (r *reader) End() join.Place { return join.Place{Position: r.end} }

// Close ends the connections.
func (r *reader) Close() error {
	r.client.Close()
	return nil
}

// Next returns the next records. While the partition is not read up to where it was at the start, it waits for them.
// join.ErrChanged where the topic was made again, or a record is not where it was.
func (r *reader) Next(ctx context.Context, most int) (records []join.Record, err error) {
	for {
		if is, _ := r.source.seen(); is.id != "" && r.identity != "" && is.id != r.identity {
			return nil, remade(is.id, r.identity)
		}
		records, err = r.poll(ctx, most)
		if err != nil || len(records) > 0 || r.next >= r.end && !r.check {
			return records, err
		}
	}
}

// poll returns what has come, and waits while something must.
func (r *reader) poll(ctx context.Context, most int) (records []join.Record, err error) {
	waiting := context.Context(nil) // it does not wait
	if r.next < r.end || r.check {
		within, cancel := context.WithTimeout(ctx, silence)
		defer cancel()
		waiting = within
	}
	fetches := r.client.PollRecords(waiting, most)
	if failures := fetches.Errors(); len(failures) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if errors.Is(failures[0].Err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("the broker of Kafka has records before offset %d, and has sent nothing from offset %d on "+
				"for %s", r.end, r.next, silence)
		}
		return nil, failed(failures[0].Err) // whoever opens the partition again sees what is lost
	}
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if err == nil && p.LogStartOffset > r.next {
			err = fmt.Errorf("%w: the log begins at offset %d: what was from offset %d on was removed before it was read",
				join.ErrChanged, p.LogStartOffset, r.next)
		}
		for _, record := range p.Records {
			var one *join.Record
			if err == nil {
				one, err = r.record(record)
			}
			if err == nil && one != nil {
				records = append(records, *one)
			}
		}
	})
	return records, err
}

// record is what a record of Kafka is; nil: it was only to be compared.
func (r *reader) record(k *kgo.Record) (*join.Record, error) {
	one := &join.Record{Place: join.Place{Position: k.Offset + 1}, Previous: new(r.last), Numbered: true, Mark: mark(k)}
	if r.check {
		r.check = false
		switch again := r.start.After; {
		case one.Place != again:
			return nil, fmt.Errorf("%w: the record at offset %d, which the books have, is gone", join.ErrChanged, r.next-1)
		case r.start.Mark != "" && r.start.Mark != one.Mark:
			return nil, fmt.Errorf("%w: the record at offset %d is not the one that the books have: its leader epoch, time and "+
				"checksum are %s, and were %s", join.ErrChanged, k.Offset, one.Mark, r.start.Mark)
		case !r.start.Again:
			return nil, nil
		}
	} else if k.Offset < r.next {
		return nil, fmt.Errorf("%w: a record of offset %d comes after that of offset %d", join.ErrChanged, k.Offset, r.next-1)
	}
	r.next, r.last = k.Offset+1, one.Place
	switch {
	case k.Attrs.IsControl(): // the end of a transaction
		return one, nil
	case k.Value == nil: // as a table of the source marks what it has removed
		one.Text = []byte("null")
	default:
		one.Text = k.Value
	}
	if r.source.headers {
		headers := []join.Header{{Name: "kafka_key", Value: string(k.Key)}}
		for _, h := range k.Headers {
			headers = append(headers, join.Header{Name: h.Key, Value: string(h.Value)})
		}
		one.Text = join.AddHeaders(one.Text, headers)
	}
	return one, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mark is what a record is known by: the epoch of the leader that has written it, its time in milliseconds, and a
// checksum of its key and value.
func mark(k *kgo.Record) string {
	sum := crc32.Update(crc32.Checksum(k.Key, castagnoli), castagnoli, k.Value)
	to := strconv.AppendInt(make([]byte, 0, 32), int64(k.LeaderEpoch), 10)
	to = strconv.AppendInt(append(to, ':'), k.Timestamp.UnixMilli(), 10)
	return string(strconv.AppendUint(append(to, ':'), uint64(sum), 16))
}

// markedEpoch is the epoch of a mark; below zero: it is not known.
func markedEpoch(mark string) int32 {
	epoch, _, is := strings.Cut(mark, ":")
	n, err := strconv.ParseInt(epoch, 10, 32)
	if !is || err != nil {
		return -1
	}
	return int32(n)
}
