// Package web is the holder's pages: HTML made on the server, with the forms that move a holder's
// own things. It knows nothing of SQL, and decides nothing about money.
package web

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// Options are what the pages need.
type Options struct {
	Books   *store.DB
	Events  *events.Hub
	Sealer  *access.Sealer // nil: no API keys of the type hmac
	Random  io.Reader
	Log     *slog.Logger
	Convert *conversion.Rules // how holders may convert against @desk; nil: not at all
	Play    Play              // a clock that visitors may move, of a demo's books; nil: these are real

	// Breached are the passwords that nobody may set because they have become public; nil: only the most common ones.
	Breached *access.Breached

	// AnchorKey is the public key that checkpoints are signed with, NAME+HASH+KEY; "": it is not published.
	AnchorKey string

	// SessionIdle is how long a session lives that is not used, SessionLife how long
	// one lives at all; zero: an hour, and a day.
	SessionIdle, SessionLife time.Duration
}

// bookReader reads from the books what reports do not have.
type bookReader interface {
	Now() time.Time
	FirstDay() staking.Day
	Test() bool
	Asset(ctx context.Context, symbol string) (ledger.Asset, error)
	Assets(ctx context.Context) ([]ledger.Asset, error)
	Account(ctx context.Context, id ledger.Account) (store.Account, error)
	Closings(ctx context.Context) (staking.Closings, error)
	Quote(ctx context.Context, account ledger.Account, from, into string, amount ledger.Amount,
		rules conversion.Rules) (conversion.Quote, error)
}

// priceReader reads the prices to convert at.
type priceReader interface {
	Fresh(ctx context.Context, rules conversion.Rules) (map[string]conversion.Price, error)
}

// peopleReader reads a holder's credentials.
type peopleReader interface {
	Login(ctx context.Context, email string) (people.Login, error)
	Session(ctx context.Context, id string) (access.Session, error)
	Sessions(ctx context.Context, id ledger.Account) ([]access.Session, error)
	Keys(ctx context.Context, id ledger.Account) ([]access.Key, error)
	Factors(ctx context.Context, subject string) (people.Factors, error)
	Draft(ctx context.Context, account ledger.Account, id string) (people.Draft, error)
	LastDraft(ctx context.Context, account ledger.Account, session, path string) (people.Draft, error)
	SecurityEvents(ctx context.Context, id ledger.Account, after *people.SecurityEvent, limit int) ([]people.SecurityEvent,
		error)
	Notices(ctx context.Context, id ledger.Account, after *people.Notice, limit int) ([]people.Notice, error)
	MailSettings(ctx context.Context, email string) (people.MailSettings, error)
	WithdrawalAddresses(ctx context.Context, id ledger.Account) ([]people.WithdrawalAddress, error)
	WithdrawalSettings(ctx context.Context, id ledger.Account) (people.WithdrawalSettings, error)
}

// keeper is all that a page may write. None of it moves anything or is in the log.
type keeper interface {
	// TouchSession: a session lives on because its pages are read.
	TouchSession(ctx context.Context, id string, until time.Time) error
	// AddDraft: what was typed before a log-in is shown after it, as a draft of the new session.
	AddDraft(ctx context.Context, d people.Draft) error
	// RemoveDraft: a draft that was posted leads to its entry, and is of no more use.
	RemoveDraft(ctx context.Context, account ledger.Account, id string) error
}

// clockReader reads the clock of a demo.
type clockReader interface {
	Progress() Progress
	Visitors() []Visitor
}

// site is what all pages share. It has no way to the methods that write the books: those
// are reached from a server, and from the submission that it makes of a form.
type site struct {
	Books    bookReader
	Prices   priceReader
	People   peopleReader
	Reports  *reports.Reports
	Evidence evidence.Reader
	keeper   keeper
	Play     clockReader

	Events                   *events.Hub
	Sealer                   *access.Sealer
	Random                   io.Reader
	Log                      *slog.Logger
	Convert                  *conversion.Rules
	Breached                 *access.Breached
	AnchorKey                string
	SessionIdle, SessionLife time.Duration

	mux     *http.ServeMux
	frame   ui.Site // what every page shows
	pages   ui.Pages
	static  ui.Static
	streams *access.Limiter[ledger.Account]

	strangersHashing, trustedHashing *turns
	slow                             slowdown // of attempts to log in
}

// server serves the site, and gives its forms the books.
type server struct {
	*site
	books    *store.DB
	play     Play
	patterns []string // of all routes, as the mux has them
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

func newServer(o Options) (*server, error) {
	who := o.Books.People()
	s := &site{
		Books: o.Books, Prices: o.Books.Prices(), People: who, Reports: reports.New(o.Books.Reader()), keeper: who,
		Play:   o.Play,
		Events: o.Events, Sealer: o.Sealer, Random: o.Random, Log: o.Log, Convert: o.Convert,
		Evidence: o.Books.Reader().Evidence(), AnchorKey: o.AnchorKey, Breached: o.Breached,
		SessionIdle: cmp.Or(o.SessionIdle, usualIdle), SessionLife: cmp.Or(o.SessionLife, usualLife),
		mux:              http.NewServeMux(),
		streams:          access.NewLimiter[ledger.Account](mostStreams, mostStreamsOf),
		strangersHashing: newTurns(mostHashingFrom), trustedHashing: newTurns(mostHashingOf),
		slow: slowdown{slowedInAll, slowedBy, access.NewLimiter[string](mostSlowed, mostSlowedOf)},
	}
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
	s.serveFiles()
	served := &server{site: s, books: o.Books, play: o.Play}
	for _, r := range s.routes() {
		served.add(r)
	}
	served.handle("/", route{public: true}, (*visit).elsewhere)
	return served, nil
}

// protect puts what each response needs around the pages: see ui.Protect.
func (s *site) protect(next http.Handler) http.Handler {
	return ui.Protect(next, LivePath, func(w http.ResponseWriter, r *http.Request) {
		s.visit(w, r).refuse(http.StatusForbidden, "other-site")
	})
}
