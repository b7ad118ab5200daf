package deliver_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/softstake/softstake/deliver"
	"github.com/softstake/softstake/faultproxy"
	"github.com/softstake/softstake/payout"
	"github.com/softstake/softstake/payout/postgres"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/testkit"
)

const (
	faults       = 4
	faultsInLong = 200
	// goesOnWithin is more than any client takes to notice that its connections are lost.
	goesOnWithin = 3 * time.Minute
)

// newBrokerBehind is a broker in this process, behind a proxy.
func newBrokerBehind(b *books, kind string) (x *broker, p *faultproxy.Proxy) {
	b.Helper()
	x = &broker{books: b, kind: kind}
	if kind == "kafka" {
		c := testkit.Must(kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "payouts"),
			kfake.ListenFn(func(string, string) (l net.Listener, _ error) {
				p, l = faultproxy.Listen(b.T)
				return l, nil
			})))(b.T)
		b.Cleanup(c.Close)
	} else {
		s := testkit.Must(server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true,
			NoSigs: true, NoLog: true, StoreDir: b.TempDir()}))(b.T)
		s.Start()
		b.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		p = faultproxy.New(b.T, strings.TrimPrefix(s.ClientURL(), "nats://"))
	}
	x.port = testkit.Must(net.ResolveTCPAddr("tcp", p.Addr()))(b.T).Port
	x.address = fmt.Sprintf("%s://%s/payouts", kind, p.Addr())
	x.target = testkit.Must(parse(x.address))(b.T)
	if kind == "nats" {
		x.makeStream()
	}
	return x, p
}

func (x *broker) makeStream() {
	x.Helper()
	x.stream(func(js jetstream.JetStream) error {
		_, err := js.CreateStream(x.Context(), jetstream.StreamConfig{Name: "PAYOUTS", Subjects: []string{"payouts"}})
		return err
	})
}

// TestBrokersNetwork: the network to a broker fails at random moments in every way. Each time it goes on by itself;
// afterwards each payout is in the topic.
func TestBrokersNetwork(t *testing.T) {
	for _, kind := range []string{"kafka", "nats"} {
		t.Run(kind, func(t *testing.T) {
			b := newBooks(t)
			x, p := newBrokerBehind(b, kind)
			b.disturb(x.target, p)
			t.Logf("%d payouts in %d messages", len(b.payouts()), x.same())
		})
	}
}

// testNetwork: the network to the database fails, while the exchange acknowledges. Afterwards each payout is in the
// table once.
func testNetwork(b *books, x *exchange, server *pgtest.Server) {
	host := testkit.Must(url.Parse(x.address))(b.T).Host
	p := faultproxy.New(b.T, host)
	target := testkit.Must(postgres.Parse(strings.Replace(x.address, host, p.Addr(), 1), "exchange", false))(b.T)
	crediting, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { credit(crediting, server.URL("network")) })
	b.disturb(target, p)
	stop()
	running.Wait()
	x.same(b)
	x.do("UPDATE shop.payouts SET transaction = 'tx-' || number WHERE transaction IS NULL")
	b.deliver(target)
	b.open(0, 0)
}

// disturb delivers to a target, while days are paid and the network fails: after each fault all is delivered.
func (b *books) disturb(target payout.Target, p *faultproxy.Proxy) {
	b.Helper()
	c := configure(b.DB, target, b.log)
	c.UntilEnd = false
	ctx, end := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if _, err := deliver.Run(ctx, c); err != nil {
			b.Error(err)
		}
	})
	defer func() { end(); running.Wait() }()
	b.settle()
	goesOn := func(f faultproxy.Fault) {
		b.Helper()
		for until := time.Now().Add(goesOnWithin); b.state().Backlog > 0; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(until) {
				end()
				running.Wait()
				b.Fatalf("it does not go on after a %s\n%s", f, b.log)
			}
		}
		b.settle() // so that something is delivered when the network fails again
	}
	goesOn(0)
	rounds := faults
	if scenario.Long() {
		rounds = faultsInLong
	}
	faultproxy.Disturb(b, []*faultproxy.Proxy{p}, rounds, scenario.Chance(scenario.Seed(b.T), 0), goesOn)
	for until := time.Now().Add(goesOnWithin); b.state().Backlog > 0 && time.Now().Before(until); {
		time.Sleep(5 * time.Millisecond) // between two looks
	}
}
