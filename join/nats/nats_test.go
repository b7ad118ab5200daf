package nats

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/join/jointest"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/testkit"
)

// broker is a NATS server with the stream LEDGER.
type broker struct {
	*testing.T
	options server.Options
	server  *server.Server
	conn    *nats.Conn
	js      jetstream.JetStream
	source  *Source
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	b := &broker{T: t, options: server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, NoSigs: true,
		NoLog: true, StoreDir: filepath.Join(t.TempDir(), "now")}}
	b.start()
	testkit.Must(b.js.CreateStream(t.Context(), config))(t)
	t.Cleanup(b.stop)
	b.source = testkit.Must(Parse(strings.Join([]string{b.conn.ConnectedUrl(), "LEDGER"}, "/"), Credentials{}, false))(t)
	return b
}

func (b *broker) start() {
	b.Helper()
	o := b.options
	b.server = testkit.Must(server.NewServer(&o))(b.T)
	b.server.Start()
	if !b.server.ReadyForConnections(10 * time.Second) {
		b.Fatal("the server does not start")
	}
	b.options.Port = o.Port // the same again
	b.conn = testkit.Must(nats.Connect(b.server.ClientURL()))(b.T)
	b.js = testkit.Must(jetstream.New(b.conn))(b.T)
}

func (b *broker) stop() {
	b.conn.Close()
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

// config is that of the stream.
var config = jetstream.StreamConfig{Name: "LEDGER", Subjects: []string{"ledger.>"}}

// remake makes the stream, and deletes the one that there is.
func (b *broker) remake() {
	b.Helper()
	ok(b.T, b.js.DeleteStream(b.Context(), "LEDGER"))
	testkit.Must(b.js.CreateStream(b.Context(), config))(b.T)
}

func (b *broker) write(texts ...string) {
	b.Helper()
	for _, text := range texts {
		testkit.Must(b.js.Publish(b.Context(), "ledger.a", []byte(text)))(b.T)
	}
}

func (b *broker) stream() jetstream.Stream {
	b.Helper()
	return testkit.Must(b.js.Stream(b.Context(), "LEDGER"))(b.T)
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// read reads what there is from a start on.
func (b *broker) read(start join.Start) (records []join.Record, identity string, err error) {
	b.Helper()
	return jointest.Read(b.T, b.source, "LEDGER", start)
}

// short is a record as the tests compare it: "POSITION TEXT".
func short(r join.Record) string { return fmt.Sprintf("%s %s", r.Place, r.Text) }

func (b *broker) is(records []join.Record, want ...string) {
	b.Helper()
	jointest.Is(b.T, records, short, want)
}

// TestRead: messages are read in their order, and on from the last one that the books have.
func TestRead(t *testing.T) {
	b := newBroker(t)
	got, _, err := b.read(join.Start{})
	ok(t, err)
	b.is(got)
	b.write("a", "b", "", "d", "e")
	records, identity, err := b.read(join.Start{})
	ok(t, err)
	b.is(records, "1 a", "2 b", "3 null", "4 d", "5 e")
	for i, r := range records {
		for _, again := range []bool{false, true} {
			got, _, err := b.read(join.Start{After: r.Place, Again: again, Identity: identity, Mark: r.Mark})
			ok(t, err)
			from := i + 1
			if again {
				from = i
			}
			b.is(got, jointest.Short(records[from:], short)...)
		}
	}
	// A message that was removed leaves its number out, which the books see.
	ok(t, b.stream().DeleteMsg(t.Context(), 2))
	got, _, err = b.read(join.Start{})
	ok(t, err)
	b.is(got, "1 a", "3 null", "4 d", "5 e")
}

// TestHeaders: the headers of a message are a member of its text, where they are asked for.
func TestHeaders(t *testing.T) {
	b := newBroker(t)
	b.source.WithHeaders()
	m := nats.NewMsg("ledger.a")
	m.Header["ce-id"] = []string{"7"}
	m.Data = []byte(`{"n":1}`)
	testkit.Must(b.js.PublishMsg(t.Context(), m))(t)
	records, _, err := b.read(join.Start{})
	ok(t, err)
	b.is(records, `1 {"headers":{"ce-id":"7","nats_subject":"ledger.a"},"n":1}`)
}

// TestChanged: where messages are lost or may be, nothing is read.
func TestChanged(t *testing.T) {
	b := newBroker(t)
	b.write("a", "b", "c")
	saved := filepath.Join(t.TempDir(), "before")
	b.stop()
	ok(t, os.CopyFS(saved, os.DirFS(b.options.StoreDir)))
	b.start()
	b.write("d", "e")
	records, identity, err := b.read(join.Start{})
	ok(t, err)
	at := func(i int) join.Start {
		return join.Start{After: records[i].Place, Again: true, Identity: identity, Mark: records[i].Mark}
	}
	refused := func(what string, start join.Start, want string) {
		t.Helper()
		got, _, err := b.read(start)
		if !errors.Is(err, join.ErrChanged) || !strings.Contains(err.Error(), want) || len(got) > 0 {
			t.Errorf("%s: %v, %v", what, jointest.Short(got, short), err)
		}
	}
	ok(t, b.stream().DeleteMsg(t.Context(), 2))
	refused("the message is removed", at(1), "message 2, which the books have, is gone")
	// The disk is as it was before the last messages, which were acknowledged.
	reader := testkit.Must(b.source.Open(t.Context(), "LEDGER", at(4)))(t)
	b.stop()
	if _, err := reader.Next(t.Context(), 10); err == nil || errors.Is(err, join.ErrChanged) {
		t.Errorf("the server is down: %v", err)
	}
	ok(t, reader.Close())
	b.options.StoreDir = saved
	b.start()
	refused("messages are lost", at(4), "ends at 3, and 5 was read")
	b.write("x", "y", "z")
	refused("others have their numbers", at(4), "message 5 is not the one")
	got, _, err := b.read(at(2))
	ok(t, err)
	b.is(got, "3 c", "4 x", "5 y", "6 z")
	ok(t, b.stream().Purge(t.Context(), jetstream.WithPurgeSequence(4)))
	refused("what was not read is removed", at(0), "begins at 4")
	refused("nothing in the books", join.Start{}, "begins at 4")
	got, _, err = b.read(at(2)) // retention has removed what was read
	ok(t, err)
	b.is(got, "4 x", "5 y", "6 z")
	dry := *b.source
	dry.DryRun()
	b.source = &dry
	got, _, err = b.read(join.Start{})
	ok(t, err)
	b.is(got, "4 x", "5 y", "6 z")
	b.remake()
	b.write("a", "b", "c", "d")
	refused("a stream that was made again", at(2), "made again")
}

// TestLostWhileItRuns: that messages are lost is seen while the connection lasts too.
func TestLostWhileItRuns(t *testing.T) {
	// A server of its own for each: a stream that is made again at once may find files of the one before.
	open := func() (*broker, *reader) {
		t.Helper()
		b := newBroker(t)
		b.write("a", "b")
		r := testkit.Must(b.source.Open(t.Context(), "LEDGER", join.Start{}))(t).(*reader)
		b.is(testkit.Must(r.Next(t.Context(), 10))(t), "1 a", "2 b")
		return b, r
	}
	for what, c := range map[string]struct {
		change func(*broker, *reader)
		want   string
	}{
		"the message before is another one": {func(_ *broker, r *reader) { r.mark = "1:a" }, "message 2 is not the one"},
		"the message before is gone": {func(b *broker, _ *reader) {
			ok(t, b.stream().DeleteMsg(t.Context(), 2))
		}, "message 2"},
	} {
		b, r := open()
		c.change(b, r)
		b.write("c")
		got, err := r.Next(t.Context(), 10)
		for len(got) == 0 && err == nil && t.Context().Err() == nil { // the consumer hears of it later
			got, err = r.Next(t.Context(), 10)
		}
		if !errors.Is(err, join.ErrChanged) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v", what, jointest.Short(got, short), err)
		}
		ok(t, r.Close())
	}
	_, r := open()
	r.end, r.last = 7, 7
	r.looked = time.Time{} // it is time to look again
	if _, err := r.Next(t.Context(), 10); !errors.Is(err, join.ErrChanged) || !strings.Contains(err.Error(), "ends at 2") {
		t.Errorf("an end that went back: %v", err)
	}
	ok(t, r.Close())
}

// TestRights: who reads needs the rights that docs/join.md names, and no others.
func TestRights(t *testing.T) {
	b := newBroker(t)
	b.write("a", "b")
	b.stop()
	text := string(testkit.Must(os.ReadFile("../../docs/join.md"))(t))
	_, text, _ = strings.Cut(text, "The user may publish to")
	text, _, _ = strings.Cut(text, "subscribe to its inboxes")
	publish := regexp.MustCompile("[$]JS[A-Z.>]+").FindAllString(text, -1)
	rights := &server.Permissions{Publish: &server.SubjectPermission{Allow: publish},
		Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}}}
	b.options.Users = []*server.User{{Username: "softstake", Password: "secret", Permissions: rights}}
	o := b.options
	b.server = testkit.Must(server.NewServer(&o))(t)
	b.server.Start()
	if !b.server.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	address := fmt.Sprintf("nats://127.0.0.1:%d/LEDGER", o.Port)
	for password, right := range map[string]bool{"secret": true, "another": false} {
		b.source = testkit.Must(Parse(address, Credentials{User: "softstake", Password: password}, false))(t)
		records, identity, err := b.read(join.Start{})
		if right != (err == nil) {
			t.Errorf("%s: %v", password, err)
		}
		if right {
			b.is(records, "1 a", "2 b")
			_, _, err := b.read(join.Start{After: records[0].Place, Again: true, Identity: identity, Mark: records[0].Mark})
			ok(t, err)
		}
	}
}

// TestTLS: a server is known by its certificate, and is not spoken to without.
func TestTLS(t *testing.T) {
	b := newBroker(t)
	b.write("a")
	b.stop()
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	ok(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600))
	o := b.options
	o.TLSConfig = &tls.Config{Certificates: web.TLS.Certificates}
	o.TLSTimeout = 5
	b.server = testkit.Must(server.NewServer(&o))(t)
	b.server.Start()
	if !b.server.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	for query, right := range map[string]bool{"ca=" + ca: true, "tls=on": false} {
		b.source = testkit.Must(Parse(fmt.Sprintf("nats://127.0.0.1:%d/LEDGER?%s", o.Port, query), Credentials{}, false))(t)
		records, _, err := b.read(join.Start{})
		if right != (err == nil) {
			t.Errorf("%s: %v", query, err)
		}
		if right {
			b.is(records, "1 a")
		}
	}
}

// TestParse: what an address may say.
func TestParse(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"nats://localhost/LEDGER", ""},
		{"nats://n1.example.com,n2.example.com:4333/ONE,TWO", ""},
		{"nats://localhost", "not like"},
		{"nats://me:secret@localhost/LEDGER", "password"},
		{"nats://localhost/ONE,ONE", "twice"},
		{"nats://localhost/ONE.TWO", "stream"},
		{"nats://localhost/ONE?durable=x", "durable"},
	} {
		s, err := Parse(c.address, Credentials{}, false)
		if c.want == "" {
			ok(t, err)
			testkit.Must(s.Partitions(t.Context()))(t)
		} else if !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), c.want) ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", c.address, err)
		}
	}
}
