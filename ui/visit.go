package ui

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// Books are what every page shows of the books.
type Books interface {
	Now() time.Time
	Test() bool
}

// Site is what the pages of a site share.
type Site struct {
	Locales  Locales
	Books    Books
	Settings string // the path at which the language and the theme are set
}

// NewView is the view of who makes a request.
func NewView(s *Site, r *http.Request, caller access.Caller, locale *Locale, zone *time.Location) View {
	return View{Locale: locale, Location: zone, site: s, r: r, caller: caller}
}

// Path is the page's.
func (v View) Path() string { return v.r.URL.Path }

// Request is the request's ID, by which the log is searched.
func (v View) Request() string { return v.caller.Request }

// Theme is "light", "dark" or "": the device's.
func (v View) Theme() string {
	if theme := Cookie(v.r, "theme"); slices.Contains(Themes, theme) {
		return theme
	}
	return ""
}

// Moment is the time of the books' clock, in milliseconds since 1970.
func (v View) Moment() int64 { return v.site.Books.Now().UnixMilli() }

// Test reports whether the books are a test, which each page shows.
func (v View) Test() bool { return v.site.Books.Test() }

// TestClock is the time in books that are a test.
func (v View) TestClock() string { return v.site.Books.Now().UTC().Format(time.DateTime) }

// SettingsPath is where the language and the theme are set.
func (v View) SettingsPath() string { return v.site.Settings }

// Languages are those that can be chosen.
func (v View) Languages() []*Locale { return v.site.Locales.All }

// Themes are those that can be chosen: "" is the device's.
func (v View) Themes() []string { return Themes }

// Zone is the visitor's time zone, as the browser has sent it.
func (v View) Zone() string { return v.Location.String() }

// SettingsBack is the page that the settings lead back to: the one they are on.
func (v View) SettingsBack() string {
	switch back := Value(v.r, "back"); {
	case v.Path() == v.site.Settings && IsPath(back):
		return back
	case v.r.Method != http.MethodGet:
		return v.Path()
	}
	return v.r.URL.RequestURI()
}

// settingLife is how long a choice is remembered.
const settingLife = 365 * 24 * time.Hour

// KeepSettings keeps the language or the theme that a form has chosen, in a cookie: it is the browser's, and not the
// account's.
func (s *Site) KeepSettings(w http.ResponseWriter, r *http.Request, secure bool) {
	lang, theme := Value(r, "lang"), Value(r, "theme")
	if slices.ContainsFunc(s.Locales.All, func(l *Locale) bool { return l.Tag == lang }) {
		SetCookie(w, secure, "lang", url.QueryEscape(lang), settingLife, http.SameSiteLaxMode)
	}
	if r.Form.Has("theme") && slices.Contains(Themes, theme) {
		SetCookie(w, secure, "theme", theme, settingLife, http.SameSiteLaxMode)
	}
}

// longestClient is how many characters are kept of a browser's User-Agent.
const longestClient = 200

// Client is the visitor's User-Agent or, of the app, its platform and version.
func Client(r *http.Request, caller access.Caller) string {
	agent := r.UserAgent()
	if caller.Platform != "" && caller.Platform != "web" {
		agent = caller.Platform + " " + caller.Version
	}
	agent = strings.Map(func(c rune) rune {
		if ledger.Steers(c) || c == unicode.ReplacementChar {
			return -1
		}
		return c
	}, strings.ToValidUTF8(agent, ""))
	return strings.TrimSpace(Cut(agent, longestClient))
}

// Origin is where the visitor comes from: "192.0.2.7 DE".
func Origin(caller access.Caller) string {
	if !caller.Address.IsValid() {
		return caller.Country
	}
	return strings.TrimSpace(caller.Address.String() + " " + caller.Country)
}

// Cut is the first characters of a text, without invalid UTF-8.
func Cut(text string, most int) string {
	characters := []rune(strings.ToValidUTF8(text, ""))
	return string(characters[:min(len(characters), most)])
}
