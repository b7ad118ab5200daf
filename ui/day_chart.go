package ui

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// DayChart is the balance of a day as a stepped line, in a box of 86,400 by chartHeight that
// is stretched to the page's width. Texts are placed in percent of the width, and are not
// stretched. The template "day-chart" draws it; a site says whose balance it is: chart.title and chart.mark.balance.
type DayChart struct {
	Asset ledger.Asset
	Day   staking.Day
	Curve string // path of the balance, until now where the day is not over
	Later string // path of the rest of such a day, if nothing moves any more, or ""
	Area  string // path of the surface under Curve
	Marks []chartMark
	Scale []chartHour
	Both  bool // the hours are also shown in the visitor's zone
	Text  string
}

// Height is the picture's; Floor is the y of zero; UTC and Here are those of the hours.
func (c DayChart) Height() int {
	if c.Both {
		return chartHeight
	}
	return chartHeight - letter
}
func (DayChart) Floor() int { return chartFloor }
func (DayChart) UTC() int   { return chartFloor + letter }
func (DayChart) Here() int  { return chartFloor + 2*letter }

// chartMark is a line from side to side: the average, the minimum, the cap.
type chartMark struct {
	Name   string // of its style
	Text   string // the key of its name
	Amount ledger.Amount
	Drawn  bool // it fits into the picture
	Y      int
	TextY  int // of its name; 0: there is no room
}

// chartHour is an hour of the day below the chart.
type chartHour struct {
	X, Anchor string
	UTC, Here string
}

const (
	chartTop    = 24  // the highest line, below which its name has room
	chartFloor  = 204 // of zero
	chartHeight = 240 // with the hours
	letter      = 16  // the height of a name
	dayLength   = staking.DayMillis / 1000
	// drawnSteps is how many changes are drawn one by one; of more, those of a minute together.
	drawnSteps = 1440
)

// DayChart draws the balance of an explained day, at a moment.
func (p View) DayChart(e reports.Explanation, now time.Time) DayChart {
	c := DayChart{Asset: e.Asset, Day: e.Measured.Day}
	lines := e.Paper().Lines
	low, high := e.Measured.Opening, e.Measured.Opening
	for _, l := range lines {
		low, high = min(low, l.Balance), max(high, l.Balance)
	}
	top := max(high, 1)
	c.Marks = []chartMark{{
		Name: "average", Text: TextBy(e.Terms.Measure, "chart.mark.average"), Amount: e.Measured.Average, Drawn: true,
	}}
	if e.TermsKnown && e.Terms.Offered {
		top = max(top, e.Terms.Min)
		if e.Terms.Cap/2 <= high {
			top = max(top, e.Terms.Cap)
		}
		c.Marks = append(c.Marks,
			chartMark{Name: "minimum", Text: "chart.mark.minimum", Amount: e.Terms.Min, Drawn: true},
			chartMark{Name: "cap", Text: "chart.mark.cap", Amount: e.Terms.Cap, Drawn: e.Terms.Cap <= top})
	}
	c.place(top, late(lines, top))
	c.draw(lines, e, now, top)
	c.hours(e.Measured.Day, p.Location)
	c.Text = p.T(TextBy(e.Terms.Measure, "chart.text"), "opening", p.Plain(e.Asset, e.Measured.Opening), "changes",
		p.N("chart.changes", len(lines)-1), "token", e.Asset.Symbol,
		"low", p.Plain(e.Asset, low), "high", p.Plain(e.Asset, high), "average", p.Plain(e.Asset, e.Measured.Average))
	return c
}

// height is the y of an amount, where top is at the top.
func height(a, top ledger.Amount) int {
	hi, lo := bits.Mul64(uint64(min(max(a, 0), top)), chartFloor-chartTop)
	up, _ := bits.Div64(hi, lo, uint64(top))
	return chartFloor - int(up)
}

// late are the y of the balances in the day's last quarter, where the names are.
func late(lines []reports.PaperLine, top ledger.Amount) (at []int) {
	for i, l := range lines {
		if i+1 == len(lines) || lines[i+1].Left < staking.DayMillis/4 {
			at = append(at, height(l.Balance, top))
		}
	}
	return at
}

// place sets the y of the marks, and that of their names above or below them, where
// neither another name nor the balance is in the way.
func (c *DayChart) place(top ledger.Amount, balances []int) {
	var taken []int
	free := func(y int) bool {
		return y <= chartFloor+letter &&
			!slices.ContainsFunc(balances, func(line int) bool { return y > line-2 && y < line+letter-3 }) &&
			!slices.ContainsFunc(taken, func(other int) bool { return max(y-other, other-y) < letter })
	}
	for i := range c.Marks {
		m := &c.Marks[i]
		if !m.Drawn {
			continue
		}
		m.Y = height(m.Amount, top)
		for _, y := range []int{m.Y - 6, m.Y + letter} {
			if m.TextY == 0 && free(y) {
				m.TextY = y
				taken = append(taken, y)
			}
		}
	}
}

// draw draws the balance until now and, if the day is not over, the rest if nothing moves.
func (c *DayChart) draw(lines []reports.PaperLine, e reports.Explanation, now time.Time, top ledger.Amount) {
	end := int64(dayLength)
	if !e.Over {
		end = min(max(now.UnixMilli()-e.Measured.Day.Millis(), 0), staking.DayMillis) / 1000
	}
	var b strings.Builder
	fmt.Fprintf(&b, "M0 %d", height(lines[0].Balance, top))
	for i, l := range lines[1:] {
		x := (staking.DayMillis - l.Left) / 1000
		if len(lines) > drawnSteps {
			x -= x % 60
			if next := i + 2; next < len(lines) && (staking.DayMillis-lines[next].Left)/60_000 == x/60 {
				continue
			}
		}
		fmt.Fprintf(&b, "H%dV%d", min(x, end), height(l.Balance, top))
	}
	fmt.Fprintf(&b, "H%d", end)
	c.Curve = b.String()
	c.Area = fmt.Sprintf("%sV%dH0Z", c.Curve, chartFloor)
	if end < dayLength {
		c.Later = fmt.Sprintf("M%d %dH%d", end, height(lines[len(lines)-1].Balance, top), dayLength)
	}
}

// hours writes the hours below the chart.
func (c *DayChart) hours(d staking.Day, zone *time.Location) {
	for hour := 0; hour <= 24; hour += 6 {
		h := chartHour{X: fmt.Sprintf("%d%%", hour*100/24), UTC: fmt.Sprintf("%02d:00", hour),
			Anchor: cmp.Or(map[int]string{0: "start", 24: "end"}[hour], "middle")}
		h.Here = d.Start().Add(time.Duration(hour) * time.Hour).In(zone).Format("15:04")
		c.Both = c.Both || h.Here != h.UTC && hour < 24
		c.Scale = append(c.Scale, h)
	}
}

// TextBy is the key of a text that says how a day is measured: the other is for the smallest balance.
func TextBy(m staking.Measure, key string) string {
	if m == staking.Lowest {
		return fmt.Sprintf("%s.lowest", key)
	}
	return key
}
