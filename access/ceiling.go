package access

import (
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// Ceilings are how much a back end's token may do on a UTC day: lines in order, with commas between them, such as
// "deposits:*=1%/day,deposits:BNB=10000/day,enrollment=500/day". "" is without a ceiling.
//
// A line has a measure and, of an amount, an asset, "*" being each asset that no line of the measure names. An amount
// is in whole tokens, or a share of the asset's largest supply, rounded down. Every part of the token has a line for
// "*" of each of its measures, so that there is a ceiling for each asset; a token that was stored before there was a
// measure has what is usual (Complete).
type Ceilings string

// Measure is what a line of Ceilings counts.
type Measure string

// The measures. OfDesk counts what OfTrades counts too: what trades move from or to @desk, which takes no other
// holder's tokens and may go below zero, so that such a trade mints or takes.
const (
	OfDeposits    Measure = "deposits"
	OfTrades      Measure = "trades"
	OfDesk        Measure = "desk"
	OfWithdrawals Measure = "withdrawals"
	OfSwitches    Measure = "enrollment" // changes of switches and of residences, closings of accounts
	OfAccounts    Measure = "accounts"   // that are opened
)

// rule is what a measure is: the parts of which a token needs one, and what holds where nobody says otherwise. A
// measure without assets is a number.
type rule struct {
	parts   Parts
	ofAsset bool
	usual   string
}

// rules are the one table of measures. What is usual is ours: a hundredth of all there is of a token moves on few
// days, and a tenth of that against @desk.
var rules = map[Measure]rule{
	OfDeposits:    {Deposits, true, "1%"},
	OfTrades:      {Trades, true, "1%"},
	OfDesk:        {Trades, true, "0.1%"},
	OfWithdrawals: {Withdrawals, true, "1%"},
	OfSwitches:    {Enrollment, false, "10000"},
	OfAccounts:    {Deposits | Enrollment, false, "10000"},
}

// usual are the lines that a token of some parts has where nobody says otherwise.
func usual(parts Parts) (lines []ceiling) {
	for m, r := range rules {
		name := string(m)
		if r.ofAsset {
			name += ":" + everyAsset
		}
		if r.parts&parts != 0 {
			lines = append(lines, ceiling{name, r.usual})
		}
	}
	return lines
}

// Why a call is refused.
const (
	// ErrCeiling is of what may be done again on the next day.
	ErrCeiling ledger.ErrorKind = "the ceiling of the day is reached"
)

const (
	perDay      = "/day"
	everyAsset  = "*"
	mostCeiling = 200 // lines of a token
)

// ceiling is a line of Ceilings.
type ceiling struct{ name, amount string }

// ParseCeilings reads lines such as "deposits:BNB=10000/day", "trades:*=0.5%/day" and "enrollment=500/day", and has
// what is usual where none is given: 1 % of the largest supply of each asset, 0.1 % of it against @desk, 10,000
// switches and 10,000 accounts. parts are those of the token; a line of another, or two of one asset, are
// ledger.ErrInvalid.
func ParseCeilings(parts Parts, lines ...string) (Ceilings, error) {
	given := map[string]string{}
	for _, c := range usual(parts) {
		given[c.name] = c.amount
	}
	said := map[string]bool{}
	for _, line := range lines {
		c, err := parseCeiling(strings.TrimSpace(line))
		if err != nil {
			return "", err
		}
		if said[c.name] {
			return "", ledger.ErrInvalid.In("ceilings", "there are two ceilings of %s", ledger.Clip(c.name))
		}
		if needed := rules[c.measure()].parts; needed&parts == 0 {
			return "", ledger.ErrInvalid.In("ceilings", "the token is not for %s, and so has no ceiling of it", needed)
		}
		said[c.name], given[c.name] = true, c.amount
	}
	all := make([]string, 0, len(given))
	for name, amount := range given {
		all = append(all, ceiling{name, amount}.String())
	}
	if len(all) > mostCeiling {
		return "", ledger.ErrInvalid.In("ceilings", "%d ceilings; a token has at most %d", len(all), mostCeiling)
	}
	return inOrder(all), nil
}

// inOrder are ceilings of lines, which it sorts.
func inOrder(lines []string) Ceilings {
	slices.Sort(lines)
	return Ceilings(strings.Join(lines, ","))
}

// Complete is the ceilings with what is usual for each measure that a token of some parts has no line of, since it
// was stored before there was the measure. "" stays without a ceiling.
func (c Ceilings) Complete(parts Parts) Ceilings {
	if c == "" {
		return ""
	}
	var missing []string
	for _, line := range usual(parts) {
		if !strings.Contains(","+string(c), ","+string(line.measure())) { // no measure begins with another's name
			missing = append(missing, line.String())
		}
	}
	if missing == nil {
		return c
	}
	return inOrder(append(missing, c.Lines()...))
}

// String is a line.
func (c ceiling) String() string { return c.name + "=" + c.amount + perDay }

// measure is what the line counts, where there is such a measure.
func (c ceiling) measure() Measure {
	name, _, _ := strings.Cut(c.name, ":")
	return Measure(name)
}

// parseCeiling reads a line. Whether there is such an asset, the books know.
func parseCeiling(line string) (c ceiling, err error) {
	wrong := func(format string, args ...any) (ceiling, error) {
		return ceiling{}, ledger.ErrInvalid.In("ceilings", format, args...)
	}
	name, amount, _ := strings.Cut(line, "=")
	amount, daily := strings.CutSuffix(amount, perDay)
	if !daily {
		return wrong("%q is not a ceiling such as deposits:BNB=10000/day, trades:*=1%%/day or enrollment=500/day",
			ledger.Clip(line))
	}
	c = ceiling{name, amount}
	_, symbol, ofAsset := strings.Cut(name, ":")
	share, isShare := strings.CutSuffix(amount, "%")
	switch of, known := rules[c.measure()]; {
	case !known:
		return wrong("%q: it counts one of %s", ledger.Clip(line), join(slices.Sorted(maps.Keys(rules))))
	case of.ofAsset != ofAsset:
		return wrong("%q: a ceiling of an amount names an asset, or * for each other, and that of a number names none",
			ledger.Clip(line))
	case !ofAsset:
		if n, err := strconv.ParseUint(amount, 10, 31); err != nil || strconv.FormatUint(n, 10) != amount {
			return wrong("%q: a number is a whole number", ledger.Clip(line))
		}
		return c, nil
	case isShare:
		if n, err := ledger.ParseDecimal(share, shareScale); err != nil || n < 0 || n > wholeSupply {
			return wrong("%q: a share is 0%% to 100%%, with at most two decimals", ledger.Clip(line))
		}
	case symbol == everyAsset:
		return wrong("%q: a ceiling of each other asset is a share of its largest supply, such as 1%%", ledger.Clip(line))
	}
	if symbol != everyAsset {
		if err := (ledger.Asset{Symbol: symbol, MaxSupply: 1}).Check(); err != nil {
			return ceiling{}, ledger.At("ceilings", err)
		}
	}
	return c, nil
}

// The scale of a share in percent, and all of a supply in it.
const (
	shareScale  = 2
	wholeSupply = 100_00
)

// Check is ledger.ErrInvalid unless the ceilings are as ParseCeilings makes them for a token of some parts, now or
// before there was one of the measures.
func (c Ceilings) Check(parts Parts) error {
	if c == "" {
		return nil
	}
	again, err := ParseCeilings(parts, c.Lines()...)
	if err == nil && (again != c.Complete(parts) || inOrder(c.Lines()) != c) {
		err = ledger.ErrInvalid.In("ceilings", "the ceilings %q are not as ParseCeilings makes them", ledger.Clip(string(c)))
	}
	return err
}

// Assets are those that lines name, in order.
func (c Ceilings) Assets() (symbols []string) {
	for line := range strings.SplitSeq(string(c), ",") {
		name, _, _ := strings.Cut(line, "=")
		if _, symbol, ofAsset := strings.Cut(name, ":"); ofAsset && symbol != everyAsset {
			symbols = append(symbols, symbol)
		}
	}
	slices.Sort(symbols)
	return slices.Compact(symbols)
}

// AreUsual reports whether they are what a token of some parts has where nobody says otherwise.
func (c Ceilings) AreUsual(parts Parts) bool {
	usual, err := ParseCeilings(parts)
	return err == nil && c.Complete(parts) == usual
}

// Lines are the lines; none where there is no ceiling.
func (c Ceilings) Lines() []string {
	if c == "" {
		return nil
	}
	return strings.Split(string(c), ",")
}

// Of is how much of an asset a measure allows on a day. Where there are ceilings, and none is for it, that is
// nothing. The error is ledger.ErrInvalid for an amount with more decimals than the asset has.
func (c Ceilings) Of(m Measure, asset ledger.Asset) (ledger.Amount, error) {
	if c == "" {
		return ledger.MaxSupply, nil
	}
	amount, found := c.line(string(m) + ":" + asset.Symbol)
	if !found {
		amount, found = c.line(string(m) + ":" + everyAsset)
	}
	if !found {
		return 0, nil
	}
	share, isShare := strings.CutSuffix(amount, "%")
	if !isShare {
		n, err := asset.Parse(amount)
		if err == nil && n < 0 {
			err = ledger.ErrInvalid.In("ceilings", "a ceiling of %s is below zero", asset.Symbol)
		}
		return n, ledger.At("ceilings", err)
	}
	n, err := ledger.ParseDecimal(share, shareScale)
	if err != nil || n < 0 || n > wholeSupply {
		return 0, ledger.ErrInvalid.In("ceilings", "%q is no share of a supply", ledger.Clip(share))
	}
	high, low := bits.Mul64(uint64(asset.MaxSupply), uint64(n))
	quotient, _ := bits.Div64(high, low, wholeSupply) // rounded down; at most the supply
	return ledger.Amount(quotient), nil
}

// Count is how many of a measure without assets are allowed on a day; below zero: any number.
func (c Ceilings) Count(m Measure) int64 {
	if c == "" {
		return -1
	}
	amount, _ := c.line(string(m))
	n, err := strconv.ParseUint(amount, 10, 31)
	if err != nil {
		return 0 // what cannot be read allows nothing
	}
	return int64(n)
}

// line is the amount of a line.
func (c Ceilings) line(name string) (amount string, found bool) {
	for line := range strings.SplitSeq(string(c), ",") {
		if rest, is := strings.CutPrefix(line, name+"="); is {
			return strings.TrimSuffix(rest, perDay), true
		}
	}
	return "", false
}
