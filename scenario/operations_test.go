package scenario

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/softstake/softstake/pgtest"
)

// runnable finds the blocks of a document that are to be run.
var runnable = regexp.MustCompile("(?ms)^```sh run\n(.*?)^```$")

// TestOperations runs the commands of docs/operations.md in their order, in one shell.
func TestOperations(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	for _, tool := range []string{"psql", "createdb", "pg_dump", "pg_restore"} {
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
	owner, server := url.UserPassword("books_owner", "o-secret"), url.UserPassword("books_server", "s-secret")
	c := exec.CommandContext(t.Context(), bash, "-c", script.String())
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(),
		"PATH="+filepath.Dir(Program(t))+string(os.PathListSeparator)+os.Getenv("PATH"), "SOFTSTAKE_KEY=",
		"SOFTSTAKE_KEY_FILE=",
		"ADMIN="+admin, "OWNER_PASSWORD=o-secret", "SERVER_PASSWORD=s-secret",
		"OWNER="+as(t, admin, owner, "books"), "SOFTSTAKE_DB="+as(t, admin, server, "books"),
		"DRILL="+as(t, admin, owner, "drill"), "DRILL2="+as(t, admin, owner, "drill2"),
		"CUTOVER="+as(t, admin, owner, "cutover"))
	t.Cleanup(func() { remove(t, admin) })
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, database := range []string{"books", "drill", "drill2", "cutover"} {
		c := exec.Command(Program(t), "account", "open", "bob", "--region", "DE", "--db",
			as(t, admin, server, database))
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("the servers' role cannot use %s: %v\n%s", database, err, out)
		}
	}
	tryMissingRights(t, as(t, admin, owner, "drill"), as(t, admin, server, "drill"))
}

// tryMissingRights: what the programs say where the servers' role lacks a right, and what gives it.
func tryMissingRights(t *testing.T, owner, server string) {
	t.Helper()
	run := func(program string, args ...string) string {
		out, _ := exec.CommandContext(t.Context(), program, args...).CombinedOutput() // what it says is compared
		return string(out)
	}
	run("psql", "-q", owner, "-c", "REVOKE INSERT ON entries FROM books_server",
		"-c", "REVOKE UPDATE (closed) ON days FROM books_server")
	lacks, remedy := "lacks rights in the tables days entries", "upgrade --app-role NAME"
	for _, command := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"status"}} {
		if out := run(Program(t), append(command, "--db", server)...); !strings.Contains(out, lacks) ||
			!strings.Contains(out, remedy) {
			t.Errorf("%s: %s", command, out)
		}
	}
	if out := run(Program(t), "fund", "BNB", "1", "--id", "f", "--db", server); !strings.Contains(out, remedy) {
		t.Errorf("a command that may not add an entry: %s", out)
	}
	run(Program(t), "upgrade", "--app-role", "books_server", "--db", owner)
	if out := run(Program(t), "status", "--db", server); strings.Contains(out, "lacks") {
		t.Errorf("after upgrade --app-role: %s", out)
	}
}

// remove removes the databases and the roles that the document has made.
func remove(t *testing.T, admin string) {
	t.Helper()
	var commands []string
	for _, database := range []string{"books", "drill", "drill2", "cutover"} {
		commands = append(commands, "-c", "DROP DATABASE IF EXISTS "+database)
	}
	commands = append(commands, "-c", "DROP ROLE IF EXISTS books_owner", "-c", "DROP ROLE IF EXISTS books_server")
	if out, err := exec.Command("psql", append([]string{"-q", "-v", "ON_ERROR_STOP=1", admin}, commands...)...).
		CombinedOutput(); err != nil {
		t.Errorf("remove what the document has made: %v\n%s", err, out)
	}
}

// as is the address of a database on the same server, with a role.
func as(t *testing.T, address string, role *url.Userinfo, database string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User, u.Path = role, "/"+database
	return u.String()
}
