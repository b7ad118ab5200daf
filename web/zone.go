package web

import (
	"net/http"
	"net/url"
	"time"
	_ "time/tzdata" // a machine may have no time zones of its own
)

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
