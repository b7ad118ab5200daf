package store

import (
	"context"
	"embed"
	"fmt"
	"strconv"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

//go:embed schema/*.sql
var schema embed.FS

// migrations are the steps from an empty database to the books of today, in
// order. They are added and never edited. Only Create, Upgrade and Restore run them.
var migrations = []migration{
	{file: "0001_books.sql"},
	{file: "0002_access.sql"},
	{file: "0003_people.sql"},
	{file: "0004_addresses.sql"},
	{file: "0005_imports.sql"},
	{file: "0006_actor.sql"},
	{file: "0007_digest.sql", fill: func(ctx context.Context, _ *DB, t tx, progress func(int64)) error {
		return digestEntries(ctx, t, progress)
	}},
	{file: "0008_keys.sql", fill: func(_ context.Context, books *DB, t tx, _ func(int64)) error {
		return books.People().LimitTrade(t)
	}},
	{file: "0009_offer.sql", fill: dateListings},
	{file: "0010_posting.sql"},
	{file: "0011_drafts.sql"},
	{file: "0012_close_after.sql"},
	{file: "0013_rewards.sql"},
}

// SchemaVersion is the schema that this program works with.
func SchemaVersion() int { return len(migrations) }

// migration is one step: a script, and what SQL alone cannot do, in one transaction.
type migration struct {
	file string // in schema/; "": none
	fill func(ctx context.Context, books *DB, t tx, progress func(rows int64)) error
}

// words are what the schema says of the books, and the database does not know.
var words = map[string]string{"rewards": strconv.Itoa(ledger.Rewards.Bucket())}

// steps are the migrations as the database runs them. The last one of an upgrade writes
// a line of the log.
func (b *DB) steps() []db.Migration {
	steps := make([]db.Migration, len(migrations))
	for i, m := range migrations {
		if m.file != "" {
			steps[i].Script = script(m.file)
		}
		steps[i].Fill = func(ctx context.Context, t tx, progress func(rows int64)) error {
			if m.fill != nil {
				if err := m.fill(ctx, b, t, progress); err != nil {
					return err
				}
			}
			if b.upgradedFrom == 0 || i+1 < len(migrations) {
				return nil
			}
			return b.logLine(t, "upgrade", "books", fmt.Sprintf("from schema %d to %d", b.upgradedFrom, len(migrations)))
		}
	}
	return steps
}

// script is a script of the schema. It is in the binary: that it is missing is a mistake here.
func script(file string) string {
	text, err := schema.ReadFile("schema/" + file)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// ErrNoBooks says that a database has no books in it yet.
const ErrNoBooks ledger.ErrorKind = "there are no books in this database yet"
