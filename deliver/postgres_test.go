package deliver_test

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softstake/softstake/deliver"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/payout/postgres"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// exchange is a database with the table of payouts, and a role that has what the schema grants and nothing else.
type exchange struct {
	*pgx.Conn
	t       *testing.T
	address string
	target  *postgres.Target
}

func newExchange(t *testing.T, server *pgtest.Server, name string) *exchange {
	t.Helper()
	x := &exchange{t: t}
	x.Conn = connect(t, testkit.Must(server.NewDatabase(t.Context(), name))(t))
	u := testkit.Must(url.Parse(server.URL(name)))(t)
	pass := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(pass, []byte("*:*:*:*:pass\\:word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x.address = "postgres://deliverer@" + u.Host + "/" + name + "?table=shop.payouts&passfile=" +
		url.QueryEscape(pass)
	x.target = testkit.Must(postgres.Parse(x.address, "exchange", false))(t)
	x.do("CREATE SCHEMA shop; CREATE TABLE secrets (id text)")
	x.do(x.target.Schema())
	return x
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	c := testkit.Must(pgx.Connect(t.Context(), address))(t)
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func (x *exchange) do(sql string, args ...any) {
	x.t.Helper()
	if _, err := x.Exec(x.t.Context(), sql, args...); err != nil {
		x.t.Fatalf("%s: %v", sql, err)
	}
}

// texts are the rows of a query with one column.
func (x *exchange) texts(sql string, args ...any) []string {
	x.t.Helper()
	rows := testkit.Must(x.Query(x.t.Context(), sql, args...))(x.t)
	return testkit.Must(pgx.CollectRows(rows, pgx.RowTo[string]))(x.t)
}

// same ends the test unless the table has the payouts of the books, each once.
func (x *exchange) same(b *books) {
	x.t.Helper()
	asset := testkit.Must(b.Asset(b.Context(), "BNB"))(x.t)
	var want []string
	for _, p := range b.payouts() {
		want = append(want, strings.Join([]string{p.ID, p.Due.Day.String(), p.Due.Asset, string(p.Account),
			asset.Format(p.Amount), ledger.FormatTime(p.Paid)}, " "))
	}
	got := x.texts(`SELECT concat_ws(' ', id, day, asset, account, amount, to_char(paid_at AT TIME ZONE 'UTC',
	    'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) FROM shop.payouts ORDER BY number`)
	if diff := cmp.Diff(want, got); diff != "" {
		x.t.Fatalf("%s\n%s", diff, b.log)
	}
}

// TestPostgres is on one server, since to make one takes seconds.
func TestPostgres(t *testing.T) {
	server := pgtest.New(t)
	owner := connect(t, server.URL("postgres"))
	testkit.Must(owner.Exec(t.Context(), "CREATE ROLE deliverer LOGIN PASSWORD 'pass:word'"))(t)
	for name, test := range map[string]func(*books, *exchange){"delivers": testDelivers, "acknowledged": testAcknowledged,
		"again": testAgain, "rights": testRights} {
		t.Run(name, func(t *testing.T) { test(newBooks(t), newExchange(t, server, name)) })
	}
	t.Run("network", func(t *testing.T) { testNetwork(newBooks(t), newExchange(t, server, "network"), server) })
	t.Run("killed", func(t *testing.T) { testKilled(newBooks(t), newExchange(t, server, "killed"), server) })
}

// testDelivers: what is paid is in the table, page by page, once, also when it is delivered again.
func testDelivers(b *books, x *exchange) {
	b.settle()
	if r := b.deliver(x.target); r.Sent != holders {
		b.Fatalf("%d payouts were delivered\n%s", r.Sent, b.log)
	}
	x.same(b)
	if r := b.deliver(x.target); r.Sent != 0 {
		b.Errorf("%d were delivered again", r.Sent)
	}
	b.settle()
	if s := b.state(); s.Backlog != holders || !s.Oldest.Equal(b.clock.Now()) || s.Number != holders {
		b.Errorf("before they are delivered: %+v", s)
	}
	b.deliver(x.target)
	x.same(b)
	if s := b.state(); s.Backlog != 0 || !s.Oldest.IsZero() || s.Number != 2*holders || s.Error != "" {
		b.Errorf("when all are delivered: %+v", s)
	}
	b.ok(b.EndTarget(b.Context(), store.PayoutStream, "exchange"))
	b.deliver(x.target) // the table knows how far it is
	x.same(b)
	if s := b.state(); s.Number != 2*holders {
		b.Errorf("of a target that was forgotten: %+v", s)
	}
}

// testAcknowledged: what the exchange writes into its columns is in the books, whenever it is committed.
func testAcknowledged(b *books, x *exchange) {
	b.settle()
	b.deliver(x.target)
	b.open(holders, 0)
	ids := x.texts("SELECT id FROM shop.payouts ORDER BY number")

	slow := testkit.Must(pgx.Connect(b.Context(), x.Config().ConnString()))(b.T)
	late := testkit.Must(slow.Begin(b.Context()))(b.T)
	testkit.Must(late.Exec(b.Context(), "UPDATE shop.payouts SET transaction = 'tx-late' WHERE id = $1", ids[0]))(b.T)
	x.do("UPDATE shop.payouts SET transaction = 'tx-' || number WHERE id = ANY($1)", ids[1:10])
	x.do("UPDATE shop.payouts SET refused = 'closed' WHERE id = ANY($1)", ids[10:12])
	if r := b.deliver(x.target); r.Answers != 11 {
		b.Errorf("%d answers were read", r.Answers)
	}
	b.open(holders-9, 2)
	b.ok(late.Commit(b.Context())) // after others that began later
	b.ok(slow.Close(b.Context()))
	x.do("UPDATE shop.payouts SET transaction = 'closed' WHERE id = $1", ids[10]) // credited all the same
	b.deliver(x.target)
	b.open(holders-11, 1)
	if r := b.deliver(x.target); r.Answers != 0 {
		b.Errorf("%d answers were read again", r.Answers)
	}

	// What contradicts the books is said in the table, and holds nothing up.
	x.do("UPDATE shop.payouts SET transaction = 'tx-other' WHERE id = $1", ids[1])
	x.do("UPDATE shop.payouts SET transaction = NULL WHERE id = $1", ids[2])
	x.do("UPDATE shop.payouts SET transaction = repeat('x', 300) WHERE id = $1", ids[12])
	x.do("INSERT INTO shop.payouts (id, number, day, asset, account, amount, paid_at, transaction) " +
		"VALUES ('reward/2026-03-02/BNB/nobody', 1, now(), 'BNB', 'nobody', 1, now(), 'tx')")
	x.do("UPDATE shop.payouts SET transaction = 'tx-13' WHERE id = $1", ids[13])
	if r := b.deliver(x.target); r.Answers != 1 || r.Wrong != 4 {
		b.Errorf("%+v", r)
	}
	b.open(holders-12, 1)
	problems := strings.Join(x.texts("SELECT problem FROM shop.payouts WHERE problem IS NOT NULL ORDER BY id"), "\n")
	for _, want := range []string{`is credited by the transaction "tx-2"`, "either a transaction or why", "more than 200",
		"payout reward/2026-03-02/BNB/nobody"} {
		if !strings.Contains(problems, want) {
			b.Errorf("no problem says %q:\n%s", want, problems)
		}
	}
	x.do("UPDATE shop.payouts SET transaction = 'tx-2' WHERE id = $1", ids[1])
	if r := b.deliver(x.target); r.Wrong != 0 || r.Answers != 1 {
		b.Errorf("when it is corrected: %+v", r)
	}
	if n := x.texts("SELECT count(*)::text FROM shop.payouts WHERE id = $1 AND problem IS NULL", ids[1]); n[0] != "1" {
		b.Error("the problem stays when it is corrected")
	}
	x.do("SET enable_seqscan = off")
	plan := strings.Join(x.texts(`EXPLAIN SELECT id FROM shop.payouts WHERE coalesce('credited ' || transaction,
	    'refused ' || refused) IS DISTINCT FROM acknowledged ORDER BY id LIMIT 10`), "\n")
	if !strings.Contains(plan, "payouts_answered") {
		b.Errorf("the index is not used:\n%s", plan)
	}
}

// testAgain: a number to deliver from, and what stops it.
func testAgain(b *books, x *exchange) {
	b.settle()
	b.deliver(x.target)
	x.do("DELETE FROM shop.payouts WHERE number > 10")
	c, target := configure(b.DB, b.log), x.target
	fails := func(want string) {
		b.Helper()
		if _, err := deliver.Payouts(b.Context(), c, target); err == nil || !strings.Contains(err.Error(), want) {
			b.Errorf("%v does not say %q", err, want)
		}
	}
	c.From = holders + 2
	fails("from is 1 to 21")
	c.From = 5
	r := testkit.Must(deliver.Payouts(b.Context(), c, target))(b.T)
	if r.Sent != holders-4 {
		b.Errorf("%d were delivered again", r.Sent)
	}
	x.same(b)

	c.From = 0
	x.do("UPDATE shop.softstake_payout_positions SET number = 10") // as if the books had given numbers again
	fails("payout 10 of the table is reward/")
	x.do("UPDATE shop.softstake_payout_positions SET payout = (SELECT id FROM shop.payouts WHERE number = 10)")
	x.do("UPDATE shop.payouts SET amount = 2 * amount WHERE number = 15")
	fails("with another day, asset, account or amount")
	if s := b.state(); !strings.Contains(s.Error, "another day") || s.Failed.IsZero() || s.Number != 13 {
		b.Errorf("the books have %+v", s)
	}
	x.do("DELETE FROM shop.payouts WHERE number = 15")
	b.deliver(x.target)
	x.same(b)
	if s := b.state(); s.Error != "" || !s.Failed.IsZero() {
		b.Errorf("when it is corrected: %+v", s)
	}
	x.do("UPDATE shop.softstake_payout_positions SET number = 1000")
	fails("the books only 20")
	c.From = 1
	testkit.Must(deliver.Payouts(b.Context(), c, target))(b.T)
	x.same(b)

	other := testkit.Must(postgres.Parse(x.address+"&sslmode=disable", "exchange", false))(b.T)
	c.From, target = 0, other
	fails("exchange delivers to postgres://")
	c.From = 1
	testkit.Must(deliver.Payouts(b.Context(), c, target))(b.T)
	if s := b.state(); s.Address != other.Address() {
		b.Errorf("the address is %s", s.Address)
	}
}

// testRights: the role has what it needs, and nothing else.
func testRights(b *books, x *exchange) {
	b.settle()
	b.deliver(x.target)
	u := testkit.Must(url.Parse(x.address))(b.T)
	u.RawQuery = "passfile=" + url.QueryEscape(u.Query().Get("passfile"))
	c := connect(b.T, u.String())
	for _, sql := range []string{"UPDATE shop.payouts SET amount = 1", "UPDATE shop.payouts SET transaction = 'x'",
		"DELETE FROM shop.payouts", "TRUNCATE shop.payouts", "DELETE FROM shop.softstake_payout_positions",
		"SELECT * FROM secrets",
		"INSERT INTO shop.payouts (id, transaction) VALUES ('x', 'y')", "CREATE TABLE shop.more (id text)"} {
		_, err := c.Exec(b.Context(), sql)
		if e, is := errors.AsType[*pgconn.PgError](err); !is || e.Code != "42501" {
			b.Errorf("%s: %v", sql, err)
		}
	}
}

// testKilled kills who delivers (kill -9), and ends the server of the table as a crash does, at random moments, while
// days are paid and the exchange acknowledges. Afterwards each payout is in the table once, and each acknowledgement in
// the books.
func testKilled(b *books, x *exchange, server *pgtest.Server) {
	times := kills
	if scenario.Long() {
		times = killsInLong
	}
	chance := scenario.Chance(scenario.Seed(b.T), 0)
	log := &bytes.Buffer{}
	crediting, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { credit(crediting, server.URL("killed")) })
	for k := range times {
		for range 2 {
			b.settle()
		}
		c := b.alone(store.PayoutStream, x.address)
		c.Stderr = log
		b.ok(c.Start())
		time.Sleep(time.Duration(chance.Int64N(int64(600 * time.Millisecond)))) // the moment is what is random
		if k%2 == 1 {
			b.ok(errors.Join(server.StopNow(b.Context()), server.Restart(b.Context())))
			time.Sleep(time.Duration(chance.Int64N(int64(200 * time.Millisecond))))
		}
		b.ok(c.Process.Kill())
		_ = c.Wait() // it was killed
	}
	stop()
	running.Wait()
	x.Conn = connect(b.T, server.URL("killed"))
	b.log.Write(log.Bytes())
	before := x.texts("SELECT count(*)::text FROM shop.payouts")[0]
	b.deliver(x.target)
	x.same(b)
	b.Logf("%d payouts, of which %s were delivered before the last run", len(b.payouts()), before)
	x.do("UPDATE shop.payouts SET transaction = 'tx-' || number WHERE transaction IS NULL")
	b.deliver(x.target)
	b.open(0, 0)
	for _, a := range testkit.Must(reports.New(b.Reader()).Targets(b.Context()))(b.T) {
		if a.Backlog != 0 || a.Error != "" {
			b.Errorf("%+v", a)
		}
	}
}

// credit acknowledges what there is until the context ends, whatever the server does.
func credit(ctx context.Context, address string) {
	for ctx.Err() == nil {
		c, err := pgx.Connect(ctx, address)
		for err == nil {
			_, err = c.Exec(ctx, "UPDATE shop.payouts SET transaction = 'tx-' || number WHERE id IN "+
				"(SELECT id FROM shop.payouts WHERE transaction IS NULL ORDER BY random() LIMIT 2)")
			time.Sleep(5 * time.Millisecond) // the test has two processors, which others need too
		}
		if c != nil {
			_ = c.Close(context.Background()) // whether the last one was committed the table knows
		}
	}
}
