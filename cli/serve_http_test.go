package cli

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// at is a served path's URL.
func (s *server) at(path string) string {
	return "http://" + s.waitFor(`msg=serving address=(\S+)`)[1] + path
}

// TestEachFaceAnswersInItsOwnWords also what it does not have.
func TestEachFaceAnswersInItsOwnWords(t *testing.T) {
	s := serve(t, books(t), noon)
	// It follows no redirect, as programs do not.
	straight := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, c := range []struct {
		method, path string
		status       int
		kind, has    string
	}{
		{"GET", "/healthz", 200, "text/plain; charset=utf-8", "ok"},
		{"GET", "/readyz", 200, "text/plain; charset=utf-8", "ready"},
		{"POST", "/healthz", 405, "text/plain; charset=utf-8", "Method Not Allowed"},
		{"GET", "/nowhere", 404, "text/html; charset=utf-8", "<html"},
		{"GET", "/login", 200, "text/html; charset=utf-8", "<form"},
		{"GET", "/api/v3/ping", 200, "application/json", "{}"},
		{"GET", "/sapi/v1/nowhere", 404, "application/json", `"code":`},
		{"GET", "//api/v3/ping", 200, "application/json", "{}"},
		{"GET", "/api//v3///ping", 200, "application/json", "{}"},
		{"GET", "//sapi/v1/soft-staking/list", 401, "application/json", `"code":-2014`},
		{"GET", "/api", 404, "application/json", `"code":-1020`},
		{"GET", "/api/", 404, "application/json", `"code":-1020`},
		{"GET", "//api", 404, "application/json", `"code":-1020`},
		{"POST", "/sapi", 404, "application/json", `"code":-1020`},
		{"GET", "/sapi/", 404, "application/json", `"code":-1020`},
		{"GET", "/sapi/../sapi/v1/system/status", 404, "application/json", `"code":-1020`},
		{"GET", "/api/./v3/ping", 404, "application/json", `"code":-1020`},
		{"GET", "/fapi/v1/nowhere", 404, "application/json", `"code":-1020`},
		{"GET", "/dapi", 404, "application/json", `"code":-1020`},
		{"GET", "/apis", 404, "text/html; charset=utf-8", "<html"},
		{"POST", "/sapi/v1/soft-staking/list", 405, "application/json", `"code":`},
		{"GET", "/sapi/v1/soft-staking/list", 401, "application/json", `"code":-2014`},
		{"GET", "/v1/openapi.json", 200, "application/", `"openapi"`},
		{"GET", "/v1/nowhere", 404, "application/problem+json", `"type":`},
		{"DELETE", "/v1/tokens", 405, "application/problem+json", `"type":`},
		{"GET", "/v1/accounts", 401, "application/problem+json", `"type":`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, s.at(c.path), nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := straight.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != c.status || !strings.HasPrefix(response.Header.Get("Content-Type"), c.kind) || !strings.Contains(string(body), c.has) {
			t.Errorf("%s %s: %s %q %.300s", c.method, c.path, response.Status, response.Header.Get("Content-Type"), body)
		}
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	s.end()
}

// TestAPathIsNotLedElsewhere: what a mux would make of the dots is never what was asked for.
func TestAPathIsNotLedElsewhere(t *testing.T) {
	url := books(t)
	token := made(t, "token", "create", "--role", "exchange", "--json", "--db", url)["token"]
	s := serve(t, url, noon)
	address := strings.TrimPrefix(s.at(""), "http://")
	for path, kind := range map[string]string{
		"/v1/accounts/../withdrawals": "application/problem+json", "/v1/accounts/./balances": "application/problem+json", "/v1/./journal": "application/problem+json",
		"/v1/..": "application/problem+json", "/v1/entries/..": "application/problem+json", "/v1/accounts/a/..?limit=1": "application/problem+json",
		"//v1/accounts/../withdrawals": "application/problem+json", "/%761/accounts/../withdrawals": "application/problem+json",
		"/sapi/../v1/accounts": "application/json", "/api/v3/../v3/ping": "application/json", "//api/v3/../v3/ping": "application/json",
		"/fapi/../v1/accounts": "application/json", "/dapi/v1/./time": "application/json",
	} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n", path, token); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != http.StatusNotFound || response.Header.Get("Content-Type") != kind {
			t.Errorf("GET %s: %s %q, to %q", path, response.Status, response.Header.Get("Content-Type"), response.Header.Get("Location"))
		}
		if err := errors.Join(response.Body.Close(), conn.Close()); err != nil {
			t.Error(err)
		}
	}
	s.end()
}

// TestAGigabyteIsNotRead: who sends one, with a right credential, is answered and cut off after little of it.
func TestAGigabyteIsNotRead(t *testing.T) {
	url := books(t)
	token := made(t, "token", "create", "--role", "exchange", "--json", "--db", url)["token"]
	key := made(t, "key", "create", "--account", "alice", "--type", "hmac", "--permissions", "read,trade", "--json", "--db", url)["apiKey"]
	s := serve(t, url, noon)
	for _, path := range []string{"/v1/batches", "/v1/accounts", "/sapi/v1/capital/withdraw/apply", "/api/v3/ping"} {
		for _, framing := range []string{fmt.Sprintf("Content-Length: %d", 1<<30), "Transfer-Encoding: chunked"} {
			headers := "Authorization: Bearer " + token + "\r\nX-MBX-APIKEY: " + key + "\r\nContent-Type: application/json\r\n" + framing
			sent, status := flood(t, strings.TrimPrefix(s.at(""), "http://"), path, headers)
			if status < 400 || status >= 500 {
				t.Errorf("%s, %s: status %d", path, framing, status)
			}
			if sent > 48<<20 {
				t.Errorf("%s, %s: %d bytes were taken", path, framing, sent)
			}
		}
	}
	s.end()
}

// flood sends a gigabyte to a path, until nobody takes any more, and returns how much that was and the answer's status.
func flood(t *testing.T, address, path, headers string) (sent, status int) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", path, headers); err != nil {
		t.Fatal(err)
	}
	taken := make(chan int)
	go func() {
		part := fmt.Appendf(nil, "%x\r\n%s\r\n", 64<<10, strings.Repeat(" ", 64<<10)) // a chunk; without chunks, just bytes
		n := 0
		for n < 1<<30 {
			m, err := conn.Write(part)
			n += m
			if err != nil {
				break
			}
		}
		taken <- n
	}()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	sent = <-taken
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	return sent, response.StatusCode
}

// TestAnEventStreamEndsWithTheServer: it does not keep it from stopping, and ends as HTTP says.
func TestAnEventStreamEndsWithTheServer(t *testing.T) {
	url := books(t)
	token := made(t, "token", "create", "--role", "auditor", "--json", "--db", url)["token"]
	s := serve(t, url, noon)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.at("/v1/events"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if kind := response.Header.Get("Content-Type"); response.StatusCode != 200 || !strings.HasPrefix(kind, "text/event-stream") {
		t.Errorf("%s %s", response.Status, kind)
	}
	if _, body := s.get("/metrics"); !strings.Contains(body, "softstake_event_streams 1\n") {
		t.Error("the stream is not counted")
	}
	began := time.Now()
	s.end()
	if took := time.Since(began); took >= stopWait {
		t.Errorf("stopping took %s", took)
	}
	if rest, err := io.ReadAll(response.Body); err != nil {
		t.Errorf("%v after %q", err, rest)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
}

func TestMetricsMayHaveAnAddressOfTheirOwn(t *testing.T) {
	s := serve(t, books(t), noon, "--metrics-listen", "127.0.0.1:0")
	own := s.waitFor(`msg="serving health and metrics" at=(\S+)`)[1]
	for url, want := range map[string]int{
		"http://" + own + "/metrics": 200, "http://" + own + "/healthz": 200, "http://" + own + "/api/v3/ping": 404,
		s.at("/metrics"): 404, s.at("/api/v3/ping"): 200,
	} {
		if response, body := fetch(t, url); response.StatusCode != want {
			t.Errorf("%s: %s %s", url, response.Status, body)
		}
	}
	s.end()
}

func TestServeReadsItsFlagsFromTheEnvironment(t *testing.T) {
	url := books(t)
	for name, value := range map[string]string{"SOFTSTAKE_TRUSTED_PROXY": "nonsense", "SOFTSTAKE_MAX_REQUESTS": "0", "SOFTSTAKE_COUNTRY_HEADER": "X-Country", "SOFTSTAKE_LOG": "xml", "SOFTSTAKE_TLS_CERT": "x"} {
		var told strings.Builder
		w := &World{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &told, Now: func() time.Time { return noon }, Context: t.Context(),
			Env: func(asked string) string { return map[string]string{name: value}[asked] }}
		if status := run(w, []string{"serve", "--listen", "127.0.0.1:0", "--db", url}); status != 2 {
			t.Errorf("%s=%s: exit status %d: %s", name, value, status, told.String())
		}
	}
}

// TestACertificateIsReadAgain when its files have changed, and a broken one leaves the former.
func TestACertificateIsReadAgain(t *testing.T) {
	cert, key := filepath.Join(t.TempDir(), "site.pem"), filepath.Join(t.TempDir(), "site.key")
	writeCertificate(t, cert, key, "first", noon)
	s := serve(t, books(t), noon, "--tls-cert", cert, "--tls-key", key)
	address := s.waitFor(`msg=serving address=(\S+)`)[1]
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
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
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: noon, NotAfter: noon.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
}
