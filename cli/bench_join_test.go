package cli

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/testkit"
)

// TestBenchmarkReadsSources: what bench join writes to a broker or to a database comes into the books. PostgreSQL needs
// a server of its own, and is in the long tests.
func TestBenchmarkReadsSources(t *testing.T) {
	sources := map[string]func(*testing.T) string{
		"kafka": func(t *testing.T) string {
			c := testkit.Must(kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "bench")))(t)
			t.Cleanup(c.Close)
			return "kafka://" + c.ListenAddrs()[0] + "/bench --partitions 2"
		},
		"nats": func(t *testing.T) string {
			s := testkit.Must(natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: natsserver.RANDOM_PORT,
				JetStream: true, NoSigs: true, NoLog: true, StoreDir: t.TempDir()}))(t)
			s.Start()
			t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
			if !s.ReadyForConnections(10 * time.Second) {
				t.Fatal("the server does not start")
			}
			return s.ClientURL() + "/bench --partitions 2"
		},
	}
	if scenario.Long() {
		sources["postgres"] = func(t *testing.T) string {
			owner := testkit.Must(pgtest.New(t, "wal_level=logical").NewDatabase(t.Context(), "ledger"))(t)
			u := testkit.Must(url.Parse(owner))(t)
			password, _ := u.User.Password()
			t.Setenv("PGPASSWORD", password)
			u.User = url.User(u.User.Username())
			return u.String() + " --partitions 1"
		}
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			args := strings.Fields("bench join --accounts 300 --changes 600 --batch 200 --lasts 200ms --source " + source(t))
			stdout := must(t, "", append(args, "--json", "--db", "sqlite:"+filepath.Join(t.TempDir(), "bench.db"))...)
			if !strings.Contains(stdout, `"source":"`+name+`"`) || !strings.Contains(stdout, `"changes":600`) {
				t.Error(stdout)
			}
		})
	}
}
