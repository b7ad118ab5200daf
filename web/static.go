package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/softstake/softstake/ledger"
)

//go:embed static
var staticFiles embed.FS

// static is the styles, scripts and icons, which do not change while the program runs. The
// path of each has its hash, so that it may be cached forever.
type static struct {
	paths   map[string]string // "app.css": "/static/app.3f9a….css"
	files   map[string]file   // by path
	version string            // of all of them together
}

// file is a file, and the file compressed; nil where that saves too little.
type file struct{ plain, packed []byte }

func readStatic() (static, error) {
	s, all := static{paths: map[string]string{}, files: map[string]file{}}, sha256.New()
	err := fs.WalkDir(staticFiles, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		packed, err := pack(content)
		if err != nil {
			return fmt.Errorf("compress %s: %w", name, err)
		}
		sum, ending := sha256.Sum256(content), path.Ext(name)
		all.Write(sum[:])
		hashed := fmt.Sprintf("/%s.%s%s", strings.TrimSuffix(name, ending), shortHash(sum[:]), ending)
		s.paths[strings.TrimPrefix(name, "static/")] = hashed
		s.files[hashed] = file{content, packed}
		return nil
	})
	s.version = shortHash(all.Sum(nil))
	return s, err
}

// shortHash is as much of a hash as our files need to differ.
func shortHash(sum []byte) string { return base64.RawURLEncoding.EncodeToString(sum[:9]) }

// pack compresses a file; nil where that does not make it a tenth smaller.
func pack(content []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil || b.Len() > len(content)/10*9 {
		return nil, err
	}
	return b.Bytes(), nil
}

// path is a file's path.
func (s static) path(name string) (string, error) {
	p, there := s.paths[name]
	if !there {
		return "", fmt.Errorf("there is no file static/%s", name)
	}
	return p, nil
}

// has reports whether there is such a file.
func (s static) has(name string) bool { return s.paths[name] != "" }

// kinds are the types of the files, by their ending.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	".png": "image/png", ".txt": "text/plain; charset=utf-8",
}

// file serves a file; nobody needs to have logged in for it.
func (s *site) file(w http.ResponseWriter, r *http.Request) {
	f, there := s.static.files[r.URL.Path]
	if !there {
		s.visit(w, r).refuse(http.StatusNotFound, "not-found")
		return
	}
	h, content := w.Header(), f.plain
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if f.packed != nil && takesGzip(r.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		content = f.packed
	}
	send(w, kinds[path.Ext(r.URL.Path)], content)
}

// takesGzip reports whether a client takes gzip, by what it accepts.
func takesGzip(accepted []string) bool {
	for coding := range strings.SplitSeq(strings.Join(accepted, ","), ",") {
		name, quality, weighed := strings.Cut(strings.ReplaceAll(coding, " ", ""), ";")
		if strings.EqualFold(name, "gzip") && (!weighed || strings.Trim(quality, "qQ=0.") != "") {
			return true
		}
	}
	return false
}

// serveFiles serves the static files, those of an installed app, and those that browsers
// request of every site.
func (s *site) serveFiles() {
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
}

// send writes a response.
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
func (s *site) manifest(w http.ResponseWriter, r *http.Request) {
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

// worker is the script that shows the offline page without a connection. It has the version
// of all files, so that a browser installs it again when one has changed.
func (s *site) worker(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	path := s.static.paths["worker.js"]
	send(w, kinds[".js"], fmt.Appendf(nil, "const version = %q;\n%s", s.static.version, s.static.files[path].plain))
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
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		r := v.r.Clone(v.context())
		r.Method = method
		if _, pattern := v.mux.Handler(r); pattern != "/" && pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return ledger.ErrNotFound
	}
	v.w.Header().Set("Allow", strings.Join(allowed, ", "))
	v.refuse(http.StatusMethodNotAllowed, "method")
	return nil
}
