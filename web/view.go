package web

import (
	"strings"

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
	return &view{View: ui.NewView(&v.frame, v.r, v.caller, v.locale, v.zone), visit: v, Title: title}
}

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

// Live is the stream of events since the page was made.
func (p *view) Live() string { return LivePath + "?after=" + p.visit.since }

// CanConvert reports whether holders may convert here.
func (p *view) CanConvert() bool { return p.visit.Convert != nil }

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
