package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/store/schema"
)

// Databases are the kinds of database that every scenario is played on.
var Databases = []string{"sqlite", "postgres"}

// NewURL is where a test may make new books in a database of the kind. They last
// through a crash only if durable. They have the schema already, as Migrated has.
func NewURL(t testing.TB, kind string, durable bool) string {
	t.Helper()
	if kind == "sqlite" {
		return fileOf(t, "schema", func(url string) error { return migrate(t, url) })
	}
	url := Migrated(t)
	if !durable {
		url += "&synchronous_commit=off"
	}
	return url
}

// Migrated is where a new database of PostgreSQL is that has the schema of the books, and none yet, for the application
// role. store.Create makes them in it as in an empty one, in a third of the time.
func Migrated(t testing.TB) string {
	t.Helper()
	return pgtest.App(pgtest.CopyOf(t, "schema", func(url string) error { return migrate(t, url) }))
}

// migrate makes the schema of the books in an empty database.
func migrate(t testing.TB, url string) error {
	d, err := db.Open(t.Context(), url, db.Options{Migrations: schema.Steps(time.Now, access.Actor{}),
		Mark: 0x7374616b /* of books */, Create: true, Volatile: true})
	if err != nil {
		return err
	}
	err = d.Migrate(t.Context(), d.Known(), nil)
	if err == nil && d.Postgres() {
		err = d.Write(t.Context(), func(t db.Tx) error {
			err := d.Grant(t, pgtest.AppRole, schema.Grants)
			if err == nil { // Create locks the schema
				_, err = t.Exec("GRANT DELETE ON migrations TO " + pgtest.AppRole)
			}
			return err
		})
	}
	return errors.Join(err, d.Close())
}

// files are the files of SQLite that fileOf has made, by what they are of.
var files struct {
	sync.Mutex
	made map[string][]byte
}

// fileOf is where a new file of SQLite is, with what build makes in it: once in this test process for each name of it,
// and then that file is copied.
func fileOf(t testing.TB, what string, build func(url string) error) string {
	t.Helper()
	files.Lock()
	defer files.Unlock()
	path := t.TempDir() + "/books.db"
	file, made := files.made[what]
	var err error
	if made {
		err = os.WriteFile(path, file, 0o600)
	} else if err = build("sqlite:" + path); err == nil {
		file, err = os.ReadFile(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	if files.made == nil {
		files.made = map[string][]byte{}
	}
	files.made[what] = file
	return "sqlite:" + path
}

// Books is where new books are, in a database of the kind; they need not last through a
// crash. store.Create made them, with the clock and the actor of the options: once in this
// test process, and then they are copied, which takes a fifth of the time. On PostgreSQL they
// are opened by the application role; Rows is the owner.
func Books(t testing.TB, kind string, o store.Options, b store.Setup) string {
	t.Helper()
	create := func(url string) error {
		books, err := store.Create(t.Context(), url, o, b)
		if err == nil {
			err = books.Close()
		}
		if err == nil && b.AppRole != "" { // so that the log is the same on every database
			_, err = Rows(t.Context(), url, "DELETE FROM log WHERE action = '"+string(control.GrantRole)+"'")
		}
		return err
	}
	key := fmt.Sprint(o.Clock().UnixNano(), o.Actor, o.Sealer != nil, b)
	if kind == "sqlite" {
		return fileOf(t, key, create)
	}
	b.AppRole = pgtest.AppRole
	return pgtest.App(pgtest.CopyOf(t, key, create)) + "&synchronous_commit=off"
}

// Rows are what queries find in books, with ";" between them: a line a row and a tab between columns,
// sorted. It reads beside the store, with a connection of its own, and may change all that there is.
func Rows(ctx context.Context, url, sql string) (lines []string, err error) {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		lines, err = sqliteRows(path, sql)
	} else {
		lines, err = postgresRows(ctx, url, sql)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sql, err)
	}
	slices.Sort(lines)
	return lines, nil
}

func sqliteRows(path, sql string) (lines []string, err error) {
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for query := range strings.SplitSeq(strings.TrimSuffix(sql, ";"), ";") {
		o := &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
			columns := make([]string, s.ColumnCount())
			for i := range columns {
				blob := s.ColumnType(i) == sqlite.TypeBlob
				// As PostgreSQL writes bytes, in which the store keeps none at all as NULL.
				if columns[i] = s.ColumnText(i); blob && columns[i] != "" {
					columns[i] = fmt.Sprintf(`\x%x`, columns[i])
				}
			}
			lines = append(lines, strings.Join(columns, "\t"))
			return nil
		}}
		err = errors.Join(err, sqlitex.ExecuteTransient(c, query, o))
	}
	return lines, err
}

func postgresRows(ctx context.Context, url, sql string) (lines []string, err error) {
	c, err := pgx.Connect(ctx, pgtest.Owner(url))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	results, err := c.PgConn().Exec(ctx, sql).ReadAll()
	for _, result := range results {
		for _, row := range result.Rows {
			columns := make([]string, len(row))
			for i, v := range row {
				columns[i] = string(v)
			}
			lines = append(lines, strings.Join(columns, "\t"))
		}
	}
	return lines, err
}

// Dump is every row that an audit reads, and some more: what must be the same wherever books are kept; and what more
// queries find, with ";" between them.
func Dump(ctx context.Context, url string, more ...string) ([]string, error) {
	var all strings.Builder
	for _, table := range []string{
		"journal", "balances", "accruals", "accounts", "enrollments", "switch_events", "entries", "postings",
		"withdrawals", "terms", "days", "close_after", "closings", "progress", "batches", "declarations", "payments",
		"reconciliations", "exclusions", "incomes", "shares", "distributions",
		"owners", "labels", "owner_sums", "groupings", "campaigns", "campaign_parts", "campaign_multipliers",
		"campaign_ends", "campaign_members", "campaign_weights", "campaign_totals", "campaign_shares",
		"campaign_distributions", "campaign_eligible", "campaign_owner_sums",
	} {
		fmt.Fprintf(&all, "SELECT '%s', * FROM %s;", table, table)
	}
	return Rows(ctx, url, all.String()+strings.Join(more, ";"))
}

// Rewards is the part of the books that runs have made of the days up to one, as
// text, whoever ran and whenever: two books with the same entries have the same.
func Rewards(ctx context.Context, url string, through staking.Day) (string, error) {
	lines, err := Rows(ctx, url, strings.ReplaceAll(
		`SELECT bucket, day, account, asset, at, entry, move, side, amount, other, kind FROM journal
			WHERE kind IN ('reward', 'declare') AND day - 1 <= {day};
		SELECT bucket, day, account, asset, opening, average, rest, eligible, apr, reward, before, carry FROM accruals
			WHERE day <= {day};
		SELECT 'payment', bucket, day, asset, holders, total FROM payments WHERE day <= {day};
		SELECT 'declaration', day, asset, holders, total FROM declarations WHERE day <= {day}`,
		"{day}", strconv.Itoa(int(through))))
	return strings.Join(lines, "\n"), err
}

// Clean fails the test unless the audit finds nothing.
func Clean(t testing.TB, books *store.DB) {
	t.Helper()
	report, err := audit.Run(context.Background(), reports.AuditOf(books.Reader()), audit.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		t.Errorf("audit: %s", f)
	}
	if report.Total > 0 {
		t.Fatalf("audit: %d findings", report.Total)
	}
}
