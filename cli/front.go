package cli

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"softstake/access"
)

// front stands before the APIs and the pages: it says who is calling, refuses what is too much,
// and tells of each request what came of it.
type front struct {
	log      *slog.Logger
	answered func(answered)
	proxies  []netip.Prefix // whose word on the client's address is taken
	country  string         // the header in which they say the country, or ""
	secure   bool           // we speak TLS ourselves

	allowUnknownCountry bool // switching on is allowed when the country is not known

	work     *access.Places[netip.Addr] // requests at work: half of them at most of one address
	streams  atomic.Int64               // of events, which do no work while nothing happens, and do not count
	stopping context.Context            // ends the streams
	stop     context.CancelFunc
}

func newFront(log *slog.Logger, told func(answered), limit int) *front {
	f := &front{log: log, answered: told, work: access.NewPlaces[netip.Addr](limit, (limit+1)/2)}
	f.stopping, f.stop = context.WithCancel(context.Background())
	return f
}

// endStreams ends the streams of events, which would otherwise never end.
func (f *front) endStreams() { f.stop() }

const (
	// streamPath is where events are streamed, and livePath where the pages listen.
	streamPath = "/v1/events"
	livePath   = "/live"
	// maxBody is how many bytes of a body are read at all; routes allow less.
	maxBody = 32 << 20
	// comeAgain is after how many seconds one who was refused for load may come again.
	comeAgain = "1"
)

// answered is what came of a request.
type answered struct {
	face, route, method string // route is the pattern, or "none": there is no such route
	status              int
	took                time.Duration
}

// before puts the front before a face.
func (f *front) before(of face, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		caller := f.caller(r)
		r = r.WithContext(access.WithCaller(r.Context(), caller))
		r.Pattern = ""
		a := &reply{ResponseWriter: w}
		f.head(a.Header(), caller)
		defer func() { f.end(of, a, r, caller, began, recover()) }()
		if r.URL.Path == streamPath || r.URL.Path == livePath {
			f.stream(next, a, r)
			return
		}
		if !f.work.Take(caller.Address) {
			a.Header().Set("Retry-After", comeAgain)
			of.refuse(a, http.StatusServiceUnavailable, caller.Request)
			return
		}
		defer f.work.Give(caller.Address)
		if r.Body != nil {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		next.ServeHTTP(a, r)
	})
}

// stream serves a stream, until it ends by itself or everything stops. The pattern
// is set on the request that is given on, and is handed back.
func (f *front) stream(next http.Handler, a *reply, r *http.Request) {
	f.streams.Add(1)
	defer f.streams.Add(-1)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(f.stopping, cancel)()
	ending := r.WithContext(ctx)
	defer func() { r.Pattern = ending.Pattern }()
	next.ServeHTTP(a, ending)
}

// head sets what every answer says; a handler may say otherwise.
func (f *front) head(h http.Header, caller access.Caller) {
	h.Set("X-Request-Id", caller.Request)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if f.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// end tells what came of a request, and answers for a handler that panicked. What
// had begun to be answered is cut off, so that nobody takes the half for the whole.
func (f *front) end(of face, a *reply, r *http.Request, caller access.Caller, began time.Time, fault any) {
	if fault != nil && fault != http.ErrAbortHandler {
		f.log.Error("a request failed", "request", caller.Request, "panic", fault, "stack", string(debug.Stack()))
		if a.status == 0 {
			of.refuse(a, http.StatusInternalServerError, caller.Request)
			fault = nil
		}
	}
	done := answered{face: of.name, route: route(r.Pattern), method: method(r.Method), status: a.result(), took: time.Since(began)}
	f.answered(done)
	f.log.Info("request", "request", caller.Request, "method", done.method, "route", done.route, "status", done.status, "whole", fault == nil,
		"bytes", a.bytes, "ms", done.took.Milliseconds(), "address", caller.Address, "credential", credential(r.Header))
	if fault != nil {
		panic(http.ErrAbortHandler)
	}
}

// route is the path of a pattern: as many as there are routes, whatever is asked for.
func route(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return path
	}
	if pattern == "" {
		return "none"
	}
	return pattern
}

// method is a method that we know, or "other".
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// keyShown is how much of an API key is logged: enough to find it, too little to use it.
const keyShown = 8

// credential is the part of a request's credential that may be shown, as the
// client claims it: the status says whether it was right.
func credential(h http.Header) string {
	if bearer, ok := strings.CutPrefix(h.Get("Authorization"), "Bearer "); ok {
		if id, ok := access.TokenID(bearer); ok {
			return "token " + id
		}
	}
	if key := h.Get("X-Mbx-Apikey"); len(key) > 4*keyShown && plainText(key) {
		return "key " + key[:keyShown]
	}
	return ""
}

// requestID is the client's own, where it is fit to be logged, or a new one.
func requestID(h http.Header) string {
	if id := h.Get("X-Request-Id"); len(id) >= 1 && len(id) <= 64 && plainText(id) {
		return id
	}
	return rand.Text()
}

// plainText says whether a text is letters, digits, dots, dashes and underlines.
func plainText(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}
