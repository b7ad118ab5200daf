package ui

import (
	"net/http"
	"time"
)

// CookieName is a cookie's name. On TLS it keeps other hosts of the domain from setting it.
func CookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

// SetCookie gives a browser a cookie that no script sees, or takes it away: "".
func SetCookie(w http.ResponseWriter, secure bool, name, value string, life time.Duration, site http.SameSite) {
	c := &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second),
		HttpOnly: true, Secure: secure, SameSite: site,
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// Cookie is the value of a cookie, or "".
func Cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}
