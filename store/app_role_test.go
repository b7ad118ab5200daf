package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/store/schema"
	"github.com/softstake/softstake/testkit"
)

// addedTo are tables in which nobody but the owner changes or removes a row.
const addedTo = `acceptances account_limits assets campaign_distributions campaign_ends campaign_members campaign_multipliers
	campaign_parts campaign_totals campaigns checkpoints closings comparison_differences comparison_limits
	comparison_releases comparison_resolutions comparison_sources comparison_tokens comparisons declarations disclosures distributions documents endings
	entries incomes liabilities limits log owners payments postings record_groups records row_versions security_events settled
	switch_events terms`

// columnsOf are the columns of every table of the books, but that of the migrations.
func columnsOf(t *testing.T, c *pgx.Conn) map[string][]string {
	t.Helper()
	rows, err := c.Query(t.Context(), `SELECT c.table_name::text, string_agg(c.column_name::text, ' ' ORDER BY c.column_name)
	     FROM information_schema.columns c JOIN pg_tables t ON t.schemaname = c.table_schema AND t.tablename = c.table_name
	    WHERE c.table_schema = 'public' AND c.table_name <> 'migrations' GROUP BY c.table_name`)
	ok(t, err)
	columns := map[string][]string{}
	var table, names string
	_, err = pgx.ForEachRow(rows, []any{&table, &names}, func() error {
		columns[table] = strings.Fields(names)
		return nil
	})
	ok(t, err)
	return columns
}

// refusesTheRole reports whether the role may not run a statement; it ends the test at another error.
func refusesTheRole(t *testing.T, c *pgx.Conn, sql string) bool {
	t.Helper()
	_, err := c.Exec(t.Context(), sql)
	var server *pgconn.PgError
	switch {
	case err == nil:
		return false
	case errors.As(err, &server) && server.Code == "42501":
		return true
	}
	t.Fatalf("%s: %v", sql, err)
	return false
}

// connected is a connection to PostgreSQL, until the test ends.
func connected(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	ok(t, err)
	t.Cleanup(func() { ok(t, c.Close(context.Background())) })
	return c
}

// TestEveryTableIsGranted: schema.Grants has every table and column there is, and the application role may do what it
// says, and nothing else.
func TestEveryTableIsGranted(t *testing.T) {
	clock := testkit.NewClock(noon)
	url := scenario.Books(t, "postgres", options(clock), shipped(t, day1))
	columns := columnsOf(t, connected(t, pgtest.Owner(url)))
	same(t, "the tables", slices.Sorted(maps.Keys(schema.Grants)), slices.Sorted(maps.Keys(columns)))
	app := connected(t, url)
	may := func(want bool, format string, args ...any) {
		t.Helper()
		if sql := fmt.Sprintf(format, args...); refusesTheRole(t, app, sql) == want {
			t.Errorf("%s is allowed: %v", sql, !want)
		}
	}
	for table, grant := range schema.Grants {
		var changed []string
		for column := range strings.SplitSeq(grant.Update, ", ") {
			if column != "" {
				changed = append(changed, column)
			}
		}
		may(grant.Insert, "INSERT INTO %s SELECT * FROM %[1]s WHERE false", table)
		may(grant.Delete, "DELETE FROM %s WHERE false", table)
		may(false, "TRUNCATE %s", table)
		for _, column := range columns[table] {
			if slices.Contains(changed, column) {
				changed = slices.DeleteFunc(changed, func(c string) bool { return c == column })
				may(true, "UPDATE %s SET %s = %[2]s WHERE false", table, column)
				continue
			}
			may(false, "UPDATE %s SET %s = %[2]s WHERE false", table, column)
		}
		if len(changed) > 0 {
			t.Errorf("%s has no columns %q", table, changed)
		}
	}
	for table := range strings.FieldsSeq(addedTo) {
		same(t, table, schema.Grants[table], db.Grant{Insert: true})
	}
	may(false, "INSERT INTO migrations (number) VALUES (1000)")
	may(false, "DELETE FROM migrations")
	may(false, "CREATE TABLE more (number integer)")
	may(false, "ALTER TABLE log ADD COLUMN more integer")
}

// TestAppRole: which roles can be granted what books need, what is taken away from one, and what an upgrade gives it.
func TestAppRole(t *testing.T) {
	clock := testkit.NewClock(noon)
	url := pgtest.Owner(scenario.Books(t, "postgres", options(clock), shipped(t, day1)))
	owner, app := connected(t, url), connected(t, pgtest.App(url))
	do := func(sql string) {
		t.Helper()
		_, err := owner.Exec(t.Context(), sql)
		ok(t, err)
	}
	grant := func() error { return store.GrantRole(t.Context(), url, options(clock), pgtest.AppRole) }
	for role, says := range map[string]string{"nobody_knows": "there is no role", "softstake": "superuser"} {
		for _, err := range []error{
			store.GrantRole(t.Context(), url, options(clock), role), store.CheckRole(t.Context(), url, options(clock), role),
		} {
			if !errors.Is(err, store.ErrRole) || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v", role, err)
			}
		}
	}
	for _, more := range []struct{ give, take, says string }{
		{"GRANT DELETE ON log TO PUBLIC", "REVOKE DELETE ON log FROM PUBLIC", "with log, by way of"},
		{"GRANT UPDATE (account) ON balances TO PUBLIC", "REVOKE UPDATE (account) ON balances FROM PUBLIC", "with balances,"},
		{"GRANT INSERT ON migrations TO PUBLIC", "REVOKE INSERT ON migrations FROM PUBLIC", "with migrations, by way of"},
		{"GRANT UPDATE ON journal TO PUBLIC", "REVOKE UPDATE ON journal FROM PUBLIC", "with journal, by way of"},
		{"GRANT CREATE ON SCHEMA public TO PUBLIC", "REVOKE CREATE ON SCHEMA public FROM PUBLIC", "REVOKE CREATE ON SCHEMA"},
		{"ALTER ROLE " + pgtest.AppRole + " CREATEROLE", "ALTER ROLE " + pgtest.AppRole + " NOCREATEROLE", "create roles"},
		{"ALTER ROLE " + pgtest.AppRole + " NOINHERIT; GRANT pg_write_all_data TO " + pgtest.AppRole,
			"REVOKE pg_write_all_data FROM " + pgtest.AppRole + "; ALTER ROLE " + pgtest.AppRole + " INHERIT", "by way of"},
	} {
		do(more.give)
		if err := grant(); !errors.Is(err, store.ErrRole) || !strings.Contains(err.Error(), more.says) {
			t.Errorf("%s: %v", more.give, err)
		}
		do(more.take)
	}
	do("GRANT DELETE, UPDATE ON postings TO " + pgtest.AppRole)
	do("GRANT UPDATE (amount) ON postings TO " + pgtest.AppRole)
	do("GRANT ALL ON journal, rewards TO " + pgtest.AppRole) // as default privileges of tables do, which are of views, too
	ok(t, grant())
	for _, sql := range []string{"DELETE FROM postings", "UPDATE postings SET amount = 1"} {
		if !refusesTheRole(t, app, sql) {
			t.Errorf("%s is allowed", sql)
		}
	}
	rights, err := scenario.Rows(t.Context(), url, `SELECT DISTINCT table_name, privilege_type FROM
		information_schema.role_table_grants WHERE table_name IN ('journal', 'rewards') AND grantee = '`+pgtest.AppRole+"'")
	ok(t, err)
	same(t, "rights in views", rights, []string{"journal\tSELECT", "rewards\tSELECT"})
	same(t, "lines of the log", len(logged(t, opened(t, url, clock), "app-role grant")), 1)
	_, err = store.Create(t.Context(), "sqlite:"+t.TempDir()+"/books.db", options(clock), withRole(shipped(t, day1)))
	wants(t, err, store.ErrRole)
	_, err = store.Create(t.Context(), pgtest.App(pgtest.Database(t)), options(clock), shipped(t, day1))
	wants(t, err, store.ErrRights)
}

func withRole(s store.Setup) store.Setup {
	s.AppRole = pgtest.AppRole
	return s
}

// TestUpgradeGrantsAgain: a role that was granted what books need gets what a new schema needs, and no other role does.
func TestUpgradeGrantsAgain(t *testing.T) {
	clock := testkit.NewClock(noon)
	url := scenario.Books(t, "postgres", options(clock), shipped(t, day1))
	owner := connected(t, pgtest.Owner(url))
	do := func(sql string) {
		t.Helper()
		_, err := owner.Exec(t.Context(), sql)
		ok(t, err)
	}
	const other = "writes_the_log"
	do("CREATE ROLE " + other)
	t.Cleanup(func() {
		_, err := owner.Exec(context.WithoutCancel(t.Context()), "DROP OWNED BY "+other+"; DROP ROLE "+other)
		ok(t, err)
	})
	do("GRANT INSERT, UPDATE ON log TO " + other)
	ok(t, store.GrantRole(t.Context(), pgtest.Owner(url), options(clock), pgtest.AppRole))
	do("REVOKE ALL ON entries FROM " + pgtest.AppRole) // as if the program before had not known the table
	do("REVOKE UPDATE (closed) ON days FROM " + pgtest.AppRole)
	books := testkit.Must(store.Open(t.Context(), url, options(clock)))(t)
	open(t, books, "alice")
	err := books.CheckRights(t.Context())
	ok(t, books.Close())
	if wants(t, err, store.ErrRights); !strings.HasSuffix(err.Error(), "in the tables days entries") {
		t.Error(err)
	}

	store.AddMigrations(t, func() error { return nil })
	clock.Advance(time.Minute)
	_, err = store.Upgrade(t.Context(), url, options(clock), nil)
	if wants(t, err, store.ErrRights); strings.Contains(err.Error(), "try again") {
		t.Error(err)
	}
	testkit.Must(store.Upgrade(t.Context(), pgtest.Owner(url), options(clock), nil))(t)
	books = opened(t, url, clock)
	ok(t, books.CheckRights(t.Context()))
	deposit(t, books, "d-1", "alice", 1, bnb, noon)
	same(t, "entries", testkit.Must(books.Count(t.Context(), "SELECT count(*) FROM entries"))(t), int64(1))
	same(t, "lines of the log", len(logged(t, books, "app-role grant")), 2)
	left := testkit.Must(books.Count(t.Context(),
		"SELECT count(*) FROM pg_roles WHERE rolname = $1 AND has_table_privilege(oid, 'log', 'UPDATE')", other))(t)
	same(t, "other roles that may change lines of the log", left, int64(1))
}
