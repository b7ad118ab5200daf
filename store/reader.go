package store

import (
	"context"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
)

// Reader reads the books, and has no way to write them. Its methods may be called from
// several goroutines at the same time.
type Reader struct{ books *DB }

// Reader is the books, to be read.
func (b *DB) Reader() Reader { return Reader{b} }

// Read runs fn in a transaction that reads one snapshot. fn may be called several times.
func (r Reader) Read(ctx context.Context, fn func(db.View) error) error {
	return r.books.engine.Read(ctx, fn)
}

// Look runs fn without a transaction: for one statement, or for several of what never
// changes once it is there.
func (r Reader) Look(ctx context.Context, fn func(db.View) error) error {
	return r.books.engine.Look(ctx, fn)
}

// Now is the time of the books' clock, in UTC, cut to milliseconds.
func (r Reader) Now() time.Time { return r.books.Now() }

// FirstDay is the first day of the books.
func (r Reader) FirstDay() staking.Day { return r.books.first }

// About says which database this is, its version and its size.
func (r Reader) About(ctx context.Context) (db.About, error) { return r.books.engine.About(ctx) }

// Asset is the asset of a symbol; ErrNotFound if the books do not keep it.
func (r Reader) Asset(ctx context.Context, symbol string) (ledger.Asset, error) {
	return r.books.Asset(ctx, symbol)
}

// Assets are all that the books keep, by symbol.
func (r Reader) Assets(ctx context.Context) ([]ledger.Asset, error) { return r.books.Assets(ctx) }

// AssetsOf are those the books keep, by symbol; they are read again where one of those
// that are wanted is missing.
func (r Reader) AssetsOf(ctx context.Context, wanted ...string) (map[string]ledger.Asset, error) {
	return r.books.assets(ctx, wanted...)
}

// Account is the account of an ID; ErrNotFound if it was never opened.
func (r Reader) Account(ctx context.Context, id ledger.Account) (Account, error) {
	return r.books.Account(ctx, id)
}

// People are the credentials of the books, to be read.
func (r Reader) People() people.Reader { return r.books.People().Reader }

// Guard checks the rows that give a right.
func (r Reader) Guard() *integrity.Guard { return r.books.guard }

// Evidence is the records of the days, to be read.
func (r Reader) Evidence() evidence.Reader { return r.books.Evidence().Reader }

// CachedAssets are the assets that were read last. Assets are only added.
func (r Reader) CachedAssets() map[string]ledger.Asset { return *r.books.assetCache.Load() }

// FirstOpenAt is the first day that takes entries, in a snapshot.
func (r Reader) FirstOpenAt(t db.View) (staking.Day, error) { return r.books.firstOpen(t) }

// Due are the tokens of which days through one are not paid, each with its oldest such day.
func (r Reader) Due(ctx context.Context, through staking.Day) ([]staking.Due, error) {
	return r.books.Due(ctx, through)
}

// ListingDay is the day from which a region would be listed that is added now; 0 asks for tomorrow.
func (r Reader) ListingDay(t db.View, from staking.Day) (staking.Day, error) {
	return r.books.listingDay(t, from)
}
