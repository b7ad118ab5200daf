package deliver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/softstake/softstake/deliver"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// brokerToRun is the variable by which the tests start themselves as a broker that can be killed: KIND PORTS FOLDER, of
// a cluster of NATS with the ports of the routes behind its own, the first of them its own too.
const brokerToRun = "SOFTSTAKE_TEST_BROKER"

// runBroker runs a broker until it is killed.
func runBroker() error {
	parts := strings.SplitN(os.Getenv(brokerToRun), " ", 3)
	var ports []int
	for text := range strings.SplitSeq(parts[1], ",") {
		port, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		ports = append(ports, port)
	}
	if parts[0] == "kafka" {
		if _, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(ports...), kfake.DataDir(parts[2]),
			kfake.SyncWrites(), kfake.SeedTopics(partitions, "payouts", "events")); err != nil {
			return err
		}
		select {}
	}
	o := &server.Options{Host: "127.0.0.1", Port: ports[0], JetStream: true, StoreDir: parts[2], SyncAlways: true,
		NoSigs: true, NoLog: true, ServerName: fmt.Sprint("n", ports[0])}
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

// partitions are how many a topic of Kafka has.
const partitions = 2

func hostOf(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// broker is a broker of one or several servers, each a process of its own.
type broker struct {
	*books
	kind, address string
	stream        store.Stream // what it gets
	hosts         []string
	ports         []string // of each server, with those of its routes
	folders       []string
	processes     []*exec.Cmd
}

func newBroker(b *books, kind string, servers int, stream store.Stream) *broker {
	b.Helper()
	x := &broker{books: b, kind: kind, stream: stream, processes: make([]*exec.Cmd, servers)}
	var free []int
	for range 2 * servers {
		listener := testkit.Must(net.Listen("tcp", "127.0.0.1:0"))(b.T)
		defer func() { b.ok(listener.Close()) }() // all at once, so that they differ
		free = append(free, listener.Addr().(*net.TCPAddr).Port)
	}
	for i := range servers {
		x.hosts, x.folders = append(x.hosts, hostOf(free[i])), append(x.folders, b.TempDir())
		ports := strconv.Itoa(free[i])
		if servers > 1 {
			ports += fmt.Sprint(",", free[servers+i])
			for _, route := range free[servers:] {
				ports += fmt.Sprint(",", route)
			}
		}
		x.ports = append(x.ports, ports)
	}
	x.address = fmt.Sprintf("%s://%s/%s", kind, strings.Join(x.hosts, ","), stream)
	return x
}

// run starts the servers, and makes the stream of NATS.
func (x *broker) run() *broker {
	x.Helper()
	for i := range x.hosts {
		x.start(i)
		x.Cleanup(func() { x.kill(i) })
	}
	if x.kind == "nats" {
		x.makeStream()
	}
	return x
}

// start starts a server, and waits until it can be reached.
func (x *broker) start(i int) {
	x.Helper()
	x.processes[i] = exec.Command(os.Args[0])
	x.processes[i].Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s", brokerToRun, x.kind, x.ports[i], x.folders[i]))
	x.processes[i].Stderr = x.log
	x.ok(x.processes[i].Start())
	for end := time.Now().Add(20 * time.Second); ; {
		c, err := net.Dial("tcp", x.hosts[i])
		if err == nil {
			x.ok(c.Close())
			return
		}
		if time.Now().After(end) {
			x.Fatalf("the broker does not start: %v\n%s", err, x.log)
		}
		time.Sleep(10 * time.Millisecond) // between two looks
	}
}

func (x *broker) kill(i int) {
	_ = x.processes[i].Process.Kill() // it may have ended
	_ = x.processes[i].Wait()
}

func (x *broker) makeStream() {
	x.Helper()
	x.jetStream(func(ctx context.Context, js jetstream.JetStream) error {
		_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "TEST", Subjects: []string{string(x.stream)},
			Replicas: len(x.hosts)})
		return err
	})
}

// jetStream does something with JetStream, until it is there.
func (x *broker) jetStream(do func(context.Context, jetstream.JetStream) error) {
	x.Helper()
	for end := time.Now().Add(time.Minute); ; {
		c, err := natsgo.Connect(strings.Join(x.hosts, ","))
		if err == nil {
			ctx, cancel := context.WithTimeout(x.Context(), 10*time.Second) // without a leader nobody answers
			var js jetstream.JetStream
			if js, err = jetstream.New(c); err == nil {
				err = do(ctx, js)
			}
			cancel()
			c.Close()
		}
		if err == nil {
			return
		}
		if time.Now().After(end) {
			x.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // between two attempts
	}
}

// record is a message as the reader of a topic sees it; NATS has no key.
type record struct {
	id, key string
	text    []byte
}

// read reads all messages of the topic, by partition.
func (x *broker) read() (partitions [][]record) {
	x.Helper()
	add := func(partition int, m record) {
		for len(partitions) <= partition {
			partitions = append(partitions, nil)
		}
		partitions[partition] = append(partitions[partition], m)
	}
	if x.kind == "nats" {
		x.jetStream(func(ctx context.Context, js jetstream.JetStream) error {
			partitions = nil
			s, err := js.Stream(ctx, "TEST")
			if err != nil {
				return err
			}
			for n := uint64(1); n <= s.CachedInfo().State.LastSeq; n++ {
				m, err := s.GetMsg(ctx, n)
				if err != nil {
					return err
				}
				add(0, record{id: m.Header.Get(natsgo.MsgIdHdr), text: m.Data})
			}
			return nil
		})
		return partitions
	}
	c := testkit.Must(kgo.NewClient(kgo.SeedBrokers(x.hosts...),
		kgo.ConsumeTopics(string(x.stream)), kgo.FetchMaxWait(100*time.Millisecond)))(x.T)
	defer c.Close()
	ctx, cancel := context.WithTimeout(x.Context(), time.Minute)
	defer cancel()
	for left := x.records(ctx, c); left > 0; {
		some := c.PollFetches(ctx)
		x.ok(some.Err0())
		left -= some.NumRecords()
		some.EachRecord(func(r *kgo.Record) {
			add(int(r.Partition), record{string(r.Headers[0].Value), string(r.Key), r.Value})
		})
	}
	return partitions
}

// records are how many records a topic of Kafka has.
func (x *broker) records(ctx context.Context, c *kgo.Client) (n int) {
	x.Helper()
	r, t := kmsg.NewPtrListOffsetsRequest(), kmsg.NewListOffsetsRequestTopic()
	t.Topic = string(x.stream)
	for p := range int32(partitions) {
		of := kmsg.NewListOffsetsRequestTopicPartition()
		of.Partition, of.Timestamp = p, -1 // the end
		t.Partitions = append(t.Partitions, of)
	}
	r.Topics = append(r.Topics, t)
	for _, t := range testkit.Must(r.RequestWith(ctx, c))(x.T).Topics {
		for _, p := range t.Partitions {
			x.ok(kerr.ErrorForCode(p.ErrorCode))
			n += int(p.Offset)
		}
	}
	return n
}

// sent is a payout or a batch as the reader of a topic sees it.
type sent struct {
	Type, ID, Day, Asset, Account, Amount, PaidAt, Total string
	Number, First, Last                                  int64
	key, id                                              string
}

// same ends the test unless the topic has each payout of the books at least once and with its content, those of an
// account in their order, and each batch with its total.
func (x *broker) same() (messages int) {
	x.Helper()
	asset := testkit.Must(x.Asset(x.Context(), "BNB"))(x.T)
	payouts, batches := map[int64]sent{}, map[int64]sent{}
	for _, partition := range x.read() {
		newest := map[string]int64{}
		for _, r := range partition {
			m := sent{key: r.key, id: r.id}
			x.ok(json.Unmarshal(r.text, &m))
			messages++
			if m.Type == "batch" {
				batches[m.First] = m
				continue
			}
			if _, before := payouts[m.Number]; !before && m.Number < newest[m.Account] {
				x.Errorf("payout %d comes after %d", m.Number, newest[m.Account])
			}
			newest[m.Account] = max(newest[m.Account], m.Number)
			if before, is := payouts[m.Number]; is && before != m {
				x.Errorf("payout %d is %+v and %+v", m.Number, before, m)
			}
			payouts[m.Number] = m
		}
	}
	all := x.payouts()
	for _, p := range all {
		m := payouts[p.Number]
		if m.Type != "payout" || m.ID != p.ID || m.Amount != asset.Format(p.Amount) || m.Account != string(p.Account) ||
			m.Day != p.Due.Day.String() || m.Asset != "BNB" || m.PaidAt != p.Paid.Format("2006-01-02T15:04:05.000Z") {
			x.Fatalf("payout %+v came as %+v\n%s", p, m, x.log)
		}
		if m.id != p.ID || x.kind == "kafka" && m.key != string(p.Account) {
			x.Errorf("the key of %s is %q, and its ID %q", p.ID, m.key, m.id)
		}
	}
	next := int64(1)
	for _, first := range slices.Sorted(maps.Keys(batches)) {
		b, sum := batches[first], ledger.Amount(0)
		for n := b.First; n <= b.Last; n++ {
			sum += testkit.Must(asset.Parse(payouts[n].Amount))(x.T)
		}
		if b.First != next || testkit.Must(asset.Parse(b.Total))(x.T) != sum {
			x.Errorf("the batch %+v, after %d, has %d", b, next-1, sum)
		}
		next = b.Last + 1
	}
	if next != int64(len(all))+1 || len(payouts) != len(all) {
		x.Errorf("%d payouts came, in batches up to %d, of %d", len(payouts), next-1, len(all))
	}
	return messages
}

// servers are how many a broker has.
func servers(kind string) int {
	if kind == "nats" && scenario.Long() {
		return 3
	}
	return 1
}

// TestBrokers: what is paid is in the topic; a broker that is down is retried, what it has lost is sent again, and
// whoever delivers, or the broker, may be killed (kill -9) at any moment. In the long tests NATS is a cluster of three.
func TestBrokers(t *testing.T) {
	for _, kind := range []string{"kafka", "nats"} {
		t.Run(kind, func(t *testing.T) {
			b := newBooks(t)
			x := newBroker(b, kind, servers(kind), store.PayoutStream).run()
			target := testkit.Must(parse(x.address))(t)
			b.settle()
			if r := b.deliver(target); r.Sent != holders {
				t.Fatalf("%+v", r)
			}
			messages := x.same()
			if r := b.deliver(target); r.Sent != 0 || x.same() != messages {
				t.Errorf("delivered again: %+v", r)
			}
			c := configure(b.DB, b.log)
			c.From = 5
			if r := testkit.Must(deliver.Payouts(t.Context(), c, target))(t); r.Sent != holders-4 {
				t.Errorf("from 5 on %+v", r)
			}
			x.same()
			x.killed()
			x.finally(func(c deliver.Config) error {
				_, err := deliver.Payouts(t.Context(), c, target)
				return err
			})
			messages = x.same()
			t.Logf("%d payouts in %d messages", len(b.payouts()), messages)
		})
	}
}

// killed kills who delivers and the broker, at random moments.
func (x *broker) killed() {
	times := kills
	if scenario.Long() {
		times = killsInLong
	}
	chance := scenario.Chance(scenario.Seed(x.T), 0)
	for k := range times {
		x.settle()
		c := x.alone(x.stream, x.address)
		x.ok(c.Start())
		time.Sleep(time.Duration(chance.Int64N(int64(500 * time.Millisecond)))) // the moment is what is random
		if k%2 == 1 {
			i := chance.IntN(len(x.hosts))
			x.kill(i)
			x.start(i)
			time.Sleep(time.Duration(chance.Int64N(int64(200 * time.Millisecond))))
		}
		x.ok(c.Process.Kill())
		_ = c.Wait() // it was killed
	}
}

// finally delivers what is left, when the lease of the one that was killed is over.
func (x *broker) finally(run func(deliver.Config) error) {
	x.Helper()
	x.clock.Advance(2 * store.TargetLease)
	c := configure(x.DB, x.log)
	for end := time.Now().Add(time.Minute); ; { // a broker that has just begun may not answer yet
		if err := run(c); err == nil {
			break
		} else if time.Now().After(end) {
			x.Fatalf("%v\n%s", err, x.log)
		}
	}
	if s := x.state(); s.Backlog != 0 || s.Error != "" || s.Holder != "" {
		x.Errorf("%+v", s)
	}
}
