package web

import "net/url"

// form is what was typed, and what is wrong with it.
type form struct {
	values url.Values
	faults map[string]string // by field, a sentence in the visitor's language; "" is the whole form
}

// form is the visit's: posted, or from the query.
func (v *visit) form() *form { return &form{v.r.Form, map[string]string{}} }

// emptyForm is one that nobody has typed into.
func emptyForm() *form { return &form{url.Values{}, map[string]string{}} }

// Value is what was typed into a field.
func (f *form) Value(name string) string { return f.values.Get(name) }

// Fault is what is wrong with a field, or "".
func (f *form) Fault(name string) string { return f.faults[name] }

// Faulty says whether anything is wrong.
func (f *form) Faulty() bool { return len(f.faults) > 0 }

// fault says what is wrong with a field. The first word counts.
func (f *form) fault(name, sentence string) {
	if _, there := f.faults[name]; !there {
		f.faults[name] = sentence
	}
}
