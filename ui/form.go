package ui

import (
	"net/url"
	"strings"
)

// Form is the fields of a form, and their faults.
type Form struct {
	Values url.Values
	Faults map[string]string // by field, a sentence in the visitor's language; "" is the whole form
}

// FormOf is a form with some fields.
func FormOf(values url.Values) *Form { return &Form{values, map[string]string{}} }

// EmptyForm is one that nobody has typed into.
func EmptyForm() *Form { return FormOf(url.Values{}) }

// Value is the value of a field.
func (f *Form) Value(name string) string { return f.Values.Get(name) }

// Fault is the fault of a field, or "".
func (f *Form) Fault(name string) string { return f.Faults[name] }

// Faulty reports whether there is any fault.
func (f *Form) Faulty() bool { return len(f.Faults) > 0 }

// SetFault sets the fault of a field. Only the first is kept.
func (f *Form) SetFault(name, sentence string) {
	if _, there := f.Faults[name]; !there {
		f.Faults[name] = sentence
	}
}

// Address is a path with a query of names and values; empty values are left out.
func Address(path string, pairs ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// IsPath reports whether a text is the path of a page of ours: no redirect leads elsewhere.
func IsPath(path string) bool {
	u, err := url.Parse(path)
	return err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(path, "/") &&
		!strings.HasPrefix(path, "//") && !strings.ContainsAny(path, "\\\r\n\t")
}
