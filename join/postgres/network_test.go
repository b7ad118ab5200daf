package postgres_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/faultproxy"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/join/postgres"
	"github.com/softstake/softstake/testkit"
)

// testSilent: a network on which nothing comes any more is noticed in time, whatever is waited for.
func testSilent(t *testing.T, x *exchange) {
	// More than is on its way at once.
	x.do("INSERT INTO balances SELECT 'a' || n, repeat('x', 1000), n FROM generate_series(1, 20000) n")
	u := testkit.Must(url.Parse(x.address))(t)
	open := func(s *postgres.Source) join.Reader {
		t.Helper()
		return testkit.Must(s.Open(t.Context(), x.name, join.Start{}))(t)
	}
	untilError := func(r join.Reader) (err error) {
		for err == nil {
			_, err = r.Next(t.Context(), 1000)
		}
		return errors.Join(err, r.Close())
	}
	for _, c := range []struct {
		what, snapshot string
		read           func(s *postgres.Source, silence func()) error
		want           string
	}{
		{"connecting", "none", func(s *postgres.Source, silence func()) error {
			silence()
			_, err := s.Open(t.Context(), x.name, join.Start{})
			return err
		}, "no answer in time"},
		{"reading the snapshot", "balances", func(s *postgres.Source, silence func()) error {
			r := open(s)
			testkit.Must(r.Next(t.Context(), 2))(t)
			silence()
			return untilError(r)
		}, "has not answered for 1s"},
		{"making the slot that stays", "none", func(s *postgres.Source, silence func()) error {
			r := open(s)
			r.Confirm(testkit.Must(r.Next(t.Context(), 2))(t)[0].Place)
			silence()
			return untilError(r)
		}, "has not answered for 1s"},
		{"following the changes", "none", func(s *postgres.Source, silence func()) error {
			r := open(s)
			r.Confirm(testkit.Must(r.Next(t.Context(), 2))(t)[0].Place)
			testkit.Must(r.Next(t.Context(), 2))(t)
			silence()
			return untilError(r)
		}, "has not answered for 500ms"},
	} {
		p := faultproxy.New(t, u.Host)
		s := testkit.Must(postgres.Parse(strings.Replace(x.address, u.Host, p.Addr(), 1)+"&connect_timeout=1&margin=0s"+
			"&publication=softstake&snapshot="+c.snapshot+"&slot="+x.name, false))(t)
		s.Impatient(500*time.Millisecond, time.Second)
		began := time.Now()
		err := c.read(s, func() { p.Break(faultproxy.Silence, nil) })
		if took := time.Since(began); err == nil || !strings.Contains(err.Error(), c.want) || took > 20*time.Second {
			t.Errorf("%s: %v, after %s", c.what, err, took)
		}
		p.Restore()
		x.eventually("SELECT count(*) = 0 FROM pg_replication_slots WHERE temporary AND database = current_database()")
	}
}

// testLost: the server ends a connection, too, when its network is dead, and with it the slot of the snapshot, unless
// the address says how; so it does of those to books.
func testLost(t *testing.T, x *exchange) {
	for more, idle := range map[string]string{"": "15", "&tcp_keepalives_idle=99": "99"} {
		config := testkit.Must(db.ParseAddress(x.address+more, false))(t)
		db.EndLost(&config.Config)
		c := testkit.Must(pgx.ConnectConfig(t.Context(), config))(t)
		for name, want := range map[string]string{"tcp_keepalives_idle": idle, "tcp_keepalives_interval": "15",
			"tcp_keepalives_count": "3", "tcp_user_timeout": "60000"} {
			var is string
			if err := c.QueryRow(t.Context(), "SELECT setting FROM pg_settings WHERE name = $1", name).Scan(&is); err != nil ||
				is != want {
				t.Errorf("%s is %q, not %s: %v", name, is, want, err)
			}
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	books := testkit.Must(db.Open(t.Context(), x.Config().ConnString(), db.Options{Mark: 1, Create: true}))(t)
	err := books.Look(t.Context(), func(v db.View) error {
		return v.Query(func(r db.Row) error {
			if is := r.Text(0); is != "15 60000" {
				t.Errorf("of books it is %s", is)
			}
			return nil
		}, `SELECT (SELECT setting FROM pg_settings WHERE name = 'tcp_keepalives_idle') || ' ' ||
		    (SELECT setting FROM pg_settings WHERE name = 'tcp_user_timeout')`)
	})
	if err := errors.Join(err, books.Close()); err != nil {
		t.Error(err)
	}
}
