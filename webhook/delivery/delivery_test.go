package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/webhook"
	"github.com/softstake/softstake/webhook/delivery"
)

// TestWhatIsSent: balances, rewards and settled days come as messages, in order and once; payouts in those of their
// batches, with the total.
func TestWhatIsSent(t *testing.T) {
	each(t, func(w *world) {
		r := newReceiver(w.T)
		w.deposit(1) // before there is an endpoint
		w.add(r, "balance,reward,settled,payouts", true)
		w.ok(w.books.SetPayouts(w.Context(), true))
		w.deposit(2)
		w.send()
		w.ids()(r, "event_2-1", "event_3-1")
		kind, balances := data[struct{ Events []events.Balance }](r, "event_3-1")
		if b := balances.Events; kind != "balance" || len(b) != 1 || b[0].Entry != "e3" || b[0].Balance != "3" ||
			b[0].Change != "1" {
			w.Errorf("%s: %+v", kind, b)
		}

		w.enroll("alice")
		_, err := w.books.Fund(w.Context(), "f", "BNB", 100_000_000, false)
		w.ok(err)
		w.clock.Set(3, "12:00")
		_, err = staking.Run(w.Context(), w.books, w.clock.Now(), staking.Options{})
		w.ok(err)
		scenario.NumberEvents(w, w.books)
		w.send()
		var kinds []string
		for _, id := range r.ids() {
			kind, payout := data[delivery.PayoutData](r, id)
			kinds = append(kinds, kind)
			if kind != "payouts" {
				continue
			}
			if p := payout.Payouts; len(p) != 1 || p[0].ID != "reward/2026-03-03/BNB/alice" ||
				p[0].Amount != payout.Batch.Total || p[0].Account != "alice" || payout.Next != 1 ||
				payout.Batch.First != 1 || payout.Batch.Last != 1 {
				w.Errorf("%s: %+v", id, payout)
			}
		}
		slices.Sort(kinds)
		if kinds = slices.Compact(kinds); !slices.Equal(kinds, []string{"payouts", "reward", "settled"}) {
			w.Errorf("the types are %v", kinds)
		}
		w.send()
		r.wants("there is no more")
		if s := w.state(); s.Events != 0 || s.Payouts != 0 || s.Waiting != 0 || !s.Oldest.IsZero() || s.Delivered < 5 {
			w.Errorf("%+v", s)
		}
	})
}

// ids compares what a receiver got.
func (w *world) ids() func(r *receiver, ids ...string) {
	return func(r *receiver, ids ...string) {
		w.Helper()
		r.wants("sent", ids...)
	}
}

// TestPayoutsAreInTheSameMessagesEachTime: wherever one begins, the messages of a batch of more payouts than a message
// has are the same.
func TestPayoutsAreInTheSameMessagesEachTime(t *testing.T) {
	each(t, func(w *world) {
		bucket := ledger.Account("alice").Bucket()
		var same []ledger.Account
		for n := 0; len(same) < 5; n++ {
			if id := ledger.Account(fmt.Sprint("holder-", n)); id.Bucket() == bucket {
				same = append(same, id)
			}
		}
		w.ok(w.books.SetPayouts(w.Context(), true))
		for i, id := range same {
			_, err := w.books.OpenAccount(w.Context(), id, "DE")
			w.ok(err)
			_, err = w.books.PostAll(w.Context(), []ledger.Entry{{ID: fmt.Sprint("d", i), Kind: ledger.Deposit,
				Moves: []ledger.Move{{From: ledger.Custody, To: id, Asset: "BNB", Amount: 100_000_000}}}})
			w.ok(err)
			w.enroll(id)
		}
		_, err := w.books.Fund(w.Context(), "f", "BNB", 100_000_000, false)
		w.ok(err)
		w.clock.Set(3, "12:00")
		_, err = staking.Run(w.Context(), w.books, w.clock.Now(), staking.Options{})
		w.ok(err)
		rs := reports.New(w.books.Reader())
		for after := range int64(5) {
			var got []string
			for _, c := range testkit.Must(rs.PayoutChunks(w.Context(), after, 2, 10))(w.T) {
				got = append(got, fmt.Sprintf("%d-%d of %d-%d", c.Payouts[0].Number, c.Last(), c.Batch.First, c.Batch.Last))
			}
			want := []string{"1-2 of 1-5", "3-4 of 1-5", "5-5 of 1-5"}[after/2:]
			if !slices.Equal(got, want) {
				w.Errorf("after %d: %v; want %v", after, got, want)
			}
		}
		// An endpoint begins between two messages, so that it gets no payout that was credited in another way.
		for after, ok := range map[int64]bool{0: true, 3: false, 5: true} {
			err := w.books.AddWebhook(w.Context(), store.NewWebhook{Name: fmt.Sprint("after-", after), PayoutsAfter: after,
				URL: "https://shop.example.com", Kinds: "payouts", Secret: []byte("sealed")})
			if ok != (err == nil) || !ok && !errors.Is(err, ledger.ErrInvalid) {
				w.Errorf("after payout %d: %v", after, err)
			}
		}
	})
}

// TestWhatHasFailedIsSentAtOnce when a person enables the endpoint, whose receiver is repaired, though it was never
// disabled.
func TestWhatHasFailedIsSentAtOnce(t *testing.T) {
	each(t, func(w *world) {
		r := newReceiver(w.T)
		w.add(r, "balance", true)
		r.set(func(rw http.ResponseWriter, _ string) { rw.WriteHeader(500) })
		w.deposit(1)
		w.send()
		r.wants("at first", "event_1-1")
		r.set(nil)
		w.send()
		r.wants("before its time")
		w.ok(w.books.EnableWebhook(w.Context(), "shop"))
		w.send()
		r.wants("when it is enabled", "event_1-1")
		w.ok(w.books.EnableWebhook(w.Context(), "shop"))
		w.send()
		r.wants("when nothing waits")
	})
}

// TestAFailureIsSeen: it is logged once that an endpoint fails, and after an hour it needs somebody.
func TestAFailureIsSeen(t *testing.T) {
	w := worldOf(t, "sqlite")
	r := newReceiver(t)
	w.add(r, "balance", false)
	r.set(func(rw http.ResponseWriter, _ string) { rw.WriteHeader(500) })
	s := w.sender("one", w.books, webhook.Timeout)
	logged := func(want int) {
		t.Helper()
		if got := strings.Count(w.log.String(), "a webhook is not delivered; it is sent again"); got != want {
			t.Errorf("it is logged %d times, not %d:\n%s", got, want, w.log.String())
		}
	}
	w.deposit(2)
	for _, wait := range []time.Duration{0, 5 * time.Second, time.Hour - 6*time.Second} {
		w.clock.Advance(wait)
		w.ok(s.Deliver(t.Context(), "shop"))
		logged(1)
		if w.state().Needs(w.clock.Now()) {
			t.Error("it has not failed for an hour yet")
		}
	}
	w.clock.Advance(time.Second)
	if !w.state().Needs(w.clock.Now()) {
		t.Errorf("it has failed for an hour: %+v", w.state())
	}
	w.ok(w.books.EnableWebhook(t.Context(), "shop"))
	r.set(nil)
	w.ok(s.Deliver(t.Context(), "shop"))
	if w.state().Needs(w.clock.Now()) {
		t.Error("it does not fail any more")
	}
	r.set(func(rw http.ResponseWriter, _ string) { rw.WriteHeader(500) })
	w.deposit(1)
	w.ok(s.Deliver(t.Context(), "shop"))
	logged(2)
}

// TestTheScheduleOfAFailure: a message that fails is retried by the schedule, with one ID and one body, and then its
// endpoint is disabled; nothing after it is sent where there is an order. When it is enabled, what waits is sent at
// once.
func TestTheScheduleOfAFailure(t *testing.T) {
	for _, ordered := range []bool{true, false} {
		t.Run(fmt.Sprint("ordered ", ordered), func(t *testing.T) {
			each(t, func(w *world) {
				r := newReceiver(w.T)
				w.add(r, "balance", ordered)
				fails := func(rw http.ResponseWriter, id string) {
					if id == "event_1-1" {
						rw.WriteHeader(500)
					}
				}
				r.set(fails)
				w.deposit(2)
				w.send()
				first := []string{"event_1-1"}
				if !ordered {
					first = append(first, "event_2-1")
				}
				got := r.ids()
				slices.Sort(got)
				if !slices.Equal(got, first) {
					w.Fatalf("%v at first", got)
				}
				began, waits := w.clock.Now(), []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
					5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
				for n, wait := range waits {
					w.clock.Advance(wait - time.Millisecond)
					w.send()
					r.wants("too early")
					w.clock.Advance(time.Millisecond)
					w.send()
					r.wants(fmt.Sprint("attempt ", n+2), "event_1-1")
					if s := w.state(); s.Disabled.IsZero() == (n == len(waits)-1) || !s.Oldest.Equal(began) {
						w.Fatalf("after attempt %d: %+v", n+2, s.WebhookState)
					}
				}
				s := w.state()
				if !strings.HasPrefix(s.Reason, "10 attempts to send event_1-1 failed; the last: status 500") {
					w.Error(s.Reason)
				}
				attempts := testkit.Must(reports.New(w.books.Reader()).WebhookAttempts(w.Context(), "shop", 100))(w.T)
				if len(attempts) != 10 || attempts[0].Attempt != 10 || attempts[9].Attempt != 1 || attempts[0].Status != 500 {
					w.Errorf("%+v", attempts)
				}
				w.clock.Advance(48 * time.Hour)
				w.send()
				r.wants("while it is disabled")
				r.set(nil)
				w.ok(w.books.EnableWebhook(w.Context(), "shop"))
				w.send()
				want := []string{"event_1-1"}
				if ordered {
					want = append(want, "event_2-1")
				}
				r.wants("when it is enabled", want...)
				if s := w.state(); s.Waiting != 0 || !s.Disabled.IsZero() || s.Delivered != 2 {
					w.Errorf("%+v", s)
				}
			})
		})
	}
}

// TestAnOrderIsKept: what comes after a message that failed is sent after it, also within one event of the outbox.
func TestAnOrderIsKept(t *testing.T) {
	each(t, func(w *world) {
		r := newReceiver(w.T)
		w.add(r, "balance", true)
		fail := true
		r.set(func(rw http.ResponseWriter, id string) {
			if fail = !fail; fail {
				rw.WriteHeader(http.StatusBadGateway)
			}
		})
		w.deposit(4)
		var got []string
		for range 8 {
			w.send()
			got = append(got, r.ids()...)
			w.clock.Advance(5 * time.Second)
		}
		want := "event_1-1 event_2-1 event_2-1 event_3-1 event_3-1 event_4-1 event_4-1"
		if strings.Join(got, " ") != want {
			w.Errorf("the attempts are %v", got)
		}
	})
}

// TestWhatReceiversAnswer: one that is gone is disabled at once; one that is overloaded is left alone as long as it
// asks, at most for a day.
func TestWhatReceiversAnswer(t *testing.T) {
	each(t, func(w *world) {
		r := newReceiver(w.T)
		w.add(r, "balance", false)
		r.set(func(rw http.ResponseWriter, _ string) {
			rw.Header().Set("Retry-After", "3600")
			rw.WriteHeader(http.StatusTooManyRequests)
		})
		w.deposit(1)
		w.send()
		w.deposit(1)
		w.clock.Advance(time.Hour - time.Millisecond)
		w.send()
		r.wants("it is left alone", "event_1-1")
		w.clock.Advance(time.Millisecond)
		r.set(status(http.StatusGone))
		w.send()
		r.wants("an hour later", "event_1-1")
		if s := w.state(); s.Disabled.IsZero() || !strings.Contains(s.Reason, "410") || s.Waiting != 1 || s.Events != 1 {
			w.Errorf("%+v", s)
		}
		w.clock.Advance(24 * time.Hour)
		w.send()
		r.wants("it is gone")
	})
}

// TestOneProcessSends: while one has an endpoint another sends nothing, goes on when its lease is over, and the one
// that comes back late writes nothing.
func TestOneProcessSends(t *testing.T) {
	each(t, func(w *world) {
		r := newReceiver(w.T)
		w.add(r, "balance", true)
		w.deposit(1)
		w.send()
		r.wants("by the first", "event_1-1")
		other := w.open()
		two := w.sender("two", other, webhook.Timeout)
		w.deposit(1)
		w.ok(two.Deliver(w.Context(), "shop"))
		r.wants("the first has it")

		// The first stalls in an attempt, until its lease is over.
		r.set(func(rw http.ResponseWriter, id string) {
			r.answer = nil
			w.clock.Advance(store.WebhookLease)
			r.mu.Unlock() // this attempt is still in hand
			w.ok(two.Deliver(w.Context(), "shop"))
			r.mu.Lock()
		})
		w.send()
		r.wants("by both", "event_2-1", "event_2-1")
		w.deposit(1)
		w.ok(two.Deliver(w.Context(), "shop"))
		r.wants("the second goes on", "event_3-1")
		if s := w.state(); s.Holder != "two" || s.Delivered != 3 {
			w.Errorf("%+v", s)
		}
	})
}

// TestManyProcessesMissNothing: three processes send what is posted at the same time, to a receiver that fails now and
// then: it gets each message.
func TestManyProcessesMissNothing(t *testing.T) {
	each(t, func(w *world) {
		r := newReceiver(w.T)
		w.add(r, "balance", false)
		n := 0
		r.set(func(rw http.ResponseWriter, id string) {
			if n++; n%5 == 0 {
				rw.WriteHeader(500)
				return
			}
			r.taken = append(r.taken, id)
		})
		ctx, stop := context.WithCancel(w.Context())
		defer stop()
		var work sync.WaitGroup
		for _, holder := range []string{"one", "two", "three"} {
			s := w.sender(holder, w.open(), webhook.Timeout)
			work.Go(func() { s.Run(ctx) })
		}
		const posted = 40
		for range posted {
			w.deposit(1)
			w.clock.Advance(100 * time.Millisecond)
		}
		for until := time.Now().Add(time.Minute); ; {
			r.mu.Lock()
			taken := slices.Clone(r.taken)
			r.mu.Unlock()
			slices.Sort(taken)
			if len(slices.Compact(taken)) == posted {
				break
			}
			if time.Now().After(until) {
				w.Fatalf("%d of %d messages came: %+v", len(taken), posted, w.state())
			}
			w.clock.Advance(10 * time.Second) // its next attempts
			select {
			case <-w.books.Outbox().Wait():
			case <-time.After(5 * time.Millisecond):
			}
		}
		stop()
		work.Wait()
		if s := w.state(); s.Holder != "" {
			w.Errorf("%s has it still", s.Holder)
		}
	})
}

// TestSendingAgain: what was delivered is sent again, by its ID, with the same body; and tests are sent.
func TestSendingAgain(t *testing.T) {
	each(t, func(w *world) {
		r := newReceiver(w.T)
		w.add(r, "balance", true)
		w.deposit(3)
		w.send()
		r.ids()
		again := testkit.Must(delivery.Between(w.Context(), w.books, w.state().Webhook, "event_2-1", "event_3-1"))(w.T)
		w.ok(w.books.SendWebhookAgain(w.Context(), "shop", again))
		test := testkit.Must(w.books.TestWebhook(w.Context(), "shop"))(w.T)
		w.send()
		r.wants("again", "event_2-1", "event_3-1", test)
		kind, _ := data[struct{}](r, test)
		if kind != "test" {
			w.Errorf("the type is %q", kind)
		}
		w.send()
		r.wants("once")

		// What was not sent comes by itself, in its order.
		err := w.books.SendWebhookAgain(w.Context(), "shop", []webhook.Key{{Stream: webhook.Events, Number: 4, Part: 1}})
		if !errors.Is(err, ledger.ErrInvalid) {
			w.Errorf("a message that was not sent is sent again: %v", err)
		}

		// A test that fails is not retried; a replay that fails holds nothing.
		r.set(status(500))
		w.clock.Advance(time.Second)
		test = testkit.Must(w.books.TestWebhook(w.Context(), "shop"))(w.T)
		w.ok(w.books.SendWebhookAgain(w.Context(), "shop", again[:1]))
		w.send()
		r.wants("they fail", "event_2-1", test)
		w.deposit(1)
		r.set(nil)
		w.send()
		r.wants("what is new is not held", "event_4-1")
		w.clock.Advance(5 * time.Second)
		w.send()
		r.wants("later", "event_2-1")
	})
}

// TestWhatIsNotKept: an endpoint whose events are removed is disabled and says so; somebody decides, and it goes on.
func TestWhatIsNotKept(t *testing.T) {
	each(t, func(w *world) {
		r := newReceiver(w.T)
		w.add(r, "balance", true)
		w.ok(w.books.DisableWebhook(w.Context(), "shop", "holidays"))
		w.deposit(2)
		w.clock.Advance(9 * 24 * time.Hour)
		w.deposit(1)
		w.ok(w.books.Prune(w.Context(), people.Retention{}))
		w.ok(w.books.EnableWebhook(w.Context(), "shop"))
		w.send()
		r.wants("they are missing")
		if s := w.state(); s.Disabled.IsZero() || !strings.Contains(s.Reason, "events after 0 are not kept any more") {
			w.Fatalf("%+v", s)
		}
		w.ok(w.books.SkipWebhook(w.Context(), store.WebhookSkip{Name: "shop", Reason: "read from /v1"}))
		w.ok(w.books.EnableWebhook(w.Context(), "shop"))
		w.send()
		r.wants("it goes on", "event_3-1")
	})
}

// TestAMessageIsGivenUp: the one that holds the others is passed over.
func TestAMessageIsGivenUp(t *testing.T) {
	each(t, func(w *world) {
		r := newReceiver(w.T)
		w.add(r, "balance", true)
		r.set(status(500))
		w.deposit(2)
		w.send()
		r.set(nil)
		w.ok(w.books.SkipWebhook(w.Context(), store.WebhookSkip{Name: "shop", Message: "event_1-1", Reason: "poison"}))
		r.ids()
		w.send()
		r.wants("the next", "event_2-1")
	})
}

// TestAChangedEndpointGetsNothing: where somebody has changed a row by SQL, nothing is sent there.
func TestAChangedEndpointGetsNothing(t *testing.T) {
	each(t, func(w *world) {
		r, thief := newReceiver(w.T), newReceiver(w.T)
		w.add(r, "balance", true)
		w.deposit(1)
		_, err := scenario.Rows(w.Context(), w.url, "UPDATE webhooks SET url = '"+thief.server.URL+"'")
		w.ok(err)
		if err := w.sender("one", w.books, webhook.Timeout).Deliver(w.Context(), "shop"); err == nil {
			w.Error("it is taken for an endpoint")
		}
		r.wants("nothing")
		thief.wants("nothing")
		if s := w.state(); !s.Forged || !s.Idle(w.clock.Now(), "one") {
			w.Errorf("%+v", s)
		}
		w.ok(w.books.RemoveWebhook(w.Context(), "shop"))
	})
}

// TestASecretIsReplaced: both sign until the former's end, then the new one alone; without an overlap at once.
func TestASecretIsReplaced(t *testing.T) {
	each(t, func(w *world) {
		r := newReceiver(w.T)
		old := w.add(r, "balance", true)
		other, sealed := w.secretOfAnother()
		w.ok(w.books.RotateWebhook(w.Context(), store.WebhookSecret{Name: "shop", Secret: sealed, Overlap: time.Hour}))
		w.deposit(1)
		w.send() // the receiver verifies with the old one
		r.wants("with both", "event_1-1")
		w.clock.Advance(time.Hour)
		var signer webhook.Secret
		r.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
			body, err := io.ReadAll(q.Body)
			if err != nil {
				w.Error(err)
			}
			seconds := testkit.Must(strconv.ParseInt(q.Header.Get("Webhook-Timestamp"), 10, 64))(w.T)
			want := signer.Sign(q.Header.Get("Webhook-Id"), time.Unix(seconds, 0), body)
			if got := q.Header.Get("Webhook-Signature"); got != want {
				w.Errorf("the signatures are %s; want %s", got, want)
			}
		})
		signer = other
		w.deposit(1)
		w.send()

		// A clock never shows the same time twice.
		moving := w.options()
		moving.Clock = func() time.Time { w.clock.Advance(time.Millisecond); return w.clock.Now() }
		books := testkit.Must(store.Open(w.Context(), w.url, moving))(w.T)
		w.Cleanup(func() { w.ok(books.Close()) })
		again := testkit.Must(w.sealer.Seal([]byte(old.Text()), webhook.Sealed("shop")))(w.T)
		w.ok(books.RotateWebhook(w.Context(), store.WebhookSecret{Name: "shop", Secret: again}))
		signer = old
		w.deposit(1)
		w.send()
		if s := w.state(); s.Delivered != 3 {
			w.Errorf("%d messages came", s.Delivered)
		}
	})
}
