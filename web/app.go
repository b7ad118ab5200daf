package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// appRoutes are what makes an app of the pages, and what browsers ask of each site.
func (s *server) appRoutes() {
	s.mux.HandleFunc("GET /static/", s.file)
	s.mux.HandleFunc("GET /manifest.webmanifest", s.manifest)
	s.mux.HandleFunc("GET /sw.js", s.worker)
	s.mux.HandleFunc("GET /offline", s.offline)
	s.mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		send(w, "text/plain; charset=utf-8", []byte("User-agent: *\nDisallow: /\n"))
	})
	for path, name := range map[string]string{
		"/favicon.ico": "icon-192.png", "/apple-touch-icon.png": "icon-full-512.png",
	} {
		s.mux.Handle("GET "+path, http.RedirectHandler(s.static.paths[name], http.StatusFound))
	}
	s.open("/", s.elsewhere)
}

// send writes an answer that is whole.
func send(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	if _, err := w.Write(body); err != nil {
		return // the client has gone away
	}
}

// The colours behind an app while it starts, as app.css has them for light.
const (
	appBackground = "#f6f7f9"
	appTheme      = "#f6f7f9"
)

// manifest makes the pages installable [W3C, Web Application Manifest].
func (s *server) manifest(w http.ResponseWriter, r *http.Request) {
	type icon struct {
		Src     string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose"`
	}
	l := s.locales.of(r)
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
			{s.static.paths["icon.svg"], "any", "image/svg+xml", "any"},
			{s.static.paths["icon-192.png"], "192x192", "image/png", "any"},
			{s.static.paths["icon-512.png"], "512x512", "image/png", "any"},
			{s.static.paths["icon-full-512.png"], "512x512", "image/png", "maskable"},
		},
	})
	if err != nil {
		panic(err) // texts and constants
	}
	send(w, "application/manifest+json", body)
}

// worker is the script that says so where there is no connection. It is another one
// whenever a file of ours is, and a browser then installs it again.
func (s *server) worker(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	path := s.static.paths["worker.js"]
	send(w, kinds[".js"], fmt.Appendf(nil, "const version = %q;\n%s", s.static.version, s.static.files[path].plain))
}

// offline is the page that is shown without a connection. It is kept on the device,
// and so knows nobody.
func (s *server) offline(w http.ResponseWriter, r *http.Request) {
	v := s.visit(w, r)
	if err := v.show("offline", v.view("offline.title")); err != nil {
		s.fail(v, err)
	}
}

// elsewhere is each path that is none of ours, or whose method is none that it takes.
func (s *server) elsewhere(v *visit) error {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		r := v.r.Clone(v.context())
		r.Method = method
		if _, pattern := s.mux.Handler(r); pattern != "/" && pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		v.refuse(http.StatusNotFound, "not-found")
		return nil
	}
	v.w.Header().Set("Allow", strings.Join(allowed, ", "))
	v.refuse(http.StatusMethodNotAllowed, "method")
	return nil
}
