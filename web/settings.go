package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"
	_ "time/tzdata" // a machine may have no time zones of its own
)

// themes are those that can be chosen; "" is as the device has it.
var themes = []string{"", "light", "dark"}

// settingsPage is the form of the language and the theme, for those who have not logged in too.
type settingsPage struct{ *view }

func (v *visit) settings() error {
	return v.show("settings", settingsPage{v.view("settings.title")})
}

// Languages are those there are.
func (p *view) Languages() []*locale { return p.visit.locales.all }

// Themes are those that can be chosen: "" is as the device has it.
func (p *view) Themes() []string { return themes }

// SettingsBack is where the settings lead back to: the page they are on.
func (p *view) SettingsBack() string {
	switch back := p.visit.value("back"); {
	case p.Path() == "/settings" && ours(back):
		return back
	case p.visit.r.Method != http.MethodGet:
		return p.Path()
	}
	return p.visit.r.URL.RequestURI()
}

// Zone is the visitor's time zone, as the browser has told it.
func (p *view) Zone() string { return p.visit.zone.String() }

// settingLife is how long a choice is remembered, in seconds: a year.
const settingLife = 365 * 24 * 60 * 60

// set keeps the language or the theme that was chosen, in a cookie: it is the
// browser's, and not the account's.
func (s *submission) set() error {
	if lang := s.value("lang"); slices.ContainsFunc(s.locales.all, func(l *locale) bool { return l.Tag == lang }) {
		s.remember("lang", lang)
	}
	if s.r.Form.Has("theme") && slices.Contains(themes, s.value("theme")) {
		s.remember("theme", s.value("theme"))
	}
	back := s.value("back")
	if !ours(back) {
		back = "/settings"
	}
	http.Redirect(s.w, s.r, back, http.StatusSeeOther)
	return nil
}

// remember gives the browser a choice; "" takes it away.
func (v *visit) remember(name, value string) {
	c := &http.Cookie{
		Name: name, Value: url.QueryEscape(value), Path: "/", MaxAge: settingLife, HttpOnly: true,
		Secure: v.caller.Secure, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
}

// longestZone is how long the name of a time zone may be.
const longestZone = 64

// zoneOf is the time zone that the visitor's browser has told, or UTC.
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
