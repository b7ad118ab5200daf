package web

import (
	"html/template"
	"net/http"

	"github.com/softstake/softstake/access"
)

// Refuse answers a request that its page does not answer: with 503 where too many are in
// flight, and with 500 where the page has failed. What makes the other pages may be what
// has failed, so this one is as small as can be. test says that the books are a test; the
// context has the caller.
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
