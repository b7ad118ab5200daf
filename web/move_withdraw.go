package web

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// withdrawalKind is a request that an operator completes or cancels.
var withdrawalKind = kind{
	name: "withdraw", posts: ledger.WithdrawalRequest, takes: true, fields: []string{"saved", "network", "address", "tag"},
	offers: (*wallet).held, read: (*moveForm).readWithdraw, same: (*moveForm).sameWithdraw, post: (*submission).withdraw,
	between: func(m *moveForm) (from, to ledger.Account) { return m.Account(), m.Account().Held() },
}

// maxPlace is how many characters a field of a withdrawal's destination may have.
const maxPlace = 200

// listed is how many withdrawals or deposits a page shows.
const listed = 20

// needed are the required fields of a withdrawal, with the keys of their faults.
var needed = map[string]string{"network": "withdraw.network.empty", "address": "withdraw.address.empty"}

// readWithdraw reads the destination, and lists earlier withdrawals.
func (m *moveForm) readWithdraw() error {
	if err := m.readDestinations(); err != nil {
		return err
	}
	for _, name := range m.kind.fields {
		text := strings.TrimSpace(m.F.Value(name))
		switch {
		case text == "" && needed[name] != "" && m.F.Faulty(): // where it goes is not chosen yet
		case text == "" && needed[name] != "" && m.F.Value("saved") == "":
			m.F.SetFault(name, m.T(needed[name]))
		case utf8.RuneCountInString(text) > maxPlace:
			m.F.SetFault(name, m.N("withdraw.too-long", maxPlace))
		case !ledger.IsLine(text):
			m.F.SetFault(name, m.T("withdraw.not-plain"))
		case name == "address" && strings.ContainsFunc(text, unicode.IsSpace):
			m.F.SetFault(name, m.T("withdraw.address.spaces"))
		}
	}
	m.Changes = []effect{m.wallet.effect(m.Asset, -m.Sum)}
	return m.listWithdrawals()
}

// withdrawals are a page of the account's withdrawals.
type withdrawals struct {
	Rows   []store.Withdrawal
	Assets map[string]ledger.Asset
	Older  string // the next page, or ""
	after  string // the cursor of this page, or ""
}

// listWithdrawals reads the latest, or those after the one that the address names.
func (m *moveForm) listWithdrawals() error {
	var after *store.Withdrawal
	if id := m.visit.value(afterField); id != "" {
		w, err := m.visit.Reports.Withdrawal(m.visit.context(), m.Account(), id)
		if err != nil {
			return err
		}
		after = &w
	}
	rows, err := m.visit.Reports.WithdrawalPage(m.visit.context(), m.Account(), reports.WithdrawalsAsked{Newest: true},
		after, listed+1)
	if err != nil {
		return err
	}
	list := withdrawals{Rows: rows, Assets: m.wallet.assets, after: m.visit.value(afterField)}
	if len(rows) > listed {
		list.Rows = rows[:listed]
		list.Older = ui.Address("/withdraw", "after", rows[listed-1].ID) + "#withdrawals"
	}
	m.List = list
	return nil
}

// Self is where this page of them is.
func (l withdrawals) Self() string { return ui.Address("/withdraw", "after", l.after) }

// Page is where a withdrawal is shown.
func (withdrawals) Page(w store.Withdrawal) string { return withdrawPath(w.ID) }

func withdrawPath(id string) string { return "/withdraw/" + url.PathEscape(id) }

// goes is the withdrawal that the form asks for.
func (m *moveForm) goes() store.Withdrawal {
	text := func(name string) string { return strings.TrimSpace(m.F.Value(name)) }
	return store.Withdrawal{
		ID: m.entryID(), Account: m.Account(), Asset: m.Asset.Symbol, Amount: m.Sum,
		Network: text("network"), Address: text("address"), Tag: text("tag"),
	}
}

func (m *moveForm) sameWithdraw(e ledger.Entry) (bool, error) {
	if !m.isEntry(e) {
		return false, nil
	}
	w, err := m.visit.Reports.Withdrawal(m.visit.context(), m.Account(), e.ID)
	asked := m.goes()
	return w.Network == asked.Network && w.Address == asked.Address && w.Tag == asked.Tag, err
}

func (s *submission) withdraw(m *moveForm) error {
	_, err := s.Books.Withdraw(s.context(), m.goes())
	return err
}

// keepUntilFactor keeps what was typed, which the visitor finds again when there is a second factor, and says how to
// add one.
func (s *submission) keepUntilFactor(m *moveForm) error {
	fields := maps.Clone(s.form().Values)
	for _, name := range append(secrets, unitsField) {
		fields.Del(name)
	}
	if _, err := s.addDraft(m.ID, "/"+m.kind.name, fields); err != nil {
		return err
	}
	m.F.Faults = map[string]string{"": m.T("withdraw.factor.kept")}
	return m.show()
}

// withdrawalPage is a withdrawal and its state.
type withdrawalPage struct {
	*view
	W       store.Withdrawal
	Of      ledger.Asset
	Balance []effect // what is free now, and its day
	Fault   string
}

// End is where the demo's visitor ends it.
func (p withdrawalPage) End() string { return withdrawPath(p.W.ID) + "/end" }

// withdrawal shows one of the visitor's.
func (v *visit) withdrawal() error { return v.showWithdrawal(http.StatusOK, "") }

func (v *visit) showWithdrawal(status int, fault string) error {
	w, err := v.Reports.Withdrawal(v.context(), v.account(), v.r.PathValue("entry"))
	if err != nil {
		return err
	}
	has, err := v.wallet()
	if err != nil {
		return err
	}
	of := has.assets[w.Asset]
	return v.showAs(status, "withdrawal",
		withdrawalPage{v.view("withdrawal.title"), w, of, []effect{has.effect(of, 0)}, fault})
}

// seeWithdrawal leads from the address of a form to the page that has it.
func (v *visit) seeWithdrawal() error { return v.see(withdrawPath(v.r.PathValue("entry"))) }

// endings are how the demo's visitor may end a withdrawal.
var endings = map[string]ledger.Kind{
	"completed": ledger.WithdrawalCompleted,
	"cancelled": ledger.WithdrawalCancelled,
}

// endWithdrawal ends a withdrawal in a demo, whose visitor is the operator too; elsewhere an operator does.
func (s *submission) endWithdrawal() error {
	w, err := s.Reports.Withdrawal(s.context(), s.account(), s.r.PathValue("entry"))
	if err != nil {
		return err
	}
	kind, known := endings[s.value("how")]
	if !known {
		return ledger.ErrNotFound.In("how", "the way to end a withdrawal")
	}
	books := s.Books
	if kind == ledger.WithdrawalCompleted { // holders cancel, and complete none
		if books, err = books.Custodian(s.caller.Request); err != nil {
			return err
		}
	}
	_, err = books.PostAll(s.context(), []ledger.Entry{w.Ending(kind)})
	if errors.Is(err, ledger.ErrEnded) || errors.Is(err, ledger.ErrNotRequested) ||
		errors.Is(err, ledger.ErrConflict) || errors.Is(err, ledger.ErrInvalid) {
		return s.showWithdrawal(http.StatusConflict, s.locale.T("withdrawal.ended"))
	}
	if err != nil {
		return err
	}
	return s.see(withdrawPath(w.ID))
}
