package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/scenario"
)

// noon is when the tests of this file play.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// command runs a command at noon, and returns what it printed and its exit status.
func command(t *testing.T, ctx context.Context, stdin io.Reader, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	return commandAt(ctx, noon, stdin, args...)
}

func commandAt(ctx context.Context, now time.Time, stdin io.Reader, args ...string) (stdout, stderr string,
	status int) {
	var out, errs bytes.Buffer
	env := &Env{
		Stdin: stdin, Stdout: &out, Stderr: &errs, Context: ctx, Random: rand.Reader,
		Now: func() time.Time { return now }, Getenv: func(string) string { return "" },
	}
	status = run(env, args)
	return out.String(), errs.String(), status
}

// must runs a command at noon that has to succeed.
func must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	return mustAt(t, noon, stdin, args...)
}

func mustAt(t *testing.T, now time.Time, stdin string, args ...string) string {
	t.Helper()
	out, stderr, status := commandAt(t.Context(), now, strings.NewReader(stdin), args...)
	if status != 0 {
		t.Fatalf("%q: exit status %d: %s", args, status, stderr)
	}
	return out
}

// books makes books in a folder of their own, with an account, and returns their address.
func books(t *testing.T) string {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "books.db")
	must(t, "", "init", "--four-eyes", "off", "--db", url)
	must(t, "", "account", "open", "alice", "--region", "DE", "--db", url)
	return url
}

// sealerOf has the key that init made beside the books.
func sealerOf(url string) func() (*access.Sealer, error) {
	return (&Env{DB: url, Getenv: func(string) string { return "" }, Stderr: io.Discard}).optionalSealer
}

func TestWrongUsageIsStatusTwo(t *testing.T) {
	for _, args := range [][]string{
		{}, {"pots"}, {"post"}, {"account", "open"}, {"--db"}, {"account", "open", "alice", "bob"},
		{"init", "--from", "yesterday"}, {"enroll", "alice", "--at", "noon"}, {"status", "--jsn"},
		{"settle", "--approve"}, {"settle", "--approve", "2026-11-22"}, {"settle", "2026-11-22"},
		{"settle", "--preview", "--through", "2026-11-22"},
		{"settle", "--close-after", "25h"}, {"init", "--close-after", "24h"}, {"days", "set-close-after", "1ns"},
		{"statement", "alice", "--format", "xml"}, {"serve", "--close-after=-1s"},
		{"status", "--db", "mysql://root:s3cr3t@host/books"}, {"status", "--db", "sqlite:"},
		{"accept", "alice", "--version", "2"},
		{"terms", "set", "BNB"}, {"limit", "set", "BNB"}, {"log", "--limit", "0"}, {"account", "list", "--limit", "-1"},
	} {
		db := []string{"--db", "sqlite:" + filepath.Join(t.TempDir(), "books.db")}
		if len(args) == 0 || strings.Contains(strings.Join(args, " "), "--db") {
			db = nil
		}
		if strings.HasPrefix(strings.Join(args, " "), "terms") {
			db = []string{"--db", books(t)}
		}
		out, stderr, status := command(t, t.Context(), strings.NewReader(""), append(args, db...)...)
		if status != 2 || out != "" || !strings.Contains(stderr, "softstake: ") {
			t.Errorf("%q: exit status %d, want 2\nstdout: %s\nstderr: %s", args, status, out, stderr)
		}
		if strings.Contains(stderr, "s3cr3t") {
			t.Errorf("%q shows the password: %s", args, stderr)
		}
	}
}

func TestPasswordsAreNotShown(t *testing.T) {
	for _, url := range []string{
		"postgres://olga:s3cr3t@127.0.0.1:1/books", "postgres://olga:s3cr3t@127.0.0.1:1/books?sslmode=nonsense",
		"postgres://olga:s3cr3t%@127.0.0.1:1/books",
		"postgresql://127.0.0.1:1/books?user=olga&password=s3cr3t&connect_timeout=1",
		"postgres://olga:s3cr3t@[::1/books",
	} {
		for _, args := range [][]string{{"status"}, {"init"}, {"serve"}} {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			out, stderr, status := command(t, ctx, strings.NewReader(""), append(args, "--db", url)...)
			cancel()
			if status != 1 || strings.Contains(out+stderr, "s3cr3t") {
				t.Errorf("%q at %s: exit status %d: %s%s", args, url, status, out, stderr)
			}
		}
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	var a app
	k, err := kong.New(&a, kong.Name("softstake"), groups)
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range k.Model.Leaves(true) {
		args := append(strings.Fields(leaf.Path()), "--help")
		out, stderr, status := command(t, t.Context(), strings.NewReader(""), args...)
		if status != 0 || stderr != "" {
			t.Errorf("%q: exit status %d: %s", args, status, stderr)
		}
		if !strings.Contains(out, "Example") || !strings.Contains(out, "softstake "+leaf.Path()) {
			t.Errorf("%q has no example:\n%s", args, out)
		}
	}
}

// alter changes books in SQLite past the program.
func alter(t *testing.T, url, sql string) {
	t.Helper()
	c, err := sqlite.OpenConn(strings.TrimPrefix(url, "sqlite:"), sqlite.OpenReadWrite)
	if err == nil {
		err = sqlitex.ExecuteScript(c, sql, nil)
		err = errors.Join(err, c.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestBooksOfANewerProgramAreRefused(t *testing.T) {
	url := books(t)
	file := strings.TrimPrefix(url, "sqlite:")
	alter(t, url, "INSERT INTO migrations (number) VALUES (1000)")
	before := contents(t, file)
	for _, args := range [][]string{{"status"}, {"init"}, {"settle"}, {"post", "-"}, {"upgrade"},
		{"serve", "--listen", "127.0.0.1:0"}} {
		_, stderr, status := command(t, t.Context(), strings.NewReader(""), append(args, "--db", url)...)
		if status != 1 || !strings.Contains(stderr, "use a newer softstake") {
			t.Errorf("%q: exit status %d: %s", args, status, stderr)
		}
	}
	if !bytes.Equal(before, contents(t, file)) {
		t.Error("the file was changed")
	}
}

// TestWhatSteersATerminalIsNotPrinted: names in a database that somebody else wrote.
func TestWhatSteersATerminalIsNotPrinted(t *testing.T) {
	url := books(t)
	c, err := sqlite.OpenConn(strings.TrimPrefix(url, "sqlite:"), sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlitex.ExecuteScript(c, `UPDATE accounts SET region = char(27) || '[2J' || char(10);
		INSERT INTO balances (bucket, account, asset, balance, carry, earned)
		SELECT bucket, 'eve' || char(27) || '[2J' || char(10), 'BNB', 5, 0, 0 FROM accounts;`, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"audit"}, {"account", "show", "alice"}, {"account", "list"},
		{"account", "open", "alice", "--region", "DE"}} {
		out, stderr, _ := command(t, t.Context(), strings.NewReader(""), append(args, "--db", url)...)
		if text := out + stderr; strings.Contains(text, "\x1b[2J") || !strings.Contains(text, "[2J") ||
			strings.Contains(text, "[2J\n\n") {
			t.Errorf("%q prints %q", args, text)
		}
	}
}

func TestHelpIsACommandToo(t *testing.T) {
	for _, args := range [][]string{{}, {"settle"}, {"account", "open"}} {
		want := must(t, "", append(args[:len(args):len(args)], "--help")...)
		if got := must(t, "", append([]string{"help"}, args...)...); got != want {
			t.Errorf("help %q prints %q", args, got)
		}
	}
}

func TestWhatIsNotADatabaseIsLeftAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(file, []byte(strings.Repeat("no database\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	before := contents(t, file)
	for _, args := range [][]string{{"status"}, {"init"}, {"serve", "--listen", "127.0.0.1:0"}} {
		_, stderr, status := command(t, t.Context(), strings.NewReader(""), append(args, "--db", "sqlite:"+file)...)
		if status != 1 || !strings.Contains(stderr, "is not a database") {
			t.Errorf("%q: exit status %d: %s", args, status, stderr)
		}
	}
	if !bytes.Equal(before, contents(t, file)) {
		t.Error("the file was changed")
	}
}

func contents(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestAnInterruptIsHeardWhileNothingComes posts from a pipe into which nothing
// more is written.
func TestAnInterruptIsHeardWhileNothingComes(t *testing.T) {
	url := books(t)
	ctx, interrupt := context.WithCancel(t.Context())
	in, out := io.Pipe()
	stderr := make(chan string)
	go func() {
		_, text, status := command(t, ctx, in, "post", "-", "--db", url)
		if status != 1 {
			t.Errorf("exit status %d", status)
		}
		stderr <- text
	}()
	if _, err := io.WriteString(out, `{"id":"d-1","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"2"}]}`+"\n"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(must(t, "", "account", "show", "alice", "--db",
		url), "BNB"); {
		if time.Now().After(deadline) {
			t.Fatal("what came was not posted while nothing more came")
		}
		time.Sleep(10 * time.Millisecond)
	}
	interrupt()
	select {
	case text := <-stderr:
		if text != "softstake: interrupted; run it again to go on\n" {
			t.Errorf("stderr is %q", text)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the interrupt was not heard")
	}
	if err := errors.Join(out.Close(), in.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestProgram runs the program itself: its streams, its environment and its exit status.
func TestProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	books := "sqlite:" + filepath.Join(t.TempDir(), "env.db")
	program := func(args ...string) (string, int) {
		c := exec.Command(scenario.Program(t), args...)
		c.Env = append(os.Environ(), "SOFTSTAKE_DB="+books)
		out, err := c.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out), c.ProcessState.ExitCode()
	}
	for _, step := range []struct {
		args   string
		status int
		want   string
	}{
		{"status", 1, "env.db does not exist"},
		{"init", 0, "Made books at sqlite:"},
		{"account open alice", 0, "Opened alice."},
		{"status --json", 0, `"accounts":1`},
		{"status --xml", 2, "unknown flag --xml"},
	} {
		if out, status := program(strings.Fields(step.args)...); status != step.status || !strings.Contains(out, step.want) {
			t.Errorf("%s: exit status %d, want %d, and %q in:\n%s", step.args, status, step.status, step.want, out)
		}
	}
}
