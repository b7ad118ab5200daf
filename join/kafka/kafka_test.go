package kafka

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/join/jointest"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/testkit"
)

// broker is a broker of Kafka, as franz-go's kfake plays it, with a topic of two partitions.
type broker struct {
	*testing.T
	*kfake.Cluster
	source *Source
	client *kgo.Client
}

func newBroker(t *testing.T, options ...kfake.Opt) *broker {
	t.Helper()
	b := &broker{T: t, Cluster: testkit.Must(kfake.NewCluster(append(options, kfake.NumBrokers(2),
		kfake.SeedTopics(2, "ledger"))...))(t)}
	t.Cleanup(b.Close)
	b.source = testkit.Must(Parse(b.address(""), Credentials{}, false))(t)
	b.client = testkit.Must(kgo.NewClient(kgo.SeedBrokers(b.ListenAddrs()...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("writer")))(t)
	t.Cleanup(func() { b.client.Close(); ok(t, b.source.Close()) })
	return b
}

func (b *broker) address(query string) string {
	return "kafka://" + strings.Join(b.ListenAddrs(), ",") + "/ledger?" + query
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write writes records of a partition in a transaction, which is aborted unless it commits.
func (b *broker) write(partition int32, commits bool, records ...*kgo.Record) {
	b.Helper()
	ok(b.T, b.client.BeginTransaction())
	for _, r := range records {
		r.Topic, r.Partition = "ledger", partition
	}
	ok(b.T, b.client.ProduceSync(b.Context(), records...).FirstErr())
	ok(b.T, b.client.EndTransaction(b.Context(), kgo.TransactionEndTry(commits)))
}

func texts(values ...string) (records []*kgo.Record) {
	for _, v := range values {
		records = append(records, kgo.StringRecord(v))
	}
	return records
}

// read reads what there is of the first partition from a start on.
func (b *broker) read(start join.Start) (records []join.Record, identity string, err error) {
	b.Helper()
	return jointest.Read(b.T, b.source, "ledger-0", start)
}

// short is a record as the tests compare it: "POSITION<PREVIOUS TEXT".
func short(r join.Record) string { return fmt.Sprintf("%s<%s %s", r.Place, r.Previous, r.Text) }

func (b *broker) is(records []join.Record, want ...string) {
	b.Helper()
	jointest.Is(b.T, records, short, want)
}

// TestRead: what is committed is read in its order; what is aborted and the ends of transactions only leave positions
// out. It is read on from the last record that the books have, which comes again where it is an event.
func TestRead(t *testing.T) {
	b := newBroker(t)
	partitions := testkit.Must(b.source.Partitions(t.Context()))(t)
	if diff := cmp.Diff([]string{"ledger-0", "ledger-1"}, partitions); diff != "" {
		t.Fatal(diff)
	}
	b.write(1, true, texts("of another partition")...)
	b.write(0, true, texts("a", "b", "c")...)
	b.write(0, false, texts("lost", "lost")...)
	b.write(0, true, &kgo.Record{Key: []byte("k")}, kgo.StringRecord("d"))
	records, identity, err := b.read(join.Start{})
	ok(t, err)
	b.is(records, "1<0 a", "2<1 b", "3<2 c", "4<3 ", "7<4 ", "8<7 null", "9<8 d", "10<9 ")
	if len(identity) != 32 {
		t.Errorf("the identity is %q", identity)
	}
	for i, r := range records {
		event := r.Text != nil
		again, _, err := b.read(join.Start{After: r.Place, Again: event, Identity: identity, Mark: r.Mark})
		ok(t, err)
		want := records[i+1:]
		if event {
			want = records[i:]
		}
		got := jointest.Short(again, short)
		if event { // that it follows itself does not matter: the books have it
			got[0] = jointest.Short(records[i:i+1], short)[0]
		}
		if !slices.Equal(jointest.Short(want, short), got) {
			t.Errorf("after %s: %s", r.Place, got)
		}
	}
}

// TestHeaders: the headers of a record are a member of its text, where they are asked for.
func TestHeaders(t *testing.T) {
	b := newBroker(t)
	b.source.WithHeaders()
	b.write(0, true, &kgo.Record{Value: []byte(`{"data":{"n":1}}`), Headers: []kgo.RecordHeader{
		{Key: "ce_id", Value: []byte("7")}, {Key: "ce_type", Value: []byte("posted")}}})
	records, _, err := b.read(join.Start{})
	ok(t, err)
	b.is(records, `1<0 {"headers":{"ce_id":"7","ce_type":"posted","kafka_key":""},"data":{"n":1}}`, "2<1 ")
}

// TestChanged: where records are lost or may be, nothing is read.
func TestChanged(t *testing.T) {
	b := newBroker(t)
	b.write(0, true, texts("a", "b", "c")...)
	records, identity, err := b.read(join.Start{})
	ok(t, err)
	third := join.Start{After: records[2].Place, Again: true, Identity: identity, Mark: records[2].Mark}
	refused := func(what string, start join.Start, want string) {
		t.Helper()
		got, _, err := b.read(start)
		if !errors.Is(err, join.ErrChanged) || !strings.Contains(err.Error(), want) || len(got) > 0 {
			t.Errorf("%s: %v, %v", what, jointest.Short(got, short), err)
		}
	}
	other := third
	other.Mark = "0:1:abc"
	refused("another record", other, "not the one")
	beyond := third
	beyond.After.Position = 100
	beyond.Mark = ""
	refused("a log that is shorter", beyond, "ends before offset 4")
	b.ControlKey(int16(kmsg.OffsetForLeaderEpoch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		response := r.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
		topic := kmsg.NewOffsetForLeaderEpochResponseTopic()
		p := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
		p.EndOffset = 2
		topic.Partitions = append(topic.Partitions, p)
		response.Topics = append(response.Topics, topic)
		return response, nil, true
	})
	refused("a leader that did not have it", third, "a leader was elected")
	b.remove(2)
	refused("nothing in the books", join.Start{}, "begins at offset 2")
	first := join.Start{After: records[0].Place, Again: true, Identity: identity, Mark: records[0].Mark}
	refused("what was not read is removed", first, "begins at offset 2")
	got, _, err := b.read(third)
	ok(t, err)
	b.is(got, "3<3 c", "4<3 ")
	b.remove(4) // with it the record that the books have
	got, _, err = b.read(join.Start{After: records[3].Place, Identity: identity, Mark: records[3].Mark})
	ok(t, err)
	b.is(got)
	// A dry run begins with what there is.
	b.write(0, true, texts("d")...)
	dry := testkit.Must(Parse(b.address(""), Credentials{}, false))(t)
	dry.DryRun()
	b.source, dry = dry, b.source
	got, _, err = b.read(join.Start{})
	ok(t, err)
	b.is(got, "5<0 d", "6<5 ")
	ok(t, b.source.Close())
	b.source = dry
	b.remake()
	b.write(0, true, texts("a", "b", "c")...)
	refused("a topic that was made again", third, "made again")
}

// remove removes what is before an offset, as retention does.
func (b *broker) remove(offset int64) {
	b.Helper()
	request := kmsg.NewPtrDeleteRecordsRequest()
	topic := kmsg.NewDeleteRecordsRequestTopic()
	topic.Topic = "ledger"
	p := kmsg.NewDeleteRecordsRequestTopicPartition()
	p.Offset = offset
	topic.Partitions = append(topic.Partitions, p)
	request.Topics = append(request.Topics, topic)
	response := testkit.Must(request.RequestWith(b.Context(), b.client))(b.T)
	ok(b.T, kerr.ErrorForCode(response.Topics[0].Partitions[0].ErrorCode))
}

// remake deletes the topic and makes one of the same name.
func (b *broker) remake() {
	b.Helper()
	remove := kmsg.NewPtrDeleteTopicsRequest()
	name := "ledger"
	remove.TopicNames = []string{name}
	remove.Topics = []kmsg.DeleteTopicsRequestTopic{{Topic: &name}}
	gone := testkit.Must(remove.RequestWith(b.Context(), b.client))(b.T)
	ok(b.T, kerr.ErrorForCode(gone.Topics[0].ErrorCode))
	add := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 2, 1
	add.Topics = append(add.Topics, topic)
	made := testkit.Must(add.RequestWith(b.Context(), b.client))(b.T)
	ok(b.T, kerr.ErrorForCode(made.Topics[0].ErrorCode))
	b.client.PurgeTopicsFromClient(name)
}

// TestRunning: what is lost while the partition is read is seen too, and what a broker says for a time is not.
func TestRunning(t *testing.T) {
	b := newBroker(t)
	b.write(0, true, texts("a")...)
	reader := testkit.Must(b.source.Open(t.Context(), "ledger-0", join.Start{}))(t)
	defer func() { ok(t, reader.Close()) }()
	next := func(want ...string) error {
		t.Helper()
		var got []join.Record
		for len(got) < len(want) || want == nil {
			some, err := reader.Next(t.Context(), 10)
			if err != nil {
				return err
			}
			got = append(got, some...)
			if t.Context().Err() != nil {
				t.Fatal("it has not come")
			}
		}
		b.is(got, want...)
		return nil
	}
	ok(t, next("1<0 a", "2<1 "))
	// The leader moves, a broker says that it is not the leader, and a connection is lost.
	ok(t, b.MoveTopicPartition("ledger", 0, 1-b.LeaderFor("ledger", 0)))
	b.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		return nil, errors.New("the connection is lost"), true
	})
	b.write(0, true, texts("b")...)
	ok(t, next("3<2 b", "4<3 "))
	b.remake()
	b.write(0, true, texts("a", "b", "c", "d", "e")...)
	testkit.Must(b.source.look(t.Context(), 0))(t)
	if err := next(); !errors.Is(err, join.ErrChanged) || !strings.Contains(err.Error(), "made again") {
		t.Errorf("a topic that was made again: %v", err)
	}
}

// TestPartitionsAreAdded: they are found while the others are read.
func TestPartitionsAreAdded(t *testing.T) {
	b := newBroker(t)
	testkit.Must(b.source.Partitions(t.Context()))(t)
	request := kmsg.NewPtrCreatePartitionsRequest()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = "ledger", 3
	request.Topics = append(request.Topics, topic)
	response := testkit.Must(request.RequestWith(t.Context(), b.client))(t)
	ok(t, kerr.ErrorForCode(response.Topics[0].ErrorCode))
	for names := []string(nil); len(names) < 3; {
		names = testkit.Must(b.source.Partitions(t.Context()))(t)
		if t.Context().Err() != nil {
			t.Fatal(names)
		}
	}
	_, err := b.source.Open(t.Context(), "ledger-3", join.Start{})
	if err == nil || errors.Is(err, join.ErrChanged) {
		t.Errorf("a partition that there is not: %v", err)
	}
}

// TestLogIn: who logs in is said apart from the address.
func TestLogIn(t *testing.T) {
	for _, mechanism := range []string{"plain", "scram-sha-256", "scram-sha-512"} {
		c := testkit.Must(kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "ledger"), kfake.EnableSASL(),
			kfake.Superuser(strings.ToUpper(mechanism), "softstake", "secret")))(t)
		for password, right := range map[string]bool{"secret": true, "another": false} {
			if password == "another" && mechanism != "plain" {
				continue // it retries for a while
			}
			s := testkit.Must(Parse("kafka://"+c.ListenAddrs()[0]+"/ledger?sasl="+mechanism,
				Credentials{"softstake", password}, false))(t)
			ctx, cancel := context.WithCancel(t.Context())
			names, err := s.Partitions(ctx)
			cancel()
			if right != (err == nil) || right != (len(names) == 1) {
				t.Errorf("%s, %s: %v, %v", mechanism, password, names, err)
			}
			ok(t, s.Close())
		}
		c.Close()
	}
}

// TestTLS: a broker is known by its certificate.
func TestTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	ok(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600))
	c := testkit.Must(kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "ledger"),
		kfake.TLS(&tls.Config{Certificates: web.TLS.Certificates})))(t)
	defer c.Close()
	for query, right := range map[string]bool{"ca=" + ca: true, "tls=on": false} {
		s := testkit.Must(Parse("kafka://"+c.ListenAddrs()[0]+"/ledger?"+query, Credentials{}, false))(t)
		names, err := s.Partitions(t.Context())
		if right != (err == nil) || right != (len(names) == 1) {
			t.Errorf("%s: %v, %v", query, names, err)
		}
		ok(t, s.Close())
	}
}

// TestParse: what an address may say.
func TestParse(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"kafka://localhost/ledger", ""},
		{"kafka://127.0.0.1:9093,[::1]:9094/ledger?sasl=plain", ""},
		{"kafka://kafka.example.com/ledger", ""},
		{"kafka://localhost/", "not like"},
		{"kafka:///ledger", "not like"},
		{"nats://localhost/ledger", "not like"},
		{"kafka://me:secret@localhost/ledger", "password"},
		{"kafka://localhost/led ger", "topic"},
		{"kafka://localhost/" + strings.Repeat("l", 57), "topic"},
		{"kafka://localhost/ledger?sasl=none", "scram"},
		{"kafka://localhost/ledger?group=softstake", "group"},
		{"kafka://localhost/ledger?tls=maybe", "neither"},
		{"kafka://localhost/ledger?ca=/nowhere", "no such file"},
	} {
		_, err := Parse(c.address, Credentials{"softstake", "secret"}, false)
		if c.want == "" {
			ok(t, err)
		} else if !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), c.want) ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", c.address, err)
		}
	}
	if _, err := Parse("kafka://localhost/ledger?sasl=plain", Credentials{}, false); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("nobody logs in: %v", err)
	}
}

// TestHeadersAreJSON: whatever the texts of headers are.
func TestHeadersAreJSON(t *testing.T) {
	text := join.AddHeaders([]byte(" null"), []join.Header{{Name: `"`, Value: "\x00é"}, {Name: "a", Value: "1"},
		{Name: "a", Value: "2"}})
	var got struct{ Headers map[string]any }
	ok(t, json.Unmarshal(text, &got))
	want := map[string]any{`"`: "\x00é", "a": []any{"1", "2"}}
	if diff := cmp.Diff(want, got.Headers); diff != "" {
		t.Error(diff)
	}
	if got := string(join.AddHeaders([]byte("[1]"), nil)); got != "[1]" {
		t.Errorf("a list became %s", got)
	}
}
