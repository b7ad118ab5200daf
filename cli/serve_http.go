package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
	"github.com/softstake/softstake/binance"
	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/web"
)

// patience is how long a client may take.
type patience struct {
	headers time.Duration // to send a request's headers
	request time.Duration // to send all of it; routes with small bodies allow less
	answer  time.Duration // to be answered, from the headers' end on; a stream pushes it ahead of itself
	idle    time.Duration // between two requests
	stop    time.Duration // to be answered after the signal to stop
}

var usualPatience = patience{headers: 5 * time.Second, request: 30 * time.Second, answer: time.Minute, idle: time.Minute, stop: stopWait}

// stopWait is how long the work in hand may take after the signal to stop.
const stopWait = 20 * time.Second

// usualRequests is how many requests of each API are in flight where nobody says otherwise.
const usualRequests = 256

// maxHeaders is how many bytes of headers are read, the request's line among them.
const maxHeaders = 16 << 10

// newsPoll is how often the books are looked at for news, while somebody wants them.
const newsPoll = 250 * time.Millisecond

// apiOptions are what the two APIs and the pages need.
type apiOptions struct {
	books    *store.DB
	sealer   *access.Sealer
	now      func() time.Time
	log      *slog.Logger
	rate     int
	weights  bool
	acceptAt string
	pages    *pages                          // nil: none are served
	around   func(http.Handler) http.Handler // put around each API, behind the gateway; may be nil
}

// pages are what the holder's pages need beside it.
type pages struct {
	random    io.Reader
	convert   *store.ConversionRules // how holders may convert against the desk; nil: not at all
	play      web.Play               // a clock that visitors may move, or nil
	idle, all time.Duration          // how long a session lives that is not used, and at all
}

const (
	// usualIdle is how long one stays logged in who does nothing.
	usualIdle = time.Hour
	// usualSession is how long one stays logged in.
	usualSession = 24 * time.Hour
)

// addAPIs puts the two APIs and the pages behind the gateway, beside what the mux has
// already: the handler that it returns serves all of it.
func addAPIs(mux *http.ServeMux, g *gateway, o apiOptions) (http.Handler, error) {
	if o.around == nil {
		o.around = func(next http.Handler) http.Handler { return next }
	}
	hub := events.New(o.books, o.log, newsPoll)
	exchange := g.wrap(exchangeAPI, o.around(binance.New(binance.Options{
		Books: o.books, Sealer: o.sealer, Now: o.now, Log: o.log, Weights: o.weights, Accept: o.acceptAt,
	})))
	// Not a pattern of the mux, which redirects "/api" and "//api/v3/time": a program that
	// was written for the exchange does not follow that, and does not read HTML.
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if binance.Serves(r.URL.Path) {
			exchange.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
	own, ours := ownAPI, api.New(api.Options{
		Books: o.books, Events: hub, Now: o.now, Log: o.log, Test: o.books.Test(), Rate: o.rate,
	})
	own.maxBody = ours.MaxBody
	mux.Handle("/v1/", g.wrap(own, o.around(ours)))
	if o.pages == nil {
		return all, nil
	}
	holders, err := web.New(web.Options{
		Books: o.books, Events: hub, Sealer: o.sealer, Now: o.now, Random: o.pages.random, Log: o.log,
		Convert: o.pages.convert, Play: o.pages.play, SessionIdle: o.pages.idle, SessionLife: o.pages.all,
	})
	if err != nil {
		return nil, err
	}
	mux.Handle("/", g.wrap(pagesAPI, o.around(holders)))
	return all, nil
}

// serving is the servers of this process.
type serving struct {
	log      *slog.Logger
	gateway  *gateway
	patience patience

	servers []*http.Server
	work    sync.WaitGroup
}

// listen begins to answer at an address, with TLS where there is a certificate, and
// returns which address that is. failed is told when it cannot go on.
func (s *serving) listen(ctx context.Context, address string, handler http.Handler, c *certificate, failed func(error)) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	server := &http.Server{
		Handler: rejectDotSegments(handler), MaxHeaderBytes: maxHeaders,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: s.patience.headers, ReadTimeout: s.patience.request, WriteTimeout: s.patience.answer, IdleTimeout: s.patience.idle,
	}
	server.RegisterOnShutdown(s.gateway.endStreams)
	serve := func() error { return server.Serve(listener) }
	if c != nil {
		server.TLSConfig = &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}
		serve = func() error { return server.ServeTLS(listener, "", "") }
	}
	s.servers = append(s.servers, server)
	s.work.Go(func() {
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			failed(err)
		}
	})
	return listener.Addr().String(), nil
}

// stop takes no more requests, ends the streams, and lets what is being answered be
// finished; what is not in time is cut off, for the books are closed after it.
func (s *serving) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience.stop)
	defer cancel()
	failures := make([]error, len(s.servers))
	var stopping sync.WaitGroup
	for i, server := range s.servers {
		stopping.Go(func() {
			if failures[i] = server.Shutdown(ctx); failures[i] != nil {
				failures[i] = errors.Join(failures[i], server.Close())
			}
		})
	}
	stopping.Wait()
	s.work.Wait()
	return errors.Join(failures...)
}

// certificate is read again when its files change, so that a renewed one needs no restart.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu   sync.Mutex
	pair *tls.Certificate
	seen [2]time.Time // when the files were changed that the pair is from
}

// get is the certificate of a new connection. One that cannot be read leaves the former.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if seen, err := c.changed(); err == nil && seen == c.seen {
		return c.pair, nil
	}
	if err := c.load(); err != nil {
		c.log.Error("the certificate has changed and cannot be read; the former is used", "error", err)
	} else {
		c.log.Info("the certificate has changed and was read")
	}
	return c.pair, nil
}

// read reads the certificate for the first time.
func (c *certificate) read() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.load()
}

// load reads the files. Where that fails they count as seen: it is told once a change.
func (c *certificate) load() error {
	seen, err := c.changed()
	if err != nil {
		return err
	}
	c.seen = seen
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.pair = &pair
	return nil
}

// changed is when the files were last changed.
func (c *certificate) changed() (times [2]time.Time, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		var info fs.FileInfo
		if info, err = os.Stat(name); err != nil {
			return times, err
		}
		times[i] = info.ModTime()
	}
	return times, nil
}
