package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/softstake/softstake/ledger"
)

// fillIn makes a draft of what was filled in, and leads to its confirmation. What is
// wrong comes back with the form. While it is being typed, and where all that is free is
// asked for, the form comes back as well, and nothing is kept.
func (v *visit) fillIn(k kind) error {
	typing, f := v.value("look") != "" || v.value("max") != "", v.form()
	f.values.Del(unitsField) // is a draft's
	m, err := v.moving(k, f, !typing)
	if err != nil {
		return err
	}
	if typing {
		return m.showTyped()
	}
	if m.Frozen() {
		return ledger.ErrFrozen // nobody confirms what the books will refuse
	}
	if answered, err := m.before(); answered || err != nil {
		return err
	}
	if err := m.look(); err != nil {
		return err
	}
	if !m.Sure {
		return m.show()
	}
	id, err := v.addDraft(m.ID, "/"+k.name, m.fields())
	if err != nil {
		return err
	}
	return v.see(k.confirmation(id), nil)
}

// confirmation is the page of a draft.
func (k kind) confirmation(draft string) string { return "/" + k.name + "/draft/" + draft + "/confirm" }

// fields are those of the draft: the amount in smallest units, so that it is the same in
// every language, and what the kind asks.
func (m *moving) fields() url.Values {
	fields := url.Values{"id": {m.ID}, "asset": {m.Asset.Symbol}, unitsField: {strconv.FormatInt(int64(m.Sum), 10)}}
	for _, name := range m.kind.fields {
		fields.Set(name, m.F.Value(name))
	}
	m.Exchange.keep(fields)
	return fields
}

// unitsField is the amount of a draft that may be confirmed.
const unitsField = "units"

// confirmMove shows a draft to be confirmed.
func (v *visit) confirmMove(k kind) error { return v.ofDraft(k, (*moving).show) }

// move posts the draft that was confirmed, once: nothing else of what the browser sends
// counts. The same again leads to the same page.
func (v *visit) move(k kind) error {
	return v.ofDraft(k, func(m *moving) error {
		if !m.Sure {
			return m.show()
		}
		switch err := k.post(m); {
		case errors.Is(err, ledger.ErrConflict): // posted at this moment, with other figures
			return m.another()
		case errors.Is(err, ledger.ErrInsufficient), errors.Is(err, ledger.ErrInvalid),
			errors.Is(err, ledger.ErrNotFound), isConversionError(err):
			return v.refused(m, err)
		case err != nil:
			return err
		}
		return m.done()
	})
}

// ofDraft reads the draft that the path names, looks at it again, and goes on with it.
// One of another session is a form that is to be filled in again: whoever has logged in
// again finds the fields, and a link leads nobody to a confirmation.
func (v *visit) ofDraft(k kind, then func(*moving) error) error {
	id := v.r.PathValue("draft")
	f, here, err := v.draft(id, "/"+k.name)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return v.gone(k, id)
	case err != nil:
		return err
	case !here || f.Value(unitsField) == "":
		return v.see("/"+k.name, url.Values{draftField: {id}})
	}
	m, err := v.moving(k, f, true)
	if err != nil {
		return err
	}
	if answered, err := m.before(); answered || err != nil {
		return err
	}
	if err := m.look(); err != nil {
		return err
	}
	return then(m)
}

// gone answers where a draft is not there any more: with what it has moved, or with an
// empty form.
func (v *visit) gone(k kind, id string) error {
	m, err := v.moving(k, emptyForm(), false)
	if err != nil {
		return err
	}
	if form := formOfDraft(id); form != "" {
		used := *m
		used.ID = form
		if e, _, err := v.Reports.Entry(v.context(), used.entry()); err == nil {
			return v.see("/"+k.name+"/"+url.PathEscape(e.ID), nil)
		} else if !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
	}
	m.F.faults = map[string]string{}
	m.F.fault("", m.T("move.gone"))
	m.status = http.StatusGone
	return m.show()
}

// done leads to what was posted. The draft is not needed any more.
func (m *moving) done() error {
	v := m.visit
	if id := v.r.PathValue("draft"); id != "" {
		if err := v.Books.People().RemoveDraft(v.context(), v.account(), id); err != nil {
			v.Log.Warn("a draft that was used is not removed yet; it is when it is over", "request",
				v.caller.Request, "error", err)
		}
	}
	return v.see(m.path(), nil)
}
