package serve

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
	url, _, _, _ := behindGateway(t, pagesOf(true), 1, func(http.ResponseWriter, *http.Request) { panic("it broke") })
	response, body := fetch(t, url+"/v1/things/x")
	if response.StatusCode != 500 || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") || response.Header.Get("Content-Security-Policy") != "default-src 'none'" {
		t.Errorf("%s %v", response.Status, response.Header)
	}
	if !strings.Contains(body, "This is a test") {
		t.Errorf("of books that are a test it says %s", body)
	}
	if !strings.Contains(body, response.Header.Get("X-Request-Id")) || strings.Contains(body, "broke") {
		t.Errorf("it says %s", body)
	}
}
