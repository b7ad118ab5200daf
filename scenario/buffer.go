package scenario

import (
	"bytes"
	"regexp"
	"sync"
	"testing"
	"time"
)

// Buffer is a buffer that may be read while it is written: a log, say.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String is what was written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// WaitFor waits until what was written matches, and returns the match and its parts in brackets.
func (b *Buffer) WaitFor(t testing.TB, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if found := re.FindStringSubmatch(b.String()); found != nil {
			return found
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log does not say %q:\n%s", pattern, b)
		}
	}
}
