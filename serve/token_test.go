package serve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/testkit"
)

// TestATokenIsUsedFromItsAddresses: as the server sees them, or as a trusted proxy reports them. That one was used from
// elsewhere is logged and counted, with the token that it was.
func TestATokenIsUsedFromItsAddresses(t *testing.T) {
	w := newSite(t)
	near := w.token(access.Auditor, func(k *access.Token) {
		k.Addresses = testkit.Must(access.ParseAddresses("192.0.2.0/24"))(t)
	})
	s := w.serve(func(c *Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	for forwarded, want := range map[string]int{
		"192.0.2.7": 200, "203.0.113.9, 192.0.2.7": 200, "192.0.2.7, 203.0.113.9": 403, "": 403, "nonsense": 403,
	} {
		response, body := scenario.Request{Method: http.MethodGet, URL: s.at("/v1/tokens"),
			Headers: map[string]string{"Authorization": "Bearer " + near, "X-Forwarded-For": forwarded}}.Do(t)
		if response.StatusCode != want || want == 403 && !strings.Contains(body, "forbidden") {
			t.Errorf("from %q: %d %s", forwarded, response.StatusCode, body)
		}
	}
	s.waitFor(`msg="security event" event=wrong-address credential="token ` + near[4:16] + `" .*address=203\.0\.113\.9`)
	if _, body := s.get("/metrics"); !strings.Contains(body, `softstake_security_events_total{event="wrong-address"} 3`) {
		t.Error("the metrics do not count it")
	}
	s.end()
}

// authority signs certificates of clients.
type authority struct {
	*testing.T
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string // the certificate in PEM
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	a := authority{T: t, key: testkit.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t),
		file: filepath.Join(t.TempDir(), name+".pem")}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour)}
	der := testkit.Must(x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key))(t)
	a.certificate = testkit.Must(x509.ParseCertificate(der))(t)
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// client is one with a certificate of the authority: of a subject, valid until a moment.
func (a authority) client(subject pkix.Name, until time.Time) *http.Client {
	a.Helper()
	key := testkit.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(a.T)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: subject,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, NotBefore: time.Now().Add(-2 * time.Hour),
		NotAfter: until}
	der := testkit.Must(x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key))(a.T)
	return clientWith(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key})
}

// clientWith is a client that trusts every server, and sends a certificate whatever authorities the server names.
func clientWith(own ...tls.Certificate) *http.Client {
	config := &tls.Config{InsecureSkipVerify: true}
	if len(own) > 0 {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own[0], nil }
	}
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: config}}
}

// TestATokenNeedsItsClientCertificate: one of the authority, and with that subject. A header does not replace it.
func TestATokenNeedsItsClientCertificate(t *testing.T) {
	cert, key := filepath.Join(t.TempDir(), "site.pem"), filepath.Join(t.TempDir(), "site.key")
	writeCertificate(t, cert, key, "site", noon)
	ours, others := newAuthority(t, "ours"), newAuthority(t, "others")
	w := newSite(t)
	bound := w.token(access.Auditor, func(k *access.Token) { k.Subject = "CN=back end,O=Example" })
	free := w.token(access.Auditor)
	s := w.serve(func(c *Config) {
		c.CertFile, c.KeyFile, c.ClientCAFile = cert, key, ours.file
		c.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	backEnd, hour := pkix.Name{CommonName: "back end", Organization: []string{"Example"}}, time.Now().Add(time.Hour)
	// status is what a client is answered with a token; 0: the handshake fails.
	status := func(client *http.Client, token string) int {
		request := testkit.Must(http.NewRequestWithContext(t.Context(), http.MethodGet,
			"https://"+s.address()+"/v1/tokens", nil))(t)
		request.Header.Set("Authorization", "Bearer "+token)
		for _, name := range []string{"X-Forwarded-Client-Cert", "X-SSL-Client-S-DN", "Client-Cert"} {
			request.Header.Set(name, "CN=back end,O=Example")
		}
		response, err := client.Do(request)
		if err != nil {
			return 0
		}
		if err := response.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode
	}
	for _, c := range []struct {
		what        string
		client      *http.Client
		bound, free int
	}{
		{"the certificate", ours.client(backEnd, hour), 200, 200},
		{"none", clientWith(), 401, 200},
		{"that of another", ours.client(pkix.Name{CommonName: "another"}, hour), 401, 200},
		{"one without the organization", ours.client(pkix.Name{CommonName: "back end"}, hour), 401, 200},
		{"one that has expired", ours.client(backEnd, time.Now().Add(-time.Hour)), 0, 0},
		{"one of another authority", others.client(backEnd, hour), 0, 0},
	} {
		if got := status(c.client, bound); got != c.bound {
			t.Errorf("with %s the token is answered %d, want %d", c.what, got, c.bound)
		}
		if got := status(c.client, free); got != c.free {
			t.Errorf("with %s another token is answered %d, want %d", c.what, got, c.free)
		}
	}
	s.waitFor(`msg="security event" event=wrong-certificate credential="token ` + bound[4:16] + `" .*subject="?CN=another`)
	s.end()

	// Without an authority nobody is asked for a certificate.
	s = w.serve(func(c *Config) { c.CertFile, c.KeyFile = cert, key })
	if got := status(ours.client(backEnd, hour), bound); got != 401 {
		t.Errorf("without an authority: %d", got)
	}
	s.end()
}

// TestAnAuthorityThatCannotBeReadEndsTheStart: else tokens would be refused, and nobody knows why.
func TestAnAuthorityThatCannotBeReadEndsTheStart(t *testing.T) {
	cert, key := filepath.Join(t.TempDir(), "site.pem"), filepath.Join(t.TempDir(), "site.key")
	writeCertificate(t, cert, key, "site", noon)
	for _, file := range []string{key, filepath.Join(t.TempDir(), "nowhere")} {
		s := newSite(t).serve(func(c *Config) { c.CertFile, c.KeyFile, c.ClientCAFile = cert, key, file })
		if err := <-s.ended; err == nil {
			t.Errorf("%s is read", file)
		}
	}
}

// TestBreakGlass: the first use is an alarm, and its time runs from then on; it has three roles, and no other.
func TestBreakGlass(t *testing.T) {
	w := newSite(t)
	sealed := w.token(access.Admin, func(k *access.Token) {
		k.Person, k.Lasts, k.Expires = access.BreakGlassPerson, 4*time.Hour, noon.AddDate(1, 0, 0)
	})
	s := w.serve()
	ask := func(method, path, body string) int {
		response, _ := scenario.Request{Method: method, URL: s.at(path), Body: body,
			Headers: map[string]string{"Authorization": "Bearer " + sealed}}.Do(t)
		return response.StatusCode
	}
	w.clock.Advance(30 * 24 * time.Hour) // it lies in the safe
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{http.MethodGet, "/v1/runs/status", "", 200}, {http.MethodGet, "/v1/proposals", "", 200},
		{http.MethodPost, "/v1/runs", "", 200}, // an operator's
		{http.MethodPost, "/v1/proposals/0123456789ab/approve", // an approver's, of a proposal that there is not
			`{"effectDigest":"7494278057d404cf13b0f897185b01f3"}`, 404},
		{http.MethodPost, "/v1/entries", "{}", 403},
	} {
		if got := ask(c.method, c.path, c.body); got != c.want {
			t.Errorf("%s %s is answered %d, want %d", c.method, c.path, got, c.want)
		}
	}
	s.waitFor(`level=ERROR msg="security event" event=break-glass credential="token ` + sealed[4:16] + `"`)
	if _, body := s.get("/metrics"); !strings.Contains(body, `softstake_security_events_total{event="break-glass"} 1`) {
		t.Error("the metrics do not count its first use once")
	}
	w.clock.Advance(4 * time.Hour)
	if got := ask(http.MethodGet, "/v1/runs/status", ""); got != 401 {
		t.Errorf("after its time it is answered %d", got)
	}
	s.end()
}

// TestACeilingIsReached: what it refuses says what is left, and is a security event; what fits is posted.
func TestACeilingIsReached(t *testing.T) {
	w := newSite(t)
	token := w.token(access.Exchange, func(k *access.Token) {
		k.Parts = access.AllParts
		k.Ceilings = testkit.Must(access.ParseCeilings(access.AllParts, "deposits:BNB=2/day"))(t)
	})
	s := w.serve()
	for id, want := range map[string]int{"2.00000001": 403, "2": 201} {
		response, body := scenario.Request{Method: http.MethodPost, URL: s.at("/v1/entries"),
			Body: `{"id":"d-` + id + `","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"` +
				id + `"}]}`,
			Headers: map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json"}}.Do(t)
		if response.StatusCode != want || want == 403 && (!strings.Contains(body, "#ceiling") ||
			!strings.Contains(body, `"field":"moves[0].amount"`) || !strings.Contains(body, "are left for token")) {
			t.Errorf("%s BNB: %d %s", id, response.StatusCode, body)
		}
	}
	s.waitFor(`level=WARN msg="security event" event=over-ceiling credential="token ` + token[4:16] + `"`)
	s.end()
}
