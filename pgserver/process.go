package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// process is one run of the server program.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // how it ended; to be read after exited is closed
}

// ErrMissing means that PostgreSQL is not installed.
var ErrMissing = errors.New("PostgreSQL is not installed (on Debian: apt-get install postgresql)")

// debianBinaries is where Debian keeps what is not for everybody's PATH.
const debianBinaries = "/usr/lib/postgresql/*/bin/initdb"

// findBinaries is the folder that initdb and postgres are in: that of PATH, so
// that another version can be chosen, or else the newest of the pattern.
func findBinaries(pattern string) (string, error) {
	if initdb, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(initdb), nil
	}
	found, err := filepath.Glob(pattern)
	if err != nil {
		return "", fmt.Errorf("look for PostgreSQL: %w", err)
	}
	newest, bin := -1, ""
	for _, initdb := range found {
		dir := filepath.Dir(initdb)
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err != nil || version <= newest {
			continue // not named after a version, so not Debian's
		}
		newest, bin = version, dir
	}
	if bin == "" {
		return "", ErrMissing
	}
	return bin, nil
}

// freePort finds a port nobody listens at. It is none of those the system hands
// out to clients: while the server is stopped, one that tries to connect again
// and again could be given the port itself, and be connected to itself.
func freePort() (int, error) {
	var failed error
	for range 100 {
		port := 20_000 + rand.IntN(10_000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			failed = err
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("no free port: %w", failed)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// initialize makes the database cluster: UTF-8, bytes sorted as bytes, one role,
// and nobody let in without its password.
func (s *Server) initialize(ctx context.Context) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	passwordFile := filepath.Join(s.dir, "password")
	if err := os.WriteFile(passwordFile, []byte(s.password+"\n"), 0o600); err != nil {
		return err
	}
	for _, path := range []string{s.dir, passwordFile} {
		if err := giveToServer(path); err != nil {
			return err
		}
	}
	// --no-sync: a machine that loses power ends the tests; only what the server itself writes must last.
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), "--pgdata", s.data(), "--no-sync",
		"--encoding=UTF8", "--locale=C", "--username", Superuser, "--auth=scram-sha-256", "--pwfile", passwordFile)
	if err := s.withLog(cmd, cmd.Run); err != nil {
		return fmt.Errorf("%s: %w (the folder must be within reach of the user that the server runs as)\n%s",
			cmd.Path, err, s.logEnd())
	}
	return nil
}

// launch starts the server program.
func (s *Server) launch() (*process, error) {
	p := &process{exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel takes the end of the thread that made a child for the end of
		// its parent. So the thread is kept until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		p.cmd = s.command()
		err := s.withLog(p.cmd, p.cmd.Start)
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// command is the server program with its settings. They are small, but for
// fsync, which stays on: that what is committed lasts is what is tested.
func (s *Server) command() *exec.Cmd {
	args := []string{"-D", s.data()}
	for _, setting := range append([]string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(s.port), "unix_socket_directories=",
		"shared_buffers=128MB", "max_connections=100", "max_wal_size=256MB", "fsync=on",
		"TimeZone=UTC", "log_timezone=UTC",
	}, s.settings...) {
		args = append(args, "-c", setting)
	}
	return exec.Command(filepath.Join(s.bin, "postgres"), args...)
}

// withLog runs a step of a command that belongs to the server: in its folder, as
// its user, writing to its log, with none of our environment (PGDATA and the
// like would be obeyed).
func (s *Server) withLog(cmd *exec.Cmd, step func() error) (err error) {
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if cmd.SysProcAttr, err = childAttributes(); err != nil {
		return err
	}
	cmd.Dir = s.dir
	cmd.Env = []string{"LC_ALL=C", "PATH=" + s.bin + string(os.PathListSeparator) + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = log, log
	return step()
}

// awaitReady returns when the server answers a query.
func (s *Server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.execute(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-s.running.exited:
			return fmt.Errorf("PostgreSQL ended while it was starting: %w\n%s", s.running.err, s.logEnd())
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL is not ready: %w: %w\n%s", ctx.Err(), err, s.logEnd())
		case <-tick.C:
		}
	}
}

// execute runs one statement in the maintenance database. Its connection is kept, because
// a new one costs as much as copying a small database does.
func (s *Server) execute(ctx context.Context, sql string) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil || s.conn.IsClosed() {
		if s.conn, err = pgx.Connect(ctx, s.URL("postgres")); err != nil {
			return err
		}
	}
	_, err = s.conn.Exec(ctx, sql)
	return err
}

// disconnect closes the connection of execute.
func (s *Server) disconnect(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil
	}
	return s.conn.Close(ctx)
}

// end sends the signal and returns when the server has ended.
func (s *Server) end(ctx context.Context, signal os.Signal) error {
	if s.running == nil {
		return nil
	}
	closed := s.disconnect(ctx)
	if err := s.running.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	select {
	case <-s.running.exited:
		s.running = nil
		return closed
	case <-ctx.Done():
		return fmt.Errorf("PostgreSQL did not stop: %w\n%s", ctx.Err(), s.logEnd())
	}
}

// kill ends a server that would not start or stop.
func (s *Server) kill() error {
	return s.end(context.Background(), syscall.SIGKILL)
}

func (s *Server) log() string { return filepath.Join(s.dir, "log") }

// logEnd is the end of the server's log, for a message.
func (s *Server) logEnd() string {
	const most = 2000
	f, err := os.Open(s.log())
	if err != nil {
		return err.Error()
	}
	text, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text[max(0, len(text)-most):]))
}
