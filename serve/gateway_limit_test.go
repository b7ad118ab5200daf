package serve

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
)

// TestTooMuchAtOnceIsRefusedAtOnce in each API's own words, while a stream of events is not counted.
func TestTooMuchAtOnceIsRefusedAtOnce(t *testing.T) {
	for _, c := range []struct {
		of   servedAPI
		want string
	}{
		{exchangeAPI, `"code":-1008`},
		{ownAPI, `"type":"/v1/docs#busy"`},
	} {
		began, goOn := make(chan struct{}), make(chan struct{})
		url, g, _, _ := behindGateway(t, c.of, 1, func(http.ResponseWriter, *http.Request) {
			began <- struct{}{}
			<-goOn
		})
		done := make(chan error, 2)
		for _, path := range []string{"/v1/events", "/v1/things/x"} {
			go func() {
				response, err := http.Get(url + path)
				if err == nil {
					err = response.Body.Close()
				}
				done <- err
			}()
			<-began
		}
		if g.streams.Acquired() != 1 || g.requests[c.of.name].Acquired() != 1 {
			t.Errorf("%d streams and %d requests are counted", g.streams.Acquired(), g.requests[c.of.name].Acquired())
		}
		response, body := fetch(t, url+"/v1/things/y")
		if response.StatusCode != 503 || response.Header.Get("Retry-After") != "1" || !strings.Contains(body, c.want) {
			t.Errorf("%s %v %s", response.Status, response.Header, body)
		}
		var document map[string]any
		if err := json.Unmarshal([]byte(body), &document); err != nil {
			t.Error(err)
		}
		close(goOn)
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
}

// TestNoNetworkTakesAllSlots of an API, and no API those of another.
func TestNoNetworkTakesAllSlots(t *testing.T) {
	began, goOn := make(chan struct{}, 4), make(chan struct{})
	g := newGateway(slog.New(slog.DiscardHandler), func(answered) {}, 4)
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { began <- struct{}{}; <-goOn })
	own, exchange := g.wrap(ownAPI, handler), g.wrap(exchangeAPI, handler)
	ask := func(of http.Handler, from string) int {
		r := httptest.NewRequest(http.MethodGet, "/v1/x", nil)
		r.RemoteAddr = from
		answer := httptest.NewRecorder()
		of.ServeHTTP(answer, r)
		return answer.Code
	}
	done := make(chan int, 4)
	for _, c := range []struct {
		of   http.Handler
		from string
	}{{own, "[2001:db8::1]:1"}, {own, "[2001:db8::2]:1"}, {exchange, "[2001:db8::3]:1"}, {own, "192.0.2.1:1"}} {
		go func() { done <- ask(c.of, c.from) }()
		<-began
	}
	if status := ask(own, "[2001:db8::ffff]:1"); status != http.StatusServiceUnavailable {
		t.Errorf("a third request of one network: %d", status)
	}
	close(goOn)
	for range 4 {
		if status := <-done; status != http.StatusOK {
			t.Errorf("let in, and answered %d", status)
		}
	}
	if status := ask(own, "[2001:db8::ffff]:1"); status != http.StatusOK {
		t.Errorf("when the others are done: %d", status)
	}
}

// TestSlowReadersHoldNoSlot: an answer that is not read waits in memory, and one that does
// not fit there goes on by itself.
func TestSlowReadersHoldNoSlot(t *testing.T) {
	const answerSize = 400 << 10
	for _, size := range []int{0, 1, answerSize, mostHeld + 1, 4 * mostHeld} {
		text := strings.Repeat("x", size)
		url, g, _, answers := behindGateway(t, pagesOf(false), 1, func(w http.ResponseWriter, _ *http.Request) {
			for part := range slices.Chunk([]byte(text), 30_000) {
				if _, err := w.Write(part); err != nil {
					t.Error(err)
				}
			}
		})
		if response, body := fetch(t, url+"/v1/things/x"); response.StatusCode != 200 || body != text {
			t.Errorf("%d bytes: %s with %d", size, response.Status, len(body))
		}
		if a := <-answers; a.status != 200 || g.responses.taken() != 0 {
			t.Errorf("%+v, and %d bytes are left", a, g.responses.taken())
		}
	}
	g := newGateway(slog.New(slog.DiscardHandler), func(answered) {}, 1)
	handler := g.wrap(pagesOf(false), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := w.Write(make([]byte, answerSize)); err != nil {
			t.Error(err)
		}
	}))
	stuck, unread := make(chan struct{}), make(chan struct{})
	go func() {
		handler.ServeHTTP(&stuckWriter{httptest.NewRecorder(), stuck, unread}, httptest.NewRequest(http.MethodGet, "/x", nil))
		close(stuck)
	}()
	<-stuck // the answer is being written, and nobody reads it
	if n, slots := g.responses.taken(), g.requests[pagesName].Acquired(); n != answerSize || slots != 0 {
		t.Errorf("%d bytes wait to be read, and %d requests have a slot", n, slots)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/x", nil))
	if answer.Code != http.StatusOK {
		t.Errorf("beside an answer that is not read: %d", answer.Code)
	}
	close(unread)
	<-stuck
}

// stuckWriter is a client that does not read until it may.
type stuckWriter struct {
	*httptest.ResponseRecorder
	stuck  chan<- struct{}
	unread <-chan struct{}
}

// Write waits.
func (w *stuckWriter) Write(p []byte) (int, error) {
	w.stuck <- struct{}{}
	<-w.unread
	return w.ResponseRecorder.Write(p)
}

// TestStreamsAreLimited by themselves: those of one network leave some to others.
func TestStreamsAreLimited(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	g := newGateway(slog.New(slog.DiscardHandler), func(answered) {}, 1)
	g.streams = access.NewLimiter[netip.Prefix](2, 1)
	handler := g.wrap(ownAPI, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { began <- struct{}{}; <-goOn }))
	ask := func(from string) int {
		r := httptest.NewRequest(http.MethodGet, api.EventsPath, nil)
		r.RemoteAddr = from
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		return answer.Code
	}
	done := make(chan int, 2)
	for _, from := range []string{"192.0.2.1:1", "192.0.2.2:1"} {
		go func() { done <- ask(from) }()
		<-began
		if status := ask(from); status != http.StatusServiceUnavailable {
			t.Errorf("a second stream of %s: %d", from, status)
		}
	}
	if status := ask("192.0.2.3:1"); status != http.StatusServiceUnavailable {
		t.Errorf("a third stream: %d", status)
	}
	close(goOn)
	for range 2 {
		if status := <-done; status != http.StatusOK {
			t.Errorf("let in, and answered %d", status)
		}
	}
}
