package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/store/schema"
	"github.com/softstake/softstake/testkit"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(writerURL); url != "" {
		writeUntilKilled(url)
	}
	pgtest.Main(m)
}

var long = os.Getenv("SOFTSTAKE_LONG") == "1"

// process is the outbox as one process has it.
type process struct {
	*outbox.Outbox
	db *db.DB
}

// open opens a database as another process would; the caller closes it. Where it is empty the schema is made.
func open(ctx context.Context, url string, clock func() time.Time) (p process, err error) {
	p.db, err = db.Open(ctx, url, db.Options{Migrations: schema.Steps(clock, access.Actor{}), Create: true,
		Volatile: true})
	if err != nil {
		return p, err
	}
	if err := p.db.Migrate(ctx, p.db.Known(), nil); err != nil {
		return p, err
	}
	p.Outbox = outbox.New(p.db, clock, &outbox.Shared{})
	return p, nil
}

// opened is open for a test, which closes it at its end.
func opened(t *testing.T, url string, clock func() time.Time) process {
	t.Helper()
	p := testkit.Must(open(t.Context(), url, clock))(t)
	t.Cleanup(func() { ok(t, p.db.Close()) })
	return p
}

// each runs a test on every database.
func each(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "books.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, onPostgres(t)) })
}

// onPostgres is a new database with the schema, for the application role.
func onPostgres(t *testing.T) string {
	t.Helper()
	return pgtest.App(pgtest.CopyOf(t, "schema", func(url string) error {
		p, err := open(t.Context(), url, time.Now)
		if err != nil {
			return err
		}
		err = p.db.Write(t.Context(), func(t db.Tx) error { return p.db.Grant(t, pgtest.AppRole, schema.Grants) })
		return errors.Join(err, p.db.Close())
	}))
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// event is the record of an entry with an ID.
func event(id string) (r outbox.Records) {
	r.Entry(outbox.PostedEntry{ID: id, Kind: ledger.Deposit, At: testkit.Noon})
	return r
}

// write commits an event.
func (p process) write(ctx context.Context, id string) error {
	return p.Write(ctx, func(db.Tx) (outbox.Records, error) { return event(id), nil })
}

// numberAll gives numbers until all have one.
func (p process) numberAll(t testing.TB) {
	t.Helper()
	for testkit.Must(p.Number(t.Context()))(t) > 0 {
	}
}

// reader reads events by number, again and again, and remembers which number each has.
type reader struct {
	mu   sync.Mutex
	ids  []string // ids[i] has the number i+1
	seen map[string]int
}

// read reads what has a number now, from the beginning, and compares it with what was read before.
func (r *reader) read(ctx context.Context, p process) error {
	var all []string
	for {
		page, err := p.After(ctx, int64(len(all)), 100)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			all = append(all, e.Entries[0].ID)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(all) < len(r.ids) {
		return fmt.Errorf("there are %d events, and there were %d", len(all), len(r.ids))
	}
	for i, id := range r.ids {
		if all[i] != id {
			return fmt.Errorf("event %d was %s, and is %s", i+1, id, all[i])
		}
	}
	r.ids, r.seen = all, map[string]int{}
	for i, id := range all {
		if r.seen[id] > 0 {
			return fmt.Errorf("%s has the numbers %d and %d", id, r.seen[id], i+1)
		}
		r.seen[id] = i + 1
	}
	return nil
}

// complete wants every acknowledged event to be there, no other event than those that are in the table, and those
// of each writer in the order in which it wrote them.
func (r *reader) complete(t *testing.T, p process, acknowledged []string) {
	t.Helper()
	p.numberAll(t)
	ok(t, r.read(t.Context(), p))
	for _, id := range acknowledged {
		if r.seen[id] == 0 {
			t.Errorf("%s was committed, and has no number", id)
		}
	}
	s := testkit.Must(p.State(t.Context()))(t)
	var rows int64
	ok(t, p.db.Read(t.Context(), func(v db.View) (err error) {
		rows, err = db.Count(v, "SELECT count(*) FROM outbox")
		return err
	}))
	if s.Newest != int64(len(r.ids)) || rows != s.Newest || s.Waiting != 0 || !s.Oldest.IsZero() {
		t.Errorf("read are %d events of %d; the state is %+v", len(r.ids), rows, s)
	}
	last := map[string]string{}
	for _, id := range r.ids { // IDs are WRITER.NUMBER, with zeros before the number
		writer, _, _ := strings.Cut(id, ".")
		if id <= last[writer] {
			t.Errorf("%s comes after %s", id, last[writer])
		}
		last[writer] = id
	}
}
