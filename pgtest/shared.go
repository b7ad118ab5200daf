// Package pgtest gives tests databases of a PostgreSQL server of their own, one for each test process.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/softstake/softstake/pgserver"
)

// Server is a server of the test process's own.
type Server = pgserver.Server

// AppRole is a role of each server that has no rights of its own.
const AppRole = pgserver.AppRole

// App is the URL of a database of a server, for AppRole.
func App(url string) string {
	return strings.Replace(url, "//"+pgserver.Superuser+":", "//"+AppRole+":", 1)
}

// Owner is the URL of a database of a server, for the role that owns what tests make, whose ever URL is given.
func Owner(url string) string {
	return strings.Replace(url, "//"+AppRole+":", "//"+pgserver.Superuser+":", 1)
}

// required, set to 1, makes tests fail where PostgreSQL is missing, instead of skipping them.
const required = "SOFTSTAKE_REQUIRE_POSTGRES"

// endWithin bounds what is done after a test.
const endWithin = 30 * time.Second

// one is this test process's server.
var one struct {
	sync.Mutex
	ends      bool // Main will end it
	server    *Server
	err       error
	databases int // made so far
}

// templates are the names of the databases that CopyOf copies, by what they are of.
var templates struct {
	sync.Mutex
	names map[string]string
}

// Main runs a package's tests and then ends the server that they shared. A
// package that uses Shared or Database has
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
func Main(m *testing.M) {
	one.Lock()
	one.ends = true
	one.Unlock()
	m.Run() // the testing package itself exits with what it returned

	one.Lock()
	defer one.Unlock()
	if one.server == nil {
		return
	}
	if err := closeSoon(one.server); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		os.Exit(1)
	}
}

// Shared is this test process's server, started at its first use. Where
// PostgreSQL is not installed the test is skipped, or fails if
// SOFTSTAKE_REQUIRE_POSTGRES is 1. A test that stops the server takes New.
func Shared(t testing.TB) *Server {
	t.Helper()
	one.Lock()
	defer one.Unlock()
	if !one.ends {
		t.Fatal("nobody ends the server: the package needs func TestMain(m *testing.M) { pgtest.Main(m) }")
	}
	if one.server == nil && one.err == nil {
		one.server, one.err = temporary(t.Context())
	}
	need(t, one.err)
	return one.server
}

// Database is the URL of a new database on the shared server, dropped when the test ends.
func Database(t testing.TB) string {
	t.Helper()
	return Copy(t, pgserver.EmptyDatabase)
}

// Copy is Database, with all that is in the named database of the shared server, to which
// nobody may be connected.
func Copy(t testing.TB, from string) string {
	t.Helper()
	s := Shared(t)
	one.Lock()
	one.databases++
	name := fmt.Sprintf("test_%d", one.databases)
	one.Unlock()
	url, err := s.CopyDatabase(t.Context(), name, from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), endWithin)
		defer cancel()
		if err := s.DropDatabase(ctx, name); err != nil {
			t.Error(err)
		}
	})
	return url
}

// CopyOf is Database, with what build makes in a new one: once in this test process for each name of it, and then
// that database is copied, which takes a third of the time that migrations take. build leaves no connection open.
func CopyOf(t testing.TB, what string, build func(url string) error) string {
	t.Helper()
	templates.Lock()
	defer templates.Unlock()
	name, built := templates.names[what]
	if !built {
		if templates.names == nil {
			templates.names = map[string]string{}
		}
		name = fmt.Sprintf("template_%d", len(templates.names))
		url, err := Shared(t).NewDatabase(t.Context(), name)
		if err == nil {
			err = build(url)
		}
		if err != nil {
			t.Fatalf("template of %s: %v", what, err)
		}
		templates.names[what] = name
	}
	return Copy(t, name)
}

// New is a server of the test's own, for tests that stop and start it or need settings such as wal_level=logical. It
// takes some seconds. It is skipped or fails as Shared does.
func New(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := temporary(t.Context(), settings...)
	need(t, err)
	t.Cleanup(func() {
		if err := closeSoon(s); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Standby is a server of the test's own that is the synchronous standby of another one. It takes some
// seconds. It is skipped or fails as Shared does.
func Standby(t testing.TB, s *Server) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", fmt.Sprintf("softstake-pgtest-%d-*", os.Getpid()))
	need(t, err)
	standby, err := s.Standby(t.Context(), dir)
	if standby != nil {
		t.Cleanup(func() {
			err := standby.Resume()
			if err := errors.Join(err, closeSoon(standby)); err != nil {
				t.Error(err)
			}
		})
	}
	need(t, err)
	return standby
}

// need ends the test where there is no server.
func need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, pgserver.ErrMissing) && os.Getenv(required) != "1":
		t.Skipf("%v; %s=1 makes this a failure", err, required)
	default:
		t.Fatal(err)
	}
}

func closeSoon(s *Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), endWithin)
	defer cancel()
	return s.Close(ctx)
}

// temporary starts a server in a new folder, which Close removes.
func temporary(ctx context.Context, settings ...string) (*Server, error) {
	sweep()
	dir, err := os.MkdirTemp("", fmt.Sprintf("softstake-pgtest-%d-*", os.Getpid()))
	if err != nil {
		return nil, err
	}
	s, err := pgserver.Start(ctx, dir, settings...)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// sweep removes the folders that killed tests left behind, 40 MB each: those an
// hour old whose process, named in the folder's name, is gone. It is a courtesy:
// what cannot be looked at or removed is another user's and stays.
func sweep() {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), "softstake-pgtest-*"))
	if err != nil {
		return
	}
	for _, dir := range found {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(dir), "softstake-pgtest-%d-", &pid); err != nil {
			continue
		}
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < time.Hour || !gone(pid) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			continue
		}
	}
}

// gone reports whether there is no process of that ID.
func gone(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false // cannot be known here
	}
	return errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}
