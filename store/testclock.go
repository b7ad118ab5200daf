package store

import (
	"context"

	"github.com/softstake/softstake/ledger"
)

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
