package cli

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

// TestServeNeedsTheCountry: as the operator starts it, from the flag to the answer.
func TestServeNeedsTheCountry(t *testing.T) {
	url := books(t)
	must(t, "", "accept", "alice", "--db", url)
	token := made(t, "token", "create", "--role", "holder", "--account", "alice", "--json", "--db", url)["token"]
	header := []string{"--country-header", "CF-IPCountry"}
	ours, others := append(header, "--trusted-proxy", "127.0.0.0/8"), append(header, "--trusted-proxy", "10.0.0.0/8")
	for _, c := range []struct {
		name    string
		flags   []string
		country string
		status  int
		has     string
	}{
		{"known", ours, "DE", 200, `"on":true`},
		{"listed", ours, "DE, US", 451, `#region"`},
		{"Tor", ours, "T1", 451, `#unknown-country"`},
		{"missing", ours, "", 451, `#unknown-country"`},
		{"direct", others, "DE", 451, `#unknown-country"`},
		{"allowed", append(ours, "--unknown-country", "allow"), "T1", 200, `"on":true`},
		{"allowed and listed", append(ours, "--unknown-country", "allow"), "US", 451, `#region"`},
		{"allowed and direct", append(others, "--unknown-country", "allow"), "US", 200, `"on":true`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, url, noon, c.flags...)
			turn := func(on string) (int, string) {
				headers := map[string]string{"Authorization": "Bearer " + token}
				if c.country != "" {
					headers["CF-IPCountry"] = c.country
				}
				return ask(t, asked{method: http.MethodPut, url: s.at("/v1/accounts/alice/activation"), body: `{"on":` + on + `}`, headers: headers})
			}
			if status, body := turn("true"); status != c.status || !strings.Contains(body, c.has) {
				t.Errorf("on: %d %s", status, body)
			}
			if status, body := turn("false"); status != 200 {
				t.Errorf("switching off always works: %d %s", status, body)
			}
			s.end()
		})
	}
}
