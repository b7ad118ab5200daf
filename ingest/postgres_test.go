package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ingest"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/join/postgres"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// The variables by which the tests start themselves as a process that can be killed: one that follows another ledger.
const (
	booksToFill   = "SOFTSTAKE_TEST_BOOKS"
	ledgerToRead  = "SOFTSTAKE_TEST_LEDGER"
	killsInLong   = 200
	kills         = 3
	killsOfServer = 3 // the server is stopped too at each third kill
	betweenWrites = 5 * time.Millisecond
	firstOutbox   = 1_000_000_000 // so that no posting has the ID of an event of the outbox
)

func TestMain(m *testing.M) {
	var err error
	switch {
	case os.Getenv(brokerToRun) != "":
		err = runBroker(os.Getenv(brokerToRun))
	case os.Getenv(booksToFill) != "":
		err = followAlone()
	default:
		pgtest.Main(m)
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// followAlone follows a ledger until it is killed.
func followAlone() (err error) {
	ctx := context.Background()
	books, err := store.Open(ctx, os.Getenv(booksToFill), options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, books.Close()) }()
	c, err := configure(books, os.Getenv(ledgerToRead), os.Stderr)
	if err == nil {
		_, err = ingest.Run(ctx, c)
	}
	return err
}

var options = store.Options{Clock: time.Now, Actor: access.Process("test")}

// configure says how books follow the ledger at an address.
func configure(books *store.DB, address string, log io.Writer) (c ingest.Config, err error) {
	if !strings.HasPrefix(address, "postgres") {
		return configureBroker(books, address, log)
	}
	mapping, err := join.ParseMapping([]byte(ledgerMapping))
	if err != nil {
		return c, err
	}
	mapping.OfRows()
	source, err := postgres.Parse(address, false)
	return ingest.Config{Books: books, Source: source, Name: "other", Decode: mapping.Decode,
		Log: slog.New(slog.NewTextHandler(log, nil)), Poll: 10 * time.Millisecond, Batch: 20,
		Random: rand.Int64N}, err
}

// ledgerTables are those of another ledger: half of its accounts have postings, the other half events in an outbox.
// Balances are in no publication: they are read once, and are what the test compares.
var ledgerTables = `
	CREATE TABLE accounts (id text PRIMARY KEY);
	CREATE TABLE balances (account text, held boolean, amount numeric(36,18) NOT NULL, PRIMARY KEY (account, held));
	CREATE TABLE postings (id bigserial PRIMARY KEY, account text, held boolean, amount numeric(36,18), balance numeric(36,18));
	CREATE TABLE outbox (id bigserial PRIMARY KEY, occurred_at timestamptz DEFAULT now(), payload jsonb);
	ALTER SEQUENCE outbox_id_seq RESTART WITH ` + strconv.Itoa(firstOutbox) + `;
	INSERT INTO accounts SELECT kind || n FROM unnest(ARRAY['p', 'o']) kind, generate_series(1, 20) n;
	INSERT INTO balances SELECT id, held, 5 FROM accounts, unnest(ARRAY[false, true]) held;
	CREATE PUBLICATION softstake FOR TABLE accounts, postings, outbox`

// ledgerMapping reads them.
const ledgerMapping = `{"records": [
	{"when": [{"path": "table", "is": ["public.accounts"]}, {"path": "op", "is": ["insert", "snapshot"]}],
	 "fields": {"type": {"value": "open"}, "id": {"path": "id"}, "at": {"path": "commit_time"}, "account": {"path": "new.id"}}},
	{"when": [{"path": "table", "is": ["public.balances"]}],
	 "fields": {"type": {"value": "balance"}, "id": {"path": "id"}, "at": {"path": "commit_time"},
	  "account": {"path": "new.account"}, "token": {"value": "BNB"}, "kind": {"path": "new.held", "map": {"true": "held", "false": "free"}},
	  "balanceAfter": {"path": "new.amount"}}},
	{"when": [{"path": "table", "is": ["public.postings"]}, {"path": "op", "is": ["insert"]}],
	 "fields": {"id": {"path": "new.id"}, "at": {"path": "commit_time"}, "account": {"path": "new.account"}, "token": {"value": "BNB"},
	  "kind": {"path": "new.held", "map": {"true": "held", "false": "free"}}, "change": {"path": "new.amount"},
	  "balanceAfter": {"path": "new.balance"}}},
	{"when": [{"path": "table", "is": ["public.outbox"]}, {"path": "op", "is": ["insert"]}],
	 "fields": {"id": {"path": "new.id"}, "at": {"path": "new.occurred_at"}, "account": {"path": "new.payload.account"},
	  "token": {"value": "BNB"}, "kind": {"path": "new.payload.kind"}, "change": {"path": "new.payload.delta"},
	  "balanceAfter": {"path": "new.payload.balance"}}}]}`

// writeLedger moves amounts on the accounts of a kind until the context ends, whatever the server does.
func writeLedger(ctx context.Context, address, kind string, chance *rand.Rand) error {
	for ctx.Err() == nil {
		c, err := pgx.Connect(ctx, address)
		if err != nil {
			continue // it is down
		}
		for err == nil && ctx.Err() == nil {
			err = writeTransaction(ctx, c, kind, chance)
			time.Sleep(betweenWrites) // the test has two processors, which others need too
		}
		if err != nil && strings.Contains(err.Error(), "SQLSTATE 42") { // a statement that is wrong
			return err
		}
		// Whether the last transaction was committed the server knows: its balances are what is compared.
		closing, cancel := context.WithTimeout(context.Background(), time.Second)
		err = c.Close(closing)
		cancel()
		if err != nil {
			continue
		}
	}
	return nil
}

// writeTransaction is a transaction of some changes, a few of which are rolled back.
func writeTransaction(ctx context.Context, c *pgx.Conn, kind string, chance *rand.Rand) error {
	write := "INSERT INTO postings (account, held, amount, balance) SELECT account, held, $3::numeric, amount FROM changed"
	if kind == "o" {
		write = `INSERT INTO outbox (payload) SELECT jsonb_build_object('account', account, 'kind', CASE WHEN held THEN 'held'
		    ELSE 'free' END, 'delta', $3::numeric::text, 'balance', amount) FROM changed`
	}
	end := "COMMIT"
	if chance.IntN(10) == 0 {
		end = "ROLLBACK"
	}
	batch := &pgx.Batch{}
	batch.Queue("BEGIN")
	for range 1 + chance.IntN(5) {
		change := ledger.FormatDecimal(chance.Int64N(2_00000000)-1_00000000, 8)
		batch.Queue(`WITH changed AS (UPDATE balances SET amount = amount + $3::numeric WHERE account = $1 AND held = $2
		    AND amount + $3::numeric >= 0 RETURNING account, held, amount) `+write,
			fmt.Sprintf("%s%d", kind, 1+chance.IntN(20)), chance.IntN(2) == 0, change)
	}
	batch.Queue(end)
	return c.SendBatch(ctx, batch).Close()
}

// other is another ledger in PostgreSQL, and books that follow it.
type other struct {
	*testing.T
	server  *pgtest.Server
	owner   string // the address of the ledger, for who writes it
	address string // and for who reads it
	books   string
	config  ingest.Config
	log     *bytes.Buffer
}

func newOther(t *testing.T) *other {
	t.Helper()
	// The server frees the slot of a connection that is lost soon.
	o := &other{T: t, server: pgtest.New(t, "wal_level=logical", "wal_sender_timeout=10s"), log: &bytes.Buffer{}}
	o.owner = testkit.Must(o.server.NewDatabase(t.Context(), "ledger"))(t)
	conn := testkit.Must(pgx.Connect(t.Context(), o.owner))(t)
	testkit.Must(conn.Exec(t.Context(), ledgerTables))(t)
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	u := testkit.Must(url.Parse(o.owner))(t)
	password, _ := u.User.Password()
	t.Setenv("PGPASSWORD", password)
	u.User = url.User(u.User.Username())
	o.address = u.String() + "&publication=softstake&slot=shop&snapshot=accounts,balances&margin=0s"
	books := newBooks(t)
	o.books = books.address
	o.config = testkit.Must(configure(books.DB, o.address, o.log))(t)
	return o
}

// testBooks are books in a file.
type testBooks struct {
	*store.DB
	address string
}

func newBooks(t *testing.T) (b testBooks) {
	t.Helper()
	today := staking.DayOf(time.Now())
	b.address = "sqlite:" + filepath.Join(t.TempDir(), "books.db")
	b.DB = testkit.Must(store.Create(t.Context(), b.address, options, store.Setup{From: today,
		Documents: staking.ShippedDocuments(), Limits: staking.NoLimit,
		Tokens: testkit.Must(staking.ShippedTokens(today))(t)}))(t)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// start starts this program as another one, by variables.
func start(t *testing.T, log io.Writer, variables ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), variables...)
	c.Stderr = log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// kill ends a process that has not ended by itself.
func kill(t *testing.T, c *exec.Cmd, log fmt.Stringer) {
	t.Helper()
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil || c.ProcessState.Exited() {
		t.Fatalf("it has ended by itself: %v\n%s", err, log)
	}
}

// follow follows the ledger until there is a watermark, so that what was written since the snapshot is read.
func (o *other) follow() {
	o.Helper()
	ctx, end := context.WithTimeout(o.Context(), time.Minute)
	defer end()
	var running sync.WaitGroup
	running.Go(func() {
		if _, err := ingest.Run(ctx, o.config); err != nil {
			o.Error(err)
		}
	})
	for ctx.Err() == nil {
		p, err := o.config.Books.AddPartition(ctx, "other", "shop")
		if err != nil {
			o.Error(err)
		}
		if err != nil || !p.Watermark.IsZero() {
			break
		}
		time.Sleep(10 * time.Millisecond) // between two looks
	}
	end()
	running.Wait()
}

// released waits until the server has seen that who has followed is gone.
func (o *other) released() {
	o.Helper()
	conn := testkit.Must(pgx.Connect(o.Context(), o.owner))(o.T)
	defer func() {
		if err := conn.Close(o.Context()); err != nil {
			o.Error(err)
		}
	}()
	for active, until := true, time.Now().Add(goesOnWithin); active; {
		err := conn.QueryRow(o.Context(), "SELECT active FROM pg_replication_slots WHERE slot_name = 'shop'").Scan(&active)
		if err != nil || time.Now().After(until) {
			o.Fatal(err, " the slot is not released")
		}
	}
}

// catchUp reads what there is.
func (o *other) catchUp() ingest.Result {
	o.Helper()
	c := o.config
	c.UntilEnd = true
	return testkit.Must(ingest.Run(o.Context(), c))(o.T)
}

// same ends the test unless the balances are those of the ledger, and each of its changes since the snapshot has an
// entry: those of a kind are committed in the order of their IDs.
func (o *other) same() {
	o.Helper()
	want, got := map[string]int64{}, map[string]int64{}
	conn := testkit.Must(pgx.Connect(o.Context(), o.owner))(o.T)
	rows := testkit.Must(conn.Query(o.Context(), "SELECT account || CASE WHEN held THEN '/held' ELSE '' END, "+
		"(amount * 100000000)::bigint FROM balances"))(o.T)
	var name string
	var n int64
	testkit.Must(pgx.ForEachRow(rows, []any{&name, &n}, func() error { want[name] = n; return nil }))(o.T)
	rows = testkit.Must(conn.Query(o.Context(), "SELECT id FROM postings WHERE amount <> 0 UNION ALL "+
		"SELECT id FROM outbox WHERE payload ->> 'delta' <> '0' ORDER BY 1"))(o.T)
	committed := testkit.Must(pgx.CollectRows(rows, pgx.RowTo[int64]))(o.T)
	if err := conn.Close(o.Context()); err != nil {
		o.Fatal(err)
	}
	var posted []int64
	err := o.config.Books.Engine().Look(o.Context(), func(v db.View) error {
		return errors.Join(
			v.Query(func(r db.Row) error { got[r.Text(0)] = r.Int(1); return nil },
				"SELECT account, balance FROM balances WHERE asset = 'BNB' AND account NOT LIKE '@%'"),
			v.Query(func(r db.Row) error {
				id, err := strconv.ParseInt(strings.TrimPrefix(r.Text(0), "join/other/"), 10, 64)
				posted = append(posted, id)
				return err
			}, "SELECT entry FROM entries WHERE entry LIKE 'join/other/%' AND entry NOT LIKE '%.%'")) // no balance's
	})
	if err != nil {
		o.Fatal(err)
	}
	slices.Sort(posted)
	if diff := cmp.Diff(want, got); diff != "" {
		o.Fatalf("%s\n%s", diff, o.log)
	}
	for _, kind := range []func(id int64) bool{
		func(id int64) bool { return id < firstOutbox }, func(id int64) bool { return id >= firstOutbox },
	} {
		has := filtered(posted, kind)
		if has == nil {
			o.Fatalf("nothing was posted\n%s", o.log)
		}
		should := filtered(committed, func(id int64) bool { return kind(id) && id >= has[0] })
		if !slices.Equal(has, should) {
			o.Fatalf("%d changes were posted, and %d committed since\n%s", len(has), len(should), o.log)
		}
		o.Logf("%d changes", len(has))
	}
}

func filtered(ids []int64, keep func(int64) bool) []int64 {
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return !keep(id) })
}

// TestPostgresKilled kills who follows the ledger (kill -9) and ends its server as a crash does, at random moments,
// from before the snapshot on, while the ledger is written to; then the network between them fails. Afterwards the
// balances are those of the ledger, to the unit.
func TestPostgresKilled(t *testing.T) {
	times := kills
	if scenario.Long() {
		times = killsInLong
	}
	o := newOther(t)
	seed := scenario.Seed(t)
	chance := scenario.Chance(seed, 0)
	writing, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for i, kind := range []string{"p", "o"} {
		writers.Go(func() {
			if err := writeLedger(writing, o.owner, kind, rand.New(rand.NewPCG(seed, uint64(1+i)))); err != nil {
				t.Error(err)
			}
		})
	}
	for k := range times {
		c := start(t, o.log, booksToFill+"="+o.books, ledgerToRead+"="+o.address)
		// The moment is what is random: first it has begun at most, later it follows.
		time.Sleep(time.Duration(chance.Int64N(int64(min(k+1, 4)) * int64(500*time.Millisecond))))
		if k%killsOfServer == killsOfServer-1 {
			if err := errors.Join(o.server.StopNow(t.Context()), o.server.Restart(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
		kill(t, c, o.log)
	}
	o.disturb(chance)
	o.follow()
	stop()
	writers.Wait()
	o.released()
	if r := o.catchUp(); len(r.Stopped) > 0 {
		t.Fatalf("%v\n%s", r.Stopped, o.log)
	}
	o.same()
	last := testkit.Must(o.config.Books.AddPartition(t.Context(), "other", "shop"))(t)
	if time.Since(last.Watermark).Abs() > time.Minute {
		t.Errorf("the watermark is %s", last.Watermark)
	}
}
