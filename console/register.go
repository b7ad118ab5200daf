package console

import (
	"errors"
	"net/http"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/ui"
)

// register is a dated table of the books, with the form beside it that changes it or, where that needs approval,
// proposes the change.
type register struct {
	Name   string // of its path below /console, and of its texts: NAME.title, NAME.do
	roles  []access.Role
	does   control.Operation // by whose rule the form is offered; the books decide by themselves
	tables func(*visit) ([]table, error)
	fields func(*visit) ([]field, error)
	// change does what the form says. Its errors are shown at the form: of ledger.ErrInvalid at the field.
	change func(s *submission, f *ui.Form) error
}

// field is a field of a form.
type field struct {
	Name     string
	Key      string   // of the label
	Hint     string   // key, or ""
	Options  []option // of a choice; nil: a text
	Long     bool     // a text of many lines
	Required bool
}

// option is one of a choice.
type option struct{ Value, Key string } // Key "": the value is its own text

// registers are all of them, in the order of the menu.
var registers = []register{terms}

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
	Fields []field
	F      *ui.Form
	May    bool   // the visitor's role may do or propose it
	Done   string // what was done, or ""
}

func (v *visit) register(g register) error {
	return v.showRegister(http.StatusOK, g, ui.FormOf(v.r.Form))
}

func (v *visit) showRegister(status int, g register, f *ui.Form) (err error) {
	p := registerPage{view: v.view(g.Name + ".title"), Name: g.Name, F: f, May: control.Check(g.does, v.actor) == nil}
	if v.value("done") != "" {
		p.Done = v.locale.T("register.done")
	}
	if p.Tables, err = g.tables(v); err == nil && p.May {
		p.Fields, err = g.fields(v)
	}
	if err != nil {
		return err
	}
	return v.showAs(status, "register", p)
}

// change does what was posted to a register, or proposes it.
func (s *submission) change(g register) error {
	f := s.form()
	at, err := s.orPropose(g.change(s, f), f.Value("reason"))
	switch {
	case err == nil && at != "":
		return s.see(at)
	case err == nil:
		return s.see(g.path(), "done", "1")
	case s.fault(f, err):
		return s.showRegister(http.StatusUnprocessableEntity, g, f)
	}
	return err
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
	status, _ := pageOf(err)
	if status == http.StatusInternalServerError || status == http.StatusServiceUnavailable {
		return false
	}
	name := ""
	if e, is := errors.AsType[*ledger.Error](err); is && f.Values.Has(e.Field) {
		name = e.Field
	}
	f.SetFault(name, s.locale.T("fault", "why", err))
	return true
}
