package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store/schema"
)

// Schema is the number of migrations that this softstake knows.
var Schema = int64(SchemaVersion())

// Released is the schema of the version before: books of the migrations after it there are none.
const Released = 12

// Schemas are those that books may have: no version was released between them.
var Schemas = []int64{1, 2, 3, 4, 5, Released}

// CreateOld makes books of one of Schemas, with an account and what the statements write, as an older softstake left
// them.
func CreateOld(ctx context.Context, url string, o Options, setup Setup, version int64, id ledger.Account,
	statements ...string) error {
	if err := setup.check(o); err != nil {
		return err
	}
	b, err := connect(ctx, url, o, true)
	if err != nil {
		return err
	}
	err = b.engine.Migrate(ctx, version, nil)
	if version < Released { // writeFirstRows knows listings, which came later
		for _, r := range setup.Regions {
			if err == nil {
				_, err = b.Exec(ctx, "INSERT INTO regions (code) VALUES ($1)", string(r))
			}
		}
		setup.Regions = nil
	}
	if err == nil {
		err = b.engine.Write(ctx, func(t db.Tx) error { return b.writeFirstRows(t, setup) })
	}
	if err == nil && version == Released {
		err = b.engine.Write(ctx, func(t db.Tx) error {
			return b.writeClosing(t,
				staking.Closing{From: setup.From, After: setup.CloseAfter})
		})
	}
	if err == nil {
		_, err = b.Exec(ctx, "INSERT INTO accounts (bucket, account, region, opened) VALUES ($1, $2, 'DE', $3)",
			int64(id.Bucket()), string(id), b.now())
	}
	for _, sql := range statements {
		if err == nil {
			_, err = b.Exec(ctx, sql)
		}
	}
	return errors.Join(err, b.Close())
}

// ProtectAfterMACs gives rows their MACs as the upgrade of books does in whose schema only some kinds have them.
func (b *DB) ProtectAfterMACs(ctx context.Context) error {
	return b.engine.Write(ctx, func(t db.Tx) error {
		return b.protectSince(t, schema.MACs(), func(int64) {})
	})
}

// SetSchemaWait sets how long an upgrade waits for others, until the test ends.
func SetSchemaWait(t *testing.T, wait time.Duration) {
	before := schemaWait
	schemaWait = wait
	t.Cleanup(func() { schemaWait = before })
}

// AddMigrations adds migrations until the test ends. Each writes a row of the table
// "filled", reports it, and fails as it should.
func AddMigrations(t *testing.T, fail ...func() error) {
	before := steps
	t.Cleanup(func() { steps = before })
	steps = func(clock func() time.Time, actor access.Actor) []db.Migration {
		all := before(clock, actor)
		for i, fails := range fail {
			m := db.Migration{Fill: func(_ context.Context, t db.Tx, progress func(int64)) error {
				if _, err := t.Exec("INSERT INTO filled (number) VALUES ($1)", int64(i)); err != nil {
					return err
				}
				progress(1)
				return fails()
			}}
			if i == 0 {
				m.Script = "CREATE TABLE filled (number {{int}} NOT NULL PRIMARY KEY)"
			}
			all = append(all, m)
		}
		return all
	}
}

// DigestAgain brings entries with digests of version 1 to version 2, as the migration
// does, with about so many moves in memory at once.
func DigestAgain(ctx context.Context, b *DB, moves int64) error {
	return b.own(ctx, func(t db.Tx) error { return schema.Digests(ctx, t, moves, func(int64) {}) })
}

// Exec runs a statement, and says how many rows it changed: on PostgreSQL as the owner, who may do what the books'
// own role may not.
func (b *DB) Exec(ctx context.Context, sql string, args ...any) (n int64, err error) {
	err = b.own(ctx, func(t db.Tx) error {
		n, err = t.Exec(sql, args...)
		return err
	})
	return n, err
}

// owners are the owners' connections, by address. The server ends those of a database that is dropped.
var owners struct {
	sync.Mutex
	of map[string]*db.DB
}

// own is a transaction of the owner.
func (b *DB) own(ctx context.Context, fn func(db.Tx) error) (err error) {
	url := b.engine.URL()
	if !b.engine.Postgres() || url == pgtest.Owner(url) {
		return b.engine.Write(ctx, fn)
	}
	owners.Lock()
	owner := owners.of[url]
	if owner == nil {
		if owner, err = db.Open(context.WithoutCancel(ctx), pgtest.Owner(url), db.Options{}); err == nil {
			if owners.of == nil {
				owners.of = map[string]*db.DB{}
			}
			owners.of[url] = owner
		}
	}
	owners.Unlock()
	if err != nil {
		return err
	}
	return owner.Write(ctx, fn)
}

// Count is what a query counts.
func (b *DB) Count(ctx context.Context, sql string, args ...any) (n int64, err error) {
	err = b.engine.Read(ctx, func(t db.View) error {
		_, err := db.One(t, []*int64{&n}, sql, args...)
		return err
	})
	return n, err
}

// RunOld runs a statement on books of whatever schema, which it leaves as it is.
func RunOld(ctx context.Context, url string, o Options, sql string, args ...any) error {
	b, err := connect(ctx, url, o, false)
	if err != nil {
		return err
	}
	_, err = b.Exec(ctx, sql, args...)
	return errors.Join(err, b.Close())
}

// Carrying are books that carry the approval of a proposal, as ApproveProposal makes them.
func Carrying(b *DB, id string, of control.Operation, looked string) *DB {
	return &DB{books: b.books, actor: b.actor, approval: &approval{id, of, looked}}
}

// NotifyPart is one transaction of Notify, for a token that is not offered from a day on.
func NotifyPart(ctx context.Context, b *DB, asset string, d staking.Day) (more bool, err error) {
	err = b.engine.Write(ctx, func(t db.Tx) (err error) {
		more, err = b.notifyOfEnd(t, offerEnd{asset, d, 1})
		return err
	})
	return more, err
}
