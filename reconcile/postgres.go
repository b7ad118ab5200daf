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

// Query is a query of another ledger's PostgreSQL database that gives its balances.
type Query struct {
	config *pgx.ConnConfig
	sql    string
}

// ParseQuery reads the address of a database, such as postgres://user@host/database, and what to ask it: a SELECT with
// the columns account, asset and balance, in which $1 is the moment after the day. A password in the address is
// refused: other users of this machine can see arguments. The connection is refused where others could read it
// (db.ErrInsecure), unless insecure. Other errors are ledger.ErrInvalid, and do not repeat the address.
func ParseQuery(address, sql string, insecure bool) (*Query, error) {
	config, err := db.ParseAddress(address, insecure)
	if err != nil && !errors.Is(err, db.ErrInsecure) {
		err = ledger.ErrInvalid.In("", "%w", err)
	}
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = "softstake reconcile"
	config.RuntimeParams["TimeZone"] = "UTC"
	return &Query{config, strings.TrimRight(strings.TrimSpace(sql), ";")}, nil
}

// Read asks for the balances at a moment, in a transaction that sees one state and can change nothing. Its position is
// the one of the database's log, and its time that of the database. What of it cannot be a balance is
// ledger.ErrInvalid.
func (q *Query) Read(ctx context.Context, at time.Time, assets map[string]ledger.Asset) (f Figures, err error) {
	c, err := pgx.ConnectConfig(ctx, q.config)
	if err != nil {
		return Figures{}, db.ConnectError(err)
	}
	defer func() { err = errors.Join(err, c.Close(context.WithoutCancel(ctx))) }()
	t, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return Figures{}, fmt.Errorf("begin at the other ledger: %w", err)
	}
	defer func() { _ = t.Rollback(context.WithoutCancel(ctx)) }()
	r := reader{assets: assets}
	if err := t.QueryRow(ctx, `SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn()
		END::text, now()`).Scan(&r.f.Position, &r.f.At); err != nil {
		return Figures{}, fmt.Errorf("ask the other ledger for its position: %w", err)
	}
	r.f.At = r.f.At.UTC()
	var args []any
	if strings.Contains(q.sql, "$1") {
		args = append(args, at)
	}
	rows, err := t.Query(ctx, "SELECT account::text, asset::text, balance::text FROM ("+q.sql+"\n) figures", args...)
	if err != nil {
		return Figures{}, fmt.Errorf("ask the other ledger for its balances: %w", err)
	}
	defer rows.Close()
	for n := 1; rows.Next(); n++ {
		var account, asset, balance *string
		if err := rows.Scan(&account, &asset, &balance); err != nil {
			return Figures{}, fmt.Errorf("read the balances of the other ledger: %w", err)
		}
		if account == nil || asset == nil || balance == nil {
			return Figures{}, atRow(n, ledger.ErrInvalid.In("", "account, asset or balance is null"))
		}
		if err := r.add(*account, *asset, *balance); err != nil {
			return Figures{}, atRow(n, err)
		}
	}
	if err := rows.Err(); err != nil {
		return Figures{}, fmt.Errorf("read the balances of the other ledger: %w", err)
	}
	return r.end(nil)
}

func atRow(n int, err error) error { return fmt.Errorf("row %d: %w", n, err) }
