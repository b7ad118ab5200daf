package ui

import (
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

// Locale is a language: its texts, and how it writes numbers and dates. Another
// one is another folder of locales, and no code.
type Locale struct {
	Tag     string   `json:"tag"`     // BCP 47
	Name    string   `json:"name"`    // its own
	Decimal string   `json:"decimal"` // "."
	Group   string   `json:"group"`   // ","
	Months  []string `json:"months"`  // twelve, short
	// DateFormat is "{day} {month} {year}", and TimeFormat "{date}, {clock}".
	DateFormat string `json:"date"`
	TimeFormat string `json:"time"`

	language language.Tag
	texts    map[string]string
}

// Locales are all languages. The first is the fallback.
type Locales struct {
	All     []*Locale
	matcher language.Matcher
}

// ReadLocales reads the languages: our own texts and those of a site, which has one folder for each language in a
// folder "locales".
func ReadLocales(site fs.FS) (Locales, error) {
	var l Locales
	folders, err := fs.ReadDir(localeFiles, "locales")
	if err != nil {
		return l, err
	}
	for _, folder := range folders {
		one, err := readLocale(path.Join("locales", folder.Name()), localeFiles, site)
		if err != nil {
			return l, fmt.Errorf("read the language %s: %w", folder.Name(), err)
		}
		l.All = append(l.All, one)
	}
	slices.SortFunc(l.All, func(a, b *Locale) int { return strings.Compare(a.order(), b.order()) })
	tags := make([]language.Tag, len(l.All))
	for i, one := range l.All {
		tags[i] = one.language
	}
	l.matcher = language.NewMatcher(tags)
	return l, nil
}

// order is by what languages are sorted: English first.
func (l *Locale) order() string {
	if l.Tag == "en" {
		return ""
	}
	return l.Tag
}

// readLocale reads the folder of a language in each of some trees: locale.json, and texts in the other files.
func readLocale(folder string, trees ...fs.FS) (*Locale, error) {
	l := &Locale{texts: map[string]string{}}
	for _, tree := range trees {
		files, err := fs.Glob(tree, folder+"/*.json")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if err := l.read(tree, file); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	var err error
	if l.language, err = language.Parse(l.Tag); err != nil {
		return nil, err
	}
	if len(l.Months) != 12 {
		return nil, fmt.Errorf("it has %d months", len(l.Months))
	}
	return l, nil
}

// read reads a file of a language.
func (l *Locale) read(tree fs.FS, file string) error {
	content, err := fs.ReadFile(tree, file)
	switch {
	case err != nil:
		return err
	case path.Base(file) == "locale.json":
		return json.Unmarshal(content, l)
	}
	return l.add(content)
}

// add adds texts, each of which is in one file only.
func (l *Locale) add(content []byte) error {
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

// Of is the language that a visitor has chosen, or whose browser asks for.
func (l Locales) Of(r *http.Request) *Locale {
	asked := r.Header.Get("Accept-Language")
	if c, err := r.Cookie("lang"); err == nil {
		asked = c.Value
	}
	tags, _, err := language.ParseAcceptLanguage(asked)
	if err != nil {
		return l.All[0]
	}
	_, i, _ := l.matcher.Match(tags...)
	return l.All[i]
}

// T is the text of a key, with names and values put into it: {name}. A key that
// the catalogue does not have is shown as it is, and a test finds it.
func (l *Locale) T(key string, pairs ...any) string {
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

// Has reports whether there is a text of a key.
func (l *Locale) Has(key string) bool {
	_, there := l.texts[key]
	return there
}

// forms are the endings of keys whose text depends on a number.
var forms = map[plural.Form]string{
	plural.Zero: ".zero", plural.One: ".one", plural.Two: ".two", plural.Few: ".few", plural.Many: ".many",
	plural.Other: ".other",
}

// N is the text of a key that depends on a number, 0 or more, which it has as {n}.
func (l *Locale) N(key string, n int, pairs ...any) string {
	form := plural.Cardinal.MatchPlural(l.language, n, 0, 0, 0, 0)
	return l.T(key+forms[form], append([]any{"n", l.Number(strconv.Itoa(n))}, pairs...)...)
}

// Number writes a decimal number with the language's separators.
func (l *Locale) Number(decimal string) string {
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

// Date writes the day of a time, in that time's zone.
func (l *Locale) Date(t time.Time) string {
	return strings.NewReplacer("{day}", strconv.Itoa(t.Day()), "{month}", l.Months[t.Month()-1], "{year}",
		strconv.Itoa(t.Year())).Replace(l.DateFormat)
}

// Time writes a time, in its zone, to the minute.
func (l *Locale) Time(t time.Time) string {
	return strings.NewReplacer("{date}", l.Date(t), "{clock}", t.Format("15:04")).Replace(l.TimeFormat)
}

// Until is how long it is until something: in hours and minutes, rounded up.
func (l *Locale) Until(d time.Duration) string {
	minutes := WholeMinutes(d)
	switch {
	case minutes <= 0:
		return l.T("until.now")
	case minutes < 60:
		return l.T("until.minutes", "m", minutes)
	}
	return l.T("until.hours", "h", minutes/60, "m", minutes%60)
}

// ParseAmount reads what was typed as an amount of an asset above zero, or returns the fault in
// the visitor's language. A decimal point is accepted in every language, beside the
// language's own separators; what could be read in two ways is a fault. So a text is the
// same amount in all languages that accept it.
func (l *Locale) ParseAmount(a ledger.Asset, typed string) (n ledger.Amount, fault string) {
	decimal, fault := l.decimal(withoutSymbol(strings.TrimSpace(typed), a.Symbol))
	if fault != "" {
		return 0, fault
	}
	_, fraction, _ := strings.Cut(decimal, ".")
	if len(strings.TrimRight(fraction, "0")) > a.Scale {
		return 0, l.T("amount.decimals", "asset", a.Symbol, "n", a.Scale, "smallest", l.Smallest(a))
	}
	n, err := a.Parse(decimal)
	switch {
	case err != nil || n > a.MaxSupply:
		return 0, l.T("amount.supply", "asset", a.Symbol, "most", l.Number(a.Format(a.MaxSupply)))
	case n == 0:
		return 0, l.T("amount.zero", "asset", a.Symbol, "smallest", l.Smallest(a))
	}
	return n, ""
}

// Smallest is the asset's smallest unit, as it would be typed.
func (l *Locale) Smallest(a ledger.Asset) string { return l.Typed(a, 1) }

// Typed is an amount as it would be typed: with the language's decimal separator,
// and nothing between the thousands.
func (l *Locale) Typed(a ledger.Asset, n ledger.Amount) string {
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
func (l *Locale) decimal(text string) (decimal, fault string) {
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
func (l *Locale) grouped(text string) bool {
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
