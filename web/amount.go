package web

import (
	"strings"
	"unicode"

	"github.com/softstake/softstake/ledger"
)

// amount reads what was typed as an amount of an asset that is above zero, or says
// in the visitor's language why it is none. A decimal point is always one, the
// language's own separators are taken as well, and what could be read in two ways
// is asked about: two languages that take the same text take it for the same amount.
func (l *locale) amount(a ledger.Asset, typed string) (n ledger.Amount, fault string) {
	decimal, fault := l.decimal(withoutSymbol(strings.TrimSpace(typed), a.Symbol))
	if fault != "" {
		return 0, fault
	}
	_, fraction, _ := strings.Cut(decimal, ".")
	if len(strings.TrimRight(fraction, "0")) > a.Scale {
		return 0, l.T("amount.decimals", "asset", a.Symbol, "n", a.Scale, "smallest", l.smallest(a))
	}
	n, err := a.Parse(decimal)
	switch {
	case err != nil || n > a.MaxSupply:
		return 0, l.T("amount.supply", "asset", a.Symbol, "most", l.number(a.Format(a.MaxSupply)))
	case n == 0:
		return 0, l.T("amount.zero", "asset", a.Symbol, "smallest", l.smallest(a))
	}
	return n, ""
}

// smallest is the asset's smallest unit, as it would be typed.
func (l *locale) smallest(a ledger.Asset) string { return l.typed(a, 1) }

// typed is an amount as it would be typed: with the language's decimal separator,
// and nothing between the thousands.
func (l *locale) typed(a ledger.Asset, n ledger.Amount) string {
	return strings.Replace(a.Format(n), ".", l.Decimal, 1)
}

// withoutSymbol takes a symbol off that stands behind a space, as it does where an amount is copied from.
func withoutSymbol(text, symbol string) string {
	at := len(text) - len(symbol)
	if at <= 0 || !strings.EqualFold(text[at:], symbol) {
		return text
	}
	if number := strings.TrimRightFunc(text[:at], unicode.IsSpace); len(number) < at {
		return number
	}
	return text
}

// decimal reads a number as the language writes it, or with a decimal point, into
// one such as "1234.5"; or says why it is none.
func (l *locale) decimal(text string) (decimal, fault string) {
	mark := l.Decimal
	if !strings.Contains(text, mark) && strings.Count(text, ".") == 1 {
		mark = "."
	}
	whole, fraction, marked := strings.Cut(text, mark)
	switch {
	case text == "":
		return "", l.T("amount.empty")
	case strings.HasPrefix(text, "-"), strings.HasPrefix(text, "−"):
		return "", l.T("amount.negative")
	case l.grouped(text) && strings.Count(text, l.Group) == 1:
		digits := strings.ReplaceAll(text, l.Group, "")
		whole, fraction, _ := strings.Cut(text, l.Group)
		other := strings.TrimRight(strings.TrimRight(whole+l.Decimal+fraction, "0"), l.Decimal)
		return "", l.T("amount.two-ways", "typed", text, "whole", digits, "decimal", other)
	case l.grouped(whole):
		whole = strings.ReplaceAll(whole, l.Group, "")
	}
	if whole == "" && fraction != "" {
		whole = "0"
	}
	if whole == "" || !digits(whole) || !digits(fraction) {
		return "", l.T("amount.not-a-number", "whole", "1500", "decimal", "1500"+l.Decimal+"5")
	}
	if !marked || fraction == "" {
		return whole, ""
	}
	return whole + "." + fraction, ""
}

// grouped reports whether digits stand in groups of three, as the language separates them.
func (l *locale) grouped(text string) bool {
	groups := strings.Split(text, l.Group)
	if len(groups) < 2 || len(groups[0]) > 3 || strings.HasPrefix(text, "0") {
		return false
	}
	for i, group := range groups {
		if group == "" || !digits(group) || i > 0 && len(group) != 3 {
			return false
		}
	}
	return true
}

func digits(text string) bool { return strings.Trim(text, "0123456789") == "" }
