package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// Query is a query of another ledger's PostgreSQL database that gives its balances, and one that gives payouts.
type Query struct {
	config            *pgx.ConnConfig
	balances, payouts string
}

// ParseQuery reads the address of a database, such as postgres://user@host/database, and what to ask it: a SELECT with
// the columns account, asset and balance, in which $1 is the moment after the day; and one with the columns account,
// asset and payout, in which $1 is the day that the payouts are for, or "": it is not asked for payouts. Each account
// has one row of a token. In both, dates as texts are like 2026-11-26, and times are in UTC. A password in the address
// is refused: other users of this machine can see arguments. The connection is refused where others could read it
// (db.ErrInsecure), unless insecure. Other errors are ledger.ErrInvalid, and do not repeat the address.
func ParseQuery(address, balances, payouts string, insecure bool) (*Query, error) {
	config, err := db.ParseAddress(address, insecure)
	if err != nil && !errors.Is(err, db.ErrInsecure) {
		err = ledger.ErrInvalid.In("", "%w", err)
	}
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = "softstake reconcile"
	config.RuntimeParams["TimeZone"] = "UTC"
	config.RuntimeParams["DateStyle"] = "ISO" // of $1::date as a text, as in the ID of a payout
	bare := func(sql string) string { return strings.TrimRight(strings.TrimSpace(sql), ";") }
	return &Query{config, bare(balances), bare(payouts)}, nil
}

// Read asks for the balances at a moment and the payouts of a day, in a transaction that sees one state and can change
// nothing. Its position is the one of the database's log, and its time that of the database. What of it cannot be an
// amount is ledger.ErrInvalid.
func (q *Query) Read(ctx context.Context, at, day time.Time, assets map[string]ledger.Asset) (f Figures, err error) {
	err = q.begin(ctx, func(t pgx.Tx) error {
		f, err = q.figures(ctx, t, at, day, assets)
		return err
	})
	return f, err
}

// Try asks for no row: its error says that the database cannot be reached, or that a query is none, lacks a column or
// has a parameter that is neither a moment nor a day.
func (q *Query) Try(ctx context.Context) error {
	return q.begin(ctx, func(t pgx.Tx) error {
		for column, sql := range map[string]string{"balance": q.balances, "payout": q.payouts} {
			if sql == "" {
				continue
			}
			if _, err := t.Exec(ctx, selection(column, sql)+" LIMIT 0", arguments(sql, time.Now().UTC())...); err != nil {
				return fmt.Errorf("ask the other ledger for its %ss: %w", column, err)
			}
		}
		return nil
	})
}

// begin has f ask in a transaction that sees one state and can change nothing.
func (q *Query) begin(ctx context.Context, f func(pgx.Tx) error) (err error) {
	c, err := pgx.ConnectConfig(ctx, q.config)
	if err != nil {
		return db.ConnectError(err)
	}
	defer func() { err = errors.Join(err, c.Close(context.WithoutCancel(ctx))) }()
	t, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("begin at the other ledger: %w", err)
	}
	defer func() { _ = t.Rollback(context.WithoutCancel(ctx)) }()
	return f(t)
}

// figures asks for the figures.
func (q *Query) figures(ctx context.Context, t pgx.Tx, at, day time.Time, assets map[string]ledger.Asset) (Figures,
	error) {
	r := Reader{assets: assets}
	if err := t.QueryRow(ctx, `SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn()
		END::text, now()`).Scan(&r.f.Position, &r.f.At); err != nil {
		return Figures{}, fmt.Errorf("ask the other ledger for its position: %w", err)
	}
	r.f.At = r.f.At.UTC()
	if err := r.ask(ctx, t, &r.f.Balances, "balance", q.balances, at); err != nil {
		return Figures{}, err
	}
	if q.payouts != "" {
		if err := r.ask(ctx, t, &r.f.Payouts, "payout", q.payouts, day); err != nil {
			return Figures{}, err
		}
		r.f.WithPayouts, r.f.PayoutsDay = true, day.UTC().Format(time.DateOnly)
	}
	return r.end(nil)
}

// selection is the query of the columns of figures.
func selection(column, sql string) string {
	return "SELECT account::text, asset::text, " + column + "::text FROM (" + sql + "\n) figures"
}

// arguments are those of a query.
func arguments(sql string, when time.Time) []any {
	if strings.Contains(sql, "$1") {
		return []any{when}
	}
	return nil
}

// ask adds the rows of a query. column is the one with their amounts.
func (r *Reader) ask(ctx context.Context, t pgx.Tx, to *[]Balance, column, sql string, when time.Time) error {
	rows, err := t.Query(ctx, selection(column, sql), arguments(sql, when)...)
	if err != nil {
		return fmt.Errorf("ask the other ledger for its %ss: %w", column, err)
	}
	defer rows.Close()
	for n := 1; rows.Next(); n++ {
		var account, asset, amount *string
		if err := rows.Scan(&account, &asset, &amount); err != nil {
			return fmt.Errorf("read the %ss of the other ledger: %w", column, err)
		}
		if account == nil || asset == nil || amount == nil {
			return atRow(n, ledger.ErrInvalid.In("", "account, asset or %s is null", column))
		}
		if err := r.add(to, *account, *asset, *amount); err != nil {
			return atRow(n, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the %ss of the other ledger: %w", column, err)
	}
	return nil
}

func atRow(n int, err error) error { return fmt.Errorf("row %d: %w", n, err) }
