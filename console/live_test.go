package console

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
)

// TestAPageHearsOfChanges: the stream is silent while nothing happens, and says "pulse" after a change, without any
// figure.
func TestAPageHearsOfChanges(t *testing.T) {
	o := newOffice(t)
	olga := o.as("olga")
	olga.get("/console").has(`data-live="/console/live"`)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, o.site.URL+LivePath, nil)
	o.ok(err)
	reply, err := olga.client.Do(r)
	o.ok(err)
	defer func() { stop(); o.ok(reply.Body.Close()) }()
	if kind := reply.Header.Get("Content-Type"); reply.StatusCode != http.StatusOK || kind != "text/event-stream" {
		t.Fatalf("%s %s", reply.Status, kind)
	}
	lines := bufio.NewScanner(reply.Body)
	next := func() string {
		for lines.Scan() {
			if line := lines.Text(); line != "" && !strings.HasPrefix(line, ":") {
				return line
			}
		}
		return ""
	}
	if line := next(); !strings.HasPrefix(line, "retry:") {
		t.Fatalf("it begins with %q", line)
	}
	o.clock.Advance(1_000_000)
	o.deposit("alice", "2 BNB")
	if event, data := next(), next(); event != "event: pulse" || data != "data: {}" {
		t.Errorf("it says %q %q", event, data)
	}
	olga.ask(http.MethodHead, LivePath, nil).is(http.StatusNoContent)
}
