package pgserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Standby is a server in a folder that follows this one, which waits for it at each COMMIT: it is this one's
// synchronous standby. It takes some seconds. Close it also where there is an error, unless it is nil.
func (s *Server) Standby(ctx context.Context, dir string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	standby := &Server{dir: dir, bin: s.bin, port: port, password: s.password}
	for _, step := range []func() error{
		func() error { return giveToServer(dir) },
		func() error { return standby.copyFrom(ctx, s) },
		func() error { return standby.Restart(ctx) },
		// After the copy: what takes over waits for nobody.
		func() error { return s.execute(ctx, "ALTER SYSTEM SET synchronous_standby_names = '*'") },
		func() error { return s.execute(ctx, "SELECT pg_reload_conf()") },
		func() error {
			return s.await(ctx, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", 1)
		},
	} {
		if err := step(); err != nil {
			return standby, err
		}
	}
	return standby, nil
}

// copyFrom makes the data folder of a standby from a server that runs.
func (s *Server) copyFrom(ctx context.Context, primary *Server) error {
	from := url.URL{Scheme: "postgres", User: url.UserPassword(Superuser, primary.password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(primary.port)), RawQuery: "sslmode=disable"}
	// A PATH may have links to the server's programs alone.
	initdb, err := filepath.EvalSymlinks(filepath.Join(s.bin, "initdb"))
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(initdb), "pg_basebackup"), "--pgdata", s.data(),
		"--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--dbname", from.String())
	if err := s.withLog(cmd, cmd.Run); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd.Path, err, s.logEnd())
	}
	return nil
}

// await waits until a query of one number returns least or more.
func (s *Server) await(ctx context.Context, query string, least int) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		n, err := s.number(ctx, query)
		if err == nil && n >= least {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%q returns %d: %w", query, n, errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}

// number is the number that a query of the maintenance database returns; 0: it has no row.
func (s *Server) number(ctx context.Context, query string) (n int, err error) {
	if err := s.execute(ctx, "SELECT 1"); err != nil { // connects
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.conn.Query(ctx, query)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
	}
	rows.Close()
	return n, rows.Err()
}

// AwaitStalled returns when that number of COMMITs of a server, or more, wait for its standby.
func (s *Server) AwaitStalled(ctx context.Context, commits int) error {
	return s.await(ctx, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'", commits)
}

// Pause stalls a standby: what receives for it is stopped (SIGSTOP), and the COMMITs of the primary wait. It may
// be called again only after Resume.
func (s *Server) Pause(ctx context.Context) error {
	if err := s.await(ctx, "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'", 1); err != nil {
		return err
	}
	pid, err := s.number(ctx, "SELECT pid FROM pg_stat_wal_receiver")
	if err != nil {
		return err
	}
	s.paused = pid
	return stall(pid)
}

// Resume has a standby that is stalled go on. Where none is, it has no effect.
func (s *Server) Resume() error {
	if s.paused == 0 {
		return nil
	}
	pid := s.paused
	s.paused = 0
	if err := proceed(pid); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// Promote makes a stalled standby a primary, whose own primary has ended: without what it had not received.
func (s *Server) Promote(ctx context.Context) error {
	pid := s.paused
	s.paused = 0
	// What its primary has sent since it was stalled is dropped with the process: PostgreSQL starts over.
	if err := kill(pid); err != nil {
		return err
	}
	const restarted = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walreceiver' AND pid = %d"
	for ctx.Err() == nil {
		n, err := s.number(ctx, fmt.Sprintf(restarted, pid))
		if err == nil && n == 0 {
			break
		}
	}
	if err := s.awaitReady(ctx); err != nil {
		return err
	}
	return s.execute(ctx, "SELECT pg_promote()")
}
