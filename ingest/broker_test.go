package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ingest"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/join/kafka"
	"github.com/softstake/softstake/join/nats"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// brokerToRun is the variable by which the tests start themselves as a broker that can be killed:
// kafka://PORT,PORT/FOLDER or nats://PORT,ROUTE,ROUTE…/FOLDER, where the first route is its own.
const brokerToRun = "SOFTSTAKE_TEST_BROKER"

// The topic, and the streams.
const (
	topicName        = "LEDGER"
	brokerPartitions = 2
	leadersMove      = 700 * time.Millisecond
)

// runBroker runs a broker until it is killed.
func runBroker(address string) error {
	kind, rest, _ := strings.Cut(address, "://")
	list, folder, _ := strings.Cut(rest, "/")
	var ports []int
	for text := range strings.SplitSeq(list, ",") {
		port, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		ports = append(ports, port)
	}
	if kind == "kafka" {
		c, err := kfake.NewCluster(kfake.NumBrokers(len(ports)), kfake.Ports(ports...), kfake.DataDir("/"+folder),
			kfake.SyncWrites(), kfake.SeedTopics(brokerPartitions, topicName))
		if err != nil {
			return err
		}
		for {
			time.Sleep(leadersMove)
			if len(ports) > 1 {
				c.ShufflePartitionLeaders()
			}
		}
	}
	o := &server.Options{Host: "127.0.0.1", Port: ports[0], JetStream: true, StoreDir: "/" + folder, SyncAlways: true,
		NoSigs: true, NoLog: true, ServerName: fmt.Sprintf("n%d", ports[0])}
	if len(ports) > 1 {
		o.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[1]}
		for _, route := range ports[2:] {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: hostOf(route)})
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return err
	}
	s.Start()
	s.WaitForShutdown()
	return errors.New("the server has ended")
}

func hostOf(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// configureBroker says how books follow the ledger that a broker has.
func configureBroker(books *store.DB, address string, log io.Writer) (c ingest.Config, err error) {
	c = ingest.Config{Books: books, Name: "other", Decode: join.Decode, Log: slog.New(slog.NewTextHandler(log, nil)),
		Poll: 10 * time.Millisecond, Batch: 20, Random: rand.Int64N}
	if strings.HasPrefix(address, "kafka:") {
		c.Source, err = kafka.Parse(address, kafka.Credentials{}, false)
	} else {
		c.Source, err = nats.Parse(address, nats.Credentials{}, false)
	}
	return c, err
}

// sender sends events to a partition, in their order. When it fails, it is not known which have arrived.
type sender interface {
	send(ctx context.Context, partition int, texts []string) error
	close()
}

type kafkaSender struct{ *kgo.Client }

func newKafkaSender(hosts []string) (sender, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(hosts...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RecordDeliveryTimeout(2*time.Second), kgo.RetryTimeout(2*time.Second))
	return kafkaSender{c}, err
}

func (s kafkaSender) send(ctx context.Context, partition int, texts []string) error {
	var records []*kgo.Record
	for _, text := range texts {
		records = append(records, &kgo.Record{Topic: topicName, Partition: int32(partition), Value: []byte(text)})
	}
	return s.ProduceSync(ctx, records...).FirstErr()
}

func (s kafkaSender) close() { s.Client.Close() }

type natsSender struct {
	*natsgo.Conn
	jetstream.JetStream
}

func newNATSSender(hosts []string) (sender, error) {
	c, err := natsgo.Connect(strings.Join(hosts, ","), natsgo.NoReconnect())
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(c)
	return natsSender{c, js}, err
}

func streamName(partition int) string { return fmt.Sprintf("%s-%d", topicName, partition) }

func (s natsSender) send(ctx context.Context, partition int, texts []string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for _, text := range texts {
		if _, err := s.JetStream.Publish(ctx, streamName(partition), []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

func (s natsSender) close() { s.Conn.Close() }

// shop is another ledger, which sends its events to a partition of a broker: again until it knows that they have
// arrived, and at times what has arrived long before.
type shop struct {
	partition int
	chance    *rand.Rand
	number    int64
	balances  map[string]int64 // of the free and held parts of its accounts, the latter with /held behind it
	posted    []string         // the IDs of its changes
	recent    []string         // what it has sent last
}

const shopAccounts = 10

// begin are its first events: accounts, and what they have.
func (s *shop) begin() (texts []string) {
	for i := range shopAccounts {
		account := fmt.Sprintf("a%d-%d", s.partition, i)
		texts = append(texts, s.event("open", account, ""))
		for _, kind := range []string{"free", "held"} {
			part := account
			if kind == "held" {
				part += "/held"
			}
			s.balances[part] = 5_00000000
			texts = append(texts, s.event("balance", account, `,"token":"BNB","balanceAfter":"5","kind":"`+kind+`"`))
		}
	}
	return texts
}

func (s *shop) event(typ, account, more string) string {
	s.number++
	return fmt.Sprintf(`{"position":%d,"type":%q,"id":"%c%d-%d","at":%q,"account":%q%s}`, s.number, typ, typ[0], s.partition,
		s.number, time.Now().UTC().Format(time.RFC3339Nano), account, more)
}

// some are its next events.
func (s *shop) some() (texts []string) {
	for range 1 + s.chance.IntN(5) {
		if s.chance.IntN(20) == 0 {
			s.number++
			texts = append(texts, fmt.Sprintf(`{"position":%d,"type":"watermark","before":%q}`, s.number,
				time.Now().UTC().Format(time.RFC3339Nano)))
			continue
		}
		account, kind := fmt.Sprintf("a%d-%d", s.partition, s.chance.IntN(shopAccounts)), "free"
		part := account
		if s.chance.IntN(2) == 0 {
			part, kind = account+"/held", "held"
		}
		change := max(s.chance.Int64N(2_00000000)-1_00000000, -s.balances[part])
		if change == 0 {
			continue
		}
		s.balances[part] += change
		texts = append(texts, s.event("change", account, fmt.Sprintf(`,"token":"BNB","kind":%q,"change":%q,"balanceAfter":%q`,
			kind, ledger.FormatDecimal(change, 8), ledger.FormatDecimal(s.balances[part], 8))))
		s.posted = append(s.posted, fmt.Sprintf("c%d-%d", s.partition, s.number))
	}
	return texts
}

// write sends events until the context ends, whatever the broker does. Those that have begun to be sent are then sent
// to the end.
func (s *shop) write(ctx context.Context, connect func() (sender, error)) {
	var to sender
	waiting := s.begin()
	for ctx.Err() == nil || len(waiting) > 0 {
		if len(waiting) == 0 {
			if waiting = s.some(); s.chance.IntN(20) == 0 {
				waiting = slices.Concat(s.recent, waiting) // as a sender that has forgotten how far it was
			}
		}
		var err error
		if to == nil {
			if to, err = connect(); err != nil {
				to = nil
				time.Sleep(betweenWrites)
				continue
			}
		}
		if err := to.send(context.Background(), s.partition, waiting); err != nil {
			to.close()
			to = nil
			continue
		}
		s.recent = append(s.recent, waiting...)
		s.recent, waiting = s.recent[max(0, len(s.recent)-8):], nil
		time.Sleep(betweenWrites)
	}
	to.close()
}

// brokers are processes that are killed.
type brokers struct {
	*testing.T
	addresses []string // by which they are run
	hosts     []string
	running   []*exec.Cmd
	log       *bytes.Buffer
}

func (b *brokers) start(i int) {
	b.Helper()
	b.running[i] = start(b.T, b.log, brokerToRun+"="+b.addresses[i])
}

// freePorts are ports that nobody listens on.
func freePorts(t *testing.T, n int) (ports []string) {
	t.Helper()
	for range n {
		l := testkit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
		defer func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}()
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, port)
	}
	return ports
}

func startBrokers(t *testing.T, kind string, nodes int) *brokers {
	t.Helper()
	b := &brokers{T: t, log: &bytes.Buffer{}}
	ports := freePorts(t, 2*nodes)
	for i := range nodes {
		own := ports[i : i+1]
		if nodes > 1 {
			own = slices.Concat(own, ports[nodes+i:nodes+i+1], ports[nodes:])
		}
		if kind == "kafka" {
			own = ports[:2] // one process has two brokers
		}
		b.addresses = append(b.addresses, kind+"://"+strings.Join(own, ",")+filepath.ToSlash(t.TempDir()))
		b.hosts = append(b.hosts, "127.0.0.1:"+ports[i])
		b.running = append(b.running, nil)
		b.start(i)
	}
	t.Cleanup(func() {
		for _, c := range b.running {
			kill(t, c, b.log)
		}
	})
	return b
}

// makeStreams makes the streams of NATS, when the servers are there.
func (b *brokers) makeStreams() {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	for p := range brokerPartitions {
		for {
			s, err := newNATSSender(b.hosts)
			if err == nil {
				once, end := context.WithTimeout(ctx, 2*time.Second) // without a leader nobody answers
				_, err = s.(natsSender).JetStream.CreateStream(once, jetstream.StreamConfig{Name: streamName(p),
					Subjects: []string{streamName(p)}, Replicas: len(b.hosts)})
				end()
				s.close()
			}
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				b.Fatal(err)
			}
			time.Sleep(betweenWrites)
		}
	}
}

// TestKafkaKilled is TestBrokerKilled with two brokers of kfake in one process, whose partitions move between them.
func TestKafkaKilled(t *testing.T) {
	b := startBrokers(t, "kafka", 1)
	killBroker(t, b, "kafka://"+b.hosts[0]+"/"+topicName, func() (sender, error) { return newKafkaSender(b.hosts) })
}

// TestNATSKilled is TestBrokerKilled with a server of NATS, in the long tests with a cluster of three.
func TestNATSKilled(t *testing.T) {
	nodes := 1
	if scenario.Long() {
		nodes = 3
	}
	b := startBrokers(t, "nats", nodes)
	b.makeStreams()
	killBroker(t, b, "nats://"+strings.Join(b.hosts, ",")+"/"+streamName(0)+","+streamName(1),
		func() (sender, error) { return newNATSSender(b.hosts) })
}

// openShops opens a shop for each partition, which write until stop is called; it returns when all they have begun to
// send has arrived.
func openShops(t *testing.T, seed uint64, connect func() (sender, error)) (shops []*shop, stop func()) {
	writing, end := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for p := range brokerPartitions {
		s := &shop{partition: p, chance: rand.New(rand.NewPCG(seed, uint64(1+p))), balances: map[string]int64{}}
		shops = append(shops, s)
		writers.Go(func() { s.write(writing, connect) })
	}
	stop = func() { end(); writers.Wait() }
	t.Cleanup(stop)
	return shops, stop
}

// killBroker kills who follows a broker, and the broker (kill -9), at random moments, while a ledger sends its events
// to it, some of them again. Afterwards the balances are those of the ledger, to the unit, and each change has one
// entry.
func killBroker(t *testing.T, b *brokers, address string, connect func() (sender, error)) {
	times := kills
	if scenario.Long() {
		times = killsInLong
	}
	seed := scenario.Seed(t)
	chance := scenario.Chance(seed, 0)
	books, log := newBooks(t), &bytes.Buffer{}
	config := testkit.Must(configure(books.DB, address, log))(t)
	shops, stop := openShops(t, seed, connect)
	for k := range times {
		c := start(t, log, booksToFill+"="+books.address, ledgerToRead+"="+address)
		time.Sleep(time.Duration(chance.Int64N(int64(min(k+1, 4)) * int64(500*time.Millisecond))))
		if k%killsOfServer == killsOfServer-1 {
			i := chance.IntN(len(b.running))
			kill(t, b.running[i], b.log)
			b.start(i)
			time.Sleep(time.Duration(chance.Int64N(int64(500 * time.Millisecond))))
		}
		kill(t, c, log)
	}
	stop()
	follow(t, config, shops, log)
	same(t, books, shops, log)
}

// same ends the test unless the balances are those of the shops, to the unit, and each change has one entry.
func same(t *testing.T, books testBooks, shops []*shop, log fmt.Stringer) {
	t.Helper()
	want, got := map[string]int64{}, map[string]int64{}
	var changes, posted []string
	for _, s := range shops {
		maps.Copy(want, s.balances)
		changes = append(changes, s.posted...)
	}
	err := books.Engine().Look(t.Context(), func(v db.View) error {
		return errors.Join(
			v.Query(func(r db.Row) error { got[r.Text(0)] = r.Int(1); return nil },
				"SELECT account, balance FROM balances WHERE asset = 'BNB' AND account NOT LIKE '@%'"),
			v.Query(func(r db.Row) error { posted = append(posted, r.Text(0)[len("join/other/"):]); return nil },
				"SELECT entry FROM entries WHERE entry LIKE 'join/other/c%'"))
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(changes)
	slices.Sort(posted)
	if diff := cmp.Diff(want, got); diff != "" || !slices.Equal(changes, posted) {
		t.Fatalf("%d changes were posted of %d\n%s\n%s", len(posted), len(changes), diff, log)
	}
	t.Logf("%d changes", len(posted))
}

// follow follows until the books have every event, by its number.
func follow(t *testing.T, c ingest.Config, shops []*shop, log fmt.Stringer) {
	t.Helper()
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	var running sync.WaitGroup
	running.Go(func() {
		if _, err := ingest.Run(ctx, c); err != nil {
			t.Error(err)
		}
	})
	for _, s := range shops {
		for ctx.Err() == nil {
			p := testkit.Must(c.Books.AddPartition(t.Context(), "other", streamName(s.partition)))(t)
			if p.State != store.Running {
				t.Fatalf("%s has stopped: %s\n%s", p.Name, p.Reason, log)
			}
			if p.Number == s.number {
				break
			}
			time.Sleep(10 * time.Millisecond) // between two looks
		}
	}
	if ctx.Err() != nil {
		t.Errorf("the events do not come\n%s", log)
	}
	end()
	running.Wait()
}

// TestBroker: a dry run says where a partition would stop and what differs; then the events come in, up to there, and
// go on when a person has decided.
func TestBroker(t *testing.T) {
	for name, open := range networks {
		t.Run(name, func(t *testing.T) {
			n := open(t)
			to := testkit.Must(n.connect())(t)
			t.Cleanup(to.close)
			send := func(partition int, lines string) {
				t.Helper()
				texts := strings.Split(strings.ReplaceAll(lines, "TIME", time.Now().UTC().Format(time.RFC3339Nano)), "\n")
				if err := to.send(t.Context(), partition, texts); err != nil {
					t.Fatal(err)
				}
			}
			send(0, `{"position":1,"type":"open","id":"o-1","at":"TIME","account":"alice"}
{"position":2,"type":"balance","id":"b-1","at":"TIME","account":"alice","token":"BNB","balanceAfter":"5"}
{"position":3,"id":"e-1","at":"TIME","account":"alice","token":"BNB","change":"1","balanceAfter":"6"}
{"position":2,"type":"balance","id":"b-1","at":"TIME","account":"alice","token":"BNB","balanceAfter":"5"}
{"position":4,"type":"watermark","before":"TIME"}`)
			send(1, `{"position":1,"type":"open","id":"o-2","at":"TIME","account":"bob"}
{"position":2,"id":"e-2","at":"TIME","account":"bob","token":"BNB","change":"1"}
{"position":4,"id":"e-4","at":"TIME","account":"bob","token":"BNB","change":"1"}`)
			books, log := newBooks(t), &bytes.Buffer{}
			c := testkit.Must(configure(books.DB, n.address, log))(t)
			c.UntilEnd = true
			found := testkit.Must(ingest.Compare(t.Context(), c))(t)
			if len(found.Faults) != 1 || found.Faults[0].Event != "e-4" ||
				!strings.Contains(found.Faults[0].Err.Error(), "number 4") {
				t.Errorf("it would stop at %v", found.Faults)
			}
			if len(found.Differences) != 1 || found.Differences[0].Source != 6_00000000 {
				t.Errorf("what differs is %v", found.Differences)
			}
			result := testkit.Must(ingest.Run(t.Context(), c))(t)
			if len(result.Stopped) != 1 || result.Stopped[0].StopEvent != "e-4" || result.Entries != 3 {
				t.Fatalf("%+v", result)
			}
			last := result.Stopped[0]
			if err := books.SkipEvents(t.Context(), store.PartitionSkip{Source: "other", Name: last.Name,
				From: last.Stop.Position, Reason: "a test"}); err != nil {
				t.Fatal(err)
			}
			send(1, `{"position":5,"id":"e-5","at":"TIME","account":"bob","token":"BNB","change":"1","balanceAfter":"3"}`)
			if result = testkit.Must(ingest.Run(t.Context(), c))(t); len(result.Stopped) != 0 || result.Entries != 2 {
				t.Fatalf("%+v", result)
			}
			if found = testkit.Must(ingest.Compare(t.Context(), c))(t); len(found.Differences) != 0 {
				t.Errorf("what differs is %v", found.Differences)
			}
		})
	}
}
