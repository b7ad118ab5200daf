package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// addressesPage is the saved withdrawal addresses of an account, and the form that saves one.
type addressesPage struct {
	*view
	F        *ui.Form
	Has      people.Factors
	Rows     []addressRow
	Tokens   []string
	Settings people.WithdrawalSettings
	Saved    bool // withdrawals go to saved addresses only
	Done     string

	Any         *ui.Form // that any address is allowed
	NeedsFactor bool     // the visitor has no second factor, and saves no address without one
}

// addressRow is a saved address.
type addressRow struct {
	people.WithdrawalAddress
	Wait string // how long it cannot be used yet, in words; "": it can
}

// addressDone are the changes that lead to the page: addresses.done.NAME in the catalogue.
var addressDone = []string{"added", "removed", "saved-only", "any"}

// addressRows are the account's saved addresses, each with how long it waits.
func (v *visit) addressRows() (rows []addressRow, err error) {
	all, err := v.People.WithdrawalAddresses(v.context(), v.account())
	for _, a := range all {
		row := addressRow{WithdrawalAddress: a}
		if left := a.Usable.Sub(v.Books.Now()); left > 0 {
			row.Wait = v.locale.Until(left)
		}
		rows = append(rows, row)
	}
	return rows, err
}

// addresses shows the saved addresses.
func (v *visit) addresses() error { return v.showAddresses(http.StatusOK, ui.EmptyForm()) }

func (v *visit) showAddresses(status int, f *ui.Form) error {
	page := addressesPage{view: v.view("addresses.title"), F: f, Any: ui.EmptyForm(),
		Done: v.choice("done", addressDone)}
	if f.Value("any") != "" {
		page.F, page.Any = page.Any, page.F
	}
	var err error
	if page.Rows, err = v.addressRows(); err != nil {
		return err
	}
	if page.Settings, err = v.People.WithdrawalSettings(v.context(), v.account()); err != nil {
		return err
	}
	page.Saved = page.Settings.SavedOnly(v.Books.Now())
	if page.Has, err = v.factors(); err != nil {
		return err
	}
	if page.NeedsFactor, err = v.needsFactor(); err != nil {
		return err
	}
	assets, err := v.assets()
	for symbol := range assets {
		page.Tokens = append(page.Tokens, symbol)
	}
	slices.Sort(page.Tokens)
	if err != nil {
		return err
	}
	return v.showAs(status, "addresses", page)
}

// AnyComes reports whether withdrawals will go to any address, and do not yet.
func (p addressesPage) AnyComes() bool { return p.Saved && !p.Settings.AnyFrom.IsZero() }

// Waits reports whether nothing is withdrawn at the moment.
func (p addressesPage) Waits() bool { return p.Settings.Waits.After(p.visit.Books.Now()) }

// readAddress reads the form of a new address, and sets its faults.
func (v *visit) readAddress(f *ui.Form) people.WithdrawalAddress {
	text := func(name string) string { return strings.TrimSpace(f.Value(name)) }
	for _, name := range []string{"network", "address", "tag", "label"} {
		switch {
		case text(name) == "" && needed[name] != "":
			f.SetFault(name, v.locale.T(needed[name]))
		case utf8.RuneCountInString(text(name)) > maxPlace:
			f.SetFault(name, v.locale.N("withdraw.too-long", maxPlace))
		case !ledger.IsLine(text(name)):
			f.SetFault(name, v.locale.T("withdraw.not-plain"))
		case name != "label" && strings.ContainsFunc(text(name), unicode.IsSpace):
			f.SetFault(name, v.locale.T("withdraw.address.spaces"))
		}
	}
	return people.WithdrawalAddress{Account: v.account(), Asset: text("asset"), Network: text("network"),
		Address: text("address"), Tag: text("tag"), Label: text("label")}
}

// addAddress saves a withdrawal address. Repeating it has no further effect.
func (s *submission) addAddress() error {
	f := s.form()
	a := s.readAddress(f)
	if !f.Faulty() {
		if _, err := s.stepUp(f, people.AddressStepUp(a), s.showAddresses); err != nil {
			return err
		}
		_, err := s.Books.People().AddWithdrawalAddress(s.context(), a)
		if err == nil {
			return s.see("/account/addresses", "done", "added")
		}
		refusal, is := errors.AsType[*ledger.Error](err)
		switch {
		case is && refusal.Reason == access.ReasonFactor:
			f.SetFault("", s.locale.T("withdraw.factor"))
		case errors.Is(err, ledger.ErrNotFound):
			f.SetFault("asset", s.locale.T("addresses.fault.asset"))
		case is && refusal.Reason == people.ReasonTooManyAddresses:
			f.SetFault("", s.locale.T("addresses.fault.many", "n", people.MaxAddresses))
		case is && refusal.Field == "network" && errors.Is(err, ledger.ErrInvalid):
			f.SetFault("network", s.locale.T("addresses.fault.network"))
		default:
			return err
		}
	}
	return s.showAddresses(http.StatusUnprocessableEntity, f)
}

// removeAddress removes a withdrawal address. It is idempotent.
func (s *submission) removeAddress() error {
	err := s.Books.People().RemoveWithdrawalAddress(s.context(), s.account(), s.value("address"))
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	return s.see("/account/addresses", "done", "removed")
}

// setSavedOnly sets whether withdrawals go to saved addresses only.
func (s *submission) setSavedOnly() error {
	only := s.value("any") == ""
	if !only {
		if _, err := s.stepUp(s.form(), people.SavedOnlyStepUp(s.account()), s.showAddresses); err != nil {
			return err
		}
	}
	err := s.Books.People().SetSavedOnly(s.context(), s.account(), only)
	if ledger.ReasonOf(err) == access.ReasonFactor {
		f := s.form()
		f.SetFault("", s.locale.T("withdraw.factor"))
		return s.showAddresses(http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	if only {
		return s.see("/account/addresses", "done", "saved-only")
	}
	return s.see("/account/addresses", "done", "any")
}

// seeAddresses leads from the address of a form to the page that has it.
func (v *visit) seeAddresses() error { return v.see("/account/addresses") }

// destinations are where a withdrawal may go: the saved addresses of its form.
type destinations struct {
	Rows  []addressRow
	Saved bool // to these only
	Waits time.Time

	NeedsFactor bool // the visitor has no second factor, and withdraws nothing without one
}

// readDestinations reads where the account may withdraw to, and takes the saved address that was chosen.
func (m *moveForm) readDestinations() (err error) {
	v := m.visit
	if m.Places.Rows, err = v.addressRows(); err != nil {
		return err
	}
	settings, err := v.People.WithdrawalSettings(v.context(), m.Account())
	if err != nil {
		return err
	}
	if m.Places.NeedsFactor, err = v.needsFactor(); err != nil {
		return err
	}
	now := v.Books.Now()
	m.Places.Saved = settings.SavedOnly(now)
	if settings.Waits.After(now) {
		m.Places.Waits = settings.Waits
	}
	if id := m.F.Value("saved"); id != "" {
		i := slices.IndexFunc(m.Places.Rows, func(r addressRow) bool { return r.ID == id })
		if i < 0 {
			m.F.SetFault("saved", m.T("withdraw.saved.gone"))
			return nil
		}
		a := m.Places.Rows[i]
		for name, value := range map[string]string{"network": a.Network, "address": a.Address, "tag": a.Tag} {
			m.F.Values.Set(name, value)
		}
	}
	m.checkDestination()
	return nil
}

// checkDestination sets the fault of a destination that the books will refuse.
func (m *moveForm) checkDestination() {
	text := func(name string) string { return strings.TrimSpace(m.F.Value(name)) }
	i := slices.IndexFunc(m.Places.Rows, func(r addressRow) bool {
		return r.Asset == m.Asset.Symbol && r.Network == strings.ToUpper(text("network")) && r.Address == text("address") &&
			r.Tag == text("tag")
	})
	switch {
	case m.Places.NeedsFactor:
		m.F.SetFault("", m.T("withdraw.factor"))
	case !m.Places.Waits.IsZero():
		m.F.SetFault("saved", m.T("withdraw.saved.reset", "time", m.Date(m.Places.Waits)))
	case i >= 0 && m.Places.Rows[i].Wait != "":
		m.F.SetFault("saved", m.T("withdraw.saved.waits", "time", m.Places.Rows[i].Wait))
	case i >= 0:
	case m.F.Value("saved") != "":
		m.F.SetFault("saved", m.T("withdraw.saved.other-token", "asset", m.Asset.Symbol))
	case m.Places.Saved:
		m.F.SetFault("saved", m.T("withdraw.saved.choose"))
	}
}

// refusesAddress reports whether the books have refused where a withdrawal goes, or that it goes without a factor.
func refusesAddress(err error) bool {
	refusal, is := errors.AsType[*ledger.Error](err)
	return is && errors.Is(err, access.ErrForbidden) && (refusal.Reason == store.ReasonAddressUnknown ||
		refusal.Reason == store.ReasonAddressWaits || refusal.Reason == access.ReasonFactor)
}
