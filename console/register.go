package console

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// register is a dated table of the books, with the forms beside it that change it or, where that needs approval,
// propose the change.
type register struct {
	Name   string // of its path below /console, and of its texts: NAME.title
	apart  bool   // the menu does not name it: the overview leads to it
	roles  []access.Role
	tables func(*visit) ([]table, error)
	body   func(*visit) (string, error) // a text that the page shows below its tables, or ""; nil: it has none
	forms  []registerForm
}

// registerForm is a form of a register.
type registerForm struct {
	Name   string            // of the field "do" that is posted, and of its text: REGISTER.NAME
	does   control.Operation // by whose rule the form is offered; the books decide by themselves
	fields func(*visit) ([]field, error)
	// change does what the form says. Its errors are shown at the form: of ledger.ErrInvalid at the field.
	change func(s *submission, f *ui.Form) error
}

// field is a field of a form.
type field struct {
	Name     string
	Key      string   // of the label
	Hint     string   // key, or ""
	Initial  string   // what it has before anything is typed
	Options  []option // of a choice; nil: a text. A form with a choice of nothing is not shown
	Long     bool     // a text of many lines
	Required bool
}

// isEmpty reports whether there is nothing to choose.
func (f field) isEmpty() bool { return f.Options != nil && len(f.Options) == 0 }

// option is one of a choice.
type option struct{ Value, Key string } // Key "": the value is its own text

// registers are all of them, in the order of the menu.
var registers = []register{terms, limits, prices, regions, documents, fees, campaigns, tokens, team,
	streams, payouts, reconciliations, webhooks}

// routes are those of a register.
func (g register) route() route {
	return route{path: g.path(), page: func(v *visit) error { return v.register(g) },
		form: func(s *submission) error { return s.change(g) }, roles: g.roles}
}

func (g register) path() string { return Path + "/" + g.Name }

// registerPage is the page of a register.
type registerPage struct {
	*view
	Name   string
	Tables []table
	Body   string
	Forms  []shownForm // those that the visitor's role may post
	Done   string      // what was done, or ""
}

// shownForm is a form on the page of a register.
type shownForm struct {
	Name, Key string
	ID        string // before the IDs of its fields: each is on the page once
	Fields    []field
	F         *ui.Form
	Hint      string // key: when it takes effect
	Proposes  bool
}

func (v *visit) register(g register) error {
	return v.showRegister(http.StatusOK, g, ui.FormOf(v.r.Form), "")
}

// showRegister shows a register with what is typed into one of its forms; "": into all of them.
func (v *visit) showRegister(status int, g register, f *ui.Form, posted string) (err error) {
	p := registerPage{view: v.view(g.Name + ".title"), Name: g.Name}
	if v.value("done") != "" {
		p.Done = v.locale.T("register.done")
	}
	if p.Tables, err = g.tables(v); err != nil {
		return err
	}
	if g.body != nil {
		if p.Body, err = g.body(v); err != nil {
			return err
		}
	}
	for i, form := range g.forms {
		if control.Check(form.does, v.actor) != nil {
			continue
		}
		shown := shownForm{Name: form.Name, Key: g.Name + ".form." + form.Name, F: f}
		if i > 0 {
			shown.ID = form.Name + "-"
		}
		if posted != "" && posted != form.Name {
			shown.F = ui.EmptyForm()
		}
		shown.Hint, shown.Proposes = v.takesEffect(form.does)
		if shown.Fields, err = form.fields(v); err != nil {
			return err
		}
		if posted != form.Name && slices.ContainsFunc(shown.Fields, field.isEmpty) {
			continue
		}
		p.Forms = append(p.Forms, shown)
	}
	return v.showAs(status, "register", p)
}

// takesEffect is the key of a sentence that says when an operation takes effect, and whether it is only proposed.
func (v *visit) takesEffect(op control.Operation) (hint string, proposed bool) {
	rule, known := control.RuleOf(op)
	switch {
	case known && v.fourEyes && rule.Class == control.Proposed:
		return "register.proposed", true
	case known && v.fourEyes && rule.Class == control.Sometimes:
		return "register.sometimes", false
	}
	return "register.at-once", false
}

// change does what was posted to a register, or proposes it. A form that is not named is the first.
func (s *submission) change(g register) error {
	f, form := s.form(), g.forms[0]
	if i := slices.IndexFunc(g.forms, func(form registerForm) bool { return form.Name == f.Value("do") }); i >= 0 {
		form = g.forms[i]
	}
	if err := control.Check(form.does, s.actor); err != nil {
		return err // the page offers no such form
	}
	at, err := s.orPropose(form.change(s, f), f.Value("reason"))
	switch {
	case err == nil && s.secret != "":
		return s.show("secret", secretPage{s.view("secret.title"), s.secret, at, g.path()})
	case err == nil && at != "":
		return s.see(at)
	case err == nil:
		return s.see(g.path(), "done", "1")
	case s.fault(f, err):
		return s.showRegister(http.StatusUnprocessableEntity, g, f, form.Name)
	}
	return err
}

// secretPage shows what is shown once: a token, or the code of an invitation.
type secretPage struct {
	*view
	Secret   string
	Proposal string // the page of the proposal to make it, or "": it is made
	Back     string
}

// orPropose proposes what an error says needs approval, and returns the page of the proposal. Another error, and nil,
// it returns as it is.
func (s *submission) orPropose(err error, reason string) (at string, _ error) {
	needed, is := errors.AsType[*control.Needed](err)
	if !is {
		return "", err
	}
	p, err := s.Books.Propose(s.context(), needed.Draft, reason)
	return Path + "/proposals/" + p.ID, err
}

// fault puts an error at the field of a form that it is of, and reports that a person can do something about it.
func (s *submission) fault(f *ui.Form, err error) bool {
	status, _ := failures.PageOf(err)
	if status == http.StatusInternalServerError || status == http.StatusServiceUnavailable {
		return false
	}
	name := ""
	if e, is := errors.AsType[*ledger.Error](err); is {
		if field, _, _ := strings.Cut(e.Field, "."); f.Values.Has(field) { // limits.total is typed into limits
			name = field
		}
	}
	f.SetFault(name, s.why(err))
	return true
}

// faults are the kinds of error that have words of their own in each language, fault.NAME; a reason that has any,
// fault.REASON, goes before. The books' own words say the rest, in English.
var faults = []struct {
	kind error
	name string
}{
	{access.ErrForbidden, "forbidden"}, {ledger.ErrNotFound, "not-found"}, {ledger.ErrInsufficient, "insufficient"},
	{ledger.ErrConflict, "conflict"}, {ledger.ErrEnded, "conflict"}, {ledger.ErrDayClosed, "day-closed"},
}

// why is a sentence that says why something is refused.
func (v *visit) why(err error) string {
	key := "fault"
	if reason := "fault." + ledger.ReasonOf(err); v.locale.Has(reason) {
		key = reason
	} else if i := slices.IndexFunc(faults, func(f struct {
		kind error
		name string
	}) bool {
		return errors.Is(err, f.kind)
	}); i >= 0 {
		key = "fault." + faults[i].name
	}
	return v.locale.T(key, "why", err)
}

// The reasons of errors that are the console's own, each with its words: fault.REASON.
const (
	reasonNoDay    = "no-day"
	reasonNoAmount = "no-amount"
	reasonNoNumber = "no-number"
	reasonNothing  = "nothing-changes"
	reasonRunning  = "trial-running"
	reasonBusy     = "trials-busy"
	reasonUnpaid   = "days-not-paid"

	reasonNoPosition = "no-position"
	reasonNoKey      = "no-key"
)

// tokenOptions are all tokens that the books keep, to choose from.
func (v *visit) tokenOptions() ([]option, error) {
	assets, err := v.Books.Assets(v.context())
	tokens := make([]option, 0, len(assets))
	for _, a := range assets {
		tokens = append(tokens, option{Value: a.Symbol})
	}
	return tokens, err
}

// typed is a field without the spaces around it.
func typed(f *ui.Form, name string) string { return strings.TrimSpace(f.Value(name)) }

// dayOf is the day that a field says, or another where it is empty.
func dayOf(f *ui.Form, name string, other staking.Day) (staking.Day, error) {
	if typed(f, name) == "" {
		return other, nil
	}
	d, err := staking.ParseDay(typed(f, name))
	if err != nil {
		return 0, ledger.ErrInvalid.In(name, "%w", err).Because(reasonNoDay)
	}
	return d, nil
}

// amountOf is the amount of a token that a field says, in smallest units.
func amountOf(a ledger.Asset, f *ui.Form, name string) (ledger.Amount, error) {
	n, err := a.Parse(typed(f, name))
	if err != nil {
		return 0, ledger.ErrInvalid.In(name, "%w", err).Because(reasonNoAmount)
	}
	return n, nil
}

// posted is the error of what was posted, whether the call or the entry was refused.
func posted(o store.Outcome, err error) error { return cmp.Or(err, o.Err) }
