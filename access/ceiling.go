package access

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// Ceilings are how much a back end's token may do on a UTC day: lines in order, with commas between them, such as
// "deposits:*=1%/day,deposits:BNB=10000/day,enrollment=500/day". "" is without a ceiling.
//
// A line has a part and an asset, "*" being each asset that no line of the part names. Its amount is in whole
// tokens, or a share of the asset's largest supply, rounded down. Enrollment has no asset: it counts changes of
// switches. Every part of the token has a line for "*", so that there is a ceiling for each asset.
type Ceilings string

// What holds where nobody says otherwise. Ours: a hundredth of all there is of a token moves on few days.
const (
	usualShare    = "1%"
	usualSwitches = "10000"
)

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
// what is usual where none is given: 1 % of the largest supply of each asset, and 10,000 switches. parts are those of
// the token; a line of another, or two of one asset, are ledger.ErrInvalid.
func ParseCeilings(parts Parts, lines ...string) (Ceilings, error) {
	given := map[string]string{}
	for _, part := range []Parts{Deposits, Trades, Withdrawals} {
		given[part.String()+":"+everyAsset] = usualShare
	}
	given[Enrollment.String()] = usualSwitches
	said := map[string]bool{}
	for _, line := range lines {
		c, err := parseCeiling(strings.TrimSpace(line))
		if err != nil {
			return "", err
		}
		if said[c.name] {
			return "", ledger.ErrInvalid.In("ceilings", "there are two ceilings of %s", ledger.Clip(c.name))
		}
		if c.part()&parts == 0 {
			return "", ledger.ErrInvalid.In("ceilings", "the token is not for %s, and so has no ceiling of it", c.part())
		}
		said[c.name], given[c.name] = true, c.amount
	}
	var all []string
	for name, amount := range given {
		if c := (ceiling{name, amount}); c.part()&parts != 0 {
			all = append(all, c.String())
		}
	}
	if len(all) > mostCeiling {
		return "", ledger.ErrInvalid.In("ceilings", "%d ceilings; a token has at most %d", len(all), mostCeiling)
	}
	slices.Sort(all)
	return Ceilings(strings.Join(all, ",")), nil
}

// String is a line.
func (c ceiling) String() string { return c.name + "=" + c.amount + perDay }

// part is the part that the line is of; 0: there is none of the name.
func (c ceiling) part() Parts {
	name, _, _ := strings.Cut(c.name, ":")
	part, err := ParseParts(name)
	if err != nil {
		return 0
	}
	return part
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
	switch part := c.part(); {
	case part == 0 || bits.OnesCount8(uint8(part)) > 1:
		return wrong("%q: the part is one of %s", ledger.Clip(line), AllParts)
	case (part == Enrollment) == ofAsset:
		return wrong("%q: a ceiling names an asset, or * for each other, and that of %s names none", ledger.Clip(line),
			Enrollment)
	case part == Enrollment:
		if n, err := strconv.ParseUint(amount, 10, 31); err != nil || strconv.FormatUint(n, 10) != amount {
			return wrong("%q: a number of switches is a whole number", ledger.Clip(line))
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

// Check is ledger.ErrInvalid unless the ceilings are as ParseCeilings makes them for a token of some parts.
func (c Ceilings) Check(parts Parts) error {
	if c == "" {
		return nil
	}
	again, err := ParseCeilings(parts, c.Lines()...)
	if err == nil && again != c {
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
	return err == nil && c == usual
}

// Lines are the lines; none where there is no ceiling.
func (c Ceilings) Lines() []string {
	if c == "" {
		return nil
	}
	return strings.Split(string(c), ",")
}

// Of is how much of an asset entries of a part may move on a day. Where there are ceilings, and none is for it, that is
// nothing. The error is ledger.ErrInvalid for an amount with more decimals than the asset has.
func (c Ceilings) Of(part Parts, asset ledger.Asset) (ledger.Amount, error) {
	if c == "" {
		return ledger.MaxSupply, nil
	}
	amount, found := c.line(part.String() + ":" + asset.Symbol)
	if !found {
		amount, found = c.line(part.String() + ":" + everyAsset)
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

// Switches is how many changes of switches are allowed on a day; below zero: any number.
func (c Ceilings) Switches() int64 {
	if c == "" {
		return -1
	}
	amount, _ := c.line(Enrollment.String())
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
