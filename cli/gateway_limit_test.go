package cli

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
		url, g, _, _ := fronted(t, c.of, 1, func(http.ResponseWriter, *http.Request) {
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
