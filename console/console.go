// Package console is the pages of those who run the books: HTML made on the server, with the forms by which they act,
// propose and approve. It knows nothing of SQL, and decides nothing: what a role may do the books say.
package console

import (
	"context"
	"embed"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/openid"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// Options are what the console needs.
type Options struct {
	Books  *store.DB
	Random io.Reader
	Log    *slog.Logger
	// Visitors may log in without proof: those of a demo. Other books have none.
	Visitors []Visitor
	Sealer   *access.Sealer   // nil: challenges are signed with a secret of the books
	Provider *openid.Provider // at which staff log in; nil: only with passkeys
	Files    bool             // serve the styles and scripts too, where no other pages do
}

// Path is the path of the console; all its pages are below it.
const Path = "/console"

//go:embed templates locales
var files embed.FS

// bookReader reads from the books what reports do not have.
type bookReader interface {
	Now() time.Time
	FirstDay() staking.Day
	Test() bool
	Asset(ctx context.Context, symbol string) (ledger.Asset, error)
	Assets(ctx context.Context) ([]ledger.Asset, error)
	Account(ctx context.Context, id ledger.Account) (store.Account, error)
	Closings(ctx context.Context) (staking.Closings, error)
	Delivered(ctx context.Context) (staking.Day, error)
}

// site is what all pages share. It has no way to the methods that write the books: those are reached from the
// submission that a server makes of a posted form.
type site struct {
	Books    bookReader
	Reports  *reports.Reports
	Sessions sessionReader
	Logins   loginReader
	keeper   keeper
	Visitors []Visitor
	Provider string // the host of the OpenID provider, or ""
	Log      *slog.Logger

	mux     *http.ServeMux
	frame   ui.Site // what every page shows
	pages   ui.Pages
	static  ui.Static
	streams *access.Limiter[string]
	night   *night
	trials  *trials
	poller  *poller
}

// server serves the site, and gives its forms the books.
type server struct {
	*site
	books *store.DB
	entrance
	patterns []string // of all routes, as the mux has them
}

// Console is the handler of the pages. It expects the caller in the request's context (access.WithCaller), and sets
// its own security headers.
type Console struct {
	http.Handler
	server *server
	cancel context.CancelFunc
}

// New makes the console.
func New(o Options) (*Console, error) {
	ctx, cancel := context.WithCancel(context.Background())
	s, err := newServer(ctx, o)
	if err != nil {
		cancel()
		return nil, err
	}
	return &Console{s.protect(s.mux), s, cancel}, nil
}

// Stop ends what the console does beside its pages, and waits for it. It is called before the books are closed.
func (c *Console) Stop() {
	c.cancel()
	c.server.night.work.Wait()
	c.server.trials.work.Wait()
	c.server.poller.work.Wait()
}

func newServer(ctx context.Context, o Options) (*server, error) {
	sessions := &staffSessions{newVisitorSessions(o), o.Books.Now, o.Log}
	s := &site{
		Books: o.Books, Reports: reports.New(o.Books.Reader()), Sessions: sessions,
		Logins: o.Books.People().Reader, keeper: readLog{o.Books}, Visitors: o.Visitors, Log: o.Log,
		mux: http.NewServeMux(), streams: access.NewLimiter[string](mostStreams, mostStreamsOf),
	}
	s.trials = &trials{books: o.Books.Reader(), log: o.Log, ctx: ctx, of: map[string]*trial{}}
	s.poller = &poller{pulse: s.Reports.Pulse, log: o.Log, ctx: ctx}
	s.night = &night{reports: s.Reports, log: o.Log, ctx: ctx}
	var err error
	s.frame = ui.Site{Books: o.Books, Settings: settingsPath}
	if s.frame.Locales, err = ui.ReadLocales(files); err != nil {
		return nil, err
	}
	if s.static, err = ui.ReadStatic(); err != nil {
		return nil, err
	}
	if s.pages, err = ui.ReadPages(s.static, files); err != nil {
		return nil, err
	}
	served := &server{site: s, books: o.Books, entrance: entrance{sessions, o.Random, o.Sealer, o.Provider}}
	if o.Provider != nil {
		s.Provider = o.Provider.Name()
	}
	for _, r := range routes() {
		served.add(r)
	}
	served.handle("/", route{public: true}, (*visit).elsewhere)
	if o.Files {
		s.mux.HandleFunc("GET /static/", s.file)
	}
	return served, nil
}

// protect puts what each response needs around the pages: see ui.Protect.
func (s *site) protect(next http.Handler) http.Handler {
	return ui.Protect(next, LivePath, func(w http.ResponseWriter, r *http.Request) {
		s.visit(w, r).refuse(http.StatusForbidden, "other-site")
	})
}

// file serves a file; nobody needs to have logged in for it.
func (s *site) file(w http.ResponseWriter, r *http.Request) {
	if !s.static.Serve(w, r) {
		s.visit(w, r).refuse(http.StatusNotFound, "not-found")
	}
}
