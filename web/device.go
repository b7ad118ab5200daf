package web

import (
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/softstake/softstake/staking"
)

// What browsers and systems call themselves in a User-Agent, the more particular
// before those whose words they repeat: each browser also claims to be others.
var (
	browsers = []struct{ sign, name string }{
		{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"},
		{"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"},
		{"Safari/", "Safari"}, {"curl/", "curl"},
	}
	systems = []struct{ sign, name string }{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"},
		{"Macintosh", "macOS"}, {"Linux", "Linux"},
	}
	apps = map[string]string{"ios": "iOS", "android": "Android"}
)

// Device says in plain words what a person did something with: "Firefox on Linux"
// of what a browser says of itself, "app 3.2.0 for iOS" of "ios 3.2.0".
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
	var browser, system string
	for _, b := range browsers {
		if strings.Contains(client, b.sign) {
			browser = b.name
			break
		}
	}
	for _, s := range systems {
		if strings.Contains(client, s.sign) {
			system = s.name
			break
		}
	}
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
