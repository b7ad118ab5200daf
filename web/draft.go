package web

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// All that a form's page takes from its query: the ID of a draft of the visitor's, and the
// cursor of a list on the page.
const (
	draftField = "draft"
	afterField = "after"
)

// accountField is the account that a form was shown to.
const accountField = "account"

// secrets are fields that are never kept.
var secrets = []string{"password", "current", "new", "again", codeField, answerField, askField}

// draftID names a draft by the form's ID and by its content: a draft is never changed, and
// posting the same form again has no further effect.
func draftID(form, path, body string) string {
	sum := sha256.Sum256([]byte(path + "\x00" + body))
	return form + "-" + hex.EncodeToString(sum[:8])
}

// formOfDraft is the ID of the form that a draft was made of, or "".
func formOfDraft(id string) string {
	if form, _, is := strings.Cut(id, "-"); is && isID(form) {
		return form
	}
	return ""
}

// addDraft keeps a form of the visitor's session, and returns the draft's ID. A form
// without a valid ID gets one, so that no draft takes another's name.
func (v *visit) addDraft(form, path string, fields url.Values) (id string, err error) {
	if form, err = v.formID(form); err != nil {
		return "", err
	}
	body := fields.Encode()
	d := people.Draft{
		ID: draftID(form, path, body), Account: v.account(), Session: v.session.ID, Path: path, Body: body,
	}
	return d.ID, v.keeper.AddDraft(v.context(), d)
}

// draft is the visitor's draft of a form: ledger.ErrNotFound if it does not exist (any
// more). here reports whether it was made in this session.
func (v *visit) draft(id, path string) (f *ui.Form, here bool, err error) {
	d, err := v.People.Draft(v.context(), v.account(), id)
	if err != nil {
		return nil, false, err
	}
	if d.Path != path {
		return nil, false, ledger.ErrNotFound
	}
	fields, err := url.ParseQuery(d.Body)
	return ui.FormOf(fields), d.Session == v.session.ID, err
}

// draftForm is a form as its page shows it first: empty, or with the fields of the draft
// that the address names.
func (v *visit) draftForm(path string) (*ui.Form, error) {
	f, _, err := v.draft(v.value(draftField), path)
	if errors.Is(err, ledger.ErrNotFound) {
		return ui.EmptyForm(), nil
	}
	return f, err
}

// checkOwner refuses a form that was shown to another account, by another log-in of the
// same browser.
func (v *visit) checkOwner() error {
	if of := v.r.PostForm.Get(accountField); of != "" && of != string(v.account()) {
		v.refuse(http.StatusConflict, "other-account")
		return errAnswered
	}
	return nil
}

const (
	keptLife    = 10 * time.Minute // of a form that was posted without a session
	longestKept = 3500             // bytes that a browser takes as a cookie's value
)

// keptCookie is the cookie in which a form waits for the log-in. Only a form of our own
// pages sets it: those of other sites are refused before.
func (v *visit) keptCookie() string { return ui.CookieName("form", v.caller.Secure) }

// keepForm gives the browser what was posted without a session, without the secrets.
func (v *visit) keepForm() {
	if v.r.Method != http.MethodPost || len(v.r.PostForm) == 0 {
		return
	}
	fields := maps.Clone(v.r.PostForm)
	for _, name := range secrets {
		fields.Del(name)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(v.r.URL.Path + "?" + fields.Encode()))
	if len(text) <= longestKept {
		v.setKept(text)
	}
}

// setKept gives the browser a form to keep, or takes it away: "".
func (v *visit) setKept(text string) {
	v.setCookie(v.keptCookie(), text, keptLife, http.SameSiteStrictMode)
}

// seeNext leads on after a log-in: to the page that the visitor came from or, with what
// was typed there, to a draft of the new session.
func (v *visit) seeNext() error {
	next, kept := cmp.Or(v.next(), "/spot"), v.cookie(v.keptCookie())
	if kept == "" {
		return v.see(next)
	}
	path, fields, is := readKept(kept)
	if is && path != next {
		return v.see(next) // another tab waits for it
	}
	v.setKept("")
	if of := fields.Get(accountField); !is || of != "" && of != string(v.account()) {
		return v.see(next)
	}
	fields.Del(unitsField) // nobody has confirmed it
	id, err := v.addDraft(fields.Get("id"), path, fields)
	if err != nil {
		v.Log.Warn("a form that was kept could not be shown again", "request", v.caller.Request, "error", err)
		return v.see(next)
	}
	return v.see(path, draftField, id)
}

// readKept reads what a browser has kept.
func readKept(text string) (path string, fields url.Values, is bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", nil, false
	}
	path, query, is := strings.Cut(string(b), "?")
	fields, err = url.ParseQuery(query)
	return path, fields, is && err == nil && ui.IsPath(path)
}

// idBytes is how many random bytes the ID of a form has.
const idBytes = 16

// newID is a random ID of a form, which makes posting the form idempotent.
func newID(random io.Reader) (string, error) {
	b := make([]byte, idBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// formID is the ID that a form has or, where it has none, a new one.
func (s *site) formID(id string) (string, error) {
	if isID(id) {
		return id, nil
	}
	return newID(s.Random)
}

func isID(text string) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == idBytes
}

// entryID is the ID of the entry that an account's form posts: a hash of both. So it has a
// fixed length, is none of the reserved names, and nobody can take another's.
func entryID(account ledger.Account, form string) string {
	sum := sha256.Sum256([]byte("web\x00" + string(account) + "\x00" + form))
	return "web-" + hex.EncodeToString(sum[:16])
}
