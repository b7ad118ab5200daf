package ui

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"

	"github.com/softstake/softstake/access"
)

// contentPolicy allows only files of our own; no script and no style is in a page itself.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Protect refuses forms that come from other sites, by calling refuse; sets the headers that keep a
// browser from doing more than it should; and compresses all but the stream at live, and files,
// which are compressed already.
func Protect(next http.Handler, live string, refuse http.HandlerFunc) http.Handler {
	sameOrigin, packed := http.NewCrossOriginProtection(), gzhttp.GzipHandler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		h.Set("Cache-Control", "no-store")
		if err := sameOrigin.Check(r); err != nil {
			refuse(w, r)
			return
		}
		if r.URL.Path == live || strings.HasPrefix(r.URL.Path, "/static/") {
			next.ServeHTTP(w, r)
			return
		}
		packed.ServeHTTP(w, r)
	})
}

// Refuse answers a request that its page does not answer: with 503 where too many are in
// flight, and with 500 where the page has failed. It shares nothing with the other pages,
// which may be what has failed. test: the books are a test. The context has the caller.
func Refuse(w http.ResponseWriter, r *http.Request, status int, test bool) {
	title, why := "Something went wrong", "It is our fault, and we have a record of it. Try again in a moment."
	if status == http.StatusServiceUnavailable {
		title, why = "Too many visitors at once", "Nothing was done. Go back, and try again in a moment."
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	w.WriteHeader(status)
	if err := smallPage.Execute(w, struct {
		Title, Why, Request string
		Test                bool
	}{title, why, access.CallerOf(r.Context()).Request, test}); err != nil {
		return // the visitor has gone away, and the request is logged
	}
}

var smallPage = template.Must(template.New("small").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>{{.Title}}</title>
{{if .Test}}<p role="note">This is a test: nothing here is real.</p>
{{end}}<main><h1>{{.Title}}</h1><p>{{.Why}}</p><p>Request {{.Request}}</p></main></html>
`))
