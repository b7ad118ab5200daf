package serve

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
	"github.com/softstake/softstake/binance"
	"github.com/softstake/softstake/console"
	"github.com/softstake/softstake/tracing"
	"github.com/softstake/softstake/ui"
	"github.com/softstake/softstake/web"
)

// gateway is the middleware of the APIs and the pages: it finds out who is calling, reads
// the request's body, limits the requests in flight, and logs and counts each request.
type gateway struct {
	log      *slog.Logger
	answered func(answered)
	tracing  *tracing.Tracing
	proxies  []netip.Prefix // whose X-Forwarded-For is believed
	country  string         // the header in which they name the country, or ""
	secure   bool           // this server speaks TLS itself

	allowUnknownCountry bool // switching on is allowed when the country is not known

	requests  map[string]*limiter // in flight, by API: each has a limit of its own
	streams   *limiter            // of events, which are open for long and do no work while nothing happens
	bodies    bodies              // that are being read
	responses *budget             // bytes of responses that are being sent
	stopping  context.Context     // ends the streams
	stop      context.CancelFunc  // of stopping: they would never end by themselves
}

// servedAPI is one of the APIs or the pages.
type servedAPI struct {
	name    string // for the metrics
	refuse  func(w http.ResponseWriter, r *http.Request, status int)
	maxBody func(r *http.Request) int64 // how many bytes of a body it reads; nil: api.SmallBody
}

var (
	exchangeAPI = servedAPI{name: "exchange", refuse: binance.Refuse}
	ownAPI      = servedAPI{name: "v1", refuse: api.Refuse}
)

const (
	pagesName   = "pages"
	consoleName = "console"
)

// pagesOf are the pages of books, which may be a test, and consoleOf those of the console.
func pagesOf(test bool) servedAPI   { return servedAPI{name: pagesName, refuse: refusePage(test)} }
func consoleOf(test bool) servedAPI { return servedAPI{name: consoleName, refuse: refusePage(test)} }

func refusePage(test bool) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, status int) { ui.Refuse(w, r, status, test) }
}

// limiter is a concurrency limit, in total and of each network: see access.Network.
type limiter = access.Limiter[netip.Prefix]

// newGateway makes a gateway with a concurrency limit for the requests of each API, at most
// half of them from one network.
func newGateway(log *slog.Logger, observe func(answered), limit int) *gateway {
	g := &gateway{
		log: log, answered: observe, bodies: newBodies(), requests: map[string]*limiter{},
		responses: newBudget(mostResponseBytes, mostResponseBytes/2),
		streams:   access.NewLimiter[netip.Prefix](mostStreams, mostStreams/4),
	}
	for _, name := range []string{exchangeAPI.name, ownAPI.name, pagesName, consoleName} {
		g.requests[name] = access.NewLimiter[netip.Prefix](limit, (limit+1)/2)
	}
	g.stopping, g.stop = context.WithCancel(context.Background())
	return g
}

// gatewayOf makes the gateway that a Config asks for.
func gatewayOf(c Config) *gateway {
	g := newGateway(c.Log, c.Metrics.answered, cmp.Or(c.MaxRequests, usualRequests))
	g.proxies, g.country, g.allowUnknownCountry = c.Proxies, c.CountryHeader, c.AllowUnknownCountry
	g.secure, g.tracing = c.CertFile != "", c.Tracing
	return g
}

const (
	// mostStreams is how many streams of events are open at the same time, at most a
	// quarter of them from one network: many holders may share an address.
	mostStreams = 2048
	// usualRequests is how many requests of each API are in flight where nobody says otherwise.
	usualRequests = 256
	// mostResponseBytes is how many bytes of responses wait for their clients to read them.
	mostResponseBytes = 128 << 20
	// retryAfter is after how many seconds a client may retry that was refused for load.
	retryAfter = "1"
)

// answered is the outcome of a request, for the metrics.
type answered struct {
	api, route, method string // route is the pattern, or "none": no route matches
	status             int
	refused            string // why the gateway refused it or its body, or ""
	took               time.Duration
}

// inFlight is a request in the gateway, and its response.
type inFlight struct {
	*response
	r       *http.Request // as the handler got it: the mux sets the pattern of this one
	of      servedAPI
	caller  access.Caller
	network netip.Prefix
	began   time.Time
	span    tracing.Span
	refused string
}

// wrap puts an API behind the gateway. In this order it
//   - finds out who is calling (caller.go): the address by the trusted proxies, the country, the
//     request's ID, for the handler in access.CallerOf;
//   - reads the body into memory (body.go);
//   - takes one of the API's slots, or answers 503;
//   - calls the handler, whose answer is held in memory up to 512 KiB (response.go);
//   - gives the slot back, and then sends what is held, counts the request and logs it (end).
func (g *gateway) wrap(of servedAPI, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := g.caller(r)
		x := &inFlight{response: &response{ResponseWriter: w}, of: of, caller: caller,
			network: access.Network(caller.Address), began: time.Now()}
		ctx, span := g.tracing.Request(r)
		x.span = span
		x.r = r.WithContext(access.WithCaller(ctx, caller))
		x.r.Pattern = ""
		g.head(x.Header(), caller)
		defer func() { g.end(x, recover()) }()
		release, ok := g.receive(x)
		defer release()
		if !ok {
			g.refuse(x)
			return
		}
		if r.URL.Path == api.EventsPath || r.URL.Path == web.LivePath || r.URL.Path == console.LivePath {
			g.limit(x, g.streams, func() { g.stream(x, next) })
			return
		}
		g.limit(x, g.requests[of.name], func() { next.ServeHTTP(x, x.r) })
	})
}

// limit serves a request that gets a slot, and refuses it otherwise.
func (g *gateway) limit(x *inFlight, l *limiter, answer func()) {
	if !l.Acquire(x.network) {
		g.refuse(x)
		return
	}
	defer l.Release(x.network)
	answer()
}

// refuse refuses a request for load.
func (g *gateway) refuse(x *inFlight) {
	x.refused = refusedBusy
	x.Header().Set("Retry-After", retryAfter)
	x.of.refuse(x, x.r, http.StatusServiceUnavailable)
}

// stream serves a stream, until it ends by itself or the server stops.
func (g *gateway) stream(x *inFlight, next http.Handler) {
	ctx, cancel := context.WithCancel(x.r.Context())
	defer cancel()
	defer context.AfterFunc(g.stopping, cancel)()
	x.r = x.r.WithContext(ctx)
	next.ServeHTTP(x, x.r)
}

// head sets the headers of every response; a handler may change them.
func (g *gateway) head(h http.Header, caller access.Caller) {
	h.Set("X-Request-Id", caller.Request)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if caller.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// end logs and counts a request, and answers for a handler that panicked. A response that
// has begun is cut off, so that nobody takes a part for the whole.
func (g *gateway) end(x *inFlight, fault any) {
	if fault != nil && fault != http.ErrAbortHandler {
		g.log.Error("a request failed", "request", x.caller.Request, "panic", fault, "stack", string(debug.Stack()))
		if x.status == 0 {
			x.of.refuse(x, x.r, http.StatusInternalServerError)
			fault = nil
		}
	}
	if fault == nil {
		g.send(x)
	}
	done := answered{
		api: x.of.name, route: route(x.r.Pattern), method: method(x.r.Method),
		status: x.result(), refused: x.refused, took: time.Since(x.began),
	}
	g.answered(done)
	x.span.End(done.method, done.route, x.caller.Request, done.status)
	g.log.Info("request", "request", x.caller.Request, "method", done.method, "route", done.route, "status", done.status,
		"whole", fault == nil,
		"bytes", x.bytes, "ms", done.took.Milliseconds(), "address", x.caller.Address, "credential", x.credential())
	if fault != nil {
		panic(http.ErrAbortHandler)
	}
}

// send sends a response, whose request has released its slot. Where many clients do not read
// theirs, the response that has waited for longest is cut off.
func (g *gateway) send(x *inFlight) {
	control := http.NewResponseController(x.ResponseWriter)
	cut := func() {
		if err := control.SetWriteDeadline(time.Now()); err != nil {
			g.log.Debug("a response cannot be cut off", "request", x.caller.Request, "error", err)
		}
	}
	if s := g.responses.acquire(x.network, int64(x.held.Len()), cut); s != nil {
		defer g.responses.release(s)
	}
	if err := x.response.send(); err != nil {
		g.log.Debug("the client did not wait for its response", "request", x.caller.Request, "error", err)
	}
}

// route is the path of a pattern, so that there are as many as routes, whatever is asked for.
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
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions:
		return m
	}
	return "other"
}

// credentialShown is how much of an API key or of a session's ID is logged: enough to find it,
// too little to use it.
const credentialShown = 8

// credential is the part of a request's credential that may be shown, as the
// client claims it: the status shows whether it was right. Only what has the form of
// a credential is shown: a forged one writes no text of its own into the log.
func (x *inFlight) credential() string {
	switch x.of.name {
	case pagesName:
		return sessionShown(x.r, web.SessionCookie(x.caller.Secure))
	case consoleName:
		return sessionShown(x.r, console.SessionCookie(x.caller.Secure))
	}
	if scheme, bearer, _ := strings.Cut(x.r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		if id, ok := access.TokenID(bearer); ok {
			return "token " + id
		}
	}
	if key := x.r.Header.Get("X-Mbx-Apikey"); len(key) > 4*credentialShown && plainText(key) {
		return "key " + key[:credentialShown]
	}
	return ""
}

// sessionShown is the short ID of the session that a page's request belongs to, or "".
func sessionShown(r *http.Request, name string) string {
	cookie, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	id, ok := access.SessionID(cookie.Value)
	if !ok {
		return ""
	}
	return "session " + id[:credentialShown]
}

// requestID is the client's own, where it is fit to be logged, or a new one.
func requestID(h http.Header) string {
	if id := h.Get("X-Request-Id"); len(id) >= 1 && len(id) <= 64 && plainText(id) {
		return id
	}
	return rand.Text()
}

// plainText reports whether a text is letters, digits, dots, dashes and underlines.
func plainText(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}
