package pgtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softstake/softstake/pgserver"
)

// asVictim, in the environment, has this test program start a server and wait to be killed.
const asVictim = "PGTEST_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(asVictim) != "" {
		if err := beVictim(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	Main(m)
}

func TestDatabasesAreFreshAndApart(t *testing.T) {
	first, second := Database(t), Database(t)
	if first == second {
		t.Fatalf("two databases at %s", first)
	}
	run(t, first, "CREATE TABLE t (a int)")
	run(t, second, "CREATE TABLE t (a int)")
}

func TestSettings(t *testing.T) {
	database := Database(t)
	for _, c := range []struct{ query, want string }{
		{"SHOW listen_addresses", "127.0.0.1"},
		{"SHOW unix_socket_directories", ""},
		{"SHOW fsync", "on"},
		{"SHOW full_page_writes", "on"},
		{"SHOW synchronous_commit", "on"},
		{"SHOW server_encoding", "UTF8"},
		{"SHOW lc_collate", "C"},
		{"SHOW max_connections", "100"},
		{"SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules", "scram-sha-256"},
	} {
		if got := ask(t, database, c.query); got != c.want {
			t.Errorf("%s: %q, want %q", c.query, got, c.want)
		}
	}
}

func TestNobodyIsLetInWithoutThePassword(t *testing.T) {
	u, err := url.Parse(Database(t))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(pgserver.Superuser, "guess")
	conn, err := pgx.Connect(t.Context(), u.String())
	if err == nil {
		t.Fatalf("connected with a wrong password: %v", conn.Close(t.Context()))
	}
	if !strings.Contains(err.Error(), "28P01") {
		t.Fatalf("refused, but not for its password: %v", err)
	}
}

func TestStopAndRestart(t *testing.T) {
	s := New(t)
	ctx := t.Context()
	database, err := s.NewDatabase(ctx, "books")
	if err != nil {
		t.Fatal(err)
	}
	run(t, database, "CREATE TABLE t (a int)")
	for i, stop := range []func(context.Context) error{s.Stop, s.StopNow} {
		run(t, database, fmt.Sprintf("INSERT INTO t VALUES (%d)", i))
		if err := stop(ctx); err != nil {
			t.Fatal(err)
		}
		if conn, err := pgx.Connect(ctx, database); err == nil {
			t.Fatalf("a stopped server answers: %v", conn.Close(ctx))
		}
		if err := s.Restart(ctx); err != nil {
			t.Fatal(err)
		}
		if got, want := ask(t, database, "SELECT count(*)::text FROM t"), strconv.Itoa(i+1); got != want {
			t.Fatalf("after stop %d: %s rows, want %s", i, got, want)
		}
	}
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the folder %s is still there: %v", s.Dir(), err)
	}
}

func TestStartSaysWhyItCannot(t *testing.T) {
	s := New(t)
	// The folder holds a cluster already: initdb refuses, and its words are in the message.
	if _, err := pgserver.Start(t.Context(), s.Dir()); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Fatalf("a second cluster in one folder: %v", err)
	}
}

// verdict notes how a test was ended, instead of ending it.
type verdict struct {
	testing.TB
	said string
}

func (v *verdict) Helper()              {}
func (v *verdict) Skipf(string, ...any) { v.said = "skip" }
func (v *verdict) Fatal(...any)         { v.said = "fail" }

func TestWithoutPostgreSQL(t *testing.T) {
	for _, c := range []struct {
		err            error
		required, want string
	}{
		{nil, "1", ""},
		{pgserver.ErrMissing, "", "skip"},
		{pgserver.ErrMissing, "1", "fail"},
		{errors.New("another"), "", "fail"},
	} {
		t.Setenv(required, c.required)
		v := &verdict{}
		need(v, c.err)
		if v.said != c.want {
			t.Errorf("%v, required %q: %q, want %q", c.err, c.required, v.said, c.want)
		}
	}
}

// beVictim starts a server, says its process ID and folder, and waits to be killed.
func beVictim() error {
	s, err := temporary(context.Background())
	if err != nil {
		return err
	}
	fmt.Println(s.PID(), s.Dir())
	select {}
}

func TestServerDiesWithKilledTests(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux signals a child when its parent dies")
	}
	Shared(t) // skips where PostgreSQL is missing
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), asVictim+"=1")
	victim.Stderr = os.Stderr
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	line, readErr := bufio.NewReader(out).ReadString('\n')
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := victim.Wait(); err == nil {
		t.Fatal("the victim ended by itself")
	}
	var pid int
	var dir string
	if _, err := fmt.Sscan(line, &pid, &dir); err != nil {
		t.Fatalf("the victim said %q: %v, %v", line, readErr, err)
	}
	awaitEnd(t, pid)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
}

// awaitEnd returns when there is no such process, or only its remains.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(20 * time.Second)
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) || strings.Contains(string(status), ") Z ") {
			return
		}
		select {
		case <-late:
			// It must not outlive this test too.
			p, findErr := os.FindProcess(pid)
			t.Fatalf("the server, process %d, lived on: %s %v; ended now: %v",
				pid, status, err, errors.Join(findErr, p.Kill()))
		case <-tick.C:
		}
	}
}

func TestSweep(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	child := exec.Command(os.Args[0], "-test.run=^$")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	dead, alive := child.Process.Pid, os.Getpid()
	old := time.Now().Add(-2 * time.Hour)
	for _, c := range []struct {
		name  string
		since time.Time
		stays bool
	}{
		{fmt.Sprintf("softstake-pgtest-%d-old", dead), old, false},
		{fmt.Sprintf("softstake-pgtest-%d-new", dead), time.Now(), true},
		{fmt.Sprintf("softstake-pgtest-%d-old", alive), old, true},
		{"softstake-pgtest-else", old, true},
	} {
		dir := filepath.Join(os.TempDir(), c.name)
		if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, c.since, c.since); err != nil {
			t.Fatal(err)
		}
		sweep()
		if _, err := os.Stat(dir); (err == nil) != c.stays {
			t.Errorf("%s: stays %v, want %v", c.name, err == nil, c.stays)
		}
	}
}

// run executes one statement on a connection of its own.
func run(t *testing.T, database, sql string) {
	t.Helper()
	conn := connect(t, database)
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// ask is the single text that a query answers.
func ask(t *testing.T, database, query string) string {
	t.Helper()
	var answer string
	if err := connect(t, database).QueryRow(t.Context(), query).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

func connect(t *testing.T, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// A server stopped in between has closed it already, so its error says nothing.
		if err := conn.Close(context.Background()); err != nil {
			t.Log(err)
		}
	})
	return conn
}
