package web

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/download"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// file answers with a CSV file, which is written while it is read. On an error the
// connection is aborted, so that nobody takes a part for the whole. The columns' names are
// for programs: the same in every language.
func (v *visit) file(name string, columns []string, read func(line func(cells ...string) error) error) error {
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+download.Name(name)+`.csv"`)
	out := bufio.NewWriterSize(download.Paced(v.w), 32<<10)
	w := csv.NewWriter(out)
	err := w.Write(columns)
	if err == nil {
		err = read(func(cells ...string) error { return w.Write(cells) })
	}
	w.Flush()
	if err = errors.Join(err, w.Error(), out.Flush()); err == nil {
		return nil
	}
	if v.context().Err() == nil {
		v.Log.Error("an export broke off", "request", v.caller.Request, "error", err)
	}
	panic(http.ErrAbortHandler) // the only way to abort a connection from inside a handler
}

// exportPage chooses which rewards are exported, and how.
type exportPage struct {
	*view
	F       *ui.Form
	Periods []exportPeriod
	Formats []format
	Format  string // the name of the one that is chosen
	First   staking.Day
	Last    staking.Day
}

// exportPeriod is a period that can be downloaded at once.
type exportPeriod struct {
	Year     int
	From, To staking.Day
	Current  bool // it has not ended
}

// format is a format of the export.
type format struct {
	Name, suffix string // the suffix is the file name's
	columns      []string
	cells        func(ledger.Asset, reports.Reward) []string // nil: the reward has no line
}

// formats are our own format, which is the usual one, and those of tax tools.
var formats = []format{
	{"ours", "", rewardsColumns, ourCells}, {"koinly", "_koinly", koinlyColumns, koinlyCells},
}

// formatOf is the format of a name, or the usual one.
func formatOf(name string) (f format, known bool) {
	i := slices.IndexFunc(formats, func(f format) bool { return f.Name == name })
	return formats[max(i, 0)], i >= 0
}

// rewardsColumns are those of our own format: amounts in whole tokens, values in USDT.
var rewardsColumns = []string{
	"day", "asset", "opening", "average", "eligible", "apr", "reward", "carried_before", "carried_after", "price_usdt",
	"value_usdt", "credited_at_utc", "entry",
}

// koinlyColumns are those of Koinly's "simple" custom CSV file: the first three are
// needed, the others are known. The date is UTC, to the minute; rewards bear the label
// "reward". (support.koinly.io, "How to create a custom CSV file with your data" and "What are tags?")
var koinlyColumns = []string{
	"Koinly Date", "Amount", "Currency", "Net Worth Amount", "Net Worth Currency", "Label", "Description", "TxHash",
}

// export is the page on which an export is chosen. It also shows the faults of a form that
// cannot be exported.
func (v *visit) export() error { return v.showExport(http.StatusOK, v.asked()) }

func (v *visit) showExport(status int, f *ui.Form) error {
	chosen, _ := formatOf(f.Value("format"))
	p := exportPage{
		view: v.view("export.title"), F: f, Formats: formats, Format: chosen.Name, First: v.Books.FirstDay(),
		Last: staking.DayOf(v.Books.Now()),
	}
	for year := p.Last.Start().Year(); year >= p.Last.Start().Year()-1 && year >= p.First.Start().Year(); year-- {
		from := staking.DayOf(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))
		to := staking.DayOf(time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC))
		p.Periods = append(p.Periods, exportPeriod{year, from, to, to >= p.Last})
	}
	for name, day := range map[string]staking.Day{"from": p.Periods[0].From, "to": p.Last} {
		if f.Values.Get(name) == "" {
			f.Values.Set(name, max(day, p.First).String())
		}
	}
	return v.showAs(status, "export", p)
}

// rewardsFile is the rewards of a period, as a file.
func (v *visit) rewardsFile() error {
	f := v.asked()
	from, to := formDay(f, v.locale, "from"), formDay(f, v.locale, "to")
	if !f.Faulty() && to < from {
		f.SetFault("to", v.locale.T("export.fault.order"))
	}
	format, known := formatOf(f.Value("format"))
	if f.Value("format") != "" && !known {
		f.SetFault("", v.locale.T("export.fault.format"))
	}
	if f.Faulty() {
		return v.showExport(http.StatusUnprocessableEntity, f)
	}
	assets, err := v.assets()
	if err != nil {
		return err
	}
	name := fmt.Sprintf("rewards_%s_%s_%s%s", v.account(), from, to, format.suffix)
	return v.file(name, format.columns, func(line func(...string) error) error {
		return v.Reports.Rewards(v.context(), v.account(), from, to, func(r reports.Reward) error {
			a, err := v.asset(assets, r.Asset)
			if err != nil {
				return err
			}
			if row := format.cells(a, r); row != nil {
				return line(row...)
			}
			return nil
		})
	})
}

// formDay is a field that is a day; otherwise 0, and the field has a fault.
func formDay(f *ui.Form, l *ui.Locale, name string) staking.Day {
	d, err := staking.ParseDay(f.Value(name))
	if errors.Is(err, ledger.ErrInvalid) {
		f.SetFault(name, l.T("export.fault.day"))
	}
	return d
}

// ourCells are a reward's in our own format.
func ourCells(a ledger.Asset, r reports.Reward) []string {
	price, value := "", ""
	if r.PriceKnown {
		price, value = ledger.FormatDecimal(r.Price, ui.ValueScale), ledger.FormatDecimal(int64(r.Value), ui.ValueScale)
	}
	return []string{
		r.Day.String(), r.Asset, a.Format(r.Opening), a.Format(r.Average), a.Format(r.Eligible), r.APR.String(),
		a.Format(r.Reward), carried(a, r.Before), carried(a, r.Carry), price, value,
		ledger.FormatTime(r.PaidAt), download.Cell(r.EntryID()),
	}
}

// koinlyCells are a reward's in Koinly's format, or nil where it is less than a smallest
// unit: nothing was received.
func koinlyCells(a ledger.Asset, r reports.Reward) []string {
	if r.Reward == 0 {
		return nil
	}
	value, currency := "", ""
	if r.PriceKnown {
		value, currency = ledger.FormatDecimal(int64(r.Value), ui.ValueScale), conversion.USDT
	}
	return []string{
		r.PaidAt.Format("2006-01-02 15:04 UTC"), a.Format(r.Reward), r.Asset, value, currency, "reward",
		"Soft Staking, " + r.Day.String(), download.Cell(r.EntryID()),
	}
}

// changesColumns are those of a day's changes: what a spreadsheet needs to compute the
// reward. Amounts are in whole tokens, products in tokens × milliseconds.
var changesColumns = []string{
	"time_utc", "what", "entry", "change", "milliseconds_left", "change_x_left", "balance", "milliseconds_until_next",
	"balance_x_until_next", "asset", "minimum", "cap", "apr", "carried_before", "reward", "carried_after",
	"shares", "eligible_x_day",
}

// carriedDigits are those below the smallest unit of a carried fraction in a file.
const carriedDigits = 19

// carried is a carried fraction in a file.
func carried(a ledger.Asset, f staking.Fraction) string {
	text, _ := reports.UnitsDecimal(big.NewInt(int64(f)), a.Scale, carriedDigits)
	return text
}

// rewardChanges is the day's changes as a CSV file.
func (v *visit) rewardChanges() error {
	e, err := v.explain()
	if err != nil {
		return err
	}
	a, m := e.Asset, e.Measured
	paper, facts := e.Paper(), []string{a.Symbol, "", "", "", "", "", "", "", ""}
	if e.TermsKnown {
		facts[1], facts[2], facts[3] = a.Format(e.Terms.Min), a.Format(e.Terms.Cap), e.Terms.APR.String()
	}
	if e.Earned {
		facts[4], facts[5], facts[6] = carried(a, m.Before), a.Format(m.Reward), carried(a, m.Carry)
		facts[7], _ = reports.UnitsDecimal(paper.Shared, a.Scale, carriedDigits)
		facts[8] = ledger.FormatBig(paper.Earning, a.Scale)
	}
	return v.file("changes_"+a.Symbol+"_"+m.Day.String(), changesColumns, func(line func(...string) error) error {
		for _, l := range paper.Lines {
			what, entry := "opening-balance", ""
			if l.Change != nil {
				what, entry = string(l.Change.Kind), download.Cell(l.Change.Entry)
			}
			stays := new(big.Int).Mul(big.NewInt(int64(l.Balance)), big.NewInt(l.Stays))
			cells := []string{
				ledger.FormatTime(l.At), what, entry, a.Format(l.Amount), strconv.FormatInt(l.Left, 10),
				ledger.FormatBig(l.Product, a.Scale),
				a.Format(l.Balance), strconv.FormatInt(l.Stays, 10), ledger.FormatBig(stays, a.Scale),
			}
			if err := line(append(cells, facts...)...); err != nil {
				return err
			}
		}
		return nil
	})
}
