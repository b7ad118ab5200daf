package store_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// trades are entries that change one account by several of their moves, at one
// moment and at others, and a hold and its release, on four days of which one is quiet.
func trades(t *testing.T, db *store.DB, clock *testkit.Clock, prefix string) {
	t.Helper()
	move := func(from, to ledger.Account, asset string, amount ledger.Amount) ledger.Move {
		return ledger.Move{From: from, To: to, Asset: asset, Amount: amount}
	}
	for day := 1; day <= 4; day++ {
		if day == 3 {
			continue
		}
		at := max(testkit.Moment(day, "00:00").UnixMilli(), noon.UnixMilli())
		for n := range 4 {
			id := fmt.Sprintf("%s-%d-%d", prefix, day, n)
			when := time.UnixMilli(at + int64(n/2))
			clock.Set(day, "23:00")
			ok(t, refusal(db.Post(t.Context(), []ledger.Entry{
				{ID: id + "-t", Kind: ledger.Trade, At: when, Moves: []ledger.Move{
					move("alice", "bob", "BNB", 3), move("bob", "alice", "SOL", 5), move("alice", ledger.Desk, "SOL", 1),
					move("bob", "alice", "BNB", 2),
				}},
				{ID: id + "-h", Kind: ledger.Hold, At: when, Moves: []ledger.Move{move("alice", "alice/held", "BNB", 1)}},
				{ID: id + "-r", Kind: ledger.Release, At: when, Moves: []ledger.Move{move("alice/held", "alice", "BNB", 1)}},
			})))
		}
	}
}

// traders are alice and bob, who trade, hold and earn; Days 2 and 3 are paid.
func traders(t *testing.T, db *store.DB, clock *testkit.Clock) {
	t.Helper()
	for _, id := range []ledger.Account{"alice", "bob"} {
		open(t, db, id)
		on(t, db, id)
		deposit(t, db, "d-"+string(id), id, 1000, "BNB", time.Time{})
		deposit(t, db, "s-"+string(id), id, 1000, "SOL", time.Time{})
	}
	fund(t, db, "BNB", 100)
	fund(t, db, "SOL", 100)
	trades(t, db, clock, "a")
	clock.Set(5, "00:06")
	settle(t, db, clock)
}

// linesInPages reads an account's journal in pages; between is called between two.
func linesInPages(t *testing.T, from *reports.Reports, id ledger.Account, asked reports.LinesAsked, size int,
	between func()) (lines []reports.JournalLine) {
	t.Helper()
	var after *reports.LineKey
	for {
		page, next, err := from.Lines(t.Context(), id, asked, after, size)
		ok(t, err)
		if len(page) > size {
			t.Fatalf("a page of %d has %d lines", size, len(page))
		}
		lines = append(lines, page...)
		if next == nil {
			return lines
		}
		if after != nil && *after == *next {
			t.Fatalf("the page after %+v ends where it began", *after)
		}
		after = next
		between()
	}
}

// statement is the account's whole statement, in the order of its journal.
func statement(t *testing.T, db *store.DB, id ledger.Account, asked reports.LinesAsked) (lines []reports.Line) {
	t.Helper()
	ok(t, reports.New(db.Reader()).Statement(t.Context(), id, asked.From, asked.To, func(l reports.Line) error {
		l.Balance = 0
		if cmp.Or(asked.Asset, l.Asset) == l.Asset && cmp.Or(asked.Kind, l.Kind) == l.Kind {
			lines = append(lines, l)
		}
		return nil
	}))
	return lines
}

// sameLines compares journal lines with a statement's: the same ones, the newest
// first, and none twice.
func sameLines(t *testing.T, what string, got []reports.JournalLine, want []reports.Line) {
	t.Helper()
	plain := make([]reports.Line, len(got))
	for i, l := range got {
		plain[i] = l.Line
		if i > 0 && got[i-1].At.Before(l.At) {
			t.Errorf("%s: %v comes before %v", what, got[i-1].At, l.At)
		}
	}
	order := func(a, b reports.Line) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Entry, b.Entry), cmp.Compare(a.Account, b.Account),
			cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Amount, b.Amount))
	}
	slices.SortFunc(plain, order)
	slices.SortFunc(want, order)
	if !slices.Equal(plain, want) {
		t.Errorf("%s: %d lines are not those %d of the statement", what, len(plain), len(want))
	}
}

func TestLinesArePagesOfTheStatement(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		traders(t, db, clock)
		whole := reports.LinesAsked{From: day1, To: day1 + 100}
		for _, asked := range []reports.LinesAsked{
			whole,
			{From: day1 + 1, To: day1 + 2},
			{From: day1 + 3, To: day1 + 3, Asset: "SOL"},
			{From: day1, To: day1 + 100, Kind: ledger.Trade},
			{From: day1, To: day1 + 100, Kind: reports.KindReward, Asset: "BNB"},
			{From: day1, To: day1 + 100, Kind: ledger.Import},
			{From: day1 + 3, To: day1 + 2},
		} {
			for _, size := range []int{1, 2, 7, 1000} {
				what := fmt.Sprintf("%+v in pages of %d", asked, size)
				want := statement(t, db, "alice", asked)
				sameLines(t, what, linesInPages(t, reports.New(db.Reader()), "alice", asked, size, func() {}), want)
			}
		}
		for looks := 1; looks < 400; looks = looks*3 + 1 {
			short := reports.New(db.Reader())
			short.Looks = looks
			for _, asked := range []reports.LinesAsked{whole, {From: day1, To: day1 + 100, Kind: ledger.Trade, Asset: "SOL"},
				{From: day1, To: day1 + 100, Kind: ledger.Import}} {
				sameLines(t, fmt.Sprintf("%+v, %d looked at", asked, looks), linesInPages(t, short, "alice", asked, 5, func() {}),
					statement(t, db, "alice", asked))
			}
		}
		if n := len(statement(t, db, "alice", whole)); n < 80 {
			t.Errorf("the statement has %d lines only", n)
		}
		_, _, err := reports.New(db.Reader()).Lines(t.Context(), "nobody", whole, nil, 10)
		wants(t, err, ledger.ErrNotFound)
	})
}

// TestLinesWhileOthersAreAdded: whatever is posted at the same time, what was there is listed
// once. What counts later than the place is not seen, and what counts earlier is.
func TestLinesWhileOthersAreAdded(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		for n := range 40 {
			deposit(t, db, fmt.Sprintf("d-%02d", n), "alice", 1, "BNB", noon.Add(-time.Duration(n/2)*time.Minute))
		}
		was := statement(t, db, "alice", reports.LinesAsked{From: day1, To: day1})
		added := 0
		got := linesInPages(t, reports.New(db.Reader()), "alice", reports.LinesAsked{From: day1, To: day1}, 3, func() {
			deposit(t, db, fmt.Sprintf("new-%02d", added), "alice", 1, "BNB", noon)
			deposit(t, db, fmt.Sprintf("old-%02d", added), "alice", 1, "BNB",
				noon.Add(-time.Hour-time.Duration(added)*time.Second))
			added++
			if added > 30 {
				t.Fatal("it never ends")
			}
		})
		seen := map[string]int{}
		for _, l := range got {
			seen[l.Entry]++
		}
		for _, l := range was {
			if seen[l.Entry] != 1 {
				t.Errorf("%s is listed %d times", l.Entry, seen[l.Entry])
			}
		}
		if seen["old-00"] != 1 || seen["new-00"] != 0 {
			t.Errorf("of what was added: %v", seen)
		}
	})
}

// TestAQuietAccountCostsNoMoreThanAnother: a page walks so many days only, and says where to go on.
func TestAQuietAccountCostsNoMoreThanAnother(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		deposit(t, db, "d-1", "alice", 1, "BNB", time.Time{})
		clock.Set(300, "12:00")
		open(t, db, "bob")
		asked, pages := reports.LinesAsked{From: day1, To: day1 + 1000}, 0
		if got := linesInPages(t, reports.New(db.Reader()), "alice", asked, 10, func() { pages++ }); len(got) != 1 ||
			got[0].Entry != "d-1" || pages != 3 {
			t.Errorf("%d lines in %d pages and one", len(got), pages)
		}
		pages = 0
		postings, after := []ledger.Posting(nil), (*ledger.Posting)(nil)
		for more := true; more; pages++ {
			page, next, err := reports.New(db.Reader()).Postings(t.Context(), day1, day1+1000, after, 10)
			ok(t, err)
			postings, after, more = append(postings, page...), next, next != nil
		}
		if len(postings) != 2 || pages != 4 {
			t.Errorf("%d postings in %d pages", len(postings), pages)
		}
	})
}

func TestPostingsArePagesOfTheJournal(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		traders(t, db, clock)
		for _, days := range [][2]staking.Day{{day1, day1 + 100}, {day1 + 1, day1 + 2}, {day1 + 2, day1 + 2},
			{day1 + 2, day1}} {
			var want []ledger.Posting
			ok(t, reports.New(db.Reader()).Journal(t.Context(), func(p ledger.Posting) error {
				ofARun := p.Kind == reports.KindReward || p.Kind == "declare"
				if d := staking.DayOf(p.At); !ofARun && days[0] <= d && d <= days[1] {
					want = append(want, p)
				}
				return nil
			}))
			slices.SortFunc(want, func(a, b ledger.Posting) int {
				return cmp.Or(cmp.Compare(staking.DayOf(a.At), staking.DayOf(b.At)), a.Bucket-b.Bucket, a.At.Compare(b.At),
					cmp.Compare(a.Entry, b.Entry), a.Move-b.Move, a.Side-b.Side)
			})
			for _, size := range []int{1, 7, 1000} {
				var got []ledger.Posting
				for after, more := (*ledger.Posting)(nil), true; more; {
					page, next, err := reports.New(db.Reader()).Postings(t.Context(), days[0], days[1], after, size)
					ok(t, err)
					got, after, more = append(got, page...), next, next != nil
				}
				if !slices.Equal(got, want) {
					t.Errorf("%v in pages of %d: %d postings are not the %d of the journal", days, size, len(got), len(want))
				}
			}
		}
	})
}

func TestEntry(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		traders(t, db, clock)
		e, postedAt, err := reports.New(db.Reader()).Entry(t.Context(), "a-2-3-t")
		ok(t, err)
		same(t, "the entry", e, ledger.Entry{ID: "a-2-3-t", Kind: ledger.Trade,
			At: testkit.Moment(2, "00:00").Add(time.Millisecond),
			Moves: []ledger.Move{{From: "alice", To: "bob", Asset: "BNB", Amount: 3},
				{From: "bob", To: "alice", Asset: "SOL", Amount: 5},
				{From: "alice", To: ledger.Desk, Asset: "SOL", Amount: 1},
				{From: "bob", To: "alice", Asset: "BNB", Amount: 2}}})
		same(t, "when it was posted", postedAt, testkit.Moment(2, "23:00"))
		for _, id := range []string{
			"", "nothing", "a-2-3-T", "reward/" + (day1 + 1).String() + "/BNB/nobody", "reward/" + (day1 + 9).String() +
				"/BNB/alice", "reward/" + (day1 + 1).String() + "/ADA/alice",
			"reward/2026-3-3/BNB/alice", "reward/" + (day1 + 1).String() + "/BNB/", "reward/" + (day1 + 1).String() + "/BNB",
			"reward/" + (day1 + 1).String() + "/BNB/alice/held",
			"declare/" + (day1 + 9).String() + "/BNB", "declare/" + (day1 + 1).String() + "/XYZ", "declare/" +
				(day1 + 1).String(), "declare/" + (day1 + 1).String() + "/BNB/0", "reward///", "declare//",
		} {
			_, _, err := reports.New(db.Reader()).Entry(t.Context(), id)
			wants(t, err, ledger.ErrNotFound)
		}
	})
}

// TestEveryNameInTheJournalIsAnEntry: whatever wrote it, and with the same moves.
func TestEveryNameInTheJournalIsAnEntry(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "carol")
		open(t, db, ledger.Account(strings.Repeat("c", ledger.MaxID)))
		for _, id := range []ledger.Account{"carol", ledger.Account(strings.Repeat("c", ledger.MaxID))} {
			on(t, db, id)
			testkit.Must(db.PostOpenings(t.Context(), []imports.Opening{{Account: id, Asset: "ADA", Amount: 1000_00000000}}))(t)
			testkit.Must(db.PostImport(t.Context(), id, []imports.Entry{
				{Name: noon.Format("2006-01-02T15:04:05Z"), Kind: ledger.Import, At: noon,
					Changes: []imports.Change{{Asset: "BNB", Amount: 7_00000000}, {Asset: "ADA", Amount: -1}}},
				{Name: noon.Format("2006-01-02T15:04:05Z") + "/reward/9999", Kind: ledger.RewardElsewhere, At: noon,
					Changes: []imports.Change{{Asset: "BNB", Amount: 1}}},
			}))(t)
		}
		fund(t, db, "ADA", 100)
		testkit.Must(db.Adjust(t.Context(), oneMove("fix", ledger.Adjustment, ledger.Custody, "carol", 1), "why"))(t)
		testkit.Must(db.Withdraw(t.Context(), store.Withdrawal{ID: "w", Account: "carol", Asset: "BNB",
			Amount: 1_00000000}))(t)
		ok(t, refusal(db.Post(t.Context(), []ledger.Entry{oneMove("w/completed", ledger.WithdrawalCompleted, "carol/held",
			ledger.Custody, 10)})))
		traders(t, db, clock)

		type key struct {
			entry string
			ledger.Move
		}
		journal, kinds, at := map[key]int{}, map[ledger.Kind]bool{}, map[string]time.Time{}
		ok(t, reports.New(db.Reader()).Journal(t.Context(), func(p ledger.Posting) error {
			if kinds[p.Kind], at[p.Entry] = true, p.At; p.Side == 0 {
				journal[key{p.Entry, ledger.Move{From: p.Account, To: p.Other, Asset: p.Asset, Amount: -p.Amount}}]++
			}
			return nil
		}))
		for _, kind := range []ledger.Kind{ledger.Deposit, ledger.Trade, ledger.Hold, ledger.Release, ledger.Opening,
			ledger.Import, ledger.RewardElsewhere, ledger.Fund, ledger.Adjustment,
			ledger.WithdrawalRequest, ledger.WithdrawalCompleted, reports.KindReward, "declare"} {
			if !kinds[kind] {
				t.Errorf("no %s is in the journal", kind)
			}
		}
		for id, at := range at {
			e, postedAt, err := reports.New(db.Reader()).Entry(t.Context(), id)
			if ok(t, err); e.ID != id || !e.At.Equal(at) {
				t.Errorf("%s is %+v", id, e)
			}
			if postedAt.Before(noon) || postedAt.After(clock.Now()) {
				t.Errorf("%s was posted at %s", id, postedAt)
			}
			for _, m := range e.Moves {
				journal[key{id, m}]--
			}
		}
		for k, n := range journal {
			if n != 0 {
				t.Errorf("%+v is in the journal %d times more often than in the entry", k, n)
			}
		}
	})
}

// TestADayThatNobodyEarnedOn is declared all the same, and its entry has no moves.
func TestADayThatNobodyEarnedOn(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		clock.Set(3, "00:06")
		settle(t, db, clock)
		e, postedAt, err := reports.New(db.Reader()).Entry(t.Context(), "declare/"+(day1+1).String()+"/BNB")
		if ok(t, err); e.Kind != "declare" || e.Moves != nil || !postedAt.Equal(testkit.Moment(3, "00:06")) {
			t.Errorf("%+v at %s", e, postedAt)
		}
	})
}
