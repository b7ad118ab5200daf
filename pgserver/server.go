// Package pgserver starts a PostgreSQL server of our own, for tests and for the demo: from the installed
// binaries, in a folder that goes with it, on loopback, never as root. It knows nothing of what is kept
// in it.
package pgserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Superuser is the role that owns what tests make.
const Superuser = "softstake"

// AppRole may log in, with the same password, and has no rights of its own: who wants it grants it some.
const AppRole = "softstake_app"

// EmptyDatabase is what PostgreSQL copies when it makes a database.
const EmptyDatabase = "template1"

// readyWithin bounds the wait for a server that was started; one that was
// stopped at once first reads its log again.
const readyWithin = 60 * time.Second

// Server is a PostgreSQL server of our own. Its methods that start and stop it
// are not for several goroutines at once; URL stays the same forever.
type Server struct {
	dir      string // has the data folder and the log in it
	bin      string
	port     int
	password string
	running  *process // nil: stopped
	settings []string // beside those that every server has
	paused   int      // the process that receives for a standby which is stalled; 0: none

	mu   sync.Mutex
	conn *pgx.Conn // of execute; nil: none yet, or closed
}

// Start makes a new database cluster in the folder and starts a server on it.
// As root the folder is given to the user postgres, as whom the server runs and
// who must be able to reach it (a testing.TempDir is closed to others). Without PostgreSQL its error is ErrMissing.
func Start(ctx context.Context, dir string, settings ...string) (*Server, error) {
	bin, err := findBinaries(debianBinaries)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin, port: port, password: rand.Text(), settings: settings}
	if err := s.initialize(ctx); err != nil {
		return nil, err
	}
	if err := s.Restart(ctx); err != nil {
		return nil, err
	}
	// The password is of letters and digits.
	if err := s.execute(ctx, "CREATE ROLE "+AppRole+" LOGIN PASSWORD '"+s.password+"'"); err != nil {
		return nil, errors.Join(fmt.Errorf("make the role %s: %w", AppRole, err), s.Close(ctx))
	}
	return s, nil
}

// URL is where a database of the server is reached, on 127.0.0.1 and with the password.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(Superuser, s.password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Dir is the folder that has the server's data, and goes with it.
func (s *Server) Dir() string { return s.dir }

// PID is the process ID of a server that runs.
func (s *Server) PID() int { return s.running.cmd.Process.Pid }

// NewDatabase makes an empty database and returns its URL.
func (s *Server) NewDatabase(ctx context.Context, name string) (string, error) {
	return s.CopyDatabase(ctx, name, EmptyDatabase)
}

// CopyDatabase makes a database with all that is in another, to which nobody may be
// connected, and returns its URL. Its files are copied: writing the pages to the log, as
// PostgreSQL does unless it is asked, costs twice the CPU time, and again when it is dropped.
func (s *Server) CopyDatabase(ctx context.Context, name, from string) (string, error) {
	if err := s.execute(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE "+
		pgx.Identifier{from}.Sanitize()+" STRATEGY FILE_COPY"); err != nil {
		return "", fmt.Errorf("create database %s from %s: %w", name, from, err)
	}
	return s.URL(name), nil
}

// DropDatabase removes a database, and ends the connections that are still open to it.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	if err := s.execute(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

// Stop stops the server in order: transactions are rolled back, clients
// disconnected, everything written. Restart starts it again.
func (s *Server) Stop(ctx context.Context) error { return s.end(ctx, syscall.SIGINT) }

// StopNow stops the server as a crash would (PostgreSQL's immediate mode): what
// was committed must be found in its log by the next Restart.
func (s *Server) StopNow(ctx context.Context) error { return s.end(ctx, syscall.SIGQUIT) }

// Restart starts the server again on its data, at the same URL, and returns when
// it answers. A server that is running is stopped in order first.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	p, err := s.launch()
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.running = p
	if err := s.awaitReady(ctx); err != nil {
		return errors.Join(err, s.kill())
	}
	return nil
}

// Close stops the server at once and removes its folder with all that is in it.
func (s *Server) Close(ctx context.Context) error {
	if err := s.StopNow(ctx); err != nil {
		return errors.Join(err, s.kill(), os.RemoveAll(s.dir))
	}
	return os.RemoveAll(s.dir)
}
