package serve

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/softstake/softstake/console"
)

// TestTheConsoleIsServedBesideThePages, with their files, and without pages with its own; unless it is not wanted.
func TestTheConsoleIsServedBesideThePages(t *testing.T) {
	for _, c := range []struct {
		what           string
		change         func(*Config)
		console, pages int
	}{
		{"beside the pages", func(c *Config) { c.Console = &console.Options{Random: rand.Reader} }, 200, 200},
		{"without pages", func(c *Config) { c.Console, c.Pages = &console.Options{Random: rand.Reader}, nil }, 200, 404},
		{"off", func(*Config) {}, 404, 200},
	} {
		s := newSite(t).serve(c.change)
		status, page := s.get("/console/login")
		if status != c.console {
			t.Errorf("%s: the console answers %d", c.what, status)
		}
		if status, _ := s.get("/login"); status != c.pages {
			t.Errorf("%s: the pages answer %d", c.what, status)
		}
		if c.console == http.StatusOK {
			if status, _ := s.get(staticOf(t, page)); status != http.StatusOK {
				t.Errorf("%s: the styles are answered %d", c.what, status)
			}
		}
		s.end()
	}
}

// TestTheConsoleMayHaveAnAddressOfItsOwn: it is there alone, and says of a test what the others say.
func TestTheConsoleMayHaveAnAddressOfItsOwn(t *testing.T) {
	s := newSite(t).serve(func(c *Config) {
		c.Console, c.ConsoleListen = &console.Options{Random: rand.Reader}, "127.0.0.1:0"
	})
	own := "http://" + s.waitFor(`msg="serving the console" at=(\S+)`)[1]
	response, page := fetch(t, own+"/console/login")
	if response.StatusCode != http.StatusOK {
		t.Errorf("the console answers %s", response.Status)
	}
	for url, want := range map[string]int{own + staticOf(t, page): 200, own + "/login": 404, own + "/v1/status": 404,
		s.at("/console/login"): 404, s.at("/login"): 200} {
		if response, body := fetch(t, url); response.StatusCode != want {
			t.Errorf("%s: %s %s", url, response.Status, body)
		}
	}
	s.end()
}

// staticOf is the path of the styles of a page.
func staticOf(t *testing.T, page string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `href="/static/console`)
	path, _, whole := strings.Cut(rest, `"`)
	if !found || !whole {
		t.Fatalf("the page has no styles of the console:\n%s", page)
	}
	return "/static/console" + path
}
