package console

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/softstake/softstake/ui"
)

// settings is the form of the language and the theme, also for those who have not logged in.
func (v *visit) settings() error { return v.show("settings", v.view("settings.title")) }

// SettingsPath is where the language and the theme are set.
func (p *view) SettingsPath() string { return Path + "/settings" }

// Languages are those that can be chosen.
func (p *view) Languages() []*ui.Locale { return p.visit.locales.All }

// Themes are those that can be chosen: "" is the device's.
func (p *view) Themes() []string { return ui.Themes }

// SettingsBack is the page that the settings lead back to: the one they are on.
func (p *view) SettingsBack() string {
	if p.visit.r.Method != http.MethodGet {
		return p.Path()
	}
	return p.visit.r.URL.RequestURI()
}

// Zone is the visitor's time zone, as the browser has sent it.
func (p *view) Zone() string { return p.visit.zone.String() }

// settingLife is how long a choice is remembered.
const settingLife = 365 * 24 * time.Hour

// set keeps the language or the theme that was chosen, in a cookie: it is the browser's.
func (s *submission) set() error {
	known := func(l *ui.Locale) bool { return l.Tag == s.value("lang") }
	if slices.ContainsFunc(s.locales.All, known) {
		s.setCookie("lang", url.QueryEscape(s.value("lang")), settingLife)
	}
	if s.r.Form.Has("theme") && slices.Contains(ui.Themes, s.value("theme")) {
		s.setCookie("theme", s.value("theme"), settingLife)
	}
	return s.see(s.ownPath("back", Path+"/settings"))
}
