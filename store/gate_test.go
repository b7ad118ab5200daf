package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// gate is a transaction on a connection of its own that keeps others waiting at a
// row, so that a test says who comes first. SQLite needs none: there one writes at a time.
type gate struct {
	*testing.T
	holds, looks *pgx.Conn
}

// shut begins the transaction with a statement whose locks others wait for.
func shut(t *testing.T, url, sql string, args ...any) gate {
	t.Helper()
	g := gate{T: t}
	for _, c := range []**pgx.Conn{&g.holds, &g.looks} {
		conn, err := pgx.Connect(t.Context(), pgtest.Owner(url))
		ok(t, err)
		t.Cleanup(func() { ok(t, conn.Close(t.Context())) })
		*c = conn
	}
	g.do("BEGIN")
	g.do(sql, args...)
	return g
}

func (g gate) do(sql string, args ...any) {
	g.Helper()
	_, err := g.holds.Exec(g.Context(), sql, args...)
	ok(g.T, err)
}

// waiting returns when so many connections wait for a lock.
func (g gate) waiting(n int) {
	g.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		var waiting int
		ok(g.T, g.looks.QueryRow(g.Context(),
			"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
		).Scan(&waiting))
		if waiting >= n {
			return
		}
		if time.Now().After(deadline) {
			g.Fatalf("%d connections wait; want %d", waiting, n)
		}
		time.Sleep(time.Millisecond)
	}
}

// open lets those go on that wait.
func (g gate) open() {
	g.Helper()
	g.do("ROLLBACK")
}

// twoOnPostgres runs a test on new books in PostgreSQL that two processes have open.
func twoOnPostgres(t *testing.T, test func(t *testing.T, url string, one, two *store.DB)) {
	t.Helper()
	clock := testkit.NewClock(noon)
	url := scenario.Books(t, "postgres", options(clock), shipped(t, day1))
	one, two := opened(t, url, clock), opened(t, url, clock)
	open(t, one, "alice")
	test(t, url, one, two)
	wantClean(t, auditOf(t, one, audit.Options{}))
}

// later posts an entry in another goroutine.
func later(t *testing.T, db *store.DB, e ledger.Entry) <-chan store.Outcome {
	done := make(chan store.Outcome, 1)
	go func() {
		outcomes, err := db.Post(t.Context(), []ledger.Entry{e})
		if err != nil {
			outcomes = []store.Outcome{{Err: err}}
		}
		done <- outcomes[0]
	}()
	return done
}

const lockBalance = "SELECT 1 FROM balances WHERE account = $1 FOR UPDATE"

// Both endings have looked themselves up before one of them is posted.
func TestOneOfTwoEndingsThatWaitForEachOther(t *testing.T) {
	twoOnPostgres(t, func(t *testing.T, url string, one, two *store.DB) {
		deposit(t, one, "d", "alice", 10, bnb, time.Time{})
		ok(t, refusal(post(t, one, request("w", "alice", 10), oneMove("h", ledger.Hold, "alice", "alice/held", 50)), nil))
		g := shut(t, url, lockBalance, "alice/held")
		first := later(t, one, completed("w", "alice", 10))
		g.waiting(1)
		second := later(t, two, cancelled("w", "alice", 10))
		g.waiting(2) // or the third might share its commit
		third := later(t, two, completed("w", "alice", 10))
		g.waiting(3)
		g.open()
		got := []store.Outcome{<-first, <-second, <-third}
		posted := 0
		for _, o := range got {
			if o.Err == nil && !o.Repeated {
				posted++
			}
			if o.Err != nil && !errors.Is(o.Err, ledger.ErrEnded) {
				t.Error(o.Err)
			}
		}
		if posted != 1 || (got[0].Err == nil) != (got[2].Err == nil) || (got[0].Err == nil) == (got[1].Err == nil) {
			t.Errorf("%+v", got)
		}
	})
}

// Both have looked the entry up before one of them takes all there is.
func TestTheSameEntryThatWaitsForItself(t *testing.T) {
	twoOnPostgres(t, func(t *testing.T, url string, one, two *store.DB) {
		deposit(t, one, "d", "alice", 1, bnb, time.Time{})
		g := shut(t, url, lockBalance, "alice")
		e := oneMove("w", ledger.Withdrawal, "alice", ledger.Custody, 10)
		first, second := later(t, one, e), later(t, two, e)
		g.waiting(2)
		g.open()
		a, b := <-first, <-second
		ok(t, errors.Join(a.Err, b.Err))
		if a.Repeated == b.Repeated {
			t.Errorf("%+v, %+v", a, b)
		}
	})
}

// A deposit that makes the account's first balance has looked at the account, and
// is not committed, when the account is to be closed.
func TestAClosingWaitsForADeposit(t *testing.T) {
	twoOnPostgres(t, func(t *testing.T, url string, one, two *store.DB) {
		e := oneMove("d", ledger.Deposit, ledger.Custody, "alice", 10)
		g := shut(t, url, "INSERT INTO entries (bucket, entry, at, posted_at, digest) VALUES ($1, $2, 0, 0, '')",
			e.Bucket(), e.ID)
		posted := later(t, one, e)
		g.waiting(1)
		closed := make(chan error, 1)
		go func() { closed <- two.CloseAccount(t.Context(), "alice") }()
		g.waiting(2)
		g.open()
		ok(t, (<-posted).Err)
		wants(t, <-closed, ledger.ErrInvalid)
		has(t, one, "alice", 10, 0)
	})
}

// An account is closed, and that is not committed, when a deposit comes that makes
// its first balance of a token, or adds to one.
func TestADepositWaitsForAClosing(t *testing.T) {
	for _, symbol := range []string{bnb, sol} {
		twoOnPostgres(t, func(t *testing.T, url string, one, two *store.DB) {
			ok(t, refusal(post(t, one, oneMove("d", ledger.Deposit, ledger.Custody, "alice", 10),
				oneMove("w", ledger.Withdrawal, "alice", ledger.Custody, 10)), nil))
			g := shut(t, url, "INSERT INTO log (bucket, at, actor, role, request, action, subject, detail) VALUES ($1, "+
				"$2, 'test', 'system', '', 'account close', 'alice', '')",
				ledger.Account("alice").Bucket(), noon.UnixMilli())
			closed := make(chan error, 1)
			go func() { closed <- two.CloseAccount(t.Context(), "alice") }()
			g.waiting(1)
			e := oneMove("d2", ledger.Deposit, ledger.Custody, "alice", 10)
			e.Moves[0].Asset = symbol
			posted := later(t, one, e)
			g.waiting(2)
			g.open()
			ok(t, <-closed)
			wants(t, (<-posted).Err, ledger.ErrInvalid)
			has(t, one, "alice", 0, 0)
		})
	}
}
