package history

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
)

// modelBooks are books that only imports post to, with the rules of the real ones: a name
// is used once, closed days are closed, and no balance is ever below zero.
type modelBooks struct {
	firstOpen time.Time
	entries   []modelEntry
}

type modelEntry struct {
	Posted
	at time.Time
}

// post posts an entry, or says why it cannot be.
func (b *modelBooks) post(e PlannedEntry) error {
	at := e.At
	if e.Opening {
		at = b.firstOpen
	}
	if at.Before(b.firstOpen) {
		return fmt.Errorf("%s is closed", e.Name)
	}
	for _, known := range b.entries {
		if known.Name == e.Name {
			return fmt.Errorf("%s is used", e.Name)
		}
	}
	b.entries = append(b.entries, modelEntry{Posted{e.Name, e.Changes}, at})
	slices.SortStableFunc(b.entries, func(a, b modelEntry) int { return a.at.Compare(b.at) })
	for _, c := range e.Changes {
		if b.lowest(c.Asset) < 0 {
			b.entries = slices.DeleteFunc(b.entries, func(known modelEntry) bool { return known.Name == e.Name })
			return ledger.ErrInsufficient
		}
	}
	return nil
}

// lowest is the lowest balance of a token at the end of any moment.
func (b *modelBooks) lowest(asset string) (lowest ledger.Amount) {
	var balance ledger.Amount
	for i, e := range b.entries {
		for _, c := range e.Changes {
			if c.Asset == asset {
				balance += c.Amount
			}
		}
		if i+1 == len(b.entries) || !b.entries[i+1].at.Equal(e.at) {
			lowest = min(lowest, balance)
		}
	}
	return lowest
}

func (b *modelBooks) balances() map[string]ledger.Amount {
	sums := map[string]ledger.Amount{}
	for _, e := range b.entries {
		for _, c := range e.Changes {
			sums[c.Asset] += c.Amount
		}
	}
	maps.DeleteFunc(sums, func(_ string, sum ledger.Amount) bool { return sum == 0 })
	return sums
}

// bring imports what is known, as the command does, and returns how many entries it posted.
func (b *modelBooks) bring(t *rapid.T, tallies []Tally, assets map[string]ledger.Asset, withoutRewards bool) int {
	posted, refused := 0, 0
	for _, gainsFirst := range []bool{false, true} {
		books := Books{FirstOpen: b.firstOpen}
		for _, e := range b.entries {
			books.Posted = append(books.Posted, e.Posted)
		}
		plan, err := MergeTallies(slices.Clone(tallies), assets).
			MakePlan(books, PlanOptions{WithoutRewards: withoutRewards, GainsFirst: gainsFirst})
		if err != nil {
			t.Fatal(err)
		}
		refused = 0
		for _, e := range plan.Entries {
			if err := b.post(e); err != nil && (err != ledger.ErrInsufficient || gainsFirst) {
				t.Fatalf("%+v: %v", e, err)
			} else if err != nil {
				refused++
			} else {
				posted++
			}
		}
		if refused == 0 {
			break
		}
	}
	return posted
}

const planDays = 4

func planTime(day, second int) time.Time {
	return time.Date(2025, 7, 20+day, 0, 0, second, 0, time.UTC)
}

func drawHistory(t *rapid.T) []Row {
	row := rapid.Custom(func(t *rapid.T) Row {
		operation := rapid.SampledFrom([]string{"Buy", "Fee", "Soft Staking"}).Draw(t, "operation")
		return Row{
			At:   planTime(rapid.IntRange(0, planDays-1).Draw(t, "day"), rapid.IntRange(0, 2).Draw(t, "second")),
			Coin: rapid.SampledFrom([]string{"ADA", "BNB"}).Draw(t, "coin"), Operation: operation,
			Change: ledger.Amount(rapid.IntRange(-3, 3).Draw(t, "change")), Reward: operation == "Soft Staking",
		}
	})
	rows := rapid.SliceOfN(row, 1, 12).Draw(t, "rows")
	slices.SortStableFunc(rows, func(a, b Row) int { return a.At.Compare(b.At) })
	return rows
}

// drawFiles cuts a history into exports that overlap, some of one coin only, and each
// into parts that may be cut within a second. Together they hold all of it.
func drawFiles(t *rapid.T, rows []Row) []*File {
	cut := planTime(rapid.IntRange(0, planDays).Draw(t, "cut day"), rapid.IntRange(0, 3).Draw(t, "cut second"))
	overlap := time.Duration(rapid.IntRange(0, 2).Draw(t, "overlap")) * 24 * time.Hour
	exports := map[string]func(Row) bool{
		"early": func(r Row) bool { return r.At.Before(cut) },
		"late":  func(r Row) bool { return !r.At.Before(cut.Add(-overlap)) },
		"ada":   func(r Row) bool { return r.Coin == "ADA" },
	}
	var files []*File
	for _, name := range slices.Sorted(maps.Keys(exports)) {
		kept := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !exports[name](r) })
		at := rapid.IntRange(0, len(kept)).Draw(t, name+" cut")
		files = append(files,
			&File{Part: Part{Export: name, Number: 1, Of: 2}, Rows: kept[:at]},
			&File{Part: Part{Export: name, Number: 2, Of: 2}, Rows: kept[at:]})
	}
	return rapid.Permutation(files).Draw(t, "order")
}

// TestImportsInAnyOrder imports the files of a history one by one, in any order and some
// of them again, while days close in between: the books end with what the exchange says.
func TestImportsInAnyOrder(t *testing.T) {
	assets := shipped(t).Assets
	rapid.Check(t, func(t *rapid.T) {
		rows := drawHistory(t)
		withoutRewards := rapid.Bool().Draw(t, "without rewards")
		b := &modelBooks{firstOpen: planTime(rapid.IntRange(-1, planDays).Draw(t, "first open"), 0)}
		var known []Tally
		for _, f := range drawFiles(t, rows) {
			known = append(known, f.Tallies()...)
			b.bring(t, known, assets, withoutRewards)
			if rapid.IntRange(0, 3).Draw(t, "close") == 0 {
				b.firstOpen = b.firstOpen.AddDate(0, 0, 1)
			}
		}
		if n := b.bring(t, known, assets, withoutRewards); n != 0 {
			t.Fatalf("importing again posts %d entries", n)
		}
		counted := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.Reward && withoutRewards })
		want := map[string]ledger.Amount{}
		for _, coin := range []string{"ADA", "BNB"} {
			var balance, lowest ledger.Amount
			for i, r := range counted {
				if r.Coin == coin {
					balance += r.Change
				}
				if i+1 == len(counted) || !counted[i+1].At.Equal(r.At) {
					lowest = min(lowest, balance)
				}
			}
			if balance != lowest {
				want[coin] = balance - lowest
			}
		}
		if got := b.balances(); !maps.Equal(got, want) {
			t.Fatalf("the books have %v, the history %v\n%+v\n%+v", got, want, rows, b.entries)
		}
		for _, coin := range []string{"ADA", "BNB"} {
			if n := b.lowest(coin); n < 0 {
				t.Fatalf("%s was at %d", coin, n)
			}
		}
	})
}

// TestEntriesStandAtTheirSeconds holds each open second's entries against its rows.
func TestEntriesStandAtTheirSeconds(t *testing.T) {
	assets := shipped(t).Assets
	rapid.Check(t, func(t *rapid.T) {
		rows := drawHistory(t)
		b := &modelBooks{firstOpen: planTime(-1, 0)}
		var known []Tally
		for _, f := range drawFiles(t, rows) {
			known = append(known, f.Tallies()...)
			b.bring(t, known, assets, false)
		}
		left := map[string]ledger.Amount{}
		for _, r := range rows {
			kind := ""
			if r.Reward {
				kind = "/reward"
			}
			left[r.At.Format(secondForm)+kind+" "+r.Coin] += r.Change
		}
		for _, e := range b.entries {
			if strings.HasPrefix(e.Name, openingName) {
				continue
			}
			name := e.at.Format(secondForm)
			if strings.Contains(e.Name, rewardName) {
				name += "/reward"
			}
			for _, c := range e.Changes {
				left[name+" "+c.Asset] -= c.Amount
			}
		}
		maps.DeleteFunc(left, func(_ string, n ledger.Amount) bool { return n == 0 })
		if len(left) != 0 {
			t.Fatalf("differences %v\n%+v\n%+v", left, rows, b.entries)
		}
	})
}

func TestPlanOnBooksOfEarlierVersions(t *testing.T) {
	assets := shipped(t).Assets
	at := planTime(1, 5)
	bnb := func(at time.Time, change ledger.Amount) Row {
		return Row{At: at, Coin: "BNB", Operation: "x", Change: change}
	}
	plan := func(b Books, rows ...Row) Plan {
		t.Helper()
		b.FirstOpen = planTime(1, 0)
		f := &File{Rows: rows, Part: Part{Export: "a"}}
		p, err := MergeTallies(f.Tallies(), assets).MakePlan(b, PlanOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	old := Posted{at.Format(secondForm), []Change{{"BNB", 5}}}
	// A second whose rows are not known stays, and counts for the opening.
	p := plan(Books{Posted: []Posted{old}}, bnb(planTime(2, 0), -4))
	if len(p.Entries) != 1 || p.Entries[0].Changes[0].Amount != -4 || len(p.Openings) != 0 {
		t.Errorf("%+v", p)
	}
	// One whose rows are known is brought to them.
	p = plan(Books{Posted: []Posted{old}}, bnb(at, 7))
	if len(p.Entries) != 1 || p.Entries[0].Name != old.Name+"/2" || p.Entries[0].Changes[0].Amount != 2 {
		t.Errorf("%+v", p)
	}
	// A given opening is left alone, and the difference is reported. What came after it
	// on days that are closed by now is posted.
	given := map[string]Given{"BNB": {3, planTime(0, 1)}}
	p = plan(Books{Given: given}, bnb(planTime(0, 0), 10), bnb(planTime(0, 2), 7), bnb(at, 1))
	if len(p.Entries) != 2 || !p.Entries[0].Opening || p.Entries[0].Changes[0].Amount != 7 {
		t.Errorf("%+v", p)
	}
	if d := cmp.Diff([]Difference{{"BNB", 3, 10}}, p.Differences); d != "" {
		t.Errorf("differences (-want +got):\n%s", d)
	}
	if _, err := MergeTallies(nil, assets).
		MakePlan(Books{Posted: []Posted{{Name: "tomorrow"}}}, PlanOptions{}); err == nil {
		t.Error("a name of no time is read")
	}
}
