package web

import "net/url"

// form is what was typed, and what is wrong with it.
type form struct {
	values url.Values
	faults map[string]string // by field, a sentence in the visitor's language; "" is the whole form
}

// form is what was posted. What stands in an address was typed by nobody: a link could
// fill a form in.
func (v *visit) form() *form { return formOf(v.r.PostForm) }

// asked is what an address asks to be shown, of pages that change nothing.
func (v *visit) asked() *form { return formOf(v.r.Form) }

func formOf(values url.Values) *form { return &form{values, map[string]string{}} }

// emptyForm is one that nobody has typed into.
func emptyForm() *form { return formOf(url.Values{}) }

// Value is what was typed into a field.
func (f *form) Value(name string) string { return f.values.Get(name) }

// Fault is what is wrong with a field, or "".
func (f *form) Fault(name string) string { return f.faults[name] }

// Faulty reports whether anything is wrong.
func (f *form) Faulty() bool { return len(f.faults) > 0 }

// fault is what is wrong with a field. The first word counts.
func (f *form) fault(name, sentence string) {
	if _, there := f.faults[name]; !there {
		f.faults[name] = sentence
	}
}
