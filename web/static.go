package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/ui"
)

// file serves a file; nobody needs to have logged in for it.
func (s *site) file(w http.ResponseWriter, r *http.Request) {
	if !s.static.Serve(w, r) {
		s.visit(w, r).refuse(http.StatusNotFound, "not-found")
	}
}

// serveFiles serves the static files, those of an installed app, and those that browsers
// request of every site.
func (s *site) serveFiles() {
	s.mux.HandleFunc("GET /static/", s.file)
	s.mux.HandleFunc("GET /manifest.webmanifest", s.manifest)
	s.mux.HandleFunc("GET /sw.js", s.worker)
	s.mux.HandleFunc("GET /offline", s.offline)
	s.mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		ui.Send(w, "text/plain; charset=utf-8", []byte("User-agent: *\nDisallow: /\n"))
	})
	for path, name := range map[string]string{
		"/favicon.ico": "icon-192.png", "/apple-touch-icon.png": "icon-full-512.png",
	} {
		s.mux.Handle("GET "+path, http.RedirectHandler(s.static.Paths[name], http.StatusFound))
	}
}

// The colours behind an app while it starts, as app.css has them for light.
const (
	appBackground = "#f6f7f9"
	appTheme      = "#f6f7f9"
)

// manifest makes the pages installable [W3C, Web Application Manifest].
func (s *site) manifest(w http.ResponseWriter, r *http.Request) {
	type icon struct {
		Src     string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose"`
	}
	l := s.frame.Locales.Of(r)
	body, err := json.Marshal(struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		ShortName   string `json:"short_name"`
		Description string `json:"description"`
		Lang        string `json:"lang"`
		StartURL    string `json:"start_url"`
		Scope       string `json:"scope"`
		Display     string `json:"display"`
		Background  string `json:"background_color"`
		Theme       string `json:"theme_color"`
		Icons       []icon `json:"icons"`
	}{
		"/", l.T("product"), l.T("product"), l.T("app.description"), l.Tag, "/spot", "/", "standalone",
		appBackground, appTheme,
		[]icon{
			{s.static.Paths["icon.svg"], "any", "image/svg+xml", "any"},
			{s.static.Paths["icon-192.png"], "192x192", "image/png", "any"},
			{s.static.Paths["icon-512.png"], "512x512", "image/png", "any"},
			{s.static.Paths["icon-full-512.png"], "512x512", "image/png", "maskable"},
		},
	})
	if err != nil {
		panic(err) // texts and constants
	}
	ui.Send(w, "application/manifest+json", body)
}

// worker is the script that shows the offline page without a connection. It has the version
// of all files, so that a browser installs it again when one has changed.
func (s *site) worker(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	script, kind := s.static.Content("worker.js")
	ui.Send(w, kind, fmt.Appendf(nil, "const version = %q;\n%s", s.static.Version, script))
}

// offline is the page that is shown without a connection. It is cached on the device, and
// so reads no session.
func (s *site) offline(w http.ResponseWriter, r *http.Request) {
	v := s.visit(w, r)
	if err := v.show("offline", v.view("offline.title")); err != nil {
		v.fail(err)
	}
}

// elsewhere answers unmatched paths and methods.
func (v *visit) elsewhere() error {
	allowed := ui.Allowed(v.mux, v.r)
	if len(allowed) == 0 {
		return ledger.ErrNotFound
	}
	v.w.Header().Set("Allow", strings.Join(allowed, ", "))
	v.refuse(http.StatusMethodNotAllowed, "method")
	return nil
}
