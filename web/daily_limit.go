package web

import (
	"maps"
	"net/http"
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// dailyLimit is how much of a token may leave the account on a day.
type dailyLimit struct {
	store.DailyLimit
	Of ledger.Asset
}

// readDaily reads the daily limit of the asset that leaves the account.
func (m *moveForm) readDaily() error {
	if !m.Guarded() || m.Asset.Symbol == "" {
		return nil
	}
	all, err := m.visit.Reports.DailyLimits(m.visit.context(), m.Account())
	if l, has := all[m.Asset.Symbol]; has && l.Limit > 0 {
		m.Daily = &dailyLimit{l, m.Asset}
	}
	return err
}

// limitsPage is the daily limits of the account, and the form that sets the holder's own.
type limitsPage struct {
	*view
	F      *ui.Form
	Has    people.Factors
	Rows   []dailyLimit
	Tokens []string
	Raise  bool // the form sets a higher limit, which is confirmed
	Done   string
}

// limitDone are the changes that lead to the page: limits.done.NAME in the catalogue.
var limitDone = []string{"set", "waits"}

func (v *visit) limits() error { return v.showLimits(http.StatusOK, ui.EmptyForm(), false) }

func (v *visit) showLimits(status int, f *ui.Form, raise bool) (err error) {
	page := limitsPage{view: v.view("limits.title"), F: f, Raise: raise, Done: v.choice("done", limitDone)}
	if page.Has, err = v.factors(); err != nil {
		return err
	}
	assets, err := v.assets()
	if err != nil {
		return err
	}
	page.Tokens = slices.Sorted(maps.Keys(assets))
	all, err := v.Reports.DailyLimits(v.context(), v.account())
	for _, symbol := range slices.Sorted(maps.Keys(all)) {
		page.Rows = append(page.Rows, dailyLimit{all[symbol], assets[symbol]})
	}
	if err != nil {
		return err
	}
	return v.showAs(status, "limits", page)
}

// setLimit sets the holder's own daily limit of a token. A higher one, or none, is confirmed, and waits for a day: the
// form asks for that when it finds out.
func (s *submission) setLimit() error {
	f := s.form()
	show := func(status int, f *ui.Form) error { return s.showLimits(status, f, true) }
	assets, err := s.assets()
	if err != nil {
		return err
	}
	asset, known := assets[f.Value("asset")]
	if !known {
		return ledger.ErrNotFound.In("asset", "the asset %s", ledger.Clip(f.Value("asset")))
	}
	l := store.AccountLimit{Account: s.account(), Asset: asset.Symbol}
	if f.Value("none") == "" {
		var fault string
		if l.Amount, fault = s.locale.ParseAmount(asset, f.Value("amount")); fault != "" {
			f.SetFault("amount", fault)
			return s.showLimits(http.StatusUnprocessableEntity, f, false)
		}
	}
	if f.Value(askField) != "" || f.Value(answerField) != "" || f.Value(codeField) != "" {
		if _, err := s.stepUp(f, store.OwnLimitStepUp(l), show); err != nil {
			return err
		}
	}
	from, err := s.Books.SetOwnLimit(s.context(), l)
	switch {
	case ledger.ReasonOf(err) == access.ReasonStepUp:
		f.SetFault("", s.locale.T("limits.confirm"))
		return show(http.StatusUnprocessableEntity, f)
	case ledger.ReasonOf(err) == access.ReasonFactor:
		f.SetFault("", s.locale.T("withdraw.factor"))
		return s.showLimits(http.StatusUnprocessableEntity, f, false)
	case ledger.ReasonOf(err) == store.ReasonLimitChanges:
		f.SetFault("", s.locale.T("limits.too-often", "asset", l.Asset, "most", store.MaxLimitChanges))
		return s.showLimits(http.StatusUnprocessableEntity, f, false)
	case err != nil:
		return err
	case from.After(s.Books.Now()):
		return s.see("/account/limits", "done", "waits")
	}
	return s.see("/account/limits", "done", "set")
}
