package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed templates
var templateFiles embed.FS

// pages are the templates, by name: templates/spot.html is "spot".
type pages map[string]*template.Template

// readPages reads each page with the shared layout and components.
func readPages(s static) (pages, error) {
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	functions := template.FuncMap{"args": args, "asset": s.path, "has": s.has}
	shared, err := template.New("").Funcs(functions).ParseFS(templateFiles, "templates/shared/*.html")
	if err != nil {
		return nil, err
	}
	all := pages{}
	for _, name := range names {
		t, err := template.Must(shared.Clone()).ParseFS(templateFiles, name)
		if err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(path.Base(name), ".html")] = t
	}
	return all, nil
}

// args makes the dot of a component from names and values.
func args(pairs ...any) (map[string]any, error) {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, is := pairs[i].(string)
		if !is {
			return nil, fmt.Errorf("args: %v is not a name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("args: %v has no value", pairs[len(pairs)-1])
	}
	return m, nil
}

// show answers with a page. data embeds the visit's view.
func (v *visit) show(name string, data any) error { return v.showAs(http.StatusOK, name, data) }

// showAs answers with a page and a status. Nothing is written before the page is complete:
// an error is shown on a page of its own.
func (v *visit) showAs(status int, name string, data any) error {
	t := v.pages[name]
	if t == nil {
		return fmt.Errorf("there is no page %q", name)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "page", data); err != nil {
		return fmt.Errorf("make the page %s: %w", name, err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	if _, err := v.w.Write(b.Bytes()); err != nil {
		return errAnswered // the visitor has gone away
	}
	return nil
}

// refusal is a page with the reason why something is not done.
type refusal struct {
	*view
	Name   string // of the texts: refused.NAME.title …
	Status int
}

// refuse answers with a page that has the reason, and what is possible instead.
func (v *visit) refuse(status int, name string) {
	if err := v.showAs(status, "refused", refusal{v.view("refused." + name + ".title"), name, status}); err != nil &&
		!errors.Is(err, errAnswered) {
		v.Log.Error("a page of refusal failed", "request", v.caller.Request, "error", err)
		http.Error(v.w, "Something went wrong. Request "+v.caller.Request, http.StatusInternalServerError)
	}
}

// comeAgain sets Retry-After: in whole seconds, rounded up.
func (v *visit) comeAgain(wait time.Duration) {
	v.w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
}

// minutes is how long to wait in whole minutes, rounded up, as texts have it.
func minutes(wait time.Duration) int { return int((wait + time.Minute - 1) / time.Minute) }

// refuseBusy refuses a request because too many passwords are hashed at the same time. It
// returns errAnswered.
func (v *visit) refuseBusy() error {
	v.comeAgain(againIfBusy)
	v.refuse(http.StatusServiceUnavailable, "busy")
	return errAnswered
}
