// Package serve is the server: the middleware, TLS, the mounted APIs, the scheduler of the daily run, metrics and health. It knows no command line.
package serve

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/web"
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

	Listen        string // address of the APIs and the pages; port 0 takes a free one
	MetricsListen string // address of health and metrics; "": beside the APIs, and metrics for callers on this machine only
	CertFile      string // certificate in PEM, with its chain; "": no TLS
	KeyFile       string // the certificate's key in PEM
	BooksURL      string // where the books are, for the log: without a password
	Build         Build

	Settle staking.Options
	Poll   time.Duration // how often to look for what is due, above zero
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
	if err := warn(c); err != nil {
		return err
	}
	days := newScheduler(c)
	address, err := s.start(ctx, newHealth(days, s))
	if err != nil {
		return errors.Join(err, s.Stop())
	}
	c.Log.Info("serving", "address", address, "books", c.BooksURL)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { days.run(ctx); return nil })
	work.Go(func() error { days.removeExpired(ctx); return nil })
	work.Go(func() error { return watchSchema(ctx, c.Books, c.Poll) })
	err = s.Wait(ctx)
	cancel()
	err = errors.Join(work.Wait(), err)
	c.Log.Info("stopped")
	return err
}

// warn logs what is not as it should be, and works all the same.
func warn(c Config) error {
	if c.Sealer == nil {
		c.Log.Warn("there is no key that secrets are sealed with; start again once there is one, or API keys of the type hmac are not understood")
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

// start begins to answer at the addresses of the Config, and returns that of the APIs.
func (s *Server) start(ctx context.Context, health http.Handler) (string, error) {
	var cert *certificate
	var err error
	if s.CertFile != "" {
		if cert, err = readCertificate(s.CertFile, s.KeyFile, s.Log); err != nil {
			return "", err
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
		s.Log.Info("serving health and metrics", "at", s.serve(listener, health, own))
	}
	listener, err := listen(ctx, s.Listen)
	if err != nil {
		return "", err
	}
	return s.serve(listener, s, cert), nil
}

// local reports whether only this machine reaches a listener.
func local(l net.Listener) bool {
	address, is := l.Addr().(*net.TCPAddr)
	return is && address.IP.IsLoopback()
}
