package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// watched are books that olga changes, whose log is read as it grows.
type watched struct {
	*testing.T
	*store.DB
	clock *testkit.Clock
	seen  int
}

// eachWatched runs a test on every database. Each change leaves one line, in its own
// commit and by its actor; what changes nothing, or is refused, leaves none.
func eachWatched(t *testing.T, test func(w *watched)) {
	t.Helper()
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		w := &watched{T: t, DB: db.As(olga), clock: clock}
		w.wants("init books: from 2026-03-02 with 4 tokens and 15 restricted regions")
		test(w)
	})
}

// wants are the lines since it was called last. A minute passes.
func (w *watched) wants(want ...string) {
	w.Helper()
	var got []string
	lines := testkit.Must(reports.New(w.Reader()).Log(w.Context(), noon, 1000))(w.T)
	for _, l := range lines[w.seen:] {
		got = append(got, l.Action+" "+l.Subject+": "+l.Detail)
		if l.Actor != olga && l.Action != "init" {
			w.Errorf("%+v is not by olga", l)
		}
	}
	if w.seen = len(lines); !slices.Equal(got, want) {
		w.Errorf("the log says\n%q, want\n%q", got, want)
	}
	w.clock.Advance(time.Minute)
}

func TestLogOfAccounts(t *testing.T) {
	eachWatched(t, func(w *watched) {
		t, db, ctx := w.T, w.DB, w.Context()
		for range 2 {
			testkit.Must(db.OpenAccount(ctx, "alice", "DE"))(t)
		}
		w.wants("account open alice: residence DE")
		ok(t, db.OpenAccounts(ctx, []store.Account{{ID: "bob"}, {ID: "carol", Region: "US"}, {ID: "alice", Region: "DE"}}))
		w.wants("account open bob: 2 accounts, the last carol")
		for range 2 {
			ok(t, db.Documents().Accept(ctx, "alice", "risk-warning", 0, staking.Client{}))
		}
		w.wants("accept alice: risk-warning version 1")
		_, err := db.Enroll(ctx, "alice", staking.Client{}, time.Time{})
		wants(t, err, staking.ErrDocuments)
		w.wants()
		accept(t, db, "alice")
		w.wants("accept alice: soft-staking-terms version 1", "accept alice: terms-of-use version 1")
		for range 2 {
			on(t, db, "alice")
		}
		w.wants("enroll alice: from 2026-03-03")
		for range 2 {
			off(t, db, "alice")
		}
		w.wants("leave alice: from 2026-03-02")
		for range 2 {
			ok(t, db.Imports().Record(ctx, "bob", []imports.Row{{At: noon, Asset: bnb, Operation: "Deposit", Amount: 1,
				Export: "2025", Times: 1}}))
		}
		w.wants("import read bob: rows: 1")
		ok(t, db.Imports().Record(ctx, "bob", []imports.Row{{At: noon, Asset: bnb, Operation: "Deposit", Amount: 1,
			Export: "2025", Times: 2}}))
		w.wants("import read bob: rows: 1")
		w.clock.Set(3, "00:10")
		settle(t, db, w.clock)
		w.wants("day close 2026-03-03: all days from 2026-03-02")
		settle(t, db, w.clock)
		w.wants()
	})
}

func TestLogOfEntries(t *testing.T) {
	eachWatched(t, func(w *watched) {
		t, db, ctx := w.T, w.DB, w.Context()
		open(t, db, "alice")
		testkit.Must(db.OpenAccount(ctx, "bob", "DE"))(t)
		w.seen += 5
		entries := []ledger.Entry{
			{ID: "d-1", Kind: ledger.Deposit, Moves: oneBNB(ledger.Custody, "alice")},
			{ID: "d-2", Kind: ledger.Deposit, Moves: oneBNB("alice", "bob")},
			{ID: "t-1", Kind: ledger.Trade, Moves: append(oneBNB("alice", "bob"), oneBNB("bob", "alice")...)},
		}
		testkit.Must(db.Post(ctx, entries))(t)
		w.wants("post d-1: 2 entries, the last t-1")
		testkit.Must(db.Post(ctx, entries))(t)
		w.wants()
		_, err := db.PostAll(ctx, []ledger.Entry{{ID: "d-3", Kind: ledger.Deposit, Moves: oneBNB(ledger.Custody, "alice")},
			{ID: "t-2", Kind: ledger.Transfer, Moves: oneBNB("bob", "alice")}})
		wants(t, err, ledger.ErrInsufficient)
		w.wants()
		ok(t, refusal(db.Post(ctx, []ledger.Entry{{ID: "t-3", Kind: ledger.Trade,
			Moves: slices.Repeat(append(oneBNB("alice", "bob"), oneBNB("bob", "alice")...), 3)}})))
		w.wants("post t-3: trade 1 BNB from alice to bob, 1 BNB from bob to alice, 1 BNB from alice to bob, 1 BNB " +
			"from bob to alice, 1 BNB from alice to bob, and 1 more")
		asked := store.Withdrawal{ID: "w-1", Account: "alice", Asset: bnb, Amount: 50000000, Address: "0x1"}
		testkit.Must(db.Withdraw(ctx, asked))(t)
		w.wants("withdrawal request w-1: withdrawal-request 0.5 BNB from alice to alice/held")
		ok(t, refusal(db.Post(ctx, []ledger.Entry{asked.Ending(ledger.WithdrawalCompleted)})))
		w.wants("withdrawal complete w-1/completed: withdrawal-completed 0.5 BNB from alice/held to @custody")
	})
}

// TestLogOfManyCallers: callers who share a commit have a line each, by themselves.
func TestLogOfManyCallers(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		errs := make(chan error)
		for i := range 50 {
			go func() {
				by := access.Process("test").In(fmt.Sprint("r-", i))
				outcomes, err := db.As(by).Post(t.Context(), []ledger.Entry{{ID: fmt.Sprint("d-", i), Kind: ledger.Deposit,
					Moves: oneBNB(ledger.Custody, "alice")}})
				errs <- refusal(outcomes, err)
			}()
		}
		for range 50 {
			ok(t, <-errs)
		}
		requests := map[string]string{}
		for _, l := range logged(t, db, "post") {
			requests[l.Subject] = l.Actor.Request
		}
		for i := range 50 {
			if requests[fmt.Sprint("d-", i)] != fmt.Sprint("r-", i) {
				t.Errorf("d-%d is logged as of %q", i, requests[fmt.Sprint("d-", i)])
			}
		}
	})
}
