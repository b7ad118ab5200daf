package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/join/address"
	joinkafka "github.com/softstake/softstake/join/kafka"
	joinnats "github.com/softstake/softstake/join/nats"
	"github.com/softstake/softstake/ledger"
)

// feed is where another ledger writes its events, and books read them.
type feed interface {
	source() join.Source
	decode(text []byte, position int64) (join.Event, error)
	// write writes events, by partition, and returns a position or number of each partition that the books have when they
	// have them.
	write(ctx context.Context, events [][]feedEvent) ([]int64, error)
	index(partition string) int // of a partition, by its name
	close() error
}

// feedEvent is a change with the balance after it.
type feedEvent struct {
	partition, number           int
	at                          string
	account                     ledger.Account
	token, change, balanceAfter string
}

// text is the event as JSON.
func (e feedEvent) text(more string) []byte {
	return fmt.Appendf(make([]byte, 0, 192), `{"id":"e-%d-%d","at":%q,"account":%q,"token":%q,"change":%q,"balanceAfter":%q%s}`,
		e.partition, e.number, e.at, e.account, e.token, e.change, e.balanceAfter, more)
}

// numbered is the event as JSON, with its own number.
func (e feedEvent) numbered() []byte { return e.text(fmt.Sprintf(`,"position":%d`, e.number)) }

// openFeed opens the feed that options name.
func openFeed(ctx context.Context, j JoinOptions, insecure bool) (feed, error) {
	switch kind, _, _ := strings.Cut(j.Source, ":"); kind {
	case "":
		return newFileFeed(j.Partitions)
	case "kafka":
		return newKafkaFeed(j, insecure)
	case "nats":
		return newNATSFeed(ctx, j, insecure)
	case "postgres", "postgresql":
		return newPostgresFeed(ctx, j, insecure)
	}
	return nil, ledger.ErrInvalid.In("source", "it is none of kafka://…, nats://… and postgres://…")
}

// fileFeed is some files.
type fileFeed struct {
	folder string
	files  []*os.File
	lines  []int64
}

func newFileFeed(partitions int) (feed, error) {
	folder, err := os.MkdirTemp("", "softstake-bench-join-")
	f := &fileFeed{folder: folder, lines: make([]int64, partitions)}
	for p := range partitions {
		if err != nil {
			break
		}
		var one *os.File
		one, err = os.Create(filepath.Join(folder, fmt.Sprintf("p%d.jsonl", p)))
		f.files = append(f.files, one)
	}
	if err != nil {
		err = errors.Join(err, f.close())
	}
	return f, err
}

func (f *fileFeed) source() join.Source { return join.Folder(f.folder) }

func (*fileFeed) decode(text []byte, position int64) (join.Event, error) {
	return join.Decode(text, position)
}

func (f *fileFeed) write(_ context.Context, events [][]feedEvent) ([]int64, error) {
	for p, some := range events {
		var text []byte
		for _, e := range some {
			text = append(append(text, e.text("")...), '\n')
		}
		if _, err := f.files[p].Write(text); err != nil {
			return nil, err
		}
		f.lines[p] += int64(len(some))
	}
	return append([]int64(nil), f.lines...), nil
}

func (*fileFeed) index(partition string) int { return lastNumber(partition) }

func (f *fileFeed) close() (err error) {
	for _, one := range f.files {
		err = errors.Join(err, one.Close())
	}
	return errors.Join(err, os.RemoveAll(f.folder))
}

// lastNumber is the number with which a partition's name ends.
func lastNumber(name string) (n int) {
	digits := name[len(strings.TrimRight(name, "0123456789")):]
	for _, c := range digits {
		n = 10*n + int(c-'0')
	}
	return n
}

// broker is what the feeds of brokers have in common: the events have numbers of their own.
type broker struct{}

func (broker) decode(text []byte, position int64) (join.Event, error) {
	return join.Decode(text, position)
}

func (broker) index(partition string) int { return lastNumber(partition) }

// lastOf are the numbers of the last events of each partition.
func lastOf(events [][]feedEvent, before []int64) []int64 {
	after := append([]int64(nil), before...)
	for p, some := range events {
		if len(some) > 0 {
			after[p] = int64(some[len(some)-1].number)
		}
	}
	return after
}

// kafkaFeed is a topic, which is empty at first.
type kafkaFeed struct {
	broker
	from   *joinkafka.Source
	client *kgo.Client
	topic  string
	last   []int64
}

func newKafkaFeed(j JoinOptions, insecure bool) (feed, error) {
	from, err := joinkafka.Parse(j.Source, joinkafka.Credentials{}, insecure)
	if err != nil {
		return nil, err
	}
	client, err := from.NewClient(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	return &kafkaFeed{from: from, client: client, topic: from.Topic(), last: make([]int64, j.Partitions)}, err
}

func (f *kafkaFeed) source() join.Source { return f.from }

func (f *kafkaFeed) write(ctx context.Context, events [][]feedEvent) ([]int64, error) {
	var records []*kgo.Record
	for p, some := range events {
		for _, e := range some {
			records = append(records, &kgo.Record{Topic: f.topic, Partition: int32(p), Value: e.numbered()})
		}
	}
	f.last = lastOf(events, f.last)
	return f.last, f.client.ProduceSync(ctx, records...).FirstErr()
}

func (f *kafkaFeed) close() error {
	f.client.Close()
	return f.from.Close()
}

// answerWithin is how long a broker may take to accept events.
const answerWithin = 10 * time.Second

// natsFeed is some streams, which are made.
type natsFeed struct {
	broker
	from *joinnats.Source
	conn *nats.Conn
	js   jetstream.JetStream
	name string
	last []int64
}

func newNATSFeed(ctx context.Context, j JoinOptions, insecure bool) (feed, error) {
	a, err := address.Parse(j.Source, "nats", "4222", insecure)
	if err != nil {
		return nil, err
	}
	f := &natsFeed{name: a.Name, last: make([]int64, j.Partitions)}
	var names []string
	for p := range j.Partitions {
		names = append(names, f.stream(p))
	}
	_, query, _ := strings.Cut(j.Source, "?")
	if f.from, err = joinnats.Parse("nats://"+strings.Join(a.Hosts, ",")+"/"+strings.Join(names, ",")+"?"+query,
		joinnats.Credentials{}, insecure); err != nil {
		return nil, err
	}
	servers, options := joinnats.Connection(a, joinnats.Credentials{})
	if f.conn, err = nats.Connect(servers, options...); err != nil {
		return nil, err
	}
	f.js, err = jetstream.New(f.conn, jetstream.WithPublishAsyncMaxPending(1000))
	for _, name := range names {
		if err == nil {
			_, err = f.js.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{name}})
		}
	}
	if err != nil {
		f.conn.Close()
	}
	return f, err
}

func (f *natsFeed) stream(p int) string { return fmt.Sprintf("%s-%d", f.name, p) }

func (f *natsFeed) source() join.Source { return f.from }

func (f *natsFeed) write(_ context.Context, events [][]feedEvent) ([]int64, error) {
	var sent []jetstream.PubAckFuture
	for p, some := range events {
		for _, e := range some {
			ack, err := f.js.PublishAsync(f.stream(p), e.numbered(), jetstream.WithStallWait(answerWithin))
			if err != nil {
				return nil, err
			}
			sent = append(sent, ack)
		}
	}
	for _, one := range sent {
		select {
		case <-one.Ok():
		case err := <-one.Err():
			return nil, err
		}
	}
	f.last = lastOf(events, f.last)
	return f.last, nil
}

func (f *natsFeed) close() error {
	f.conn.Close()
	return nil
}
