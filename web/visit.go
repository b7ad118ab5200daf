package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

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
	locale  *locale
	zone    *time.Location
	session access.Session // zero: nobody has logged in
	text    string         // of the session, as the browser has it
	ofForm  bool           // the page is a form's
	began   time.Time      // by the books' clock
	closes  staking.Closings
}

// visit reads what is known of a request before its session.
func (s *site) visit(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{
		site: s, w: w, r: r, caller: access.CallerOf(r.Context()), locale: s.locales.of(r), zone: zoneOf(r),
		began: s.Books.Now(),
	}
}

// submission is a form that was posted. Only here are the books that can be written.
type submission struct {
	*visit
	Books *store.DB // the actor is the visitor; hides the reader of the site
	play  Play
}

// submission is made after the session is read.
func (s *server) submission(v *visit) *submission {
	actor := access.Process("pages")
	if v.session.ID != "" {
		actor = v.session.Actor()
	}
	return &submission{v, s.books.As(actor.In(v.caller.Request)), s.play}
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

// begin reads the session and the form. Where a session is needed and there is
// none it answers with the way to log in, and returns errAnswered.
func (v *visit) begin(private bool) error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm) // forms of methods that no page takes are read as well
	if err := v.r.ParseForm(); err != nil {
		v.refuse(formStatus(err), "bad-form")
		return errAnswered
	}
	err := v.readSession()
	if err == nil && private {
		return v.checkOwner()
	}
	if err == nil || !errors.Is(err, access.ErrUnknown) {
		return err
	}
	if !private {
		return nil
	}
	v.askToLogIn()
	return errAnswered
}

// formStatus is the status of a form that could not be read.
func formStatus(err error) int {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest
}

// value is a field of what was posted or, where nothing was, of the query.
func (v *visit) value(name string) string {
	if v.r.Method == http.MethodPost {
		return v.r.PostForm.Get(name)
	}
	return v.r.Form.Get(name)
}

// see sends the visitor to another page, which is got and not posted to.
func (v *visit) see(path string, query url.Values) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// longestAddress is how long an address is at most that is put into another: what is
// longer, proxies and browsers do not take.
const longestAddress = 4000

// comeBack is the page that a visitor comes back to: the one that was asked for or, for
// a form, the page of its path. Of the address of a form's page only what it takes is
// kept: nothing that a link has added goes further.
func (v *visit) comeBack() string {
	path := v.r.URL.EscapedPath()
	switch back := v.r.URL.RequestURI(); {
	case v.r.Method == http.MethodPost:
		return path
	case v.ofForm:
		return address(path, draftField, v.value(draftField), afterField, v.value(afterField))
	case len(back) <= longestAddress:
		return back
	}
	return "/spot"
}

// ours reports whether a text is the path of a page of ours, and nothing that leads elsewhere.
func ours(path string) bool {
	u, err := url.Parse(path)
	return err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(path, "/") &&
		!strings.HasPrefix(path, "//") && !strings.ContainsAny(path, "\\\r\n\t")
}

// fromHTMX reports whether a part of a page is asked for, which stays where it is.
func (v *visit) fromHTMX() bool { return v.r.Header.Get("HX-Request") == "true" }

// form is what was typed, and what is wrong with it.
type form struct {
	values url.Values
	faults map[string]string // by field, a sentence in the visitor's language; "" is the whole form
}

// form is what was posted. What stands in an address was typed by nobody: a link could
// fill a form in.
func (v *visit) form() *form { return formOf(v.r.PostForm) }

// asked is what an address asks to be shown, of pages that change nothing.
func (v *visit) asked() *form { return formOf(v.r.Form) }

func formOf(values url.Values) *form { return &form{values, map[string]string{}} }

// emptyForm is one that nobody has typed into.
func emptyForm() *form { return formOf(url.Values{}) }

// Value is what was typed into a field.
func (f *form) Value(name string) string { return f.values.Get(name) }

// Fault is what is wrong with a field, or "".
func (f *form) Fault(name string) string { return f.faults[name] }

// Faulty reports whether anything is wrong.
func (f *form) Faulty() bool { return len(f.faults) > 0 }

// fault is what is wrong with a field. The first word counts.
func (f *form) fault(name, sentence string) {
	if _, there := f.faults[name]; !there {
		f.faults[name] = sentence
	}
}

// address is a path with a query of names and values; what has no value is left out.
func address(path string, pairs ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// assets are all that the books keep, by symbol.
func (s *site) assets(ctx context.Context) (map[string]ledger.Asset, error) {
	all, err := s.Books.Assets(ctx)
	return bySymbol(all), err
}

func bySymbol(all []ledger.Asset) map[string]ledger.Asset {
	assets := make(map[string]ledger.Asset, len(all))
	for _, a := range all {
		assets[a.Symbol] = a
	}
	return assets
}

// asset is the asset of a symbol: also one that was added since the others were read.
func (s *site) asset(ctx context.Context, assets map[string]ledger.Asset, symbol string) (ledger.Asset, error) {
	a, known := assets[symbol]
	if known {
		return a, nil
	}
	a, err := s.Books.Asset(ctx, symbol)
	if err == nil {
		assets[symbol] = a
	}
	return a, err
}
