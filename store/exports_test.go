package store_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// bookkeeping are days of some holders: 5,000 small deposits of one, so that an
// export has several pages of one bucket, which end behind what other buckets begin
// with, and rewards of all, two days of them paid.
func bookkeeping(t *testing.T, db *store.DB, clock *testkit.Clock) []ledger.Account {
	t.Helper()
	var accounts []ledger.Account
	for n := range 20 {
		id := ledger.Account(fmt.Sprint("holder-", n))
		accounts = append(accounts, id)
		open(t, db, id)
		on(t, db, id)
		deposit(t, db, "d-"+string(id), id, int64(100+n), "BNB", time.Time{})
		deposit(t, db, "s-"+string(id), id, int64(10+n), "SOL", time.Time{})
	}
	ok(t, db.Documents().Accept(t.Context(), accounts[0], staking.RiskWarning, 1, staking.Client{}))
	var busy []ledger.Entry
	for n := range 5000 {
		busy = append(busy, ledger.Entry{ID: fmt.Sprint("z-", n), Kind: ledger.Deposit,
			Moves: []ledger.Move{{From: ledger.Custody, To: accounts[0], Asset: "ADA", Amount: ledger.Amount(n + 1)}}})
	}
	ok(t, refusal(db.Post(t.Context(), busy)))
	fund(t, db, "BNB", 100)
	fund(t, db, "SOL", 100)
	testkit.Must(db.Prices().Set(t.Context(), []pricing.Price{{Asset: "BNB", Day: day1, Price: 600_00000000}}))(t)
	for day := 3; day <= 4; day++ {
		clock.Set(day, "00:06")
		settle(t, db, clock)
	}
	return accounts
}

func TestExportJournal(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		bookkeeping(t, db, clock)
		var whole, exported []ledger.Posting
		ok(t, reports.New(db.Reader()).Journal(t.Context(),
			func(p ledger.Posting) error { whole = append(whole, p); return nil }))
		from := day1
		export := func(from, to staking.Day) (lines []ledger.Posting) {
			ok(t, reports.New(db.Reader()).ExportJournal(t.Context(), from, to,
				func(p ledger.Posting) error { lines = append(lines, p); return nil }))
			return lines
		}
		exported = export(from, day1+100)
		days := func(a, b ledger.Posting) int { return cmp.Compare(staking.DayOf(a.At), staking.DayOf(b.At)) }
		if !slices.IsSortedFunc(exported, days) {
			t.Error("the days do not follow one another")
		}
		sum := map[string]ledger.Amount{}
		for _, p := range exported {
			sum[p.Asset] += p.Amount
		}
		for asset, n := range sum {
			if n != 0 {
				t.Errorf("the lines of %s sum to %d", asset, n)
			}
		}
		inOrder(whole)
		inOrder(exported)
		if len(exported) < 10_000 || !slices.Equal(whole, exported) {
			t.Errorf("%d lines are exported of %d, or others", len(exported), len(whole))
		}
		part := export(day1+2, day1+2)
		if len(part) == 0 || slices.ContainsFunc(part, func(p ledger.Posting) bool { return staking.DayOf(p.At) != day1+2 }) {
			t.Errorf("of Day 3 alone: %d lines, or some of another day", len(part))
		}
		away := errors.New("the client went away")
		n := 0
		err := reports.New(db.Reader()).ExportJournal(t.Context(), day1, day1+100,
			func(ledger.Posting) error { n++; return away })
		if n != 1 || !errors.Is(err, away) {
			t.Errorf("after the client went away: %d more lines, %v", n-1, err)
		}
	})
}

func inOrder(lines []ledger.Posting) {
	slices.SortFunc(lines, func(a, b ledger.Posting) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Entry, b.Entry), cmp.Compare(a.Move, b.Move),
			cmp.Compare(a.Side, b.Side))
	})
}

func TestExportRewards(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		accounts := bookkeeping(t, db, clock)
		var wanted, exported []reports.Reward
		for _, id := range accounts {
			ok(t, reports.New(db.Reader()).Rewards(t.Context(), id, day1, day1+100,
				func(r reports.Reward) error { wanted = append(wanted, r); return nil }))
		}
		ok(t, reports.New(db.Reader()).ExportRewards(t.Context(), day1, day1+100,
			func(r reports.Reward) error { exported = append(exported, r); return nil }))
		byDay := func(a, b reports.Reward) int {
			return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Account.Bucket(), b.Account.Bucket()),
				cmp.Compare(a.Account, b.Account), cmp.Compare(a.Asset, b.Asset))
		}
		slices.SortFunc(wanted, byDay)
		if len(exported) != 2*2*len(accounts) || !slices.Equal(wanted, exported) {
			t.Errorf("%d rewards are exported of %d, or others", len(exported), len(wanted))
		}
		for _, r := range exported {
			if known := r.Asset == "BNB"; r.PriceKnown != known || (r.Value > 0) != known {
				t.Errorf("%s of %s: its price is %d, its value %d", r.Asset, r.Day, r.Price, r.Value)
			}
		}
	})
}

func TestFinal(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		check := func(when string, postings, rewards staking.Day) {
			t.Helper()
			if p, r, err := reports.New(db.Reader()).Final(t.Context()); err != nil || p != postings || r != rewards {
				t.Errorf("%s: postings through %s, rewards through %s, %v; %s and %s are wanted", when, p, r, err, postings,
					rewards)
			}
		}
		check("in the beginning", day1-1, day1-1)
		open(t, db, "alice")
		deposit(t, db, "d", "alice", 1000, "BNB", time.Time{})
		on(t, db, "alice")
		clock.Set(3, "00:06")
		settle(t, db, clock) // Day 1 pays nobody; BNB of Day 2 waits for funds
		check("while BNB waits", day1+1, day1)
		clock.Set(5, "00:06")
		settle(t, db, clock)
		check("while BNB still waits", day1+1, day1)
		fund(t, db, "BNB", 10)
		settle(t, db, clock)
		check("when all is paid", day1+3, day1+3)
	})
}

func TestLatestRewards(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		id := bookkeeping(t, db, clock)[0]
		daysOf := func(rewards []reports.Reward) (line string) {
			for _, r := range rewards {
				line += fmt.Sprintf("%d %s ", r.Day-day1+1, r.Asset)
			}
			return strings.TrimSpace(line)
		}
		latest := func(asset string, from, to staking.Day, after *reports.RewardKey, limit int) []reports.Reward {
			t.Helper()
			return testkit.Must(reports.New(db.Reader()).RewardPage(t.Context(), id,
				reports.RewardsAsked{From: from, To: to, Asset: asset, Newest: true}, after, limit))(t)
		}
		far := day1 + 1000
		for _, c := range []struct {
			asset, wanted string
			from, to      staking.Day
		}{
			{"", "3 BNB 3 SOL 2 BNB 2 SOL", 0, far}, {"SOL", "3 SOL 2 SOL", 0, far}, {"", "2 BNB 2 SOL", 0, day1 + 1},
			{"BNB", "3 BNB", day1 + 2, far}, {"ADA", "", 0, far}, {"", "", far, far},
		} {
			if got := daysOf(latest(c.asset, c.from, c.to, nil, 100)); got != c.wanted {
				t.Errorf("of %q from %s to %s: %q; %q is wanted", c.asset, c.from, c.to, got, c.wanted)
			}
		}
		var walked []reports.Reward
		var after *reports.RewardKey
		for page := latest("", 0, far, nil, 1); len(page) > 0; page = latest("", 0, far, after, 1) {
			walked = append(walked, page...)
			after = &reports.RewardKey{Day: page[0].Day, Asset: page[0].Asset}
		}
		if !slices.Equal(walked, latest("", 0, far, nil, 100)) {
			t.Errorf("one by one: %s", daysOf(walked))
		}
		_, err := reports.New(db.Reader()).RewardPage(t.Context(), "nobody",
			reports.RewardsAsked{To: far, Newest: true}, nil, 1)
		wants(t, err, ledger.ErrNotFound)
		_, err = reports.New(db.Reader()).RewardPage(t.Context(), id,
			reports.RewardsAsked{To: far, Asset: "NONE", Newest: true}, nil, 1)
		wants(t, err, ledger.ErrNotFound)
	})
}
