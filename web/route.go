package web

import (
	"errors"
	"net/http"

	"softstake/ledger"
	"softstake/staking"
	"softstake/store"
)

// handler reads what was asked, calls one thing, and answers. What it returns is
// told on a page of its own.
type handler func(*visit) error

// get is a page for those who have logged in.
func (s *server) get(path string, h handler) { s.handle("GET "+path, true, h) }

// post is a form for those who have logged in. There is a page of the same path,
// which takes the form's fields from its query: a session that has ended loses
// nothing that was typed.
func (s *server) post(path string, h handler) { s.handle("POST "+path, true, h) }

// open is a page or form for everybody: "GET /login".
func (s *server) open(pattern string, h handler) { s.handle(pattern, false, h) }

func (s *server) handle(pattern string, private bool, h handler) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		v := s.visit(w, r)
		err := v.begin(private)
		if err == nil {
			err = h(v)
		}
		if err != nil {
			s.fail(v, err)
		}
	})
}

// errAnswered says that the visit was answered already.
var errAnswered = errors.New("answered")

// fail tells what went wrong, on a page.
func (s *server) fail(v *visit, err error) {
	switch {
	case errors.Is(err, errAnswered):
	case errors.Is(err, ledger.ErrNotFound):
		v.refuse(http.StatusNotFound, "not-found")
	case errors.Is(err, ledger.ErrFrozen):
		v.refuse(http.StatusConflict, "frozen")
	case errors.Is(err, staking.ErrRegion):
		v.refuse(http.StatusUnavailableForLegalReasons, "region")
	case errors.Is(err, staking.ErrUnknownCountry):
		v.refuse(http.StatusUnavailableForLegalReasons, "unknown-country")
	case errors.Is(err, staking.ErrUpdateApp):
		v.refuse(http.StatusForbidden, "update-app")
	case errors.Is(err, store.ErrSchema):
		v.refuse(http.StatusServiceUnavailable, "upgrade")
	default:
		if v.r.Context().Err() == nil {
			s.Log.Error("a page failed", "request", v.caller.Request, "error", err)
		}
		v.refuse(http.StatusInternalServerError, "failed")
	}
}
