package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/consent"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Setup is the initial state of books.
type Setup struct {
	From       staking.Day   // the first day of the books, at the latest today
	TestClock  bool          // the books are marked for tests, and their clock may be moved
	CloseAfter time.Duration // how long past their end days take late entries; less than a day
	Tokens     []staking.Token
	Regions    []staking.Region
	Documents  map[string]string // version 1 of each of staking.DocumentNames, by name
}

// Create makes books at "sqlite:PATH" or "postgres://…" and opens them. All
// terms hold from the first day on, whatever day they name. Where there are books already
// it changes nothing and says since when. Of two that call it at the same time, one wins.
func Create(ctx context.Context, url string, o Options, b Setup) (*DB, error) {
	if err := b.check(o); err != nil {
		return nil, fmt.Errorf("make books: %w", err)
	}
	db, err := connect(ctx, url, o, true)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{
		db.makeSchema,
		func(ctx context.Context) error { return db.firstRows(ctx, b) },
		func(ctx context.Context) error { return db.begin(ctx, o) },
		db.ensureDays,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("make books: %w", err), db.Close())
		}
	}
	return db, nil
}

func (b *Setup) check(o Options) error {
	if o.Clock == nil {
		return errors.New("no clock was given")
	}
	if o.ClockMoved && !b.TestClock {
		return ErrRealBooks
	}
	if today := staking.DayOf(o.Clock()); b.From > today || b.From < 0 {
		return ledger.ErrInvalid.In("", "the first day %s does not lie between %s and today, %s", b.From,
			staking.Day(0), today)
	}
	if err := staking.CheckCloseAfter(b.CloseAfter); err != nil {
		return err
	}
	tokens := make([]staking.Token, 0, len(b.Tokens))
	seen := map[string]bool{}
	for _, token := range b.Tokens {
		token.Terms.From = b.From
		if err := checkToken(token); err != nil {
			return err
		}
		if symbol := token.Asset.Symbol; seen[symbol] {
			return ledger.ErrInvalid.In("", "%s is there twice", symbol)
		}
		seen[token.Asset.Symbol] = true
		tokens = append(tokens, token)
	}
	b.Tokens = tokens
	for _, r := range b.Regions {
		if _, err := staking.ParseRegion(string(r)); err != nil {
			return err
		}
	}
	for name, text := range b.Documents {
		if err := consent.Check(name, text); err != nil {
			return err
		}
	}
	for _, name := range staking.DocumentNames {
		if _, ok := b.Documents[name]; !ok {
			return ledger.ErrInvalid.In("", "the document %s is missing", name)
		}
	}
	return nil
}

// makeSchema makes the schema where there are no books. Those of another program are left as they are.
func (db *DB) makeSchema(ctx context.Context) error {
	n, err := db.engine.Version(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		if err := db.checkRestored(ctx, false); err != nil {
			return err
		}
		if _, err := db.readFirstDay(ctx); err == nil {
			return db.engine.CheckVersion(n)
		} else if !errors.Is(err, ErrNoBooks) {
			return err
		}
	}
	return db.engine.Migrate(ctx, db.engine.Known(), nil)
}

// firstRows writes the initial state. The row of the first day is written first: whoever
// finds it there has come too late.
func (db *DB) firstRows(ctx context.Context, b Setup) error {
	return db.engine.Write(ctx, func(t tx) error {
		if err := db.engine.LockSchema(t); err != nil {
			return err
		}
		state, err := restoreState(t, "")
		if err == nil && state != "" {
			err = errors.New("another process restores books here at this moment; name another database")
		}
		if err != nil {
			return err
		}
		if err := db.writeFirstRows(t, b); err != nil {
			return err
		}
		if b.TestClock {
			if _, err := t.Exec("INSERT INTO meta (name, value) VALUES ($1, $2)", testClock, stamp(db.now())); err != nil {
				return err
			}
		}
		if err := db.writeClosing(t, staking.Closing{From: b.From, After: b.CloseAfter}); err != nil {
			return err
		}
		return db.logLine(t, "init", "books", fmt.Sprintf("from %s with %d tokens and %d restricted regions", b.From,
			len(b.Tokens), len(b.Regions)))
	})
}

// writeFirstRows writes the initial state, but for what came with later schemas and the line of the log.
func (db *DB) writeFirstRows(t tx, b Setup) error {
	n, err := t.Exec("INSERT INTO meta (name, value) VALUES ('first_day', $1) ON CONFLICT DO NOTHING", b.From.String())
	if err == nil && n == 0 {
		err = booksExist(t)
	}
	if err != nil {
		return err
	}
	if _, err := t.Exec("INSERT INTO meta (name, value) VALUES ($1, $2)", listsLock, stamp(db.now())); err != nil {
		return err
	}
	for _, token := range b.Tokens {
		if err := db.writeToken(t, token, "with the books"); err != nil {
			return err
		}
	}
	for _, r := range b.Regions {
		if err := db.list(t, &Listing{Region: r, Number: 1, From: b.From, Reason: "with the books"}); err != nil {
			return err
		}
	}
	for _, name := range staking.DocumentNames {
		if err := consent.Write(t, staking.Document{Name: name, Version: 1, Published: timeOf(db.now()),
			Text: b.Documents[name]}); err != nil {
			return err
		}
	}
	return nil
}

func booksExist(t tx) error {
	since := ""
	if err := t.Query(func(r row) error { since = r.Text(0); return nil },
		"SELECT value FROM meta WHERE name = 'first_day'"); err != nil {
		return err
	}
	return fmt.Errorf("these books began on %s; open them as they are, or name another database", since)
}

// writeToken writes an asset, its first terms, that nothing of it is paid before
// them, and an empty pool.
func (db *DB) writeToken(t tx, token staking.Token, reason string) error {
	a := token.Asset
	n, err := t.Exec("INSERT INTO assets (symbol, scale, max_supply) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", a.Symbol,
		int64(a.Scale), int64(a.MaxSupply))
	if err == nil && n == 0 {
		err = errRetry // another has added it at the same time
	}
	if err != nil {
		return fmt.Errorf("add %s: %w", a.Symbol, err)
	}
	if err := db.writeTerms(t, TermsRevision{Terms: token.Terms, Revision: 1, Reason: reason}); err != nil {
		return err
	}
	rows, through := EveryBucket(0), slices.Repeat([]int64{int64(token.Terms.From - 1)}, ledger.Buckets)
	if err := t.Insert("progress", set{
		rows[0], texts("asset", repeat(a.Symbol, ledger.Buckets)),
		ints("accrued_through", through), ints("paid_through", through),
	}); err != nil {
		return fmt.Errorf("add %s: %w", a.Symbol, err)
	}
	_, err = t.Exec("INSERT INTO balances (bucket, account, asset, balance, carry, earned) VALUES ($1, $2, $3, 0, 0, 0)",
		int64(ledger.Rewards.Bucket()), string(ledger.Rewards), a.Symbol)
	if err != nil {
		return fmt.Errorf("add %s: %w", a.Symbol, err)
	}
	return nil
}

// testClock names the row of meta that marks books for tests, such as those of a
// staging environment: their clock may be moved.
const testClock = "test_clock"

// ErrRealBooks says that a clock that is moved works with books that are not marked for tests.
const ErrRealBooks ledger.ErrorKind = "the clock of these books cannot be moved: they are not marked for tests"

// Test reports whether the books are marked for tests. It never changes.
func (db *DB) Test() bool { return db.test }

// readTest reads whether the books are marked for tests; ErrRealBooks if they are not, and the clock is moved.
func (db *DB) readTest(ctx context.Context, moved bool) error {
	var marks int64
	err := db.engine.Read(ctx, func(t view) (err error) {
		marks, err = count(t, "SELECT count(*) FROM meta WHERE name = $1", testClock)
		return err
	})
	if db.test = marks > 0; err == nil && moved && !db.test {
		err = ErrRealBooks
	}
	return err
}
