package exchange

import (
	"fmt"
	"strconv"
	"strings"
)

// decimal is an amount in units of 10^-8 as a decimal number of whole tokens.
func decimal(units int64) string {
	sign := ""
	if units < 0 {
		sign, units = "-", -units
	}
	text := fmt.Sprintf("%s%d.%08d", sign, units/100_000_000, units%100_000_000)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// units is the opposite of decimal; more decimals than it has are an error.
func units(text string) (int64, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	if len(fraction) > scale {
		return 0, fmt.Errorf("%s has more than %d decimals", text, scale)
	}
	return strconv.ParseInt(whole+fraction+strings.Repeat("0", scale-len(fraction)), 10, 64)
}
