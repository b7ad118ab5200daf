package web

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/softstake/softstake/scenario"
)

// heard is a stream that a browser listens to.
type heard struct {
	w      *website
	lines  *bufio.Scanner
	cancel context.CancelFunc
}

// listen begins to listen, to what comes after an event's ID.
func (b *browser) listen(after string) (int, *heard) {
	b.w.Helper()
	b.w.sequence.Do(func() { b.w.Cleanup(scenario.Sequence(b.w, b.w.books)) })
	scenario.NumberEvents(b.w, b.w.books) // what was posted before it listens comes before "ready"
	ctx, cancel := context.WithTimeout(b.w.Context(), 30*time.Second)
	b.w.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.w.site.URL+"/live?after="+after, nil)
	b.w.ok(err)
	r.Header.Set("Accept-Encoding", "gzip, zstd")
	reply, err := b.client.Do(r)
	b.w.ok(err)
	b.w.Cleanup(func() { b.w.ok(reply.Body.Close()) })
	if kind := reply.Header.Get("Content-Type"); reply.StatusCode == http.StatusOK &&
		(kind != "text/event-stream" || reply.Header.Get("Content-Encoding") != "") {
		b.w.Errorf("the stream is %s, as %q", kind, reply.Header.Get("Content-Encoding"))
	}
	return reply.StatusCode, &heard{b.w, bufio.NewScanner(reply.Body), cancel}
}

// until reads lines until one begins with a text, and returns it; "" at the end.
func (h *heard) until(beginning string) string {
	for h.lines.Scan() {
		if strings.HasPrefix(h.lines.Text(), beginning) {
			return h.lines.Text()
		}
	}
	return ""
}

func TestLive(t *testing.T) {
	w := newWebsite(t)
	w.holder("bob", "DE")
	w.login("alice@example.com")
	since, err := w.hub.Position(t.Context())
	w.ok(err)
	first := w.deposit("alice", "1 BNB")
	w.deposit("bob", "7 BNB")
	status, h := w.listen(since)
	if status != http.StatusOK || h.until("retry: 2000") == "" {
		t.Fatalf("the stream answers %d", status)
	}
	if line := h.until("event: "); line != "event: balance" {
		t.Errorf("what happened since the page was made is %q", line)
	}
	if line := h.until("data: "); !strings.Contains(line, first) || strings.Contains(line, "bob") {
		t.Errorf("the event is %s", line)
	}
	if line := h.until("event: "); line != "event: ready" || h.until("data: ") != "data: {}" {
		t.Errorf("after what was missed comes %q", line)
	}
	second := w.deposit("alice", "2 BNB")
	if line := h.until("data: "); !strings.Contains(line, second) || !strings.Contains(line, `"balance":"3"`) {
		t.Errorf("the event is %s", line)
	}
}

// TestAStreamEndsWithItsSession: another browser logs out everywhere.
func TestAStreamEndsWithItsSession(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("stream", func(t *testing.T) {
		w := newWebsite(t)
		w.login("alice@example.com")
		_, h := w.listen("")
		if h.until(": still here") == "" {
			t.Fatal("there is no sign of life")
		}
		other := w.another()
		other.login("alice@example.com")
		other.post("/logout-everywhere", nil).is(http.StatusSeeOther)
		if line := h.until("event: "); line != "" {
			t.Errorf("after the end comes %q", line)
		}
		if status, _ := w.listen(""); status != http.StatusUnauthorized {
			t.Errorf("a stream without a session answers %d", status)
		}
	})
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

func TestStreamsAreLimited(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	if p := w.ask(http.MethodHead, "/live", ""); p.status != http.StatusNoContent {
		t.Errorf("HEAD answers %d", p.status)
	}
	var all []*heard
	for n := range mostStreamsOf {
		status, h := w.listen("")
		if status != http.StatusOK {
			t.Fatalf("stream %d answers %d", n, status)
		}
		all = append(all, h)
	}
	p := w.get("/live").is(http.StatusServiceUnavailable)
	if p.header.Get("Retry-After") != "30" {
		t.Errorf("to come again after %q", p.header.Get("Retry-After"))
	}
	all[0].cancel()
	deadline := time.Now().Add(time.Minute)
	for status := 0; status != http.StatusOK; status, _ = w.listen("") {
		if time.Now().After(deadline) {
			t.Fatal("there is no place again")
		}
	}
}
