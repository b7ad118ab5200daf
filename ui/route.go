package ui

import (
	"errors"
	"net/http"
	"slices"
)

// Failure says with which page errors of some kinds are answered.
type Failure struct {
	Kinds  []error
	Status int
	Name   string // of the page's texts: refused.NAME.title and others
}

// Failures is a site's table from the kinds of error to their pages. Other errors are internal.
type Failures []Failure

// PageOf is the status of the page that shows an error, and the name of its texts.
func (all Failures) PageOf(err error) (status int, name string) {
	for _, f := range all {
		if slices.ContainsFunc(f.Kinds, func(kind error) bool { return errors.Is(err, kind) }) {
			return f.Status, f.Name
		}
	}
	return http.StatusInternalServerError, "failed"
}

// Allowed are the methods, of GET and POST, that a mux has a page or a form for at the address of a request. The mux
// answers other addresses with the pattern "/".
func Allowed(mux *http.ServeMux, r *http.Request) (methods []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		asked := r.Clone(r.Context())
		asked.Method = method
		if _, pattern := mux.Handler(asked); pattern != "/" && pattern != "" {
			methods = append(methods, method)
		}
	}
	return methods
}

// Value is a field of a form that was posted or, where nothing was, of the query. The request's form is parsed.
func Value(r *http.Request, name string) string {
	if r.Method == http.MethodPost {
		return r.PostForm.Get(name)
	}
	return r.Form.Get(name)
}
