// Package postgres delivers payouts to a table of another ledger's PostgreSQL database, and reads from its columns what
// was credited. It knows no books.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/payout"
)

// Target is a table of a database.
type Target struct {
	address   string
	config    *pgx.ConnConfig
	name      string // of the row with the position
	table     pgx.Identifier
	positions pgx.Identifier
}

// answerWithin is how long the server may take for what it is asked: more than it waits for a lock. A connection on
// which nothing comes any more says nothing by itself.
const answerWithin = time.Minute

// The tables, where the address names no others.
const (
	usualTable     = "softstake_payouts"
	usualPositions = "softstake_payout_positions"
)

// Parse reads the address of a target, such as postgres://user@host/database?table=softstake_payouts: the position
// there has a name. A password in it is refused: other users of this machine can see arguments. The connection is
// refused where others could read it (db.ErrInsecure), unless insecure. Other errors are ledger.ErrInvalid, and do not
// repeat the address.
func Parse(address, name string, insecure bool) (*Target, error) {
	u, err := url.Parse(address)
	var query url.Values
	if err == nil {
		query, err = url.ParseQuery(u.RawQuery)
	}
	if err != nil {
		return nil, ledger.ErrInvalid.In("", "it is not like postgres://USER@HOST/DATABASE?table=TABLE")
	}
	t := &Target{address: address, name: name}
	var is bool
	for _, of := range []struct {
		parameter, usual string
		into             *pgx.Identifier
	}{{"table", usualTable, &t.table}, {"positions", usualPositions, &t.positions}} {
		text := query.Get(of.parameter)
		if query.Del(of.parameter); text == "" {
			text = of.usual
			if t.table != nil { // beside it
				text = t.table[0] + "." + text
			}
		}
		if *of.into, is = db.ParseTable(text); !is {
			return nil, ledger.ErrInvalid.In(of.parameter, "%q is not a table such as softstake_payouts or shop.payouts",
				ledger.Clip(text))
		}
	}
	u.RawQuery = query.Encode()
	t.config, err = db.ParseAddress(u.String(), insecure)
	if err != nil && !errors.Is(err, db.ErrInsecure) {
		err = ledger.ErrInvalid.In("", "%w", err)
	}
	if err != nil {
		return nil, err
	}
	// A row that somebody holds must not hold up all the others without a word; and a connection that is lost in a
	// transaction has the row of the position, until the server ends it.
	for name, value := range map[string]string{"application_name": "softstake payouts deliver", "TimeZone": "UTC",
		"lock_timeout": "30s", "idle_in_transaction_session_timeout": "30s"} {
		t.config.RuntimeParams[name] = value
	}
	db.EndLost(&t.config.Config)
	return t, nil
}

// Address is the address of the target.
func (t *Target) Address() string { return t.address }

// Keeps is true: the position is in a table beside the rows, and moves in their transaction.
func (t *Target) Keeps() bool { return true }

// answered is all that a row says of its payout, as one text; NULL: nothing.
const answered = "coalesce('credited ' || transaction, 'refused ' || refused)"

// Schema is the SQL by which the owner of the database makes the tables, and gives the role of the address what is
// needed and nothing else.
func (t *Target) Schema() string {
	return strings.NewReplacer("{table}", t.table.Sanitize(), "{positions}", t.positions.Sanitize(),
		"{index}", pgx.Identifier{t.table[len(t.table)-1] + "_answered"}.Sanitize(),
		"{role}", pgx.Identifier{t.config.User}.Sanitize(), "{schemas}", t.schemas(),
		"{answered}", answered).Replace(schema)
}

// schemas are those of the tables.
func (t *Target) schemas() string {
	text := pgx.Identifier{t.table[0]}.Sanitize()
	if t.positions[0] != t.table[0] {
		text += ", " + pgx.Identifier{t.positions[0]}.Sanitize()
	}
	return text
}

const schema = `-- What to credit: one row for each payout, added by softstake, which changes none of these columns again.
CREATE TABLE {table} (
	id           text PRIMARY KEY,          -- credit each once
	number       bigint NOT NULL,           -- grows in the order in which payouts are paid
	day          date NOT NULL,             -- that was measured
	asset        text NOT NULL,
	account      text NOT NULL,
	amount       numeric NOT NULL CHECK (amount > 0), -- in whole tokens, exact
	paid_at      timestamptz NOT NULL,

	transaction  text,                      -- yours: set it where you credit the row, to your own ID of that, 1 to 200 characters
	refused      text,                      -- yours: or why you do not

	acknowledged text,                      -- softstake's: what it has read of these two
	problem      text                       -- softstake's: why it does not agree
);

CREATE INDEX {index} ON {table} (id) WHERE {answered} IS DISTINCT FROM acknowledged;

-- How far softstake is, in the transaction that adds the rows.
CREATE TABLE {positions} (
	name   text PRIMARY KEY,
	number bigint NOT NULL,
	payout text NOT NULL DEFAULT ''         -- the id of the last payout
);

GRANT USAGE ON SCHEMA {schemas} TO {role};
GRANT INSERT (id, number, day, asset, account, amount, paid_at),
      SELECT (id, day, asset, account, amount, transaction, refused, acknowledged),
      UPDATE (acknowledged, problem) ON {table} TO {role};
GRANT SELECT, INSERT, UPDATE (number, payout) ON {positions} TO {role};
`

// session is a connection to the database.
type session struct {
	*Target
	c *pgx.Conn
}

// Open connects, and makes the row of the position if there is none.
func (t *Target) Open(ctx context.Context) (payout.Session, error) {
	c, err := pgx.ConnectConfig(ctx, t.config)
	if err != nil {
		return nil, db.ConnectError(err)
	}
	s := &session{t, c}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if _, err := c.Exec(ctx, s.sql("INSERT INTO {positions} (name, number) VALUES ($1, 0) ON CONFLICT DO NOTHING"),
		t.name); err != nil {
		return nil, errors.Join(failed("make the row of the position", err), s.Close())
	}
	return s, nil
}

// sql fills in the tables.
func (t *Target) sql(text string) string {
	return strings.NewReplacer("{table}", t.table.Sanitize(), "{positions}", t.positions.Sanitize(),
		"{answered}", answered).Replace(text)
}

func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("PostgreSQL: %s: %w", what, err)
}

// Close ends the connection.
func (s *session) Close() error { return s.c.Close(context.Background()) }

func (s *session) Position(ctx context.Context) (last payout.Last, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	err = s.c.QueryRow(ctx, s.sql("SELECT number, payout FROM {positions} WHERE name = $1"), s.name).Scan(&last.Number,
		&last.ID)
	return last, failed("read the position", err)
}

func (s *session) Reset(ctx context.Context, last payout.Last) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	_, err := s.c.Exec(ctx, s.sql("UPDATE {positions} SET number = $2, payout = $3 WHERE name = $1"), s.name, last.Number,
		last.ID)
	return failed("set the position", err)
}

// Deliver adds the rows and moves the position in one transaction. A payout that is there stays as it is, and has to be
// the same.
func (s *session) Deliver(ctx context.Context, after int64, page payout.Page) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	err := pgx.BeginFunc(ctx, s.c, func(t pgx.Tx) error {
		moved, err := t.Exec(ctx, s.sql("UPDATE {positions} SET number = $3, payout = $4 WHERE name = $1 AND number = $2"),
			s.name, after, page.Last(), page.Payouts[len(page.Payouts)-1].ID)
		if err != nil {
			return err
		}
		if moved.RowsAffected() == 0 {
			return payout.ErrMoved
		}
		rows := columns(page.Payouts)
		added, err := t.Exec(ctx, s.sql("INSERT INTO {table} (id, number, day, asset, account, amount, paid_at) "+
			"SELECT * FROM "+given+" ON CONFLICT (id) DO NOTHING"), rows...)
		if err != nil || int(added.RowsAffected()) == len(page.Payouts) {
			return err
		}
		var other string
		err = t.QueryRow(ctx, s.sql("SELECT r.id FROM "+given+" LEFT JOIN {table} x ON x.id = r.id AND x.day = r.day "+
			"AND x.asset = r.asset AND x.account = r.account AND x.amount = r.amount WHERE x.id IS NULL LIMIT 1"),
			rows...).Scan(&other)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return nil // they are there from before
		case err == nil:
			err = fmt.Errorf("the table has %s with another day, asset, account or amount", other)
		}
		return err
	})
	if errors.Is(err, payout.ErrMoved) {
		return payout.ErrMoved
	}
	return failed("add payouts", err)
}

// given is the rows of columns as a table r.
const given = "unnest($1::text[], $2::bigint[], $3::text[]::date[], $4::text[], $5::text[], $6::text[]::numeric[], " +
	"$7::timestamptz[]) AS r (id, number, day, asset, account, amount, paid_at)"

func columns(payouts []payout.Payout) []any {
	n := len(payouts)
	ids, days, assets, accounts, amounts := make([]string, n), make([]string, n), make([]string, n), make([]string, n),
		make([]string, n)
	numbers, paid := make([]int64, n), make([]time.Time, n)
	for i, p := range payouts {
		ids[i], numbers[i], days[i], assets[i], accounts[i] = p.ID, p.Number, p.Day, p.Asset, string(p.Account)
		amounts[i], paid[i] = p.Amount, p.Paid
	}
	return []any{ids, numbers, days, assets, accounts, amounts, paid}
}

// longestSaid is how many characters of what a row says are read: more than an answer has at most.
const longestSaid = 240

// Answers are those of the rows that say something else than what was read of them before, which is what the index has.
func (s *session) Answers(ctx context.Context, most int) (answers []payout.Answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	rows, err := s.c.Query(ctx, s.sql(fmt.Sprintf("SELECT id, left(coalesce(transaction, ''), %[1]d), "+
		"CASE WHEN transaction IS NULL THEN left(coalesce(refused, ''), %[1]d) ELSE '' END, "+
		"coalesce(left({answered}, %[1]d), '') FROM {table} WHERE {answered} IS DISTINCT FROM acknowledged "+
		"ORDER BY id LIMIT $1", longestSaid)), most)
	if err == nil {
		answers, err = pgx.CollectRows(rows, pgx.RowToStructByPos[payout.Answer])
	}
	return answers, failed("read what is acknowledged", err)
}

// Take keeps what was read. A row that says something else by now keeps it for the next time.
func (s *session) Take(ctx context.Context, answers []payout.Answer, problems []string) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	ids, said := make([]string, len(answers)), make([]string, len(answers))
	for i, a := range answers {
		ids[i], said[i] = a.Payout, a.State
	}
	_, err := s.c.Exec(ctx, s.sql(fmt.Sprintf("UPDATE {table} x SET acknowledged = {answered}, "+
		"problem = nullif(r.problem, '') FROM unnest($1::text[], $2::text[], $3::text[]) AS r (id, said, problem) "+
		"WHERE x.id = r.id AND coalesce(left({answered}, %d), '') = r.said", longestSaid)), ids, said, problems)
	return failed("keep what was read", err)
}
