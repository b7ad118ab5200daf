package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/consent"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store/restore"
)

// Setup is the initial state of books.
type Setup struct {
	From       staking.Day   // the first day of the books, at the latest today
	TestClock  bool          // the books are marked for tests, and their clock may be moved
	CloseAfter time.Duration // how long past their end days take late entries; less than a day
	Tokens     []staking.Token
	Regions    []staking.Region
	Documents  map[string]string // version 1 of each of staking.DocumentNames, by name
	FourEyes   bool              // operations that may need approval do; see SetFourEyes
	AppRole    string            // the application role on PostgreSQL, which must be there; "": none. See GrantRole
	// What of each token is limited; nil: staking.ShippedLimit.
	Limits func(ledger.Asset) staking.Limit

	WithdrawalFactor bool // holders withdraw with a second factor only; see SetWithdrawalFactor
}

// Create makes books at "sqlite:PATH" or "postgres://…" and opens them. All
// terms hold from the first day on, whatever day they name. Where there are books already
// it changes nothing and says since when. Of two that call it at the same time, one wins.
func Create(ctx context.Context, url string, o Options, s Setup) (*DB, error) {
	if err := s.check(o); err != nil {
		return nil, fmt.Errorf("make books: %w", err)
	}
	b, err := connect(ctx, url, o, true)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return b.checkRole(ctx, s.AppRole) },
		b.makeSchema,
		func(ctx context.Context) error { return b.firstRows(ctx, s) },
		func(ctx context.Context) error { return b.begin(ctx, o) },
		b.ensureDays,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("make books: %w", err), b.Close())
		}
	}
	return b, nil
}

// check refuses an initial state that cannot be, and dates its terms.
func (s *Setup) check(o Options) error {
	if o.Clock == nil {
		return errors.New("no clock was given")
	}
	if o.ClockMoved && !s.TestClock {
		return ErrRealBooks
	}
	if today := staking.DayOf(o.Clock()); s.From > today || s.From < 0 {
		return ledger.ErrInvalid.In("", "the first day %s does not lie between %s and today, %s", s.From,
			staking.Day(0), today)
	}
	if err := staking.CheckCloseAfter(s.CloseAfter); err != nil {
		return err
	}
	if s.Limits == nil {
		s.Limits = staking.ShippedLimit
	}
	s.Tokens = slices.Clone(s.Tokens)
	seen := map[string]bool{}
	for i := range s.Tokens {
		token := &s.Tokens[i]
		token.Terms.From = s.From
		if err := token.Check(); err != nil {
			return err
		}
		if seen[token.Asset.Symbol] {
			return ledger.ErrInvalid.In("", "%s is there twice", token.Asset.Symbol)
		}
		seen[token.Asset.Symbol] = true
	}
	for _, r := range s.Regions {
		if _, err := staking.ParseRegion(string(r)); err != nil {
			return err
		}
	}
	for name, text := range s.Documents {
		if err := consent.Check(name, text); err != nil {
			return err
		}
	}
	for _, name := range staking.DocumentNames {
		if _, ok := s.Documents[name]; !ok {
			return ledger.ErrInvalid.In("", "the document %s is missing", name)
		}
	}
	return nil
}

// makeSchema makes the schema where there are no books. Those of another program are left as they are.
func (b *DB) makeSchema(ctx context.Context) error {
	n, err := b.engine.Version(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		if err := b.checkRestored(ctx, false); err != nil {
			return err
		}
		if _, err := b.readFirstDay(ctx); err == nil {
			return b.engine.CheckVersion(n)
		} else if !errors.Is(err, ErrNoBooks) {
			return err
		}
	}
	return b.engine.Migrate(ctx, b.engine.Known(), nil)
}

// firstRows writes the initial state. The row of the first day is written first: whoever
// finds it there has come too late.
func (b *DB) firstRows(ctx context.Context, s Setup) error {
	return b.engine.Write(ctx, func(t db.Tx) error {
		if err := b.engine.LockSchema(t); err != nil {
			return err
		}
		if err := restore.CheckNone(t); err != nil {
			return err
		}
		if err := b.writeFirstRows(t, s); err != nil {
			return err
		}
		var symbols []string
		for _, token := range s.Tokens {
			symbols = append(symbols, token.Asset.Symbol)
		}
		if err := b.wrote(t, integrity.Assets, symbols...); err != nil {
			return err
		}
		if s.TestClock {
			if err := b.stampMeta(t, testClock); err != nil {
				return err
			}
		}
		if err := b.writeSetting(t, fourEyes, s.FourEyes); err != nil {
			return err
		}
		if err := b.writeSetting(t, withdrawalFactor, s.WithdrawalFactor); err != nil {
			return err
		}
		if err := b.writeClosing(t, staking.Closing{From: s.From, After: s.CloseAfter}); err != nil {
			return err
		}
		if _, err := b.guard.Protect(t, b.clock(), integrity.GuardedKinds, func(int64) {}); err != nil {
			return err
		}
		if err := b.grantRole(t, s.AppRole); err != nil {
			return err
		}
		return b.logLine(t, "init", "books", fmt.Sprintf("from %s with %d tokens and %d restricted regions", s.From,
			len(s.Tokens), len(s.Regions)))
	})
}

// writeFirstRows writes the initial state, but for what came with later schemas and the line of the log.
func (b *DB) writeFirstRows(t db.Tx, s Setup) error {
	n, err := t.Exec("INSERT INTO meta (name, value) VALUES ('first_day', $1) ON CONFLICT DO NOTHING", s.From.String())
	if err == nil && n == 0 {
		err = booksExist(t)
	}
	if err == nil {
		err = b.stampMeta(t, listsLock)
	}
	if err != nil {
		return err
	}
	for _, token := range s.Tokens {
		if err := b.writeToken(t, token, s.Limits(token.Asset), "with the books"); err != nil {
			return err
		}
	}
	for _, r := range s.Regions {
		if err := b.list(t, &Listing{Region: r, Number: 1, From: s.From, Reason: "with the books"}); err != nil {
			return err
		}
	}
	for _, name := range staking.DocumentNames {
		if err := consent.Write(t, staking.Document{Name: name, Version: 1, Published: b.Now(),
			Text: s.Documents[name]}); err != nil {
			return err
		}
	}
	return nil
}

// stampMeta makes a row of meta whose value is when it was made.
func (b *DB) stampMeta(t db.Tx, name string) error {
	_, err := t.Exec("INSERT INTO meta (name, value) VALUES ($1, $2)", name, ledger.FormatTime(b.Now()))
	return err
}

func booksExist(t db.Tx) error {
	since, _, err := db.First(t, db.TextOf, "SELECT value FROM meta WHERE name = 'first_day'")
	if err == nil {
		err = fmt.Errorf("these books began on %s; open them as they are, or name another database", since)
	}
	return err
}

// writeToken writes an asset, its first terms and limits, that nothing of it is paid before
// them, and an empty pool.
func (b *DB) writeToken(t db.Tx, token staking.Token, limit staking.Limit, reason string) error {
	a := token.Asset
	n, err := t.Exec("INSERT INTO assets (symbol, scale, max_supply) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", a.Symbol,
		int64(a.Scale), int64(a.MaxSupply))
	if err == nil && n == 0 {
		err = db.ErrRetry // another has added it at the same time
	}
	if err == nil {
		err = b.writeTerms(t, TermsRevision{Terms: token.Terms, Revision: 1, Reason: reason})
	}
	if err == nil && limit != staking.NoLimit(a) {
		err = b.writeLimit(t, LimitRevision{Limit: limit, Number: 1, Reason: reason})
	}
	if err == nil {
		before := int64(token.Terms.From - 1)
		err = t.Insert("progress", everyBucket(sameText("asset", a.Symbol), sameInt("accrued_through", before),
			sameInt("paid_through", before)))
	}
	if err == nil {
		_, err = t.Exec("INSERT INTO balances (bucket, account, asset, balance, carry, earned) VALUES ($1, $2, $3, 0, 0, 0)",
			int64(ledger.Rewards.Bucket()), string(ledger.Rewards), a.Symbol)
	}
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
func (b *DB) Test() bool { return b.test }

// readTest reads whether the books are marked for tests; ErrRealBooks if they are not, and the clock is moved.
func (b *DB) readTest(ctx context.Context, moved bool) error {
	var marks int64
	err := b.engine.Read(ctx, func(t db.View) (err error) {
		marks, err = db.Count(t, "SELECT count(*) FROM meta WHERE name = $1", testClock)
		return err
	})
	if b.test = marks > 0; err == nil && moved && !b.test {
		err = ErrRealBooks
	}
	return err
}
