// Package store keeps the books in a database: their tables and their SQL. It knows nothing of HTTP
// or of the command line.
package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/staking"
)

// DB is the books. All its methods may be called from several goroutines at
// once, and the same books may be open in several processes. Times are kept in
// UTC, cut to milliseconds.
type DB struct {
	*books
	actor    access.Actor // who makes the changes
	approval *approval    // of the proposal that they carry out; nil: of none
	within   db.Tx        // the transaction that changes are a part of; nil: each has its own. See DB.write
	joined   bool         // they are the word of a joined source, which is a back end
}

// books are what all who work on them in this process share.
type books struct {
	engine  *db.DB
	clock   func() time.Time
	observe func(entries int) // Options.Observe, never nil
	first   staking.Day       // the first day of the books
	test    bool              // they are marked for tests
	demo    bool              // Options.Demo

	assetCache atomic.Pointer[map[string]ledger.Asset] // as they were read last; assets are only ever added
	opened     atomic.Int32                            // the day through which rows of open days are known to exist
	queue      *queue
	guard      *integrity.Guard
	sealer     func() (*access.Sealer, error) // Options.Sealer, kept
	shared     outbox.Shared

	distributed distributed

	upgradedFrom int64    // the schema that an upgrade began with; 0: no upgrade
	appRoles     []string // those that an upgrade grants again what they need
}

// Options are how to open books.
type Options struct {
	Clock      func() time.Time // what time it is
	ClockMoved bool             // Clock does not say what time it is: for books that are marked for tests
	Actor      access.Actor     // who makes the changes, unless As says otherwise: kept with each entry and in the log
	Demo       bool             // the visitors of a demo are its custodian too: see DB.Custodian
	Volatile   bool             // SQLite only: do not wait for the disk. For books that are thrown away
	Insecure   bool             // PostgreSQL only: connect to another host without sslmode=verify-full; else ErrInsecure
	LockWait   time.Duration    // SQLite only: how long to wait for another process that is writing; 0: 30 seconds
	ReadOnly   bool             // SQLite only: change nothing, and make no file beside the file
	// Unfinished opens books that are restored and not audited too: for their audit.
	Unfinished bool
	// Sealer is the key outside the database, or nil where there is none: rows that give a right carry a MAC with a key
	// derived from it. It is called when it is needed, until there is one: that one reads its keys again during a rotation
	// (access.Sealer.Watch). nil: there is none.
	Sealer func() (*access.Sealer, error)
	// Refused is called with each row that is refused because it has not its MAC; may be nil, must be quick and safe for
	// concurrent use.
	Refused func(table, row string)
	// Tracer traces the queries of PostgreSQL; may be nil.
	Tracer db.Tracer
	// Called with how many entries share each commit of Post; may be nil, must be quick and safe for concurrent use.
	Observe func(entries int)
}

// Open opens the books at "sqlite:PATH" or "postgres://…". It refuses a database
// without books (ErrNoBooks) and books of another schema (ErrSchema), and changes nothing.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	b, err := connect(ctx, url, o, false)
	if err != nil {
		return nil, err
	}
	if err := b.begin(ctx, o); err != nil {
		return nil, errors.Join(err, b.engine.Close())
	}
	return b, nil
}

// sqliteMark distinguishes the files of books from other SQLite files: "stak".
const sqliteMark = 0x7374616b

func connect(ctx context.Context, url string, o Options, create bool) (*DB, error) {
	if o.Clock == nil {
		return nil, errors.New("open books: no clock was given")
	}
	b := &DB{books: &books{clock: o.Clock, demo: o.Demo, observe: o.Observe}, actor: o.Actor}
	if b.observe == nil {
		b.observe = func(int) {}
	}
	var err error
	b.engine, err = db.Open(ctx, url, db.Options{
		Migrations: b.migrations(), Mark: sqliteMark, Create: create, SchemaWait: schemaWait,
		Volatile: o.Volatile, ReadOnly: o.ReadOnly, Tracer: o.Tracer, Insecure: o.Insecure, LockWait: o.LockWait,
	})
	if err != nil {
		return nil, err
	}
	b.queue = newQueue(b.engine)
	b.sealer = newSealer(o)
	b.guard = newGuard(o, b.sealer)
	return b, nil
}

// begin reads what the books began with, and keeps what never changes.
func (b *DB) begin(ctx context.Context, o Options) error {
	n, err := b.version(ctx, o.Unfinished)
	if err == nil {
		err = b.engine.CheckVersion(n)
	}
	if err != nil {
		return err
	}
	b.engine.Expect()
	if err := b.readTest(ctx, o.ClockMoved); err != nil {
		return err
	}
	if _, err := b.Protected(ctx); err != nil {
		return err
	}
	if b.first, err = b.readFirstDay(ctx); err != nil {
		return err
	}
	_, err = b.loadAssets(ctx)
	return err
}

// readFirstDay reads the first day of the books; ErrNoBooks if there is none.
func (b *DB) readFirstDay(ctx context.Context) (day staking.Day, err error) {
	found := false
	err = b.engine.Read(ctx, func(t db.View) (err error) {
		day, found, err = db.First(t, func(r db.Row) (staking.Day, error) { return staking.ParseDay(r.Text(0)) },
			"SELECT value FROM meta WHERE name = 'first_day'")
		return err
	})
	if err == nil && !found {
		err = ErrNoBooks
	}
	return day, err
}

// As is the same books for another actor. Close either of them, not both.
func (b *DB) As(actor access.Actor) *DB { return &DB{books: b.books, actor: actor} }

// Custodian is the books of a demo for its custodian, who says what has come in and what was sent. access.ErrForbidden
// unless they were opened as those of a demo: whatever page asks, nobody else is a custodian.
func (b *DB) Custodian(request string) (*DB, error) {
	if !b.demo {
		return nil, access.ErrForbidden.In("", "the books are not those of a demo")
	}
	return b.As(access.Process("demo").In(request)), nil
}

// write makes a change: in a transaction of its own or, within one, as a part of that, whose maker has the days' rows
// made before it.
func (b *DB) write(ctx context.Context, change func(db.Tx) error) error {
	if b.within != nil {
		return change(b.within)
	}
	if err := b.ensureDays(ctx); err != nil {
		return err
	}
	return b.engine.Write(ctx, change)
}

// Close waits for what is being posted and closes the books.
func (b *DB) Close() error {
	b.queue.close()
	return b.engine.Close()
}

// Engine is the database itself: which one it is, how its connections are used, its files.
func (b *DB) Engine() *db.DB { return b.engine }

// Now is the time of the books' clock, in UTC, cut to milliseconds.
func (b *DB) Now() time.Time { return db.TimeOf(b.now()) }

// FirstDay is the first day of the books: no entry is dated before it.
func (b *DB) FirstDay() staking.Day { return b.first }

// now is the clock's time in milliseconds since 1970.
func (b *books) now() int64 { return b.clock().UnixMilli() }

// loadAssets reads the assets and keeps them: they are added, and never change.
func (b *books) loadAssets(ctx context.Context) (map[string]ledger.Asset, error) {
	assets := map[string]ledger.Asset{}
	err := b.engine.Read(ctx, func(t db.View) error {
		clear(assets)
		return t.Query(func(r db.Row) error {
			assets[r.Text(0)] = readAsset(r)
			return nil
		}, "SELECT symbol, scale, max_supply FROM assets")
	})
	if err != nil {
		return nil, fmt.Errorf("read the assets: %w", err)
	}
	b.assetCache.Store(&assets)
	return assets, nil
}

func readAsset(r db.Row) ledger.Asset {
	return ledger.Asset{Symbol: r.Text(0), Scale: int(r.Int(1)), MaxSupply: ledger.Amount(r.Int(2))}
}

// FindAsset reads an asset in a snapshot, also one that another process has just added.
// ErrNotFound if the books do not keep it.
func FindAsset(t db.View, symbol string) (ledger.Asset, error) {
	a, found, err := db.First(t, func(r db.Row) (ledger.Asset, error) { return readAsset(r), nil },
		"SELECT symbol, scale, max_supply FROM assets WHERE symbol = $1", symbol)
	if err == nil && !found {
		err = ledger.ErrNotFound.In("", "asset %q", ledger.Clip(symbol)).Because(ledger.ReasonUnknownAsset)
	}
	return a, err
}

// assets are those the books keep; they are read again where one is missing that is asked for.
func (b *books) assets(ctx context.Context, wanted ...string) (map[string]ledger.Asset, error) {
	assets := *b.assetCache.Load()
	for _, symbol := range wanted {
		if _, ok := assets[symbol]; !ok {
			return b.loadAssets(ctx)
		}
	}
	return assets, nil
}

// Asset is the asset of a symbol; ErrNotFound if the books do not keep it.
func (b *DB) Asset(ctx context.Context, symbol string) (ledger.Asset, error) {
	assets, err := b.assets(ctx, symbol)
	if err != nil {
		return ledger.Asset{}, err
	}
	a, ok := assets[symbol]
	if !ok {
		return a, ledger.ErrNotFound.In("", "asset %q; the books keep %s", ledger.Clip(symbol),
			strings.Join(slices.Sorted(maps.Keys(assets)), " "))
	}
	return a, nil
}

// Assets are all that the books keep, by symbol.
func (b *DB) Assets(ctx context.Context) ([]ledger.Asset, error) {
	assets, err := b.loadAssets(ctx)
	if err != nil {
		return nil, err
	}
	return slices.SortedFunc(maps.Values(assets),
		func(x, y ledger.Asset) int { return strings.Compare(x.Symbol, y.Symbol) }), nil
}

// read is what fn reads in a snapshot. fn may be called several times.
func read[T any](ctx context.Context, b *DB, fn func(db.View) (T, error)) (found T, err error) {
	err = b.engine.Read(ctx, func(t db.View) (err error) {
		found, err = fn(t)
		return err
	})
	return found, err
}

// inOrder takes steps until one fails.
func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// annotate says what failed before an error's own words; no error stays none.
func annotate(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}

func itself[T any](v T) T { return v }

// ErrSchema says that the books have another schema than this program works with.
var ErrSchema = db.ErrSchema

// Why the books refuse something, where a front end can say what to do about it: the
// reasons of a ledger.Error.
const (
	ReasonUnknownAccount = "unknown-account" // ledger.ErrNotFound
	ReasonUnknownRegion  = "unknown-region"  // ledger.ErrNotFound: it is not listed

	ReasonOtherResidence = "other-residence" // ledger.ErrConflict: the account is open
	ReasonOtherOwner     = "other-owner"     // ledger.ErrConflict: the account is open
	ReasonTokenExists    = "token-exists"    // ledger.ErrConflict: with other figures or terms
	ReasonDamaged        = "damaged-entry"   // ledger.ErrConflict: it cannot be shown that the entry is the same

	ReasonClosed     = "account-closed"  // ledger.ErrInvalid: nothing is done with a closed account
	ReasonOpen       = "account-open"    // ledger.ErrInvalid: the account is to be closed first
	ReasonNotStopped = "not-stopped"     // ledger.ErrInvalid: the partition has another state
	ReasonFuture     = "future"          // ledger.ErrInvalid: its time is ahead of the clock
	ReasonDayBegun   = "day-begun"       // ledger.ErrInvalid: terms hold from tomorrow on
	ReasonDayNotOver = "day-not-over"    // ledger.ErrInvalid: terms are corrected of a day that is over
	ReasonNotAccrued = "day-not-accrued" // ledger.ErrInvalid: the day's total is not known yet
	ReasonDeclared   = "day-declared"    // ledger.ErrInvalid: the day is being paid

	ReasonNotCopied  = "restore-not-copied"  // ErrUnfinished
	ReasonNotAudited = "restore-not-audited" // ErrUnfinished
	ReasonFindings   = "restore-findings"    // ErrFindings
)
