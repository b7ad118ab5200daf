package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softstake/softstake/join"
)

// beginning is the snapshot with which a partition begins. A slot that only lives as long as its connection keeps the
// changes until then: what is not finished leaves nothing on the server, and begins again.
type beginning struct {
	lsn    pglogrepl.LSN // where the changes begin that the snapshot does not have
	last   join.Place    // of the record that was returned last
	tables []pgx.Identifier
	rows   *pgconn.ResultReader // of the table that is read; nil: none is
	// How long the server has for the next row: a table takes as long as it has rows.
	reading context.Context
	end     context.CancelCauseFunc
	silent  *time.Timer
	table   relation
	encode  encoder
}

// createSlot makes the slot of the snapshot, and begins a transaction that sees what was committed before its position.
func (r *reader) createSlot(ctx context.Context) error {
	name := r.slot + beginSuffix
	var slot pglogrepl.CreateReplicationSlotResult
	err := within(ctx, r.patience, func(ctx context.Context) (err error) { // it waits for transactions that are open
		slot, err = pglogrepl.CreateReplicationSlot(ctx, r.replication, name, "pgoutput",
			pglogrepl.CreateReplicationSlotOptions{Temporary: true, SnapshotAction: "EXPORT_SNAPSHOT",
				Mode: pglogrepl.LogicalReplication})
		return err
	})
	if err != nil {
		return fmt.Errorf("make the slot %s: %w", name, err)
	}
	b := r.begin
	if b.lsn, err = pglogrepl.ParseLSN(slot.ConsistentPoint); err != nil {
		return err
	}
	if b.lsn%aligned != 0 {
		return fmt.Errorf("the slot begins at %s, which is no multiple of %d", b.lsn, aligned)
	}
	b.tables = r.snapshot
	for _, sql := range []string{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		"SET TRANSACTION SNAPSHOT '" + strings.ReplaceAll(slot.SnapshotName, "'", "''") + "'",
		"SET LOCAL row_security = off", // a row that is not shown is an error
		"SET LOCAL statement_timeout = 0", "SET LOCAL idle_in_transaction_session_timeout = 0"} {
		if err := r.exec(ctx, r.silence, r.queries, sql); err != nil {
			return err
		}
	}
	// Making the slot has waited for the transactions that were open, and the rows are as these left them.
	now, err := r.now(ctx)
	if err != nil {
		return err
	}
	b.encode = encoder{place: join.Place{Position: int64(b.lsn) - 1}}
	b.encode.begin(b.lsn, now)
	return nil
}

// exec does something of which only the end matters, within a time.
func (*reader) exec(ctx context.Context, d time.Duration, on *pgconn.PgConn, sql string) error {
	return within(ctx, d, func(ctx context.Context) error {
		_, err := on.Exec(ctx, sql).ReadAll()
		return err
	})
}

// next returns the next records of the snapshot: one that only has its place, and the rows. none: all were returned.
func (b *beginning) next(ctx context.Context, r *reader, most int) (records []join.Record, err error) {
	add := func(text []byte) {
		previous := b.last
		b.last = b.encode.place
		records = append(records, join.Record{Place: b.last, Previous: &previous, Text: text, Initial: true,
			ID: b.encode.id()})
	}
	if b.encode.place.Part == 0 {
		b.encode.place.Part++
		add(nil)
	}
	for bytes := 0; len(records) < most && bytes < maxBytes; {
		if b.rows == nil {
			if len(b.tables) == 0 {
				return records, nil
			}
			if err := b.open(ctx, r); err != nil {
				return records, err
			}
		}
		b.silent.Reset(r.patience)
		is := b.rows.NextRow()
		b.silent.Stop() // until the next row is asked for
		if !is {
			_, err := b.rows.Close()
			err = caused(ctx, b.reading, err)
			b.end(nil)
			if b.rows = nil; err != nil {
				return records, err
			}
			continue
		}
		b.encode.place.Part++
		text := b.encode.row("snapshot", &b.table, nil, tupleOf(b.rows.Values()))
		bytes += len(text)
		add(text)
	}
	return records, nil
}

// open reads the next table, in the order of its primary key.
func (b *beginning) open(ctx context.Context, r *reader) error {
	table := b.tables[0]
	b.tables = b.tables[1:]
	keys, err := r.query(ctx, `SELECT a.attname FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (attnum, n), pg_attribute a
	      WHERE i.indrelid = $1::text::regclass AND i.indisprimary AND a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.n`,
		table.Sanitize())
	if err != nil {
		return err
	}
	var order []string
	for _, k := range keys {
		order = append(order, pgx.Identifier{k[0]}.Sanitize())
	}
	sql := "SELECT * FROM " + table.Sanitize()
	if order != nil {
		sql += " ORDER BY " + strings.Join(order, ", ")
	}
	b.reading, b.end = context.WithCancelCause(ctx)
	end := b.end
	b.silent = time.AfterFunc(r.patience, func() { end(unanswered(r.patience)) })
	b.rows = r.queries.ExecParams(b.reading, sql, nil, nil, nil, nil)
	b.table = relation{name: table[0] + "." + table[1]}
	for _, f := range b.rows.FieldDescriptions() {
		b.table.columns = append(b.table.columns, column{name: f.Name, typ: f.DataTypeOID})
	}
	return nil
}

// finish ends the snapshot when the books have all of it, and follows the changes. The slot that stays is a copy: it is
// there only when the books have the snapshot.
func (r *reader) finish(ctx context.Context) error {
	b := r.begin
	if r.confirmed.Compare(b.last) < 0 {
		return errors.New("the books do not have the snapshot")
	}
	name := r.slot + beginSuffix
	for _, do := range []struct {
		on  *pgconn.PgConn
		sql string
	}{
		{r.queries, "COMMIT"},
		{r.replication, fmt.Sprintf("SELECT pg_copy_logical_replication_slot('%s', '%s', false)", name, r.slot)},
		{r.replication, "DROP_REPLICATION_SLOT " + name},
	} {
		if err := r.exec(ctx, r.patience, do.on, do.sql); err != nil {
			return fmt.Errorf("make the slot %s: %w", r.slot, err)
		}
	}
	// What was committed while the snapshot was read is there now.
	now, err := r.look(ctx)
	if err != nil {
		return err
	}
	r.first = now
	from := b.lsn
	r.start, r.begin = join.Start{After: b.last, Identity: r.identity}, nil
	return r.follow(ctx, from)
}
