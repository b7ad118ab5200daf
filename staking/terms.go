package staking

import (
	"fmt"
	"math/bits"

	"github.com/softstake/softstake/ledger"
)

// Rate is a yearly rate in 1e-8: 0.0015 a year is 150,000.
type Rate int64

// rateLimit keeps balance × milliseconds × rate below 2^127.
const rateLimit Rate = 1 << 30

const rateScale = 8

// Whole is the fraction 1 as a Rate.
const Whole Rate = 100_000_000

// ParseRate reads a rate a year such as "0.0015", of at most 8 decimals.
func ParseRate(s string) (Rate, error) { return parseRate("APR", s) }

// parseRate reads a rate; an error begins with what the rate is.
func parseRate(what, s string) (Rate, error) {
	n, err := ledger.ParseDecimal(s, rateScale)
	if err != nil {
		return 0, fmt.Errorf("%s %w", what, err)
	}
	return Rate(n), nil
}

// String writes the rate as ParseRate reads it: "0.0015".
func (r Rate) String() string { return ledger.FormatDecimal(int64(r), rateScale) }

// Percent writes the rate in percent, exactly: "0.15".
func (r Rate) Percent() string { return ledger.FormatDecimal(int64(r), rateScale-2) }

// Net is what the rate leaves after a fee of 0 to 1, rounded down. The rate must be one that terms may have.
func (r Rate) Net(fee Rate) Rate { return r * (Whole - fee) / Whole }

// Terms are what a token earns on a day (rules: what is earned). They hold from a day on,
// until later terms of the token do.
type Terms struct {
	Asset   string
	From    Day
	Offered bool          // not offered: nobody earns
	Mode    Mode          // where the rewards come from
	APR     Rate          // a year, 0 to 10.73741823; zero unless the mode is Fixed
	Min     ledger.Amount // the average below which nothing is earned, in smallest units, 0 or more
	Cap     ledger.Amount // what is above it earns nothing, in smallest units, at least Min and 1
	Fee     Rate          // the operator's share of staking income whose period ends on the day, 0 to 1

	Measure  Measure // what minimum and cap are compared with, and what earns
	PerOwner bool    // minimum and cap are those of an owner's accounts together
	// The yearly rate before the operator's fee, as the operator states it, 0 to 10.73741823; zero: it is not
	// stated, and always in the mode Share, in which it follows from the income. Where it is stated, the fee is the
	// operator's share of it, too, and GrossAPR.Net(Fee) is the APR.
	GrossAPR Rate
}

// Measure is what of an account's day earns.
type Measure int

// The measures.
const (
	Average Measure = iota // the exact time-weighted average of the free balance
	Lowest                 // its smallest free balance, after all changes of a millisecond
)

var measures = [...]string{Average: "average", Lowest: "daily-minimum"}

// String is "average" or "daily-minimum".
func (m Measure) String() string {
	if !m.known() {
		return fmt.Sprintf("measure %d", int(m))
	}
	return measures[m]
}

func (m Measure) known() bool { return m >= 0 && int(m) < len(measures) }

// ParseMeasure reads what String writes. Its errors are ledger.ErrInvalid.
func ParseMeasure(s string) (Measure, error) {
	for m, name := range measures {
		if s == name {
			return Measure(m), nil
		}
	}
	return 0, ledger.ErrInvalid.In("measure", "%q is no measure; it is one of %v", ledger.Clip(s), measures)
}

// Check returns ledger.ErrInvalid unless the terms are in range, and gross rate, fee and APR agree. Accrue
// cannot fail on terms that passed it. Only what is set now is checked: books of earlier versions may hold a gross
// rate that their fee and APR contradict; nothing is accrued by it, and it is read as it stands.
func (t Terms) Check(asset ledger.Asset) error {
	switch {
	case !t.Mode.known():
		return ledger.ErrInvalid.In("mode", "terms of %s: there is no %s", t.Asset, t.Mode)
	case t.Fee < 0 || t.Fee > Whole:
		return ledger.ErrInvalid.In("fee", "terms of %s: fee %s is not between 0 and 1", t.Asset, t.Fee)
	case t.GrossAPR < 0 || t.GrossAPR >= rateLimit:
		return ledger.ErrInvalid.In("grossApr", "terms of %s: the gross rate %s is not between 0 and %s", t.Asset,
			t.GrossAPR, rateLimit-1)
	case t.Mode != Fixed && t.APR != 0:
		return ledger.ErrInvalid.In("apr", "terms of %s: in the mode %s the rate follows from the income; the APR is 0",
			t.Asset, t.Mode)
	case t.APR < 0 || t.APR >= rateLimit:
		return ledger.ErrInvalid.In("apr", "terms of %s: APR %s is not between 0 and %s", t.Asset, t.APR, rateLimit-1)
	case t.Min < 0 || t.Min > asset.MaxSupply:
		return ledger.ErrInvalid.In("minimum", "terms of %s: minimum %s is not between 0 and %s",
			t.Asset, asset.Format(t.Min), asset.Format(asset.MaxSupply))
	case t.Cap < 1 || t.Cap < t.Min || t.Cap > asset.MaxSupply:
		return ledger.ErrInvalid.In("cap", "terms of %s: cap %s is not between the minimum and %s",
			t.Asset, asset.Format(t.Cap), asset.Format(asset.MaxSupply))
	case !t.Measure.known():
		return ledger.ErrInvalid.In("measure", "terms of %s: there is no %s", t.Asset, t.Measure)
	case t.Mode != Fixed && t.GrossAPR != 0:
		return ledger.ErrInvalid.In("grossApr", "terms of %s: in the mode %s the gross rate follows from the income; "+
			"it is not stated", t.Asset, t.Mode)
	case t.GrossAPR != 0 && t.GrossAPR < t.APR:
		return ledger.ErrInvalid.In("grossApr", "terms of %s: the gross rate %s is below the APR %s", t.Asset, t.GrossAPR,
			t.APR)
	case t.GrossAPR != 0 && t.GrossAPR.Net(t.Fee) != t.APR:
		return t.contradiction()
	}
	return nil
}

// contradiction says what the three rates are, and what each would have to be.
func (t Terms) contradiction() error {
	set := fmt.Sprintf("set the APR to %s", t.GrossAPR.Net(t.Fee))
	// The part for holders is rounded up, so that it gives the APR rounded down. Of a gross rate above 1 there may be
	// no such fee.
	kept := Whole - (t.APR*Whole+t.GrossAPR-1)/t.GrossAPR
	if t.GrossAPR.Net(kept) == t.APR {
		set += fmt.Sprintf(" or the fee to %s", kept)
	}
	return ledger.ErrInvalid.In("grossApr", "terms of %s: the gross rate %s less a fee of %s is %s, and not the APR %s; "+
		"%s, or do not state the gross rate", t.Asset, t.GrossAPR, t.Fee, t.GrossAPR.Net(t.Fee), t.APR, set)
}

// Same reports whether the terms are those of others, whatever day they hold from.
func (t Terms) Same(o Terms) bool {
	t.From = o.From
	return t == o
}

// Describe is how the log says the terms.
func (t Terms) Describe(a ledger.Asset) string {
	offer := "offered"
	if !t.Offered {
		offer = "not offered"
	}
	figures := fmt.Sprintf("from %s %s, APR %s, minimum %s, cap %s", t.From, offer, t.APR, a.Format(t.Min),
		a.Format(t.Cap))
	if t.Mode != Fixed || t.Fee != 0 {
		figures += fmt.Sprintf(", mode %s, fee %s", t.Mode, t.Fee)
	}
	if t.Measure != Average {
		figures += ", measure " + t.Measure.String()
	}
	if t.PerOwner {
		figures += ", minimum and cap per owner"
	}
	if t.GrossAPR != 0 {
		figures += ", gross rate " + t.GrossAPR.String()
	}
	return figures
}

// Limit is above what a token's day needs approval before it is paid, and what else of a token is limited. Zero: no
// limit.
type Limit struct {
	Asset    string
	MaxTotal ledger.Amount // of a day's rewards, in smallest units
	// Of a day's total against the day before, either way, in hundredths of a percent. In the mode Share, in which
	// most days pay nothing: of the rise of the effective rate.
	MaxChange int64
	// With four eyes: of a withdrawal from which on completing it needs approval, in smallest units. It limits no day.
	MaxWithdrawal ledger.Amount
	MaxAPR        Rate // of terms, before the fee too
	// Of what entries bring into the books on a UTC day, in smallest units: deposits of credentials without a ceiling,
	// opening balances, imports, income and corrections. Above it income and corrections need approval, or are refused
	// without four eyes; the rest is refused.
	MaxInflow ledger.Amount
}

// Check is ledger.ErrInvalid for a limit below zero.
func (l Limit) Check() error {
	if l.MaxTotal < 0 || l.MaxChange < 0 || l.MaxWithdrawal < 0 || l.MaxAPR < 0 || l.MaxInflow < 0 {
		return ledger.ErrInvalid.In("", "the limits of %s are zero (none) or above", l.Asset)
	}
	return nil
}

// Missing are the limits that are not set: some of "total", "change", "withdrawal", "apr" and "inflow", in this order.
// That of withdrawals is of use with four eyes only, and else not missing.
func (l Limit) Missing(fourEyes bool) (names []string) {
	for _, one := range []struct {
		name string
		set  bool
	}{{"total", l.MaxTotal > 0}, {"change", l.MaxChange > 0}, {"withdrawal", l.MaxWithdrawal > 0 || !fourEyes},
		{"apr", l.MaxAPR > 0}, {"inflow", l.MaxInflow > 0}} {
		if !one.set {
			names = append(names, one.name)
		}
	}
	return names
}

// CheckTerms is ledger.ErrInvalid for terms with a rate above the limit.
func (l Limit) CheckTerms(t Terms) error {
	if rate := max(t.APR, t.GrossAPR); l.MaxAPR > 0 && rate > l.MaxAPR {
		return ledger.ErrInvalid.In("apr", "an APR of %s is above the limit of %s, %s; raise the limit first", rate, l.Asset,
			l.MaxAPR).Because(ReasonAPRLimit)
	}
	return nil
}

// ReasonAPRLimit is why terms are refused whose rate is above the token's limit.
const ReasonAPRLimit = "apr-limit"

// smallDays is the part of the limit of a day's total below which its change is not looked at.
const smallDays = 100

// Compares reports whether the change of a day with such a total is looked at: in small books one holder doubles a day.
func (l Limit) Compares(total ledger.Amount) bool { return total >= l.MaxTotal/smallDays }

// Exceeded is a sentence about the limit that the day's total exceeds, or "". before is the
// total of the day before, if it is known. Where the total is limited, days below a hundredth of that limit (rounded
// down) are not compared.
func (l Limit) Exceeded(asset ledger.Asset, total, before ledger.Amount, known bool) string {
	if l.MaxTotal > 0 && total > l.MaxTotal {
		return fmt.Sprintf("the day's total %s %s is above %s", asset.Format(total), l.Asset, asset.Format(l.MaxTotal))
	}
	if l.MaxChange == 0 || !known {
		return ""
	}
	if !l.Compares(max(total, before)) {
		return ""
	}
	change := total - before
	if change < 0 {
		change = -change
	}
	overHi, overLo := bits.Mul64(uint64(change), 10_000)
	hi, lo := bits.Mul64(uint64(before), uint64(l.MaxChange))
	if overHi < hi || (overHi == hi && overLo <= lo) {
		return ""
	}
	return fmt.Sprintf("the day's total %s %s is more than %s%% away from %s of the day before",
		asset.Format(total), l.Asset, ledger.FormatDecimal(l.MaxChange, 2), asset.Format(before))
}

// Risen is a sentence about the effective rate that has risen by more than the limit, or "". A fall needs no
// approval: what is missing of a period's income can be entered later. Of a rate of zero there is none.
func (l Limit) Risen(rate, before Rate) string {
	if l.MaxChange == 0 || before <= 0 || rate <= before {
		return ""
	}
	overHi, overLo := bits.Mul64(uint64(rate-before), 10_000)
	hi, lo := bits.Mul64(uint64(before), uint64(l.MaxChange))
	if overHi < hi || (overHi == hi && overLo <= lo) {
		return ""
	}
	return fmt.Sprintf("the income gives %s a rate of %s%% a year, more than %s%% above %s%% before", l.Asset,
		rate.Percent(), ledger.FormatDecimal(l.MaxChange, 2), before.Percent())
}
