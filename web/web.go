// Package web is the holder's pages: HTML made on the server, with the forms that move a holder's
// own things. It knows nothing of SQL, and decides nothing about money.
package web

import (
	"cmp"
	"io"
	"log/slog"
	"net/http"
	"time"

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
