package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/webhook"
)

const (
	// WebhookLease is for how long a process has an endpoint for itself: above what sending takes until it is written.
	WebhookLease = time.Minute
	// attemptsKept is how many attempts of an endpoint are kept: the newest, and all of the same moment as the oldest of
	// them.
	attemptsKept = 1000
)

// WebhookMessage is a message that is to be sent at a time: one that failed, or that somebody wants to be sent.
type WebhookMessage struct {
	webhook.Key
	Again    bool // somebody asked for it: it holds no other message
	Attempts int  // that were made
	Next     time.Time
	Added    time.Time
}

// WebhookMessageColumns are what ReadWebhookMessage reads.
const WebhookMessageColumns = "stream, number, part, again, attempts, next, added"

// ReadWebhookMessage reads a row of webhook_messages. It never fails.
func ReadWebhookMessage(r db.Row) (WebhookMessage, error) {
	return WebhookMessage{webhook.Key{Stream: webhook.Stream(r.Int(0)), Number: r.Int(1), Part: r.Int(2)}, r.Int(3) != 0,
		int(r.Int(4)), db.TimeOf(r.Int(5)), db.TimeOf(r.Int(6))}, nil
}

// WebhookWork is what a process that has claimed an endpoint is to do.
type WebhookWork struct {
	Webhook
	Messages []WebhookMessage // that wait, by when they are to be sent
}

// ClaimWebhook gives a process an endpoint for WebhookLease, or found is false: it is disabled or paused, another
// process has it, or it has been removed. holder names the process. integrity.ErrForged where somebody else has written
// the endpoint.
func (b *DB) ClaimWebhook(ctx context.Context, name, holder string) (work WebhookWork, found bool, err error) {
	err = b.engine.Write(ctx, func(t db.Tx) error {
		found = false
		now := b.clock()
		w, err := b.lockWebhook(t, name)
		if err != nil {
			if ledger.ReasonOf(err) == ReasonUnknownWebhook {
				err = nil
			}
			return err
		}
		if !w.Disabled.IsZero() || now.Before(w.Paused) || w.Holder != holder && now.Before(w.Lease) {
			return nil
		}
		w.Holder, w.Lease = holder, now.Add(WebhookLease)
		messages, err := db.All(t, ReadWebhookMessage, "SELECT "+WebhookMessageColumns+
			" FROM webhook_messages WHERE name = $1 ORDER BY next, stream, number, part", name)
		if err == nil {
			_, err = t.Exec("UPDATE webhook_states SET holder = $2, lease = $3 WHERE name = $1", name, holder,
				w.Lease.UnixMilli())
		}
		work, found = WebhookWork{w, messages}, err == nil
		return err
	})
	return work, found, annotate(err, "claim the endpoint %s", name)
}

// CheckWebhook looks whether a process has an endpoint that it has claimed still. ledger.ErrConflict because of
// ReasonLease where another has claimed it since, or it was changed, disabled or removed.
func (b *DB) CheckWebhook(ctx context.Context, name, holder string) error {
	err := b.engine.Read(ctx, func(t db.View) error {
		_, found, err := db.First(t, db.TextOf, "SELECT name FROM webhook_states WHERE name = $1 AND holder = $2", name,
			holder)
		if err == nil && !found {
			err = leaseLost(name)
		}
		return err
	})
	return annotate(err, "send to the endpoint %s", name)
}

func leaseLost(name string) error {
	return ledger.ErrConflict.In("", "another process sends to the endpoint %s, or it was changed or removed", name).
		Because(ReasonLease)
}

// endLease takes an endpoint from the process that sends to it, because what that process has read of it has changed.
// The process sees it before it sends the next messages, and can write neither how far it is nor what failed.
func endLease(t db.Tx, name string) error {
	_, err := t.Exec("UPDATE webhook_states SET holder = '', lease = 0 WHERE name = $1", name)
	return err
}

// SentMessage is a message, with what became of an attempt to send it, which is counted.
type SentMessage struct {
	WebhookMessage
	At     time.Time
	Answer webhook.Answer
}

// WebhookProgress is what a process has done for an endpoint that it has claimed.
type WebhookProgress struct {
	Name, Holder  string
	At            time.Time
	Event, Payout webhook.Key   // the last of each stream that is delivered, or is among Failed
	Delivered     int64         // messages
	Ended         []SentMessage // that waited, and are delivered; and tests that failed
	Failed        []SentMessage // that wait for another attempt
	Paused        time.Time     // until when the receiver asks for nothing
	Disable       string        // why nothing is sent any more; "": it is
}

// RecordWebhook writes what was done, and prolongs the lease. ledger.ErrConflict because of ReasonLease where another
// process has the endpoint, or it was changed, disabled or removed: then nothing is written, and what was sent is sent
// again.
func (b *DB) RecordWebhook(ctx context.Context, p WebhookProgress) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		n, err := t.Exec(`UPDATE webhook_states SET event_number = $3, event_part = $4, payout = $5, paused = $6,
		      lease = $7, delivered = delivered + $8, delivered_at = CASE WHEN $8 > 0 THEN $9 ELSE delivered_at END
		      WHERE name = $1 AND holder = $2`, p.Name, p.Holder, p.Event.Number, p.Event.Part, p.Payout.Number,
			db.MillisOf(p.Paused), p.At.Add(WebhookLease).UnixMilli(), p.Delivered, p.At.UnixMilli())
		if err != nil {
			return err
		}
		if n == 0 {
			return leaseLost(p.Name)
		}
		if err := p.writeMessages(t); err != nil {
			return err
		}
		if err := b.writeAttempts(t, p); err != nil || p.Disable == "" {
			return err
		}
		return b.disableWebhook(t, p.Name, p.Disable)
	})
	return annotate(err, "write what was sent to the endpoint %s", p.Name)
}

// writeMessages removes those that have ended, and adds or changes those that failed.
func (p WebhookProgress) writeMessages(t db.Tx) error {
	if len(p.Ended) > 0 {
		if err := t.Each(nil, "DELETE FROM webhook_messages WHERE name = $1 AND stream = $2 AND number = $3 AND part = $4",
			db.SetOf(messagesOf(p.Ended), messageKey(func(WebhookMessage) string { return p.Name })...)); err != nil {
			return err
		}
	}
	if len(p.Failed) == 0 {
		return nil
	}
	return insertMessages(t, p.Name, messagesOf(p.Failed))
}

func messagesOf(sent []SentMessage) []WebhookMessage {
	messages := make([]WebhookMessage, len(sent))
	for i, m := range sent {
		messages[i] = m.WebhookMessage
	}
	return messages
}

func messageKey(name func(WebhookMessage) string) []db.Field[WebhookMessage] {
	return []db.Field[WebhookMessage]{
		db.Text("name", name),
		db.Int("stream", func(m WebhookMessage) int64 { return int64(m.Stream) }),
		db.Int("number", func(m WebhookMessage) int64 { return m.Number }),
		db.Int("part", func(m WebhookMessage) int64 { return m.Part }),
	}
}

// insertMessages adds messages that wait, or changes when they are sent.
func insertMessages(t db.Tx, name string, messages []WebhookMessage) error {
	_, err := t.Set(nil, `INSERT INTO webhook_messages (name, stream, number, part, again, attempts, next, added)
	      SELECT r.name, r.stream, r.number, r.part, r.again, r.attempts, r.next, r.added FROM {rows} WHERE true
	      ON CONFLICT (name, stream, number, part) DO UPDATE SET attempts = excluded.attempts, next = excluded.next`,
		db.SetOf(messages, append(messageKey(func(WebhookMessage) string { return name }),
			db.Int("again", func(m WebhookMessage) int64 { return db.Flag(m.Again) }),
			db.Int("attempts", func(m WebhookMessage) int64 { return int64(m.Attempts) }),
			db.Int("next", func(m WebhookMessage) int64 { return m.Next.UnixMilli() }),
			db.Int("added", func(m WebhookMessage) int64 { return m.Added.UnixMilli() }))...))
	return annotate(err, "write which messages wait")
}

// writeAttempts keeps the attempts that failed, and those that delivered what waited.
func (b *DB) writeAttempts(t db.Tx, p WebhookProgress) error {
	type stamped struct {
		SentMessage
		at    int64
		nonce string
	}
	var rows []stamped
	for _, m := range slices.Concat(p.Ended, p.Failed) {
		at, nonce := b.shared.Stamps.Next(m.At.UnixMilli())
		rows = append(rows, stamped{m, at, nonce})
	}
	if len(rows) == 0 {
		return nil
	}
	if err := t.Insert("webhook_attempts", db.SetOf(rows,
		db.Text("name", func(stamped) string { return p.Name }),
		db.Int("at", func(a stamped) int64 { return a.at }),
		db.Text("nonce", func(a stamped) string { return a.nonce }),
		db.Int("stream", func(a stamped) int64 { return int64(a.Stream) }),
		db.Int("number", func(a stamped) int64 { return a.Number }),
		db.Int("part", func(a stamped) int64 { return a.Part }),
		db.Int("attempt", func(a stamped) int64 { return int64(a.Attempts) }),
		db.Int("status", func(a stamped) int64 { return int64(a.Answer.Status) }),
		db.Text("extract", func(a stamped) string { return a.Answer.Extract }))); err != nil {
		return annotate(err, "keep attempts")
	}
	_, err := t.Exec(`DELETE FROM webhook_attempts WHERE name = $1 AND at < (SELECT min(at) FROM (
	      SELECT at FROM webhook_attempts WHERE name = $1 ORDER BY at DESC LIMIT $2) k)`, p.Name, int64(attemptsKept))
	return annotate(err, "remove old attempts")
}

// ReleaseWebhook lets another process have the endpoint at once. It has no effect where another has it.
func (b *DB) ReleaseWebhook(ctx context.Context, name, holder string) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		_, err := t.Exec("UPDATE webhook_states SET holder = '', lease = 0 WHERE name = $1 AND holder = $2", name, holder)
		return err
	})
	return annotate(err, "release the endpoint %s", name)
}

// DisableWebhook stops what is sent to an endpoint; nothing is lost for the seven days that events are kept. Repeating
// it has no further effect. ledger.ErrNotFound if there is none.
func (b *DB) DisableWebhook(ctx context.Context, name, reason string) error {
	if err := ledger.At("reason", CheckReason(reason)); err != nil {
		return err
	}
	return b.onWebhook(ctx, name, "disable", func(t db.Tx, w Webhook) error {
		if !w.Disabled.IsZero() {
			return nil
		}
		if err := endLease(t, name); err != nil {
			return err
		}
		return b.disableWebhook(t, name, reason)
	})
}

func (b *DB) disableWebhook(t db.Tx, name, reason string) error {
	if _, err := t.Exec("UPDATE webhook_states SET disabled = $2, reason = $3 WHERE name = $1 AND disabled = 0", name,
		b.now(), reason); err != nil {
		return err
	}
	return b.logLine(t, "webhook disable", name, reason)
}

// disableWebhooks disables all endpoints of books that are restored, which may be a copy beside those that send.
func (b *DB) disableWebhooks(ctx context.Context) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		names, err := db.All(t, db.TextOf, "SELECT name FROM webhook_states WHERE disabled = 0 ORDER BY name")
		for _, name := range names {
			if err == nil {
				err = endLease(t, name)
			}
			if err == nil {
				err = b.disableWebhook(t, name, "the books are restored")
			}
		}
		return err
	})
	return annotate(err, "disable webhooks")
}

// EnableWebhook lets messages be sent to an endpoint again: what waits at once, its attempts counted from the first. So
// it does where the endpoint is neither disabled nor paused, and what has failed waits for its next attempt. Repeating
// it has no further effect. ledger.ErrNotFound if there is none.
func (b *DB) EnableWebhook(ctx context.Context, name string) error {
	return b.onWebhook(ctx, name, "enable", func(t db.Tx, w Webhook) error {
		waited, err := t.Exec("UPDATE webhook_messages SET attempts = 0, next = $2 WHERE name = $1 "+
			"AND (attempts > 0 OR next > $2)", name, b.now())
		if err != nil {
			return err
		}
		detail := "what waits is sent at once"
		switch {
		case !w.Disabled.IsZero():
			detail = "it was disabled: " + w.Reason
		case !w.Paused.IsZero():
			detail = "what the receiver asked for is over"
		case waited == 0:
			return nil
		}
		_, err = t.Exec("UPDATE webhook_states SET disabled = 0, reason = '', paused = 0, holder = '', lease = 0 "+
			"WHERE name = $1", name)
		if err != nil {
			return err
		}
		return b.logLine(t, "webhook enable", name, detail)
	})
}

// WebhookSkip gives up what an endpoint does not get: a message, or the events that are not kept any more.
type WebhookSkip struct {
	Name    string
	Message string // its ID; "": the events that are not kept
	Reason  string
}

// SkipWebhook gives up a message that waits, or moves an endpoint past the events that are not kept any more. It may
// need approval: the receiver misses something. Whoever sends to it stops, and begins again. ledger.ErrNotFound if
// no such message waits; ledger.ErrInvalid where no event is missing.
func (b *DB) SkipWebhook(ctx context.Context, s WebhookSkip) error {
	if err := ledger.At("reason", CheckReason(s.Reason)); err != nil {
		return err
	}
	var key webhook.Key
	if s.Message != "" {
		var err error
		if key, err = webhook.ParseID(s.Message); err != nil {
			return err
		}
	}
	return b.onWebhook(ctx, s.Name, "give up a message of", func(t db.Tx, w Webhook) (err error) {
		effect := s.Message + " is not sent any more: " + s.Reason
		if s.Message == "" {
			effect, err = skipLost(t, w, s.Reason)
		} else {
			err = skipMessage(t, w, key)
		}
		if err == nil {
			err = endLease(t, s.Name)
		}
		if err != nil {
			return err
		}
		if err := b.permit(t, control.SkipWebhook, s, s.Name, effect); err != nil {
			return err
		}
		return b.logLine(t, string(control.SkipWebhook), s.Name, effect)
	})
}

func skipLost(t db.Tx, w Webhook, reason string) (effect string, err error) {
	removed, err := db.Count(t, "SELECT removed FROM sequences WHERE name = 'outbox'")
	if err != nil {
		return "", err
	}
	if w.Event.Number >= removed {
		return "", ledger.ErrInvalid.In("", "no event is missing: they are kept from %d on, and it is at %d", removed+1,
			w.Event.Number)
	}
	_, err = t.Exec("UPDATE webhook_states SET event_number = $2, event_part = $3 WHERE name = $1", w.Name, removed,
		int64(webhook.Whole))
	if err == nil {
		_, err = t.Exec("DELETE FROM webhook_messages WHERE name = $1 AND stream = $2 AND number <= $3", w.Name,
			int64(webhook.Events), removed)
	}
	return fmt.Sprintf("events %d to %d are never sent: %s", w.Event.Number+1, removed, reason), err
}

func skipMessage(t db.Tx, w Webhook, k webhook.Key) error {
	m, found, err := db.First(t, ReadWebhookMessage, "SELECT "+WebhookMessageColumns+
		" FROM webhook_messages WHERE name = $1 AND stream = $2 AND number = $3 AND part = $4", w.Name, int64(k.Stream),
		k.Number, k.Part)
	if err == nil && !found {
		err = ledger.ErrNotFound.In("message", "no message %s waits", k.ID()).Because(ReasonUnknownMessage)
	}
	if err == nil {
		_, err = t.Exec("DELETE FROM webhook_messages WHERE name = $1 AND stream = $2 AND number = $3 AND part = $4", w.Name,
			int64(k.Stream), k.Number, k.Part)
	}
	if err != nil || m.Again {
		return err
	}
	switch {
	case k.Stream == webhook.Events && k.Compare(w.Event) > 0:
		_, err = t.Exec("UPDATE webhook_states SET event_number = $2, event_part = $3 WHERE name = $1", w.Name, k.Number,
			k.Part)
	case k.Stream == webhook.PayoutStream && k.Compare(w.Payout) > 0:
		_, err = t.Exec("UPDATE webhook_states SET payout = $2 WHERE name = $1", w.Name, k.Number)
	}
	return err
}

// SendWebhookAgain has messages sent that were sent before, beside those that are sent next; or tests. Each is sent at
// once, and retried as others are. Those that wait already are sent at once. ledger.ErrInvalid because of
// ReasonTooManyMessages where more than MaxWebhookMessages would wait, ledger.ErrNotFound if there is no such endpoint.
func (b *DB) SendWebhookAgain(ctx context.Context, name string, keys []webhook.Key) error {
	if len(keys) == 0 {
		return ledger.ErrInvalid.In("", "there is no such message")
	}
	return b.onWebhook(ctx, name, "send messages again to", func(t db.Tx, _ Webhook) error {
		if err := checkSent(t, name, keys); err != nil {
			return err
		}
		waiting, err := db.Count(t, "SELECT count(*) FROM webhook_messages WHERE name = $1", name)
		if err == nil && waiting+int64(len(keys)) > MaxWebhookMessages {
			err = ledger.ErrInvalid.In("", "%d messages of the endpoint wait, and %d more are above the limit of %d", waiting,
				len(keys), MaxWebhookMessages).Because(ReasonTooManyMessages)
		}
		if err != nil {
			return err
		}
		now := b.clock()
		messages := make([]WebhookMessage, len(keys))
		for i, k := range keys {
			messages[i] = WebhookMessage{Key: k, Again: true, Next: now, Added: now}
		}
		if err := insertMessages(t, name, messages); err != nil {
			return err
		}
		operation := "webhook replay"
		if keys[0].Stream == webhook.TestStream {
			operation = "webhook test"
		}
		return b.logLine(t, operation, name, fmt.Sprintf("%d messages, from %s to %s", len(keys), keys[0].ID(),
			keys[len(keys)-1].ID()))
	})
}

// checkSent refuses messages that an endpoint has not got yet: they come in their order by themselves.
func checkSent(t db.View, name string, keys []webhook.Key) error {
	var number, part, payout int64
	if _, err := db.One(t, []*int64{&number, &part, &payout},
		"SELECT event_number, event_part, payout FROM webhook_states WHERE name = $1", name); err != nil {
		return err
	}
	for _, k := range keys {
		at := webhook.Key{Stream: webhook.Events, Number: number, Part: part}
		if k.Stream == webhook.PayoutStream {
			at = webhook.Key{Stream: webhook.PayoutStream, Number: payout, Part: webhook.Whole}
		}
		if k.Stream != webhook.TestStream && k.Compare(at) > 0 {
			return ledger.ErrInvalid.In("to", "message %s is not sent yet", k.ID()).Because(ReasonUnknownMessage)
		}
	}
	return nil
}

// TestWebhook has a message of the type "test" sent to an endpoint, and returns its ID.
func (b *DB) TestWebhook(ctx context.Context, name string) (id string, err error) {
	k := webhook.Key{Stream: webhook.TestStream, Number: b.now()}
	return k.ID(), b.SendWebhookAgain(ctx, name, []webhook.Key{k})
}
