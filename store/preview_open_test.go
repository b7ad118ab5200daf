package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// openOf is what the open day would pay of a token.
func openOf(t *testing.T, db *store.DB, asset string) reports.OpenPreview {
	t.Helper()
	for _, p := range testkit.Must(reports.New(db.Reader()).PreviewOpen(t.Context()))(t) {
		if p.Asset == asset {
			return p
		}
	}
	t.Fatalf("%s has no open day", asset)
	return reports.OpenPreview{}
}

// Where nothing moves until midnight, the open day pays what it would as it stands,
// with the rewards and carries of the days before it that are not paid yet.
func TestTheOpenDayPaysWhatItsPreviewSays(t *testing.T) {
	eachMeasure(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for i := range 9 {
			id := ledger.Account(fmt.Sprintf("user-%d", i))
			open(t, db, id)
			if i > 0 {
				on(t, db, id)
			}
			deposit(t, db, "d-"+string(id), id, int64(i*i*i*3+1), "BNB", noon) // up to above the cap
			deposit(t, db, "s-"+string(id), id, int64(i*7000+1), "SUI", noon)
		}
		clock.Set(2, "17:31")
		for i := range 9 {
			id := ledger.Account(fmt.Sprintf("user-%d", i))
			deposit(t, db, "e-"+string(id), id, int64(i+1), "BNB", testkit.Moment(2, "09:00").Add(1))
		}
		off(t, db, "user-5")
		p := openOf(t, db, "BNB")
		want := p
		want.Day, want.At, want.Holders, want.Missing = day1+1, clock.Now(), 7, p.Total
		want.Owed, want.Over, want.Partial = 0, "", false
		if same(t, "the open day", p, want); p.Total == 0 {
			t.Error("nobody earns on the open day")
		}
		testkit.Must(db.Fund(ctx, "f-1", "BNB", p.Total-1, false))(t)
		same(t, "what is missing", openOf(t, db, "BNB").Missing, 1)

		clock.Set(4, "12:00") // two days are over and not paid
		deposit(t, db, "later", "user-2", 100, "BNB", testkit.Moment(3, "06:00"))
		ok(t, db.SetLimit(ctx, staking.Limit{Asset: "BNB", MaxTotal: 1}))
		stands, sui := openOf(t, db, "BNB"), openOf(t, db, "SUI")
		if stands.First != day1 || stands.Partial || !strings.Contains(stands.Over, "is above 0.00000001") {
			t.Errorf("the open day is %+v", stands)
		}
		const written = "SELECT (SELECT count(*) FROM accruals) + (SELECT count(*) FROM closings)"
		if n := testkit.Must(db.Count(ctx, written))(t); n != 0 {
			t.Errorf("a preview has written %d rows", n)
		}
		ok(t, db.SetLimit(ctx, staking.Limit{Asset: "BNB"}))
		testkit.Must(db.Fund(ctx, "f-2", "BNB", stands.Missing, false))(t)
		testkit.Must(db.Fund(ctx, "f-3", "SUI", sui.Missing, false))(t)
		if openOf(t, db, "BNB").Missing != 0 {
			t.Error("what was missing is there, and still missing")
		}
		clock.Set(5, "00:05")
		if r := settle(t, db, clock); len(r.Waiting) != 0 {
			t.Errorf("%v waits", r.Waiting)
		}
		for _, want := range []reports.OpenPreview{stands, sui} {
			var got reports.DayTotal
			for _, total := range testkit.Must(reports.New(db.Reader()).DayTotals(ctx, day1+3, day1+3))(t) {
				if total.Asset == want.Asset {
					got = total
				}
			}
			same(t, want.Asset+" is paid", []int64{got.Holders, int64(got.Total)}, []int64{want.Holders, int64(want.Total)})
		}
		for _, pool := range testkit.Must(reports.New(db.Reader()).HouseBalances(ctx))(t) {
			if pool.Account == ledger.Rewards && pool.Sum.Sign() != 0 {
				t.Errorf("of %s %s are left; the missing amount was exact", pool.Asset, pool.Sum)
			}
		}
		if p := openOf(t, db, "BNB"); p.Before != stands.Total || !p.BeforeKnown || p.Day != day1+4 {
			t.Errorf("the day after is %+v", p)
		}
	})
}

// The days of a token that waits long are not all measured, which is said.
func TestTheOpenDayOfATokenThatWaitsLong(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		on(t, db, "alice")
		deposit(t, db, "d", "alice", 2, "BNB", noon)
		clock.Set(20, "00:05")
		settle(t, db, clock)
		p := openOf(t, db, "BNB")
		want := p
		want.Partial, want.First, want.Holders, want.Missing = true, day1+12, 1, p.Owed+p.Total
		if same(t, "the open day", p, want); p.Owed < 6*p.Total {
			t.Errorf("owed are %d, and a day is %d", p.Owed, p.Total)
		}
		if ada := openOf(t, db, "ADA"); ada.Partial || ada.First != day1+19 || ada.Holders != 0 {
			t.Errorf("a token that is paid says %+v", ada)
		}
	})
}
