package cli

import (
	"fmt"
	"io"
	"math/big"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
)

// writePaper writes how a reward came about, as one would on paper: what the
// balance was at midnight and each change of it, times the seconds that were left
// of the day; their sum and the average; the rate; and what is carried.
func writePaper(w io.Writer, e reports.Explanation) error {
	m, asset, paper := e.Measured, e.Asset, e.Paper()
	day := newGrid(text("time"), text("change"), figure("amount"), text("×"), figure("seconds"), text("="),
		figure("product"))
	seconds := func(n *big.Int) string { return ledger.FormatBig(n, asset.Scale+3) }
	for _, l := range paper.Lines {
		what := "opening"
		if l.Change != nil {
			what = string(l.Change.Kind)
		}
		day.add(l.At.Format("15:04:05.000"), what, asset.Format(l.Amount), "×", ledger.FormatDecimal(l.Left, 3), "=",
			seconds(l.Product))
	}
	day.add("", "average", asset.Format(m.Average)+more(m.Rest != 0), "×", "86400", "=", seconds(paper.Integral))

	reward := newGrid(text("step"), figure("amount"))
	reward.add(fmt.Sprintf("%s × %s ÷ 365", asset.Format(m.Eligible), m.APR), inDigits(paper.Interest, asset.Scale))
	reward.add("+ carried from the reward before", inDigits(big.NewInt(int64(m.Before)), asset.Scale))
	reward.add("= paid, rounded down", asset.Format(m.Reward))
	reward.add("  carried to the next", inDigits(big.NewInt(int64(m.Carry)), asset.Scale))

	_, err := fmt.Fprintf(w, "%s: %s\n%s%s", m.Day, between(e), day.body(), reward.body())
	return err
}

// between is how an average that earned lies to the minimum and the cap.
func between(e reports.Explanation) string {
	low, high := e.Asset.Format(e.Terms.Min), e.Asset.Format(e.Terms.Cap)
	if e.Measured.Average > e.Terms.Cap || (e.Measured.Average == e.Terms.Cap && e.Measured.Rest > 0) {
		return fmt.Sprintf("above the cap; it earns on %s", high)
	}
	return fmt.Sprintf("at least the minimum of %s, and not above the cap of %s", low, high)
}

// more shows that a figure goes on.
func more(is bool) string {
	if is {
		return "…"
	}
	return ""
}
