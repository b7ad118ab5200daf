package deliver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
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
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/softstake/softstake/deliver"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// brokerToRun is the variable by which the tests start themselves as a broker that can be killed: KIND PORT FOLDER.
const brokerToRun = "SOFTSTAKE_TEST_BROKER"

// runBroker runs a broker until it is killed.
func runBroker() error {
	parts := strings.SplitN(os.Getenv(brokerToRun), " ", 3)
	port, err := strconv.Atoi(parts[1])
	if err != nil {
		return err
	}
	if parts[0] == "kafka" {
		if _, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port), kfake.DataDir(parts[2]), kfake.SyncWrites(),
			kfake.SeedTopics(2, "payouts", "events")); err != nil {
			return err
		}
		select {}
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: parts[2],
		SyncAlways: true, NoSigs: true, NoLog: true})
	if err != nil {
		return err
	}
	s.Start()
	s.WaitForShutdown()
	return errors.New("the server has ended")
}

// broker is a broker that runs as a process of its own.
type broker struct {
	*books
	kind, folder, address string
	stream                store.Stream // what it gets
	port                  int
	process               *exec.Cmd
}

func newBroker(b *books, kind string, stream store.Stream) *broker {
	b.Helper()
	listener := testkit.Must(net.Listen("tcp", "127.0.0.1:0"))(b.T)
	x := &broker{books: b, kind: kind, stream: stream, folder: b.TempDir(), port: listener.Addr().(*net.TCPAddr).Port}
	b.ok(listener.Close())
	x.address = fmt.Sprintf("%s://127.0.0.1:%d/%s", kind, x.port, stream)
	x.start()
	b.Cleanup(x.kill)
	if kind == "nats" {
		x.makeStream()
	}
	return x
}

// start starts the process, and waits until it can be reached.
func (x *broker) start() {
	x.Helper()
	x.process = exec.Command(os.Args[0])
	x.process.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", brokerToRun, x.kind, x.port, x.folder))
	x.process.Stderr = x.log
	x.ok(x.process.Start())
	for end := time.Now().Add(20 * time.Second); ; {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", x.port))
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

func (x *broker) kill() {
	_ = x.process.Process.Kill() // it may have ended
	_ = x.process.Wait()
}

func (x *broker) makeStream() {
	x.Helper()
	x.jetStream(func(js jetstream.JetStream) error {
		_, err := js.CreateStream(x.Context(), jetstream.StreamConfig{Name: "TEST", Subjects: []string{string(x.stream)}})
		return err
	})
}

// jetStream does something with JetStream, until it is there.
func (x *broker) jetStream(do func(jetstream.JetStream) error) {
	x.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		c, err := natsgo.Connect(fmt.Sprintf("nats://127.0.0.1:%d", x.port))
		if err == nil {
			var js jetstream.JetStream
			if js, err = jetstream.New(c); err == nil {
				err = do(js)
			}
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
		x.jetStream(func(js jetstream.JetStream) error {
			partitions = nil
			s, err := js.Stream(x.Context(), "TEST")
			if err != nil {
				return err
			}
			for n := uint64(1); n <= s.CachedInfo().State.LastSeq; n++ {
				m, err := s.GetMsg(x.Context(), n)
				if err != nil {
					return err
				}
				add(0, record{id: m.Header.Get(natsgo.MsgIdHdr), text: m.Data})
			}
			return nil
		})
		return partitions
	}
	c := testkit.Must(kgo.NewClient(kgo.SeedBrokers(fmt.Sprintf("127.0.0.1:%d", x.port)),
		kgo.ConsumeTopics(string(x.stream)), kgo.FetchMaxWait(100*time.Millisecond)))(x.T)
	defer c.Close()
	for idle := 0; idle < 3; { // what is there comes at once
		ctx, cancel := context.WithTimeout(x.Context(), 300*time.Millisecond)
		some := c.PollFetches(ctx)
		cancel()
		if idle++; some.NumRecords() > 0 {
			idle = 0
		}
		some.EachRecord(func(r *kgo.Record) {
			add(int(r.Partition), record{string(r.Headers[0].Value), string(r.Key), r.Value})
		})
	}
	return partitions
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

// TestBrokers: what is paid is in the topic; a broker that is down is retried, what it has lost is sent again, and
// whoever delivers, or the broker, may be killed (kill -9) at any moment.
func TestBrokers(t *testing.T) {
	for _, kind := range []string{"kafka", "nats"} {
		t.Run(kind, func(t *testing.T) {
			b := newBooks(t)
			x := newBroker(b, kind, store.PayoutStream)
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
			x.kill()
			x.start()
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
	for end := time.Now().Add(30 * time.Second); ; { // a broker that has just begun may not answer yet
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
