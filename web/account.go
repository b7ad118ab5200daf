package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

func (s *server) accountRoutes() {
	s.get("/account", s.accountHome)
	s.forms("/account/sessions", func(v *visit) error { return v.see("/account", nil) }, s.endSession)
	s.forms("/account/password", s.passwordForm, s.setPassword)
	s.open("GET /settings", s.settings)
	s.open("POST /settings", s.set)
}

// accountPage is who one is here.
type accountPage struct {
	*view
	Of        store.Account
	Residence string // the region's name, or "": none is verified
	Standing  string // what it means for Soft Staking: "unknown", "offered", "here", "unknown-country" or "not"
	Accepted  []acceptedRow
	Sessions  []sessionRow
	Keys      int // that can be used
	Changed   time.Time
	Done      string // what was just done, of accountDone, or ""
}

// accountDone is what may have been done before the page is shown: account.done.NAME in the catalogue.
var accountDone = []string{"password", "password-keys", "session"}

// acceptedRow is a document that was accepted.
type acceptedRow struct {
	reports.Acceptance
	Newer bool // there is a newer version
}

// sessionRow is somebody who has logged in.
type sessionRow struct {
	access.Session
	This bool
}

// accountHome shows who one is here, and what one may do about it.
func (s *server) accountHome(v *visit) error {
	page := accountPage{view: v.view("account.title")}
	if done := v.value("done"); slices.Contains(accountDone, done) {
		page.Done = done
	}
	for _, read := range []func(*visit) error{page.readResidence, page.readAccepted, page.readSessions} {
		if err := read(v); err != nil {
			return err
		}
	}
	keys, err := v.keysPage()
	if err != nil {
		return err
	}
	page.Keys = len(keys.Usable)
	return v.show("account", page)
}

// readResidence reads the residence, and what it means for Soft Staking.
func (p *accountPage) readResidence(v *visit) (err error) {
	if p.Of, err = v.Books.Account(v.context(), v.account()); err != nil {
		return err
	}
	restricted, err := v.Reports.Regions(v.context())
	if err != nil {
		return err
	}
	if p.Of.Region.Exists() {
		p.Residence = p.region(p.Of.Region)
	}
	atHome, asked := staking.CheckRegion(p.Of.Region, staking.Client{}, restricted),
		staking.CheckRegion(p.Of.Region, v.client(), restricted)
	switch {
	case !p.Of.Region.Exists():
		p.Standing = "unknown"
	case atHome != nil:
		p.Standing = "not"
	case errors.Is(asked, staking.ErrUnknownCountry):
		p.Standing = "unknown-country"
	case asked != nil:
		p.Standing = "here"
	default:
		p.Standing = "offered"
	}
	login, err := v.Books.People().Login(v.context(), v.session.Email)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	p.Changed = login.Changed
	return nil
}

// readAccepted reads which documents were accepted, in the order in which they are
// shown, of each the newest first.
func (p *accountPage) readAccepted(v *visit) error {
	acceptances, err := v.Reports.Acceptances(v.context(), v.account())
	if err != nil {
		return err
	}
	versions, err := v.Reports.DocumentVersions(v.context())
	if err != nil {
		return err
	}
	newest := map[string]int{}
	for _, d := range versions {
		newest[d.Name] = max(newest[d.Name], d.Version)
	}
	for _, a := range acceptances {
		p.Accepted = append(p.Accepted, acceptedRow{a, a.Version < newest[a.Document]})
	}
	slices.SortStableFunc(p.Accepted, func(a, b acceptedRow) int {
		return cmp.Or(slices.Index(staking.DocumentNames, a.Document)-slices.Index(staking.DocumentNames, b.Document),
			b.Version-a.Version)
	})
	return nil
}

// readSessions reads who has logged in: this browser first.
func (p *accountPage) readSessions(v *visit) error {
	sessions, err := v.Books.People().Sessions(v.context(), v.account())
	for _, s := range sessions {
		if s.ID == v.session.ID {
			p.Sessions = slices.Insert(p.Sessions, 0, sessionRow{s, true})
		} else {
			p.Sessions = append(p.Sessions, sessionRow{s, false})
		}
	}
	return err
}

// endSession ends one of the account's sessions. One that is over already is over.
func (s *server) endSession(v *visit) error {
	err := v.Books.People().EndSession(v.context(), v.account(), v.value("session"))
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return v.see("/account", nil)
	case err != nil:
		return err
	}
	if err := v.recordEvent("session end", ""); err != nil {
		return err
	}
	return v.see("/account", url.Values{"done": {"session"}})
}

// passwordPage is the form that sets a password.
type passwordPage struct {
	*view
	F    *form
	Keys int // API keys of the account that can be used, which may be revoked with it
}

func (v *visit) showPassword(status int, f *form) error {
	keys, err := v.keysPage()
	if err != nil {
		return err
	}
	return v.showAs(status, "account-password", passwordPage{v.view("account.password.title"), f, len(keys.Usable)})
}

func (s *server) passwordForm(v *visit) error {
	return v.showPassword(http.StatusOK, emptyForm())
}

// passwordFaults are why a new password is refused, and the keys of the sentences that say so.
var passwordFaults = []struct {
	err error
	key string
}{
	{access.ErrPasswordLength, "account.fault.new"},
	{access.ErrPasswordCommon, "account.fault.common"},
	{access.ErrPasswordEmail, "account.fault.email"},
	{access.ErrPasswordProduct, "account.fault.product"},
}

// readPassword reads the form, and sets its errors.
func (v *visit) readPassword(f *form) {
	switch {
	case f.Value("new") == f.Value("current") && f.Value("new") != "":
		f.fault("new", v.locale.T("account.fault.same"))
		return
	case f.Value("new") != f.Value("again"):
		f.fault("again", v.locale.T("account.fault.again"))
	}
	err := access.CheckNewPassword(v.session.Email, f.Value("new"))
	for _, fault := range passwordFaults {
		if errors.Is(err, fault.err) {
			f.fault("new", v.locale.T(fault.key))
		}
	}
}

// setPassword sets the person's password, ends their other sessions and, where it is
// asked for, revokes the account's API keys.
func (s *server) setPassword(v *visit) error {
	f := v.form()
	if v.readPassword(f); f.Faulty() {
		return v.showPassword(http.StatusUnprocessableEntity, f)
	}
	status, err := v.confirm(f, "current")
	if err != nil {
		return err
	}
	if f.Faulty() {
		return v.showPassword(status, f)
	}
	change := people.PasswordChange{
		KeepSession: v.session.ID, RevokeKeys: f.Value("revoke") != "", Client: v.browser(), Address: v.address(),
	}
	err = s.trustedHashing.inTurn(v.context(), v.session.Email, func() (err error) {
		change.Hash, err = access.HashPassword(s.Random, f.Value("new"))
		return err
	})
	if errors.Is(err, errBusy) {
		v.refuseBusy()
		return nil
	}
	if err != nil {
		return err
	}
	revoked, err := v.Books.People().SetPassword(v.context(), v.session.Email, change)
	if err != nil {
		return err
	}
	login, err := v.findLogin(v.session.Email)
	if err != nil {
		return err
	}
	// The browser was known by the password that is gone.
	if err := v.setDevice(access.Device{}, login); err != nil {
		return err
	}
	done := "password"
	if revoked > 0 {
		done = "password-keys"
	}
	return v.see("/account", url.Values{"done": {done}})
}
