package ui

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed templates
var templateFiles embed.FS

// Pages are a site's templates, by name: templates/spot.html is "spot".
type Pages map[string]*template.Template

// ReadPages reads each page of a site's folder "templates" with our layout and parts, and with those that the site
// shares, in "templates/shared".
func ReadPages(s Static, site fs.FS) (Pages, error) {
	names, err := fs.Glob(site, "templates/*.html")
	if err != nil {
		return nil, err
	}
	functions := template.FuncMap{"args": args, "asset": s.path, "has": s.has}
	shared, err := template.New("").Funcs(functions).ParseFS(templateFiles, "templates/*.html")
	if err == nil {
		shared, err = shared.ParseFS(site, "templates/shared/*.html")
	}
	if err != nil {
		return nil, err
	}
	all := Pages{}
	for _, name := range names {
		t, err := template.Must(shared.Clone()).ParseFS(site, name)
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

// ErrGone says that a page was made, and could not be sent: the visitor has gone away.
var ErrGone = errors.New("the visitor has gone away")

// Show answers with a page and a status. Nothing is written before the page is complete: after an error, which is not
// ErrGone, another may be shown.
func (all Pages) Show(w http.ResponseWriter, status int, name string, data any) error {
	t := all[name]
	if t == nil {
		return fmt.Errorf("there is no page %q", name)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "page", data); err != nil {
		return fmt.Errorf("make the page %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write(b.Bytes()); err != nil {
		return ErrGone
	}
	return nil
}

// WholeMinutes is how long to wait in whole minutes, rounded up, as texts have it.
func WholeMinutes(wait time.Duration) int { return int((wait + time.Minute - 1) / time.Minute) }
