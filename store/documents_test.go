package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// A new version must be accepted before the next activation; it does not stop a running one.
func TestNewVersionsAreAcceptedBeforeTheNextActivation(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		on(t, db, "alice")
		clock.Set(2, "09:00")
		d := testkit.Must(db.Documents().Publish(ctx, staking.RiskWarning, "Prices fall."))(t)
		if again := testkit.Must(db.Documents().Publish(ctx, staking.RiskWarning, "Prices fall."))(t); d.Version != 2 ||
			again != d || !d.Published.Equal(clock.Now()) {
			t.Errorf("published are %+v and %+v", d, again)
		}
		on(t, db, "alice")
		off(t, db, "alice")
		_, err := db.Enroll(ctx, "alice", staking.Client{}, time.Time{})
		wants(t, err, staking.ErrDocuments)
		ok(t, db.Documents().Accept(ctx, "alice", staking.RiskWarning, 1, staking.Client{}))
		_, err = db.Enroll(ctx, "alice", staking.Client{}, time.Time{})
		wants(t, err, staking.ErrDocuments)
		ok(t, db.Documents().Accept(ctx, "alice", staking.RiskWarning, 2, staking.Client{}))
		on(t, db, "alice")

		documents := testkit.Must(reports.New(db.Reader()).Documents(ctx))(t)
		names := make([]string, len(documents))
		for i, d := range documents {
			names[i] = d.Name
		}
		if want := []string{staking.TermsOfUse, staking.SoftStakingTerms, staking.RiskWarning,
			staking.RiskWarning}; !slices.Equal(names, want) || documents[3].Version != 2 {
			t.Errorf("the documents are %v", names)
		}
		back := testkit.Must(db.Documents().Publish(ctx, staking.RiskWarning,
			staking.ShippedDocuments()[staking.RiskWarning]))(t)
		if back.Version != 3 {
			t.Errorf("a text of before, published again, is version %d", back.Version)
		}
		for name, text := range map[string]string{"cookies": "x", staking.TermsOfUse: " ", staking.RiskWarning: "\xff"} {
			_, err := db.Documents().Publish(ctx, name, text)
			wants(t, err, ledger.ErrInvalid)
		}
		_, err = db.Documents().Publish(ctx, staking.TermsOfUse, strings.Repeat("x", 1<<20+1))
		wants(t, err, ledger.ErrInvalid)
	})
}

// Who accepted which version, when, from which client and address is kept.
func TestAcceptancesAreKeptAsTheFirstTime(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		testkit.Must(db.OpenAccount(ctx, "alice", "DE"))(t)
		ok(t, db.Documents().Accept(ctx, "alice", staking.TermsOfUse, 0,
			staking.Client{Platform: "ios", Version: "3.1.0", Address: "192.0.2.7", Country: "de"}))
		clock.Set(2, "09:00")
		ok(t, db.Documents().Accept(ctx, "alice", staking.TermsOfUse, 1, staking.Client{Platform: "web"}))
		want := []reports.Acceptance{{Document: staking.TermsOfUse, Version: 1, At: noon, Client: "ios 3.1.0",
			Address: "192.0.2.7 DE"}}
		if got := testkit.Must(reports.New(db.Reader()).Acceptances(ctx, "alice"))(t); !slices.Equal(got, want) {
			t.Errorf("kept is %v", got)
		}
		wants(t, db.Documents().Accept(ctx, "alice", staking.TermsOfUse, 2, staking.Client{}), ledger.ErrNotFound)
		wants(t, db.Documents().Accept(ctx, "alice", staking.TermsOfUse, -1, staking.Client{}), ledger.ErrNotFound)
		wants(t, db.Documents().Accept(ctx, "alice", "cookies", 0, staking.Client{}), ledger.ErrNotFound)
		wants(t, db.Documents().Accept(ctx, "bob", staking.TermsOfUse, 1, staking.Client{}), ledger.ErrNotFound)
		wants(t, db.Documents().Accept(ctx, "alice", staking.TermsOfUse, 1,
			staking.Client{Address: "a\nb"}), ledger.ErrInvalid)
		_, err := reports.New(db.Reader()).Acceptances(ctx, "bob")
		wants(t, err, ledger.ErrNotFound)
	})
}
