package ui

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// command is one of a path.
var command = regexp.MustCompile(`([MHVZ])(-?[0-9]*)(?: (-?[0-9]+))?`)

// inBox fails unless a path stays in the chart's box and never goes back, and returns where it is highest.
func inBox(t *rapid.T, path string) (highest int) {
	x, highest := 0, chartHeight
	number := func(text string, most int) int {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > most {
			t.Fatalf("%q is outside of the box: %s", text, path)
		}
		return n
	}
	for _, m := range command.FindAllStringSubmatch(path, -1) {
		switch m[1] {
		case "M":
			x = number(m[2], dayLength)
			highest = min(highest, number(m[3], chartFloor))
		case "H":
			if n := number(m[2], dayLength); n < x && n != 0 {
				t.Fatalf("it goes back from %d to %d: %s", x, n, path)
			} else {
				x = n
			}
		case "V":
			if highest = min(highest, number(m[2], chartFloor)); highest < chartTop {
				t.Fatalf("it is too high: %s", path)
			}
		}
	}
	if rest := command.ReplaceAllString(path, ""); rest != "" {
		t.Fatalf("%q is no command: %s", rest, path)
	}
	return highest
}

// TestTheChartStaysInItsBox: whatever amounts there are, one unit or all that can be, and whenever they change.
func TestTheChartStaysInItsBox(t *testing.T) {
	p := View{Locale: localesOf(t, "web").All[0], Location: time.FixedZone("here", 5*3600+45*60)}
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.OneOf(rapid.Just[ledger.Amount](0), rapid.Just[ledger.Amount](1), rapid.Just(ledger.MaxSupply),
			rapid.Custom(func(t *rapid.T) ledger.Amount {
				return ledger.Amount(rapid.Int64Range(0, int64(ledger.MaxSupply)).Draw(t, "n"))
			}))
		d := staking.Day(20000)
		balance := amount.Draw(t, "opening")
		e := reports.Explanation{
			Asset: ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: ledger.MaxSupply}, TermsKnown: true,
			Over:     rapid.Bool().Draw(t, "over"),
			Terms:    staking.Terms{Offered: true, Min: amount.Draw(t, "minimum"), Cap: amount.Draw(t, "cap")},
			Measured: staking.Accrual{Day: d, Opening: balance},
		}
		at, most := int64(0), balance
		for range rapid.IntRange(0, 2000).Draw(t, "changes") {
			at = min(at+rapid.Int64Range(0, 100_000).Draw(t, "later"), staking.DayMillis-1)
			next := amount.Draw(t, "balance")
			e.Changes = append(e.Changes,
				reports.Change{
					At: d.Start().Add(time.Duration(at) * time.Millisecond), Amount: next - balance, Balance: next,
				})
			balance, most = next, max(most, next)
		}
		e.Measured.Average = rapid.Custom(func(t *rapid.T) ledger.Amount {
			return ledger.Amount(rapid.Int64Range(0, int64(most)).Draw(t, "n"))
		}).Draw(t, "average")
		c := p.DayChart(e,
			d.Start().Add(time.Duration(rapid.Int64Range(at, staking.DayMillis).Draw(t, "now"))*time.Millisecond))
		highest := inBox(t, c.Curve)
		inBox(t, c.Area)
		inBox(t, c.Later)
		if e.Over != (c.Later == "") && c.Later != "" {
			t.Fatalf("a day that is over has a rest: %s", c.Later)
		}
		if len(c.Curve) > 40_000 {
			t.Fatalf("the curve takes %d bytes", len(c.Curve))
		}
		var names []int
		for _, m := range c.Marks {
			if m.Drawn && (m.Y < chartTop || m.Y > chartFloor) {
				t.Fatalf("%s lies at %d", m.Name, m.Y)
			}
			if m.Name == "minimum" && m.Amount/2 > most && m.Y >= highest {
				t.Fatalf("%s of %d lies at %d, not above the balance of %d at %d", m.Name, m.Amount, m.Y, most, highest)
			}
			if m.TextY == 0 {
				continue
			}
			for _, other := range names {
				if max(other-m.TextY, m.TextY-other) < letter {
					t.Fatalf("two names stand at %d and %d", other, m.TextY)
				}
			}
			names = append(names, m.TextY)
			if through(t, c.Curve, m.TextY) {
				t.Fatalf("the balance runs through the name of the %s at %d: %s", m.Name, m.TextY, c.Curve)
			}
		}
	})
}

// through reports whether the balance of the day's last quarter runs through a name at y.
func through(t *rapid.T, path string, y int) bool {
	at := 0
	for _, m := range command.FindAllStringSubmatch(path, -1) {
		n, err := strconv.Atoi(m[2])
		if m[1] == "M" {
			n, err = strconv.Atoi(m[3])
		}
		if err != nil {
			t.Fatal(err)
		}
		if m[1] != "H" {
			at = n
		} else if n > dayLength*3/4 && y-12 < at && at < y+1 {
			return true
		}
	}
	return false
}
