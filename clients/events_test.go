package clients

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
)

// heard is a line that events.mjs prints.
type heard struct {
	Type, ID, Entry string
}

// listener is events.mjs, listening.
type listener struct {
	t      *testing.T
	site   *site
	events chan heard
}

// TestEventsourceMissesNothing: a stream that drops before anything has happened goes
// on where it began, across a restart of the server.
func TestEventsourceMissesNothing(t *testing.T) {
	needNode(t)
	s := open(t, "sqlite", []string{"alice"})
	l := s.listen(t)
	if first := l.next("connect"); first.ID != "" {
		t.Errorf("the first connection goes on after %q", first.ID)
	}
	ready := l.next("ready")
	if ready.ID == "" {
		t.Fatal("a stream begins without a place to go on after")
	}
	s.stop(t)
	for n := range 3 { // while nobody can hear of it
		s.softstake(t,
			fmt.Sprintf(`{"id":"missed-%d","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"0.001"}]}`, n), "post", "-")
	}
	s.serve(t, s.address)
	for again := l.next("connect"); ; again = l.next("") {
		if again.Type != "connect" { // refused, as long as nobody served
			l.is(again, "missed-0")
			break
		}
		if again.ID != ready.ID {
			t.Fatalf("it comes again after %q, and not after %q", again.ID, ready.ID)
		}
	}
	l.is(l.next(""), "missed-1")
	l.is(l.next(""), "missed-2")
	if now := l.next(""); now.Type != "ready" || now.ID == ready.ID {
		t.Errorf("when it is up to date it is sent %+v", now)
	}
}

// is wants an event to be the balance that an entry changed.
func (l *listener) is(e heard, entry string) {
	l.t.Helper()
	if e.Type != "balance" || e.Entry != entry {
		l.t.Fatalf("heard is %+v, and not %s\n%s", e, entry, l.site.logged())
	}
}

// listen starts events.mjs with a token of an exchange, and ends it with the test.
func (s *site) listen(t *testing.T) *listener {
	t.Helper()
	var made struct{ Token string }
	if err := json.Unmarshal(s.softstake(t, "", "token", "create", "--role", string(access.Exchange), "--json"),
		&made); err != nil {
		t.Fatal(err)
	}
	about, err := json.Marshal(map[string]string{"url": "http://" + s.address, "token": made.Token})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "events.mjs")
	cmd.Env = append(os.Environ(), "SOFTSTAKE_SERVER="+string(about), "NO_PROXY=127.0.0.1")
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l := &listener{t: t, site: s, events: make(chan heard, 1000)}
	go l.read(stdout)
	t.Cleanup(func() {
		if err := stdin.Close(); err != nil {
			t.Error(err)
		}
		for range l.events { // until it has printed its last
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("events.mjs: %v", err)
		}
	})
	return l
}

func (l *listener) read(stdout io.Reader) {
	defer close(l.events)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		var e heard
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			l.t.Errorf("%v: %s", err, lines.Bytes())
			return
		}
		l.events <- e
	}
}

// next is the next line, which must be of a type; "" is any.
func (l *listener) next(kind string) heard {
	l.t.Helper()
	select {
	case e, more := <-l.events:
		if !more || kind != "" && e.Type != kind {
			l.t.Fatalf("%q is wanted, and heard is %+v, %t\n%s", kind, e, more, l.site.logged())
		}
		return e
	case <-time.After(30 * time.Second):
		l.t.Fatalf("nothing more is heard; %q is wanted\n%s", kind, l.site.logged())
	}
	return heard{}
}
