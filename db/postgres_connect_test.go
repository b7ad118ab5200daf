package db

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// TestWhatIsSecure: by what the driver makes of an address, the environment and a service file.
func TestWhatIsSecure(t *testing.T) {
	for _, name := range []string{"PGHOST", "PGHOSTADDR", "PGSSLMODE", "PGSERVICE", "PGSERVICEFILE", "PGSSLROOTCERT"} {
		t.Setenv(name, "")
	}
	services := filepath.Join(t.TempDir(), "services")
	if err := os.WriteFile(services, []byte("[far]\nhost=db.example.com\n"+
		"[sure]\nhost=db.example.com\nsslmode=verify-full\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		url    string
		env    string // NAME=VALUE NAME=VALUE
		secure bool
	}{
		{url: "postgres://u@127.0.0.1/b", secure: true},
		{url: "postgres://u@127.8.9.1:5433/b?sslmode=disable", secure: true},
		{url: "postgres://u@[::1]/b", secure: true},
		{url: "postgres://u@[::ffff:127.0.0.1]/b", secure: true},
		{url: "postgres://u@localhost/b", secure: true},
		{url: "postgres://u@LocalHost./b", secure: true},
		{url: "postgres:///b?host=/var/run/postgresql", secure: true},
		{url: "postgres://u@/b", env: "PGHOST=/run/postgresql", secure: true},
		{url: "postgres://u@db.example.com/b"},
		{url: "postgresql://u@192.0.2.1/b"},
		{url: "postgres://u@[2001:db8::1]/b"},
		{url: "postgres://u@0.0.0.0/b"},
		{url: "postgres://u@localhost.example.com/b"},
		{url: "postgres://u@db/b?sslmode=disable"},
		{url: "postgres://u@db/b?sslmode=allow"},
		{url: "postgres://u@db/b?sslmode=prefer"},
		{url: "postgres://u@db/b?sslmode=require"},
		{url: "postgres://u@db/b?sslmode=verify-ca"},
		{url: "postgres://u@db/b?sslmode=verify-full", secure: true},
		{url: "postgres://u@db/b", env: "PGSSLMODE=verify-full", secure: true},
		{url: "postgres://u@db/b?sslmode=require", env: "PGSSLMODE=verify-full"},
		{url: "postgres://u@db/b?sslrootcert=system", secure: true},
		{url: "postgres:///b?host=db&sslmode=require"},
		{url: "postgres:///b?host=db&sslmode=verify-full", secure: true},
		{url: "postgres://u@/b", env: "PGHOST=db"},
		{url: "postgres://u@/b?sslmode=verify-full", env: "PGHOST=db", secure: true},
		{url: "postgres://u@127.0.0.1,db/b"},
		{url: "postgres://u@127.0.0.1:5432,db:5433/b?sslmode=verify-full", secure: true},
		{url: "postgres://u@127.0.0.1,localhost,[::1]/b", secure: true},
		{url: "postgres:///b?host=/run/postgresql,db"},
		{url: "postgres:///b?service=far&servicefile=" + services},
		{url: "postgres:///b?service=sure&servicefile=" + services, secure: true},
		{url: "postgres:///b", env: "PGSERVICE=far PGSERVICEFILE=" + services},
	} {
		for _, setting := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(setting, "=")
			t.Setenv(name, value)
		}
		config, err := pgxpool.ParseConfig(c.url)
		if err != nil {
			t.Fatalf("%s: %v", c.url, err)
		}
		err = CheckSecure(&config.ConnConfig.Config)
		if (err == nil) != c.secure || err != nil && !errors.Is(err, ErrInsecure) {
			t.Errorf("%s %s: %v", c.url, c.env, err)
		}
		for _, setting := range strings.Fields(c.env) {
			name, _, _ := strings.Cut(setting, "=")
			t.Setenv(name, "")
		}
	}
}

// closedPort is an address of this machine at which nobody answers.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// TestAFailedConnectionIsOneSentence: each host and each cause once, and no password,
// however many ways to connect were tried.
func TestAFailedConnectionIsOneSentence(t *testing.T) {
	one, two := closedPort(t), closedPort(t)
	_, port, err := net.SplitHostPort(one)
	if err != nil {
		t.Fatal(err)
	}
	advice := "; is it running, and are its address and password right?"
	for url, want := range map[string]string{
		"postgres://u:pass-word@" + one + "/b?sslmode=prefer": "PostgreSQL at " + one +
			" cannot be reached: connection refused" + advice,
		"postgres://u:pass-word@localhost:" + port + "/b": "PostgreSQL at localhost:" + port +
			" cannot be reached: connection refused" + advice,
		"postgres://u:pass-word@" + one + "," + two + "/b": "PostgreSQL at " + one + ", " + two +
			" cannot be reached: connection refused" + advice,
		"postgres://u:pass-word@" + one + "," + one + "/b": "PostgreSQL at " + one +
			" cannot be reached: connection refused" + advice,
		"postgres://u:pass-word@/b?host=/nowhere&port=" +
			port: "PostgreSQL at /nowhere cannot be reached: no such file or directory" + advice,
		"postgres://u:pass-word@nowhere.invalid:5432/b": "PostgreSQL at nowhere.invalid:5432 " +
			"cannot be reached: no such host: nowhere.invalid" + advice,
		"postgres://u:pass-word@nowhere.invalid," + one + "/b": "PostgreSQL at nowhere.invalid:5432, " + one +
			" cannot be reached: ",
		"postgres://u:pass-word@" + one + "/b?target_session_attrs=primary": "PostgreSQL at " + one +
			" cannot be reached: connection refused" + advice,
	} {
		_, err := Open(t.Context(), url, Options{Insecure: true})
		var unreachable *UnreachableError
		if !errors.As(err, &unreachable) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s\nfails with %v\nwanted is  %s", url, err, want)
			continue
		}
		text := fmt.Sprint(err)
		if strings.Contains(text, "pass-word") || strings.Contains(text, "\n") ||
			strings.Count(text, "connection refused") > 1 {
			t.Errorf("%s: it says %q", url, text)
		}
	}
}

func TestAnotherHostNeedsAProof(t *testing.T) {
	_, err := Open(t.Context(), "postgres://u:pass-word@db.example.com/b", Options{})
	if !errors.Is(err, ErrInsecure) || !strings.Contains(err.Error(), "db.example.com:5432") ||
		!strings.Contains(err.Error(), "sslmode=verify-full") || strings.Contains(err.Error(), "pass-word") {
		t.Errorf("it is opened with %v", err)
	}
}

// TestAPassfileInTheAddress is read whatever PGPASSWORD is, which may be another server's.
func TestAPassfileInTheAddress(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pgpass")
	if err := os.WriteFile(file, []byte("127.0.0.1:5432:*:reader:of-the-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGPASSWORD", "of-the-environment")
	for address, want := range map[string]string{
		"postgres://reader@127.0.0.1:5432/shop?passfile=" + file:  "of-the-file",
		"postgres://another@127.0.0.1:5432/shop?passfile=" + file: "of-the-environment",
		"postgres://reader@127.0.0.1:5432/shop":                   "of-the-environment",
	} {
		if c, err := ParseAddress(address, false); err != nil || c.Password != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := ParseAddress("postgres://reader@127.0.0.1/shop?passfile="+file+"s", false); err == nil {
		t.Error("a passfile that is missing is no error")
	}
}
