package bench

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/join/postgres"
	"github.com/softstake/softstake/ledger"
)

// What is made in the database of a ledger, beside a slot that the reader makes.
const (
	benchTable = "softstake_bench_postings"
	benchSlot  = "softstake_bench"
	rowsATime  = 10 // rows of a transaction
)

// postgresFeed is a table of postings in PostgreSQL.
type postgresFeed struct {
	from    *postgres.Source
	mapping *join.Mapping
	db      *db.DB
	last    int64
}

const benchMapping = `{"records": [{"when": [{"path": "op", "is": ["insert"]}], "fields": {"id": {"path": "new.id"},
	"at": {"path": "new.at"}, "account": {"path": "new.account"}, "token": {"path": "new.token"},
	"change": {"path": "new.change"}, "balanceAfter": {"path": "new.balance"}}}]}`

func newPostgresFeed(ctx context.Context, j JoinOptions, insecure bool) (feed, error) {
	if j.Partitions != 1 {
		return nil, ledger.ErrInvalid.In("partitions", "PostgreSQL has one")
	}
	u, err := url.Parse(j.Source)
	if err != nil {
		return nil, errors.New("the address of the source cannot be read")
	}
	query := u.Query()
	query.Set("slot", benchSlot)
	query.Set("publication", benchSlot)
	query.Set("snapshot", "none")
	u.RawQuery = query.Encode()
	f := &postgresFeed{}
	if f.from, err = postgres.Parse(u.String(), insecure); err != nil {
		return nil, err
	}
	if f.mapping, err = join.ParseMapping([]byte(benchMapping)); err != nil {
		return nil, err
	}
	f.mapping.OfRows()
	if f.db, err = db.Open(ctx, j.Source, db.Options{Insecure: insecure}); err != nil {
		return nil, err
	}
	err = f.db.Write(ctx, func(t db.Tx) (err error) {
		for _, sql := range []string{"CREATE TABLE " + benchTable + " (id text PRIMARY KEY, at timestamptz, account text, " +
			"token text, change numeric(36,18), balance numeric(36,18))",
			"CREATE PUBLICATION " + benchSlot + " FOR TABLE " + benchTable} {
			if err == nil {
				_, err = t.Exec(sql)
			}
		}
		return err
	})
	return f, err
}

func (f *postgresFeed) source() join.Source { return undated{f.from} }

// undated is a source without watermarks, which are by the clock of the database: that of the books stands still.
type undated struct{ join.Source }

func (s undated) Open(ctx context.Context, partition string, start join.Start) (join.Reader, error) {
	r, err := s.Source.Open(ctx, partition, start)
	return undatedReader{r}, err
}

type undatedReader struct{ join.Reader }

func (r undatedReader) Next(ctx context.Context, most int) ([]join.Record, error) {
	records, err := r.Reader.Next(ctx, most)
	for i := range records {
		records[i].Watermark = time.Time{}
	}
	return records, err
}

func (f *postgresFeed) decode(text []byte, position int64) (join.Event, error) {
	return f.mapping.Decode(text, position)
}

// write inserts the rows. The position is one between the last of them and the commit of the last transaction.
func (f *postgresFeed) write(ctx context.Context, events [][]feedEvent) ([]int64, error) {
	for rows := events[0]; len(rows) > 0; {
		some := rows[:min(rowsATime, len(rows))]
		rows = rows[len(some):]
		err := f.db.Write(ctx, func(t db.Tx) error {
			_, err := t.Set(nil, "INSERT INTO "+benchTable+" (id, at, account, token, change, balance) SELECT r.id, "+
				"r.at::timestamptz, r.account, r.token, r.change::numeric, r.balance::numeric FROM {rows}", db.SetOf(some,
				db.Text("id", func(e feedEvent) string { return "e-" + strconv.Itoa(e.number) }),
				db.Text("at", func(e feedEvent) string { return e.at }),
				db.Text("account", func(e feedEvent) string { return string(e.account) }),
				db.Text("token", func(e feedEvent) string { return e.token }),
				db.Text("change", func(e feedEvent) string { return e.change }),
				db.Text("balance", func(e feedEvent) string { return e.balanceAfter })))
			if err != nil {
				return err
			}
			_, err = db.One(t, []*int64{&f.last}, "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint")
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return []int64{f.last}, nil
}

func (*postgresFeed) index(string) int { return 0 }

func (f *postgresFeed) close() error { return f.db.Close() }
