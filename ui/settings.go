package ui

import (
	"net/http"
	"net/url"
	"time"
	_ "time/tzdata" // a machine may have no time zones of its own
)

// Themes are those that can be chosen; "" is the device's.
var Themes = []string{"", "light", "dark"}

// longestZone is how long the name of a time zone may be.
const longestZone = 64

// ZoneOf is the time zone that the visitor's browser has sent, or UTC.
func ZoneOf(r *http.Request) *time.Location {
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
