package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/join/jointest"
	"github.com/softstake/softstake/join/postgres"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/testkit"
)

// exchange is a database with the ledger of an exchange, and who reads it: with the rights that docs/join.md names.
type exchange struct {
	t       *testing.T
	name    string // of the database and of the slot
	address string // of its reader, without slot
	*pgx.Conn
}

// tables are those of the exchange.
const tables = `
	CREATE TABLE accounts (id text PRIMARY KEY, country text, verified boolean NOT NULL);
	CREATE TABLE balances (account text, asset text, amount numeric(36,18) NOT NULL, PRIMARY KEY (account, asset));
	CREATE TABLE postings (id bigserial PRIMARY KEY, account text NOT NULL, asset text NOT NULL,
	    amount numeric(36,18) NOT NULL, at timestamptz NOT NULL DEFAULT now(), note text, extra jsonb);
	CREATE PUBLICATION softstake FOR TABLE accounts, postings;
	GRANT SELECT ON accounts, balances, postings TO reader;`

// TestPostgres is on one server, since to make one takes seconds.
func TestPostgres(t *testing.T) {
	server := pgtest.New(t, "wal_level=logical")
	owner := connect(t, server.URL("postgres"))
	for _, sql := range []string{"CREATE ROLE reader LOGIN REPLICATION PASSWORD 'pass:word'",
		"GRANT pg_read_all_stats TO reader"} {
		testkit.Must(owner.Exec(t.Context(), sql))(t)
	}
	for _, c := range []struct {
		name string
		test func(*testing.T, *exchange)
	}{{"rows", testRows}, {"resumes", testResumes}, {"begins again", testSnapshotBeginsAgain},
		{"dated", testSnapshotDated}, {"silent", testSilent}, {"lost", testLost},
		{"watermark", testWatermark}, {"refuses", testRefuses}, {"stops", testStops}} {
		t.Run(c.name, func(t *testing.T) { c.test(t, newExchange(t, server, strings.ReplaceAll(c.name, " ", "_"))) })
	}
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	c := testkit.Must(pgx.Connect(t.Context(), address))(t)
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Log(err)
		}
	})
	return c
}

// newExchange makes an exchange in a database of its own.
func newExchange(t *testing.T, server *pgtest.Server, name string) *exchange {
	t.Helper()
	x := &exchange{t: t, name: name}
	x.Conn = connect(t, testkit.Must(server.NewDatabase(t.Context(), name))(t))
	x.do(tables)
	u := testkit.Must(url.Parse(server.URL(name)))(t)
	pass := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(pass, []byte("*:*:*:*:pass\\:word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x.address = "postgres://reader@" + u.Host + "/" + name + "?sslmode=disable&passfile=" + url.QueryEscape(pass)
	return x
}

func (x *exchange) do(sql string, args ...any) {
	x.t.Helper()
	if _, err := x.Exec(x.t.Context(), sql, args...); err != nil {
		x.t.Fatalf("%s: %v", sql, err)
	}
}

// source is the exchange as a source.
func (x *exchange) source(more string) *postgres.Source {
	x.t.Helper()
	return testkit.Must(postgres.Parse(x.address+"&publication=softstake&margin=0s&slot="+x.name+"&"+more, false))(x.t)
}

// partition is the only one of a source.
func partition(t *testing.T, s *postgres.Source) string {
	t.Helper()
	names := testkit.Must(s.Partitions(t.Context()))(t)
	if len(names) != 1 {
		t.Fatal(names)
	}
	return names[0]
}

// read reads to the end from a place, and confirms what it has read.
func read(t *testing.T, s *postgres.Source, start join.Start) ([]join.Record, error) {
	t.Helper()
	records, _, err := jointest.Read(t, s, partition(t, s), start)
	return records, err
}

// mustRead is read, without what varies: it returns the rows as "OP TABLE VALUES", and where it ended.
func mustRead(t *testing.T, s *postgres.Source, start join.Start) (rows []string, records []join.Record) {
	t.Helper()
	records, err := read(t, s, start)
	if err != nil {
		t.Fatal(err)
	}
	last := start.After
	for i, r := range records {
		again := i == 0 && start.Again
		if *r.Previous != last && !again || r.Place.Compare(last) < 0 || r.Place == last && r.Watermark.IsZero() && !again {
			t.Errorf("record %d at %s follows %s, and says %s", i, r.Place, last, r.Previous)
		}
		last = r.Place
		if r.Text == nil {
			continue
		}
		var row struct {
			Op, Table  string
			ID         string
			LSN        string
			CommitTime time.Time `json:"commit_time"`
			Old, New   json.RawMessage
		}
		if err := json.Unmarshal(r.Text, &row); err != nil {
			t.Fatalf("%s: %v", r.Text, err)
		}
		if row.ID != r.ID || row.LSN == "" || time.Since(row.CommitTime).Abs() > time.Hour {
			t.Errorf("%s has the ID %s", r.Text, r.ID)
		}
		rows = append(rows, strings.TrimSpace(fmt.Sprintf("%s %s %s%s", row.Op, row.Table, row.Old, row.New)))
	}
	return rows, records
}

// after is the start behind a record, which is returned again if it has a text.
func after(r join.Record) join.Start { return join.Start{After: r.Place, Again: r.Text != nil} }

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

// wantsChanged ends the test unless opening or reading stops for a reason.
func wantsChanged(t *testing.T, s *postgres.Source, start join.Start, reason string) {
	t.Helper()
	_, err := read(t, s, start)
	if !errors.Is(err, join.ErrChanged) || !strings.Contains(err.Error(), reason) {
		t.Errorf("%v; it is to say %q", err, reason)
	}
}

// testRows: the rows of the snapshot come first, then each change exactly as PostgreSQL writes it, from any place on.
func testRows(t *testing.T, x *exchange) {
	x.do(`INSERT INTO accounts VALUES ('bob', NULL, false), ('alice', 'DE', true);
	      INSERT INTO balances VALUES ('alice', 'BNB', 10.5)`)
	s := x.source("snapshot=accounts,public.balances")
	rows, records := mustRead(t, s, join.Start{})
	same(t, "the snapshot", rows, []string{
		`snapshot public.accounts {"id":"alice","country":"DE","verified":true}`,
		`snapshot public.accounts {"id":"bob","country":null,"verified":false}`,
		`snapshot public.balances {"account":"alice","asset":"BNB","amount":"10.500000000000000000"}`,
	})
	for i, r := range records[:4] {
		same(t, "initial", []any{r.Initial, r.Part, r.Position % 8}, []any{true, int64(i + 1), int64(7)})
	}
	end := records[len(records)-1]
	same(t, "the end of the snapshot has a watermark", end.Watermark.IsZero(), false)

	x.do(`BEGIN;
	      INSERT INTO postings (account, asset, amount, at, note, extra)
	      VALUES ('alice', 'BNB', -2.5, '2026-11-27 13:00:00.25+01', E'a "note"\n<\u00e9>', '{"n": 1.10, "deep": {"x": true}}');
	      UPDATE accounts SET country = 'FR' WHERE id = 'alice';
	      DELETE FROM accounts WHERE id = 'bob';
	      COMMIT`)
	x.do("ALTER TABLE accounts ADD COLUMN city text; ALTER TABLE accounts REPLICA IDENTITY FULL")
	x.do("UPDATE accounts SET city = 'Ulm'")
	x.do("TRUNCATE accounts")
	want := []string{
		`insert public.postings {"id":"1","account":"alice","asset":"BNB","amount":"-2.500000000000000000",` +
			`"at":"2026-11-27T12:00:00.25Z","note":"a \"note\"\n\u003cé\u003e","extra":{"n": 1.10, "deep": {"x": true}}}`,
		`update public.accounts {"id":"alice","country":"FR","verified":true}`,
		`delete public.accounts {"id":"bob"}`,
		`update public.accounts {"id":"alice","country":"FR","verified":true,"city":null}` +
			`{"id":"alice","country":"FR","verified":true,"city":"Ulm"}`,
		`truncate public.accounts`,
	}
	rows, records = mustRead(t, s, after(end))
	same(t, "the changes", rows, want)
	var texts []join.Record
	for _, r := range records {
		if r.Text != nil {
			texts = append(texts, r)
		}
	}
	same(t, "parts", []int64{texts[0].Part, texts[1].Part, texts[2].Part, texts[3].Part}, []int64{1, 2, 3, 1})
	wantsChanged(t, s, after(texts[2]), "has moved on")
}

// testResumes: a reader begins behind the place that the books have, wherever that is in a transaction, and whatever
// the slot remembers.
func testResumes(t *testing.T, x *exchange) {
	s := x.source("snapshot=none&dated=commit")
	_, records := mustRead(t, s, join.Start{})
	start := after(records[len(records)-1])
	for range 2 {
		x.do("INSERT INTO postings (account, asset, amount) SELECT 'a', 'BNB', n FROM generate_series(1, 3) n")
	}
	r := testkit.Must(s.Open(t.Context(), partition(t, s), start))(t)
	var texts []join.Record
	for len(texts) < 6 {
		for _, record := range testkit.Must(r.Next(t.Context(), 1))(t) {
			if record.Text != nil {
				texts = append(texts, record)
			}
		}
	}
	if err := r.Close(); err != nil { // nothing is confirmed
		t.Fatal(err)
	}
	for _, i := range []int{0, 2, 3, 5} { // the ends of the transactions
		from := texts[i]
		for _, again := range []bool{true, false} {
			want := texts[i:]
			if !again {
				want = texts[i+1:]
			}
			r := testkit.Must(s.Open(t.Context(), partition(t, s), join.Start{After: from.Place, Again: again}))(t)
			var got []join.Record
			for {
				records := testkit.Must(r.Next(t.Context(), 2))(t)
				if len(records) == 0 {
					break
				}
				for _, one := range records {
					if one.Text != nil {
						got = append(got, one)
					}
				}
			}
			if again && len(got) > 0 {
				got[0].Previous = want[0].Previous // of the first one it is not known
			}
			if !again && len(got) > 0 {
				same(t, "what the first one follows", *got[0].Previous, from.Place)
				got[0].Previous = want[0].Previous
			}
			same(t, "from "+from.Place.String(), len(got), len(want))
			for k := range got {
				same(t, "text", string(got[k].Text), string(want[k].Text))
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	lost := texts[5].Place
	lost.Part = 4
	wantsChanged(t, s, join.Start{After: lost, Again: true}, "does not send")
	lost = join.Place{Position: texts[5].Position + 8, Part: 1}
	wantsChanged(t, s, join.Start{After: lost, Again: true}, "does not send")
}

// testStops: where rows may be lost, it stops.
func testStops(t *testing.T, x *exchange) {
	s := x.source("snapshot=none&dated=commit")
	r := testkit.Must(s.Open(t.Context(), partition(t, s), join.Start{}))(t)
	identity := r.Identity()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, "slots that are left", slots(x), []string{}) // nothing was confirmed
	_, records := mustRead(t, s, join.Start{})
	end := after(records[len(records)-1])
	wantsChanged(t, s, join.Start{}, "is there before anything was read")
	end.Identity = "1/1"
	wantsChanged(t, s, end, "may be lost")
	end.Identity = identity
	mustRead(t, s, end)
	x.do("INSERT INTO postings (account, asset, amount) VALUES ('a', 'BNB', 1)")
	x.released()
	x.do("SELECT pg_replication_slot_advance('stops', pg_current_wal_lsn())")
	wantsChanged(t, s, end, "has moved on to")
	x.do("SELECT pg_drop_replication_slot('stops')")
	wantsChanged(t, s, end, "is gone")
	x.do("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'; ")
	x.do("SELECT pg_reload_conf()")
	x.do("SELECT pg_create_logical_replication_slot('stops', 'pgoutput')")
	start := join.Start{After: join.Place{Position: 1 << 50}}
	for range 4 {
		x.do("SELECT pg_logical_emit_message(false, 'a', repeat('x', 1000000))")
		x.do("SELECT pg_switch_wal()")
	}
	x.do("CHECKPOINT")
	wantsChanged(t, s, start, "invalidated")
}

// eventually waits until a query says true.
func (x *exchange) eventually(sql string, args ...any) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), time.Minute)
	defer cancel()
	for is := false; !is; {
		if err := x.QueryRow(ctx, sql, args...).Scan(&is); err != nil {
			x.t.Fatalf("%s: %v", sql, err)
		}
	}
}

// released waits until the server has seen that the reader of the slot has gone.
func (x *exchange) released() {
	x.t.Helper()
	x.eventually("SELECT NOT active FROM pg_replication_slots WHERE slot_name = $1", x.name)
}

func slots(x *exchange) []string {
	x.t.Helper()
	rows := testkit.Must(x.Query(x.t.Context(), "SELECT slot_name::text FROM pg_replication_slots "+
		"WHERE NOT temporary AND database = current_database()"))(x.t)
	return testkit.Must(pgx.CollectRows(rows, pgx.RowTo[string]))(x.t)
}

// testSnapshotBeginsAgain: a snapshot that was not finished begins again behind what the books have of it.
func testSnapshotBeginsAgain(t *testing.T, x *exchange) {
	x.do("INSERT INTO balances SELECT 'a' || n, 'BNB', n FROM generate_series(10, 19) n")
	dry := x.source("snapshot=balances&dated=commit")
	dry.DryRun()
	rows, _ := mustRead(t, dry, join.Start{})
	same(t, "rows of a dry run", len(rows), 10)
	same(t, "slots after it", len(slots(x)), 0)
	s := x.source("snapshot=balances&dated=commit")
	r := testkit.Must(s.Open(t.Context(), partition(t, s), join.Start{}))(t)
	part := testkit.Must(r.Next(t.Context(), 4))(t)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	x.do("UPDATE balances SET amount = 100 WHERE account = 'a10'")
	r = testkit.Must(s.Open(t.Context(), partition(t, s), after(part[3])))(t)
	records := testkit.Must(r.Next(t.Context(), 20))(t)
	same(t, "the rows, after their place", len(records), 11)
	same(t, "initial", records[0].Initial, true)
	if text := string(records[1].Text); !strings.Contains(text, `"account":"a10","asset":"BNB","amount":"100.0000000`) {
		t.Error(text)
	}
	r.Confirm(records[10].Place)
	testkit.Must(r.Next(t.Context(), 20))(t) // the slot that stays is made
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	// The slot was made, and the process ended before the books had anything behind the snapshot.
	x.released()
	rows, _ = mustRead(t, s, after(records[10]))
	same(t, "rows", len(rows), 0)
}

// testSnapshotDated: the rows are dated when the database had them, which is after the transactions that making the
// slot waits for. Until they are read, no limit of the server for what is idle ends the slot's connection.
func testSnapshotDated(t *testing.T, x *exchange) {
	x.do("ALTER DATABASE dated SET idle_in_transaction_session_timeout = '100ms'; " +
		"ALTER DATABASE dated SET statement_timeout = '10s'")
	tx := testkit.Must(connect(t, x.Config().ConnString()).Begin(t.Context()))(t)
	if _, err := tx.Exec(t.Context(), "SET LOCAL idle_in_transaction_session_timeout = 0; "+
		"INSERT INTO balances VALUES ('alice', 'BNB', 1)"); err != nil {
		t.Fatal(err)
	}
	s := x.source("snapshot=balances&dated=commit")
	var r join.Reader
	opened := make(chan error, 1)
	go func() {
		var err error
		r, err = s.Open(t.Context(), x.name, join.Start{})
		opened <- err
	}()
	x.eventually("SELECT count(*) > 0 FROM pg_replication_slots WHERE slot_name = 'dated_snapshot'")
	var before time.Time
	if err := tx.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&before); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	x.do("SELECT pg_sleep(0.3)") // longer than the limit
	records := testkit.Must(r.Next(t.Context(), 10))(t)
	r.Confirm(records[len(records)-1].Place)
	testkit.Must(r.Next(t.Context(), 10))(t) // the slot that stays is made
	var row struct {
		At time.Time `json:"commit_time"`
	}
	ok := json.Unmarshal(records[1].Text, &row)
	if ok != nil || row.At.Before(before) {
		t.Errorf("%s is dated before %s: %v", records[1].Text, before, ok)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, "slots", slots(x), []string{"dated"})
}

// testWatermark: nothing is said of the time since which a transaction is open, or when it was not known.
func testWatermark(t *testing.T, x *exchange) {
	s := x.source("snapshot=none")
	_, records := mustRead(t, s, join.Start{})
	start := after(records[len(records)-1])
	other := connect(t, x.Config().ConnString())
	tx := testkit.Must(other.Begin(t.Context()))(t)
	var began time.Time
	if err := tx.QueryRow(t.Context(), "SELECT now()").Scan(&began); err != nil {
		t.Fatal(err)
	}
	x.do("INSERT INTO postings (account, asset, amount) VALUES ('a', 'BNB', 1)")
	last := func(s *postgres.Source) (at time.Time) {
		t.Helper()
		r := testkit.Must(s.Open(t.Context(), partition(t, s), start))(t)
		for {
			records := testkit.Must(r.Next(t.Context(), 10))(t)
			if len(records) == 0 {
				break
			}
			for _, record := range records {
				if !record.Watermark.IsZero() {
					at = record.Watermark
				}
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		return at
	}
	same(t, "while a transaction is open", last(s).Equal(began), true)
	same(t, "by commit it is later", last(x.source("dated=commit")).After(began), true)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "when it has ended", last(s).After(began), true)
}

// testRefuses: what the database is not ready for is said.
func testRefuses(t *testing.T, x *exchange) {
	x.do("REVOKE pg_read_all_stats FROM reader")
	for more, want := range map[string]string{
		"":                             "GRANT pg_read_all_stats",
		"dated=commit":                 "snapshot=TABLE",
		"dated=commit&snapshot=missed": "missed",
	} {
		_, err := read(t, x.source(more), join.Start{})
		if err == nil || errors.Is(err, join.ErrChanged) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", more, err)
		}
	}
	x.do("DROP PUBLICATION softstake")
	if _, err := read(t, x.source("dated=commit&snapshot=none"), join.Start{}); err == nil ||
		!strings.Contains(err.Error(), "no publication") {
		t.Error(err)
	}
}

func TestParse(t *testing.T) {
	const good = "postgres://u@localhost/d?slot=a_1&publication=P&"
	for address, field := range map[string]string{
		"postgres://u:secret@localhost/d?slot=a&publication=p":          "",
		"postgres://u@localhost/d?slot=a&publication=p&password=secret": "",
		good + "sslpassword=secret":                                     "",
		"mysql://u@localhost/d?slot=a&publication=p":                    "",
		"postgres://u@localhost/d?publication=p":                        "slot",
		"postgres://u@localhost/d?slot=A&publication=p":                 "slot",
		"postgres://u@localhost/d?slot=1a&publication=p":                "slot",
		"postgres://u@localhost/d?slot=a":                               "publication",
		"postgres://u@localhost/d?slot=a&publication=p%22":              "publication",
		good + "snapshot=a%3Bb":                                         "snapshot",
		good + "snapshot=none;dated=commit":                             "",
		good + "margin=%zz":                                             "",
		good + "snapshot=a.b.c":                                         "snapshot",
		good + "dated=now":                                              "dated",
		good + "service=shop":                                           "",
		"postgres:///d?slot=a&publication=p":                            "",
		"postgres://u@localhost?slot=a&publication=p":                   "",
		good + "margin=-1s":                                             "margin",
		good + "margin=2h":                                              "margin",
	} {
		_, err := postgres.Parse(address, false)
		e, is := errors.AsType[*ledger.Error](err)
		if !is || e.Kind != ledger.ErrInvalid || e.Field != field || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
	_, err := postgres.Parse("postgres://u@example.com/d?slot=a&publication=p", false)
	if !errors.Is(err, db.ErrInsecure) {
		t.Error(err)
	}
	s := testkit.Must(postgres.Parse(good+"snapshot=accounts,shop.balances&margin=1m", false))(t)
	names, err := s.Partitions(t.Context())
	if err != nil || !slices.Equal(names, []string{"a_1"}) {
		t.Error(names, err)
	}
}

func TestMain(m *testing.M) { pgtest.Main(m) }
