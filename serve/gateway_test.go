package serve

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
	"github.com/softstake/softstake/scenario"
)

// behindGateway serves a handler at every path behind a gateway, until the test ends.
func behindGateway(t *testing.T, of servedAPI, limit int, handler http.HandlerFunc) (url string, g *gateway,
	log *scenario.Buffer, answers chan answered) {
	t.Helper()
	log, answers = &scenario.Buffer{}, make(chan answered, 100)
	g = newGateway(slog.New(slog.NewTextHandler(log, nil)), func(a answered) { answers <- a }, limit)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/things/{thing}", handler)
	mux.HandleFunc("GET /v1/events", handler)
	server := httptest.NewServer(g.wrap(of, mux))
	t.Cleanup(server.Close)
	return server.URL, g, log, answers
}

// TestARequestIsNamedByItsRoute: neither the path nor the query is logged, for
// names and signatures are in them.
func TestARequestIsNamedByItsRoute(t *testing.T) {
	url, _, log, answers := behindGateway(t, ownAPI, 1, func(w http.ResponseWriter, r *http.Request) {
		if c := access.CallerOf(r.Context()); c.Address.String() != "127.0.0.1" || c.Request == "" {
			t.Errorf("the caller is %+v", c)
		}
		if _, err := io.WriteString(w, "hello"); err != nil {
			t.Error(err)
		}
	})
	response, _ := fetch(t, url+"/v1/things/alice?signature=5ec2e7")
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		"Referrer-Policy": "no-referrer"} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	id := response.Header.Get("X-Request-Id")
	if a := <-answers; id == "" || a.api != "v1" || a.route != "/v1/things/{thing}" || a.method != "GET" ||
		a.status != 200 {
		t.Errorf("request %q: %+v", id, a)
	}
	fetch(t, url+"/v1/nothing/alice")
	if a := <-answers; a.route != "none" || a.status != 404 {
		t.Errorf("%+v", a)
	}
	text := log.String()
	if !strings.Contains(text, "request="+id+" method=GET route=/v1/things/{thing} status=200 whole=true bytes=5 ms=") ||
		!strings.Contains(text, "address=127.0.0.1") {
		t.Errorf("the log says %s", text)
	}
	if strings.Contains(text, "alice") || strings.Contains(text, "5ec2e7") {
		t.Errorf("the log has what was asked: %s", text)
	}
}

func TestAPanicIsAnAnswer(t *testing.T) {
	begun := false
	handler := func(w http.ResponseWriter, _ *http.Request) {
		if begun {
			w.WriteHeader(http.StatusOK)
		}
		panic("it broke")
	}
	url, _, log, answers := behindGateway(t, exchangeAPI, 1, handler)
	response, body := fetch(t, url+"/v1/things/x")
	if response.StatusCode != 500 || body != `{"code":-1000,"msg":"An unknown error occurred while processing the request."}`+"\n" {
		t.Errorf("%s %s", response.Status, body)
	}
	if a := <-answers; a.status != 500 || !strings.Contains(log.String(), `panic="it broke"`) || !strings.Contains(log.String(), "gateway_test.go") {
		t.Errorf("%+v\n%s", a, log.String())
	}
	begun = true
	if response, err := http.Get(url + "/v1/things/x"); err == nil {
		_, err = io.ReadAll(response.Body)
		if err == nil {
			t.Error("half an answer looks whole")
		}
	}
	url, _, log, _ = behindGateway(t, ownAPI, 1, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := http.Get(url + "/v1/things/x"); err == nil || strings.Contains(log.String(), "panic") ||
		!strings.Contains(log.String(), "whole=false") {
		t.Errorf("%v\n%s", err, log.String())
	}
}

// TestAPageThatCannotBeMadeIsAPage, which says nothing of what went wrong.
func TestAPageThatCannotBeMadeIsAPage(t *testing.T) {
	url, _, _, _ := behindGateway(t, pagesOf(true), 1, func(http.ResponseWriter, *http.Request) { panic("it broke") })
	response, body := fetch(t, url+"/v1/things/x")
	if response.StatusCode != 500 || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") ||
		response.Header.Get("Content-Security-Policy") != "default-src 'none'" {
		t.Errorf("%s %v", response.Status, response.Header)
	}
	if !strings.Contains(body, "This is a test") {
		t.Errorf("of books that are a test it says %s", body)
	}
	if !strings.Contains(body, response.Header.Get("X-Request-Id")) || strings.Contains(body, "broke") {
		t.Errorf("it says %s", body)
	}
}

// listening serves a handler behind a gateway with timeouts, until the test ends.
func listening(t *testing.T, timeouts timeouts, handler http.HandlerFunc) (string, *Server) {
	t.Helper()
	s, err := New(Config{Books: newSite(t).books, Log: slog.New(slog.DiscardHandler), MaxRequests: 10})
	if err != nil {
		t.Fatal(err)
	}
	s.timeouts, s.gateway.bodies.wait = timeouts, timeouts.request
	listener, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s.listenOn(listener, s.gateway.wrap(ownAPI, handler), nil), s
}

// TestWhoTakesTooLongIsCutOff: clients that send half a request and then nothing.
func TestWhoTakesTooLongIsCutOff(t *testing.T) {
	short := 50 * time.Millisecond
	address, _ := listening(t, timeouts{headers: short, request: 2 * short, response: time.Minute, idle: short,
		stop: time.Minute},
		func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err != nil {
				w.WriteHeader(http.StatusRequestTimeout)
			}
		})
	for name, sent := range map[string]string{
		"nothing":          "",
		"half the headers": "GET /v1/x HTTP/1.1\r\nHost: x\r\nX-A",
		"half the body":    "POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
		"then nothing":     "GET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, sent); err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(conn); err != nil { // it ends only when the server hangs up
			t.Errorf("%s: %v: %s", name, err, answer)
		} else if name == "half the body" && !strings.HasPrefix(string(answer), "HTTP/1.1 408") {
			t.Errorf("%s: %s", name, answer)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestHeadersAreNotReadWithoutEnd(t *testing.T) {
	address, _ := listening(t, usualTimeouts, func(http.ResponseWriter, *http.Request) {})
	r, err := http.NewRequest(http.MethodGet, "http://"+address+"/v1/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Long", strings.Repeat("x", 2*maxHeaders))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(response.Status)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
}

// TestStoppingEndsStreamsAndFinishesRequests: a stream ends at once, a request in hand is answered.
func TestStoppingEndsStreamsAndFinishesRequests(t *testing.T) {
	began, goOn := make(chan struct{}, 2), make(chan struct{})
	address, s := listening(t, usualTimeouts, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != api.EventsPath {
			began <- struct{}{}
			<-goOn
			fmt.Fprint(w, "done")
			return
		}
		rc := http.NewResponseController(w)
		fmt.Fprint(w, ": hello\n")
		if err := rc.Flush(); err != nil {
			t.Error(err)
		}
		if err := rc.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		began <- struct{}{}
		<-r.Context().Done()
		close(goOn) // only now the request goes on: stopping does not wait for it first
	})
	answers := make(chan string, 2)
	for _, path := range []string{api.EventsPath, "/v1/x"} {
		go func() {
			response, err := http.Get("http://" + address + path)
			if err != nil {
				answers <- err.Error()
				return
			}
			body, err := io.ReadAll(response.Body)
			answers <- fmt.Sprint(string(body), err, response.Body.Close())
		}()
		<-began
	}
	ctx, cancel := context.WithTimeout(t.Context(), stopWait/2)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop() }()
	select {
	case err := <-stopped:
		if err != nil {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Fatal("the server did not stop")
	}
	got := map[string]bool{<-answers: true, <-answers: true}
	if !got[": hello\n<nil> <nil>"] || !got["done<nil> <nil>"] {
		t.Errorf("answered %v", got)
	}
}

// TestAFlushedLineArrives while the answer goes on, also for those who only know http.Flusher.
func TestAFlushedLineArrives(t *testing.T) {
	goOn := make(chan struct{})
	url, _, _, _ := behindGateway(t, ownAPI, 1, func(w http.ResponseWriter, _ *http.Request) {
		flusher, ok := w.(http.Flusher)
		if !ok {
			t.Error("the answer cannot be flushed")
			return
		}
		fmt.Fprintln(w, "one")
		flusher.Flush()
		<-goOn
	})
	response, err := http.Get(url + "/v1/things/x")
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(response.Body).ReadString('\n'); line != "one\n" || err != nil {
		t.Errorf("%q %v", line, err)
	}
	close(goOn)
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
}
