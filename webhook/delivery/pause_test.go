package delivery

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestPause: what is numbered ends a pause, though not before the rest does; without, it lasts as long as it may.
func TestPause(t *testing.T) {
	for _, c := range []struct{ numbered, want time.Duration }{
		{10 * time.Millisecond, 100 * time.Millisecond}, {250 * time.Millisecond, 250 * time.Millisecond},
		{time.Hour, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			numbered := make(chan struct{})
			time.AfterFunc(c.numbered, func() { close(numbered) })
			began := time.Now()
			pause(t.Context(), numbered, time.After(100*time.Millisecond), time.Second)
			if took := time.Since(began); took != c.want {
				t.Errorf("numbered after %s, it takes %s; want %s", c.numbered, took, c.want)
			}
		})
	}
}
