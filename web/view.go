package web

import (
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/ui"
)

// view is the data that every page has beside its own: the visitor, the language and the
// time zone. Its methods are called by the templates.
type view struct {
	ui.View
	visit *visit
	Title string // key of the catalogue
}

func (v *visit) view(title string) *view {
	return &view{View: ui.View{Locale: v.locale, Location: v.zone}, visit: v, Title: title}
}

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
	if theme := p.visit.cookie("theme"); slices.Contains(ui.Themes, theme) {
		return theme
	}
	return ""
}

// Moment is the time of the books' clock, in milliseconds since 1970.
func (p *view) Moment() int64 { return p.visit.Books.Now().UnixMilli() }

// Live is the stream of events since the page was made.
func (p *view) Live() string { return LivePath + "?after=" + p.visit.since }

// CanConvert reports whether holders may convert here.
func (p *view) CanConvert() bool { return p.visit.Convert != nil }

// Test reports whether the books are a test, which each page shows.
func (p *view) Test() bool { return p.visit.Books.Test() }

// TestClock is the time in books that are a test.
func (p *view) TestClock() string { return p.visit.Books.Now().UTC().Format(time.DateTime) }

// Play is the clock of a demo, or nil.
func (p *view) Play() clockReader { return p.visit.Play }

// Worth is what an amount is worth at a price that may not be known: "≈ 12.34 USDT", or "–".
func (p *view) Worth(a ledger.Asset, n ledger.Amount, prices map[string]pricing.Price) string {
	value, priced := worth(a, n, prices)
	if !priced {
		return "–"
	}
	return p.Value(value)
}
