package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// A database that goes away is the caller's error, and not a caller that waits forever.
func TestPostReportsThatTheDatabaseWentAway(t *testing.T) {
	server := pgtest.New(t)
	url, err := server.NewDatabase(t.Context(), "gone")
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return staking.Day(20000).Start().Add(time.Hour) }
	tokens, err := staking.ShippedTokens(20000)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Create(t.Context(), url, store.Options{Clock: clock, Actor: access.Process("test")},
		store.Setup{From: 20000, Tokens: tokens, Documents: staking.ShippedDocuments(),
			Limits: staking.NoLimit})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.OpenAccount(t.Context(), "alice", "DE"); err != nil {
		t.Fatal(err)
	}
	if err := server.StopNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	deposit := []ledger.Entry{{ID: "d", Kind: ledger.Deposit,
		Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 1}}}}
	if _, err := db.Post(t.Context(), deposit); err == nil || !strings.Contains(err.Error(), "post 1 entries") {
		t.Fatalf("Post on a stopped database said %v", err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	outcomes, err := db.Post(t.Context(), deposit)
	if err != nil || outcomes[0].Err != nil {
		t.Fatalf("Post after the restart: %v, %v", err, outcomes)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
