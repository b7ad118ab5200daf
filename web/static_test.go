package web

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestEachAnswerIsProtected(t *testing.T) {
	w := newWebsite(t)
	for _, path := range []string{
		"/login", "/spot", "/nothing", "/offline", "/sw.js", w.staticPath("/login", "app.css"),
	} {
		h := w.get(path).header
		for name, part := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "same-origin", "Vary": "Accept-Encoding",
		} {
			if !strings.Contains(h.Get(name), part) || strings.Contains(h.Get(name), "unsafe") {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if kept := h.Get("Cache-Control") != "no-store"; kept != (strings.HasPrefix(path, "/static/") ||
			path == "/sw.js") {
			t.Errorf("%s is kept: %s", path, h.Get("Cache-Control"))
		}
	}
}

// staticPath is where a page has a file.
func (w *website) staticPath(page, name string) string {
	w.Helper()
	base, ending, _ := strings.Cut(name, ".")
	found := regexp.MustCompile(`/static/` + base + `\.[\w-]+\.` + ending).FindString(w.get(page).body)
	if found == "" {
		w.Fatalf("%s has no %s", page, name)
	}
	return found
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		headers := []string{"Sec-Fetch-Site", "", "Origin", ""}
		w.post("/logout", nil, append(headers, name, value)...).is(http.StatusForbidden).
			has("This form came from another site", "Nothing was done")
	}
	if len(w.sessions("alice")) != 1 {
		t.Error("alice was logged out")
	}
	w.post("/logout", url.Values{"x": {strings.Repeat("x", maxForm+1)}}).is(http.StatusBadRequest).
		has("This could not be read")
	// Whoever sends another method does not get more of it read.
	w.ask(http.MethodPut, "/nothing", "x="+strings.Repeat("x", maxForm), "Content-Type",
		"application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin").is(http.StatusBadRequest)
}

func TestPagesThatAreNotThere(t *testing.T) {
	w := newWebsite(t)
	w.get("/nothing").is(http.StatusNotFound).has("Not found").hasNot("Log out")
	w.get("/static/app.css").is(http.StatusNotFound).has("Not found")
	w.post("/nothing", nil).is(http.StatusNotFound)
	p := w.get("/logout").is(http.StatusMethodNotAllowed).has("Nothing was done")
	if p.header.Get("Allow") != http.MethodPost {
		t.Errorf("allowed is %q", p.header.Get("Allow"))
	}
	if p := w.ask(http.MethodPut, "/login", ""); p.status != http.StatusMethodNotAllowed ||
		p.header.Get("Allow") != "GET, POST" {
		t.Errorf("PUT: %d, allowed is %q", p.status, p.header.Get("Allow"))
	}
	if p := w.ask(http.MethodHead, "/login", ""); p.status != http.StatusOK || p.body != "" {
		t.Errorf("HEAD: %d %q", p.status, p.body)
	}
}

func TestPagesAndFilesAreCompressed(t *testing.T) {
	w := newWebsite(t)
	css := w.staticPath("/login", "app.css")
	for path, want := range map[string]string{"/login": "gzip", css: "gzip", "/robots.txt": ""} {
		plain, packed := w.get(path, "Accept-Encoding", "identity").is(http.StatusOK),
			w.get(path, "Accept-Encoding", "br, gzip").is(http.StatusOK)
		if got := packed.header.Get("Content-Encoding"); got != want {
			t.Errorf("%s comes as %q", path, got)
		}
		if want == "" {
			continue
		}
		z, err := gzip.NewReader(strings.NewReader(packed.body))
		w.ok(err)
		body, err := io.ReadAll(z)
		w.ok(err)
		if len(packed.body) > len(plain.body)/2 || path == css && string(body) != plain.body {
			t.Errorf("%s: %d bytes become %d", path, len(plain.body), len(packed.body))
		}
	}
}

func TestTheAppCanBeInstalled(t *testing.T) {
	w := newWebsite(t)
	p := w.get("/manifest.webmanifest").is(http.StatusOK)
	var m struct {
		Name    string `json:"name"`
		Start   string `json:"start_url"`
		Display string `json:"display"`
		Icons   []struct{ Src, Sizes, Type, Purpose string }
	}
	w.ok(json.Unmarshal([]byte(p.body), &m))
	if m.Name != "softstake" || m.Start != "/spot" || m.Display != "standalone" {
		t.Errorf("the manifest is %s", p.body)
	}
	for _, icon := range m.Icons {
		if got := w.get(icon.Src).is(http.StatusOK).header.Get("Content-Type"); got != icon.Type {
			t.Errorf("%s is %s", icon.Src, got)
		}
	}
	for _, path := range []string{"/favicon.ico", "/apple-touch-icon.png"} {
		w.get(w.get(path).is(http.StatusFound).location).is(http.StatusOK)
	}
	w.get("/robots.txt").is(http.StatusOK).has("Disallow: /")
}

// TestWithoutAConnection: what the service worker keeps knows nobody.
func TestWithoutAConnection(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.get("/sw.js").is(http.StatusOK).has("const version = ", `"/offline"`)
	p := w.get("/offline").is(http.StatusOK).has("You are offline", "data-offline").
		hasNot("alice", "Log out", "data-live")
	files := regexp.MustCompile(`/static/[\w./-]+`).FindAllString(p.body, -1)
	if len(files) < 4 {
		t.Errorf("the page names %v", files)
	}
	for _, path := range files {
		w.get(path).is(http.StatusOK)
	}
}

func TestThemeAndLanguage(t *testing.T) {
	w := newWebsite(t)
	w.get("/login").has(`<html lang="en">`, `content="light dark"`)
	w.cookie("theme", "dark")
	w.cookie("lang", "de")
	w.get("/login").has(`<html lang="de" data-theme="dark">`, "Anmelden").hasNot(`content="#ffffff"`)
}
