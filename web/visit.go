package web

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// visit is one request, and who makes it. A page is made with it, and cannot write the
// books: see site.
type visit struct {
	*site
	w       http.ResponseWriter
	r       *http.Request
	caller  access.Caller
	locale  *ui.Locale
	zone    *time.Location
	session access.Session // zero: nobody has logged in
	text    string         // of the session, as the browser has it
	ofForm  bool           // the page is a form's
	began   time.Time      // by the books' clock
	since   string         // the ID after which the stream of a page of who has logged in begins
	closes  staking.Closings
}

// visit is a request before its session is read.
func (s *site) visit(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{
		site: s, w: w, r: r, caller: access.CallerOf(r.Context()), locale: s.frame.Locales.Of(r), zone: ui.ZoneOf(r),
		began: s.Books.Now(),
	}
}

// submission is a form that was posted. Only here are the books that can be written.
type submission struct {
	*visit
	Books *store.DB // the actor is the visitor; hides the reader of the site
	play  Play
	proof string // the ID of the step-up that the actor carries, or ""
}

// submission is made after the session is read.
func (s *server) submission(v *visit) *submission {
	actor := access.Process("pages")
	if v.session.ID != "" {
		actor = v.session.Actor()
	}
	return &submission{v, s.books.As(actor.In(v.caller.Request)), s.play, ""}
}

// context is the request's.
func (v *visit) context() context.Context { return v.r.Context() }

// account is the one that the visitor has logged in to.
func (v *visit) account() ledger.Account { return v.session.Account }

// client is the visitor's client, for the switch.
func (v *visit) client() staking.Client {
	c := staking.Client{
		Platform: v.caller.Platform, Version: v.caller.Version, Country: staking.Region(v.caller.Country),
		NeedCountry: v.caller.NeedCountry,
	}
	if c.Platform == "" {
		c.Platform = "web"
	}
	if v.caller.Address.IsValid() {
		c.Address = v.caller.Address.String()
	}
	return c
}

// maxForm is how many bytes of a form are read.
const maxForm = 64 << 10

// begin reads the form and the session. Where a session is needed and there is
// none it answers with the way to log in, and returns errAnswered.
func (v *visit) begin(public bool) error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm) // forms of methods that no page takes are read as well
	if err := v.r.ParseForm(); err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, os.ErrDeadlineExceeded) {
			status = http.StatusRequestTimeout
		}
		v.refuse(status, "bad-form")
		return errAnswered
	}
	err := v.readSession()
	if err == nil && v.r.URL.Path != LivePath { // before anything of the books is read
		v.since, err = v.Events.Position(v.context())
	}
	switch {
	case errors.Is(err, access.ErrUnknown) && public:
		return nil
	case errors.Is(err, access.ErrUnknown):
		return answered(v.askToLogIn())
	case err != nil || public:
		return err
	}
	return v.checkOwner()
}

// value is a field of what was posted or, where nothing was, of the query.
func (v *visit) value(name string) string { return ui.Value(v.r, name) }

// choice is a field that is one of some values, or "".
func (v *visit) choice(name string, of []string) string {
	if value := v.value(name); slices.Contains(of, value) {
		return value
	}
	return ""
}

// see sends the visitor to another page with GET. pairs are those of address.
func (v *visit) see(path string, pairs ...string) error {
	http.Redirect(v.w, v.r, ui.Address(path, pairs...), http.StatusSeeOther)
	return nil
}

// longestAddress is how long an address may be that is put into another: proxies and
// browsers refuse longer ones.
const longestAddress = 4000

// comeBack is the page that a visitor comes back to: the requested one or, for a form, the
// page of its path. Of the address of a form's page only the fields that it takes are
// kept: what a link has added goes no further.
func (v *visit) comeBack() string {
	path := v.r.URL.EscapedPath()
	switch back := v.r.URL.RequestURI(); {
	case v.r.Method == http.MethodPost:
		return path
	case v.ofForm:
		return ui.Address(path, draftField, v.value(draftField), afterField, v.value(afterField))
	case len(back) <= longestAddress:
		return back
	}
	return "/spot"
}

// ownPath is a field that names a page of ours, or another where it does not.
func (v *visit) ownPath(name, other string) string {
	if path := v.value(name); ui.IsPath(path) {
		return path
	}
	return other
}

// fromHTMX reports whether a part of a page is asked for, which stays where it is.
func (v *visit) fromHTMX() bool { return v.r.Header.Get("HX-Request") == "true" }

// form is what was posted. The query is no part of it: a link could fill a form in.
func (v *visit) form() *ui.Form { return ui.FormOf(v.r.PostForm) }

// asked is the query of a page that changes nothing.
func (v *visit) asked() *ui.Form { return ui.FormOf(v.r.Form) }

// assets are all that the books keep, by symbol.
func (v *visit) assets() (map[string]ledger.Asset, error) {
	all, err := v.Books.Assets(v.context())
	return ledger.BySymbol(all), err
}

// asset is the asset of a symbol: also one that was added since the others were read.
func (v *visit) asset(assets map[string]ledger.Asset, symbol string) (ledger.Asset, error) {
	a, known := assets[symbol]
	if known {
		return a, nil
	}
	a, err := v.Books.Asset(v.context(), symbol)
	if err == nil {
		assets[symbol] = a
	}
	return a, err
}
