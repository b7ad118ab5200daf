package delivery_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/webhook"
	"github.com/softstake/softstake/webhook/delivery"
)

// block is the first block of docs/webhooks.md in a language.
func block(t *testing.T, language string) string {
	t.Helper()
	text := testkit.Must(os.ReadFile("../../docs/webhooks.md"))(t)
	_, rest, found := strings.Cut(string(text), "```"+language+"\n")
	body, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatalf("docs/webhooks.md has no %s", language)
	}
	return body
}

// receiverOfDocs builds the receiver that docs/webhooks.md shows.
func receiverOfDocs(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "receiver")
	out, err := exec.Command("go", "build", "-mod=readonly", "-ldflags=-w", "-o", program,
		"../../examples/webhook").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// TestTheDocumentedReceiver: the receiver in examples/webhook, which docs/webhooks.md shows, credits what is paid,
// once, also where it gets it again.
func TestTheDocumentedReceiver(t *testing.T) {
	program := receiverOfDocs(t)
	w := &world{T: t, clock: testkit.NewClock(testkit.Noon), sealer: sealerOfTests(t)}
	w.url = scenario.Books(t, "sqlite", w.options(), w.setup())
	w.books = w.open()
	w.holder("alice")
	w.add(newReceiver(t), "balance", false) // for its secret
	secret := testkit.Must(webhook.NewSecret(webhook.HMAC, strings.NewReader(strings.Repeat("s", 32))))(t)
	sealed := testkit.Must(w.sealer.Seal([]byte(secret.Text()), webhook.Sealed("docs")))(t)

	listener := testkit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	address := listener.Addr().String()
	testkit.Must(0, listener.Close())(t)
	p := exec.Command(program, address, secret.Receiver())
	out := testkit.Must(p.StdoutPipe())(t)
	w.ok(p.Start())
	defer func() {
		w.ok(p.Process.Kill())
		_ = p.Wait() // it was killed
	}()
	w.ok(w.books.AddWebhook(t.Context(), store.NewWebhook{Name: "docs", URL: "http://" + address, Kinds: "payouts,settled",
		Ordered: true, Secret: sealed}))
	w.ok(w.books.SetPayouts(t.Context(), true))
	w.deposit(1)
	w.enroll("alice")
	_, err := w.books.Fund(t.Context(), "f", "BNB", 100_000_000, false)
	w.ok(err)
	w.clock.Set(4, "12:00")
	_, err = staking.Run(t.Context(), w.books, w.clock.Now(), staking.Options{})
	w.ok(err)
	scenario.NumberEvents(t, w.books)
	// The library that it verifies with reads its own clock, and refuses what is signed at another time.
	s := w.senderAt("one", w.books, webhook.Timeout, time.Now)
	deliver := func() {
		t.Helper()
		for until := time.Now().Add(time.Minute); ; { // it may not listen yet
			w.ok(s.Deliver(t.Context(), "docs"))
			state := w.stateOf("docs")
			if state.Events+state.Payouts+state.Waiting == 0 {
				return
			}
			if time.Now().After(until) {
				t.Fatalf("%+v", state)
			}
			w.ok(w.books.DisableWebhook(t.Context(), "docs", "it does not listen"))
			w.ok(w.books.EnableWebhook(t.Context(), "docs")) // and what waits is sent at once
		}
	}
	deliver()
	keys := testkit.Must(delivery.Between(t.Context(), w.books, w.stateOf("docs").Webhook, "payouts_1", ""))(t)
	w.ok(w.books.SendWebhookAgain(t.Context(), "docs", keys))
	deliver()
	w.clock.Set(5, "12:00")
	_, err = staking.Run(t.Context(), w.books, w.clock.Now(), staking.Options{})
	w.ok(err)
	scenario.NumberEvents(t, w.books)
	deliver()
	lines := bufio.NewScanner(out)
	for day := 3; day <= 5; day++ {
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		want := fmt.Sprintf("credited reward/2026-03-%02d/BNB/alice 0.0000041 BNB to alice", day)
		if !strings.HasPrefix(lines.Text(), want[:len("credited reward/2026-03-03/BNB/alice 0.0000041")]) {
			t.Errorf("it says %q; want %q", lines.Text(), want)
		}
	}
}

// TestTheDocumentedMessage: the message in docs/webhooks.md has the fields of those that are sent.
func TestTheDocumentedMessage(t *testing.T) {
	var m struct {
		Type, Timestamp string
		Data            delivery.PayoutData
	}
	d := json.NewDecoder(strings.NewReader(block(t, "json")))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	if again := testkit.Must(json.Marshal(m.Data))(t); strings.Contains(string(again), `""`) || m.Data.Next != 4711 {
		t.Errorf("a field is missing: %s", again)
	}
}
