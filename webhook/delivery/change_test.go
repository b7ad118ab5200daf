package delivery_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/webhook"
	"github.com/softstake/softstake/webhook/delivery"
)

// during has something done while the first message of a round is on the wire, and answers that one with a status.
func (r *receiver) during(code int, do func()) {
	r.set(func(rw http.ResponseWriter, _ string) {
		r.answer = nil
		do()
		rw.WriteHeader(code)
	})
}

// waiting posts events whose messages fail, and are to be sent again now.
func (w *world) waiting(r *receiver, n int) {
	w.Helper()
	w.deposit(n)
	r.set(status(500))
	w.send()
	r.ids()
	w.clock.Advance(time.Minute)
}

// secretOfAnother makes a secret that replaces the one of "shop".
func (w *world) secretOfAnother() (webhook.Secret, []byte) {
	w.Helper()
	made, sealed, err := webhook.NewSealed(w.sealer, "shop", webhook.HMAC, strings.NewReader(strings.Repeat("s", 32)))
	w.ok(err)
	return made, sealed
}

// TestAnEndpointIsChangedWhileItIsSentTo: what a person changes holds from the next message on, both for what is sent
// again and for what is new.
func TestAnEndpointIsChangedWhileItIsSentTo(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.Context()
		r, moved := newReceiver(w.T), newReceiver(w.T)
		w.add(r, "payouts", true)
		moved.reader = r.reader
		w.deposit(2) // before it wants events
		test := testkit.Must(w.books.TestWebhook(ctx, "shop"))(w.T)
		r.during(http.StatusNoContent, func() {
			w.ok(w.books.ChangeWebhook(ctx, store.WebhookChange{Name: "shop", URL: r.server.URL, Kinds: "balance",
				Ordered: true}))
		})
		w.send()
		r.wants("the test, of which it is not written that it came", test, test)

		w.deposit(2)
		r.during(http.StatusNoContent, func() {
			w.ok(w.books.ChangeWebhook(ctx, store.WebhookChange{Name: "shop", URL: moved.server.URL, Kinds: "balance",
				Ordered: true}))
		})
		w.send()
		r.wants("before it moves", "event_3-1")
		moved.wants("the events since it wants them", "event_3-1", "event_4-1")

		made, sealed := w.secretOfAnother()
		w.deposit(2)
		moved.during(http.StatusNoContent, func() {
			w.ok(w.books.RotateWebhook(ctx, store.WebhookSecret{Name: "shop", Secret: sealed}))
			moved.reader = testkit.Must(standardwebhooks.NewWebhook(made.Receiver()))(w.T)
		})
		w.send() // the receiver verifies
		moved.wants("with the new secret", "event_5-1", "event_5-1", "event_6-1")

		w.deposit(2)
		moved.during(http.StatusNoContent, func() { w.ok(w.books.DisableWebhook(ctx, "shop", "holidays")) })
		w.send()
		moved.wants("until it is disabled", "event_7-1")
		if s := w.state(); s.Disabled.IsZero() || s.Event.Number != 6 || s.Holder != "" {
			w.Errorf("%+v", s.WebhookState)
		}
	})
}

// TestWhatIsGivenUpIsNotSentAgain: also where it was on the wire, or would be sent next.
func TestWhatIsGivenUpIsNotSentAgain(t *testing.T) {
	each(t, func(w *world) {
		r := newReceiver(w.T)
		w.add(r, "balance", false)
		const many = webhook.InParallel + 2
		w.waiting(r, many)
		r.during(http.StatusInternalServerError, func() {
			for _, id := range []string{"event_1-1", "event_10-1"} {
				w.ok(w.books.SkipWebhook(w.Context(), store.WebhookSkip{Name: "shop", Message: id, Reason: "poison"}))
			}
		})
		w.send()
		sent := map[string]int{}
		for _, id := range r.ids() {
			sent[id]++
		}
		if sent["event_1-1"] != 1 || sent["event_10-1"] != 0 || sent["event_2-1"] == 0 || sent["event_9-1"] == 0 {
			w.Errorf("%v", sent)
		}
		if s := w.state(); s.Waiting != 0 || s.Events != 0 {
			w.Errorf("%+v", s)
		}
	})
}

// TestARangeHasALimit: a range of very many events is refused before they are read.
func TestARangeHasALimit(t *testing.T) {
	w := store.Webhook{Kinds: "settled"}
	_, err := delivery.Between(context.Background(), nil, w, "event_1-1", "event_10002-1")
	if ledger.ReasonOf(err) != store.ReasonTooManyMessages {
		t.Error(err)
	}
}

// TestALongPageKeepsItsLease: while many events are read of which an endpoint wants none, no other process begins.
func TestALongPageKeepsItsLease(t *testing.T) {
	each(t, func(w *world) {
		w.add(newReceiver(w.T), "reward", true)
		w.deposit(40)
		looked := 0
		now := func() time.Time {
			looked++
			w.clock.Advance(2 * time.Second)
			if _, found, err := w.books.ClaimWebhook(w.Context(), "shop", "two"); err != nil || found {
				w.Errorf("after %d looks another has it: %v", looked, err)
			}
			return w.clock.Now()
		}
		w.ok(w.senderAt("one", w.books, webhook.Timeout, now).Deliver(w.Context(), "shop"))
		if s := w.state(); s.Events != 0 || looked < 40 {
			w.Errorf("%d looks: %+v", looked, s)
		}
	})
}
