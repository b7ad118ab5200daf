package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"softstake/history"
	"softstake/ledger"
	"softstake/staking"
)

// tellRows tells what was made of the file's rows.
func tellRows(w io.Writer, f *history.File, zoneAsked bool) error {
	var b strings.Builder
	for _, s := range f.Skipped {
		fmt.Fprintf(&b, "%s; the row is left out\n", s)
	}
	fmt.Fprintf(&b, "Times are read as %s: %s.\n", f.Zone.Offset, f.Zone.Source)
	if zoneAsked && f.Zone.Source == history.ByColumn {
		b.WriteString("--utc-offset was not needed and is ignored.\n")
	}
	if f.Rounded > 0 {
		fmt.Fprintf(&b, "%s more decimals than the token keeps: each is rounded, half away from zero.\n", count(f.Rounded, "row has", "rows have"))
	}
	if others := f.Spot - len(f.Rows); others > 0 {
		fmt.Fprintf(&b, "%s of coins without terms: %s.\n", count(others, "Spot row is", "Spot rows are"), listCoins(f))
	}
	if f.Spot == 0 {
		b.WriteString("The file has no Spot row, so there is nothing to estimate.\n")
	}
	_, err := io.WriteString(w, printable(b.String()))
	return err
}

// listCoins names the other coins with most rows. They come from the file, so
// what cannot be shown in them is escaped.
func listCoins(f *history.File) string {
	const most = 8
	var list []string
	for i, coin := range f.Coins() {
		if i == most {
			list = append(list, fmt.Sprintf("and %d more", len(f.Others)-most))
			break
		}
		shown := strconv.Quote(ledger.Clip(coin))
		list = append(list, fmt.Sprintf("%s %d", shown[1:len(shown)-1], f.Others[coin]))
	}
	return strings.Join(list, ", ")
}

// tellResult tells what the estimate presumes, and of what the real product paid
// what the format has no place for.
func tellResult(w io.Writer, offer history.Offer, statements []history.Statement, c history.Comparison, format string) error {
	var b strings.Builder
	for _, s := range statements {
		if s.Opening > 0 {
			fmt.Fprintf(&b, "The history of %s begins in the middle: an opening balance of %s is presumed to have been there all along.\n", s.Asset.Symbol, s.Asset.Format(s.Opening))
		}
	}
	for _, t := range c.Totals {
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
	if err := out.Write([]string{"day", "asset", "opening", "average", "eligible", "apr", "reward", "really_paid"}); err != nil {
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
		if err := out.Write([]string{e.Day.String(), e.Asset, e.Opening, e.Average, e.Eligible, e.APR, e.Reward, paid}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// none stands in a table where there is no figure.
const none = "–"

// printTables writes the days, and under them what each token comes to.
func printTables(w io.Writer, offer history.Offer, c history.Comparison) error {
	if len(c.Days) == 0 {
		_, err := fmt.Fprintln(w, "No day reached the minimum of a token: nothing would have been paid.")
		return err
	}
	days := newGrid(text("day"), text("token"), figure("opening"), figure("average"), figure("eligible"), figure("APR %"), figure("reward"), figure("really paid"))
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
