package history

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// maxExponent bounds the exponent of an amount in scientific notation, both ways.
const maxExponent = 40

// grouped matches digits with a comma before groups of three, and groupsOfThousands
// those of them in which the comma cannot be the decimal point.
var (
	grouped           = regexp.MustCompile(`^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?$`)
	groupsOfThousands = regexp.MustCompile(`^[+-]?[0-9]+(,[0-9]{3}){2,}$|\.`)
)

// showsThousands reports whether an amount can only mean that commas group thousands.
func showsThousands(s string) bool { return isGrouped(s) && groupsOfThousands.MatchString(s) }

// isGrouped reports whether s matches grouped; most amounts have no comma.
func isGrouped(s string) bool { return strings.IndexByte(s, ',') >= 0 && grouped.MatchString(s) }

var errTwoWays = errors.New("can be read in two ways, with the comma for thousands or for decimals")

// decimalComma matches an amount whose comma can only stand for decimals, and pointGroups
// one whose points may group thousands.
var (
	decimalComma = regexp.MustCompile(`^[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+),[0-9]+$`)
	pointGroups  = regexp.MustCompile(`^[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+$`)
)

func showsDecimalComma(s string) bool {
	return strings.IndexByte(s, ',') >= 0 && decimalComma.MatchString(s) && !isGrouped(s)
}

// mayGroupByPoints reports whether s matches pointGroups, whose last group is of three.
func mayGroupByPoints(s string) bool {
	return len(s) > 4 && s[len(s)-4] == '.' && pointGroups.MatchString(s)
}

// parseAmount reads a number as the exchange writes it, "-0.5" or "1.2e-07", or with
// its thousands grouped, "1,500.25", as
// units of 10^-scale, rounded half away from zero where it has more digits;
// rounded reports whether that changed it. Its errors are whole sentences.
func parseAmount(s string, scale int) (n ledger.Amount, rounded bool, err error) {
	if s == "" {
		return 0, false, errors.New("it has no amount")
	}
	if isGrouped(s) {
		if !groupsOfThousands.MatchString(s) {
			return 0, false, fmt.Errorf("its amount %q %w", ledger.Clip(s), errTwoWays)
		}
		s = strings.ReplaceAll(s, ",", "")
	}
	digits, exponent, negative, ok := parseDecimal(s)
	if !ok {
		return 0, false, fmt.Errorf("its amount %q is not a number", ledger.Clip(s))
	}
	if exponent < -maxExponent || exponent > maxExponent {
		return 0, false, fmt.Errorf("its amount %q has an exponent past %d", ledger.Clip(s), maxExponent)
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	n, rounded, ok = round(whole+fraction, exponent-len(fraction)+scale)
	if !ok {
		return 0, false, fmt.Errorf("its amount %q does not fit 63 bits at %d decimals", ledger.Clip(s), scale)
	}
	if negative {
		n = -n
	}
	return n, rounded, nil
}

// parseDecimal takes a number apart: its digits with at most one point among
// them, and what follows "e", at most one more than maxExponent from zero.
func parseDecimal(s string) (digits string, exponent int, negative, ok bool) {
	s, negative = cutSign(s)
	mark := strings.IndexAny(s, "eE")
	if mark < 0 {
		return s, 0, negative, isNumber(s)
	}
	power, below := cutSign(s[mark+1:])
	if power == "" || !allDigits(power) {
		return "", 0, false, false
	}
	for i := range len(power) {
		exponent = min(exponent*10+int(power[i]-'0'), maxExponent+1)
	}
	if below {
		exponent = -exponent
	}
	return s[:mark], exponent, negative, isNumber(s[:mark])
}

// round returns digits × 10^shift as a whole number, half up, whether anything
// was rounded off, and whether it fits 63 bits.
func round(digits string, shift int) (n ledger.Amount, rounded, ok bool) {
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return 0, false, true
	}
	up := false
	if shift < 0 {
		kept := max(len(digits)+shift, 0)
		off := digits[kept:]
		rounded = strings.Trim(off, "0") != ""
		up = len(off) == -shift && off[0] >= '5' // shorter: a zero stood before it
		digits = digits[:kept]
		shift = 0
	}
	if len(digits)+shift > 19 {
		return 0, false, false
	}
	for i := range len(digits) + shift {
		d := ledger.Amount(0)
		if i < len(digits) {
			d = ledger.Amount(digits[i] - '0')
		}
		if n > (math.MaxInt64-d)/10 {
			return 0, false, false
		}
		n = n*10 + d
	}
	if up {
		if n == math.MaxInt64 {
			return 0, false, false
		}
		n++
	}
	return n, rounded, true
}

func cutSign(s string) (rest string, negative bool) {
	if strings.HasPrefix(s, "-") {
		return s[1:], true
	}
	return strings.TrimPrefix(s, "+"), false
}

// isNumber reports whether s is digits with at most one point among them: "2", "2.5", ".5".
func isNumber(s string) bool {
	whole, fraction, _ := strings.Cut(s, ".")
	return whole+fraction != "" && allDigits(whole) && allDigits(fraction)
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
