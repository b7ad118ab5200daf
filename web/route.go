package web

import (
	"errors"
	"net/http"
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// handler reads what was asked, calls one thing, and answers. What it returns is
// told on a page of its own.
type handler func(*visit) error

// get is a page for those who have logged in.
func (s *server) get(path string, h handler) { s.handle("GET "+path, audience{private: true}, h) }

// post is a form for those who have logged in. There is a page of the same path: a
// session that has ended leads to the log-in, and back there.
func (s *server) post(path string, h handler) { s.handle("POST "+path, audience{private: true}, h) }

// forms are the page of a form and what it posts, at one path. The page takes nothing
// from its query but the ID of a draft, and where a list on it goes on.
func (s *server) forms(path string, page, posted handler) {
	s.handle("GET "+path, audience{private: true, ofForm: true}, page)
	s.post(path, posted)
}

// open is a page or form for everybody: "GET /login".
func (s *server) open(pattern string, h handler) { s.handle(pattern, audience{}, h) }

// audience is for whom a page is, and what its address may say.
type audience struct {
	private bool // for those who have logged in
	ofForm  bool // it is the page of a form
}

func (s *server) handle(pattern string, a audience, h handler) {
	s.patterns = append(s.patterns, pattern)
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		v := s.visit(w, r)
		v.ofForm = a.ofForm
		err := v.begin(a.private)
		if err == nil {
			err = h(v)
		}
		if err != nil {
			s.fail(v, err)
		}
	})
}

// errAnswered is returned if the visit was answered already.
var errAnswered = errors.New("answered")

// failures is the one table from the kinds of error to the page that tells of one: its
// status, and the name of its texts, refused.NAME.title and others. What is not in it is
// a fault of ours.
var failures = []struct {
	kinds  []error
	status int
	name   string
}{
	{[]error{ledger.ErrNotFound}, http.StatusNotFound, "not-found"},
	{[]error{ledger.ErrFrozen}, http.StatusConflict, "frozen"},
	{[]error{staking.ErrRegion}, http.StatusUnavailableForLegalReasons, "region"},
	{[]error{staking.ErrUnknownCountry}, http.StatusUnavailableForLegalReasons, "unknown-country"},
	{[]error{staking.ErrUpdateApp}, http.StatusForbidden, "update-app"},
	{[]error{store.ErrSchema}, http.StatusServiceUnavailable, "upgrade"},
	// A form answers these itself, or no page comes to them.
	{[]error{
		ledger.ErrInvalid, ledger.ErrInsufficient, ledger.ErrConflict, ledger.ErrEnded, ledger.ErrNotRequested,
		ledger.ErrDayClosed, ledger.ErrOverflow, access.ErrUnknown, access.ErrSignature, access.ErrAddress,
		access.ErrForbidden, staking.ErrDocuments, staking.ErrFunds, staking.ErrLimit, idempotency.ErrInFlight,
		store.ErrNoBooks, store.ErrRealBooks, store.ErrUnfinished, store.ErrFindings,
	}, http.StatusInternalServerError, "failed"},
}

// pageOf is the status of the page that tells of an error, and the name of its texts.
func pageOf(err error) (status int, name string) {
	for _, f := range failures {
		if slices.ContainsFunc(f.kinds, func(kind error) bool { return errors.Is(err, kind) }) {
			return f.status, f.name
		}
	}
	return http.StatusInternalServerError, "failed"
}

// fail tells what went wrong, on a page.
func (s *server) fail(v *visit, err error) {
	if errors.Is(err, errAnswered) {
		return
	}
	status, name := pageOf(err)
	if status == http.StatusInternalServerError && v.r.Context().Err() == nil {
		s.Log.Error("a page failed", "request", v.caller.Request, "error", err)
	}
	v.refuse(status, name)
}
