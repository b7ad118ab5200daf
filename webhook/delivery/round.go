package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/webhook"
)

const (
	// writeEvery is how much is sent at most before it is written how far that is.
	writeEvery = time.Second
	// writeWait is how long a process that ends takes to write what it has sent.
	writeWait = 5 * time.Second
)

// round is what is done for an endpoint in one claim: what waits and is due, and then a page of what is new.
type round struct {
	*Sender
	work    store.WebhookWork
	secrets []webhook.Secret
	did     store.WebhookProgress // since it was written last
	ended   []webhook.Key         // messages that waited, and do not any more
	waiting int                   // messages that wait
	held    bool                  // a message waits that holds the others
	stopped bool                  // the endpoint is disabled
	wrote   time.Time
}

// round does one, and reports whether there may be more to do now.
func (s *Sender) round(ctx context.Context, work store.WebhookWork) (more bool, err error) {
	r := &round{Sender: s, work: work, waiting: len(work.Messages), wrote: s.Now()}
	r.did = store.WebhookProgress{Name: work.Name, Holder: s.Holder, Event: work.Event, Payout: work.Payout}
	if r.secrets, err = s.secrets(work.Webhook); err != nil {
		return false, err
	}
	if err = r.resend(ctx); err == nil && r.open() {
		more, err = r.next(ctx)
	}
	kept, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWait)
	defer cancel()
	err = errors.Join(err, r.write(kept)) // also what was sent before it was stopped
	if r.waiting == 0 {
		r.caughtUp(r.work.Name)
	}
	return more && err == nil && !r.stopped && r.did.Paused.IsZero(), err
}

// open reports whether something new may be sent: nothing holds it, and what fails has room.
func (r *round) open() bool {
	return !r.stopped && r.did.Paused.IsZero() && !r.held && r.waiting+webhook.InParallel <= store.MaxWebhookMessages
}

// resend sends what waits and is due: of what holds other messages only the first.
func (r *round) resend(ctx context.Context) error {
	now := r.Now()
	var due []store.WebhookMessage
	for _, m := range r.work.Messages {
		if r.work.Ordered && !m.Again {
			r.held = true
		}
		if !now.Before(m.Next) {
			due = append(due, m)
		}
	}
	if r.work.Ordered {
		slices.SortFunc(due, func(a, b store.WebhookMessage) int { return a.Compare(b.Key) })
	}
	blocked := false
	for batch := range slices.Chunk(due, r.parallel()) {
		if r.stopped || !r.did.Paused.IsZero() {
			return nil
		}
		if r.work.Ordered && !batch[0].Again && (blocked || batch[0].Key != r.head()) {
			continue
		}
		messages := make([]message, len(batch))
		for i, m := range batch {
			var err error
			messages[i], err = r.source.find(ctx, m.Key)
			if errors.Is(err, errLost) {
				r.disable(fmt.Sprintf("message %s is to be sent again, and %s", m.ID(), errLost))
				return nil
			}
			if err != nil {
				return err
			}
		}
		failed := len(r.did.Failed)
		if err := r.send(ctx, messages, batch); err != nil {
			return err
		}
		blocked = blocked || len(r.did.Failed) > failed
	}
	r.held = r.held && !r.freed()
	return nil
}

// head is the first message that holds the others.
func (r *round) head() (first webhook.Key) {
	found := false
	for _, m := range r.work.Messages {
		if !m.Again && !r.hasEnded(m.Key) && (!found || m.Stream < first.Stream ||
			m.Stream == first.Stream && m.Compare(first) < 0) {
			first, found = m.Key, true
		}
	}
	return first
}

func (r *round) hasEnded(k webhook.Key) bool { return slices.Contains(r.ended, k) }

// disable has the endpoint disabled when it is written what was done.
func (r *round) disable(reason string) {
	if !r.stopped {
		r.did.Disable, r.stopped = reason, true
	}
}

// freed reports whether all messages that held others are delivered.
func (r *round) freed() bool {
	return !slices.ContainsFunc(r.work.Messages, func(m store.WebhookMessage) bool {
		return !m.Again && !r.hasEnded(m.Key)
	})
}

func (r *round) parallel() int {
	if r.work.Ordered {
		return 1
	}
	return webhook.InParallel
}

// next sends a page of what is new in each stream, and reports whether there was any.
func (r *round) next(ctx context.Context) (more bool, err error) {
	for _, stream := range []struct {
		webhook.Stream
		at   *webhook.Key
		read func() (page, error)
	}{
		{webhook.Events, &r.did.Event, func() (page, error) {
			return r.source.events(ctx, r.did.Event, r.work.Kinds, func() error { return r.keep(ctx) })
		}},
		{webhook.PayoutStream, &r.did.Payout, func() (page, error) { return r.source.payouts(ctx, r.did.Payout) }},
	} {
		if !stream.Wants(r.work.Kinds) || !r.open() {
			continue
		}
		p, err := stream.read()
		if errors.Is(err, outbox.ErrNotKept) {
			r.disable(fmt.Sprintf("events after %d are not kept any more; the receiver misses them", stream.at.Number))
			return false, nil
		}
		if err != nil {
			return false, err
		}
		complete := true
		for batch := range slices.Chunk(p.messages, r.parallel()) {
			if complete = r.open(); !complete {
				break
			}
			if err := r.send(ctx, batch, nil); err != nil {
				return false, err
			}
			if complete = !r.held; !complete { // it stays before the message that failed
				break
			}
			*stream.at = batch[len(batch)-1].Key
		}
		if complete {
			more = more || p.end != *stream.at || len(p.messages) > 0
			*stream.at = p.end
		}
	}
	return more, nil
}

// send makes an attempt for each message, all at the same time, and notes what became of them. waits are those that
// wait, in the same order; nil: they are new. It writes from time to time. Nothing is sent where somebody has changed
// the endpoint since it was claimed.
func (r *round) send(ctx context.Context, messages []message, waits []store.WebhookMessage) error {
	if err := r.Books.CheckWebhook(ctx, r.work.Name, r.Holder); err != nil {
		return err
	}
	answers, times, errs := make([]webhook.Answer, len(messages)), make([]time.Time, len(messages)),
		make([]error, len(messages))
	var sending sync.WaitGroup
	for i, m := range messages {
		sending.Go(func() {
			times[i] = r.Now()
			answers[i], errs[i] = r.Client.Send(ctx, r.work.URL, r.secrets, webhook.Message{ID: m.ID(), Body: m.body}, r.Wall())
		})
	}
	sending.Wait()
	for i, m := range messages {
		if errs[i] != nil { // it was stopped, and is as if it had not been begun
			return errs[i]
		}
		if waits == nil {
			r.note(store.SentMessage{WebhookMessage: store.WebhookMessage{Key: m.Key, Added: times[i]}, At: times[i],
				Answer: answers[i]}, true)
		} else {
			r.note(store.SentMessage{WebhookMessage: waits[i], At: times[i], Answer: answers[i]}, false)
		}
	}
	if r.Now().Sub(r.wrote) >= writeEvery {
		return r.write(ctx)
	}
	return nil
}

// keep prolongs the lease while something long is read.
func (r *round) keep(ctx context.Context) error {
	if r.Now().Sub(r.wrote) < store.WebhookLease/4 {
		return nil
	}
	return r.write(ctx)
}

// note notes what became of an attempt.
func (r *round) note(m store.SentMessage, isNew bool) {
	m.Attempts++
	if m.Answer.Delivered() {
		r.Observe(r.work.Name, Delivered)
		r.did.Delivered++
		if isNew {
			return
		}
		r.end(m)
		if !m.Again && r.work.Ordered {
			r.pass(m.Key)
		}
		return
	}
	if r.Observe(r.work.Name, result(m.Answer)); m.Stream == webhook.TestStream {
		r.end(m)
		return
	}
	r.sayRefused(r.work.Name, m)
	wait, again := webhook.Delay(m.Attempts, r.Jitter())
	m.Next = m.At.Add(max(wait, m.Answer.RetryAfter))
	switch {
	case m.Answer.Gone():
		r.disable("the receiver wants no more messages: it answered 410")
	case !again:
		r.disable(fmt.Sprintf("%d attempts to send %s failed; the last: %s", m.Attempts, m.ID(), outcome(m.Answer)))
	case m.Answer.Overloaded():
		r.did.Paused = m.At.Add(m.Answer.RetryAfter)
	}
	r.did.Failed = append(r.did.Failed, m)
	if isNew {
		r.waiting++
		r.held = r.held || r.work.Ordered
	}
}

func (r *round) end(m store.SentMessage) {
	r.did.Ended, r.ended = append(r.did.Ended, m), append(r.ended, m.Key)
	r.waiting--
}

// pass moves the place of an endpoint past a message that held the others.
func (r *round) pass(k webhook.Key) {
	at := &r.did.Event
	if k.Stream == webhook.PayoutStream {
		at = &r.did.Payout
	}
	if k.Compare(*at) > 0 {
		*at = k
	}
}

func result(a webhook.Answer) string {
	if a.Status == 0 {
		return Unreachable
	}
	return Refused
}

// outcome is an answer for a person.
func outcome(a webhook.Answer) string {
	switch {
	case a.Status == 0:
		return a.Extract
	case a.Extract == "":
		return fmt.Sprintf("status %d", a.Status)
	}
	return fmt.Sprintf("status %d, %s", a.Status, a.Extract)
}

// write writes what was done since it was written last.
func (r *round) write(ctx context.Context) error {
	r.did.At = r.Now()
	if err := r.Books.RecordWebhook(ctx, r.did); err != nil {
		return err
	}
	if r.did.Disable != "" {
		r.Log.Error("a webhook is disabled", "endpoint", r.work.Name, "reason", r.did.Disable)
	}
	r.did.Delivered, r.did.Ended, r.did.Failed, r.did.Disable = 0, nil, nil, ""
	r.wrote = r.did.At
	return nil
}
