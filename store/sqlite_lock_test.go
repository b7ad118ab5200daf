package store_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// A file that another process has locked is waited for once, and the message says
// what is the matter.
func TestAFileThatAnotherProcessHasLocked(t *testing.T) {
	path, clock := filepath.Join(t.TempDir(), "books.db"), testkit.NewClock(noon)
	o := options(clock)
	o.LockWait = 20 * time.Millisecond
	db := testkit.Must(store.Create(t.Context(), "sqlite:"+path, o, shipped(t, day1)))(t)
	closeAfter(t, db)
	other, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	ok(t, err)
	defer func() { ok(t, other.Close()) }()
	execute := func(sql string) { t.Helper(); ok(t, sqlitex.ExecuteTransient(other, sql, nil)) }
	locked := func(err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), path+
			" is locked by another process; nothing was changed; try again") || strings.Contains(err.Error(), "times") {
			t.Errorf("the error is %v", err)
		}
	}
	execute("BEGIN IMMEDIATE")
	_, err = db.OpenAccount(t.Context(), "alice", "DE")
	locked(err)
	_, err = db.Post(t.Context(), []ledger.Entry{oneMove("d", ledger.Deposit, ledger.Custody, "alice", 1)})
	locked(err)
	_, err = reports.New(db.Reader()).Accounts(t.Context(), "", 10) // who reads need not wait
	ok(t, err)
	ended, end := context.WithCancel(t.Context())
	end()
	_, err = db.OpenAccount(ended, "alice", "DE")
	wants(t, err, context.Canceled)
	execute("COMMIT")
	testkit.Must(db.OpenAccount(t.Context(), "alice", "DE"))(t)
}

// A file that nobody else may even read is not opened, and not waited for twelve times.
func TestAFileThatIsLockedWhole(t *testing.T) {
	path, clock := filepath.Join(t.TempDir(), "books.db"), testkit.NewClock(noon)
	o := options(clock)
	o.LockWait = 20 * time.Millisecond
	other, err := sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	ok(t, err)
	for _, sql := range []string{"PRAGMA locking_mode = EXCLUSIVE", "CREATE TABLE theirs (n INTEGER)", "BEGIN EXCLUSIVE"} {
		ok(t, sqlitex.ExecuteTransient(other, sql, nil))
	}
	_, err = store.Create(t.Context(), "sqlite:"+path, o, shipped(t, day1))
	if err == nil || !strings.Contains(err.Error(), path+
		" is locked by another process; nothing was changed; try again") || strings.Contains(err.Error(), "times") {
		t.Errorf("the error is %v", err)
	}
	ok(t, other.Close())
}
