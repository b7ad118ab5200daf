package web

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"github.com/softstake/softstake/ledger"
)

//go:embed locales
var localeFiles embed.FS

// locale is a language: its texts, and how it writes numbers and dates. Another
// one is another folder of locales, and no code.
type locale struct {
	Tag     string   `json:"tag"`     // BCP 47
	Name    string   `json:"name"`    // its own
	Decimal string   `json:"decimal"` // "."
	Group   string   `json:"group"`   // ","
	Months  []string `json:"months"`  // twelve, short
	Date    string   `json:"date"`    // "{day} {month} {year}"
	Time    string   `json:"time"`    // "{date}, {clock}"

	language language.Tag
	texts    map[string]string
}

// locales are all languages. The first is the fallback.
type locales struct {
	all     []*locale
	matcher language.Matcher
}

// readLocales reads one folder for each language: locale.json, and texts in the other files.
func readLocales() (locales, error) {
	var l locales
	folders, err := fs.ReadDir(localeFiles, "locales")
	if err != nil {
		return l, err
	}
	for _, folder := range folders {
		one, err := readLocale(path.Join("locales", folder.Name()))
		if err != nil {
			return l, fmt.Errorf("read the language %s: %w", folder.Name(), err)
		}
		l.all = append(l.all, one)
	}
	slices.SortFunc(l.all, func(a, b *locale) int {
		return cmp.Or(trueFirst(a.Tag == "en", b.Tag == "en"), strings.Compare(a.Tag, b.Tag))
	})
	tags := make([]language.Tag, len(l.all))
	for i, one := range l.all {
		tags[i] = one.language
	}
	l.matcher = language.NewMatcher(tags)
	return l, nil
}

func readLocale(folder string) (*locale, error) {
	l := &locale{texts: map[string]string{}}
	files, err := fs.Glob(localeFiles, folder+"/*.json")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		content, err := localeFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if path.Base(file) == "locale.json" {
			err = json.Unmarshal(content, l)
		} else {
			err = l.add(content)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if l.language, err = language.Parse(l.Tag); err != nil {
		return nil, err
	}
	if len(l.Months) != 12 {
		return nil, fmt.Errorf("it has %d months", len(l.Months))
	}
	return l, nil
}

// add adds texts, each of which is in one file only.
func (l *locale) add(content []byte) error {
	texts := map[string]string{}
	if err := json.Unmarshal(content, &texts); err != nil {
		return err
	}
	for key, text := range texts {
		if _, there := l.texts[key]; there {
			return fmt.Errorf("%q is in another file too", key)
		}
		l.texts[key] = text
	}
	return nil
}

// of is the language that a visitor has chosen, or whose browser asks for.
func (l locales) of(r *http.Request) *locale {
	asked := r.Header.Get("Accept-Language")
	if c, err := r.Cookie("lang"); err == nil {
		asked = c.Value
	}
	tags, _, err := language.ParseAcceptLanguage(asked)
	if err != nil {
		return l.all[0]
	}
	_, i, _ := l.matcher.Match(tags...)
	return l.all[i]
}

// T is the text of a key, with names and values put into it: {name}. A key that
// the catalogue does not have is shown as it is, and a test finds it.
func (l *locale) T(key string, pairs ...any) string {
	text, known := l.texts[key]
	if !known {
		return key
	}
	// In one replacement: braces in a value stay as they are.
	places := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		places = append(places, fmt.Sprintf("{%v}", pairs[i]), fmt.Sprint(pairs[i+1]))
	}
	return strings.NewReplacer(places...).Replace(text)
}

// forms are the endings of keys whose text depends on a number.
var forms = map[plural.Form]string{
	plural.Zero: ".zero", plural.One: ".one", plural.Two: ".two", plural.Few: ".few", plural.Many: ".many",
	plural.Other: ".other",
}

// N is the text of a key that depends on a number, 0 or more, which it has as {n}.
func (l *locale) N(key string, n int, pairs ...any) string {
	form := plural.Cardinal.MatchPlural(l.language, n, 0, 0, 0, 0)
	return l.T(key+forms[form], append([]any{"n", l.number(strconv.Itoa(n))}, pairs...)...)
}

// number writes a decimal number with the language's separators.
func (l *locale) number(decimal string) string {
	sign := ""
	if rest, negative := strings.CutPrefix(decimal, "-"); negative {
		sign, decimal = "−", rest
	}
	whole, fraction, _ := strings.Cut(decimal, ".")
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(l.Group)
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteString(l.Decimal + fraction)
	}
	return sign + b.String()
}

// date writes the day of a time, in that time's zone.
func (l *locale) date(t time.Time) string {
	return strings.NewReplacer("{day}", strconv.Itoa(t.Day()), "{month}", l.Months[t.Month()-1], "{year}",
		strconv.Itoa(t.Year())).Replace(l.Date)
}

// time writes a time, in its zone, to the minute.
func (l *locale) time(t time.Time) string {
	return strings.NewReplacer("{date}", l.date(t), "{clock}", t.Format("15:04")).Replace(l.Time)
}

// until is how long it is until something: in hours and minutes, rounded up.
func (l *locale) until(d time.Duration) string {
	minutes := minutes(d)
	switch {
	case minutes <= 0:
		return l.T("until.now")
	case minutes < 60:
		return l.T("until.minutes", "m", minutes)
	}
	return l.T("until.hours", "h", minutes/60, "m", minutes%60)
}

// amount reads what was typed as an amount of an asset above zero, or returns the fault in
// the visitor's language. A decimal point is accepted in every language, beside the
// language's own separators; what could be read in two ways is a fault. So a text is the
// same amount in all languages that accept it.
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

// withoutSymbol removes a symbol after a space, which a copied amount has.
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
// one such as "1234.5"; or returns the fault.
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

// grouped reports whether digits are in groups of three, with the language's separator.
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
