package webhook

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/testkit"
)

// here are the addresses of this machine.
var here = Network{prefixes("127.0.0.0/8", "::1/128")}

// received is a request as a receiver gets it.
type received struct {
	http.Header
	body []byte
}

// attempt sends a message to a receiver, and returns what it got.
func attempt(t *testing.T, secrets []Secret, m Message) received {
	t.Helper()
	var got received
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = received{r.Header, testkit.Must(io.ReadAll(r.Body))(t)}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	c := NewClient(here, "1.2", Timeout)
	defer c.Close()
	a := testkit.Must(c.Send(t.Context(), server.URL, secrets, m, time.Now()))(t)
	if !a.Delivered() || a.Status != http.StatusNoContent {
		t.Fatalf("the answer is %+v", a)
	}
	return got
}

func secret(t *testing.T, s Scheme) Secret { return testkit.Must(NewSecret(s, rand.Reader))(t) }

// TestTheSpecificationsOwnLibraryReadsIt: a receiver verifies what is sent with the library of the specification,
// while a secret is replaced with the former and with the new one; and ed25519 by the public key alone.
func TestTheSpecificationsOwnLibraryReadsIt(t *testing.T) {
	old, replaced, public := secret(t, HMAC), secret(t, HMAC), secret(t, Ed25519)
	m := Message{ID: "event_7-1", Body: []byte(`{"type":"balance","data":{"ü":"<&>"}}`)}
	got := attempt(t, []Secret{replaced, old, public}, m)
	if !bytes.Equal(got.body, m.Body) || got.Get("Webhook-Id") != m.ID || got.Get("Content-Type") != "application/json" ||
		got.Get("User-Agent") != "softstake/1.2" {
		t.Errorf("%v with %s", got.Header, got.body)
	}
	for name, s := range map[string]Secret{"the new secret": replaced, "the former": old} {
		reader := testkit.Must(standardwebhooks.NewWebhook(s.Receiver()))(t)
		if err := reader.Verify(got.body, got.Header); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := reader.Verify(append([]byte(" "), got.body...), got.Header); err == nil {
			t.Errorf("%s: another body is verified", name)
		}
		for _, header := range []string{"Webhook-Id", "Webhook-Timestamp"} {
			other := got.Clone()
			other.Set(header, "1"+other.Get(header))
			if err := reader.VerifyIgnoringTimestamp(got.body, other); err == nil {
				t.Errorf("%s: another %s is verified", name, header)
			}
		}
	}
	other := testkit.Must(standardwebhooks.NewWebhook(secret(t, HMAC).Text()))(t)
	if err := other.Verify(got.body, got.Header); err == nil {
		t.Error("another secret verifies it")
	}

	key := testkit.Must(base64.StdEncoding.DecodeString(strings.TrimPrefix(public.Receiver(), "whpk_")))(t)
	verified := 0
	for _, signature := range strings.Split(got.Get("Webhook-Signature"), " ") {
		if text, is := strings.CutPrefix(signature, "v1a,"); is {
			signed := fmt.Sprintf("%s.%s.%s", m.ID, got.Get("Webhook-Timestamp"), got.body)
			if ed25519.Verify(key, []byte(signed), testkit.Must(base64.StdEncoding.DecodeString(text))(t)) {
				verified++
			}
		}
	}
	if verified != 1 {
		t.Errorf("%d signatures are of the public key: %s", verified, got.Get("Webhook-Signature"))
	}
}

// TestTheVectorOfTheSpecification is the example of the specification's text.
func TestTheVectorOfTheSpecification(t *testing.T) {
	key := testkit.Must(base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))(t)
	s := Secret{HMAC, key}
	got := s.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Error(got)
	}
}

func TestSecretsAreReadAndNotShown(t *testing.T) {
	for _, scheme := range []Scheme{HMAC, Ed25519} {
		s := secret(t, scheme)
		again := testkit.Must(ParseSecret(s.Text()))(t)
		if again.Sign("a", time.Unix(1, 0), nil) != s.Sign("a", time.Unix(1, 0), nil) || again.Scheme != scheme {
			t.Errorf("%s is read as another", scheme)
		}
		body := s.Text()[strings.Index(s.Text(), "_")+1:]
		if shown := fmt.Sprintf("%v %+v %#v %s", s, s, s, s); strings.Contains(shown, body[:16]) {
			t.Errorf("it is shown: %s", shown)
		}
		if scheme == Ed25519 && (strings.Contains(s.Receiver(), body) || !strings.HasPrefix(s.Receiver(), "whpk_")) {
			t.Error("the receiver gets the private key")
		}
		for _, bad := range []string{"", s.Text()[1:], s.Text() + "AAAA", s.Text()[:20]} {
			if _, err := ParseSecret(bad); !errors.Is(err, ledger.ErrInvalid) {
				t.Errorf("%d characters: %v", len(bad), err)
			}
		}
	}
}

func TestTheScheduleIsThatOfTheSpecification(t *testing.T) {
	sum := time.Duration(0)
	for n := 1; ; n++ {
		middle, again := Delay(n, 500)
		if !again {
			if n != 10 {
				t.Errorf("there are %d attempts", n)
			}
			break
		}
		early, _ := Delay(n, 0)
		late, _ := Delay(n, 999)
		if early != middle*9/10 || late <= middle || late > middle*11/10 {
			t.Errorf("after %d: %s to %s around %s", n, early, late, middle)
		}
		sum += middle
	}
	if first, _ := Delay(1, 500); first != 5*time.Second || sum != 75*time.Hour+35*time.Minute+5*time.Second {
		t.Errorf("the first is after %s, the last after %s", first, sum)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-7": 0, "999999999999": 24 * time.Hour,
		"x": 0, "Mon, 02 Mar 2026 12:01:00 GMT": time.Minute, "Mon, 02 Mar 2020 12:01:00 GMT": 0,
		"Mon, 02 Mar 2099 12:01:00 GMT": 24 * time.Hour, "99999999999999999999": 0} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q is %s", text, got)
		}
	}
}

func TestURLs(t *testing.T) {
	for _, good := range []string{"https://example.com", "https://example.com/a?b=c", "https://example.com:443/",
		"https://example.com:8443/", "https://192.0.2.1/x", "https://[2001:db8::1]/x", "http://127.0.0.1:8080/",
		"http://[::1]:8080", "http://localhost:8080/x"} {
		if err := CheckURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "example.com", "http://example.com/", "http://10.0.0.1:8080/", "ftp://example.com",
		"file:///etc/passwd", "https://", "https:example.com", "https://user@example.com/", "https://example.com/#x",
		"https://example.com:22/", "https://example.com:99999/", "https://example.com:0/", "http://127.0.0.1/",
		"http://127.0.0.1:25/", "https://example.com/a b", "https://example.com/\r\nX: y",
		"http://127.0.0.1.example.com:8080/", "http://localhost.example.com:8080/",
		"https://example.com/" + strings.Repeat("x", MaxURL)} {
		if err := CheckURL(bad); ledger.ReasonOf(err) != ReasonURL {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestAddresses: nothing is sent to an address that is not one of the internet, in whatever way it is written.
func TestAddresses(t *testing.T) {
	for _, ip := range []string{"1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:1.1.1.1"} {
		if err := (Network{}).Check(netip.MustParseAddr(ip)); err != nil {
			t.Error(err)
		}
	}
	for _, ip := range []string{"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1",
		"127.255.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.1.1",
		"198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
		"255.255.255.255", "168.63.129.16", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
		"::ffff:169.254.169.254", "fe80::1", "fe80::1%lo", "fec0::1",
		"fc00::1", "fd00:ec2::254", "ff02::1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:a00:1::", "2002:7f00:1::1",
		"2001::1", "2001:0:53aa:64c::1", "2001:db8::1", "100::1", "3fff::1", "5f00::1"} {
		if err := (Network{}).Check(netip.MustParseAddr(ip)); !errors.Is(err, errAddress) {
			t.Errorf("%s is reached", ip)
		}
	}
	ten := Network{prefixes("10.1.0.0/16")}
	for _, ip := range []string{"10.1.2.3", "::ffff:10.1.2.3"} {
		if err := ten.Check(netip.MustParseAddr(ip)); err != nil {
			t.Error(err)
		}
	}
	if err := ten.Check(netip.MustParseAddr("10.2.0.1")); err == nil {
		t.Error("what is beside the range is reached")
	}
	if err := (Network{}).Check(netip.Addr{}); err == nil {
		t.Error("no address is reached")
	}
}

// TestNothingReachesThisMachine: a name that leads to this machine is refused when it is dialed, and a proxy of the
// environment is not used.
func TestNothingReachesThisMachine(t *testing.T) {
	touched := make(chan struct{}, 10)
	listener := testkit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer func() { testkit.Must(0, listener.Close())(t) }()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			touched <- struct{}{}
			_ = c.Close()
		}
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	for _, variable := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"} {
		t.Setenv(variable, fmt.Sprintf("http://127.0.0.1:%d", port))
	}
	c := NewClient(Network{}, "1", 5*time.Second)
	defer c.Close()
	for _, host := range []string{"localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "2130706433", "127.1", "0"} {
		url := fmt.Sprintf("https://%s:%d/", host, port)
		a := testkit.Must(c.Send(t.Context(), url, nil, Message{ID: "a"}, time.Now()))(t)
		if a.Status != 0 || a.Extract == "" {
			t.Errorf("%s: %+v", host, a)
		}
		if host == "localhost" && a.Extract != errAddress.Error() {
			t.Errorf("it says %q", a.Extract)
		}
	}
	select {
	case <-touched:
		t.Error("something reached it")
	default:
	}
}

// TestAnswers: what receivers do, and what becomes of it.
func TestAnswers(t *testing.T) {
	followed := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer elsewhere.Close()
	stop := make(chan struct{})
	hang := func(http.ResponseWriter, *http.Request) { <-stop }
	cases := map[string]struct {
		handler http.HandlerFunc
		want    Answer
	}{
		"fails": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(500)
			_, _ = fmt.Fprint(w, "no\r\nway\x00", strings.Repeat("x", 100_000))
		}, Answer{Status: 500, Extract: "no  way " + strings.Repeat("x", maxExtract-8)}},
		"redirects": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, Answer{Status: 307, Extract: "a redirect is not followed"}},
		"is gone": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }, Answer{Status: 410}},
		"has too much to do": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "90")
			w.WriteHeader(429)
		}, Answer{Status: 429, RetryAfter: 90 * time.Second}},
		"hangs": {hang, Answer{Extract: "no answer in time"}},
		"closes": {func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = c.Close()
			}
		}, Answer{Extract: "EOF"}},
		"drips an error": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(503)
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		}, Answer{Status: 503, Extract: "no answer in time"}},
		"drips 200": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		}, Answer{Status: 200}},
		"sends long headers": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 64<<10))
		}, Answer{Extract: "net/http: server response headers exceeded 16384 bytes; aborted"}},
	}
	for name, c := range cases {
		server := httptest.NewServer(c.handler)
		defer server.Close()
		t.Run(name, func(t *testing.T) {
			client := NewClient(here, "1", 300*time.Millisecond)
			defer client.Close()
			m := Message{ID: "a", Body: []byte("{}")}
			got := testkit.Must(client.Send(t.Context(), server.URL, nil, m, time.Now()))(t)
			if got != c.want {
				t.Errorf("%+v; want %+v", got, c.want)
			}
			if got.Delivered() != (got.Status == 200) || got.Gone() != (got.Status == 410) ||
				got.Overloaded() != (got.RetryAfter > 0) {
				t.Errorf("%+v is taken for something else", got)
			}
		})
	}
	defer close(stop) // before the servers are closed, which wait for their handlers
	if followed {
		t.Error("the redirect was followed")
	}
}

// TestAnAttemptIsStopped with its context.
func TestAnAttemptIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := NewClient(here, "1", Timeout).Send(ctx, "http://127.0.0.1:9", nil, Message{}, time.Now())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an attempt that was stopped: %v", err)
	}
}

func TestKeysAndKinds(t *testing.T) {
	for _, k := range []Key{{Events, 7, 1}, {Events, 1 << 62, 200}, {PayoutStream, 4711, 0},
		{TestStream, 1796000000000, 0}} {
		if got, err := ParseID(k.ID()); err != nil || got != k {
			t.Errorf("%s is read as %v: %v", k.ID(), got, err)
		}
	}
	for _, bad := range []string{"", "event", "event_", "event_7", "event_7-", "event_07-1", "event_-7-1", "payouts_1-1",
		"other_1", "event_7-1 ", "event_99999999999999999999-1", "event_7-4294967296"} {
		if _, err := ParseID(bad); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	got := testkit.Must(ParseKinds("payouts, balance"))(t)
	if got != "balance,payouts" || !Events.Wants(got) || !PayoutStream.Wants(got) {
		t.Error(got)
	}
	if Events.Wants("payouts") || PayoutStream.Wants("balance,settled") || !TestStream.Wants("payouts") {
		t.Error("a stream is wanted by the wrong ones")
	}
	if got := testkit.Must(ParseEventKinds("settled balance"))(t); got != "balance,settled" {
		t.Error(got)
	}
	for _, bad := range []string{"", "payouts", "reward,payouts"} {
		_, err := ParseEventKinds(bad)
		if !errors.Is(err, ledger.ErrInvalid) || strings.Contains(err.Error(), "settled, payouts") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", ",", "balance,x", "test"} {
		if _, err := ParseKinds(bad); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
