package console

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// withdrawals are those that wait to be completed or cancelled, the oldest first.
func (v *visit) withdrawals() error {
	after := store.Withdrawal{ID: v.value("id")}
	if at, err := strconv.ParseInt(v.value("at"), 10, 64); err == nil {
		after.At = time.UnixMilli(at)
	}
	all, err := v.Reports.PendingWithdrawals(v.context(), after, pageSize)
	if err != nil {
		return err
	}
	t, err := v.withdrawalTable("withdrawals.title", all)
	if err != nil {
		return err
	}
	p := listPage{view: v.view("withdrawals.title"), Table: t}
	if n := len(all); n == pageSize {
		p.Next = ui.Address(Path+"/withdrawals", "id", all[n-1].ID, "at", strconv.FormatInt(all[n-1].At.UnixMilli(), 10))
	}
	return v.show("list", p)
}

func (v *visit) withdrawalTable(title string, all []store.Withdrawal) (table, error) {
	t := table{Title: title, Empty: "withdrawals.none", Columns: []column{{"withdrawal.requested", false},
		{"withdrawal.account", false}, {"withdrawal.amount", true}, {"withdrawal.to", false}, {"withdrawal.state", false}}}
	assets, err := v.assets()
	p := v.view("")
	for _, w := range all {
		a := assets[w.Asset]
		t.Rows = append(t.Rows, row{link(p.Local(w.At), withdrawalPath(w.Account, w.ID)),
			link(string(w.Account), accountPath(w.Account)), text(p.amount(a, w.Amount).of(w.Asset)),
			{Text: w.Address, Note: w.Network}, text(p.T("withdrawal.state." + string(w.State)))})
	}
	return t, err
}

// withdrawalPath is the page of a withdrawal, and accountPath that of an account.
func withdrawalPath(account ledger.Account, id string) string {
	return Path + "/withdrawals/" + url.PathEscape(string(account)) + "/" + url.PathEscape(id)
}

func accountPath(id ledger.Account) string { return Path + "/accounts/" + url.PathEscape(string(id)) }

// withdrawalPage is a withdrawal, and the form that ends it.
type withdrawalPage struct {
	*view
	W      store.Withdrawal
	Of     ledger.Asset
	F      *ui.Form
	Cancel bool // the visitor's role may cancel it
	Pay    bool // the visitor's role may complete it, or propose that
}

func (v *visit) withdrawal() error { return v.showWithdrawal(http.StatusOK, ui.EmptyForm()) }

func (v *visit) showWithdrawal(status int, f *ui.Form) error {
	w, err := v.Reports.Withdrawal(v.context(), ledger.Account(v.r.PathValue("account")), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := v.logRead(w.Account, "withdrawal "+w.ID); err != nil {
		return err
	}
	of, err := v.Books.Asset(v.context(), w.Asset)
	if err != nil {
		return err
	}
	pending := w.State == store.Pending
	return v.showAs(status, "withdrawal", withdrawalPage{v.view("withdrawal.title"), w, of, f,
		pending && control.Check("withdrawal cancel", v.actor) == nil,
		pending && control.Check(control.CompleteWithdrawal, v.actor) == nil})
}

// endWithdrawal completes or cancels a withdrawal, or proposes that. A large one that is completed needs approval.
func (s *submission) endWithdrawal() error {
	kinds := map[string]ledger.Kind{"complete": ledger.WithdrawalCompleted, "cancel": ledger.WithdrawalCancelled}
	f := s.form()
	kind, known := kinds[f.Value("do")]
	if !known {
		return ledger.ErrNotFound
	}
	w, err := s.Reports.Withdrawal(s.context(), ledger.Account(s.r.PathValue("account")), s.r.PathValue("id"))
	if err != nil {
		return err
	}
	outcomes, err := s.Books.PostAll(s.context(), []ledger.Entry{w.Ending(kind)})
	if err == nil {
		err = outcomes[0].Err
	}
	at, err := s.orPropose(err, f.Value("reason"))
	switch {
	case err == nil && at != "":
		return s.see(at)
	case err == nil:
		return s.see(withdrawalPath(w.Account, w.ID))
	case s.fault(f, err):
		return s.showWithdrawal(http.StatusUnprocessableEntity, f)
	}
	return err
}
