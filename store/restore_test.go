package store_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// oldBooks are the schemas of the books in testdata, snapshots which softstake has made with
// its commands and its server when that was its schema. Those of schema 5 have deposits,
// trades, holds, withdrawals in each state, rewards of six days, API keys, a login with its
// session, an import and requests that are answered once. They were gone on with for those of
// the version before, with a frozen account, a region listed for a later day, a compensation,
// and an authoritative entry that is to be reconciled. The last entries are of 2026-11-26.
var oldBooks = []int64{5, store.Released}

var afterBefore = time.Date(2026, 11, 27, 0, 5, 0, 0, time.UTC)

// before unpacks the books of the version before into a folder of their own.
func before(t *testing.T) string {
	t.Helper()
	return booksOf(t, store.Released)
}

// booksOf unpacks the books of a schema into a folder of their own.
func booksOf(t *testing.T, schema int64) string {
	t.Helper()
	packed := testkit.Must(os.Open(fmt.Sprintf("testdata/books-schema%d.db.gz", schema)))(t)
	defer func() { ok(t, packed.Close()) }()
	text := testkit.Must(gzip.NewReader(packed))(t)
	path := filepath.Join(t.TempDir(), "snapshot.db")
	ok(t, os.WriteFile(path, testkit.Must(io.ReadAll(text))(t), 0o600))
	return path
}

// restoring are options with an audit by so many workers.
func restoring(workers int, progress func(what string, done, of int)) store.RestoreOptions {
	return store.RestoreOptions{Progress: progress,
		Audit: func(ctx context.Context, books store.Reader, progress func(done, of int)) (audit.Report, error) {
			return audit.Run(ctx, reports.AuditOf(books), audit.Options{Workers: workers, Progress: progress})
		}}
}

// untouched runs something, and wants a file and its folder to be as they were.
func untouched(t *testing.T, path string, do func()) {
	t.Helper()
	was := testkit.Must(os.ReadFile(path))(t)
	do()
	if !bytes.Equal(was, testkit.Must(os.ReadFile(path))(t)) {
		t.Errorf("%s was changed", path)
	}
	if files := testkit.Must(os.ReadDir(filepath.Dir(path)))(t); len(files) != 1 {
		t.Errorf("beside it are %v", files)
	}
}

// goOn settles the next day of those books, and audits them before and after it.
func goOn(t *testing.T, url string) {
	t.Helper()
	clock := testkit.NewClock(afterBefore)
	db := testkit.Must(store.Open(t.Context(), url, options(clock)))(t)
	closeAfter(t, db)
	wantClean(t, auditOf(t, db, audit.Options{}))
	wantCarried(t, db)
	report := settle(t, db, clock)
	if len(report.Paid) < 10 || len(report.Waiting) > 0 || report.Closed != staking.DayOf(afterBefore)-1 {
		t.Errorf("the next day: %+v", report)
	}
	if earned(t, db, "alice", "BNB") == 0 {
		t.Error("alice has earned nothing")
	}
	wantCarried(t, db)
	deposit(t, db, "next", "alice", 1, "BNB", time.Time{})
	wantClean(t, auditOf(t, db, audit.Options{}))
}

// wantCarried wants the last declared day of each token, all of which are paid, to say exactly what holders carry.
func wantCarried(t *testing.T, books *store.DB) {
	t.Helper()
	declared, carried := map[string]staking.Exact{}, map[string]staking.Exact{}
	ok(t, books.Engine().Read(t.Context(), func(v db.View) error {
		err := v.Query(func(r db.Row) error {
			declared[r.Text(0)] = staking.Exact{Units: ledger.Amount(r.Int(1)), Part: staking.Fraction(r.Int(2))}
			return nil
		}, "SELECT asset, carried_units, carried_part FROM declarations ORDER BY day")
		if err != nil {
			return err
		}
		return v.Query(func(r db.Row) error {
			carried[r.Text(0)] = carried[r.Text(0)].Add(staking.Exact{Part: staking.Fraction(r.Int(1))})
			return nil
		}, "SELECT asset, carry FROM balances")
	}))
	if len(declared) == 0 {
		t.Error("no day is declared")
	}
	for token, want := range declared {
		if got := carried[token]; got != want {
			t.Errorf("holders carry %+v %s, and the last declared day says %+v", got, token, want)
		}
	}
}

// TestUpgradingRealBooks goes on with books of older versions.
func TestUpgradingRealBooks(t *testing.T) {
	for _, schema := range oldBooks {
		t.Run(fmt.Sprintf("schema %d", schema), func(t *testing.T) {
			path := booksOf(t, schema)
			u := testkit.Must(store.Upgrade(t.Context(), "sqlite:"+path, options(testkit.NewClock(afterBefore)), nil))(t)
			if u.From != schema || u.To != store.Schema {
				t.Errorf("upgraded %+v", u)
			}
			wantChangedKeys(t, schema, u.Changes)
			goOn(t, "sqlite:"+path)
		})
	}
}

// wantChangedKeys wants one line of books from before keys had a permission to withdraw,
// the one about the keys that may no longer withdraw, and none of later ones.
func wantChangedKeys(t *testing.T, schema int64, changes []store.LogLine) {
	t.Helper()
	if schema == store.Released {
		if len(changes) > 0 {
			t.Errorf("the upgrade has changed %+v", changes)
		}
		return
	}
	if len(changes) != 1 || changes[0].Subject != "keys" ||
		!strings.Contains(changes[0].Detail, "may no longer withdraw") {
		t.Errorf("the upgrade has changed %+v", changes)
	}
}

// TestRestoringRealBooks of older versions, and of this one.
func TestRestoringRealBooks(t *testing.T) {
	for _, schema := range oldBooks {
		t.Run(fmt.Sprintf("schema %d", schema), func(t *testing.T) {
			eachURL(t, func(t *testing.T, url string) { restoreOld(t, url, schema) })
		})
	}
}

func restoreOld(t *testing.T, url string, schema int64) {
	ctx, o := t.Context(), options(testkit.NewClock(afterBefore))
	old := booksOf(t, schema)
	untouched(t, old, func() {
		r := testkit.Must(store.Restore(ctx, old, url, o, restoring(2, nil)))(t)
		if r.From != schema || r.To != store.Schema || r.Rows < 1000 || r.Audit.Accruals == 0 {
			t.Errorf("restored %+v", r)
		}
		wantChangedKeys(t, schema, r.Changes)
	})
	goOn(t, url)
	wantPayoutsAfter(t, url, o)

	db := testkit.Must(store.Open(ctx, url, o))(t)
	closeAfter(t, db)
	snapshot := filepath.Join(t.TempDir(), "now.db")
	ok(t, db.Engine().Backup(ctx, snapshot, nil))
	again := "sqlite:" + filepath.Join(t.TempDir(), "again.db")
	untouched(t, snapshot, func() {
		r := testkit.Must(store.Restore(ctx, snapshot, again, o, restoring(1, nil)))(t)
		if len(r.Changes) > 0 {
			t.Errorf("nothing was upgraded, and changed is %v", r.Changes)
		}
	})
	wantSameRows(t, ctx, db, testkit.Must(store.Open(ctx, again, o))(t))
}

// wantPayoutsAfter wants restored books, which had no payouts, to number theirs behind all that were given before.
func wantPayoutsAfter(t *testing.T, url string, o store.Options) {
	t.Helper()
	db := testkit.Must(store.Open(t.Context(), url, o))(t)
	closeAfter(t, db)
	ok(t, db.SetPayouts(t.Context(), true))
	c := store.Compensation{Day: staking.DayOf(afterBefore) - 1, Asset: bnb, Account: "alice", Name: "n", Amount: 7}
	testkit.Must(db.Compensate(t.Context(), c, "a test"))(t)
	testkit.Must(db.NumberPayouts(t.Context()))(t)
	first := testkit.Must(reports.New(db.Reader()).Payouts(t.Context(), afterBefore.UnixMicro(), 1))(t).Payouts
	same(t, "the first payout", first[0].Number, afterBefore.UnixMicro()+1)
}

// wantSameRows wants two books to have the same accounts, balances and rewards.
func wantSameRows(t *testing.T, ctx context.Context, one, two *store.DB) {
	t.Helper()
	closeAfter(t, two)
	for _, sql := range []string{
		"SELECT count(*) FROM entries", "SELECT sum(amount * move + at) FROM postings",
		"SELECT sum(balance * bucket + carry) FROM balances",
		"SELECT sum(reward) FROM accruals", "SELECT count(*) FROM keys", "SELECT count(*) FROM logins",
		"SELECT count(*) FROM sessions",
		"SELECT count(*) FROM import_rows", "SELECT count(*) FROM responses", "SELECT count(*) FROM meta",
	} {
		sql = strings.Replace(sql, "SELECT sum(", "SELECT CAST(sum(", 1)
		if strings.Contains(sql, "CAST(") {
			sql = strings.Replace(sql, ") FROM", ") AS bigint) FROM", 1)
		}
		if a, b := testkit.Must(one.Count(ctx, sql))(t), testkit.Must(two.Count(ctx, sql))(t); a != b {
			t.Errorf("%s: %d, and restored %d", sql, a, b)
		}
	}
}

// TestARestoreThatIsInterrupted leaves nothing that can be used, and is begun again.
func TestARestoreThatIsInterrupted(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		snapshot, o := before(t), options(testkit.NewClock(afterBefore))
		for _, at := range []string{"restoring entries", "restoring postings", "upgrading", "auditing"} {
			ctx, interrupt := context.WithCancel(t.Context())
			_, err := store.Restore(ctx, snapshot, url, o, restoring(1, func(what string, _, _ int) {
				if strings.HasPrefix(what, at) {
					interrupt()
				}
			}))
			interrupt()
			wants(t, err, context.Canceled)
			wantUnusable(t, url, o, at == "auditing")
		}
		testkit.Must(store.Restore(t.Context(), snapshot, url, o, restoring(1, nil)))(t)
		goOn(t, url)
	})
}

// wantUnusable wants books that nobody may use; or audit, unless their rows are all there.
func wantUnusable(t *testing.T, url string, o store.Options, complete bool) {
	t.Helper()
	ctx := t.Context()
	_, opened := store.Open(ctx, url, o)
	_, created := store.Create(ctx, url, o, shipped(t, day1))
	_, upgraded := store.Upgrade(ctx, url, o, nil)
	for _, err := range []error{opened, created, upgraded} {
		wants(t, err, store.ErrUnfinished)
	}
	o.Unfinished = true
	db, err := store.Open(ctx, url, o)
	if !complete {
		wants(t, err, store.ErrUnfinished)
		return
	}
	ok(t, err)
	ok(t, db.Close())
}

// TestRestoringWhatDoesNotAddUp keeps the books closed, until they are restored from a good snapshot.
func TestRestoringWhatDoesNotAddUp(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		ctx, o := t.Context(), options(testkit.NewClock(afterBefore))
		bad, good := before(t), before(t)
		c := testkit.Must(sqlite.OpenConn(bad, sqlite.OpenReadWrite))(t)
		const more = "UPDATE balances SET balance = balance + 1 WHERE account = 'alice' AND asset = 'BNB';"
		ok(t, sqlitex.ExecuteScript(c, more, nil))
		ok(t, c.Close())
		r, err := store.Restore(ctx, bad, url, o, restoring(1, nil))
		if wants(t, err, store.ErrFindings); r.Audit.Total == 0 || len(r.Audit.Findings) == 0 {
			t.Errorf("the report is %+v", r.Audit)
		}
		wantUnusable(t, url, o, true)
		testkit.Must(store.Restore(ctx, good, url, o, restoring(1, nil)))(t)
		goOn(t, url)
	})
}

// TestRestoringIntoBooks refuses, and leaves them as they are.
func TestRestoringIntoBooks(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		_, err := store.Restore(t.Context(), before(t), pgtest.Owner(db.Engine().URL()), options(clock), restoring(1, nil))
		if err == nil || !strings.Contains(err.Error(), "there are books in this database already") {
			t.Errorf("restored: %v", err)
		}
		testkit.Must(db.Account(t.Context(), "alice"))(t)
		wantClean(t, auditOf(t, db, audit.Options{}))
	})
}

// TestRestoringTwiceAtOnce: the later takes the database over, and the former notices.
func TestRestoringTwiceAtOnce(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		ctx, o, snapshot := t.Context(), options(testkit.NewClock(afterBefore)), before(t)
		var later sync.Once
		_, err := store.Restore(ctx, snapshot, url, o, restoring(1, func(what string, _, _ int) {
			if what == "restoring entries" {
				later.Do(func() {
					testkit.Must(store.Restore(ctx, snapshot, url, o, restoring(1, nil)))(t)
				})
			}
		}))
		if err == nil || !strings.Contains(err.Error(), "another process restores into this database") {
			t.Errorf("the former: %v", err)
		}
		goOn(t, url)
	})
}

// TestRestoringFromWhatIsNoSnapshot makes no books.
func TestRestoringFromWhatIsNoSnapshot(t *testing.T) {
	o := options(testkit.NewClock(afterBefore))
	empty, text := filepath.Join(t.TempDir(), "empty.db"), filepath.Join(t.TempDir(), "text.db")
	ok(t, os.WriteFile(empty, nil, 0o600))
	ok(t, os.WriteFile(text, []byte(strings.Repeat("no database\n", 1000)), 0o600))
	newer := before(t)
	c := testkit.Must(sqlite.OpenConn(newer, sqlite.OpenReadWrite))(t)
	ok(t, sqlitex.ExecuteScript(c, "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < "+
		"1100) INSERT INTO migrations SELECT i FROM n;", nil))
	ok(t, c.Close())
	for path, want := range map[string]string{
		empty: "not softstake's", text: "is not a database", newer: "use a newer softstake",
		filepath.Join(t.TempDir(), "none.db"): "open the snapshot",
	} {
		to := filepath.Join(t.TempDir(), "to.db")
		_, err := store.Restore(t.Context(), path, "sqlite:"+to, o, restoring(1, nil))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := os.Stat(to); err == nil {
			t.Errorf("%s: a file was made", path)
		}
	}
}
