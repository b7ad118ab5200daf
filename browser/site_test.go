package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/softstake/softstake/scenario"
)

// site is a demo that serves its pages.
type site struct {
	address  string // "http://localhost:40123"
	password map[string]string
	cmd      *exec.Cmd
	exited   chan error
	out      output
}

// output is what the program says, which may be read while it runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

var (
	addressLine = regexp.MustCompile(`(?:http://localhost|address=127\.0\.0\.1):(\d+)`)
	loginLine   = regexp.MustCompile(`(\w+@example\.com)\s+(\S+)`)
	readyLine   = regexp.MustCompile(`Ctrl-C|msg=serving`)
)

// demo is a demo of the test's own, which it may change; it has lived some days, 3 at least.
func demo(t *testing.T, days int, args ...string) *site {
	t.Helper()
	s, err := start(scenario.Program(t), days, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// shared is the demo of all tests that change nothing in it. TestMain ends it.
var shared struct {
	once sync.Once
	*site
	err error
}

// town is that demo, with a month of rewards.
func town(t *testing.T) *site {
	t.Helper()
	program := scenario.Program(t)
	shared.once.Do(func() { shared.site, shared.err = start(program, 30) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.site
}

// start starts the demo of a small town, as a newcomer would.
func start(program string, days int, args ...string) (*site, error) {
	s := &site{password: map[string]string{}, exited: make(chan error, 1)}
	s.cmd = exec.Command(program, append([]string{"demo", "--holders", "40", "--days", strconv.Itoa(days), "--listen",
		"127.0.0.1:0"}, args...)...)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	s.cmd.Env = append(os.Environ(), "SOFTSTAKE_DB=")
	if err := s.begin(); err != nil {
		return nil, err
	}
	text := s.out.String()
	for _, found := range loginLine.FindAllStringSubmatch(text, -1) {
		s.password[found[1]] = found[2]
	}
	if len(s.password) < 4 {
		return nil, errors.Join(fmt.Errorf("the demo does not say who may log in:\n%s", text), s.stop())
	}
	return s, nil
}

// begin starts the program, and waits until it says that it serves, and where.
func (s *site) begin() error {
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() { s.exited <- s.cmd.Wait() }()
	err := within(context.Background(), startPatience, func(context.Context) (bool, error) {
		select {
		case err := <-s.exited:
			s.exited <- err
			return false, fmt.Errorf("it ended: %w", err)
		default:
		}
		return readyLine.MatchString(s.out.String()), nil
	})
	if at := addressLine.FindStringSubmatch(s.out.String()); at != nil {
		s.address = "http://localhost:" + at[1]
	} else if err == nil {
		err = errors.New("it does not say where it is")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%w\n%s", err, &s.out), s.stop())
	}
	return nil
}

// stop ends the demo, which must have complained of nothing.
func (s *site) stop() error {
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	if ended := <-s.exited; ended != nil {
		err = errors.Join(err, fmt.Errorf("the demo ended with %w\n%s", ended, &s.out))
	}
	text := s.out.String()
	if at := strings.Index(text, "level=ERROR"); at >= 0 {
		err = errors.Join(err, fmt.Errorf("the demo complains:\n%s", text[at:]))
	}
	return err
}
