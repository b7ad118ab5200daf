// Package serve is the server: the middleware, TLS, the mounted APIs, the scheduler of the daily
// run, metrics and health. It knows no command line.
package serve

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
	"github.com/softstake/softstake/binance"
	"github.com/softstake/softstake/comparison"
	"github.com/softstake/softstake/console"
	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/mail"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/tracing"
	"github.com/softstake/softstake/web"
	"github.com/softstake/softstake/webhook"
)

// Config is what the server takes from outside. New needs the first part, Run all of it.
type Config struct {
	Books   *store.DB
	Sealer  *access.Sealer // nil: API keys of the type hmac are refused
	Now     func() time.Time
	Log     *slog.Logger
	Metrics *Metrics                        // nil: they are counted, and nobody reads them
	Around  func(http.Handler) http.Handler // put around each API, behind the gateway; may be nil

	Proxies             []netip.Prefix // whose X-Forwarded-For and CountryHeader are believed
	CountryHeader       string         // in which they name the country of a request; "": none
	AllowUnknownCountry bool           // with CountryHeader: Soft Staking may be switched on from an unknown country

	MaxRequests int          // requests in flight of each API, at most half of them of one network; 0: 256
	Rate        int          // requests a minute of each credential under /v1; 0: no limit
	Weights     bool         // the exchange's limits of request weight hold under its paths
	AcceptAt    string       // URL where a holder accepts the documents; "": none
	Pages       *web.Options // what the pages need beside the above; nil: none are served

	Console *console.Options // what the console needs beside the above; nil: it is not served
	// ConsoleListen is where the console is served, with the same certificate; "": beside the pages.
	ConsoleListen string

	Listen string // address of the APIs and the pages; port 0 takes a free one
	// Address of health and metrics; "": beside the APIs, and metrics for callers on this machine only.
	MetricsListen string
	CertFile      string // certificate in PEM, with its chain; "": no TLS
	KeyFile       string // the certificate's key in PEM
	ClientCAFile  string // certificates in PEM, by which those of clients are verified; "": none is asked for
	BooksURL      string // where the books are, for the log: without a password
	Build         Build
	Tracing       *tracing.Tracing // nil: no request is traced

	// Mail sends notices to holders, whose links lead to Site: the URL of the pages. nil: notices are on the pages alone.
	Mail   *mail.Options
	Random io.Reader // of the secret that signs the links in mails, where there is no Sealer
	// Webhooks are the addresses that webhooks are sent to; nil: none is sent. It needs a Sealer.
	Webhooks *webhook.Network

	Settle staking.Options
	// Retention is for how long what says where and who persons are is kept.
	Retention people.Retention
	// Anchor signs the records of the days and puts the checkpoint where it is kept, and returns how many records there
	// are and the last day of them. It is repeated until it succeeds. nil: the records are made, and not signed.
	Anchor func(context.Context) (records int64, through staking.Day, err error)
	Poll   time.Duration // how often to look for what is due, above zero
	// Reach is what the other ledger is asked with that the books name for the nightly reconciliation.
	Reach comparison.Reach
}

// Build is how the program was built, for the metrics.
type Build struct{ Version, Revision, Go string }

// Run answers requests and settles each day, until the context ends; the requests and the
// batch of buckets in hand are finished. Several processes may run on the same books in
// PostgreSQL. Its error is store.ErrSchema where another process has upgraded the books.
func Run(ctx context.Context, c Config) error {
	s, err := New(c)
	if err != nil {
		return err
	}
	sendMail := func(context.Context) {}
	if c.Mail != nil {
		outbox, err := newOutbox(ctx, c)
		if err != nil {
			return errors.Join(err, s.Stop())
		}
		sendMail = outbox.Run
	}
	fourEyes, err := reports.New(c.Books.Reader()).FourEyes(ctx)
	if err != nil {
		return errors.Join(err, s.Stop())
	}
	if err := warn(c, fourEyes); err != nil {
		return err
	}
	days := newScheduler(c, s.outage)
	address, err := s.start(ctx, newHealth(days, s))
	if err != nil {
		return errors.Join(err, s.Stop())
	}
	c.Log.Info("serving", "address", address, "books", c.BooksURL, "fourEyes", fourEyes)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { days.run(ctx); return nil })
	work.Go(func() error { days.removeExpired(ctx); return nil })
	work.Go(func() error { newRecorder(c, days.outage).run(ctx); return nil })
	work.Go(func() error { sendMail(ctx); return nil })
	work.Go(func() error { compareNightly(ctx, c, days.outage); return nil })
	work.Go(func() error { return sendWebhooks(ctx, c, days.outage) })
	work.Go(func() error { return watchSchema(ctx, c.Books, c.Poll) })
	err = s.Wait(ctx)
	cancel()
	err = errors.Join(work.Wait(), err)
	c.Log.Info("stopped")
	return err
}

// newOutbox makes what sends the mail.
func newOutbox(ctx context.Context, c Config) (*mail.Outbox, error) {
	secret, err := c.Books.People().DerivedSecret(ctx, c.Sealer, people.UnsubscribeSecret, c.Random)
	if err != nil {
		return nil, err
	}
	o := *c.Mail
	o.Queue, o.Unsubscribe, o.Now, o.Log = c.Books.People(), access.NewUnsubscriber(secret), c.Now, c.Log
	return mail.New(o)
}

// warn logs what is not as it should be, and works all the same.
func warn(c Config, fourEyes bool) error {
	if !fourEyes {
		c.Log.Warn("single operator mode: one person alone does everything, and one stolen credential of staff too")
	}
	if c.Sealer == nil {
		c.Log.Warn("there is no key that secrets are sealed with; start again once there is one, or API keys of the " +
			"type hmac are not understood")
	}
	if c.Books.Test() {
		c.Log.Warn("these books are a test", "clock", c.Now().UTC().Format(time.DateTime))
	}
	files, err := c.Books.Engine().Exposed()
	for _, file := range files {
		c.Log.Warn("others can read or write a file of the books; keep it to yourself: chmod 600", "file", file)
	}
	return err
}

// timeouts are how long a client may take.
type timeouts struct {
	headers  time.Duration // to send a request's headers
	request  time.Duration // to send all of it; routes with small bodies allow less
	response time.Duration // to be answered, from the headers' end on; a stream pushes it ahead of itself
	idle     time.Duration // between two requests
	stop     time.Duration // to be answered after Stop
}

var usualTimeouts = timeouts{headers: 5 * time.Second, request: 30 * time.Second, response: time.Minute,
	idle: time.Minute, stop: stopWait}

const (
	// stopWait is how long the work in hand may take when the server stops.
	stopWait = 20 * time.Second
	// maxHeaders is how many bytes of headers are read, the request's line among them.
	maxHeaders = 16 << 10
	// outboxPoll is how often this process looks for events that others have committed and, while somebody is
	// subscribed, for those that others have numbered.
	outboxPoll = 250 * time.Millisecond
)

// Server answers the requests of the APIs and the pages, which may come at the same time.
// Start, Wait and Stop are called one after another.
type Server struct {
	Config
	gateway  *gateway
	mux      *http.ServeMux
	exchange http.Handler
	console  http.Handler // nil: it is beside the pages, or not served
	timeouts timeouts
	outage   *outage  // of the books, said once for all that works on them
	ending   []func() // called when nothing is answered any more

	servers   []*http.Server
	listening *errgroup.Group
	failed    <-chan struct{} // closed when a listener has failed
}

// New makes the server of the APIs and, where Config has Pages, of the pages. It listens
// nowhere, and settles nothing.
func New(c Config) (*Server, error) {
	if c.Metrics == nil {
		c.Metrics = NewMetrics()
	}
	s := &Server{Config: c, gateway: gatewayOf(c), mux: http.NewServeMux(), timeouts: usualTimeouts,
		outage: &outage{log: c.Log, now: c.Now}}
	var failed context.Context
	s.listening, failed = errgroup.WithContext(context.Background())
	s.failed = failed.Done()
	hub := events.New(c.Books, c.Log, outboxPoll)
	s.exchange = s.mount(exchangeAPI, binance.New(binance.Options{
		Books: c.Books, Sealer: c.Sealer, Now: c.Now, Log: c.Log, Weights: c.Weights, Accept: c.AcceptAt,
		Alarm: c.alarm(),
	}))
	// The table of routes is in api/route.go; each file of api puts its own into it.
	own, ours := ownAPI, api.New(api.Options{Books: c.Books, Events: hub, Now: c.Now, Log: c.Log, Test: c.Books.Test(),
		Rate: c.Rate, Alarm: c.alarm()})
	own.maxBody = ours.MaxBody
	s.mux.Handle("/v1/", s.mount(own, ours))
	if err := s.mountConsole(); err != nil {
		return nil, err
	}
	if c.Pages == nil {
		return s, nil
	}
	o := *c.Pages
	o.Books, o.Events, o.Sealer, o.Log = c.Books, hub, c.Sealer, c.Log
	holders, err := web.New(o)
	if err != nil {
		return nil, err
	}
	s.mux.Handle("/", s.mount(pagesOf(c.Books.Test()), holders))
	return s, nil
}

// mountConsole mounts the console beside the pages, or makes it for an address of its own.
func (s *Server) mountConsole() error {
	if s.Config.Console == nil {
		return nil
	}
	o := *s.Config.Console
	o.Books, o.Log, o.Files = s.Books, s.Log, s.Pages == nil || s.ConsoleListen != ""
	c, err := console.New(o)
	if err != nil {
		return err
	}
	s.ending = append(s.ending, c.Stop)
	handler := s.mount(consoleOf(s.Books.Test()), c)
	if s.ConsoleListen != "" {
		s.console = s.marked(handler)
		return nil
	}
	s.mux.Handle(console.Path, handler)
	s.mux.Handle(console.Path+"/", handler)
	if o.Files {
		s.mux.Handle("/static/", handler)
	}
	return nil
}

// mount puts an API behind the gateway: see gateway.wrap.
func (s *Server) mount(a servedAPI, next http.Handler) http.Handler {
	if s.Around != nil {
		next = s.Around(next)
	}
	return s.gateway.wrap(a, next)
}

// testHeader is in every response from books that are marked for tests.
const testHeader = "X-Softstake-Test"

// marked says of each response that the books are a test, where they are.
func (s *Server) marked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Books.Test() {
			w.Header().Set(testHeader, "true")
		}
		next.ServeHTTP(w, r)
	})
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.marked(http.HandlerFunc(s.route)).ServeHTTP(w, r)
}

// route gives a request to the API or the pages that it is for.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	// Not a pattern of the mux, which redirects "/api" and "//api/v3/time": a program that
	// was written for the exchange does not follow that, and does not read HTML.
	if binance.Serves(r.URL.Path) {
		s.exchange.ServeHTTP(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// rejectDotSegments treats an API path with a segment "." or ".." as an unmatched path.
// The mux would redirect it to the cleaned path: a client that asks for
// /v1/accounts/../withdrawals would get all withdrawals.
func rejectDotSegments(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Decoded, as the mux matches it: /%761 is /v1.
		first, _, _ := strings.Cut(strings.TrimLeft(r.URL.Path, "/"), "/")
		api := binance.Serves(r.URL.Path) || first == "v1"
		parts := strings.Split(r.URL.EscapedPath(), "/") // the mux cleans the escaped path
		if api && (slices.Contains(parts, ".") || slices.Contains(parts, "..")) {
			elsewhere := *r
			elsewhere.URL = &url.URL{Path: "/" + first + "/"}
			r = &elsewhere
		}
		next.ServeHTTP(w, r)
	})
}

// Start begins to answer at an address, without TLS, and returns which address that is:
// port 0 takes a free one.
func (s *Server) Start(ctx context.Context, address string) (string, error) {
	listener, err := listen(ctx, address)
	if err != nil {
		return "", err
	}
	return s.listenOn(listener, s, nil), nil
}

// start begins to answer at the addresses of the Config, and returns that of the APIs.
func (s *Server) start(ctx context.Context, health http.Handler) (string, error) {
	var cert *certificate
	if s.CertFile != "" {
		var err error
		if cert, err = readCertificate(s.CertFile, s.KeyFile, s.Log); err != nil {
			return "", err
		}
		if s.ClientCAFile != "" {
			if cert.clients, err = readClientCA(s.ClientCAFile); err != nil {
				return "", err
			}
		}
	}
	if s.MetricsListen == "" {
		for _, path := range healthPaths {
			s.mux.Handle(path, s.gateway.forThisMachine(health)) // whatever the method: what health refuses is no page
		}
	} else {
		listener, err := listen(ctx, s.MetricsListen)
		if err != nil {
			return "", err
		}
		own := cert
		if local(listener) {
			own = nil
		}
		s.Log.Info("serving health and metrics", "at", s.listenOn(listener, health, own))
	}
	if s.console != nil {
		listener, err := listen(ctx, s.ConsoleListen)
		if err != nil {
			return "", err
		}
		s.Log.Info("serving the console", "at", s.listenOn(listener, s.console, cert))
	}
	listener, err := listen(ctx, s.Listen)
	if err != nil {
		return "", err
	}
	return s.listenOn(listener, s, cert), nil
}

// local reports whether only this machine reaches a listener.
func local(l net.Listener) bool {
	address, is := l.Addr().(*net.TCPAddr)
	return is && address.IP.IsLoopback()
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

// listenOn begins to answer what a listener accepts, with TLS where there is a certificate,
// and returns the listener's address.
func (s *Server) listenOn(listener net.Listener, handler http.Handler, c *certificate) string {
	server := &http.Server{
		Handler: rejectDotSegments(handler), MaxHeaderBytes: maxHeaders,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: s.timeouts.headers, ReadTimeout: s.timeouts.request, WriteTimeout: s.timeouts.response,
		IdleTimeout: s.timeouts.idle,
	}
	server.RegisterOnShutdown(s.gateway.stop)
	accept := func() error { return server.Serve(listener) }
	if c != nil {
		server.TLSConfig = c.config()
		accept = func() error { return server.ServeTLS(listener, "", "") }
	}
	s.servers = append(s.servers, server)
	s.listening.Go(func() error {
		if err := accept(); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return listener.Addr().String()
}

// Wait answers until the context ends or a listener fails, and then stops. Until then it gives the events of the
// books their numbers, without which no stream has them. Its error is what failed.
func (s *Server) Wait(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var numbering sync.WaitGroup
	numbering.Go(func() { number(ctx, s.Config, s.outage) })
	select {
	case <-ctx.Done():
	case <-s.failed:
	}
	err := s.Stop()
	cancel()
	numbering.Wait()
	return err
}

// Stop takes no more requests, ends the streams, and lets the requests in flight be
// answered. What is not answered in time is cut off, for the books are closed after it.
func (s *Server) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.timeouts.stop)
	defer cancel()
	var stopping errgroup.Group
	for _, server := range s.servers {
		stopping.Go(func() error {
			if err := server.Shutdown(ctx); err != nil {
				return errors.Join(err, server.Close())
			}
			return nil
		})
	}
	err := errors.Join(stopping.Wait(), s.listening.Wait())
	for _, end := range s.ending {
		end()
	}
	return err
}
