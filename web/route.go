package web

import (
	"errors"
	"net/http"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// route is a page, a form, or the page of a form and what it posts, at one path. An error
// that a handler returns is shown on a page of its own.
type route struct {
	path   string
	page   func(*visit) error      // GET
	form   func(*submission) error // POST
	public bool                    // also for those who have not logged in
}

// routes are all pages and forms. The page of a form is at the form's path: where a session has
// ended, the log-in leads back there. A site has no books that a handler could close over.
func (s *site) routes() []route {
	all := []route{
		{path: "/{$}", page: (*visit).home, public: true},
		{path: "/login", page: (*visit).loginForm, form: (*submission).logIn, public: true},
		{path: "/login/passkey", page: (*visit).seeLogin, form: (*submission).logInByPasskey, public: true},
		{path: "/login/second", page: (*visit).secondForm, form: (*submission).logInSecond, public: true},
		{path: "/invitation", page: (*visit).invitation, form: (*submission).choosePassword, public: true},
		{path: "/logout", form: (*submission).logOut, public: true},
		{path: "/logout-everywhere", form: (*submission).logOutEverywhere},
		{path: "/settings", page: (*visit).settings, form: (*submission).set, public: true},
		{path: LivePath, page: (*visit).live, public: true},
		{path: "/help", page: (*visit).help},
		{path: "/rates", page: (*visit).rates, public: true},
		{path: "/rates/{asset}", page: (*visit).rate, public: true},
		{path: "/rates/{asset}/rates.csv", page: (*visit).ratesFile, public: true},

		{path: "/spot", page: (*visit).spot},
		{path: "/spot/history", page: (*visit).spotHistory},
		{path: "/activity", page: (*visit).activity},
		{path: "/activity.csv", page: (*visit).activityFile},

		{path: "/earn", page: (*visit).earn},
		{path: "/earn/start", page: (*visit).start, form: (*submission).startEarning},
		{path: "/earn/stop", page: (*visit).stop, form: (*submission).stopEarning},
		{path: "/earn/documents/{name}", page: (*visit).document, public: true},
		{path: "/earn/history", page: (*visit).earnHistory},
		{path: "/earn/rewards/{day}/{asset}", page: (*visit).reward},
		{path: "/earn/rewards/{day}/{asset}/changes.csv", page: (*visit).rewardChanges},
		{path: "/earn/rewards.csv", page: (*visit).rewardsFile},
		{path: "/earn/export", page: (*visit).export},
		{path: "/earn/tax", page: (*visit).tax},
		{path: "/earn/tax.csv", page: (*visit).taxFile},

		{path: "/account", page: (*visit).accountHome},
		{path: "/account/addresses", page: (*visit).addresses, form: (*submission).addAddress},
		{path: "/account/addresses/remove", page: (*visit).seeAddresses, form: (*submission).removeAddress},
		{path: "/account/addresses/saved-only", page: (*visit).seeAddresses, form: (*submission).setSavedOnly},
		{path: "/account/limits", page: (*visit).limits, form: (*submission).setLimit},
		{path: "/account/mail", page: (*visit).seeAccount, form: (*submission).setMail},
		{path: "/unsubscribe/{text}", page: (*visit).askToUnsubscribe, form: (*submission).unsubscribe, public: true},
		{path: "/account/sessions", page: (*visit).seeAccount, form: (*submission).endSession},
		{path: "/account/password", page: (*visit).passwordForm, form: (*submission).setPassword},
		{path: "/account/keys", page: (*visit).keys},
		{path: "/account/keys/new", page: (*visit).keyForm, form: (*submission).makeKey},
		{path: "/account/keys/{name}/revoke", page: (*visit).keyToRevoke, form: (*submission).revokeKey},

		{path: "/send/{entry}", page: transferKind.posted},
		{path: "/convert/{entry}", page: conversionKind.posted},
		{path: "/deposit/{entry}", page: depositKind.posted},
		{path: "/withdraw/{entry}", page: (*visit).withdrawal},
	}
	all = append(append(all, factorRoutes...), proofRoutes...)
	all = append(all, transferKind.routes()...)
	all = append(all, withdrawalKind.routes()...)
	if s.Convert != nil {
		all = append(all, conversionKind.routes()...)
	} else {
		all = append(all, route{path: "/convert", page: (*visit).convertsNot,
			form: func(s *submission) error { return s.convertsNot() }})
	}
	if s.Play == nil {
		return append(all, route{path: "/deposit", page: (*visit).deposits})
	}
	all = append(all, depositKind.routes()...)
	return append(all,
		route{path: "/withdraw/{entry}/end", page: (*visit).seeWithdrawal, form: (*submission).endWithdrawal},
		route{path: ClockPath, page: (*visit).clock, form: (*submission).moveClock, public: true})
}

// factorRoutes are the pages and forms of the visitor's factors.
var factorRoutes = []route{
	{path: "/account/security", page: (*visit).security},
	{path: "/account/passkeys/new", page: (*visit).newPasskey, form: (*submission).askPasskey},
	{path: "/account/passkeys/made", page: (*visit).newPasskey, form: (*submission).addPasskey},
	{path: "/account/passkeys/{id}", page: (*visit).passkey, form: (*submission).renamePasskey},
	{path: "/account/passkeys/{id}/remove", page: (*visit).passkeyToRemove, form: (*submission).removePasskey},
	{path: "/account/app/new", page: (*visit).newApp, form: (*submission).askApp},
	{path: "/account/app/made", page: (*visit).newApp, form: (*submission).addApp},
	{path: "/account/app/remove", page: (*visit).appToRemove, form: (*submission).removeApp},
	{path: "/account/codes/new", page: (*visit).newCodes, form: (*submission).makeCodes},
}

// proofRoutes are what everybody may read of what is owed, and the visitor's proofs.
var proofRoutes = []route{
	{path: "/proofs", page: (*visit).proofs, public: true},
	{path: "/proofs/checkpoints.txt", page: (*visit).checkpointsFile, public: true},
	{path: "/proofs/anchor.pub", page: (*visit).keyFile, public: true},
	{path: "/proofs/{day}/record.txt", page: (*visit).recordFile, public: true},
	{path: "/proofs/{day}/checkpoint.txt", page: (*visit).checkpointFile, public: true},
	{path: "/account/proofs", page: (*visit).accountProofs},
	{path: "/account/proofs/{day}/proofs.json", page: (*visit).proofsFile},
	{path: "/account/proofs/{day}/{asset}/proof.json", page: (*visit).proofFile},
}

// add adds a route to the mux.
func (s *server) add(r route) {
	if r.page != nil {
		s.handle("GET "+r.path, r, r.page)
	}
	if r.form != nil {
		s.handle("POST "+r.path, r, func(v *visit) error { return r.form(s.submission(v)) })
	}
}

func (s *server) handle(pattern string, at route, h func(*visit) error) {
	s.patterns = append(s.patterns, pattern)
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		v := s.visit(w, r)
		v.ofForm = at.form != nil && !at.public
		err := v.begin(at.public)
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

// answered is errAnswered, or the reason why the answer failed.
func answered(err error) error {
	if err != nil {
		return err
	}
	return errAnswered
}

// failures is the one table from the kinds of error to their pages: the status, and the
// name of the texts, refused.NAME.title and others. Other errors are internal.
var failures = ui.Failures{
	{Kinds: []error{ledger.ErrNotFound}, Status: http.StatusNotFound, Name: "not-found"},
	{Kinds: []error{ledger.ErrFrozen}, Status: http.StatusConflict, Name: "frozen"},
	{Kinds: []error{staking.ErrRegion}, Status: http.StatusUnavailableForLegalReasons, Name: "region"},
	{Kinds: []error{staking.ErrUnknownCountry}, Status: http.StatusUnavailableForLegalReasons, Name: "unknown-country"},
	{Kinds: []error{staking.ErrUpdateApp}, Status: http.StatusForbidden, Name: "update-app"},
	{Kinds: []error{store.ErrSchema}, Status: http.StatusServiceUnavailable, Name: "upgrade"},
	// A form answers these itself, or they reach no page.
	{Kinds: []error{
		ledger.ErrInvalid, ledger.ErrInsufficient, ledger.ErrConflict, ledger.ErrEnded, ledger.ErrNotRequested,
		ledger.ErrDayClosed, ledger.ErrOverflow, access.ErrUnknown, access.ErrSignature, access.ErrAddress,
		access.ErrCeiling,
		access.ErrForbidden, staking.ErrDocuments, staking.ErrFunds, staking.ErrLimit, staking.ErrUndivided, staking.ErrBreak,
		staking.ErrUncompared,
		control.ErrNeedsApproval, control.ErrEffect, control.ErrNotOpen,
		idempotency.ErrInFlight, store.ErrNoBooks, store.ErrRealBooks, store.ErrUnfinished, store.ErrFindings,
	}, Status: http.StatusInternalServerError, Name: "failed"},
}

// fail shows an error on a page.
func (v *visit) fail(err error) {
	if errors.Is(err, errAnswered) {
		return
	}
	status, name := failures.PageOf(err)
	if status == http.StatusInternalServerError && v.r.Context().Err() == nil {
		v.Log.Error("a page failed", "request", v.caller.Request, "error", err)
	}
	v.refuse(status, name)
}
