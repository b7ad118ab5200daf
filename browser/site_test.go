package browser

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/softstake/softstake/scenario"
)

// site is a demo that serves its pages, for one test.
type site struct {
	address  string // "http://127.0.0.1:40123"
	password map[string]string
}

// output is what the program says, which may be read meanwhile.
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
	addressLine = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	loginLine   = regexp.MustCompile(`(\w+@example\.com)\s+(\S+)`)
	readyLine   = regexp.MustCompile(`Ctrl-C`)
)

// demo starts the demo of a small town, as a newcomer would, and ends it with the test.
func demo(t *testing.T) *site {
	t.Helper()
	cmd, told := exec.Command(scenario.Program(t), "demo", "--holders", "40", "--days", "30", "--listen",
		"127.0.0.1:0"), &output{}
	cmd.Stdout, cmd.Stderr = told, told
	cmd.Env = append(os.Environ(), "SOFTSTAKE_DB=")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := <-exited; err != nil {
			t.Errorf("the demo ended with %v\n%s", err, told)
		}
		if text := told.String(); strings.Contains(text, "level=ERROR") {
			t.Errorf("the demo complains:\n%s", text[strings.Index(text, "level=ERROR"):])
		}
	})
	s := &site{password: map[string]string{}}
	err := eventually(t.Context(), func(context.Context) (bool, error) {
		select {
		case err := <-exited:
			exited <- err
			return false, fmt.Errorf("the demo ended: %w", err)
		default:
		}
		return readyLine.MatchString(told.String()), nil
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, told)
	}
	text := told.String()
	s.address = addressLine.FindString(text)
	for _, found := range loginLine.FindAllStringSubmatch(text, -1) {
		s.password[found[1]] = found[2]
	}
	if s.address == "" || len(s.password) < 4 {
		t.Fatalf("the demo does not say where it is, or who may log in:\n%s", text)
	}
	return s
}
