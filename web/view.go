package web

import (
	"html/template"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
)

// view is the data that every page has beside its own: the visitor, the language and the
// time zone. Its methods are called by the templates.
type view struct {
	*locale
	visit *visit
	Title string // key of the catalogue
}

func (v *visit) view(title string) *view { return &view{locale: v.locale, visit: v, Title: title} }

// Path is the page's.
func (p *view) Path() string { return p.visit.r.URL.Path }

// URL is the path as an address has it: an entry's ID may have slashes.
func (p *view) URL() string { return p.visit.r.URL.EscapedPath() }

// sections are the parts of the site that the menus name, by the first word of a path.
var sections = map[string]string{
	"spot": "assets", "convert": "assets", "withdraw": "assets", "send": "assets", "deposit": "assets",
	"earn": "earn", "activity": "activity", "help": "help", "account": "account",
}

// Here is aria-current of a menu's link to a section: "page" on its first page, "true" on
// its other pages, "" elsewhere.
func (p *view) Here(section, first string) string {
	word, _, _ := strings.Cut(strings.TrimPrefix(p.Path(), "/"), "/")
	switch {
	case sections[word] != section:
		return ""
	case p.Path() == first:
		return "page"
	}
	return "true"
}

// SignedIn reports whether the visitor has logged in.
func (p *view) SignedIn() bool { return p.visit.session.Account != "" }

// Account and Email are the visitor's.
func (p *view) Account() ledger.Account { return p.visit.session.Account }
func (p *view) Email() string           { return p.visit.session.Email }

// Request is the request's ID, by which the log is searched.
func (p *view) Request() string { return p.visit.caller.Request }

// Theme is "light", "dark" or "": the device's.
func (p *view) Theme() string {
	if theme := p.visit.cookie("theme"); slices.Contains(themes, theme) {
		return theme
	}
	return ""
}

// Moment is the time of the books' clock, in milliseconds since 1970.
func (p *view) Moment() int64 { return p.visit.Books.Now().UnixMilli() }

// Live is the stream of events since the page was made.
func (p *view) Live() string { return LivePath + "?after=" + events.Since(p.visit.began) }

// CanConvert reports whether holders may convert here.
func (p *view) CanConvert() bool { return p.visit.Convert != nil }

// Test reports whether the books are a test, which each page shows.
func (p *view) Test() bool { return p.visit.Books.Test() }

// TestClock is the time in books that are a test.
func (p *view) TestClock() string { return p.visit.Books.Now().UTC().Format(time.DateTime) }

// Play is the clock of a demo, or nil.
func (p *view) Play() clockReader { return p.visit.Play }

// Number is a decimal number, such as "1234.5", as the language writes it.
func (p *view) Number(decimal string) string { return p.locale.number(decimal) }

// Amount is an amount of an asset with its symbol, without trailing zeros, that a style
// aligns on the decimal point.
func (p *view) Amount(a ledger.Asset, n ledger.Amount) template.HTML {
	return p.figure(a.Format(n), a.Symbol, a.Scale)
}

// Plain is an amount of an asset without its symbol and without markup.
func (p *view) Plain(a ledger.Asset, n ledger.Amount) string { return p.Number(a.Format(n)) }

// Signed is an amount with its sign, which is also there when it is above zero.
func (p *view) Signed(a ledger.Asset, n ledger.Amount) string {
	if n > 0 {
		return "+" + p.Plain(a, n)
	}
	return strings.Replace(p.Plain(a, n), "-", "−", 1)
}

// figure is a decimal number in parts that a style can align.
func (p *view) figure(decimal, symbol string, scale int) template.HTML {
	whole, fraction, _ := strings.Cut(p.Number(decimal), p.locale.Decimal)
	if fraction != "" {
		fraction = p.locale.Decimal + fraction
	}
	return markup(figureTemplate, struct {
		Whole, Fraction, Symbol string
		Scale                   int
	}{whole, fraction, symbol, scale})
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
	`<span class="amount"><span class="whole">{{.Whole}}</span><span class="fraction f{{.Scale}}">{{.Fraction}}</span>{{with .Symbol}} <span class="symbol">{{.}}</span>{{end}}</span>`))

// valueScale is the number of decimals of prices and values in USDT; dollar is a value of
// 1 USDT.
const (
	valueScale               = 8
	dollar     ledger.Amount = 100_000_000
)

// Value is a value in USDT, rounded down: two decimals or, of less than one, four
// figures, so that no reward is shown as zero.
func (p *view) Value(v ledger.Amount) string { return p.Number(shortValue(v)) }

// Price is a price in USDT with all its digits.
func (p *view) Price(price int64) string { return p.Number(ledger.FormatDecimal(price, valueScale)) }

// shortValue cuts a value in 1e-8.
func shortValue(v ledger.Amount) string {
	unit := ledger.Amount(1)
	if v >= dollar {
		unit = 1_000_000
	} else {
		for v/unit >= 10_000 {
			unit *= 10
		}
	}
	text := ledger.FormatDecimal(int64(v/unit*unit), valueScale)
	if v < dollar {
		return text
	}
	whole, fraction, _ := strings.Cut(text, ".")
	return whole + "." + (fraction + "00")[:2]
}

// Worth is what an amount is worth at a price that may not be known: "≈ 12.34 USDT", or "–".
func (p *view) Worth(a ledger.Asset, n ledger.Amount, prices map[string]pricing.Price) string {
	value, priced := worth(a, n, prices)
	if !priced {
		return "–"
	}
	return p.Value(value)
}

// Percent is a yearly rate: 0.0015 is "0.15%".
func (p *view) Percent(r staking.Rate) string {
	return p.T("percent", "n", p.Number(ledger.FormatDecimal(int64(r), valueScale-2)))
}

// Day is a UTC day.
func (p *view) Day(d staking.Day) string { return p.locale.date(d.Start()) }

// Local is a time in the visitor's zone, with the UTC time in its title.
func (p *view) Local(t time.Time) template.HTML {
	return p.stamp(t, p.locale.time(t.In(p.visit.zone)), p.locale.time(t.UTC())+" UTC")
}

// Both is a time in UTC, and in the visitor's zone where that differs.
func (p *view) Both(t time.Time) template.HTML { return p.stamp(t, p.both(t), "") }

// both is Both without markup; the day is not repeated.
func (p *view) both(t time.Time) string {
	utc, here := p.locale.time(t.UTC())+" UTC", t.In(p.visit.zone)
	if sameClock(here) {
		return utc
	}
	return p.T("time.both", "utc", utc, "here", p.beside(here, t.UTC()))
}

// sameClock reports whether a time's zone has no offset from UTC then.
func sameClock(t time.Time) bool {
	return t.Format(time.DateTime) == t.UTC().Format(time.DateTime)
}

// beside is a time after another: without the day where that is the same.
func (p *view) beside(t, other time.Time) string {
	if t.Format(time.DateOnly) == other.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return p.locale.time(t)
}

func (p *view) stamp(t time.Time, text, title string) template.HTML {
	return markup(stampTemplate, struct{ At, Text, Title string }{t.UTC().Format(time.RFC3339), text, title})
}

var stampTemplate = template.Must(template.New("stamp").
	Parse(`<time datetime="{{.At}}"{{with .Title}} title="{{.}}"{{end}}>{{.Text}}</time>`))

// sign is a part of a User-Agent, and the name that it stands for.
type sign struct{ part, name string }

// The signs of browsers and systems, the particular before the general: each browser also
// claims to be others.
var (
	browsers = []sign{
		{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"},
		{"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"},
		{"Safari/", "Safari"}, {"curl/", "curl"},
	}
	systems = []sign{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"},
		{"Macintosh", "macOS"}, {"Linux", "Linux"},
	}
	apps = map[string]string{"ios": "iOS", "android": "Android"}
)

// nameIn is the name of the first sign that is in a User-Agent, or "".
func nameIn(agent string, signs []sign) string {
	i := slices.IndexFunc(signs, func(s sign) bool { return strings.Contains(agent, s.part) })
	if i < 0 {
		return ""
	}
	return signs[i].name
}

// Device names a client: "Firefox on Linux" for a User-Agent, "app 3.2.0 for iOS" for
// "ios 3.2.0".
func (p *view) Device(client string) string {
	platform, version, _ := strings.Cut(client, " ")
	if system, is := apps[platform]; is {
		if version == "" {
			return p.T("device.some-app", "system", system)
		}
		return p.T("device.app", "system", system, "version", version)
	}
	if client == "web" || client == "operator" {
		return p.T("device." + client)
	}
	browser, system := nameIn(client, browsers), nameIn(client, systems)
	switch {
	case browser != "" && system != "":
		return p.T("device.browser-on", "browser", browser, "system", system)
	case browser+system != "":
		return browser + system
	}
	return p.T("device.unknown")
}

// region is a region's name in the visitor's language, with its code, which alone
// names a part of a country: "Germany (DE)", "Ukraine (UA-43)".
func (p *view) region(r staking.Region) string {
	code, _, _ := strings.Cut(string(r), "-")
	country, err := language.ParseRegion(code)
	names := display.Regions(p.locale.language)
	if err != nil || names == nil || names.Name(country) == "" {
		return string(r)
	}
	return p.T("region", "name", names.Name(country), "code", r)
}
