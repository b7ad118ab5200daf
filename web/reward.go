package web

import (
	"errors"
	"fmt"
	"html/template"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/ui"
)

// rewardPage is a day of a token, and the explanation of its reward or of why there is none.
type rewardPage struct {
	*view
	reports.Explanation
	Paper         sheet
	Chart         ui.DayChart
	Value         ledger.Amount // of what was credited, in USDT
	Price         ledger.Amount // of a whole token on the day; 0: not known
	Before, After staking.Day   // the nearest days with a reward, or 0
}

// reward explains a day of a token.
func (v *visit) reward() error {
	e, err := v.explain()
	if err != nil {
		return err
	}
	p := rewardPage{view: v.view("reward.title"), Explanation: e, Paper: sheetOf(e.Paper())}
	p.Chart = p.View.DayChart(e, v.began)
	if price, known, err := v.Reports.PriceOf(v.context(), e.Asset.Symbol, e.Measured.Day); err != nil {
		return err
	} else if known {
		p.Price = ledger.Amount(price)
		if p.Value, err = conversion.Value(e.Asset, e.Measured.Reward, price); err != nil {
			return err
		}
	}
	if p.Before, p.After, err = v.Reports.NearRewards(v.context(), v.account(), e.Measured.Day,
		e.Asset.Symbol); err != nil {
		return err
	}
	return v.show("reward", p)
}

// explain explains the day and the token of the path: ledger.ErrNotFound if the books have
// no such token or day, or the day has not begun.
func (v *visit) explain() (reports.Explanation, error) {
	day, err := staking.ParseDay(v.r.PathValue("day"))
	if err != nil {
		return reports.Explanation{}, ledger.ErrNotFound
	}
	e, err := v.Reports.Explain(v.context(), v.account(), day, v.r.PathValue("asset"))
	if errors.Is(err, ledger.ErrInvalid) {
		err = ledger.ErrNotFound
	}
	return e, err
}

// Date is the day that is explained.
func (p rewardPage) Date() string { return p.Day(p.Measured.Day) }

// Sentence is why there is no reward, or none yet.
func (p rewardPage) Sentence() (string, error) {
	window, err := p.Window(p.Measured.Day)
	if err != nil {
		return "", err
	}
	variant := ""
	switch {
	case p.Behind != 0:
		variant = ".behind"
	case p.Weighing != nil && (p.Why == reports.WhyNotOver || p.Why == reports.WhyNotSettled):
		variant = ".share"
	}
	key := fmt.Sprintf("reward.why.%s%s", p.Why, variant)
	if p.Why == reports.WhyBelow || p.Why == reports.WhyBelowYet {
		key = p.By(key)
		if p.Joint() {
			key += ".together"
		}
	}
	entered := staking.Day(0)
	if p.Why == reports.WhyEntered {
		entered = p.Weighing.Entered[0].PaidOn
		if window, err = p.Window(entered); err != nil {
			return "", err
		}
	}
	compared, _ := p.Compared()
	return p.T(key, "token", p.Asset.Symbol, "day", p.Date(), "behind", p.Day(p.Behind), "window", window,
		"average", p.Plain(p.Asset, compared), "minimum", p.Plain(p.Asset, p.Terms.Min), "missing",
		p.Plain(p.Asset, p.Terms.Min-compared), "product", p.Excluded, "entered", p.Day(entered)), nil
}

// OfItself is why the day itself earns nothing, beside its shares; "" where it earns.
func (p rewardPage) OfItself() string {
	if p.Itself == "" {
		return ""
	}
	key := fmt.Sprintf("reward.itself.%s", p.Itself)
	if p.Itself == reports.WhyBelow || p.Itself == reports.WhyBelowYet {
		key = p.By("reward.itself.below")
		if p.Joint() {
			key += ".together"
		}
	}
	compared, _ := p.Compared()
	return p.T(key, "token", p.Asset.Symbol, "product", p.Excluded, "average", p.Plain(p.Asset, compared), "minimum",
		p.Plain(p.Asset, p.Terms.Min))
}

// IncomeShared reports whether the reward has shares of incomes, or the day counts in the division of one.
func (p rewardPage) IncomeShared() bool {
	return p.Weighing != nil || slices.ContainsFunc(p.Shares, func(s reports.Share) bool { return s.Budget == nil })
}

// CampaignShared reports whether the reward has shares of campaigns.
func (p rewardPage) CampaignShared() bool {
	return slices.ContainsFunc(p.Shares, func(s reports.Share) bool { return s.Budget != nil })
}

// ByRate reports whether the day itself earns at a stated rate.
func (p rewardPage) ByRate() bool { return p.Terms.Mode == staking.Fixed && !p.OnlyShares }

// By is the key of a text that says how the day is measured.
func (p rewardPage) By(key string) string { return ui.TextBy(p.Terms.Measure, key) }

// Lowest reports whether the day is measured by its smallest balance.
func (p rewardPage) Lowest() bool { return p.Terms.Measure == staking.Lowest }

// Waits reports whether the day is accrued in the mode share, has no reward, and waits for its income, or for the
// division of it.
func (p rewardPage) Waits() bool { return p.Why == reports.WhyNoIncome || p.Why == reports.WhyEntered }

// Accrued is the heading over a day that is accrued, and not paid.
func (p rewardPage) Accrued() string {
	if p.Weighing.Waits() {
		return p.T("reward.waiting")
	}
	return p.T("reward.entered")
}

// Joint reports whether minimum and cap are compared with what the owner's accounts hold together.
func (p rewardPage) Joint() bool { return p.Together != (staking.Integral{}) }

// Average is what is compared with the minimum, and that it goes on where it does.
func (p rewardPage) Average() string {
	average, rest := p.Compared()
	return p.Plain(p.Asset, average) + more(rest > 0)
}

// Eligible is what of the day earns, likewise.
func (p rewardPage) Eligible() string {
	text, exact := reports.DaysDecimal(p.Paper.Earning, 1, p.Asset.Scale, 0)
	return p.Number(text) + more(!exact)
}

// more shows that a figure goes on.
func more(is bool) string {
	if is {
		return "…"
	}
	return ""
}

// PaidLater reports whether the day has no reward of its own, and is paid with that of another day.
func (p rewardPage) PaidLater() bool {
	return p.Paid && p.Weighing != nil && len(p.Weighing.PaidBy) > 0 && len(p.Shares) == 0
}

// Weight is what the day counts for in the division of its income, in smallest units × milliseconds.
func (p rewardPage) Weight() *big.Int {
	mine, _ := p.Weighing.Whole()
	return mine
}

// Everybody is the same of all accounts; nil: it is not known yet.
func (p rewardPage) Everybody() *big.Int {
	_, all := p.Weighing.Whole()
	if all.Sign() == 0 {
		return nil
	}
	return all
}

// PlusExact is Exact with the sign of an addition or subtraction.
func (p rewardPage) PlusExact(units *big.Int) string {
	return plus(units.Sign(), p.Exact(new(big.Int).Abs(units)))
}

// Rate is the rate as a factor: 0.0015.
func (p rewardPage) Rate() string { return p.Number(p.Terms.APR.String()) }

// beyond is how many digits below the smallest unit are shown of an amount before rounding.
const beyond = 8

// Exact is so many Units of a smallest unit as an amount of tokens, with dots where more digits follow.
func (p rewardPage) Exact(units *big.Int) string {
	text, exact := reports.UnitsDecimal(units, p.Asset.Scale, beyond)
	return p.Number(text) + more(!exact)
}

// Carried is a fraction as Exact writes it.
func (p rewardPage) Carried(f staking.Fraction) string { return p.Exact(big.NewInt(int64(f))) }

// Product is smallest units × milliseconds as tokens × seconds.
func (p rewardPage) Product(n *big.Int) string {
	return p.Number(ledger.FormatBig(n, p.Asset.Scale+3))
}

// PlusProduct is Product with the sign of an addition or subtraction.
func (p rewardPage) PlusProduct(n *big.Int) string { return plus(n.Sign(), p.Product(n)) }

// Plus is a change with the sign of an addition or subtraction.
func (p rewardPage) Plus(n ledger.Amount) string {
	return plus(big.NewInt(int64(n)).Sign(), p.Plain(p.Asset, n))
}

func plus(sign int, text string) string {
	if sign < 0 {
		return "− " + strings.TrimPrefix(text, "−")
	}
	return "+ " + text
}

// Full is a value in USDT with all its digits.
func (p rewardPage) Full(value ledger.Amount) string { return p.view.Price(int64(value)) }

// Instant is a time for programs.
func (p rewardPage) Instant(t time.Time) string { return ledger.FormatTime(t) }

// Span is so many milliseconds in seconds.
func (p rewardPage) Span(millis int64) string { return p.Number(ledger.FormatDecimal(millis, 3)) }

// Long is so many milliseconds as hours, minutes and seconds: "05:12:03".
func (p rewardPage) Long(millis int64) string {
	text := fmt.Sprintf("%02d:%02d:%02d", millis/3_600_000, millis/60_000%60, millis/1000%60)
	if rest := millis % 1000; rest > 0 {
		text += p.Decimal + fmt.Sprintf("%03d", rest)
	}
	return text
}

// Hour is a time of the day in UTC, to the millisecond where it is not a whole second.
func (p rewardPage) Hour(t time.Time) string { return p.Long(t.UnixMilli() - p.Measured.Day.Millis()) }

// Yours is a time in the visitor's zone, with its date where that is not the day's.
func (p rewardPage) Yours(t time.Time) template.HTML {
	here := t.In(p.Location)
	text := here.Format(time.TimeOnly)
	if here.Format(time.DateOnly) != p.Measured.Day.String() {
		text = strings.NewReplacer("{date}", p.Locale.Date(here), "{clock}", text).Replace(p.TimeFormat)
	}
	return p.Stamp(t, text, "")
}

// What is the change of the balance.
func (p rewardPage) What(c *reports.Change) string {
	if c == nil {
		return p.T("reward.opening")
	}
	return p.Happened(nameOf(c.Kind, c.Amount), c.Other, "")
}

// Early are the changes of the day's first millisecond, which are in the opening.
func (p rewardPage) Early() (early []*reports.Change) {
	for i, c := range p.Changes {
		if c.At.Equal(p.Measured.Day.Start()) {
			early = append(early, &p.Changes[i])
		}
	}
	return early
}

// Of is the page of another day.
func (p rewardPage) Of(d staking.Day) string { return rewardPath(d, p.Asset.Symbol) }

func rewardPath(d staking.Day, asset string) string {
	return "/earn/rewards/" + d.String() + "/" + asset
}

// sheet is as much of a paper as can be read: of a day with very many changes the first
// and the last lines, and the sum of those between.
type sheet struct {
	reports.Paper
	Head, Tail []reports.PaperLine
	Hidden     int
	Between    *big.Int // the sum of the hidden lines
}

// shownLines is how many lines of a paper are shown at each end, at most.
const shownLines = 100

func sheetOf(paper reports.Paper) sheet {
	s := sheet{Paper: paper, Head: paper.Lines}
	if s.Hidden = len(paper.Lines) - 2*shownLines; s.Hidden <= 1 {
		s.Hidden = 0
		return s
	}
	s.Head, s.Tail, s.Between = paper.Lines[:shownLines], paper.Lines[shownLines+s.Hidden:], new(big.Int)
	for _, l := range paper.Lines[shownLines : shownLines+s.Hidden] {
		s.Between.Add(s.Between, l.Product)
	}
	return s
}
