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
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/softstake/softstake/deliver"
	"github.com/softstake/softstake/faultproxy"
	"github.com/softstake/softstake/payout"
	"github.com/softstake/softstake/payout/postgres"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
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
	x = &broker{books: b, kind: kind, stream: store.PayoutStream}
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
	x.hosts = []string{p.Addr()}
	x.address = fmt.Sprintf("%s://%s/payouts", kind, p.Addr())
	if kind == "nats" {
		x.makeStream()
	}
	return x, p
}

// TestBrokersNetwork: the network to a broker fails at random moments in every way. Each time it goes on by itself;
// afterwards each payout is in the topic.
func TestBrokersNetwork(t *testing.T) {
	for _, kind := range []string{"kafka", "nats"} {
		t.Run(kind, func(t *testing.T) {
			b := newBooks(t)
			x, p := newBrokerBehind(b, kind)
			target := testkit.Must(parse(x.address))(t)
			b.disturb(target, p)
			b.cutOff(target, p)
			t.Logf("%d payouts in %d messages", len(b.payouts()), x.same())
		})
	}
}

// noticedWithin is more than it takes to see that a connection has ended, and less than it takes to give up a silent
// one.
const noticedWithin = 20 * time.Second

// cutOff resets the connection while messages wait to be acknowledged, which is noticed without waiting for that.
func (b *books) cutOff(target payout.Target, p *faultproxy.Proxy) {
	b.Helper()
	b.following(target, func() {
		b.settle()
		b.delivered("at first", goesOnWithin)
		p.Break(faultproxy.Silence, nil)
		b.settle()
		for until := time.Now().Add(goesOnWithin); !p.Holds(); time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				b.Fatal("nothing is sent")
			}
		}
		p.Break(faultproxy.Reset, nil)
		p.Restore()
		b.delivered("when the connection is reset", noticedWithin)
	})
}

// TestBrokersSilent: that a broker is not heard of any more is noticed in the time that docs/join.md names, and shown.
// When it is heard again all is delivered.
func TestBrokersSilent(t *testing.T) {
	if !scenario.Long() {
		t.Skip("it waits for a minute; SOFTSTAKE_LONG=1 runs it")
	}
	for kind, within := range map[string]time.Duration{"kafka": 50 * time.Second, "nats": 30 * time.Second} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBooks(t)
			x, p := newBrokerBehind(b, kind)
			b.silence(testkit.Must(parse(x.address))(t), p, within)
			x.same()
		})
	}
}

// silence delivers to a target which is not heard of any more, until that is noticed, and then to the end.
func (b *books) silence(target payout.Target, p *faultproxy.Proxy, within time.Duration) {
	b.Helper()
	b.following(target, func() {
		b.settle()
		b.delivered("at first", goesOnWithin)
		p.Break(faultproxy.Silence, nil)
		b.settle()
		faultproxy.Noticed(b, within, func() string { return b.state().Error })
		p.Restore()
		b.delivered("when it is heard again", goesOnWithin)
	})
}

// following delivers to a target while something is done.
func (b *books) following(target payout.Target, do func()) {
	b.Helper()
	c := configure(b.DB, b.log)
	c.UntilEnd = false
	ctx, end := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if _, err := deliver.Payouts(ctx, c, target); err != nil {
			b.Error(err)
		}
	})
	defer func() {
		end()
		running.Wait()
		if b.Failed() {
			b.Log(b.log)
		}
	}()
	do()
}

// delivered waits until all is delivered.
func (b *books) delivered(when string, within time.Duration) {
	b.Helper()
	for until := time.Now().Add(within); b.state().Backlog > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			b.Fatalf("it does not go on %s", when)
		}
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
	rounds := faults
	if scenario.Long() {
		rounds = faultsInLong
	}
	b.following(target, func() {
		b.settle()
		goesOn := func(f faultproxy.Fault) {
			b.Helper()
			b.delivered("after a "+f.String(), goesOnWithin)
			b.settle() // so that something is delivered when the network fails again
		}
		faultproxy.Disturb(b, []*faultproxy.Proxy{p}, rounds, scenario.Chance(scenario.Seed(b.T), 0), goesOn)
		b.delivered("at last", goesOnWithin)
	})
}
