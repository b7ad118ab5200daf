package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// Static is the styles, scripts and icons, which do not change while the program runs. The
// path of each has its hash, so that it may be cached forever.
type Static struct {
	Paths   map[string]string // "app.css": "/static/app.3f9a….css"
	files   map[string]file   // by path
	Version string            // of all of them together
}

// file is a file, and the file compressed; nil where that saves too little.
type file struct{ plain, packed []byte }

// ReadStatic reads and compresses all files.
func ReadStatic() (Static, error) {
	s, all := Static{Paths: map[string]string{}, files: map[string]file{}}, sha256.New()
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
		s.Paths[strings.TrimPrefix(name, "static/")] = hashed
		s.files[hashed] = file{content, packed}
		return nil
	})
	s.Version = shortHash(all.Sum(nil))
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
func (s Static) path(name string) (string, error) {
	p, there := s.Paths[name]
	if !there {
		return "", fmt.Errorf("there is no file static/%s", name)
	}
	return p, nil
}

// has reports whether there is such a file.
func (s Static) has(name string) bool { return s.Paths[name] != "" }

// kinds are the types of the files, by their ending.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	".png": "image/png", ".txt": "text/plain; charset=utf-8",
}

// Serve serves the file of a path, which may be cached forever, or reports that there is none.
func (s Static) Serve(w http.ResponseWriter, r *http.Request) bool {
	f, there := s.files[r.URL.Path]
	if !there {
		return false
	}
	h, content := w.Header(), f.plain
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if f.packed != nil && takesGzip(r.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		content = f.packed
	}
	Send(w, kinds[path.Ext(r.URL.Path)], content)
	return true
}

// Content is the content of a file, and its type; "" where there is no such file.
func (s Static) Content(name string) (content []byte, kind string) {
	return s.files[s.Paths[name]].plain, kinds[path.Ext(name)]
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

// Send writes a response.
func Send(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	if _, err := w.Write(body); err != nil {
		return // the client has gone away
	}
}
