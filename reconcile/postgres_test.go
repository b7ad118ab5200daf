package reconcile_test

import (
	"errors"
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
	ask := func(sql, payouts string) (reconcile.Figures, error) {
		q, err := reconcile.ParseQuery(address, sql, payouts, false)
		must(err)
		return q.Read(t.Context(), time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
			time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), known)
	}
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
	if _, err := read("SELECT account, asset, NULL AS balance FROM postings"); !errors.Is(err, ledger.ErrInvalid) {
		t.Error(err)
	}
	rows := 0
	must(c.QueryRow(t.Context(), "SELECT count(*) FROM postings").Scan(&rows))
	if rows != 6 {
		t.Errorf("%d postings are left", rows)
	}
}
