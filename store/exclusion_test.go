package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// day is a day of the books, from 1.
func day(n int) staking.Day { return day1 + staking.Day(n) - 1 }

// excluded is a request for days of the books; 0 for until is forever.
func excluded(id ledger.Account, asset, product string, from, until int) store.ExclusionRequest {
	x := staking.Exclusion{Account: id, Asset: asset, Product: product, From: day(from), Until: staking.Forever}
	if until > 0 {
		x.Until = day(until)
	}
	return store.ExclusionRequest{Exclusion: x}
}

// ended is a request to end a product's exclusions before a day.
func ended(id ledger.Account, asset, product string, until int) store.ExclusionRequest {
	r := excluded(id, asset, product, 0, until)
	r.End = true
	return r
}

// exclude asks for one row, which is taken.
func exclude(t *testing.T, db *store.DB, r store.ExclusionRequest) store.ExclusionOutcome {
	t.Helper()
	o := testkit.Must(db.Exclude(t.Context(), []store.ExclusionRequest{r}))(t)[0]
	ok(t, o.Err)
	return o
}

// exclusionStory: Launchpool has alice's BNB on Days 3 and 4, and everything of bob's from
// Day 4 on, until the operator ends that on Day 5. carol, whom no product has, leaves on Day 4,
// and dave is enrolled on Day 3, while he is excluded.
func exclusionStory(t *testing.T, db *store.DB, clock *testkit.Clock, late bool) {
	t.Helper()
	testkit.Must(db.Fund(t.Context(), "f", bnb, 100_00000000, false))(t)
	testkit.Must(db.Fund(t.Context(), "g", "SUI", 1_000_000_00000000, false))(t)
	for _, id := range []ledger.Account{"alice", "bob", "carol", "dave"} {
		open(t, db, id)
		if id != "dave" {
			on(t, db, id)
		}
		deposit(t, db, "b-"+string(id), id, 3, bnb, noon)
		deposit(t, db, "s-"+string(id), id, 7000, "SUI", noon)
	}
	if !late {
		settleThrough(t, db, clock, 1, 2, false)
	}
	clock.Set(3, "12:00")
	exclude(t, db, excluded("alice", bnb, "Launchpool", 3, 5))
	exclude(t, db, excluded("bob", "", "Auto-Subscribe", 4, 0))
	exclude(t, db, excluded("dave", bnb, "Launchpool", 3, 6))
	on(t, db, "dave")
	if !late {
		settleThrough(t, db, clock, 3, 3, false)
	}
	clock.Set(4, "12:00")
	off(t, db, "carol")
	if !late {
		settleThrough(t, db, clock, 4, 4, false)
	}
	clock.Set(5, "12:00")
	exclude(t, db, ended("bob", "", "Auto-Subscribe", 6))
	settleThrough(t, db, clock, 5, 6, late)
}

// measuredDays are the days of the books on which accounts have accruals of a token.
func measuredDays(t *testing.T, db *store.DB, asset string) map[ledger.Account]string {
	t.Helper()
	found := map[ledger.Account]string{}
	for _, id := range []ledger.Account{"alice", "bob", "carol", "dave"} {
		asked := reports.RewardsAsked{From: day1, To: day1 + 100, Asset: asset}
		for _, r := range testkit.Must(reports.New(db.Reader()).RewardPage(t.Context(), id, asked, nil, 100))(t) {
			found[id] += fmt.Sprint(int(r.Day-day1) + 1)
		}
	}
	return found
}

// TestExcludedDaysAreNotMeasured: whole days, of the token alone or of all; a late run pays
// what punctual ones pay.
func TestExcludedDaysAreNotMeasured(t *testing.T) {
	books := map[bool]map[ledger.Account]map[int]ledger.Amount{}
	for _, late := range []bool{false, true} {
		each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
			exclusionStory(t, db, clock, late)
			same(t, "days of BNB", measuredDays(t, db, bnb),
				map[ledger.Account]string{"alice": "256", "bob": "236", "carol": "23", "dave": "6"})
			same(t, "days of SUI", measuredDays(t, db, "SUI"),
				map[ledger.Account]string{"alice": "23456", "bob": "236", "carol": "23", "dave": "456"})
			audited(t, db)
			paid := map[ledger.Account]map[int]ledger.Amount{}
			for _, id := range []ledger.Account{"alice", "bob", "carol", "dave"} {
				paid[id] = paidTo(t, db, id)
			}
			if books[late] == nil {
				books[late] = paid
			}
			same(t, "as on the other database", paid, books[late])
		})
	}
	same(t, "late", books[true], books[false])
}

// TestPreviewsLeaveOutWhatIsExcluded: a preview says what the run pays, before the day is over
// and after it.
func TestPreviewsLeaveOutWhatIsExcluded(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		exclusionStory(t, db, clock, false)
		clock.Set(7, "12:00")
		was := openOf(t, db, bnb)
		exclude(t, db, excluded("alice", bnb, "Launchpool", 7, 0))
		exclude(t, db, excluded("dave", "", "Locked", 7, 0))
		stands := openOf(t, db, bnb)
		if was.Holders != 3 || stands.Holders != 1 || stands.Total == 0 || stands.Total >= was.Total {
			t.Errorf("before %+v, then %+v", was.Previewed, stands.Previewed)
		}
		delisted := testkit.Must(reports.New(db.Reader()).PreviewDelisting(t.Context(), bnb, day(7)))(t)
		if delisted.Holders() != 1 {
			t.Errorf("delisting it would affect %+v", delisted)
		}
		clock.Set(8, "00:01")
		for _, p := range testkit.Must(reports.New(db.Reader()).Preview(t.Context()))(t) {
			if p.Asset == bnb && (p.Day != day(7) || p.Total != stands.Total || p.Holders != 1) {
				t.Errorf("the day that is over: %+v", p)
			}
		}
		settleThrough(t, db, clock, 7, 7, false)
		for _, total := range testkit.Must(reports.New(db.Reader()).DayTotals(t.Context(), day(7), day(7)))(t) {
			if total.Asset == bnb && (total.Total != stands.Total || total.Holders != 1) {
				t.Errorf("the run paid %+v", total)
			}
		}
		audited(t, db)
	})
}

// TestExclusionsInTheModeShare: an excluded day weighs nothing, and the share of days before
// comes on it all the same.
func TestExclusionsInTheModeShare(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		shareMode(t, db)
		for _, id := range []ledger.Account{"alice", "bob"} {
			open(t, db, id)
			on(t, db, id)
			deposit(t, db, "d-"+string(id), id, 2, bnb, noon)
		}
		settleThrough(t, db, clock, 1, 2, false)
		clock.Set(3, "12:00")
		exclude(t, db, excluded("alice", bnb, "Launchpool", 3, 0))
		settleThrough(t, db, clock, 3, 3, false)
		clock.Set(4, "12:00")
		enter(t, db, "e1", 2, 3, 1000) // 700 net: alice weighs one day, bob two
		settleThrough(t, db, clock, 4, 4, false)
		same(t, "alice's", paidTo(t, db, "alice"), map[int]ledger.Amount{4: 233})
		same(t, "bob's", paidTo(t, db, "bob"), map[int]ledger.Amount{4: 466})
		audited(t, db)
	})
}

// TestExclusionsAreExplained: each place that says why names the product.
func TestExclusionsAreExplained(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		exclusionStory(t, db, clock, false)
		clock.Set(7, "12:00")
		exclude(t, db, excluded("alice", bnb, "Launchpool", 7, 8))
		why := func(id ledger.Account, asset string, n int, want reports.Why, product string) {
			t.Helper()
			e := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), id, day(n), asset))(t)
			if e.Why != want || e.Excluded != product ||
				want == reports.WhyExcluded && !strings.Contains(e.Reason, product+" has it") {
				t.Errorf("%s of %s on Day %d: %q, %q: %s", asset, id, n, e.Why, e.Excluded, e.Reason)
			}
			if product != "" && e.Earned {
				t.Errorf("%s of %s on Day %d is earned", asset, id, n)
			}
		}
		why("alice", bnb, 4, reports.WhyExcluded, "Launchpool")
		why("alice", bnb, 7, reports.WhyExcluded, "Launchpool")
		why("alice", "SUI", 4, "", "")
		why("alice", bnb, 5, "", "")
		why("bob", "SUI", 5, reports.WhyExcluded, "Auto-Subscribe")
		why("bob", "SUI", 6, "", "")
		why("dave", bnb, 3, reports.WhyNotOn, "Launchpool") // also: his first day was the day after
		h := holder(t, db, "alice", reports.Accruals|reports.Offer)
		for _, o := range h.Tokens {
			if want := o.Terms.Asset == bnb; (o.Excluded == "Launchpool") != want || want && (o.Counting != 0 || o.Reached) ||
				o.Terms.Asset == "SUI" && (o.Counting == 0 || !o.Reached) {
				t.Errorf("alice's %s: excluded by %q, %d count, reached %t", o.Terms.Asset, o.Excluded, o.Counting, o.Reached)
			}
		}
		p := testkit.Must(reports.New(db.Reader()).Propose(t.Context(), "alice", day(4), bnb, nil))(t)
		if p.Earned || p.Difference != 0 {
			t.Errorf("proposed for a day that is excluded: %+v", p)
		}
	})
}

// TestPendingRewardsOfExcludedDays: days that are excluded are not pending.
func TestPendingRewardsOfExcludedDays(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		on(t, db, "alice")
		deposit(t, db, "d", "alice", 3, bnb, noon)
		clock.Set(2, "12:00")
		exclude(t, db, excluded("alice", bnb, "Launchpool", 2, 4))
		clock.Set(4, "12:00") // Day 2 and 3 are excluded
		if h := holder(t, db, "alice", reports.LastDay|reports.Accruals); len(h.Pending) != 0 {
			t.Errorf("pending are %+v", h.Pending)
		}
		clock.Set(6, "12:00")
		h := holder(t, db, "alice", reports.LastDay|reports.Accruals)
		if len(h.Pending) != 1 || h.Pending[0].Day != day(4) || h.Pending[0].Days != 2 {
			t.Errorf("pending are %+v", h.Pending)
		}
	})
}

func TestExclude(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		for _, id := range []ledger.Account{"alice", "bob"} {
			open(t, db, id)
		}
		ok(t, db.CloseAccount(t.Context(), "bob"))
		clock.Set(3, "12:00")
		db = db.As(olga)
		first, again := exclude(t, db, excluded("alice", bnb, "Launchpool", 3, 9)),
			exclude(t, db, excluded("alice", bnb, "Launchpool", 4, 9))
		if first.Repeated || !again.Repeated || again.Exclusion.From != day(3) {
			t.Errorf("%+v, then %+v", first, again)
		}
		today := excluded("alice", "", "Locked", 0, 0)
		today.From, today.Until = 0, 0
		if o := exclude(t, db, today); o.Exclusion.From != day(3) || o.Exclusion.Until != staking.Forever {
			t.Errorf("without days: %+v", o.Exclusion)
		}
		today.End = true
		if o := exclude(t, db, today); o.Exclusion.Until != day(4) || o.Repeated {
			t.Errorf("ended without a day: %+v", o)
		}
		if o := exclude(t, db, today); !o.Repeated {
			t.Errorf("ended again: %+v", o)
		}
		for _, c := range []struct {
			r    store.ExclusionRequest
			want error
		}{
			{excluded("alice", bnb, "Launchpool", 2, 9), ledger.ErrInvalid},
			{excluded("alice", "DOT", "Launchpool", 3, 9), ledger.ErrNotFound},
			{excluded("nobody", bnb, "Launchpool", 3, 9), ledger.ErrNotFound},
			{excluded("bob", bnb, "Launchpool", 3, 9), ledger.ErrInvalid},
			{excluded("@rewards", bnb, "Launchpool", 3, 9), ledger.ErrInvalid},
			{ended("alice", bnb, "Launchpool", 2), ledger.ErrInvalid},
			{ended("nobody", bnb, "Launchpool", 4), ledger.ErrNotFound},
		} {
			wants(t, testkit.Must(db.Exclude(t.Context(), []store.ExclusionRequest{c.r}))(t)[0].Err, c.want)
		}
		var lines []string
		for _, l := range logged(t, db, "exclude add", "exclude end") {
			lines = append(lines, l.Actor.Credential+" "+l.Action+" "+l.Subject+" "+l.Detail)
		}
		// The log is in the order of its keys within a millisecond.
		want := []string{
			"operator olga exclude add alice BNB of Launchpool, from " + day(3).String() + " until " + day(9).String(),
			"operator olga exclude add alice every token of Locked, from " + day(3).String() + " forever",
			"operator olga exclude end alice every token of Locked, from " + day(3).String() + " until " + day(4).String() +
				"; it was forever",
		}
		same(t, "the log", lines, want)
	})
}

// TestExcludeBatch: rows are taken or refused by themselves, as if they came one by one, and a
// batch may be sent again.
func TestExcludeBatch(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		rows := []store.ExclusionRequest{excluded("nobody", bnb, "Launchpool", 1, 0)}
		for i := range 20 {
			id := ledger.Account(fmt.Sprintf("user-%d", i))
			open(t, db, id)
			rows = append(rows, excluded(id, bnb, "Launchpool", 1, 0), ended(id, bnb, "Launchpool", 4),
				excluded(id, bnb, "Launchpool", 3, 6))
		}
		for range 2 {
			outcomes := testkit.Must(db.Exclude(t.Context(), rows))(t)
			wants(t, outcomes[0].Err, ledger.ErrNotFound)
			for _, o := range outcomes[1:] {
				ok(t, o.Err)
			}
			clock.Set(1, "13:00")
		}
		r := reports.New(db.Reader())
		var all []reports.Exclusion
		for last := (reports.Exclusion{}); ; {
			page := testkit.Must(r.Exclusions(t.Context(), reports.ExclusionsAsked{}, last, 7))(t)
			if len(page) == 0 {
				break
			}
			last = page[len(page)-1]
			all = append(all, page...)
		}
		if len(all) != 40 {
			t.Errorf("%d exclusions are listed", len(all))
		}
		own := testkit.Must(r.Exclusions(t.Context(), reports.ExclusionsAsked{Account: "user-7"}, reports.Exclusion{}, 9))(t)
		var got []staking.Exclusion
		for _, x := range own {
			got = append(got, x.Exclusion)
		}
		want := []staking.Exclusion{
			excluded("user-7", bnb, "Launchpool", 1, 4).Exclusion, excluded("user-7", bnb, "Launchpool", 3, 6).Exclusion,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		asked := reports.ExclusionsAsked{Account: "user-7", Ending: day(4)}
		if left := testkit.Must(r.Exclusions(t.Context(), asked, reports.Exclusion{}, 9))(t); len(left) != 1 {
			t.Errorf("of Day 4 and later: %+v", left)
		}
		if report := auditOf(t, db, audit.Options{}); report.Total != 0 {
			t.Errorf("the audit finds %v", report.Findings)
		}
	})
}

// TestExcludeAtTheSameTime: of two processes that exclude the same accounts one adds them, in
// whatever order they name them.
func TestExcludeAtTheSameTime(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		var rows []store.ExclusionRequest
		for i := range 30 {
			id := ledger.Account(fmt.Sprintf("user-%d", i))
			open(t, one, id)
			rows = append(rows, excluded(id, bnb, "Launchpool", 1, 5))
		}
		back := slices.Clone(rows)
		slices.Reverse(back)
		added := make(chan int, 2)
		for db, rows := range map[*store.DB][]store.ExclusionRequest{one: rows, two: back} {
			go func() {
				n := 0
				outcomes, err := db.Exclude(t.Context(), rows)
				for _, o := range outcomes {
					if o.Err == nil && !o.Repeated {
						n++
					}
				}
				if err != nil {
					t.Error(err)
				}
				added <- n
			}()
		}
		if n := <-added + <-added; n != len(rows) {
			t.Errorf("%d were added", n)
		}
		if lines := logged(t, one, "exclude add"); len(lines) != len(rows) {
			t.Errorf("%d lines of the log", len(lines))
		}
	})
}
