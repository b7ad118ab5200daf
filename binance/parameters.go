package binance

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/softstake/softstake/ledger"
)

// parameters are a request's, by name. One that is empty counts as not sent.
type parameters map[string]string

// need is a parameter that the request cannot do without: -1102.
func (p parameters) need(name string) (string, error) {
	if p[name] == "" {
		return "", mandatory(name)
	}
	return p[name], nil
}

// asset is the symbol of an asset, or "". One that nobody knows is none of an
// error: clients send "undefined" for what was not set. -1100: other characters
// than letters and digits.
func (p parameters) asset(name string) (string, error) {
	if strings.ContainsFunc(p[name], func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		return "", illegal(name)
	}
	return p[name], nil
}

// int is a whole number from low to high, or usual where it was not sent. -1100: no
// number; -1130: another.
func (p parameters) int(name string, usual, low, high int) (int, error) {
	text := p[name]
	if text == "" {
		return usual, nil
	}
	if !whole(text) {
		return 0, illegal(name)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, invalid(name)
	}
	return n, nil
}

// flag is true or false in any case, or usual where it was not sent. -1102: anything else.
func (p parameters) flag(name string, usual bool) (bool, error) {
	switch {
	case p[name] == "":
		return usual, nil
	case strings.EqualFold(p[name], "true"):
		return true, nil
	case strings.EqualFold(p[name], "false"):
		return false, nil
	}
	return false, mandatory(name)
}

// microDigits is the length of a time that is in microseconds.
const microDigits = 16

// lastMoment is the end of the year 9999, in milliseconds.
const lastMoment = 253_402_300_799_999

// time is a moment in milliseconds since 1970, or in microseconds where it has 16
// digits; the zero time where it was not sent. -1100: no number; -1130: no moment.
func (p parameters) time(name string) (time.Time, error) {
	text := p[name]
	if text == "" {
		return time.Time{}, nil
	}
	if !whole(text) {
		return time.Time{}, illegal(name)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil || n < 0:
		return time.Time{}, invalid(name)
	case len(text) == microDigits:
		return time.UnixMicro(n).UTC(), nil
	case n > lastMoment:
		return time.Time{}, invalid(name)
	}
	return time.UnixMilli(n).UTC(), nil
}

// amount is an amount above zero of an asset. -1102: not sent; -1100: no decimal
// number; -1111: more decimals than the asset keeps; -1130: zero, or more than
// there can be.
func (p parameters) amount(name string, asset ledger.Asset) (ledger.Amount, error) {
	text, err := p.need(name)
	if err != nil {
		return 0, err
	}
	if !numeric(text) {
		return 0, illegal(name)
	}
	_, fraction, _ := strings.Cut(text, ".")
	if len(strings.TrimRight(fraction, "0")) > asset.Scale {
		return 0, errPrecision
	}
	amount, err := asset.Parse(text)
	if err != nil || amount <= 0 || amount > asset.MaxSupply {
		return 0, invalid(name)
	}
	return amount, nil
}

// whole reports whether text is made as a whole number is.
func whole(text string) bool {
	text = strings.TrimPrefix(text, "-")
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// numeric reports whether text is made as a decimal number is: 2, -2 or 2.5.
func numeric(text string) bool {
	before, after, point := strings.Cut(text, ".")
	return whole(before) && (!point || whole(after) && after[0] != '-')
}

const day = 24 * time.Hour

// page is which part of a list is asked for: "current" from 1, "size" to 100.
func (r *request) page() (offset, size int, err error) {
	current, err := r.parameters.int("current", 1, 1, math.MaxInt32)
	if err == nil {
		size, err = r.parameters.int("size", 10, 1, 100)
	}
	return min(current-1, math.MaxInt32/100) * size, size, err
}

// span is the range of time that is asked for with "startTime" and "endTime", both
// ends inclusive. Where one is not given it lies as far from the other as is usual,
// and where none is, up to now. -6021: longer than the longest; -1130: the end
// before the start.
func (r *request) span(usual, longest time.Duration) (from, to time.Time, err error) {
	if from, err = r.parameters.time("startTime"); err != nil {
		return from, to, err
	}
	if to, err = r.parameters.time("endTime"); err != nil {
		return from, to, err
	}
	switch {
	case from.IsZero() && to.IsZero():
		from, to = r.now.Add(-usual), r.now
	case from.IsZero():
		from = to.Add(-usual)
	case to.IsZero():
		to = from.Add(usual)
	}
	switch {
	case to.Before(from):
		return from, to, invalid("startTime")
	case to.Sub(from) > longest:
		return from, to, errRange
	}
	return from, to, nil
}
