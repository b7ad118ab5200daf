package scenario

import (
	"errors"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestTheLargestSupply moves amounts at the edge of what fits: what is too much is
// refused as any other entry is, alone and together with others.
func TestTheLargestSupply(t *testing.T) {
	const most = ledger.MaxSupply - 1
	for _, kind := range Databases {
		t.Run(kind, func(t *testing.T) {
			clock := testkit.NewClock(Day1.Start())
			asset := ledger.Asset{Symbol: "HUGE", Scale: 0, MaxSupply: most}
			terms := staking.Terms{Asset: "HUGE", From: Day1, Offered: true, APR: 1<<30 - 1, Cap: most}
			db, err := store.Create(t.Context(), NewURL(t, kind, false),
				store.Options{Clock: clock.Now, Actor: access.Process("test"), Volatile: true},
				store.Setup{
					From: Day1, Documents: staking.ShippedDocuments(),
					Limits: staking.NoLimit,
					Tokens: []staking.Token{{Asset: asset, Terms: terms}},
				})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			})
			for _, a := range []ledger.Account{"alice", "beas"} { // of one bucket, and so with one row of @custody
				if _, err := db.OpenAccount(t.Context(), a, "DE"); err != nil {
					t.Fatal(err)
				}
			}
			deposit := func(id string, to ledger.Account, n ledger.Amount) ledger.Entry {
				return ledger.Entry{
					ID: id, Kind: ledger.Deposit,
					Moves: []ledger.Move{{From: ledger.Custody, To: to, Asset: "HUGE", Amount: n}},
				}
			}
			outcomes, err := db.Post(t.Context(), []ledger.Entry{deposit("all", "alice", most)})
			if err != nil || outcomes[0].Err != nil {
				t.Fatal(err, outcomes)
			}
			for _, e := range []ledger.Entry{
				deposit("as-much-again", "alice", most), deposit("one-more", "alice", 1),
				deposit("as-much-to-another", "beas", most), deposit("one-to-another", "beas", 1),
			} {
				outcomes, err := db.Post(t.Context(), []ledger.Entry{e})
				if err != nil || !errors.Is(outcomes[0].Err, ledger.ErrInvalid) {
					t.Errorf("%s: %v %v", e.ID, err, outcomes)
				}
			}
			Clean(t, db)
		})
	}
}
