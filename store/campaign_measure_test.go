package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// still is the campaign spring for those who keep it still: by the smallest balance of a day.
func still() staking.Campaign {
	c, lowest := spring(), staking.Lowest
	c.Measure = &lowest
	return c
}

// stillStory: BNB is measured by its average, with a minimum of 4 and a cap of 10 for an owner's accounts together
// (perOwner). On Day 2 alice takes out 2 of 6, dave 9 of 12, and erin, who had nothing, gets 8. late runs all days in
// one go.
func stillStory(t *testing.T, db *store.DB, clock *testkit.Clock, late bool) {
	t.Helper()
	perOwner(t, db)
	testkit.Must(db.PostCampaign(t.Context(), still()))(t)
	for _, a := range []struct {
		id     ledger.Account
		owner  string
		tokens int64
	}{{"alice", "c-7", 6}, {"alice-sub", "c-7", 9}, {"dave", "", 12}, {"erin", "", 0}} {
		testkit.Must(db.OpenOwned(t.Context(), a.id, "DE", a.owner))(t)
		accept(t, db, a.id)
		on(t, db, a.id)
		if a.tokens > 0 {
			deposit(t, db, "d-"+string(a.id), a.id, a.tokens, bnb, noon)
		}
	}
	if !late {
		settleThrough(t, db, clock, 1, 1, false)
	}
	clock.Set(2, "12:00")
	ok(t, refusal(post(t, db, oneMove("w-alice", ledger.Withdrawal, "alice", ledger.Custody, 20)), nil))
	ok(t, refusal(post(t, db, oneMove("w-dave", ledger.Withdrawal, "dave", ledger.Custody, 90)), nil))
	deposit(t, db, "d-erin", "erin", 8, bnb, clock.Now())
	settleThrough(t, db, clock, 1, 5, late)
}

// TestCampaignByTheSmallestBalance: on Day 2 alice and alice-sub had 4 and 9 at their smallest, more than the cap
// together; dave had 3, less than the minimum, and erin nothing, though both earned with BNB by their average. A late
// run pays the same.
func TestCampaignByTheSmallestBalance(t *testing.T) {
	for _, late := range []bool{false, true} {
		each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
			stillStory(t, db, clock, late)
			want := map[ledger.Account]map[int]ledger.Amount{
				"alice": {3: 102, 4: 57, 5: 57}, "alice-sub": {3: 230, 4: 128, 5: 129}, "dave": {}, "erin": {4: 148, 5: 148}}
			for id, rewards := range want {
				if diff := cmp.Diff(rewards, paidIn(t, db, id, sol)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", id, diff)
				}
			}
			for id, average := range map[ledger.Account]ledger.Amount{"alice": coins(50), "dave": coins(75), "erin": coins(40)} {
				e := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), id, day1+1, bnb))(t)
				same(t, "the average of "+string(id), e.Measured.Average, average)
			}
			e := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), "alice", day1+2, sol))(t)
			share := e.Paper().Shares[0]
			same(t, "what weighs of alice", share.Days[0].Eligible, 3_07692307) // 4 of 13 of the cap
			same(t, "her share", share.Exact.Units, 102)
			audited(t, db)
		})
	}
}

// eligibleRows is how many rows there are of what is eligible by the other measure.
func eligibleRows(t *testing.T, books *store.DB) (n int64) {
	t.Helper()
	ok(t, books.Engine().Read(t.Context(), func(t db.View) (err error) {
		n, err = db.Count(t, "SELECT count(*) FROM campaign_eligible")
		return err
	}))
	return n
}

// TestCampaignOfACorrectedMeasure: a day that waits for funds is weighed again, when its terms take the measure of the
// campaign, and when they leave it again.
func TestCampaignOfACorrectedMeasure(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		testkit.Must(db.PostCampaign(t.Context(), still()))(t)
		for id, tokens := range map[ledger.Account]int64{"alice": 4, "bob": 2} {
			open(t, db, id)
			on(t, db, id)
			deposit(t, db, "d-"+string(id), id, tokens, bnb, noon)
		}
		clock.Set(2, "12:00")
		ok(t, refusal(post(t, db, oneMove("w", ledger.Withdrawal, "alice", ledger.Custody, 20)), nil))
		clock.Set(3, "00:10")
		settle(t, db, clock) // it waits for funds
		same(t, "rows by the average of the terms", eligibleRows(t, db), 2)
		for _, measure := range []staking.Measure{staking.Lowest, staking.Average} {
			for _, terms := range testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), day1+1))(t) {
				if terms.Asset == bnb {
					terms.Measure = measure
					ok(t, db.CorrectTerms(t.Context(), day1+1, terms, "as announced"))
				}
			}
			same(t, "rows after a correction", eligibleRows(t, db), 0)
			settle(t, db, clock)
			want := map[staking.Measure]int64{staking.Lowest: 0, staking.Average: 2}[measure]
			same(t, "rows by "+measure.String(), eligibleRows(t, db), want)
		}
		testkit.Must(db.Fund(t.Context(), "f", bnb, coins(100), false))(t)
		settleThrough(t, db, clock, 3, 5, false)
		same(t, "alice has, of 2 and 2", earned(t, db, "alice", sol), 500)
		audited(t, db)
	})
}

// TestCampaignMeasureChangedByHand: the audit finds each.
func TestCampaignMeasureChangedByHand(t *testing.T) {
	url := "sqlite:" + t.TempDir() + "/books.db"
	clock := testkit.NewClock(noon)
	db := testkit.Must(store.Create(t.Context(), url, options(clock), shipped(t, day1)))(t)
	closeAfter(t, db)
	stillStory(t, db, clock, false)
	byHand := handOf(t, url)
	byHand.keep(t)
	wantClean(t, auditOf(t, db, audit.Options{}))
	for _, c := range []struct{ sql, want string }{
		{"UPDATE campaigns SET measure = 0", "has another hash than the rows of its campaign"},
		{"UPDATE campaigns SET measure = -1", "has another hash than the rows of its campaign"},
		{"UPDATE campaign_eligible SET eligible = eligible + 1", "by the measure daily-minimum: eligible is"},
		{"UPDATE campaign_eligible SET eligible_rest = 7", "the eligible rest is 7"},
		{"UPDATE campaign_eligible SET average = average + 1", "what is measured is"},
		{"UPDATE campaign_eligible SET rest = 1", "its rest is 1"},
		{"DELETE FROM campaign_eligible WHERE account = 'alice'", "has no row of what is eligible in campaigns"},
		{"UPDATE campaign_eligible SET account = 'dave', bucket = (SELECT bucket FROM accounts WHERE account = 'dave') " +
			"WHERE account = 'alice' AND day = (SELECT min(day) FROM campaign_eligible)", "and nothing is"},
		{"UPDATE campaign_eligible SET asset = 'TON'", "and nothing is"},
		{"UPDATE campaign_eligible SET day = day - 100 WHERE account = 'alice'", "of days or accounts that it does not have"},
		{"UPDATE campaign_owner_sums SET integral = integral || '0'", "is not the sum of what their accounts held"},
		{"UPDATE campaign_owner_sums SET accounts = 1", "is not the sum of what their accounts held"},
		{"DELETE FROM campaign_owner_sums", "is written of 0, and counted of 1"},
		{"UPDATE groupings SET others = 0", "is written of 1, and counted of 0"},
		{"UPDATE campaign_weights SET weight = '7'", "has a weight of 7 in the campaign"},
		{"UPDATE terms SET measure = 1 WHERE asset = 'BNB'", "average is"},
	} {
		byHand(t, c.sql)
		r := auditOf(t, db, audit.Options{})
		byHand.restore(t, c.sql)
		if !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return strings.Contains(f.String(), c.want) }) {
			t.Errorf("%s: not found: %s; found: %v", c.sql, c.want, r.Findings)
		}
	}
	wantClean(t, auditOf(t, db, audit.Options{}))
}
