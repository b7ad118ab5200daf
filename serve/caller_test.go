package serve

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
)

// TestTheCallerIsWhoAProxyOfOursSaw: what the client wrote itself is never believed.
func TestTheCallerIsWhoAProxyOfOursSaw(t *testing.T) {
	proxies, err := access.ParseAddresses("10.0.0.0/8, 2001:db8:1::/48")
	if err != nil {
		t.Fatal(err)
	}
	g := newGateway(slog.New(slog.DiscardHandler), func(answered) {}, 1)
	g.proxies, g.country = proxies, "CF-IPCountry"
	for _, c := range []struct {
		remote           string
		forwarded        []string
		address, country string
	}{
		{"192.0.2.7:4711", nil, "192.0.2.7", ""},
		{"192.0.2.7:4711", []string{"198.51.100.1"}, "192.0.2.7", ""}, // nobody of ours says so
		{"10.1.2.3:80", nil, "10.1.2.3", "DE"},
		{"10.1.2.3:80", []string{"198.51.100.1"}, "198.51.100.1", "DE"},
		{"10.1.2.3:80", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1", "DE"}, // the left one is the client's word
		{"10.1.2.3:80", []string{"203.0.113.9", "198.51.100.1, 10.9.9.9"}, "198.51.100.1", "DE"},
		{"10.1.2.3:80", []string{"10.8.8.8, 10.9.9.9"}, "10.8.8.8", "DE"},
		{"10.1.2.3:80", []string{"203.0.113.9, nonsense, 10.9.9.9"}, "10.9.9.9", "DE"},
		{"10.1.2.3:80", []string{""}, "10.1.2.3", "DE"},
		{"10.1.2.3:80", []string{"198.51.100.1:5000"}, "198.51.100.1", "DE"},
		{"[::ffff:10.1.2.3]:80", []string{"[2001:db8::5]:443"}, "2001:db8::5", "DE"},
		{"[2001:db8:1::1]:80", []string{"::ffff:198.51.100.1"}, "198.51.100.1", "DE"},
		{"[fe80::1%eth0]:80", []string{"198.51.100.1"}, "fe80::1", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/x", nil)
		r.RemoteAddr, r.Header["X-Forwarded-For"] = c.remote, c.forwarded
		r.Header.Set("CF-IPCountry", "de")
		got := g.caller(r)
		if got.Address.String() != c.address || got.Country != c.country {
			t.Errorf("%s %q: %s %q, want %s %q", c.remote, c.forwarded, got.Address, got.Country, c.address, c.country)
		}
	}
}

func TestWhatAClientSaysOfItselfIsShortAndPlain(t *testing.T) {
	g := newGateway(slog.New(slog.DiscardHandler), func(answered) {}, 1)
	long := strings.Repeat("x", 65)
	for _, c := range []struct{ platform, version, request, wantPlatform, wantVersion, wantRequest string }{
		{"iOS", "3.1.0", "a-1_b.C", "ios", "3.1.0", "a-1_b.C"},
		{"ios\nerror", "3.1.0;", "a b", "ios", "", ""},
		{"Android 14 (Samsung Galaxy S24 Ultra 5G)", "3.0.9", "", "android", "3.0.9", ""},
		{"iPhone15,2", "3.0.9", "", "ios", "3.0.9", ""},
		{"iPhone", "v3.1.0", "", "ios", "v3.1.0", ""},
		{"iPadOS", " 3.1.0 (1234) ", "", "ios", "3.1.0 (1234)", ""},
		{"IPHONE OS", "3.1.0+7", "", "ios", "3.1.0+7", ""},
		{"Android 15", "3.1.0.5", "", "android", "3.1.0.5", ""},
		{"Web", "<b>", "", "web", "", ""},
		{long, long, long, "", "", ""},
		{"", "", "", "", "", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/x", nil)
		for name, value := range map[string]string{"X-Client-Platform": c.platform, "X-Client-Version": c.version,
			"X-Request-ID": c.request} {
			r.Header.Set(name, value)
		}
		got := g.caller(r)
		if got.Platform != c.wantPlatform || got.Version != c.wantVersion {
			t.Errorf("%q %q: %q %q", c.platform, c.version, got.Platform, got.Version)
		}
		if made := len(got.Request) >= 20; got.Request != c.wantRequest && (c.wantRequest != "" || !made) {
			t.Errorf("request %q is %q", c.request, got.Request)
		}
	}
}

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
		{proxy, []string{"DE"}, "DE"}, {proxy, []string{"us"}, "US"}, {proxy, []string{"US-CA"}, "US-CA"},
		{proxy, []string{" DE\t"}, "DE"},
		{proxy, []string{"DE, US"}, "US"}, {proxy, []string{"DE,US"}, "US"}, {proxy, []string{"US, DE"}, "DE"},
		{proxy, []string{"DE", "US"}, "US"},
		{proxy, []string{"US", "FR, DE"}, "DE"}, {proxy, []string{"T1, DE"}, "DE"}, {proxy, []string{"nonsense, DE"}, "DE"},
		{proxy, nil, ""}, {proxy, []string{""}, ""}, {proxy, []string{"DE", ""}, ""}, {proxy, []string{"DE,"}, ""},
		{proxy, []string{"DE, "}, ""},
		{proxy, []string{"T1"}, ""}, {proxy, []string{"XX"}, ""}, {proxy, []string{"ZZ"}, ""}, {proxy, []string{"UK"}, ""},
		{proxy, []string{"EU"}, ""},
		{proxy, []string{"A1"}, ""}, {proxy, []string{"USA"}, ""}, {proxy, []string{"Germany"}, ""}, {proxy, []string{`"DE"`}, ""}, {proxy, []string{"DE;q=1"}, ""},
		{proxy, []string{"DE US"}, ""}, {proxy, []string{"276"}, ""}, {proxy, []string{"DE, T1"}, ""},
		{proxy, []string{"DE", "XX"}, ""}, {proxy, []string{"DE-99"}, ""},
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
			t.Errorf("allowed, %s %.60q: country %q, needed %t; want %q", c.remote, c.lines, got.Country,
				got.NeedCountry, c.want)
		}
		g.allowUnknownCountry = false
	}
	g.country = ""
	if got := g.caller(httptest.NewRequest(http.MethodGet, "/v1/x", nil)); got.Country != "" || got.NeedCountry {
		t.Errorf("without a header no country is needed: %+v", got)
	}
}

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
