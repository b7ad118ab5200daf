package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/history"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// printResult writes what the estimate presumes, and of what the exchange paid what the
// format has no place for.
func printResult(w io.Writer, offer history.Offer, e estimated, format string) error {
	var b strings.Builder
	for _, s := range e.statements {
		if s.Opening > 0 {
			fmt.Fprintf(&b, "The rows of %s spend more than they bring: an opening balance of %s is assumed.\n", s.Asset.Symbol,
				s.Asset.Format(s.Opening))
		}
	}
	for _, s := range e.shortages {
		fmt.Fprintf(&b, "%s: from %s on more was spent than the estimate has, by %s in all: the rewards really paid "+
			"were larger. Its balance counts as zero there.\n",
			s.Asset, s.At.Format(time.DateTime), offer.Assets[s.Asset].Format(s.Amount))
	}
	for _, t := range e.result.Totals {
		asset := offer.Assets[t.Asset]
		if format != "table" && t.PaidDays > 0 {
			fmt.Fprintf(&b, "%s: really paid %s on %s, estimated %s on %s.\n", t.Asset,
				asset.Format(t.Paid), count(t.PaidDays, "day", "days"), asset.Format(t.Estimated), count(t.Days, "day", "days"))
		}
		if t.Only > 0 {
			fmt.Fprintf(&b, "%s: something was really paid for %s without an estimate.\n", t.Asset, count(t.Only, "day", "days"))
		}
		if t.Outside != 0 {
			fmt.Fprintf(&b, "%s: %s was really paid for days that are not measured here.\n", t.Asset, asset.Format(t.Outside))
		}
	}
	if e.unreadable > 0 {
		fmt.Fprintf(&b, "%s missing in this estimate.\n",
			count(e.unreadable, "row could not be read and is", "rows could not be read and are"))
	}
	if format == "table" {
		b.WriteString("\n") // a person sees both streams on one screen
	}
	_, err := io.WriteString(w, printable(b.String()))
	return err
}

// count writes a number with the word for it.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// estimatedDay is an accrual as it is printed: amounts as decimal strings.
type estimatedDay struct {
	Day      staking.Day `json:"day"`
	Asset    string      `json:"asset"`
	Opening  string      `json:"opening"`
	Average  string      `json:"average"`
	Eligible string      `json:"eligible"`
	APR      string      `json:"apr"`
	Reward   string      `json:"reward"`
}

func formatDay(asset ledger.Asset, a staking.Accrual) estimatedDay {
	return estimatedDay{
		Day: a.Day, Asset: a.Asset,
		Opening: asset.Format(a.Opening), Average: asset.Format(a.Average), Eligible: asset.Format(a.Eligible),
		APR: a.APR.String(), Reward: asset.Format(a.Reward),
	}
}

// printJSON writes an array. Only what was estimated is in it.
func printJSON(w io.Writer, offer history.Offer, c history.Comparison) error {
	list := newJSONList(w)
	for _, d := range c.Days {
		if !d.Estimated {
			continue
		}
		if err := list.add(formatDay(offer.Assets[d.Asset], d.Accrual)); err != nil {
			return err
		}
	}
	return list.end()
}

// printCSV writes a line for each day and token that was estimated, with what
// was really paid for it, empty where nothing was.
func printCSV(w io.Writer, offer history.Offer, c history.Comparison) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"day", "asset", "opening", "average", "eligible", "apr", "reward",
		"reallyPaid"}); err != nil {
		return err
	}
	for _, d := range c.Days {
		if !d.Estimated {
			continue
		}
		asset, paid := offer.Assets[d.Asset], ""
		if d.WasPaid {
			paid = asset.Format(d.Paid)
		}
		e := formatDay(asset, d.Accrual)
		if err := out.Write([]string{e.Day.String(), e.Asset, e.Opening, e.Average, e.Eligible, e.APR, e.Reward,
			paid}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// none stands in a table where there is no figure.
const none = "–"

// printTables writes the days, and under them what each token comes to.
func printTables(w io.Writer, offer history.Offer, e estimated) error {
	c := e.result
	if len(c.Days) == 0 {
		sentence := "No day reached the minimum of a token: nothing would have been paid."
		if e.unreadable > 0 {
			sentence = "No day reached the minimum of a token by the rows that could be read; some could not."
		}
		_, err := fmt.Fprintln(w, sentence)
		return err
	}
	days := newGrid(text("day"), text("token"), figure("opening"), figure("average"), figure("eligible"), figure("APR %"),
		figure("reward"), figure("really paid"))
	for _, d := range c.Days {
		asset, paid := offer.Assets[d.Asset], none
		if d.WasPaid {
			paid = asset.Format(d.Paid)
		}
		if !d.Estimated {
			days.add(d.Day.String(), d.Asset, none, none, none, none, none, paid)
			continue
		}
		e := formatDay(asset, d.Accrual)
		days.add(d.Day.String(), d.Asset, e.Opening, e.Average, e.Eligible, percent(d.Accrual.APR), e.Reward, paid)
	}
	totals := newGrid(text("token"), figure("days"), figure("would have been paid"), figure("days"), figure("really paid"))
	for _, t := range c.Totals {
		asset := offer.Assets[t.Asset]
		totals.add(t.Asset, strconv.Itoa(t.Days), asset.Format(t.Estimated), strconv.Itoa(t.PaidDays), asset.Format(t.Paid))
	}
	if err := days.write(w); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return totals.write(w)
}

// percent writes a yearly rate as a percentage: 0.0015 is "0.15".
func percent(r staking.Rate) string { return ledger.FormatDecimal(int64(r), 6) }
