package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/console"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/mail"
	"github.com/softstake/softstake/serve"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/tracing"
	"github.com/softstake/softstake/web"
	"github.com/softstake/softstake/webhook"
)

// serveCmd answers requests, and settles each day by itself.
type serveCmd struct {
	Listen          string `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where requests are answered; port 0 takes a free one. Other addresses than this machine's need TLS, a trusted proxy, or --insecure. Without it: ${default}."`
	MetricsListen   string `placeholder:"ADDRESS" help:"Where health and metrics are served; with the same certificate, where others reach it. Without it: beside everything else, and the metrics for callers on this machine only."`
	TLSCert         string `name:"tls-cert" placeholder:"FILE" help:"Certificate in PEM, with its chain; a changed file is read again. Without it: no TLS."`
	TLSKey          string `name:"tls-key" placeholder:"FILE" help:"The certificate's key in PEM."`
	TLSClientCA     string `name:"tls-client-ca" placeholder:"FILE" help:"Certificates in PEM, by which the certificates of clients are verified: tokens with a --client-subject can be used then. Without it: no client is asked for one."`
	TrustedProxy    string `placeholder:"RANGES" help:"Addresses and ranges, separated by commas, whose X-Forwarded-For is believed. Without it: nobody's."`
	CountryHeader   string `placeholder:"NAME" help:"The header in which a trusted proxy says the country a request comes from, such as CF-IPCountry."`
	UnknownCountry  string `enum:"refuse,allow" default:"refuse" help:"With --country-header, whether Soft Staking may be switched on by a request whose country is not known: refuse or allow. Without it: ${default}."`
	ExchangeWeights string `enum:"on,off" default:"on" help:"Whether the exchange's limits of request weight hold under its paths: on or off. Without it: ${default}."`
	Rate            int    `default:"300000" help:"Requests a minute of each credential under /v1; 0: no limit. Without it: ${default}."`
	MaxRequests     int    `default:"256" help:"Requests in flight at the same time, of each of the pages, /v1 and the exchange's paths; at most half of them from one network (IPv4 address or IPv6 /64). More are refused with 503. Without it: ${default}."`
	Pages           string `enum:"on,off" default:"on" help:"Whether the holder's pages are served: on or off. Without it: ${default}."`
	Console         string `enum:"on,off" default:"on" help:"Whether the console of those who run the books is served, below /console: on or off. Without it: ${default}."`
	ConsoleListen   string `placeholder:"ADDRESS" help:"Where the console is served, with the same certificate, instead of beside the pages."`
	oidcFlags       `embed:""`
	Convert         bool           `help:"Let holders convert on the pages, against @desk at the newest prices: you bear what a price moves until it is set again."`
	PriceMaxAge     minutes        `default:"10" placeholder:"MINUTES" help:"With --convert, how old a price is at most at which something is converted: in minutes, or as in 90s or 2h. Without it: ${default} minutes."`
	ConvertSpread   int64          `default:"0" placeholder:"POINTS" help:"With --convert, what is taken off what a holder gets, in basis points (hundredths of a percent). Without it: ${default}."`
	ConvertLimit    string         `name:"convert-daily-limit" default:"10000" placeholder:"USDT" help:"With --convert, what an account converts at most on a UTC day, in USDT; 0: no limit. Without it: ${default}."`
	ConvertFloor    string         `placeholder:"AMOUNTS" help:"With --convert, what @desk keeps: 0 lets it pay out what it has of each token, BNB=10,USDT=500 sets tokens apart, and both may be given. Without it: @desk may overdraw."`
	AcceptAt        string         `placeholder:"URL" help:"Where a holder accepts the documents, for the message that says they are not accepted."`
	Log             string         `enum:"text,json" default:"text" help:"How the log is written: text or json. Without it: ${default}."`
	CloseAfter      *time.Duration `placeholder:"TIME" help:"Refuse to serve unless the books say the same: see \"days set-close-after\"."`
	anchorFlags     `embed:""`
	Mail            mailFlags `embed:""`
	Webhooks        string    `enum:"on,off" default:"on" help:"Whether this process sends the messages of \"webhook\": on or off. Without it: ${default}."`
	WebhookAllow    string    `placeholder:"RANGES" help:"Addresses and ranges, separated by commas, that webhooks are sent to beside those of the internet: your own network, or 127.0.0.0/8."`
	breachedFlags   `embed:""`
	retentionFlags  `embed:""`
	reachFlags      `embed:""`
	Poll            time.Duration `default:"1m" hidden:"" help:"How often to look for what is due."`
}

func (c *serveCmd) Help() string {
	return `At / are the holder's pages, for those whom "login add" lets log in; at /console is the console of those who run the books. Under /v1 is our own API; /v1/docs describes it. Under /api, /sapi, /fapi and /dapi is the exchange's API, for programs written for it (futures are empty). GET /healthz says that the process is alive, GET /readyz that it reaches its books, GET /metrics gives figures to Prometheus: without --metrics-listen to callers on this machine only, that come through no proxy.

Each day is settled when it is over, as soon as it takes no late entries any more: the books say for how long ("days closing"). What fails is retried, and a token that waits for funds or needs approval is checked each minute. Several processes may serve the same books in PostgreSQL: each reward is paid once, and a key that is revoked through one is refused by all.

With --country-header, the country of a request is the last value of the header that a trusted proxy sends, if it is a code of ISO 3166. It is unknown if the header is missing, is T1 (Tor) or XX, or if the client did not come through a trusted proxy. Soft Staking cannot be switched on then; it can always be switched off.

The records of closed days are made by itself too, from 15 minutes after the end of each day on, and signed where --anchor-key or --anchor-command says with what ("anchor make").

Where "reconcile set" says so, the books are compared with another ledger each night. With --smtp, --smtp-from and --site-url, notices to holders (a new device, key or address, a changed password or second factor) are sent as mail too. What is not sent is retried for 72 hours; each process sends some of it.

Messages are sent to the endpoints of "webhook add", by one process at a time for each, to addresses of the internet and to those of --webhook-allow.

SIGTERM ends it when the work in hand is done. Each flag may come from the environment: --trusted-proxy is SOFTSTAKE_TRUSTED_PROXY.

Examples:

  softstake serve --listen 127.0.0.1:8080
  softstake serve --listen 0.0.0.0:443 --tls-cert site.pem --tls-key site.key --metrics-listen 127.0.0.1:9090
  softstake serve --trusted-proxy 10.0.0.0/8 --country-header CF-IPCountry --log json
  softstake serve --smtp mail.example.com:587 --smtp-user softstake --smtp-password-file smtp.txt --smtp-from "Example <no-reply@example.com>" --site-url https://www.example.com
  softstake serve --convert --price-max-age 5 --convert-spread 20 --convert-daily-limit 5000 --convert-floor 0,USDT=1000`
}

// Run serves until the signal to stop.
func (c *serveCmd) Run(env *Env) (err error) {
	proxies, err := c.check(env)
	reach, unread := c.reach(env)
	if err = cmp.Or(err, unread); err != nil {
		return err
	}
	metrics, log := serve.NewMetrics(), c.logger(env)
	options := env.options() // the clock, and the flags that all commands have
	options.Observe, options.Actor, options.Refused = metrics.Committed, access.Process("serve"), metrics.Refused(log)
	b := readBuild()
	traces, err := tracing.Start(env.Context, env.Getenv, b.version)
	if err != nil {
		return err
	}
	defer stopTracing(traces, log)
	options.Tracer = traces.Queries()
	db, err := store.Open(env.Context, env.DB, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := cmp.Or(db.CheckRights(env.Context), agreeCloseAfter(env.Context, env, db, c.CloseAfter)); err != nil {
		return err
	}
	sealer, err := env.booksSealer(env.Context, db) // of the secrets of API keys; nil where there is no key
	if err != nil {
		return err
	}
	if _, err = db.Guard().On(); err != nil {
		return err
	}
	breached, err := c.breachedFlags.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, breached.Close()) }()
	pages, err := c.pages(env, db, log, breached)
	if err != nil {
		return err
	}
	anchor, err := c.anchor(env, db)
	if err != nil {
		return err
	}
	mails, err := c.mail(env)
	if err != nil {
		return err
	}
	webhooks, err := c.webhooks()
	if err != nil {
		return err
	}
	staff, err := c.console(env, sealer)
	if err != nil {
		return err
	}
	return serve.Run(env.Context, serve.Config{
		Books: db, Sealer: sealer, Now: env.Now, Log: log, Metrics: metrics,
		Proxies: proxies, CountryHeader: c.CountryHeader, AllowUnknownCountry: c.UnknownCountry == "allow",
		MaxRequests: c.MaxRequests, Rate: c.Rate, Weights: c.ExchangeWeights == "on", AcceptAt: c.AcceptAt, Pages: pages,
		Console: staff, ConsoleListen: c.ConsoleListen,
		Mail: mails, Random: env.Random, Webhooks: webhooks,
		Listen: c.Listen, MetricsListen: c.MetricsListen, CertFile: c.TLSCert, KeyFile: c.TLSKey, ClientCAFile: c.TLSClientCA,
		BooksURL: redact(env.DB), Build: serve.Build{Version: b.version, Revision: b.revision, Go: b.golang},
		Tracing: traces, Settle: runOptions(env), Retention: c.retention(), Anchor: anchor, Poll: c.Poll, Reach: reach,
	})
}

// anchor signs the records of days, or is nil where nothing says with what.
func (c *serveCmd) anchor(env *Env, db *store.DB) (func(context.Context) (int64, staking.Day, error), error) {
	if !c.anchorFlags.given() {
		return nil, nil
	}
	return c.anchoring(env.Context, env, db)
}

// stopTracing sends the last traces, for a few seconds at most: a collector that is not there is no error of serve.
func stopTracing(traces *tracing.Tracing, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := traces.Stop(ctx); err != nil {
		log.Debug("the last traces are lost", "error", err)
	}
}

// console is what the console needs, or nil where it is not served.
func (c *serveCmd) console(env *Env, sealer *access.Sealer) (o *console.Options, err error) {
	if c.Console == "off" {
		return nil, nil
	}
	o = &console.Options{Random: env.Random, Sealer: sealer}
	if c.oidcFlags.given() {
		o.Provider, err = c.oidcFlags.provider(env)
	}
	return o, err
}

// mail is how notices are sent, or nil where they are not.
func (c *serveCmd) mail(env *Env) (o *mail.Options, err error) {
	given, err := c.Mail.given()
	if given {
		o, err = c.Mail.options(env, c.Poll)
	}
	return o, err
}

// webhooks are the addresses that webhooks are sent to, or nil where none is sent.
func (c *serveCmd) webhooks() (*webhook.Network, error) {
	allowed, err := access.ParseAddresses(c.WebhookAllow)
	if errors.Is(err, ledger.ErrInvalid) {
		return nil, usage("--webhook-allow: %s", plain(err))
	}
	if err != nil || c.Webhooks == "off" {
		return nil, err
	}
	return &webhook.Network{Allowed: allowed}, nil
}

// check refuses what the flags cannot mean, and reads the proxies.
func (c *serveCmd) check(env *Env) ([]netip.Prefix, error) {
	switch {
	case c.Poll <= 0:
		return nil, usage("--poll %s is not above zero", c.Poll)
	case c.Rate < 0:
		return nil, usage("--rate %d is below zero", c.Rate)
	case c.MaxRequests < 1:
		return nil, usage("--max-requests %d is below 1", c.MaxRequests)
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return nil, usage("--tls-cert and --tls-key are given together")
	case c.TLSClientCA != "" && c.TLSCert == "":
		return nil, usage("--tls-client-ca goes with --tls-cert: a client proves that it has its certificate to a server " +
			"that speaks TLS")
	case c.CountryHeader != "" && c.TrustedProxy == "":
		return nil, usage("--country-header is believed from a trusted proxy only; name it with --trusted-proxy")
	}
	if err := cmp.Or(checkCloseAfter(c.CloseAfter), c.anchorFlags.check(env)); err != nil {
		return nil, err
	}
	proxies, err := access.ParseAddresses(c.TrustedProxy)
	if errors.Is(err, ledger.ErrInvalid) {
		return nil, usage("--trusted-proxy: %s", plain(err))
	}
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(proxies, tooWide); i >= 0 && !env.Insecure {
		return nil, usage("--trusted-proxy %s believes nearly everybody; name the addresses of your proxies, in "+
			"ranges of at least /8 (IPv4) or /7 (IPv6), or allow it with --insecure", proxies[i])
	}
	return proxies, c.checkListen(env.Insecure)
}

// tooWide reports whether a range has addresses of the whole internet: it is wider than
// any of the private ranges, 10.0.0.0/8 and fc00::/7.
func tooWide(r netip.Prefix) bool {
	if r.Addr().Is4() {
		return r.Bits() < 8
	}
	return r.Bits() < 7
}

// listenAddress resolves the address of a flag to listen at, so that what is looked at is also what
// is listened at. It is refused where others than this machine reach it, unless that is safe;
// advice is what they could read, and what to do.
func listenAddress(flag, address string, safe bool, advice string) (string, error) {
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", flag, address, err)
	}
	if !safe && !a.IP.IsLoopback() { // no IP: all addresses
		return "", usage("at %s %s others can read %s", flag, address, advice)
	}
	return a.String(), nil
}

// checkListen resolves the addresses to listen at, and refuses one at which others could
// read what is sent. A trusted proxy speaks TLS to the clients.
func (c *serveCmd) checkListen(insecure bool) (err error) {
	safe := c.TLSCert != "" || insecure
	c.Listen, err = listenAddress("--listen", c.Listen, safe || c.TrustedProxy != "", "what is sent; give --tls-cert and "+
		"--tls-key, name the proxy that speaks TLS with --trusted-proxy, listen at 127.0.0.1, or allow it with --insecure")
	if err == nil && c.MetricsListen != "" {
		c.MetricsListen, err = listenAddress("--metrics-listen", c.MetricsListen, safe, "the metrics; give --tls-cert and "+
			"--tls-key, listen at 127.0.0.1, or allow it with --insecure")
	}
	if err == nil && c.ConsoleListen != "" {
		c.ConsoleListen, err = listenAddress("--console-listen", c.ConsoleListen, safe || c.TrustedProxy != "", "the "+
			"console; give --tls-cert and --tls-key, name the proxy that speaks TLS with --trusted-proxy, listen at "+
			"127.0.0.1, or allow it with --insecure")
	}
	return err
}

// pages are what the holder's pages need, or nil where they are not served.
func (c *serveCmd) pages(env *Env, db *store.DB, log *slog.Logger, breached *access.Breached) (_ *web.Options,
	err error) {
	o := &web.Options{Random: env.Random, Breached: breached}
	if c.Convert {
		if o.Convert, err = c.conversionRules(env.Context, db, log); err != nil {
			return nil, err
		}
	}
	if o.AnchorKey, err = c.anchorFlags.public(); err != nil {
		return nil, err
	}
	if c.Pages == "off" {
		o = nil
	}
	return o, nil
}

// logger writes to standard error, where a supervisor collects it.
func (c *serveCmd) logger(env *Env) *slog.Logger {
	if c.Log == "json" {
		return slog.New(slog.NewJSONHandler(env.Stderr, logOptions(slog.LevelInfo)))
	}
	return slog.New(slog.NewTextHandler(env.Stderr, logOptions(slog.LevelInfo)))
}

// logOptions are those of a log in which no error has a password.
func logOptions(level slog.Level) *slog.HandlerOptions {
	return &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() != slog.KindAny { // most are none: nothing is allocated for them
			return a
		}
		if err, is := a.Value.Any().(error); is {
			a.Value = slog.StringValue(plain(err))
		}
		return a
	}}
}

// minutes is a time as a flag has it: whole minutes, "5", or a duration, "90s".
type minutes time.Duration

// UnmarshalText reads it.
func (m *minutes) UnmarshalText(text []byte) error {
	if n, err := strconv.ParseInt(string(text), 10, 32); err == nil {
		*m = minutes(time.Duration(n) * time.Minute)
		return nil
	}
	d, err := time.ParseDuration(string(text))
	*m = minutes(d)
	return err
}

// conversionRules are how holders may convert.
func (c *serveCmd) conversionRules(ctx context.Context, db *store.DB, log *slog.Logger) (*conversion.Rules, error) {
	rules := &conversion.Rules{PriceMaxAge: time.Duration(c.PriceMaxAge), Spread: c.ConvertSpread,
		Floors: map[string]ledger.Amount{}}
	limit, err := ledger.ParseDecimal(c.ConvertLimit, conversion.PriceScale)
	if err != nil {
		return nil, usage("--convert-daily-limit: %s", plain(err))
	}
	rules.DailyLimit = ledger.Amount(limit)
	for item := range strings.SplitSeq(c.ConvertFloor, ",") {
		symbol, amount, apart := strings.Cut(strings.TrimSpace(item), "=")
		switch {
		case item == "":
		case !apart && symbol == "0":
			rules.Stocked = true
		case !apart:
			return nil, usage("--convert-floor %q is neither 0 nor a token and its amount, such as BNB=10", item)
		default:
			if rules.Floors[symbol], err = floorOf(ctx, db, symbol, amount); err != nil {
				return nil, err
			}
		}
	}
	if err := rules.Check(); errors.Is(err, ledger.ErrInvalid) {
		return nil, usage("--convert: %s", plain(err))
	}
	if c.ConvertFloor == "" {
		log.Warn("conversions may overdraw @desk; --convert-floor 0 lets it pay out what it has")
	}
	return rules, nil
}

// floorOf reads what @desk keeps of a token.
func floorOf(ctx context.Context, db *store.DB, symbol, amount string) (ledger.Amount, error) {
	asset, err := db.Asset(ctx, symbol)
	if errors.Is(err, ledger.ErrNotFound) {
		return 0, usage("--convert-floor: %s", plain(err))
	}
	if err != nil {
		return 0, err
	}
	number, below := strings.CutPrefix(amount, "-")
	n, err := asset.Parse(number)
	if err != nil {
		return 0, usage("--convert-floor %s: %s", symbol, plain(err))
	}
	if below {
		n = -n
	}
	return n, nil
}
