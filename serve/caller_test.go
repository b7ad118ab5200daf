package serve

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// TestTheCountryIsOneThatExists: what the nearest proxy says last, or none.
func TestTheCountryIsOneThatExists(t *testing.T) {
	g := newGateway(slog.New(slog.DiscardHandler), func(answered) {}, 1)
	g.proxies, g.country = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, "cf-ipcountry"
	const proxy, direct = "10.1.2.3:80", "192.0.2.7:80"
	for _, c := range []struct {
		remote string
		lines  []string
		want   string
	}{
		{proxy, []string{"DE"}, "DE"}, {proxy, []string{"us"}, "US"}, {proxy, []string{"US-CA"}, "US-CA"}, {proxy, []string{" DE\t"}, "DE"},
		{proxy, []string{"DE, US"}, "US"}, {proxy, []string{"DE,US"}, "US"}, {proxy, []string{"US, DE"}, "DE"}, {proxy, []string{"DE", "US"}, "US"},
		{proxy, []string{"US", "FR, DE"}, "DE"}, {proxy, []string{"T1, DE"}, "DE"}, {proxy, []string{"nonsense, DE"}, "DE"},
		{proxy, nil, ""}, {proxy, []string{""}, ""}, {proxy, []string{"DE", ""}, ""}, {proxy, []string{"DE,"}, ""}, {proxy, []string{"DE, "}, ""},
		{proxy, []string{"T1"}, ""}, {proxy, []string{"XX"}, ""}, {proxy, []string{"ZZ"}, ""}, {proxy, []string{"UK"}, ""}, {proxy, []string{"EU"}, ""},
		{proxy, []string{"A1"}, ""}, {proxy, []string{"USA"}, ""}, {proxy, []string{"Germany"}, ""}, {proxy, []string{`"DE"`}, ""}, {proxy, []string{"DE;q=1"}, ""},
		{proxy, []string{"DE US"}, ""}, {proxy, []string{"276"}, ""}, {proxy, []string{"DE, T1"}, ""}, {proxy, []string{"DE", "XX"}, ""}, {proxy, []string{"DE-99"}, ""},
		{proxy, []string{"ＤＥ"}, ""}, {proxy, []string{strings.Repeat("DE,", 1000)}, ""},
		{direct, []string{"DE"}, ""}, {direct, nil, ""}, // who comes past the proxy does not choose its country
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/x", nil)
		r.RemoteAddr, r.Header["Cf-Ipcountry"] = c.remote, c.lines
		if got := g.caller(r); got.Country != c.want || !got.NeedCountry {
			t.Errorf("%s %.60q: country %q, needed %t; want %q", c.remote, c.lines, got.Country, got.NeedCountry, c.want)
		}
		g.allowUnknownCountry = true
		if got := g.caller(r); got.Country != c.want || got.NeedCountry {
			t.Errorf("allowed, %s %.60q: country %q, needed %t; want %q", c.remote, c.lines, got.Country, got.NeedCountry, c.want)
		}
		g.allowUnknownCountry = false
	}
	g.country = ""
	if got := g.caller(httptest.NewRequest(http.MethodGet, "/v1/x", nil)); got.Country != "" || got.NeedCountry {
		t.Errorf("without a header no country is needed: %+v", got)
	}
}
