package scenario

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme runs the ten lines of README.md with which one begins, the last as a server on a free port.
func TestReadme(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := runnable.FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 1 {
		t.Fatalf("%d blocks are to be run", len(blocks))
	}
	lines, server, found := strings.Cut(blocks[0][1], "\nsoftstake serve ")
	if !found || strings.Count(server, "\n") != 1 || strings.Count(lines, "\n") != 8 {
		t.Fatalf("not ten lines of which the last serves:\n%s", blocks[0][1])
	}
	dir := t.TempDir()
	c := exec.CommandContext(t.Context(), bash, "-c", "set -euxo pipefail\n"+lines)
	c.Dir = dir
	c.Env = append(os.Environ(), "PATH="+filepath.Dir(Program(t))+string(os.PathListSeparator)+os.Getenv("PATH"),
		"SOFTSTAKE_KEY=", "SOFTSTAKE_KEY_FILE=")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answer, err := http.Get("http://" + Serve(t, "sqlite:"+filepath.Join(dir, "books.db")) + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("the server answers %s %v", answer.Status, err)
	}
}
