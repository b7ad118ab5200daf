package scenario

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"softstake/pgtest"
)

// runnable finds the blocks of a document that are to be run.
var runnable = regexp.MustCompile("(?ms)^```sh run\n(.*?)^```$")

// TestOperations runs the commands of docs/operations.md in their order, in one shell.
func TestOperations(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	for _, tool := range []string{"psql", "pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := runnable.FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 8 {
		t.Fatalf("%d blocks are to be run", len(blocks))
	}
	var script strings.Builder
	script.WriteString("set -euxo pipefail\n")
	for _, b := range blocks {
		script.WriteString(b[1])
	}
	admin := pgtest.Database(t)
	c := exec.CommandContext(t.Context(), bash, "-c", script.String())
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(),
		"PATH="+filepath.Dir(Program(t))+string(os.PathListSeparator)+os.Getenv("PATH"), "SOFTSTAKE_KEY=", "SOFTSTAKE_KEY_FILE=",
		"ADMIN="+admin, "OWNER_PASSWORD=o-secret", "SERVER_PASSWORD=s-secret",
		"OWNER="+as(t, admin, url.UserPassword("books_owner", "o-secret")), "SOFTSTAKE_DB="+as(t, admin, url.UserPassword("books_server", "s-secret")),
		"DRILL="+pgtest.Database(t), "DRILL2="+pgtest.Database(t), "CUTOVER="+pgtest.Database(t))
	t.Cleanup(func() { dropRoles(t, admin) })
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// dropRoles removes what the document has made beside its databases.
func dropRoles(t *testing.T, admin string) {
	t.Helper()
	for _, role := range []string{"books_owner", "books_server"} {
		if out, err := exec.Command("psql", "-q", admin, "-c", "DROP OWNED BY "+role+" CASCADE", "-c", "DROP ROLE "+role).CombinedOutput(); err != nil {
			t.Errorf("remove %s: %v\n%s", role, err, out)
		}
	}
}

// as is an address with another role.
func as(t *testing.T, address string, role *url.Userinfo) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = role
	return u.String()
}
