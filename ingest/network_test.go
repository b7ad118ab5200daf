package ingest_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/softstake/softstake/faultproxy"
	"github.com/softstake/softstake/ingest"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

const (
	faults       = 4
	faultsInLong = 200
	// goesOnWithin is more than any client takes to notice that its connections are lost.
	goesOnWithin = 2 * time.Minute
)

// network is the network between a source and who follows it.
type network struct {
	proxies []*faultproxy.Proxy
	address string // of the source behind it
	connect func() (sender, error)
}

// networks are brokers in this process, whose writers too are behind proxies.
var networks = map[string]func(*testing.T) network{
	"kafka": func(t *testing.T) (n network) {
		c := testkit.Must(kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(brokerPartitions, topicName),
			kfake.ListenFn(func(string, string) (net.Listener, error) {
				p, l := faultproxy.Listen(t)
				n.proxies = append(n.proxies, p)
				return l, nil
			})))(t)
		t.Cleanup(c.Close)
		hosts := c.ListenAddrs() // the proxies'
		n.address = "kafka://" + strings.Join(hosts, ",") + "/" + topicName
		n.connect = func() (sender, error) { return newKafkaSender(hosts) }
		return n
	},
	"nats": func(t *testing.T) (n network) {
		s := testkit.Must(server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true,
			NoSigs: true, NoLog: true, StoreDir: t.TempDir()}))(t)
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		p := faultproxy.New(t, strings.TrimPrefix(s.ClientURL(), "nats://"))
		b := &brokers{T: t, hosts: []string{p.Addr()}}
		b.makeStreams()
		return network{[]*faultproxy.Proxy{p}, "nats://" + p.Addr() + "/" + streamName(0) + "," + streamName(1),
			func() (sender, error) { return newNATSSender(b.hosts) }}
	},
}

// TestBrokerNetwork: the network between a broker and who follows it, and who writes to it, fails at random moments in
// every way. Each time it goes on by itself; afterwards the balances are those of the ledger, to the unit, and each
// change has one entry.
func TestBrokerNetwork(t *testing.T) {
	for kind, open := range networks {
		t.Run(kind, func(t *testing.T) {
			n, books, log := open(t), newBooks(t), &bytes.Buffer{}
			seed := scenario.Seed(t)
			shops, stop := openShops(t, seed, n.connect)
			config := testkit.Must(configure(books.DB, n.address, log))(t)
			names := []string{streamName(0), streamName(1)}
			disturb(t, config, names, n.proxies, scenario.Chance(seed, 0), log)
			stop()
			follow(t, config, shops, log)
			same(t, books, shops, log)
		})
	}
}

// TestBrokerSilent: that a broker is not heard of any more is noticed in the time that docs/join.md names, and logged.
// When it is heard again the events come.
func TestBrokerSilent(t *testing.T) {
	if !scenario.Long() {
		t.Skip("it waits for half a minute; SOFTSTAKE_LONG=1 runs it")
	}
	for kind, within := range map[string]time.Duration{"kafka": 25 * time.Second, "nats": 15 * time.Second} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			n, books, log := networks[kind](t), newBooks(t), &scenario.Buffer{}
			shops, stop := openShops(t, scenario.Seed(t), n.connect)
			config := testkit.Must(configure(books.DB, n.address, log))(t)
			following(t, config, func() {
				goesOn(t, config, streamName(0))
				for _, p := range n.proxies {
					p.Break(faultproxy.Silence, nil)
				}
				faultproxy.Noticed(t, within, func() string {
					if said := log.String(); strings.Contains(said, "retrying") {
						return said
					}
					return ""
				})
				for _, p := range n.proxies {
					p.Restore()
				}
				goesOn(t, config, streamName(0))
			})
			stop()
			follow(t, config, shops, log)
			same(t, books, shops, log)
		})
	}
}

// disturb is disturb of the network between the database and who follows it.
func (o *other) disturb(chance *rand.Rand) {
	o.Helper()
	host := testkit.Must(url.Parse(o.address))(o.T).Host
	p := faultproxy.New(o.T, host)
	through := testkit.Must(configure(o.config.Books, strings.Replace(o.address, host, p.Addr(), 1), o.log))(o.T)
	disturb(o.T, through, []string{"shop"}, []*faultproxy.Proxy{p}, chance, o.log)
}

// disturb follows a source, which is written to, while the network fails: after each fault every partition goes on.
func disturb(t *testing.T, c ingest.Config, partitions []string, proxies []*faultproxy.Proxy, chance *rand.Rand,
	log fmt.Stringer) {
	t.Helper()
	rounds := faults
	if scenario.Long() {
		rounds = faultsInLong
	}
	defer func() {
		if t.Failed() {
			t.Log(log)
		}
	}()
	following(t, c, func() {
		goesOn(t, c, partitions...)
		faultproxy.Disturb(t, proxies, rounds, chance, func(faultproxy.Fault) { goesOn(t, c, partitions...) })
	})
}

// following follows a source while something is done.
func following(t *testing.T, c ingest.Config, do func()) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if _, err := ingest.Run(ctx, c); err != nil {
			t.Error(err)
		}
	})
	defer func() { end(); running.Wait() }()
	do()
}

// goesOn waits until each of some partitions goes on.
func goesOn(t *testing.T, c ingest.Config, partitions ...string) {
	t.Helper()
	at := func(name string) int64 {
		t.Helper()
		p := testkit.Must(c.Books.AddPartition(t.Context(), c.Name, name))(t)
		if p.State != store.Running {
			t.Fatalf("%s has stopped: %s", name, p.Reason)
		}
		return p.Position
	}
	until := time.Now().Add(goesOnWithin)
	for _, name := range partitions {
		for before := at(name); at(name) == before; time.Sleep(10 * time.Millisecond) { // between two looks
			if time.Now().After(until) {
				t.Fatalf("%s does not go on", name)
			}
		}
	}
}
