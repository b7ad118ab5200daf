package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/scenario"
)

// TestBooksForTests move their clock, and say in every answer and on every page that they are a test.
func TestBooksForTests(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "staging.db")
	if out := must(t, "", "init", "--test-clock", "--clock-offset", "24h", "--db", url); !strings.Contains(out,
		"These books are a test. Their clock says 2026-11-23 12:00:00 UTC.") {
		t.Errorf("init: %s", out)
	}
	if out := must(t, "", "status", "--clock-offset", "36h", "--db", url); !strings.HasPrefix(out,
		"These books are a test. Their clock says 2026-11-24 00:00:00 UTC.") {
		t.Errorf("status: %s", out)
	}
	if out := must(t, "", "status", "--json", "--db", url); !strings.Contains(out, `"test":true`) {
		t.Errorf("status: %s", out)
	}
	s := startServe(t, url, noon, "--clock-offset", "36h10m")
	s.waitFor(`msg="these books are a test" clock="2026-11-24 00:10:00"`)
	s.waitFor(`msg=settled day=2026-11-23`) // by the moved clock it is over
	address := "http://" + s.waitFor(`msg=serving address=(\S+)`)[1]
	for path, want := range map[string]string{
		"/healthz": "ok", "/readyz": "ready", "/metrics": "softstake_",
		"/nowhere": "This is a test: nothing here is real. Its clock says 2026-11-24 00:10:00 UTC.",
		"/login":   "This is a test", "/v1/docs": "This is a test", "/v1/accounts": "unauthorized", "/v1/../v1": "not-found",
		"/v1/nowhere":  "not-found",
		"/api/v3/time": `"serverTime":1795479000000`, "/api/v3/account": "-2014", "/sapi/nowhere": "code", "/static/nowhere": "",
	} {
		header, body := headAndBody(t, address+path)
		if header.Get("X-Softstake-Test") != "true" || !strings.Contains(body, want) {
			t.Errorf("GET %s: %q, %s", path, header.Get("X-Softstake-Test"), body)
		}
	}
	s.end()
}

func headAndBody(t *testing.T, url string) (http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque = strings.TrimPrefix(url, "http:") // the path as it is
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return answer.Header, string(body)
}

// TestTheClockOfRealBooksCannotBeMoved by any command, nor by the environment.
func TestTheClockOfRealBooksCannotBeMoved(t *testing.T) {
	url := books(t)
	snapshot := filepath.Join(t.TempDir(), "snapshot.db")
	must(t, "", "backup", snapshot, "--db", url)
	empty := "sqlite:" + filepath.Join(t.TempDir(), "empty.db")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a server that is not refused would go on
	defer cancel()
	for _, args := range [][]string{
		{"serve", "--listen", "127.0.0.1:0", "--db", url}, {"settle", "--db", url}, {"status", "--db", url},
		{"post", "-", "--db", url}, {"upgrade", "--db", url},
		{"init", "--db", empty}, {"restore", snapshot, "--db", empty},
	} {
		var stderr scenario.Buffer
		env := &Env{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &stderr, Now: func() time.Time { return noon },
			Random: rand.Reader, Context: ctx,
			Getenv: func(name string) string { return map[string]string{"SOFTSTAKE_CLOCK_OFFSET": "24h"}[name] }}
		if status := run(env, args); status != 1 || !strings.Contains(stderr.String(),
			"the clock of these books cannot be moved") {
			t.Errorf("%q: exit status %d: %s", args, status, stderr.String())
		}
	}
	for _, args := range [][]string{{"status", "--clock-offset=-1h"}, {"demo", "--clock-offset", "1h"},
		{"status", "--clock-offset", "tomorrow"}} {
		if _, stderr, status := command(t, t.Context(), strings.NewReader(""), append(args, "--db", url)...); status != 2 {
			t.Errorf("%q: exit status %d: %s", args, status, stderr)
		}
	}
	s := startServe(t, url, noon)
	address := "http://" + s.waitFor(`msg=serving address=(\S+)`)[1]
	for _, path := range []string{"/healthz", "/login", "/v1/docs", "/api/v3/time"} {
		if header, body := headAndBody(t, address+path); header.Get("X-Softstake-Test") != "" ||
			strings.Contains(body, "This is a test") {
			t.Errorf("GET %s says that real books are a test", path)
		}
	}
	s.end()
}
