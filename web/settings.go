package web

// settingsPath is where the language and the theme are set.
const settingsPath = "/settings"

// settings is the form of the language and the theme, also for those who have not logged in.
func (v *visit) settings() error { return v.show("settings", v.view("settings.title")) }

// set keeps the language or the theme that was chosen.
func (s *submission) set() error {
	s.frame.KeepSettings(s.w, s.r, s.caller.Secure)
	return s.see(s.ownPath("back", settingsPath))
}
