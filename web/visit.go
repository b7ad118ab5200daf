package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"softstake/access"
	"softstake/ledger"
	"softstake/staking"
	"softstake/store"
)

// visit is one request, and who makes it.
type visit struct {
	*server
	Books   *store.DB // with the visitor as the actor, in front of the server's
	w       http.ResponseWriter
	r       *http.Request
	caller  access.Caller
	locale  *locale
	zone    *time.Location
	session access.Session // zero: nobody has logged in
	text    string         // of the session, as the browser has it
	began   time.Time      // by the books' clock
}

// visit reads what is known of a request before its session.
func (s *server) visit(w http.ResponseWriter, r *http.Request) *visit {
	caller := access.CallerOf(r.Context())
	books := s.Books.As(access.Process("pages").In(caller.Request))
	return &visit{server: s, Books: books, w: w, r: r, caller: caller, locale: s.locales.of(r), zone: zoneOf(r), began: s.Books.Now()}
}

// context is the request's.
func (v *visit) context() context.Context { return v.r.Context() }

// account is the one that the visitor has logged in to.
func (v *visit) account() ledger.Account { return v.session.Account }

// client is what the switch is told of the visitor.
func (v *visit) client() staking.Client {
	c := staking.Client{
		Platform: v.caller.Platform, Version: v.caller.Version, Country: staking.Region(v.caller.Country), NeedCountry: v.caller.NeedCountry,
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
	v.forgetAddress()
	err := v.readSession()
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

// value is a field of the form, or of the query.
func (v *visit) value(name string) string { return v.r.Form.Get(name) }

// see sends the visitor to another page, which is got and not posted to.
func (v *visit) see(path string, query url.Values) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// longestAddress is how long an address is at most that leads back to a form with
// what was typed: what is longer, proxies and browsers do not take.
const longestAddress = 4000

// secrets are fields that are never put into an address.
var secrets = []string{"password", "current", "new", "again"}

// forgetAddress takes secrets of a form from its body only: what stands in an address
// is written into logs on the way.
func (v *visit) forgetAddress() {
	for _, name := range secrets {
		if posted, is := v.r.PostForm[name]; is {
			v.r.Form[name] = posted
		} else if v.r.Method == http.MethodPost {
			v.r.Form.Del(name)
		}
	}
}

// comeBack is the page that a visitor comes back to after logging in: the one that
// was asked for or, for a form, the page of its path with what was typed.
func (v *visit) comeBack() string {
	if v.r.Method != http.MethodPost {
		if back := v.r.URL.RequestURI(); len(back) <= longestAddress {
			return back
		}
		return "/spot"
	}
	typed := url.Values{}
	for name, values := range v.r.PostForm {
		typed[name] = values
	}
	for _, name := range secrets {
		typed.Del(name)
	}
	back := v.r.URL.Path + "?" + typed.Encode()
	if len(typed) == 0 || len(back) > longestAddress {
		return v.r.URL.Path
	}
	return back
}

// ours says whether a text is the path of a page of ours, and nothing that leads elsewhere.
func ours(path string) bool {
	u, err := url.Parse(path)
	return err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.ContainsAny(path, "\\\r\n\t")
}

// fromHTMX says whether a part of a page is asked for, which stays where it is.
func (v *visit) fromHTMX() bool { return v.r.Header.Get("HX-Request") == "true" }
