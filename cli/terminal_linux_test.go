package cli

import (
	"fmt"
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
