// Package postgres reads the changes of another ledger's tables from a PostgreSQL database, by logical replication, as
// the one partition of a source. It knows no books, and what a row means only the mapping says.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
)

// Source is a publication of a database, read through a replication slot. The partition has the name of the slot.
type Source struct {
	config      *pgconn.Config
	slot        string
	publication string
	snapshot    []pgx.Identifier // the tables whose rows are read before the changes, in this order
	named       bool             // what the snapshot is was given; else there has to be a slot
	dated       Dated
	margin      time.Duration
	every       time.Duration // between two looks at how far the database is
	silence     time.Duration // after which a server that does not answer is gone
	patience    time.Duration // the same, where it may have to wait for others, or has much to do
	dryRun      bool
}

// DryRun has readers read only the snapshot, and leave nothing in the database. Call it before Open: it is not safe for
// use while a reader is open.
func (s *Source) DryRun() { s.dryRun = true }

// Dated is from when on an event of a transaction may be dated, by the clock of the database.
type Dated string

// From when on: an application that takes the time of its row from now() dates it at the begin.
const (
	ByBegin  Dated = "begin"
	ByCommit Dated = "commit"
)

// The limits of an address, and what is taken where it does not say it.
const (
	longestSlot   = 48 // PostgreSQL's limit is 63, and the slot of the snapshot has a longer name
	usualMargin   = 10 * time.Second
	longestMargin = time.Hour
	lookEvery     = 5 * time.Second
	silence       = time.Minute
	patience      = 15 * time.Minute
	beginSuffix   = "_snapshot" // of the slot that is there while the snapshot is read
)

var slotName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// Parse reads the address of a source, such as postgres://user@host/database?slot=softstake&publication=softstake. A
// password in it is refused: other users of this machine can see arguments. The connection is refused where others
// could read it (db.ErrInsecure), unless insecure. Other errors are ledger.ErrInvalid, and do not repeat the address.
func Parse(address string, insecure bool) (*Source, error) {
	u, err := url.Parse(address)
	var query url.Values
	if err == nil {
		query, err = url.ParseQuery(u.RawQuery)
	}
	if err != nil {
		return nil, ledger.ErrInvalid.In("", "it is not like postgres://USER@HOST/DATABASE?slot=NAME&publication=NAME")
	}
	s := &Source{margin: usualMargin, dated: ByBegin, every: lookEvery, silence: silence, patience: patience}
	if err := s.read(query); err != nil {
		return nil, err
	}
	// What is approved is this address: who starts it does not choose the server by the environment.
	if u.Hostname() == "" && query.Get("host") == "" || query.Has("service") || strings.Trim(u.Path, "/") == "" {
		return nil, ledger.ErrInvalid.In("", "it names a host and a database, and no service")
	}
	u.RawQuery = query.Encode()
	config, err := db.ParseAddress(u.String(), insecure)
	if err != nil && !errors.Is(err, db.ErrInsecure) {
		err = ledger.ErrInvalid.In("", "%w", err)
	}
	if err != nil {
		return nil, err
	}
	s.config = &config.Config
	// All that is sent as text is the same, whatever the server is set to.
	for name, value := range map[string]string{"client_encoding": "UTF8", "DateStyle": "ISO", "TimeZone": "UTC",
		"IntervalStyle": "postgres", "bytea_output": "hex", "application_name": "softstake join"} {
		s.config.RuntimeParams[name] = value
	}
	db.EndLost(s.config)
	return s, nil
}

// read takes what is ours out of the query of an address.
func (s *Source) read(query url.Values) (err error) {
	take := func(name string) string {
		text := query.Get(name)
		query.Del(name)
		return text
	}
	s.slot, s.publication = take("slot"), take("publication")
	switch {
	case !slotName.MatchString(s.slot) || len(s.slot) > longestSlot:
		return ledger.ErrInvalid.In("slot", "it is missing, or not 1 to %d characters of a-z 0-9 and _ of which the first "+
			"is no digit", longestSlot)
	case !db.IsIdentifier(s.publication) || len(s.publication) > 63:
		return ledger.ErrInvalid.In("publication", "it is missing, or not a name of A-Z a-z 0-9 and _")
	}
	if text := take("snapshot"); text != "" {
		if s.named = true; text != "none" {
			if s.snapshot, err = readTables(text); err != nil {
				return err
			}
		}
	}
	if text := take("dated"); text != "" {
		if s.dated = Dated(text); s.dated != ByBegin && s.dated != ByCommit {
			return ledger.ErrInvalid.In("dated", "%q is neither \"begin\" nor \"commit\"", ledger.Clip(text))
		}
	}
	if text := take("margin"); text != "" {
		if s.margin, err = time.ParseDuration(text); err != nil || s.margin < 0 || s.margin > longestMargin {
			return ledger.ErrInvalid.In("margin", "%q is not a duration such as 10s, up to 1h", ledger.Clip(text))
		}
	}
	return nil
}

// readTables reads a list such as "accounts,exchange.balances".
func readTables(text string) (tables []pgx.Identifier, err error) {
	for name := range strings.SplitSeq(text, ",") {
		table, is := db.ParseTable(name)
		if !is {
			return nil, ledger.ErrInvalid.In("snapshot", "%q is not \"none\" or a list of tables such as accounts,shop.balances",
				ledger.Clip(text))
		}
		tables = append(tables, table)
	}
	return tables, nil
}

// Partitions is the slot.
func (s *Source) Partitions(context.Context) ([]string, error) { return []string{s.slot}, nil }

// Open connects, and looks whether the slot still has what follows. Where the books have nothing, it makes the slot and
// begins with the snapshot. join.ErrChanged where rows are lost or may be: the slot is gone, was invalidated or has
// moved on, or the database is another one.
func (s *Source) Open(ctx context.Context, partition string, start join.Start) (_ join.Reader, err error) {
	if partition != s.slot {
		return nil, fmt.Errorf("the source has no partition %q", partition)
	}
	r := &reader{Source: s, start: start}
	defer func() {
		if err != nil {
			err = errors.Join(r.failed(err), r.disconnect())
		}
	}()
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	if r.first, err = r.look(ctx); err != nil {
		return nil, err
	}
	from, err := r.place(ctx)
	if err != nil {
		return nil, err
	}
	if from == 0 {
		r.begin = &beginning{last: start.After}
		return r, r.createSlot(ctx)
	}
	return r, r.follow(ctx, from)
}

// connect opens a connection for queries and one for the replication.
func (r *reader) connect(ctx context.Context) (err error) {
	if r.queries, err = pgconn.ConnectConfig(ctx, r.config); err != nil {
		return db.ConnectError(err)
	}
	replication := r.config.Copy()
	replication.RuntimeParams["replication"] = "database"
	// While its snapshot is read it is idle, in a transaction.
	for _, timeout := range []string{"idle_in_transaction_session_timeout", "statement_timeout"} {
		replication.RuntimeParams[timeout] = "0"
	}
	if r.replication, err = pgconn.ConnectConfig(ctx, replication); err != nil {
		return db.ConnectError(err)
	}
	return nil
}
