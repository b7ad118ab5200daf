package examples

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/softstake/softstake/pgtest"
)

// TestAfternoon runs the commands of the afternoon in docs/join.md, one after the other, as somebody types them.
func TestAfternoon(t *testing.T) {
	for _, tool := range []string{"bash", "psql", "curl"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("SOFTSTAKE_REQUIRE_CLIENTS") != "1" {
			t.Skip(err)
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "docs", "join.md"))
	if err != nil {
		t.Fatal(err)
	}
	server := pgtest.New(t, "wal_level=logical")
	address, err := server.NewDatabase(t.Context(), "exchange")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh afternoon\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 7 {
		t.Fatalf("%d blocks", len(blocks))
	}
	// What runs in the background ends with it. The folder is made elsewhere than in the tree.
	script := "set -euo pipefail\ntrap 'kill $(jobs -p) && wait || true' EXIT\n"
	for _, block := range blocks {
		script += block[1]
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script = strings.NewReplacer("mkdir -p afternoon\n", "mkdir -p "+dir+"\n", "-o afternoon/", "-ldflags=-w -o "+dir+"/",
		"cd afternoon\n", "cd "+dir+"\n", "../examples/", root+"/examples/").Replace(script)
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "DATABASE_URL="+address, "PORT="+freePort(t), "NO_PROXY=127.0.0.1",
		"SOFTSTAKE_DB=sqlite:"+filepath.Join(dir, "books.db"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, pattern := range []string{`Nothing was posted`, `BNB +20 +0 +0`, `(?m)^exchange/softstake +running`,
		`Soft Staking is on for u-1001`, `(?m)^credited 0 payouts`, `Every payout is credited`} {
		if !regexp.MustCompile(pattern).Match(out) {
			t.Errorf("%s is not in\n%s", pattern, out)
		}
	}
}

// freePort is a port at which nobody listened.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
