package cli

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
)

// TestWhoCameOverTLS: to us, or to a proxy of ours by its own word, which is the last.
func TestWhoCameOverTLS(t *testing.T) {
	proxies, err := access.ParseAddresses("10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tls       bool
		remote    string
		forwarded []string
		want      bool
	}{
		{false, "10.1.2.3:80", nil, false},
		{false, "10.1.2.3:80", []string{"https"}, true},
		{false, "10.1.2.3:80", []string{"HTTPS"}, true},
		{false, "10.1.2.3:80", []string{"http"}, false},
		{false, "10.1.2.3:80", []string{"http", "http, https"}, true},
		{false, "10.1.2.3:80", []string{"https, http"}, false}, // the left one is the client's word
		{false, "192.0.2.7:80", []string{"https"}, false},      // nobody of ours says so
		{true, "192.0.2.7:80", []string{"http"}, true},
		{true, "10.1.2.3:80", []string{"http"}, true},
	} {
		g := newGateway(slog.New(slog.DiscardHandler), func(answered) {}, 1)
		g.proxies, g.secure = proxies, c.tls
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Header["X-Forwarded-Proto"] = c.remote, c.forwarded
		if got := g.caller(r); got.Secure != c.want {
			t.Errorf("%+v: secure %t", c, got.Secure)
		}
	}
}

// TestAPageThatCannotBeMadeIsAPage, which says nothing of what went wrong.
func TestAPageThatCannotBeMadeIsAPage(t *testing.T) {
	url, _, _, _ := fronted(t, pagesAPI, 1, func(http.ResponseWriter, *http.Request) { panic("it broke") })
	response, body := fetch(t, url+"/v1/things/x")
	if response.StatusCode != 500 || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") || response.Header.Get("Content-Security-Policy") != "default-src 'none'" {
		t.Errorf("%s %v", response.Status, response.Header)
	}
	if !strings.Contains(body, response.Header.Get("X-Request-Id")) || strings.Contains(body, "broke") {
		t.Errorf("it says %s", body)
	}
}

// TestPagesAreServedBesideTheRest, unless they are not wanted; what was asked for
// is not in the log.
func TestPagesAreServedBesideTheRest(t *testing.T) {
	url := books(t)
	on := serve(t, url, noon)
	for path, want := range map[string]int{"/login?next=%2Fsecret": 200, "/healthz": 200, "/v1/nothing": 404, "/sapi/v1/nothing": 404, "/nothing": 404} {
		if status, page := on.get(path); status != want {
			t.Errorf("%s: %d %s", path, status, page)
		}
	}
	if _, page := on.get("/healthz"); page != "ok\n" {
		t.Errorf("/healthz says %s", page)
	}
	if _, page := on.get("/login"); strings.Contains(page, "demo") {
		t.Errorf("real books show a demo: %s", page)
	}
	if status, _ := on.get("/demo/clock"); status != 404 {
		t.Errorf("real books have a clock to move: %d", status)
	}
	on.waitFor(`route=/login status=200`)
	if log := on.log.String(); strings.Contains(log, "secret") {
		t.Errorf("the log tells what was asked: %s", log)
	}
	on.end()
	off := serve(t, url, noon, "--pages", "off")
	if status, _ := off.get("/login"); status != 404 {
		t.Errorf("pages that are off are answered %d", status)
	}
	off.end()
}
