package address

import (
	"encoding/pem"
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/testkit"
)

// TestParse: hosts have ports, and connections to others are with TLS.
func TestParse(t *testing.T) {
	for _, c := range []struct {
		text     string
		insecure bool
		tls      bool
		err      error
	}{
		{"kafka://localhost/t", false, false, nil},
		{"kafka://127.0.0.1,[::1]:1/t", false, false, nil},
		{"kafka://localhost/t?tls=on", false, true, nil},
		{"kafka://k1,k2:9093/t", false, true, nil},
		{"kafka://k1/t?tls=off", false, false, ErrInsecure},
		{"kafka://localhost,k1/t?tls=off", false, false, ErrInsecure},
		{"kafka://k1/t?tls=off", true, false, nil},
		{"kafka://k1/t?cert=/nowhere", false, false, ledger.ErrInvalid},
		{"kafka://k1:/t", false, false, ledger.ErrInvalid},
		{"kafka://k1,/t", false, false, ledger.ErrInvalid},
		{"kafka://u@k1/t", true, false, ledger.ErrInvalid},
		{"http://k1/t", true, false, ledger.ErrInvalid},
	} {
		a, err := Parse(c.text, "kafka", "9092", c.insecure)
		if !errors.Is(err, c.err) || c.err == nil && (a.TLS != nil) != c.tls {
			t.Errorf("%s: TLS %v, %v", c.text, a.TLS != nil, err)
		}
	}
}

// TestDial: a broker is known by the certificate, and another host without TLS is refused, whoever names it.
func TestDial(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	host := server.Listener.Addr().String()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	dial := func(text, host string) error {
		a := testkit.Must(Parse(text, "kafka", "9092", false))(t)
		c, err := a.Dial(t.Context(), "tcp", host)
		if err == nil {
			err = c.Close()
		}
		return err
	}
	if err := dial("kafka://"+host+"/t?ca="+ca, host); err != nil {
		t.Errorf("the certificate is its own: %v", err)
	}
	if err := dial("kafka://"+host+"/t?tls=on", host); err == nil {
		t.Error("a certificate that nobody knows was accepted")
	}
	if err := dial("kafka://"+host+"/t", net.JoinHostPort("192.0.2.1", "9092")); !errors.Is(err, ErrInsecure) {
		t.Errorf("another host that a broker has named: %v", err)
	}
}
