package ui

import (
	"html/template"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// View is how a visitor reads: a language and a time zone; and what every page shows of the request, where NewView has
// made it. Its methods are called by the templates.
type View struct {
	*Locale
	Location *time.Location

	site   *Site
	r      *http.Request
	caller access.Caller
}

// Amount is an amount of an asset with its symbol, without trailing zeros, that a style
// aligns on the decimal point.
func (v View) Amount(a ledger.Asset, n ledger.Amount) template.HTML {
	return v.AlignedFigure(v.Plain(a, n), a.Symbol, a.Scale)
}

// Plain is an amount of an asset without its symbol and without markup.
func (v View) Plain(a ledger.Asset, n ledger.Amount) string { return v.Number(a.Format(n)) }

// Signed is an amount with its sign, which is also there when it is above zero.
func (v View) Signed(a ledger.Asset, n ledger.Amount) string {
	if n > 0 {
		return "+" + v.Plain(a, n)
	}
	return strings.Replace(v.Plain(a, n), "-", "−", 1)
}

// markup fills a template with texts and numbers.
func markup(t *template.Template, data any) template.HTML {
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		panic(err) // the templates are constants
	}
	return template.HTML(b.String())
}

var figureTemplate = template.Must(template.New("figure").Parse(
	`<span class="amount"><span class="whole">{{.Whole}}</span><span class="fraction f{{.Places}}">{{.Fraction}}</span>{{with .Symbol}} <span class="symbol">{{.}}</span>{{end}}</span>`))

// ValueScale is the number of decimals of prices and values in USDT; Dollar is a value of
// 1 USDT.
const (
	ValueScale               = 8
	Dollar     ledger.Amount = 100_000_000
)

// Value is a value in USDT, rounded down: two decimals or, of less than one, four
// figures, so that no reward is shown as zero.
func (v View) Value(value ledger.Amount) string { return v.Number(shortValue(value)) }

// Price is a price in USDT with all its digits.
func (v View) Price(price int64) string { return v.Number(ledger.FormatDecimal(price, ValueScale)) }

// shortValue cuts a value in 1e-8.
func shortValue(v ledger.Amount) string {
	unit := ledger.Amount(1)
	if v >= Dollar {
		unit = 1_000_000
	} else {
		for v/unit >= 10_000 {
			unit *= 10
		}
	}
	text := ledger.FormatDecimal(int64(v/unit*unit), ValueScale)
	if v < Dollar {
		return text
	}
	whole, fraction, _ := strings.Cut(text, ".")
	return whole + "." + (fraction + "00")[:2]
}

// Percent is a yearly rate: 0.0015 is "0.15%".
func (v View) Percent(r staking.Rate) string {
	return v.T("percent", "n", v.Number(ledger.FormatDecimal(int64(r), ValueScale-2)))
}

// Day is a UTC day.
func (v View) Day(d staking.Day) string { return v.Date(d.Start()) }

// Local is a time in the visitor's zone, with the UTC time in its title.
func (v View) Local(t time.Time) template.HTML {
	return v.Stamp(t, v.Time(t.In(v.Location)), v.Time(t.UTC())+" UTC")
}

// Both is a time in UTC, and in the visitor's zone where that differs.
func (v View) Both(t time.Time) template.HTML { return v.Stamp(t, v.BothText(t), "") }

// BothText is Both without markup; the day is not repeated.
func (v View) BothText(t time.Time) string {
	utc, here := v.Time(t.UTC())+" UTC", t.In(v.Location)
	if SameClock(here) {
		return utc
	}
	return v.T("time.both", "utc", utc, "here", v.Beside(here, t.UTC()))
}

// SameClock reports whether a time's zone has no offset from UTC then.
func SameClock(t time.Time) bool {
	return t.Format(time.DateTime) == t.UTC().Format(time.DateTime)
}

// Beside is a time after another: without the day where that is the same.
func (v View) Beside(t, other time.Time) string {
	if t.Format(time.DateOnly) == other.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return v.Time(t)
}

// Stamp is a text that is a time, with a title that may be "".
func (v View) Stamp(t time.Time, text, title string) template.HTML {
	if title != "" {
		title = `" title="` + template.HTMLEscapeString(title)
	}
	// No template: a page has hundreds of them.
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + title + `">` + template.HTMLEscapeString(text) +
		`</time>`)
}

// apps are the systems of our own app, as it names them.
var apps = map[string]string{"ios": "iOS", "android": "Android"}

// Device names a client: "Firefox on Linux" for a User-Agent, "app 3.2.0 for iOS" for
// "ios 3.2.0".
func (v View) Device(client string) string {
	platform, version, _ := strings.Cut(client, " ")
	if system, is := apps[platform]; is {
		if version == "" {
			return v.T("device.some-app", "system", system)
		}
		return v.T("device.app", "system", system, "version", version)
	}
	if client == "web" || client == "operator" {
		return v.T("device." + client)
	}
	browser, system := access.ClientName(client)
	switch {
	case browser != "" && system != "":
		return v.T("device.browser-on", "browser", browser, "system", system)
	case browser+system != "":
		return browser + system
	}
	return v.T("device.unknown")
}

// Region is a region's name in the visitor's language, with its code, which alone
// names a part of a country: "Germany (DE)", "Ukraine (UA-43)".
func (v View) Region(r staking.Region) string {
	code, _, _ := strings.Cut(string(r), "-")
	country, err := language.ParseRegion(code)
	names := display.Regions(v.language)
	if err != nil || names == nil || names.Name(country) == "" {
		return string(r)
	}
	return v.T("region", "name", names.Name(country), "code", r)
}

// UTC is a time of the product's clock, in UTC alone.
func (v View) UTC(t time.Time) template.HTML { return v.Stamp(t, v.Time(t.UTC())+" UTC", "") }

// Figure is an amount of an asset without its symbol, for a column in which the
// decimal points stand below each other: places is the number of decimals of the longest.
func (v View) Figure(a ledger.Asset, n ledger.Amount, places int) template.HTML {
	return v.AlignedFigure(v.Plain(a, n), "", places)
}

// AlignedFigure is a decimal number as the visitor reads it, with the symbol of its unit or "", for a column as that of
// Figure.
func (v View) AlignedFigure(number, symbol string, places int) template.HTML {
	whole, fraction, _ := strings.Cut(number, v.Decimal)
	if fraction != "" {
		fraction = v.Decimal + fraction
	}
	return markup(figureTemplate, struct {
		Whole, Fraction, Symbol string
		Places                  int
	}{whole, fraction, symbol, places})
}

// Countdown is the time until a moment; a script keeps counting.
func (v View) Countdown(now, at time.Time) template.HTML {
	return markup(countdownTemplate, struct {
		At, Text, Title string
		Millis          int64
	}{at.UTC().Format(time.RFC3339), v.Until(at.Sub(now)), v.Time(at.UTC()) + " UTC", at.UnixMilli()})
}

var countdownTemplate = template.Must(template.New("countdown").Parse(
	`<time datetime="{{.At}}" title="{{.Title}}" data-countdown="{{.Millis}}">{{.Text}}</time>`))
