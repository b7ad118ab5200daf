//go:build unix

package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// nobody is a user who owns none of the files.
const nobody = 65534

// TestReadingBooksThatMayNotBeWritten reads, as another user, books whose file and
// folder may not be written: alone, beside a process that writes them, and with a
// journal that cannot be read without writing.
func TestReadingBooksThatMayNotBeWritten(t *testing.T) {
	clock := testkit.NewClock(noon)
	path := filepath.Join(openFolder(t), "books#1%.db")
	db := testkit.Must(store.Create(t.Context(), "sqlite:"+path,
		store.Options{Clock: clock.Now, Actor: access.Process("test")}, shipped(t, day1)))(t)
	open(t, db, "alice")
	ok(t, db.Close())
	forbid(t, path)

	alone := readAsNobody(t, path)
	alone.says(t, "alice: <nil>", "bob: not found", path+" cannot be written")
	alone.end(t, "closed: <nil>")

	disturbed := readAsNobody(t, path)
	disturbed.says(t, "alice: <nil>", "bob: not found", "cannot be written")
	db = testkit.Must(store.Open(t.Context(), "sqlite:"+path, options(clock)))(t)
	open(t, db, "bob")
	disturbed.end(t, "was written while it was read")

	beside := readAsNobody(t, path)
	beside.says(t, "alice: <nil>", "bob: <nil>", "cannot be written")
	beside.end(t, "closed: <nil>")

	// A copy with its journal, without the index of it.
	copied := filepath.Join(openFolder(t), "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		content := testkit.Must(os.ReadFile(path + suffix))(t)
		ok(t, os.WriteFile(copied+suffix, content, 0o444))
	}
	forbid(t, copied)
	readAsNobody(t, copied).end(t, "may you write in it?")
	ok(t, db.Close())
}

// Books of an older softstake that may not be written say what to do.
func TestReadingOldBooksThatMayNotBeWritten(t *testing.T) {
	path := filepath.Join(openFolder(t), "books.db")
	ok(t, store.CreateOld(t.Context(), "sqlite:"+path, options(testkit.NewClock(noon)), shipped(t, day1), 1, "alice"))
	forbid(t, path)
	old := readAsNobody(t, path)
	old.end(t, fmt.Sprintf("these books have another schema: schema 1, and this softstake works with %d", store.Schema))
}

// openFolder is a folder that every user may look into.
func openFolder(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	folder := testkit.Must(os.MkdirTemp("", "softstake"))(t)
	t.Cleanup(func() { ok(t, os.RemoveAll(folder)) })
	ok(t, os.Chmod(folder, 0o755))
	return folder
}

func forbid(t *testing.T, path string) {
	t.Helper()
	ok(t, errors.Join(os.Chmod(path, 0o444), os.Chmod(filepath.Dir(path), 0o555)))
}

// reader is a process of another user that has the books open.
type reader struct {
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

func readAsNobody(t *testing.T, path string) *reader {
	t.Helper()
	c := exec.Command(testkit.Must(os.Executable())(t), "-test.run=^TestNobody$")
	c.Env = append(os.Environ(), "SOFTSTAKE_TEST_READ="+path)
	c.Stderr = os.Stderr
	r := &reader{process: c, in: testkit.Must(c.StdinPipe())(t)}
	r.out = bufio.NewScanner(testkit.Must(c.StdoutPipe())(t))
	ok(t, c.Start())
	return r
}

// says waits for lines that contain these texts.
func (r *reader) says(t *testing.T, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !r.out.Scan() || !strings.Contains(r.out.Text(), want) {
			t.Errorf("it says %q, want %q", r.out.Text(), want)
		}
	}
}

// end lets the process close the books, and wants a text in the line that it says then.
func (r *reader) end(t *testing.T, want string) {
	t.Helper()
	ok(t, r.in.Close())
	r.says(t, want)
	for r.out.Scan() { // what the test itself says
	}
	ok(t, r.process.Wait())
}

// TestNobody is the other user's process: it reads the books, tries to write them,
// and closes them when its input ends.
func TestNobody(t *testing.T) {
	path := os.Getenv("SOFTSTAKE_TEST_READ")
	if path == "" {
		t.Skip("another test runs it")
	}
	ok(t, syscall.Setreuid(nobody, nobody))
	db, err := store.Open(t.Context(), "sqlite:"+path, options(testkit.NewClock(noon)))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range []ledger.Account{"alice", "bob"} {
		_, err := db.Account(t.Context(), id)
		fmt.Printf("%s: %v\n", id, err)
	}
	_, err = db.OpenAccount(t.Context(), "carol", "DE")
	fmt.Println(err)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		t.Error(err)
	}
	fmt.Println("closed:", db.Close())
}
