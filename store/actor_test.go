package store_test

import (
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestEntriesKeepTheirActor: who posted an entry, funded the pool and ran the day is found
// with the entry, also where callers share a commit; entries from before this are without.
func TestEntriesKeepTheirActor(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		back := access.Token{ID: "4fQx81LmZp0a", Role: access.Exchange, Parts: access.AllParts}.Actor()
		alice := access.Session{Email: "alice@example.com", Account: "alice"}.Actor().In("r-7")
		open(t, db, "alice")
		open(t, db, "bob")
		wants(t, failure(db.Custodian("r-1")), access.ErrForbidden) // the books of no demo
		kept, asKept := back, alice
		kept.Parts, asKept.Account = 0, ""
		ok(t, refusal(post(t, db.As(back.In("r-1")), oneMove("d-1", ledger.Deposit, ledger.Custody, "alice",
			10_00000000)), nil))
		testkit.Must(db.As(olga).Fund(ctx, "1", bnb, 100_00000000, false))(t)
		accept(t, db, "alice")
		on(t, db, "alice")
		both := make(chan error, 2)
		for id, by := range map[string]access.Actor{"alice/t-1": alice, "t-2": back} {
			go func() {
				outcomes, err := db.As(by).Post(ctx, []ledger.Entry{{ID: id, Kind: ledger.Transfer, Moves: oneBNB("alice", "bob")}})
				both <- refusal(outcomes, err)
			}()
		}
		ok(t, <-both)
		ok(t, <-both)
		ok(t, refusal(post(t, db, oneMove("old", ledger.Deposit, ledger.Custody, "alice", 1)), nil))
		testkit.Must(db.Exec(ctx, "UPDATE entries SET credential = '', role = '', request = '' WHERE entry = 'old'"))(t)
		clock.Set(3, "00:10")
		settle(t, db, clock)
		for id, by := range map[string]access.Actor{
			"d-1": kept.In("r-1"), "fund/1": olga, "alice/t-1": asKept, "t-2": kept, "old": {},
			"declare/2026-03-03/BNB": access.Process("test"), "reward/2026-03-03/BNB/alice": access.Process("test"),
		} {
			if p := testkit.Must(reports.New(db.Reader()).Posted(ctx, id))(t); p.Actor != by || p.ID != id ||
				p.PostedAt.Before(noon.Add(-time.Hour)) {
				t.Errorf("%s was posted by %+v at %s, want %+v", id, p.Actor, p.PostedAt, by)
			}
		}
	})
}
