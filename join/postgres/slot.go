package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softstake/softstake/join"
)

// Records of PostgreSQL's log begin at multiples of this. The rows of the snapshot are at the number before the
// position at which the changes begin, where no transaction can be.
const aligned = 8

// oldest is the version of PostgreSQL that is needed, as the server writes it.
const oldest = 150_000

// unanswered is the error where a server has said nothing for a time.
func unanswered(d time.Duration) error { return fmt.Errorf("the server has not answered for %s", d) }

// within does something for which the server has a time: a connection on which nothing comes any more says nothing by
// itself.
func within(ctx context.Context, d time.Duration, do func(context.Context) error) error {
	bounded, cancel := context.WithTimeoutCause(ctx, d, unanswered(d))
	defer cancel()
	return caused(ctx, bounded, do(bounded))
}

// caused is why what was done with a bounded context has failed: that it was bounded, unless the other one has ended.
func caused(ctx, bounded context.Context, err error) error {
	if err == nil || ctx.Err() != nil || bounded.Err() == nil {
		return err
	}
	return fmt.Errorf("%w (%w)", context.Cause(bounded), err)
}

// query is the rows of a query as texts; "" for NULL.
func (r *reader) query(ctx context.Context, sql string, args ...string) (rows [][]string, err error) {
	values := make([][]byte, len(args))
	for i, a := range args {
		values[i] = []byte(a)
	}
	var result *pgconn.Result
	err = within(ctx, r.silence, func(ctx context.Context) error {
		result = r.queries.ExecParams(ctx, sql, values, nil, nil, nil).Read()
		return result.Err
	})
	for _, row := range result.Rows {
		texts := make([]string, len(row))
		for i, value := range row {
			texts[i] = string(value)
		}
		rows = append(rows, texts)
	}
	return rows, err
}

// queryRow is query for one row.
func (r *reader) queryRow(ctx context.Context, sql string, args ...string) ([]string, error) {
	rows, err := r.query(ctx, sql, args...)
	if err == nil && len(rows) != 1 {
		err = fmt.Errorf("a query returned %d rows, not one", len(rows))
	}
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// place is from where on to read, or 0 where the snapshot is to be made.
func (r *reader) place(ctx context.Context) (pglogrepl.LSN, error) {
	if err := r.checkDatabase(ctx); err != nil {
		return 0, err
	}
	if r.dryRun {
		return 0, r.checkNamed()
	}
	rows, err := r.query(ctx, `SELECT (plugin = 'pgoutput' AND database = current_database())::text,
	      coalesce(wal_status, ''), coalesce(confirmed_flush_lsn::text, '') FROM pg_replication_slots WHERE slot_name = $1`,
		r.slot)
	if err != nil {
		return 0, err
	}
	after := r.start.After
	from := (pglogrepl.LSN(after.Position) + aligned - 1) / aligned * aligned
	inSnapshot := after.Part > 0 && from != pglogrepl.LSN(after.Position)
	if len(rows) == 0 {
		if after == (join.Place{}) || inSnapshot { // that is not finished: it begins again
			return 0, r.checkNamed()
		}
		return 0, fmt.Errorf("%w: the slot %q is gone, and with it what came after position %s", join.ErrChanged, r.slot,
			after)
	}
	if after == (join.Place{}) {
		return 0, fmt.Errorf("%w: the slot %q is there before anything was read from it, so what it has passed over is not "+
			"known; name another one, or remove it with SELECT pg_drop_replication_slot('%[2]s')", join.ErrChanged, r.slot)
	}
	if rows[0][0] != "true" {
		return 0, fmt.Errorf("%w: the slot %q is of another database or plugin", join.ErrChanged, r.slot)
	}
	if rows[0][1] == "lost" {
		return 0, fmt.Errorf("%w: the slot %q was invalidated, and what came after position %s is lost", join.ErrChanged,
			r.slot, after)
	}
	confirmed, err := pglogrepl.ParseLSN(rows[0][2])
	if err != nil {
		return 0, err
	}
	if confirmed > from {
		return 0, fmt.Errorf("%w: the slot %q has moved on to %s, which is position %d, and the books have %s",
			join.ErrChanged, r.slot, confirmed, uint64(confirmed), after)
	}
	return from, nil
}

// checkNamed refuses to begin where nobody has said with what.
func (r *reader) checkNamed() error {
	if r.named {
		return nil
	}
	return errors.New("the books have nothing of it yet: add snapshot=TABLE,TABLE to its address, the tables whose rows " +
		"are read first, or snapshot=none")
}

// checkDatabase looks whether the database can be read and is the same as before, and keeps who it is.
func (r *reader) checkDatabase(ctx context.Context) error {
	var system pglogrepl.IdentifySystemResult
	err := within(ctx, r.silence, func(ctx context.Context) (err error) {
		system, err = pglogrepl.IdentifySystem(ctx, r.replication)
		return err
	})
	if err != nil {
		return err
	}
	r.identity = system.SystemID + "/" + strconv.Itoa(int(system.Timeline))
	if is := r.start.Identity; is != "" && is != r.identity {
		return fmt.Errorf("%w: the database is system and timeline %s, and was %s; what was committed there before it took "+
			"over may be lost", join.ErrChanged, r.identity, is)
	}
	row, err := r.queryRow(ctx, `SELECT current_setting('server_version_num'), current_setting('wal_level'),
	      pg_is_in_recovery()::text, (SELECT count(*) FROM pg_publication WHERE pubname = $1)::text,
	      pg_has_role('pg_read_all_stats', 'USAGE')::text`, r.publication)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(row[0])
	switch {
	case err != nil:
		return err
	case version < oldest:
		return fmt.Errorf("version %d is too old; 15 or later is needed", version/10_000)
	case row[1] != "logical":
		return fmt.Errorf("wal_level is %s; set it to logical, and restart PostgreSQL", row[1])
	case row[2] == "true":
		return errors.New("it is a standby; name the primary")
	case row[3] != "1":
		return fmt.Errorf("there is no publication %q", r.publication)
	case r.dated == ByBegin && row[4] != "true":
		return errors.New("it does not show since when transactions are open: GRANT pg_read_all_stats to its user, or add " +
			"dated=commit to its address where every event has the time of its commit")
	}
	return nil
}

// look is how far the database was at a moment.
type look struct {
	lsn    pglogrepl.LSN // what was committed then is before it
	now    time.Time     // by its clock
	before time.Time     // what is committed later is dated from then on; zero: nothing is known
}

// now is the time by the clock of the database.
func (r *reader) now(ctx context.Context) (time.Time, error) {
	row, err := r.queryRow(ctx, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text")
	if err != nil {
		return time.Time{}, err
	}
	micros, err := strconv.ParseInt(row[0], 10, 64)
	return time.UnixMicro(micros).UTC(), err
}

// look looks how far the database is. The order matters: a transaction that is not seen as open has either written its
// commit, which the position read afterwards has, or begins later.
func (r *reader) look(ctx context.Context) (l look, err error) {
	open := "NULL::timestamptz, 0"
	if r.dated == ByBegin {
		open = `(SELECT min(xact_start) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
		    AND backend_type NOT IN ('walsender', 'autovacuum worker')), (SELECT count(*) FROM pg_prepared_xacts
		    WHERE database = current_database())`
	}
	row, err := r.queryRow(ctx, `WITH l (now, oldest, prepared) AS (SELECT clock_timestamp(), `+open+`)
	      SELECT (extract(epoch FROM now) * 1000000)::bigint::text,
	      (extract(epoch FROM least(now, oldest)) * 1000000)::bigint::text, prepared::text FROM l`)
	if err != nil {
		return l, err
	}
	var micros [2]int64
	for i := range micros {
		if micros[i], err = strconv.ParseInt(row[i], 10, 64); err != nil {
			return l, err
		}
	}
	l.now = time.UnixMicro(micros[0]).UTC()
	if row[2] == "0" { // since when a prepared transaction was open is not known
		l.before = time.UnixMicro(micros[1]).UTC().Add(-r.margin)
	}
	row, err = r.queryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text, current_setting('wal_block_size')")
	if err != nil {
		return l, err
	}
	block, err := strconv.ParseUint(row[1], 10, 64)
	if err != nil {
		return l, err
	}
	if l.lsn, err = pglogrepl.ParseLSN(row[0]); err != nil {
		return l, err
	}
	// At the begin of a block the position is behind its header, and the end of the last record is before it.
	if rest := uint64(l.lsn) % block; rest == 24 || rest == 40 {
		l.lsn -= pglogrepl.LSN(rest)
	}
	return l, nil
}
