package access

import (
	"slices"
	"strings"
)

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
)

// ClientName is which browser and which system a User-Agent claims to be: "Firefox", "Linux"; "" is unknown.
func ClientName(agent string) (browser, system string) {
	return nameIn(agent, browsers), nameIn(agent, systems)
}

// nameIn is the name of the first sign that is in a User-Agent, or "".
func nameIn(agent string, signs []sign) string {
	i := slices.IndexFunc(signs, func(s sign) bool { return strings.Contains(agent, s.part) })
	if i < 0 {
		return ""
	}
	return signs[i].name
}
