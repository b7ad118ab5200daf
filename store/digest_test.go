package store_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// collision are two entries with one ID and one digest of version 1: 1 BNB for alice, and
// 64 times some SOL for mallory.
func collision(t *testing.T) (both [2]ledger.Entry) {
	t.Helper()
	ok(t, json.Unmarshal(testkit.Must(os.ReadFile("../ledger/testdata/collision.json"))(t), &both))
	return both
}

// TestACollisionIsAConflict: entries that the digest of version 1 could not distinguish are
// a conflict, in one call and in two, and in books of an older version.
func TestACollisionIsAConflict(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		open(t, db, "mallory")
		both := collision(t)
		wants(t, refusal(db.Post(t.Context(), both[:])), ledger.ErrConflict)
		wants(t, refusal(db.Post(t.Context(), both[1:])), ledger.ErrConflict)
		makeOld(t, db)
		ok(t, store.DigestAgain(t.Context(), db, 250_000))
		wants(t, refusal(db.Post(t.Context(), both[1:])), ledger.ErrConflict)
		if again := testkit.Must(db.Post(t.Context(), both[:1]))(t); again[0].Err != nil || !again[0].Repeated {
			t.Errorf("the entry itself is answered %+v", again[0])
		}
		clock.Set(3, "00:10")
		settle(t, db, clock)
		audited(t, db)
	})
}

// TestRepeats: what is a repeat of an entry and what is not, of one posted without a time
// and of one with.
func TestRepeats(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		deposit(t, db, "d", "alice", 10, bnb, time.Time{})
		without := ledger.Entry{ID: "t", Kind: ledger.Deposit, Moves: oneBNB(ledger.Custody, "alice")}
		with := without
		with.ID, with.At = "u", noon.Add(-time.Second)
		ok(t, refusal(db.Post(ctx, []ledger.Entry{without, with})))
		first, _, err := reports.New(db.Reader()).Entry(ctx, "t")
		ok(t, err)
		clock.Advance(time.Minute)
		dated, later, timeless := without, with, with
		dated.At, later.At, timeless.At = first.At, with.At.Add(time.Millisecond), time.Time{}
		other := without
		other.Moves = slices.Repeat(oneBNB(ledger.Custody, "alice"), 2)
		kind := with
		kind.Kind = ledger.Adjustment
		for name, c := range map[string]struct {
			entry ledger.Entry
			want  error
		}{
			"as it was": {without, nil}, "with its time": {dated, nil}, "of a time": {with, nil},
			"without the time it had": {timeless, nil},
			"with another time":       {later, ledger.ErrConflict}, "with a move more": {other, ledger.ErrConflict},
			"of another kind": {kind, ledger.ErrConflict},
		} {
			outcomes := testkit.Must(db.Post(ctx, []ledger.Entry{c.entry}))(t)
			if wants(t, outcomes[0].Err, c.want); c.want == nil && !outcomes[0].Repeated {
				t.Errorf("posted %s it is answered %+v", name, outcomes[0])
			}
		}
		repeatsOfAWithdrawal(t, db)
	})
}

// repeatsOfAWithdrawal: a request with another destination, or with none, is a conflict.
func repeatsOfAWithdrawal(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	w := store.Withdrawal{ID: "w", Account: "alice", Asset: bnb, Amount: 1_00000000, Address: "0x1", Network: "BSC",
		Tag: "7", ClientID: "mine"}
	testkit.Must(db.Withdraw(ctx, w))(t)
	if o := testkit.Must(db.Withdraw(ctx, w))(t); !o.Repeated {
		t.Errorf("the request again is answered %+v", o)
	}
	for _, change := range []func(*store.Withdrawal){
		func(w *store.Withdrawal) { w.Address = "0x2" }, func(w *store.Withdrawal) { w.Network = "" },
		func(w *store.Withdrawal) { w.Tag = "" }, func(w *store.Withdrawal) { w.ClientID = "yours" },
		func(w *store.Withdrawal) { w.Amount-- }, func(w *store.Withdrawal) { w.Asset = sol },
	} {
		other := w
		change(&other)
		_, err := db.Withdraw(ctx, other)
		wants(t, err, ledger.ErrConflict)
	}
	plain := ledger.Entry{ID: "w", Kind: ledger.WithdrawalRequest, Moves: oneBNB("alice", "alice/held")}
	wants(t, refusal(db.Post(ctx, []ledger.Entry{plain})), ledger.ErrConflict)
}

// rows are the rows of all entries, by ID.
func rows(t *testing.T, db *store.DB) map[string]audit.Entry {
	t.Helper()
	all := map[string]audit.Entry{}
	for bucket := range ledger.Buckets {
		ok(t, reports.AuditOf(db.Reader()).ReadBucket(t.Context(), bucket, func(b audit.Bucket) error {
			return b.Entries(func(e *audit.Entry) { all[e.ID] = *e })
		}))
	}
	return all
}

// makeOld gives all entries the digests that they had in older books.
func makeOld(t *testing.T, db *store.DB) {
	t.Helper()
	for id, e := range rows(t, db) {
		digest := ledger.FirstDigest(e.Leaves)
		testkit.Must(db.Exec(t.Context(), "UPDATE entries SET digest = $1, digest_version = 1, leaves = NULL, "+
			"destination = NULL WHERE entry = $2", digest[:], id))(t)
	}
}

// everyKind posts an entry of each kind there is, settles a day, and says how many entries.
func everyKind(t *testing.T, db *store.DB, clock *testkit.Clock) int {
	t.Helper()
	ctx := t.Context()
	open(t, db, "alice")
	open(t, db, "bob")
	outcomes, err := db.PostOpenings(ctx, []imports.Opening{{Account: "alice", Asset: bnb, Amount: 10_00000000}})
	ok(t, refusal(outcomes, err))
	outcomes, err = db.PostImport(ctx, "alice", []imports.Entry{
		{Name: "1", Kind: ledger.Import, At: noon.Add(-time.Hour),
			Changes: []imports.Change{{Asset: bnb, Amount: 5}, {Asset: sol, Amount: 6}, {Asset: bnb, Amount: -2}}},
		{Name: "2", Kind: ledger.RewardElsewhere, At: noon.Add(-time.Hour),
			Changes: []imports.Change{{Asset: bnb, Amount: 7}}},
	})
	ok(t, refusal(outcomes, err))
	testkit.Must(db.Fund(ctx, "1", bnb, 100_00000000, false))(t)
	on(t, db, "alice")
	testkit.Must(db.Withdraw(ctx, store.Withdrawal{ID: "w-1", Account: "alice", Asset: bnb, Amount: 1_00000000,
		Address: "0x1", Tag: "5"}))(t)
	held := ledger.Account("alice/held")
	entries := []ledger.Entry{
		{ID: "e-1", Kind: ledger.Deposit, Moves: oneBNB(ledger.Custody, "bob")},
		{ID: "e-2", Kind: ledger.Withdrawal, Moves: oneBNB("bob", ledger.Custody)},
		{ID: "e-3", Kind: ledger.Transfer, Moves: oneBNB("alice", "bob")},
		{ID: "e-4", Kind: ledger.Trade, Moves: append(oneBNB("alice", "bob"), oneBNB("bob", ledger.Desk)...)},
		{ID: "e-5", Kind: ledger.Hold, Moves: oneBNB("alice", held)},
		{ID: "e-6", Kind: ledger.Release, Moves: oneBNB(held, "alice")},
		{ID: "w-2", Kind: ledger.WithdrawalRequest, Moves: oneBNB("alice", held)},
		{ID: "w-1/completed", Kind: ledger.WithdrawalCompleted, Moves: oneBNB(held, ledger.Custody)},
		{ID: "w-2/cancelled", Kind: ledger.WithdrawalCancelled, Moves: oneBNB(held, "alice")},
	}
	ok(t, refusal(db.Post(ctx, entries)))
	testkit.Must(db.Adjust(ctx, ledger.Entry{ID: "e-7", Kind: ledger.Adjustment, Moves: oneBNB("bob", "alice")}, "why"))(t)
	clock.Set(3, "00:10")
	settle(t, db, clock)
	return len(entries) + 6
}

// TestDigestsOfOldBooks: entries of every kind come to digests of version 2 as if they had
// been posted with them; the audit then finds nothing, and each is a repeat of itself.
func TestDigestsOfOldBooks(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		n := everyKind(t, db, clock)
		before := rows(t, db)
		kinds := map[ledger.Kind]bool{}
		makeOld(t, db)
		ok(t, store.DigestAgain(t.Context(), db, 250_000))
		after := rows(t, db)
		if len(after) != n || len(before) != n {
			t.Fatalf("%d entries, %d before, want %d", len(after), len(before), n)
		}
		for id, e := range after {
			if fmt.Sprint(e) != fmt.Sprint(before[id]) || e.Version != ledger.DigestVersion {
				t.Errorf("%s is\n%+v, before\n%+v", id, e, before[id])
			}
			p, _, err := reports.New(db.Reader()).Entry(t.Context(), id)
			ok(t, err)
			kinds[p.Kind] = true
		}
		if len(kinds) != len(ledger.Kinds)+4 {
			t.Errorf("the test has only the kinds %v", slices.Sorted(maps.Keys(kinds)))
		}
		audited(t, db)
		clock.Set(3, "00:20")
		w := store.Withdrawal{ID: "w-1", Account: "alice", Asset: bnb, Amount: 1_00000000, Address: "0x1", Tag: "5"}
		if o := testkit.Must(db.Withdraw(t.Context(), w))(t); !o.Repeated {
			t.Errorf("the withdrawal again is %+v", o)
		}
		ok(t, store.DigestAgain(t.Context(), db, 250_000)) // there is nothing left to do
		audited(t, db)
	})
}

// TestTamperingBeforeTheUpgradeIsFound: a row that did not match its postings in older
// books keeps its digest of version 1. The audit reports it, and nothing is a repeat of it.
// The digests are the same on every database; so PostgreSQL sees some of them, or all if
// SOFTSTAKE_LONG is 1.
func TestTamperingBeforeTheUpgradeIsFound(t *testing.T) {
	for name, sql := range map[string]string{
		"amount": "UPDATE postings SET amount = amount * 2 WHERE entry = 'e-1'",
		"accounts": "UPDATE postings SET other = '@desk' WHERE entry = 'e-1' AND side = 1; UPDATE postings SET " +
			"account = '@desk' WHERE entry = 'e-1' AND side = 0",
		"kind":       "UPDATE postings SET kind = 'import' WHERE entry = 'e-1'",
		"time":       "UPDATE postings SET at = at + 1 WHERE entry = 'e-1'",
		"row's time": "UPDATE entries SET at = at + 1 WHERE entry = 'e-1'",
		"one side":   "DELETE FROM postings WHERE entry = 'e-1' AND side = 0",
		"a move":     "DELETE FROM postings WHERE entry = 'e-1'",
		"a move more": "INSERT INTO postings SELECT bucket, day, account, asset, at, entry, 1, side, amount, other, " +
			"kind FROM postings WHERE entry = 'e-1'",
		"number": "UPDATE postings SET move = 1 WHERE entry = 'e-1'",
		"digest": "UPDATE entries SET digest = (SELECT e.digest FROM entries e WHERE e.entry = 'e-2') WHERE " +
			"entry = 'e-1'",
		"no request": "UPDATE withdrawals SET id = 'w-3' WHERE id = 'w-1'",
	} {
		t.Run(name, func(t *testing.T) {
			play := eachOnce
			if slices.Contains([]string{"accounts", "a move more", "no request"}, name) {
				play = each
			}
			play(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
				everyKind(t, db, clock)
				makeOld(t, db)
				for _, statement := range strings.Split(sql, "; ") {
					testkit.Must(db.Exec(t.Context(), statement))(t)
				}
				ok(t, store.DigestAgain(t.Context(), db, 250_000))
				id := "e-1"
				if name == "no request" {
					id = "w-1"
				}
				for other, e := range rows(t, db) {
					if (e.Version == 1) != (other == id) {
						t.Errorf("%s has a digest of version %d", other, e.Version)
					}
				}
				found := auditOf(t, db, audit.Options{})
				if !slices.ContainsFunc(found.Findings, func(f audit.Finding) bool { return strings.Contains(f.What, id) }) {
					t.Errorf("the audit finds %v", found.Findings)
				}
				e := ledger.Entry{ID: "e-1", Kind: ledger.Deposit, Moves: oneBNB(ledger.Custody, "bob")}
				outcomes := testkit.Must(db.Post(t.Context(), []ledger.Entry{e}))(t)
				if (outcomes[0].Err != nil) != (id == "e-1") {
					t.Errorf("e-1 again is answered %+v", outcomes[0])
				}
			})
		})
	}
}

// TestManyDigests: the entries of a day that does not fit into memory are read part by part.
func TestManyDigests(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		var entries []ledger.Entry
		for i := range 1000 {
			entries = append(entries, ledger.Entry{ID: fmt.Sprintf("m-%d", i), Kind: ledger.Deposit,
				Moves: oneBNB(ledger.Custody, "alice")})
		}
		ok(t, refusal(db.Post(t.Context(), entries)))
		makeOld(t, db)
		ok(t, store.DigestAgain(t.Context(), db, 160))
		for id, e := range rows(t, db) {
			if e.Version != ledger.DigestVersion {
				t.Fatalf("%s has a digest of version %d", id, e.Version)
			}
		}
		clock.Set(2, "00:10")
		settle(t, db, clock)
		audited(t, db)
	})
}
