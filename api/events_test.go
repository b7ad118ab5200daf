package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/scenario"
)

// streamed is an event as it came over the wire.
type streamed struct {
	id, kind string
	body     map[string]string
}

// listener reads a stream of events.
type listener struct {
	t      testing.TB
	status int
	header http.Header
	lines  *bufio.Scanner
	leave  func()
	id     string // the last one, of an event or not
	head   string // what came before anything else
}

// listen begins a stream with somebody's token, and returns when it is up to date.
func (w *town) listen(who, path string, headers ...string) *listener {
	w.t.Helper()
	return w.listenAt(w.server.URL, who, path, headers...)
}

func (w *town) listenAt(server, who, path string, headers ...string) *listener {
	w.t.Helper()
	w.sequence.Do(func() { w.t.Cleanup(scenario.Sequence(w.t, w.db)) })
	scenario.NumberEvents(w.t, w.db) // what was posted before it listens comes before "ready"
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server+path, nil)
	w.ok(err)
	r.Header.Set("Authorization", "Bearer "+w.tokens[who])
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	w.ok(err)
	l := &listener{t: w.t, status: answer.StatusCode, header: answer.Header, lines: bufio.NewScanner(answer.Body)}
	l.leave = func() {
		cancel()
		w.ok(answer.Body.Close())
	}
	w.t.Cleanup(l.leave)
	if l.status == http.StatusOK && l.lines.Scan() {
		l.head = l.lines.Text()
	}
	return l
}

// next is the next event, or the next sign of life where what says so. It is zero
// at the stream's end.
func (l *listener) next(what string) (e streamed) {
	l.t.Helper()
	for l.lines.Scan() {
		name, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch name {
		case "id":
			e.id, l.id = value, value
		case "event":
			e.kind = value
		case "data":
			if err := json.Unmarshal([]byte(value), &e.body); err != nil {
				l.t.Fatalf("%v in %q", err, value)
			}
		case "":
			if strings.HasPrefix(l.lines.Text(), ":") {
				e.kind = "life"
			} else if e.kind != "" && (e.kind == what || what == "" && e.kind != "life") {
				return e
			} else {
				e = streamed{}
			}
		default:
			l.t.Fatalf("the line %q", l.lines.Text())
		}
	}
	if what != "end" || l.lines.Err() != nil {
		l.t.Fatalf("the stream ends before the next %q: %v", what, l.lines.Err())
	}
	return streamed{}
}

// is wants the next event, but for "ready", to be of a type and an entry.
func (l *listener) is(kind, entry string) streamed {
	l.t.Helper()
	e := l.next("")
	if e.kind == "ready" {
		e = l.next("")
	}
	if e.kind != kind || e.body["entry"] != entry {
		l.t.Fatalf("%s of %s is wanted, not %+v", kind, entry, e)
	}
	return e
}

func TestEventsAreStreamed(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.earner("alice")
		w.earner("bob")
		_, err := w.db.Fund(t.Context(), "pool", "BNB", 1_00000000, false)
		w.ok(err)
		alice, all, one := w.listen("alice", "/v1/events"), w.listen("auditor", "/v1/events"),
			w.listen("exchange", "/v1/events?account=bob")
		if alice.head != "retry: 2000" || !strings.HasPrefix(alice.header.Get("Content-Type"), "text/event-stream") {
			t.Errorf("it begins with %q, and is %v", alice.head, alice.header)
		}
		for _, l := range []*listener{alice, all, one} {
			l.next("life")
		}
		w.deposit("d-1", "alice", "2.5", "BNB")
		w.deposit("d-2", "bob", "3", "BNB")
		first := alice.is("balance", "d-1")
		for field, want := range map[string]string{
			"kind": "deposit", "at": w.day(1) + "T12:00:00.000Z", "account": "alice", "part": "free", "asset": "BNB",
			"change": "2.5", "balance": "2.5",
		} {
			if first.body[field] != want {
				t.Errorf("%s is %q; %q is wanted", field, first.body[field], want)
			}
		}
		all.is("balance", "d-1")
		all.is("balance", "d-2")
		one.is("balance", "d-2")
		alice.leave()

		w.clock.Set(3, "00:10")
		w.call("operator", http.MethodPost, "/v1/runs", "").is(http.StatusOK)
		reward := "reward/" + w.day(2) + "/BNB/"
		if e := one.next("reward"); e.body["entry"] != reward+"bob" || e.body["amount"] != "0.00001232" ||
			e.body["average"] != "3" || e.body["creditedAt"] != w.day(3)+"T00:10:00.000Z" {
			t.Errorf("the reward is %+v", e)
		}
		again := w.listen("alice", "/v1/events", "Last-Event-ID", first.id)
		published := map[string]bool{}
		for range 22 { // d-1 again, a reward, and two days of ten tokens
			published[again.next("").body["entry"]] = true
		}
		if !published["d-1"] || !published[reward+"alice"] || published[reward+"bob"] ||
			!published["declare/"+w.day(2)+"/BNB"] || published["d-2"] {
			t.Errorf("published are %v", published)
		}
		again.next("life")
		again.leave()
		quiet := w.listen("alice", "/v1/events?after="+again.id)
		quiet.next("life")
		w.deposit("d-3", "alice", "1", "BNB")
		quiet.is("balance", "d-3")
		w.listen("alice", "/v1/events?after="+quiet.id, "Last-Event-ID", "what?").next("reset")
	})
}

// TestAStreamBeginsWithReady: its first event has an ID and data, so that a client that
// drops before anything has happened goes on from there, and misses nothing.
func TestAStreamBeginsWithReady(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		for n, who := range []string{"alice", "exchange"} {
			w.clock.Set(2+n, "12:00")
			first := w.listen(who, "/v1/events")
			ready := first.next("")
			if ready.kind != "ready" || ready.id == "" || ready.body == nil || len(ready.body) != 0 {
				t.Fatalf("the stream begins with %+v", ready)
			}
			first.leave()
			w.deposit("d-"+who, "alice", "1", "BNB")
			again := w.listen(who, "/v1/events", "Last-Event-ID", ready.id)
			e := again.next("")
			if e.kind != "balance" || e.body["entry"] != "d-"+who {
				t.Errorf("what was missed is sent as %+v", e)
			}
			if e := again.next(""); e.kind != "ready" || e.id == "" {
				t.Errorf("after what was missed comes %+v", e)
			}
			again.leave()
		}
		unknown := w.listen("alice", "/v1/events?after=what")
		if e := unknown.next(""); e.kind != "reset" || e.id == "" {
			t.Errorf("what is not known is answered %+v", e)
		}
		if e := unknown.next(""); e.kind != "ready" || e.id == "" {
			t.Errorf("after the reset comes %+v", e)
		}
	})
}

func TestWhoseEventsAreNotSent(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.holder("bob", "DE")
		for who, account := range map[string]string{"alice": "bob", "bob": "nobody", "auditor": "nobody"} {
			w.get(who, "/v1/events?account="+account).refused(http.StatusNotFound, "not-found", "account")
		}
		w.get("alice", "/v1/events?who=bob").refused(http.StatusBadRequest, "invalid", "who")
		w.listen("alice", "/v1/events?account=alice").next("life")
	})
}

// A stream ends when its token is revoked or expires.
func TestAStreamEndsWithItsToken(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		revoked := w.listen("auditor", "/v1/events")
		revoked.next("life")
		id, _ := access.TokenID(w.tokens["auditor"])
		w.ok(w.db.People().RevokeToken(t.Context(), id))
		revoked.next("end")

		token, text, err := access.NewToken(strings.NewReader(strings.Repeat("some text that is not random", 100)))
		w.ok(err)
		token.Role, token.Expires = access.Operator, w.clock.Now().Add(time.Hour)
		w.ok(w.db.People().AddToken(t.Context(), token))
		w.tokens["short"] = text
		expired := w.listen("short", "/v1/events")
		expired.next("life")
		w.clock.Set(2, "12:00")
		expired.next("end")
	})
}

func TestNoMoreStreamsThanThereMayBe(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		log := slog.New(slog.DiscardHandler)
		server := httptest.NewServer(api.New(api.Options{
			Books: w.db, Events: events.New(w.db, log, 10*time.Millisecond), Now: w.clock.Now, Log: log, Streams: 2,
		}))
		t.Cleanup(server.Close)
		streams := []*listener{w.listenAt(server.URL, "auditor", "/v1/events")}
		if l := w.listenAt(server.URL, "auditor", "/v1/events"); l.status != http.StatusServiceUnavailable {
			t.Errorf("a token has two of two streams: %d", l.status)
		}
		streams = append(streams, w.listenAt(server.URL, "exchange", "/v1/events"))
		refused := w.listenAt(server.URL, "operator", "/v1/events")
		if refused.status != http.StatusServiceUnavailable || refused.header.Get("Retry-After") != "10" ||
			refused.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("one too many is answered with %d %v", refused.status, refused.header)
		}
		streams[0].leave()
		for { // until the server has seen that it is gone
			if l := w.listenAt(server.URL, "operator", "/v1/events"); l.status == http.StatusOK {
				break
			}
		}
		streams[1].leave()
	})
}

// TestStreamsOfAHolder are so few that it cannot take everybody's.
func TestStreamsOfAHolder(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		for range 10 {
			if l := w.listen("alice", "/v1/events"); l.status != http.StatusOK {
				t.Fatalf("a stream is answered with %d", l.status)
			}
		}
		if l := w.listen("alice", "/v1/events"); l.status != http.StatusServiceUnavailable {
			t.Errorf("the eleventh is answered with %d", l.status)
		}
		if l := w.listen("auditor", "/v1/events"); l.status != http.StatusOK {
			t.Errorf("another's is answered with %d", l.status)
		}
	})
}

// The description says what an event looks like.
func TestEventsAreDescribed(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		document := w.get("auditor", "/v1/openapi.json").is(http.StatusOK)
		for kind, fields := range map[string]any{
			"ready": events.Ready{}, "balance": events.Balance{}, "reward": events.Reward{},
			"settled": events.Settled{}, "reset": events.Reset{},
		} {
			const defs = "paths./v1/events.get.responses.200.content.text/event-stream.schema.$defs."
			name := strings.TrimPrefix(document.at(defs+kind+".$ref"), "#/components/schemas/")
			text, err := json.Marshal(fields)
			w.ok(err)
			var has map[string]any
			w.ok(json.Unmarshal(text, &has))
			if name == "" {
				t.Errorf("%s is not described", kind)
			}
			for field := range has {
				if document.at("components.schemas."+name+".properties."+field+".type") == "" {
					t.Errorf("%s of %s is not described, in %s", field, kind, name)
				}
			}
		}
	})
}
