package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// visit is one request, and who makes it. A page is made with it, and cannot write the books: see site.
type visit struct {
	*site
	w        http.ResponseWriter
	r        *http.Request
	caller   access.Caller
	locale   *ui.Locale
	zone     *time.Location
	actor    access.Actor // zero: nobody has logged in
	text     string       // of the session, as the browser has it
	fourEyes bool
	staff    readOnce[[]access.Staff]        // all members
	open     readOnce[[]access.StaffSession] // the sessions of all of them
}

// readOnce is what several parts of a page need of the books: the first of them reads it.
type readOnce[T any] struct {
	done  bool
	value T
	err   error
}

func (o *readOnce[T]) of(read func() (T, error)) (T, error) {
	if !o.done {
		o.value, o.err = read()
		o.done = true
	}
	return o.value, o.err
}

// visit is a request before its session is read.
func (s *site) visit(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{site: s, w: w, r: r, caller: access.CallerOf(r.Context()), locale: s.frame.Locales.Of(r),
		zone: ui.ZoneOf(r)}
}

// submission is a form that was posted. Only here are the books that can be written.
type submission struct {
	*visit
	Books *store.DB // the actor is the member of staff; hides the reader of the site
	entrance
	secret string // what the answer shows once, or ""
}

// submission is made after the session is read.
func (s *server) submission(v *visit) *submission {
	actor := access.Process("console")
	if v.signedIn() {
		actor = v.actor
	}
	return &submission{visit: v, Books: s.books.As(actor.In(v.caller.Request)), entrance: s.entrance}
}

// context is the request's.
func (v *visit) context() context.Context { return v.r.Context() }

// signedIn reports whether a member of staff has logged in.
func (v *visit) signedIn() bool { return v.actor.Credential != "" }

// may reports whether the visitor has one of some roles.
func (v *visit) may(roles []access.Role) bool { return slices.Contains(roles, v.actor.Role) }

// maxForm is how many bytes of a form are read.
const maxForm = 64 << 10

// begin reads the form and the session, and refuses whom a page is not for. Where a session is needed and there is
// none it leads to the log-in, and returns errAnswered.
func (v *visit) begin(at route) error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	if err := v.r.ParseForm(); err != nil {
		v.refuse(http.StatusBadRequest, "bad-form")
		return errAnswered
	}
	err := v.readSession()
	switch {
	case errors.Is(err, access.ErrUnknown) && at.public:
		return nil
	case errors.Is(err, access.ErrUnknown):
		return v.askToLogIn()
	case err != nil:
		return err
	}
	if v.fourEyes, err = v.Reports.FourEyes(v.context()); err != nil {
		return err
	}
	if !at.public && !v.may(at.roles) {
		return access.ErrForbidden.In("", "the role %q does not see %s", string(v.actor.Role), at.path)
	}
	return nil
}

// askToLogIn answers a request that needs a session and has none.
func (v *visit) askToLogIn() error {
	to := ui.Address(Path+"/login", "next", v.comeBack())
	if v.fromHTMX() {
		v.w.Header().Set("HX-Redirect", to)
		v.w.WriteHeader(http.StatusUnauthorized)
		return errAnswered
	}
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return errAnswered
}

// longestAddress is how long an address may be that is put into another.
const longestAddress = 2000

// comeBack is the page that a visitor comes back to: the requested one or, for a form, the page of its path.
func (v *visit) comeBack() string {
	if back := v.r.URL.RequestURI(); v.r.Method != http.MethodPost && len(back) <= longestAddress {
		return back
	}
	return v.r.URL.EscapedPath()
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

// form is what was posted. The query is no part of it: a link could fill a form in.
func (v *visit) form() *ui.Form { return ui.FormOf(v.r.PostForm) }

// fromHTMX reports whether a part of a page is asked for, which stays where it is.
func (v *visit) fromHTMX() bool { return v.r.Header.Get("HX-Request") == "true" }

// see sends the visitor to another page with GET. pairs are those of ui.Address.
func (v *visit) see(path string, pairs ...string) error {
	http.Redirect(v.w, v.r, ui.Address(path, pairs...), http.StatusSeeOther)
	return nil
}

// ownPath is a field that names a page of the console, or another where it does not.
func (v *visit) ownPath(name, other string) string {
	if path := v.value(name); ui.IsPath(path) && (path == Path || strings.HasPrefix(path, Path+"/") ||
		strings.HasPrefix(path, Path+"?")) {
		return path
	}
	return other
}

// assets are all that the books keep, by symbol.
func (v *visit) assets() (map[string]ledger.Asset, error) {
	all, err := v.Books.Assets(v.context())
	return ledger.BySymbol(all), err
}
