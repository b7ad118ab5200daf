package comparison_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/softstake/softstake/comparison"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// figuresOf are the messages of a set in which alice and bob have amounts.
func figuresOf(set string, d staking.Day, alice, bob int64) []string {
	return []string{fmt.Sprintf(`{"type":"begin","set":"%s","day":"%s","position":"%[1]s"}`, set, d),
		fmt.Sprintf(`{"type":"amount","set":"%s","account":"alice","asset":"BNB","balance":"%d"}`, set, alice),
		fmt.Sprintf(`{"type":"amount","set":"%s","account":"bob","asset":"BNB","balance":"%d"}`, set, bob),
		fmt.Sprintf(`{"type":"end","set":"%s","tokens":[{"asset":"BNB","balances":2,"sum":"%d"}]}`, set, alice+bob)}
}

// TestFiguresOfTopics: those of the last set are read that is whole, through the client of join, as often as wanted;
// and a set is refused of which a message is missing.
func TestFiguresOfTopics(t *testing.T) {
	brokers := map[string]func(*testing.T) (string, func(...string)){"kafka": startKafka, "nats": startNATS}
	for name, start := range brokers {
		t.Run(name, func(t *testing.T) {
			address, write := start(t)
			d := staking.DayOf(testkit.Moment(1, "00:00"))
			read, source, err := comparison.Reach{}.Open(store.ComparisonSource{Topic: address})
			must(t, err)
			if source != store.FromTopic {
				t.Errorf("the source is %s", source)
			}
			within, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			try := func(address string) error {
				return comparison.Reach{}.Try(within, store.ComparisonSource{Topic: address}, d, nil)
			}
			if err := try(address); err != nil || try(address+"-2") == nil {
				t.Errorf("it is tried: %v; one that is not there: %v", err, try(address+"-2"))
			}
			figures := func() (reconcile.Figures, error) {
				return read(within, d, map[string]ledger.Asset{"BNB": {Symbol: "BNB", Scale: 8, MaxSupply: ledger.MaxSupply}})
			}
			if _, err := figures(); !errors.Is(err, ledger.ErrNotFound) {
				t.Errorf("of an empty topic: %v", err)
			}
			write(figuresOf("one", d, 1, 2)...)
			write(figuresOf("two", d, 3, 4)...)
			write(figuresOf("other", d+1, 5, 6)...)
			for range 2 {
				f, err := figures()
				want := []reconcile.Balance{{Account: "alice", Asset: "BNB", Amount: 3_00000000},
					{Account: "bob", Asset: "BNB", Amount: 4_00000000}}
				if err != nil || !slices.Equal(f.Balances, want) || !strings.HasPrefix(f.Position, "two, ") ||
					!strings.HasSuffix(f.Position, " from 5 to 8") {
					t.Errorf("%+v, %v", f, err)
				}
			}
			write(slices.Delete(figuresOf("three", d, 3, 4), 1, 2)...)
			if _, err := figures(); !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), "its end says 2") {
				t.Errorf("of a set without one of its messages: %v", err)
			}
		})
	}
}

// startKafka starts a broker, as kfake plays it, with a topic of two partitions.
func startKafka(t *testing.T) (address string, write func(...string)) {
	t.Helper()
	cluster := testkit.Must(kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "balances")))(t)
	t.Cleanup(cluster.Close)
	client := testkit.Must(kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...),
		kgo.DefaultProduceTopic("balances")))(t)
	t.Cleanup(client.Close)
	return "kafka://" + strings.Join(cluster.ListenAddrs(), ",") + "/balances", func(messages ...string) {
		for _, m := range messages {
			r := kgo.StringRecord(m)
			r.Key = []byte("balances") // all in one partition
			must(t, client.ProduceSync(t.Context(), r).FirstErr())
		}
	}
}

// startNATS starts a server with a stream.
func startNATS(t *testing.T) (address string, write func(...string)) {
	t.Helper()
	s := testkit.Must(server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true,
		NoSigs: true, NoLog: true, StoreDir: t.TempDir()}))(t)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	c := testkit.Must(nats.Connect(s.ClientURL()))(t)
	t.Cleanup(c.Close)
	js := testkit.Must(jetstream.New(c))(t)
	testkit.Must(js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "BALANCES", Subjects: []string{"balances"}}))(t)
	return s.ClientURL() + "/BALANCES", func(messages ...string) {
		for _, m := range messages {
			testkit.Must(js.Publish(t.Context(), "balances", []byte(m)))(t)
		}
	}
}

// TestTopicsThatAreRefused: an address is one of a broker, and others do not read what comes of it.
func TestTopicsThatAreRefused(t *testing.T) {
	for address, want := range map[string]string{
		"https://ledger.example.com":              "it is not like kafka://",
		"kafka://k1.example.com":                  "it is not like kafka://",
		"kafka://bob:pw@k1.example.com/x":         "has a user or a password",
		"kafka://k1.example.com/x?tls=off":        "not secure",
		"kafka://k1.example.com/x?sasl=plain":     "nothing says who logs in",
		"nats://n1.example.com/BALANCES?tls=off":  "not secure",
		"nats://n1.example.com/BALANCES?depth=10": "no parameter",
	} {
		_, _, err := comparison.Reach{}.Open(store.ComparisonSource{Topic: address})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pw") {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}
