package comparison_test

import (
	"slices"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// books are books with four tokens, from Day 1 on. What is SQL in comparisons is tried on both databases by store.
func books(t *testing.T, clock *testkit.Clock) *store.DB {
	t.Helper()
	o := store.Options{Clock: clock.Now, Actor: access.Process("test")}
	first := staking.DayOf(clock.Now())
	tokens := testkit.Must(staking.ShippedTokens(first))(t)
	tokens = slices.DeleteFunc(tokens, func(token staking.Token) bool {
		return !slices.Contains([]string{"ADA", "BNB", "SOL", "SUI"}, token.Asset.Symbol)
	})
	url := scenario.Books(t, "sqlite", o, store.Setup{From: first, Tokens: tokens, Regions: staking.ShippedRegions(),
		Documents: staking.ShippedDocuments(), Limits: staking.NoLimit})
	db := testkit.Must(store.Open(t.Context(), url, o))(t)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
