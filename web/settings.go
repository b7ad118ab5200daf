package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"
	_ "time/tzdata" // a machine may have no time zones of its own
)

// themes are those that can be chosen; "" is the device's.
var themes = []string{"", "light", "dark"}

// settings is the form of the language and the theme, also for those who have not logged in.
func (v *visit) settings() error { return v.show("settings", v.view("settings.title")) }

// Languages are those that can be chosen.
func (p *view) Languages() []*locale { return p.visit.locales.all }

// Themes are those that can be chosen: "" is the device's.
func (p *view) Themes() []string { return themes }

// SettingsBack is the page that the settings lead back to: the one they are on.
func (p *view) SettingsBack() string {
	switch back := p.visit.value("back"); {
	case p.Path() == "/settings" && ours(back):
		return back
	case p.visit.r.Method != http.MethodGet:
		return p.Path()
	}
	return p.visit.r.URL.RequestURI()
}

// Zone is the visitor's time zone, as the browser has sent it.
func (p *view) Zone() string { return p.visit.zone.String() }

// settingLife is how long a choice is remembered.
const settingLife = 365 * 24 * time.Hour

// set keeps the language or the theme that was chosen, in a cookie: it is the
// browser's, and not the account's.
func (s *submission) set() error {
	if lang := s.value("lang"); slices.ContainsFunc(s.locales.all, func(l *locale) bool { return l.Tag == lang }) {
		s.setCookie("lang", url.QueryEscape(lang), settingLife, http.SameSiteLaxMode)
	}
	if s.r.Form.Has("theme") && slices.Contains(themes, s.value("theme")) {
		s.setCookie("theme", s.value("theme"), settingLife, http.SameSiteLaxMode)
	}
	return s.see(s.ownPath("back", "/settings"))
}

// longestZone is how long the name of a time zone may be.
const longestZone = 64

// zoneOf is the time zone that the visitor's browser has sent, or UTC.
func zoneOf(r *http.Request) *time.Location {
	c, err := r.Cookie("zone")
	if err != nil || len(c.Value) > longestZone {
		return time.UTC
	}
	name, err := url.QueryUnescape(c.Value)
	if err != nil || name == "Local" {
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}
