package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// screen is a terminal, and what a person sees on it.
type screen struct {
	t              *testing.T
	keyboard, line *os.File // the person's end, and the program's
	seen           chan byte
	text           strings.Builder
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	s := &screen{t: t, keyboard: keyboard, seen: make(chan byte, 4096)}
	var unlock, number int32
	s.control(keyboard, syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	s.control(keyboard, syscall.TIOCGPTN, unsafe.Pointer(&number))
	if s.line, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.line.Close(); err != nil {
			t.Error(err)
		}
		if err := s.keyboard.Close(); err != nil {
			t.Error(err)
		}
	})
	go func() {
		b := make([]byte, 1)
		for {
			if _, err := keyboard.Read(b); err != nil {
				return // it is closed
			}
			s.seen <- b[0]
		}
	}()
	return s
}

func (s *screen) control(f *os.File, request uintptr, with unsafe.Pointer) {
	s.t.Helper()
	if _, _, no := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(with)); no != 0 {
		s.t.Fatal(no)
	}
}

// shows reports whether what is typed is shown.
func (s *screen) shows() bool {
	s.t.Helper()
	var is syscall.Termios
	s.control(s.line, syscall.TCGETS, unsafe.Pointer(&is))
	return is.Lflag&syscall.ECHO != 0
}

// see waits until a text has been seen.
func (s *screen) see(text string) {
	s.t.Helper()
	deadline := time.After(10 * time.Second)
	for !strings.HasSuffix(s.text.String(), text) {
		select {
		case b := <-s.seen:
			s.text.WriteByte(b)
		case <-deadline:
			s.t.Fatalf("%q does not come; seen was %q", text, s.text.String())
		}
	}
}

// wait waits until a text has been seen and typing is hidden.
func (s *screen) wait(text string) {
	s.t.Helper()
	s.see(text)
	deadline := time.After(10 * time.Second)
	for s.shows() {
		select {
		case <-deadline:
			s.t.Fatal("what is typed is shown")
		case <-time.After(time.Millisecond):
		}
	}
}

// types types a line.
func (s *screen) types(line string) {
	s.t.Helper()
	if _, err := io.WriteString(s.keyboard, line+"\n"); err != nil {
		s.t.Fatal(err)
	}
}

// starts starts a command at the screen, and gives its exit status when it has ended, and what it printed.
func (s *screen) starts(ctx context.Context, args ...string) (status chan int, printed *bytes.Buffer) {
	status, printed = make(chan int, 1), new(bytes.Buffer)
	env := &Env{
		Stdin: s.line, Stdout: printed, Stderr: s.line, Now: time.Now, Random: rand.Reader,
		Getenv: func(string) string { return "" }, Context: ctx,
	}
	go func() { status <- run(env, args) }()
	return status, printed
}

func TestAPasswordIsTypedTwiceAndNotShown(t *testing.T) {
	url, s := books(t), newScreen(t)
	for _, c := range []struct {
		again   string
		status  int
		printed string
	}{
		{"correct hose", 1, ""},
		{"correct horse", 0, "alice@example.com opens alice.\n"},
	} {
		status, printed := s.starts(t.Context(), "login", "add", "alice@example.com", "--account", "alice", "--db", url)
		s.wait("Password: ")
		s.types("correct horse")
		s.wait("The same again: ")
		s.types(c.again)
		if got := <-status; got != c.status || printed.String() != c.printed {
			t.Errorf("%q again: exit status %d, printed %q", c.again, got, printed)
		}
		if !s.shows() {
			t.Error("what is typed stays unseen")
		}
	}
	if strings.Contains(s.text.String(), "horse") || !strings.Contains(s.text.String(), "the two are not the same") {
		t.Errorf("seen was %q", s.text.String())
	}
}

func TestAnInterruptedPasswordLeavesTheTerminalAsItWas(t *testing.T) {
	url, s := books(t), newScreen(t)
	ctx, interrupt := context.WithCancel(t.Context())
	status, printed := s.starts(ctx, "login", "add", "alice@example.com", "--account", "alice", "--db", url)
	s.wait("Password: ")
	interrupt()
	if got := <-status; got != 1 || printed.Len() > 0 || !s.shows() {
		t.Errorf("exit status %d, printed %q, what is typed is shown: %t", got, printed, s.shows())
	}
	s.types("") // whoever is still reading ends
}
