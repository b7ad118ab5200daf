// Package api is our own JSON API, for an exchange's back end and for pages: it reads, parses,
// calls one thing of the books, and answers. It knows no SQL.
package api

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// Options are what the API works with.
type Options struct {
	Books   *store.DB
	Events  *events.Hub
	Now     func() time.Time
	Log     *slog.Logger
	Test    bool // the books are a test, which the documentation shows
	Rate    int  // requests a minute and credential; 0: no limit
	Streams int  // limit of concurrent streams of events; 0: 1000
}

// server serves the table of routes.
type server struct {
	Options
	reader reader
	mux    *http.ServeMux
	huma   huma.API
	routes []*route
	limits *limits

	headers map[string]*huma.Header // components that answers may have
}

// Handler serves everything under /v1.
type Handler struct{ server *server }

// New makes the API's handler.
func New(o Options) Handler { return Handler{newServer(o)} }

// ServeHTTP answers a request. The context has the caller (access.WithCaller). How
// long the body may take is limited by who calls it, which may read the body before.
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.server.mux.ServeHTTP(w, r) }

// MaxBody is how many bytes of a request's body are read: 64 KiB, or what the route
// takes if the request's credential may call it. It reads nothing of the body.
func (h Handler) MaxBody(r *http.Request) int64 { return h.server.maxBody(r) }

func newServer(o Options) *server {
	streams := &streams{most: cmp.Or(o.Streams, usualStreams), of: map[string]int{}}
	s := &server{
		Options: o, reader: reader{reports.New(o.Books.Reader()), o.Now, o.Log, o.Events, streams},
		mux: http.NewServeMux(), limits: newLimits(o.Rate),
	}
	s.huma = huma.NewAPI(describe(), describer{s})
	s.headers = s.headerComponents()
	s.accountRoutes()
	s.freezeRoutes()
	s.entryRoutes()
	s.withdrawalRoutes()
	s.reconciliationRoutes()
	s.correctionRoutes()
	s.journalRoutes()
	s.tokenRoutes()
	s.limitRoutes()
	s.termsRoutes()
	s.documentRoutes()
	s.acceptanceRoutes()
	s.regionRoutes()
	s.activationRoutes()
	s.enrollmentRoutes()
	s.rewardRoutes()
	s.todayRoutes()
	s.runRoutes()
	s.fundRoutes()
	s.priceRoutes()
	s.logRoutes()
	s.exportRoutes()
	s.eventRoutes()
	s.finish()
	return s
}
