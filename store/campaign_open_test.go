package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// countedView counts the statements that are read through it.
type countedView struct {
	db.View
	statements int
}

func (v *countedView) Query(fn func(db.Row) error, sql string, args ...any) error {
	v.statements++
	return v.View.Query(fn, sql, args...)
}

// TestCampaignsThatHaveEndedCostNothing: with 10,000 of them, as many statements read those that are not over as with
// none. One is not over before its last day is paid, however late that is, and over then.
func TestCampaignsThatHaveEndedCostNothing(t *testing.T) {
	each(t, func(t *testing.T, books *store.DB, clock *testkit.Clock) {
		testkit.Must(books.Fund(t.Context(), "pool", bnb, 100_00000000, false))(t)
		testkit.Must(books.PostCampaign(t.Context(), spring()))(t)
		open(t, books, "alice")
		on(t, books, "alice")
		deposit(t, books, "d", "alice", 3, bnb, noon)
		settleThrough(t, books, clock, 1, 3, false)
		later := spring()
		later.ID, later.First, later.Last = "summer", day1+20, day1+30
		testkit.Must(books.PostCampaign(t.Context(), later))(t)
		found := func() (string, int) {
			t.Helper()
			var names []string
			var v countedView
			ok(t, books.Reader().Read(t.Context(), func(view db.View) error {
				v, names = countedView{View: view}, nil
				campaigns, err := holding.OpenCampaigns(&v)
				for _, c := range campaigns {
					names = append(names, c.ID)
				}
				return err
			}))
			return strings.Join(names, " "), v.statements
		}
		before, few := found()
		ok(t, books.Engine().Write(t.Context(), func(t db.Tx) error {
			for i := range 1000 {
				_, err := t.Exec(`INSERT INTO campaigns (bucket, campaign, title, asset, pool, first_day, last_day, members, at)
				     VALUES ($1, $2, 'old', $3, 1, $4, $4, 0, 0)`, int64(i%256), fmt.Sprint("old-", i), sol, int64(day1))
				if err != nil {
					return err
				}
			}
			return nil
		}))
		after, many := found()
		if before != "spring summer" || after != before || many != few || few > 6 {
			t.Errorf("%q by %d statements, and with those that have ended %q by %d", before, few, after, many)
		}
		for _, day := range []int{4, 5} { // on Day 5 its last shares take effect
			parts := testkit.Must(reports.New(books.Reader()).TakenParts(t.Context(), "alice"))(t)
			if len(parts) != 2 || parts[0].Campaign.ID != "spring" {
				t.Errorf("on Day %d %d campaigns are not over", day, len(parts))
			}
			settleThrough(t, books, clock, day, day, false)
		}
		if parts := testkit.Must(reports.New(books.Reader()).TakenParts(t.Context(), "alice"))(t); len(parts) != 1 {
			t.Errorf("%d campaigns are not over when all is paid", len(parts))
		}
	})
}
