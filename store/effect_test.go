package store_test

import (
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestAPreviewOfAnyWorth says what many holders have together, which may be more than one
// of them can have: the figure that warns an operator is there where it is the largest.
func TestAPreviewOfAnyWorth(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		residents(t, db, map[ledger.Account]staking.Region{"alice": "FR", "bob": "FR-75"})
		testkit.Must(db.Prices().Set(t.Context(),
			[]pricing.Price{{Asset: "BNB", Day: day1, Price: 90_000_000_000_00000000}}))(t)
		for _, e := range []reports.Effect{
			testkit.Must(reports.New(db.Reader()).PreviewRegion(t.Context(), "FR", 0))(t),
			testkit.Must(reports.New(db.Reader()).PreviewDelisting(t.Context(), "BNB", day1+1))(t),
		} {
			if e.USDT.String() != "36000000000000000000" || len(e.Tokens) != 1 || e.Tokens[0].USDT.Cmp(e.USDT) != 0 {
				t.Errorf("4 BNB are worth %s, by token %+v", e.USDT, e.Tokens)
			}
		}
	})
}
