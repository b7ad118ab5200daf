package cli

import (
	"strings"
	"testing"
)

// TestOthersDoNotReadWhatIsServed: an address that others reach needs TLS, a trusted proxy,
// or --insecure.
func TestOthersDoNotReadWhatIsServed(t *testing.T) {
	withTLS, withProxy := serveCmd{TLSCert: "site.pem", TLSKey: "site.key"}, serveCmd{TrustedProxy: "10.0.0.0/8"}
	for _, c := range []struct {
		cmd             serveCmd
		listen, metrics string
		insecure, right bool
	}{
		{serveCmd{}, "127.0.0.1:8080", "", false, true},
		{serveCmd{}, "127.9.9.9:0", "", false, true},
		{serveCmd{}, "[::1]:8080", "", false, true},
		{serveCmd{}, "[::ffff:127.0.0.1]:8080", "", false, true},
		{serveCmd{}, "localhost:8080", "localhost:9090", false, true},
		{serveCmd{}, "0.0.0.0:8080", "", false, false},
		{serveCmd{}, ":8080", "", false, false},
		{serveCmd{}, "[::]:8080", "", false, false},
		{serveCmd{}, "192.0.2.1:8080", "", false, false},
		{serveCmd{}, "[2001:db8::1]:8080", "", false, false},
		{serveCmd{}, "0.0.0.0:8080", "", true, true},
		{withTLS, "0.0.0.0:443", "", false, true},
		{withProxy, "10.0.0.7:8080", "", false, true},
		{withTLS, ":443", "127.0.0.1:9090", false, true},
		{withTLS, ":443", ":9090", false, true}, // over TLS as well
		{withProxy, ":8080", ":9090", false, false},
		{withProxy, ":8080", ":9090", true, true},
		{serveCmd{}, "127.0.0.1:8080", "0.0.0.0:9090", false, false},
		{serveCmd{}, "127.0.0.1:8080", "10.0.0.7:9090", true, true},
		{serveCmd{}, "no port", "", true, false},
	} {
		c.cmd.Listen, c.cmd.MetricsListen = c.listen, c.metrics
		if err := c.cmd.checkListen(c.insecure); (err == nil) != c.right {
			t.Errorf("--listen %s --metrics-listen %s, TLS %q, proxy %q, insecure %t: %v", c.listen, c.metrics, c.cmd.TLSCert,
				c.cmd.TrustedProxy, c.insecure, err)
		}
	}
}

// TestACommandSaysWhatIsNotSecure and what to do about it, with the exit status of a wrong flag.
func TestACommandSaysWhatIsNotSecure(t *testing.T) {
	url := books(t)
	for _, c := range []struct {
		args   []string
		status int
		says   []string
	}{
		{[]string{"serve", "--listen", "0.0.0.0:0", "--db", url}, 2, []string{"--tls-cert", "--trusted-proxy", "--insecure"}},
		{[]string{"serve", "--listen", "127.0.0.1:0", "--metrics-listen", ":0", "--db", url}, 2,
			[]string{"--metrics-listen", "--insecure"}},
		{[]string{"serve", "--listen", "0.0.0.0:0", "--trusted-proxy", "10.0.0.0/8,0.0.0.0/0", "--db", url}, 2,
			[]string{"0.0.0.0/0 believes nearly everybody", "--insecure"}},
		{[]string{"serve", "--listen", "0.0.0.0:0", "--trusted-proxy", "::/1", "--db", url}, 2,
			[]string{"::/1 believes nearly everybody"}},
		{[]string{"demo", "--listen", ":0"}, 2, []string{"--insecure"}},
		{[]string{"status", "--db", "postgres://u:pass-word@db.invalid/b"}, 1,
			[]string{"db.invalid:5432", "sslmode=verify-full", "--insecure"}},
		{[]string{"init", "--db", "postgres://u:pass-word@db.invalid/b?sslmode=require"}, 1, []string{"--insecure"}},
		{[]string{"demo", "--report", "--db", "postgres://u:pass-word@127.0.0.1:1,db.invalid/b"}, 1,
			[]string{"db.invalid:5432", "--insecure"}},
		{[]string{"bench", "post", "--db", "postgres://u:pass-word@db.invalid/b"}, 1, []string{"--insecure"}},
		{[]string{"status", "--insecure", "--db", "postgres://u:pass-word@db.invalid/b"}, 1,
			[]string{"PostgreSQL at db.invalid:5432 cannot be reached: no such host: db.invalid; is it running"}},
	} {
		_, stderr, status := command(t, t.Context(), strings.NewReader(""), c.args...)
		if status != c.status {
			t.Errorf("%q: exit status %d: %s", c.args, status, stderr)
		}
		for _, want := range c.says {
			if !strings.Contains(stderr, want) {
				t.Errorf("%q does not say %q: %s", c.args, want, stderr)
			}
		}
		if strings.Contains(stderr, "pass-word") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q says %q", c.args, stderr)
		}
	}
}

func TestTheVersion(t *testing.T) {
	out, stderr, status := command(t, t.Context(), strings.NewReader(""), "--version")
	lines := strings.Split(out, "\n")
	if status != 0 || stderr != "" || len(lines) != 5 || !strings.HasPrefix(lines[0], "softstake ") ||
		!strings.HasPrefix(lines[1], "revision ") ||
		!strings.HasPrefix(lines[2], "go1.") || !strings.HasPrefix(lines[3], "schema ") {
		t.Errorf("exit status %d: %q %q", status, out, stderr)
	}
}
