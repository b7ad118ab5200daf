package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// route is a page, a form, or the page of a form and what it posts, at one path. An error that a handler returns is
// shown on a page of its own.
type route struct {
	path   string
	page   func(*visit) error      // GET
	form   func(*submission) error // POST
	back   func(*submission) error // GET from the OpenID provider, which a state that is used once lets change something
	roles  []access.Role           // who may look at it; what its form does the books permit
	public bool                    // also for those who have not logged in
}

// routes are all pages and forms. The page of a form is at the form's path: where a session has ended, the log-in
// leads back there.
func routes() []route {
	all := []route{
		{path: Path + "/login", page: (*visit).loginForm, form: (*submission).logIn, public: true},
		{path: Path + "/login/provider", form: (*submission).logInAtProvider, public: true},
		{path: Path + "/login/passkey", form: (*submission).logInByPasskey, public: true},
		{path: Path + "/login/back", back: (*submission).comeFromProvider, public: true},
		{path: Path + "/invitation", page: (*visit).invitation, form: (*submission).acceptInvitation, public: true},
		{path: Path + "/me", page: (*visit).me, form: (*submission).endMine, roles: access.StaffRoles},
		{path: passkeysPath, page: (*visit).seeMe, form: (*submission).askForMine, roles: access.StaffRoles},
		{path: passkeysPath + "/made", page: (*visit).seeMe, form: (*submission).addMine, roles: access.StaffRoles},
		{path: passkeysPath + "/{id}", page: (*visit).myPasskey, form: (*submission).changeMine, roles: access.StaffRoles},
		{path: Path + "/logout", form: (*submission).logOut, public: true},
		{path: Path + "/settings", page: (*visit).settings, form: (*submission).set, public: true},
		{path: LivePath, page: (*visit).live, public: true},

		{path: Path, page: (*visit).overview, roles: access.StaffRoles},
		{path: Path + "/search", page: (*visit).search, roles: access.StaffRoles},
		{path: Path + "/accounts/{account}", page: (*visit).account, roles: seesHolders},
		{path: Path + "/accounts/{account}/rewards/{day}/{asset}", page: (*visit).explanation, roles: seesHolders},
		{path: Path + "/entries/{id}", page: (*visit).entry, roles: seesEntries},
		{path: Path + "/days/{day}", page: (*visit).day, form: (*submission).approveDay, roles: access.StaffRoles},
		{path: Path + "/withdrawals", page: (*visit).withdrawals, roles: seesEntries},
		{path: Path + "/withdrawals/{account}/{id}", page: (*visit).withdrawal, form: (*submission).endWithdrawal,
			roles: seesHolders},
		{path: Path + "/proposals", page: (*visit).proposals, roles: seesProposals},
		{path: Path + "/proposals/{id}", page: (*visit).proposal, form: (*submission).decide, roles: seesProposals},
		{path: Path + "/what-if", page: (*visit).whatIf, form: (*submission).tryTerms, roles: seesWhatIf},
		{path: Path + "/reconciliations/{number}", page: (*visit).comparison, roles: seesEntries},
		{path: Path + "/log", page: (*visit).log, roles: seesLog},
	}
	for _, g := range registers {
		all = append(all, g.route())
	}
	return all
}

// add adds a route to the mux.
func (s *server) add(r route) {
	if r.page != nil {
		s.handle("GET "+r.path, r, r.page)
	}
	if r.back != nil {
		s.handle("GET "+r.path, r, func(v *visit) error { return r.back(s.submission(v)) })
	}
	if r.form != nil {
		s.handle("POST "+r.path, r, func(v *visit) error { return r.form(s.submission(v)) })
	}
}

func (s *server) handle(pattern string, at route, h func(*visit) error) {
	s.patterns = append(s.patterns, pattern)
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		v := s.visit(w, r)
		err := v.begin(at)
		if err == nil {
			err = h(v)
		}
		if err != nil {
			v.fail(err)
		}
	})
}

// errAnswered is returned if the request is answered already.
var errAnswered = errors.New("answered")

// failures is the one table from the kinds of error to their pages: the status, and the name of the texts,
// refused.NAME.title and others. Other errors are internal. What a form is refused for stands at the form.
var failures = ui.Failures{
	{Kinds: []error{ledger.ErrNotFound}, Status: http.StatusNotFound, Name: "not-found"},
	{Kinds: []error{access.ErrForbidden}, Status: http.StatusForbidden, Name: "forbidden"},
	{Kinds: []error{store.ErrSchema}, Status: http.StatusServiceUnavailable, Name: "upgrade"},
	{Kinds: []error{access.ErrCeiling, ledger.ErrInvalid, ledger.ErrInsufficient, ledger.ErrConflict, ledger.ErrEnded,
		ledger.ErrNotRequested, ledger.ErrDayClosed, ledger.ErrOverflow, ledger.ErrFrozen, staking.ErrFunds, staking.ErrLimit,
		staking.ErrUndivided, staking.ErrBreak, staking.ErrUncompared, control.ErrEffect, control.ErrNotOpen},
		Status: http.StatusConflict, Name: "conflict"},
}

// fail shows an error on a page.
func (v *visit) fail(err error) {
	if errors.Is(err, errAnswered) {
		return
	}
	status, name := failures.PageOf(err)
	if status == http.StatusInternalServerError && v.r.Context().Err() == nil {
		v.Log.Error("a page of the console failed", "request", v.caller.Request, "error", err)
	}
	v.refuse(status, name)
}

// elsewhere answers unmatched paths and methods.
func (v *visit) elsewhere() error {
	allowed := ui.Allowed(v.mux, v.r)
	if len(allowed) == 0 {
		return ledger.ErrNotFound
	}
	v.w.Header().Set("Allow", strings.Join(allowed, ", "))
	v.refuse(http.StatusMethodNotAllowed, "method")
	return nil
}

// refusal is a page with the reason why something is not done.
type refusal struct {
	*view
	Name   string // of the texts: refused.NAME.title …
	Status int
}

// refuse answers with a page that has the reason, and what is possible instead.
func (v *visit) refuse(status int, name string) {
	err := v.showAs(status, "refused", refusal{v.view("refused." + name + ".title"), name, status})
	if err != nil && !errors.Is(err, errAnswered) {
		v.Log.Error("a page of refusal failed", "request", v.caller.Request, "error", err)
		http.Error(v.w, "Something went wrong. Request "+v.caller.Request, http.StatusInternalServerError)
	}
}

// show answers with a page. data embeds the visit's view.
func (v *visit) show(name string, data any) error { return v.showAs(http.StatusOK, name, data) }

func (v *visit) showAs(status int, name string, data any) error {
	err := v.pages.Show(v.w, status, name, data)
	if errors.Is(err, ui.ErrGone) {
		return errAnswered
	}
	return err
}
