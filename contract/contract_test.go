// Package contract tries /v1/openapi.json as those do who build on it: linters read
// it, clients are made of it in two languages, compiled and run against the real
// server, and what the server answers is compared with it. It has tests only.
package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/testkit"
)

func TestMain(m *testing.M) { scenario.Main(m) }

// missing skips the test for want of a tool, or fails it if SOFTSTAKE_REQUIRE_CLIENTS is 1.
func missing(t *testing.T, tool string, err error) {
	t.Helper()
	if os.Getenv("SOFTSTAKE_REQUIRE_CLIENTS") == "1" {
		t.Fatalf("%s: %v", tool, err)
	}
	t.Skipf("%s: %v", tool, err)
}

// needNode is the folder of the Node packages.
func needNode(t *testing.T) string {
	t.Helper()
	modules, err := filepath.Abs("node_modules")
	if err != nil {
		t.Fatal(err)
	}
	_, err = exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(modules, "openapi-typescript", "package.json"))
	}
	switch {
	case err == nil:
	case errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist):
		missing(t, `install Node.js 20 or later, and the packages with "npm ci" in contract/`, err)
	default:
		t.Fatal(err)
	}
	return modules
}

// run runs a program in a folder, which must end well, and returns what it printed.
// Nothing is asked of the network but the server.
func run(t *testing.T, dir string, env []string, name string, args ...string) []byte {
	t.Helper()
	out, err := try(t, dir, env, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func try(t *testing.T, dir string, env []string, name string, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", "NO_PROXY=127.0.0.1",
		"NO_COLOR=1", "GOWORK=off")
	cmd.Env = append(cmd.Env, env...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %v: %w\n%s%s", name, args, err, out, problems.Bytes())
	}
	return out, nil
}

// workshop is a folder with the document and some of the files of this one.
func (s *site) workshop(t *testing.T, from string, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		s.write(t, dir, name, text)
	}
	s.write(t, dir, "openapi.json", s.document)
	return dir
}

func (s *site) write(t *testing.T, dir, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// get is what the server answers to somebody without a token.
func (s *site) get(t *testing.T, path string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", path, answer.Status, err)
	}
	return text
}

// TestContract lints the document that the server serves, and lets a client of each
// language talk with it: both get the same answers.
func TestContract(t *testing.T) {
	s := open(t)
	t.Run("redocly", func(t *testing.T) {
		modules := needNode(t)
		dir := s.workshop(t, ".", "redocly.yaml")
		run(t, dir, nil, "node", filepath.Join(modules, "@redocly", "cli", "bin", "cli.js"), "lint", "openapi.json")
	})
	t.Run("spectral", func(t *testing.T) {
		modules := needNode(t)
		dir := s.workshop(t, ".", "spectral.yaml")
		run(t, dir, nil, "node", filepath.Join(modules, "@stoplight", "spectral-cli", "dist", "index.js"),
			"lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint", "openapi.json")
	})
	t.Run("typescript", func(t *testing.T) {
		modules := needNode(t)
		dir := s.workshop(t, ".", "client.ts", "tsconfig.json", "package.json")
		if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
			t.Fatal(err)
		}
		run(t, dir, nil, "node", filepath.Join(modules, "openapi-typescript", "bin", "cli.js"), "openapi.json",
			"--output", "api.d.ts")
		run(t, dir, nil, "node", filepath.Join(modules, "typescript", "bin", "tsc"), "--project", ".")
		s.compare(t, run(t, dir, s.given(t, "ts"), "node", "client.js"))
	})
	t.Run("go", func(t *testing.T) {
		dir := s.workshop(t, filepath.Join("testdata", "goclient"), "go.mod", "go.sum", "main.go", "document.go")
		if _, err := try(t, dir, nil, "go", "tool", "oapi-codegen", "-version"); err != nil {
			missing(t, "the generator of Go clients cannot be built", err)
		}
		run(t, dir, nil, "go", "generate", ".")
		run(t, dir, nil, "go", "build", "-ldflags=-w", "-o", "goclient", ".")
		s.compare(t, run(t, dir, s.given(t, "go"), filepath.Join(dir, "goclient")))
	})
	t.Run("client", func(t *testing.T) {
		text := testkit.Must(os.ReadFile(filepath.Join("testdata", "answers.json")))(t)
		if diff := cmp.Diff(ofOthers(t, text), talk(t, s, "own", "own-other")); diff != "" {
			t.Errorf("wanted (-), and got (+):\n%s", diff)
		}
		streams(t, s)
	})
}

// compare compares what a client printed with the answers it is to get.
func (s *site) compare(t *testing.T, printed []byte) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "answers.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := errors.Join(json.Unmarshal(text, &want), json.Unmarshal(printed, &got)); err != nil {
		t.Fatalf("%v: %s", err, printed)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted (-), and got (+):\n%s", diff)
	}
}
