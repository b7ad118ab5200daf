package web

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// accountPage is the visitor's account.
type accountPage struct {
	*view
	Of        store.Account
	Residence string // the region's name, or "": none is verified
	Offered   string // the eligibility: "unknown", "offered", "here", "unknown-country" or "not"
	Accepted  []acceptedRow
	Sessions  []sessionRow
	Keys      int // that can be used
	Changed   time.Time
	Factors   people.Factors
	Mail      people.MailSettings
	Done      string // one of accountDone, or ""
}

// accountDone are the changes that lead to the page: account.done.NAME in the catalogue.
var accountDone = []string{"password", "password-keys", "session", "mail"}

// acceptedRow is a document that was accepted.
type acceptedRow struct {
	reports.Acceptance
	Newer bool // there is a newer version
}

// sessionRow is a session of the account.
type sessionRow struct {
	access.Session
	This bool // the browser's own
}

// accountHome shows the account, and what may be changed of it.
func (v *visit) accountHome() error {
	page := accountPage{view: v.view("account.title"), Done: v.choice("done", accountDone)}
	for _, read := range []func(*visit) error{page.readResidence, page.readAccepted, page.readSessions} {
		if err := read(v); err != nil {
			return err
		}
	}
	keys, err := v.keysPage("keys.title")
	if err != nil {
		return err
	}
	page.Keys = len(keys.Usable)
	if page.Factors, err = v.factors(); err != nil {
		return err
	}
	return v.show("account", page)
}

// readResidence reads the residence, and whether Soft Staking is offered there.
func (p *accountPage) readResidence(v *visit) (err error) {
	if p.Of, err = v.Books.Account(v.context(), v.account()); err != nil {
		return err
	}
	restricted, err := v.Reports.Regions(v.context())
	if err != nil {
		return err
	}
	if p.Of.Region.Exists() {
		p.Residence = p.Region(p.Of.Region)
	}
	atHome, asked := staking.CheckRegion(p.Of.Region, staking.Client{}, restricted),
		staking.CheckRegion(p.Of.Region, v.client(), restricted)
	switch {
	case !p.Of.Region.Exists():
		p.Offered = "unknown"
	case atHome != nil:
		p.Offered = "not"
	case errors.Is(asked, staking.ErrUnknownCountry):
		p.Offered = "unknown-country"
	case asked != nil:
		p.Offered = "here"
	default:
		p.Offered = "offered"
	}
	login, err := v.findLogin(v.session.Email)
	p.Changed = login.Changed
	if err == nil {
		p.Mail, err = v.People.MailSettings(v.context(), v.session.Email)
	}
	return err
}

// readAccepted reads which documents were accepted, in the order of their names in
// staking.DocumentNames, and of each the newest first.
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

// readSessions reads the account's sessions: that of this browser first.
func (p *accountPage) readSessions(v *visit) error {
	sessions, err := v.People.Sessions(v.context(), v.account())
	for _, s := range sessions {
		p.Sessions = append(p.Sessions, sessionRow{s, s.ID == v.session.ID})
	}
	slices.SortStableFunc(p.Sessions, func(a, b sessionRow) int { return trueFirst(a.This, b.This) })
	return err
}

// seeAccount leads from the address of a form to the page that has it.
func (v *visit) seeAccount() error { return v.see("/account") }

// endSession ends one of the account's sessions. It is idempotent.
func (s *submission) endSession() error {
	err := s.Books.People().EndSession(s.context(), s.account(), s.value("session"))
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return s.see("/account")
	case err != nil:
		return err
	}
	if err := s.recordEvent("session end", ""); err != nil {
		return err
	}
	return s.see("/account", "done", "session")
}

// passwordPage is the form that sets a password.
type passwordPage struct {
	*view
	F    *ui.Form
	Keys int // API keys that can be used, which may be revoked at the same time
	Has  people.Factors
}

func (v *visit) showPassword(status int, f *ui.Form) error {
	keys, err := v.keysPage("keys.title")
	if err != nil {
		return err
	}
	has, err := v.factors()
	if err != nil {
		return err
	}
	return v.showAs(status, "account-password", passwordPage{v.view("account.password.title"), f, len(keys.Usable), has})
}

func (v *visit) passwordForm() error {
	return v.showPassword(http.StatusOK, ui.EmptyForm())
}

// passwordFaults are the reasons to refuse a new password, with the keys of their texts.
var passwordFaults = []struct {
	err error
	key string
}{
	{access.ErrPasswordLength, "account.fault.new"},
	{access.ErrPasswordCommon, "account.fault.common"},
	{access.ErrPasswordEmail, "account.fault.email"},
	{access.ErrPasswordProduct, "account.fault.product"},
	{access.ErrPasswordBreached, "account.fault.breached"},
}

// readPassword reads a new password for the login of an address, and sets the form's faults, but for that of
// checkBreached.
func (v *visit) readPassword(f *ui.Form, email string) error {
	switch {
	case f.Value("new") == f.Value("current") && f.Value("new") != "":
		f.SetFault("new", v.locale.T("account.fault.same"))
		return nil
	case f.Value("new") != f.Value("again"):
		f.SetFault("again", v.locale.T("account.fault.again"))
	}
	return v.refusePassword(f, access.CheckNewPassword(email, f.Value("new")))
}

// checkBreached sets the fault of a new password that has become public. The list is searched on disk: what strangers
// ask for is counted before. The error is that of reading it.
func (v *visit) checkBreached(f *ui.Form) error {
	return v.refusePassword(f, v.Breached.Check(f.Value("new")))
}

// refusePassword sets the fault of a new password that is refused for a reason. Other errors are returned.
func (v *visit) refusePassword(f *ui.Form, err error) error {
	for _, fault := range passwordFaults {
		if errors.Is(err, fault.err) {
			f.SetFault("new", v.locale.T(fault.key))
			return nil
		}
	}
	return err
}

// setPassword sets the person's password, ends their other sessions and, where it is
// asked for, revokes the account's API keys.
func (s *submission) setPassword() error {
	f := s.form()
	err := s.readPassword(f, s.session.Email)
	if err == nil && !f.Faulty() {
		err = s.checkBreached(f)
	}
	if err != nil {
		return err
	}
	if f.Faulty() {
		return s.showPassword(http.StatusUnprocessableEntity, f)
	}
	if s.value(askField) == "" { // it is checked when the passkey has answered
		if err := s.confirm(f, "current", s.showPassword); err != nil {
			return err
		}
	}
	if _, err := s.stepUp(f, access.PasswordStepUp(s.session.Email), s.showPassword); err != nil {
		return err
	}
	change := people.PasswordChange{
		KeepSession: s.session.ID, RevokeKeys: f.Value("revoke") != "", Client: s.browser(), Address: s.address(),
	}
	err = s.trustedHashing.inTurn(s.context(), s.session.Email, func() (err error) {
		change.Hash, err = access.HashPassword(s.Random, f.Value("new"))
		return err
	})
	if errors.Is(err, errBusy) {
		return s.refuseBusy()
	}
	if err != nil {
		return err
	}
	revoked, err := s.Books.People().SetPassword(s.context(), s.session.Email, change)
	if err != nil {
		return err
	}
	login, err := s.findLogin(s.session.Email)
	if err != nil {
		return err
	}
	// The browser was known by the former password.
	if err := s.setDevice(access.Device{}, login); err != nil {
		return err
	}
	done := "password"
	if revoked > 0 {
		done = "password-keys"
	}
	return s.see("/account", "done", done)
}
