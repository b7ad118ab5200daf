// Package web is the holder's pages: HTML made on the server, with the forms that move a holder's
// own things. It knows nothing of SQL, and decides nothing about money.
package web

import (
	"cmp"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// Options are what the pages need.
type Options struct {
	Books   *store.DB
	Events  *events.Hub
	Sealer  *access.Sealer // nil: no API keys of the type hmac
	Now     func() time.Time
	Random  io.Reader
	Log     *slog.Logger
	Convert *conversion.Rules // how holders may convert against @desk; nil: not at all
	Play    Play              // a clock that visitors may move, of books that are made up; nil: these are real

	// SessionIdle is how long a session lives that is not used, SessionLife how long
	// one lives at all; zero: an hour, and a day.
	SessionIdle, SessionLife time.Duration
}

// server is the pages.
type server struct {
	Options
	Reports  *reports.Reports
	mux      *http.ServeMux
	patterns []string // of all pages and forms, as the mux has them
	locales  locales
	pages    pages
	static   static
	streams  *access.Limiter[ledger.Account]

	strangersHashing, trustedHashing *turns
	slow                             slowing // of attempts to log in
}

// New makes the pages. What it returns expects the caller in the request's
// context (access.WithCaller), and sets its own security headers.
func New(o Options) (http.Handler, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	return s.protect(s.mux), nil
}

func newServer(o Options) (s *server, err error) {
	o.SessionIdle, o.SessionLife = cmp.Or(o.SessionIdle, usualIdle), cmp.Or(o.SessionLife, usualLife)
	s = &server{
		Options: o, Reports: reports.New(o.Books.Reader()), mux: http.NewServeMux(),
		streams:          access.NewLimiter[ledger.Account](mostStreams, mostStreamsOf),
		strangersHashing: newTurns(mostHashingFrom), trustedHashing: newTurns(mostHashingOf),
		slow: slowing{slowedInAll, slowedBy, access.NewLimiter[string](mostSlowed, mostSlowedOf)},
	}
	if s.locales, err = readLocales(); err != nil {
		return nil, err
	}
	if s.static, err = readStatic(); err != nil {
		return nil, err
	}
	if s.pages, err = readPages(s.static); err != nil {
		return nil, err
	}
	s.sessionRoutes()
	s.spotRoutes()
	s.startRoutes()
	s.earnRoutes()
	s.rewardRoutes()
	s.moveRoutes()
	s.activityRoutes()
	s.keyRoutes()
	s.accountRoutes()
	s.appRoutes()
	s.liveRoutes()
	if o.Play != nil {
		s.playRoutes()
	}
	return s, nil
}

// contentPolicy allows what is our own and nothing else; nothing stands in the page itself.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// protect refuses forms that come from other sites, sets the headers that keep a
// browser from doing more than it should, and compresses all but streams, and files,
// which are compressed already.
func (s *server) protect(next http.Handler) http.Handler {
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
			s.visit(w, r).refuse(http.StatusForbidden, "other-site")
			return
		}
		if r.URL.Path == LivePath || strings.HasPrefix(r.URL.Path, "/static/") {
			next.ServeHTTP(w, r)
			return
		}
		packed.ServeHTTP(w, r)
	})
}

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
