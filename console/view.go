package console

import (
	"strconv"
	"strings"

	"github.com/softstake/softstake/ui"
)

// view is the data that every page has beside its own: the visitor, the language and the time zone. Its methods are
// called by the templates.
type view struct {
	ui.View
	visit *visit
	Title string // key of the catalogue
}

func (v *visit) view(title string) *view {
	return &view{View: ui.NewView(&v.frame, v.r, v.caller, v.locale, v.zone), visit: v, Title: title}
}

// URL is the address of the page with what is asked for, for the parts of it that are read again.
func (p *view) URL() string { return p.visit.comeBack() }

// SignedIn reports whether a member of staff has logged in.
func (p *view) SignedIn() bool { return p.visit.signedIn() }

// Who is the member of staff, and Role what they are here.
func (p *view) Who() string  { return strings.TrimPrefix(p.visit.actor.Credential, "staff ") }
func (p *view) Role() string { return string(p.visit.actor.Role) }

// FourEyes reports whether operations need approval; where they do not, each page says so.
func (p *view) FourEyes() bool { return p.visit.fourEyes }

// Live is the stream of what changes.
func (p *view) Live() string { return LivePath }

// count is a whole number.
func (p *view) count(n int64) string { return p.Number(strconv.FormatInt(n, 10)) }

// Sections are the links of the menu: the pages that the visitor may look at.
func (p *view) Sections() (all []section) {
	for _, s := range sections() {
		if p.visit.may(s.roles) {
			s.Here = p.here(s)
			all = append(all, s)
		}
	}
	return all
}

// here is aria-current of a menu's link: "page" on its first page, "true" on its other pages, "" elsewhere.
func (p *view) here(s section) string {
	switch {
	case p.Path() == s.Path:
		return "page"
	case s.Path != Path && strings.HasPrefix(p.Path(), s.Path+"/"):
		return "true"
	}
	return ""
}
