package reconcile_test

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reconcile"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// figuresOf asks a database for the balances at the end of 21 November, and the payouts of the 20th.
func figuresOf(t *testing.T, address, balances, payouts string) (reconcile.Figures, error) {
	t.Helper()
	q, err := reconcile.ParseQuery(address, balances, payouts, false)
	if err != nil {
		t.Fatal(err)
	}
	return q.Read(t.Context(), time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), known)
}

// TestBalancesOfAQuery reads a ledger of postings as it was at a moment, and can change nothing.
func TestBalancesOfAQuery(t *testing.T) {
	address := pgtest.Owner(pgtest.Database(t))
	c, err := pgx.Connect(t.Context(), address)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	t.Cleanup(func() { must(c.Close(t.Context())) })
	_, err = c.Exec(t.Context(), `CREATE TABLE postings (account text, asset text, amount numeric(38,18), at timestamptz);
		INSERT INTO postings VALUES ('bob', 'BNB', 1.5, '2026-11-21'), ('bob', 'BNB', 0.25, '2026-11-22'),
			('alice', 'BNB', 3, '2026-11-20 12:00+00'),
			('alice', 'POINTS', 2, '2026-11-20'), ('alice', 'POINTS', -2, '2026-11-21'),
			('carol', 'DOGE', 1, '2026-11-20')`)
	must(err)
	config, err := pgx.ParseConfig(address)
	must(err)
	t.Setenv("PGPASSWORD", config.Password)
	address = strings.Replace(address, ":"+config.Password+"@", "@", 1)
	ask := func(sql, payouts string) (reconcile.Figures, error) { return figuresOf(t, address, sql, payouts) }
	read := func(sql string) (reconcile.Figures, error) { return ask(sql, "") }

	f, err := read("SELECT account, asset, sum(amount) AS balance FROM postings WHERE at < $1 GROUP BY account, asset;")
	must(err)
	want := []reconcile.Balance{{"alice", "BNB", 3_00000000}, {"bob", "BNB", 1_50000000}}
	if !slices.Equal(f.Balances, want) || f.Ignored != 1 {
		t.Errorf("read %+v, want %+v", f, want)
	}
	if !strings.Contains(f.Position, "/") || time.Since(f.At).Abs() > time.Minute {
		t.Errorf("as of %+v", f.AsOf)
	}
	if f.WithPayouts {
		t.Error("it has payouts that were not asked for")
	}
	f, err = ask("SELECT account, asset, amount AS balance FROM postings WHERE false",
		"SELECT account, asset, amount AS payout FROM postings WHERE at::date = $1 AND amount > 0 AND asset = 'BNB';")
	must(err)
	if !f.WithPayouts || f.PayoutsDay != "2026-11-20" ||
		!slices.Equal(f.Payouts, []reconcile.Balance{{"alice", "BNB", 3_00000000}}) {
		t.Errorf("the payouts are %+v", f)
	}
	for sql, want := range map[string]string{
		"DELETE FROM postings RETURNING account, asset, amount AS balance":                "syntax error",
		"SELECT account, asset FROM postings":                                             "balance",
		"SELECT account, asset, NULL AS balance FROM postings":                            "row 1: ",
		"SELECT account, asset, 0.123456789 AS balance FROM postings WHERE asset = 'BNB'": "row 1: ",
		"SELECT 'NaN'::numeric AS balance, 'bob' AS account, 'BNB' AS asset":              "row 1: ",
		"SELECT account, asset, amount AS balance FROM postings WHERE account = 'bob'":    "two balances of BNB",
	} {
		if _, err := read(sql); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", sql, err, want)
		}
	}
	tries(t, address)
	if _, err := read("SELECT account, asset, NULL AS balance FROM postings"); !errors.Is(err, ledger.ErrInvalid) {
		t.Error(err)
	}
	rows := 0
	must(c.QueryRow(t.Context(), "SELECT count(*) FROM postings").Scan(&rows))
	if rows != 6 {
		t.Errorf("%d postings are left", rows)
	}
}

// tries tries queries of postings before they are set.
func tries(t *testing.T, address string) {
	t.Helper()
	for queries, want := range map[[2]string]string{
		{"SELECT account, asset, amount AS balance FROM postings WHERE at < $1;", ""}: "",
		{"SELECT account, asset, amount AS balance FROM postings",
			"SELECT account, asset, amount AS payout FROM postings WHERE at::date = $1"}: "",
		{"SELECT account, asset FROM postings", ""}:                                                       "balance",
		{"SELECT account, asset, amount AS balance FROM missing", ""}:                                     "missing",
		{"SELECT account, asset, amount AS balance FROM postings", "SELECT account, asset FROM postings"}: "payout",
		{"SELECT account, asset, amount AS balance FROM postings WHERE at < $1 AND account = $2", ""}:     "mismatched param",
		{"DELETE FROM postings RETURNING account, asset, amount AS balance", ""}:                          "syntax error",
	} {
		q, err := reconcile.ParseQuery(address, queries[0], queries[1], false)
		if err == nil {
			err = q.Try(t.Context())
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q are tried: %v, want %q", queries, err, want)
		}
	}
}

// TestThePayoutQueriesOfTheGuide add up the reward and the compensations of a day, as the books do, whatever form of
// dates the database has.
func TestThePayoutQueriesOfTheGuide(t *testing.T) {
	address := pgtest.Owner(pgtest.Database(t))
	config, err := pgx.ParseConfig(address)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	c, err := pgx.ConnectConfig(t.Context(), config)
	must(err)
	t.Cleanup(func() { must(c.Close(t.Context())) })
	t.Setenv("PGPASSWORD", config.Password)
	address = strings.Replace(address, ":"+config.Password+"@", "@", 1)
	guide, err := os.ReadFile("../docs/join.md")
	must(err)
	queries := regexp.MustCompile(`(?s)--payouts-query (?:"(.*?)"|'(.*?)')`).FindAllStringSubmatch(string(guide), -1)
	if len(queries) != 2 {
		t.Fatalf("the guide has the queries %q", queries)
	}
	for i, tables := range []string{`
		CREATE TABLE outbox (id bigint, payload jsonb);
		CREATE TABLE credits (payout text, outbox_id bigint);
		INSERT INTO outbox SELECT n, jsonb_build_object('account', account, 'token', 'BNB', 'change', change)
			FROM (VALUES (1, 'alice', '0.5'), (2, 'alice', '0.25'), (3, 'bob', '1'), (4, 'bob', '7')) v (n, account, change);
		INSERT INTO credits VALUES ('reward/2026-11-20/BNB/alice', 1), ('compensation/2026-11-20/BNB/alice/late', 2),
			('compensation/2026-11-20/BNB/bob/late', 3), ('reward/2026-11-19/BNB/bob', 4)`, `
		DROP TABLE credits;
		CREATE TABLE credits (account text, asset text, amount numeric(36, 18), day date);
		INSERT INTO credits VALUES ('alice', 'BNB', 0.5, '2026-11-20'), ('alice', 'BNB', 0.25, '2026-11-20'),
			('bob', 'BNB', 1, '2026-11-20'), ('bob', 'BNB', 7, '2026-11-19')`} {
		_, err = c.Exec(t.Context(), tables+`;
			DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET DateStyle = ''SQL, DMY''', current_database()); END $$`)
		must(err)
		query := strings.ReplaceAll(queries[i][1]+queries[i][2], `\$`, "$")
		f, err := figuresOf(t, address, "SELECT 'alice' AS account, 'BNB' AS asset, 1 AS balance", query)
		want := []reconcile.Balance{{"alice", "BNB", 75000000}, {"bob", "BNB", 1_00000000}}
		if err != nil || !slices.Equal(f.Payouts, want) {
			t.Errorf("%s: %+v, %v", query, f.Payouts, err)
		}
	}
}
