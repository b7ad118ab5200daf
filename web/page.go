package web

import (
	"embed"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/softstake/softstake/ui"
)

//go:embed templates locales
var files embed.FS

// show answers with a page. data embeds the visit's view.
func (v *visit) show(name string, data any) error { return v.showAs(http.StatusOK, name, data) }

// showAs answers with a page and a status. Nothing is written before the page is complete:
// an error is shown on a page of its own.
func (v *visit) showAs(status int, name string, data any) error {
	err := v.pages.Show(v.w, status, name, data)
	if errors.Is(err, ui.ErrGone) {
		return errAnswered
	}
	return err
}

// refusal is a page with the reason why something is not done.
type refusal struct {
	*view
	Name   string // of the texts: refused.NAME.title …
	Status int
}

// refuse answers with a page that has the reason, and what is possible instead.
func (v *visit) refuse(status int, name string) {
	if err := v.showAs(status, "refused", refusal{v.view("refused." + name + ".title"), name, status}); err != nil &&
		!errors.Is(err, errAnswered) {
		v.Log.Error("a page of refusal failed", "request", v.caller.Request, "error", err)
		http.Error(v.w, "Something went wrong. Request "+v.caller.Request, http.StatusInternalServerError)
	}
}

// comeAgain sets Retry-After: in whole seconds, rounded up.
func (v *visit) comeAgain(wait time.Duration) {
	v.w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
}

// refuseBusy refuses a request because too many passwords are hashed at the same time. It
// returns errAnswered.
func (v *visit) refuseBusy() error {
	v.comeAgain(againIfBusy)
	v.refuse(http.StatusServiceUnavailable, "busy")
	return errAnswered
}
