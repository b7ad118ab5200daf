package staking_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

func TestExclusionCovers(t *testing.T) {
	one := staking.Exclusion{Account: "alice", Asset: "BNB", Product: "Launchpool", From: 10, Until: 12}
	every := staking.Exclusion{Account: "alice", Product: "Auto-Subscribe", From: 11, Until: staking.Forever}
	never := staking.Exclusion{Account: "alice", Product: "Launchpool", From: 10, Until: 10}
	for _, c := range []struct {
		e     staking.Exclusion
		asset string
		day   staking.Day
		want  bool
	}{
		{one, "BNB", 9, false}, {one, "BNB", 10, true}, {one, "BNB", 11, true}, {one, "BNB", 12, false},
		{one, "SOL", 10, false},
		{every, "SOL", 10, false}, {every, "SOL", 11, true}, {every, "BNB", 1_000_000, true},
		{never, "BNB", 10, false},
	} {
		if got := c.e.Covers(c.asset, c.day); got != c.want {
			t.Errorf("%+v covers %s on day %d: %t", c.e, c.asset, c.day, got)
		}
	}
}

func TestExclusionCheck(t *testing.T) {
	const today = 100
	good := staking.Exclusion{Account: "alice", Asset: "BNB", Product: "Launchpool", From: today, Until: today + 1}
	for name, c := range map[string]struct {
		change func(*staking.Exclusion)
		field  string
	}{
		"":                    {func(*staking.Exclusion) {}, ""},
		"forever":             {func(e *staking.Exclusion) { e.Until = staking.Forever }, ""},
		"of another day":      {func(e *staking.Exclusion) { e.From, e.Until = today+7, today+9 }, ""},
		"of yesterday":        {func(e *staking.Exclusion) { e.From-- }, "from"},
		"of a day never seen": {func(e *staking.Exclusion) { e.From, e.Until = staking.Forever, staking.Forever }, "from"},
		"of no day":           {func(e *staking.Exclusion) { e.Until = e.From }, "until"},
		"that has ended":      {func(e *staking.Exclusion) { e.Until = today - 1 }, "until"},
		"of the house":        {func(e *staking.Exclusion) { e.Account = "@rewards" }, "account"},
		"without a product":   {func(e *staking.Exclusion) { e.Product = " " }, "product"},
		"with spaces":         {func(e *staking.Exclusion) { e.Product = "Launchpool " }, "product"},
		"of many lines":       {func(e *staking.Exclusion) { e.Product = "a\nb" }, "product"},
		"with a long name":    {func(e *staking.Exclusion) { e.Product = fmt.Sprintf("%041d", 1) }, "product"},
	} {
		e := good
		c.change(&e)
		err := e.Check(today)
		if got := fieldOf(err); got != c.field {
			t.Errorf("an exclusion %s: the field %q, %v", name, got, err)
		}
	}
	if err := (staking.Exclusion{Account: "alice", Product: "Launchpool", Until: today}).CheckEnd(today); err != nil {
		t.Errorf("an end today: %v", err)
	}
}

// TestExclusionsOn: of several products the one that came first has the day.
func TestExclusionsOn(t *testing.T) {
	all := staking.Exclusions{
		{Product: "Launchpool", Asset: "BNB", From: 10, Until: 20},
		{Product: "Auto-Subscribe", From: 5, Until: 12},
		{Product: "Locked", From: 10, Until: 20},
	}
	for day, want := range map[staking.Day]string{
		4: "", 5: "Auto-Subscribe", 11: "Auto-Subscribe", 12: "Launchpool", 20: "",
	} {
		if got, excluded := all.On("BNB", day); got.Product != want || excluded != (want != "") {
			t.Errorf("on day %d: %q, want %q", day, got.Product, want)
		}
	}
	if got, _ := all.On("SOL", 12); got.Product != "Locked" {
		t.Errorf("SOL on day 12: %q", got.Product)
	}
}

// exclusionOracle is what products have, day by day.
type exclusionOracle map[string]map[staking.Day]bool // by token and product

func (o exclusionOracle) set(asset, product string, from, until staking.Day, has bool) {
	key := asset + "/" + product
	if o[key] == nil {
		o[key] = map[staking.Day]bool{}
	}
	for d := from; d < until; d++ {
		o[key][d] = has
	}
}

func (o exclusionOracle) excluded(asset string, d staking.Day) bool {
	for key, days := range o {
		if days[d] && (key[0] == '/' || key[:3] == asset) {
			return true
		}
	}
	return false
}

// excludeRandomly adds or ends an exclusion of a random product in both, and returns those that
// there are then.
func excludeRandomly(t *testing.T, r *rand.Rand, all staking.Exclusions, o exclusionOracle, today staking.Day,
	end staking.Day) staking.Exclusions {
	t.Helper()
	e := staking.Exclusion{
		Account: "alice", Asset: []string{"", "BNB", "SOL"}[r.IntN(3)], Product: []string{"Launchpool", "Locked"}[r.IntN(2)],
		From: today + staking.Day(r.IntN(6)),
	}
	changed := staking.Exclusions{}
	if r.IntN(3) > 0 {
		if e.Until = e.From + 1 + staking.Day(r.IntN(9)); r.IntN(4) == 0 {
			e.Until = staking.Forever
		}
		if err := e.Check(today); err != nil {
			t.Fatal(err)
		}
		if kept, adds := all.Add(e); adds {
			changed = append(changed, kept)
		}
		o.set(e.Asset, e.Product, e.From, min(e.Until, end), true)
	} else {
		e.Until = today + staking.Day(r.IntN(6))
		if err := e.CheckEnd(today); err != nil {
			t.Fatal(err)
		}
		changed = all.End(e)
		o.set(e.Asset, e.Product, e.Until, end, false)
	}
	for _, c := range changed {
		found := false
		for i := range all {
			if all[i].Asset == c.Asset && all[i].Product == c.Product && all[i].From == c.From { // the key of its row
				all[i], found = c, true
			}
		}
		if !found {
			all = append(all, c)
		}
	}
	if _, adds := all.Add(e); len(changed) > 0 && e.Until > e.From && changed[0] == e && adds {
		t.Fatalf("%+v is added again", e)
	}
	return all
}

// TestExclusionsAreSetsOfDays: random enrollments and exclusions, changed on the way, against
// sets of days; a day that is over never changes.
func TestExclusionsAreSetsOfDays(t *testing.T) {
	const days = 40
	accounts := 1300 // × 40 days × 2 tokens
	r := rand.New(rand.NewPCG(12, 11))
	asked, excluded := 0, 0
	for range accounts {
		var all staking.Exclusions
		o, over := exclusionOracle{}, map[string]bool{}
		enrolled := staking.Enrollment{From: staking.Day(r.IntN(days)), Until: staking.Day(r.IntN(2 * days))}
		for today := staking.Day(0); today < days; today++ {
			for range r.IntN(3) {
				all = excludeRandomly(t, r, all, o, today, days+20)
			}
			for _, asset := range []string{"BNB", "SOL"} {
				for d := staking.Day(0); d < today; d++ {
					if _, is := all.On(asset, d); is != over[fmt.Sprint(asset, d)] {
						t.Fatalf("%s on day %d was changed on day %d: %+v", asset, d, today, all)
					}
				}
				_, is := all.On(asset, today)
				earns := enrolled.Covers(today) && !is
				if want := enrolled.From <= today && today < enrolled.Until && !o.excluded(asset, today); earns != want {
					t.Fatalf("%s on day %d: earns %t; %+v", asset, today, earns, all)
				}
				over[fmt.Sprint(asset, today)] = is
				asked++
				if is {
					excluded++
				}
			}
		}
	}
	if asked < 100_000 || excluded < asked/10 || excluded > asked*9/10 {
		t.Errorf("%d account-days, %d excluded: too few of either", asked, excluded)
	}
}

// TestExclusionsAddAgain: adding and ending are idempotent.
func TestExclusionsAddAgain(t *testing.T) {
	e := staking.Exclusion{Account: "alice", Asset: "BNB", Product: "Launchpool", From: 10, Until: 20}
	longer := e
	longer.Until = 30
	all := staking.Exclusions{e}
	if kept, adds := all.Add(e); adds || kept != e {
		t.Errorf("again: %+v, %t", kept, adds)
	}
	inside := e
	inside.From, inside.Until = 12, 15
	if kept, adds := all.Add(inside); adds || kept != e {
		t.Errorf("a part: %+v, %t", kept, adds)
	}
	if kept, adds := all.Add(longer); !adds || kept != longer {
		t.Errorf("longer: %+v, %t", kept, adds)
	}
	ended := e
	ended.Until = 15
	if diff := cmp.Diff(staking.Exclusions{ended}, all.End(ended)); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
	if again := (staking.Exclusions{ended}).End(ended); again != nil {
		t.Errorf("ended again: %+v", again)
	}
	early := e
	early.Until = 5
	if changed := all.End(early); len(changed) != 1 || changed[0].Until != 10 {
		t.Errorf("ended before it began: %+v", changed)
	}
}

// fieldOf is the field of an error, or "".
func fieldOf(err error) string {
	if e, is := errors.AsType[*ledger.Error](err); is {
		return e.Field
	}
	return ""
}
