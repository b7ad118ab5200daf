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
	"testing"
	"time"

	"github.com/softstake/softstake/scenario"
)

// TestACertificateIsReadAgain when its files have changed, and a broken one leaves the former.
func TestACertificateIsReadAgain(t *testing.T) {
	cert, key := filepath.Join(t.TempDir(), "site.pem"), filepath.Join(t.TempDir(), "site.key")
	writeCertificate(t, cert, key, "first", noon)
	s := newSite(t).serve(func(c *Config) { c.CertFile, c.KeyFile = cert, key })
	address := s.address()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	served := func() string {
		response, err := client.Get("https://" + address + "/api/v3/ping")
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if response.Header.Get("Strict-Transport-Security") == "" {
			t.Error("nothing says that TLS is to stay")
		}
		return response.TLS.PeerCertificates[0].Subject.CommonName
	}
	if name := served(); name != "first" {
		t.Errorf("%s is served", name)
	}
	writeCertificate(t, cert, key, "second", noon.Add(time.Hour))
	if name := served(); name != "second" {
		t.Errorf("%s is served", name)
	}
	if err := os.WriteFile(cert, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if name := served(); name != "second" {
		t.Errorf("%s is served", name)
	}
	s.waitFor("the certificate has changed and cannot be read")
	s.end()
}

// writeCertificate writes a certificate and its key, changed at a moment.
func writeCertificate(t *testing.T, cert, key, name string, at time.Time) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: noon,
		NotAfter: noon.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der},
		key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMetricsOfOthersNeedTLS: where others reach them they are served with the certificate.
func TestMetricsOfOthersNeedTLS(t *testing.T) {
	cert, key := filepath.Join(t.TempDir(), "site.pem"), filepath.Join(t.TempDir(), "site.key")
	writeCertificate(t, cert, key, "site", noon)
	s := newSite(t).serve(func(c *Config) { c.CertFile, c.KeyFile, c.MetricsListen = cert, key, "0.0.0.0:0" })
	address := s.waitFor(`msg="serving health and metrics" at=\S*:(\d+)`)[1]
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := client.Get("https://127.0.0.1:" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != 200 {
		t.Errorf("%s %v", response.Status, err)
	}
	s.end()
}

// TestTLSIsRequiredAfterItsFirstUse: HSTS is sent where the client speaks TLS, to us or to a trusted proxy.
func TestTLSIsRequiredAfterItsFirstUse(t *testing.T) {
	s := newSite(t).serve(func(c *Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	for protocol, want := range map[string]string{"https": "max-age=31536000", "http": "", "": "", "https, http": ""} {
		response, _ := scenario.Request{Method: http.MethodGet, URL: s.at("/login"),
			Headers: map[string]string{"X-Forwarded-Proto": protocol}}.Do(t)
		if got := response.Header.Get("Strict-Transport-Security"); got != want {
			t.Errorf("%q: %q", protocol, got)
		}
	}
	s.end()
}
