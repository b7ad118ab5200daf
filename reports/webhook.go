package reports

import (
	"context"
	"errors"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/webhook"
)

// Webhook is an endpoint, with what it has not got yet.
type Webhook struct {
	store.Webhook
	Forged  bool      // somebody else has written it: nothing is sent to it
	Waiting int64     // messages that are to be sent again
	Failing bool      // some of them are messages that failed
	Held    bool      // nothing new is sent before some of them are: it wants an order, or too many wait
	Next    time.Time // when the first of them is; zero: there is none
	Events  int64     // of the outbox that it has not got, of every kind; 0 where it wants none
	Payouts int64     // payouts that it has not got; 0 where it wants none
	Oldest  time.Time // since when the oldest of what it has not got is there; zero: there is nothing
}

// Idle reports whether a process has nothing to send to it at a time.
func (w Webhook) Idle(now time.Time, holder string) bool {
	others := w.Holder != holder && now.Before(w.Lease)
	isNew := !w.Held && w.Events+w.Payouts > 0
	return w.Forged || others || !w.Disabled.IsZero() || now.Before(w.Paused) ||
		!isNew && (w.Next.IsZero() || now.Before(w.Next))
}

// StateAt is a word for what becomes of messages at a time: forged, disabled, paused, failing or sending.
func (w Webhook) StateAt(now time.Time) string {
	switch {
	case w.Forged:
		return "forged"
	case !w.Disabled.IsZero():
		return "disabled"
	case now.Before(w.Paused):
		return "paused"
	case w.Failing:
		return "failing"
	}
	return "sending"
}

// failsFrom is from when on an endpoint that fails needs somebody: before, each message is sent again three times.
const failsFrom = time.Hour

// Needs reports whether an endpoint needs somebody at a time: nothing is sent to it until somebody decides, or it has
// failed for an hour.
func (w Webhook) Needs(now time.Time) bool {
	return w.Forged || !w.Disabled.IsZero() || w.Failing && now.Sub(w.Oldest) >= failsFrom
}

// Webhooks are all endpoints, by name.
func (rs *Reports) Webhooks(ctx context.Context) ([]Webhook, error) {
	return read(ctx, rs, "read the endpoints of webhooks", func(t db.View) ([]Webhook, error) {
		return rs.webhooks(t, "ORDER BY w.name")
	})
}

// EnabledWebhooks are those that are not disabled, by name.
func (rs *Reports) EnabledWebhooks(ctx context.Context) ([]Webhook, error) {
	return read(ctx, rs, "read the endpoints of webhooks", func(t db.View) ([]Webhook, error) {
		return rs.webhooks(t, "WHERE s.disabled = 0 ORDER BY w.name")
	})
}

// Webhook is an endpoint; ledger.ErrNotFound if there is none.
func (rs *Reports) Webhook(ctx context.Context, name string) (Webhook, error) {
	return read(ctx, rs, "", func(t db.View) (w Webhook, err error) {
		all, err := rs.webhooks(t, "WHERE w.name = $1", name)
		if err == nil && len(all) == 0 {
			err = ledger.ErrNotFound.In("name", "endpoint %s", ledger.Clip(name)).Because(store.ReasonUnknownWebhook)
		}
		if err != nil {
			return w, err
		}
		return all[0], nil
	})
}

func (rs *Reports) webhooks(t db.View, which string, args ...any) ([]Webhook, error) {
	all, err := db.All(t, func(r db.Row) (w Webhook, err error) {
		err = rs.Guard().Check(integrity.Webhooks, r, 0)
		if w.Forged = errors.Is(err, integrity.ErrForged); w.Forged {
			err = nil
		}
		if err == nil {
			w.Webhook, err = store.ReadWebhook(r)
		}
		return w, err
	}, store.SelectWebhooks()+which, args...)
	for i := range all {
		if err == nil {
			err = all[i].count(t)
		}
	}
	return all, err
}

// count reads what the endpoint has not got.
func (w *Webhook) count(t db.View) error {
	var waits, next, failed int64
	if _, err := db.One(t, []*int64{&w.Waiting, &next, &waits, &failed}, "SELECT count(*), coalesce(min(next), 0), "+
		"coalesce(min(CASE WHEN again = 0 THEN added END), 0), "+
		"count(CASE WHEN again = 0 THEN 1 END) FROM webhook_messages WHERE name = $1", w.Name); err != nil {
		return err
	}
	w.Next = db.TimeOrZero(next)
	w.Failing = failed > 0
	w.Held = w.Ordered && failed > 0 || w.Waiting > store.MaxWebhookMessages-webhook.InParallel
	w.wait(waits)
	if webhook.Events.Wants(w.Kinds) {
		newest, err := db.Count(t, "SELECT coalesce(max(number), 0) FROM outbox WHERE number > 0")
		if err != nil {
			return err
		}
		last := w.Event.Number
		if w.Event.Part != webhook.Whole {
			last--
		}
		if w.Events = max(newest-last, 0); w.Events > 0 {
			at, err := db.Count(t, "SELECT at FROM outbox WHERE number > 0 AND number > $1 ORDER BY number LIMIT 1", last)
			if err != nil {
				return err
			}
			w.wait(at)
		}
	}
	if !webhook.PayoutStream.Wants(w.Kinds) {
		return nil
	}
	var at, first, count int64
	if _, err := db.One(t, []*int64{&w.Payouts, &at}, "SELECT CAST(coalesce(sum(count), 0) AS bigint), "+
		"coalesce(min(at), 0) FROM payout_batches WHERE first > 0 AND first > $1", w.Payout.Number); err != nil {
		return err
	}
	w.wait(at)
	found, err := db.One(t, []*int64{&first, &count, &at}, "SELECT first, count, at FROM payout_batches WHERE first > 0 "+
		"AND first <= $1 ORDER BY first DESC LIMIT 1", w.Payout.Number)
	if left := first + count - 1 - w.Payout.Number; found && left > 0 {
		w.Payouts += left
		w.wait(at)
	}
	return err
}

// wait notes that something has waited since a time in milliseconds; 0: there is nothing.
func (w *Webhook) wait(since int64) {
	if at := db.TimeOrZero(since); !at.IsZero() && (w.Oldest.IsZero() || at.Before(w.Oldest)) {
		w.Oldest = at
	}
}

// WebhookMessages are the messages of an endpoint that are to be sent again, by when, at most limit.
func (rs *Reports) WebhookMessages(ctx context.Context, name string, limit int) ([]store.WebhookMessage, error) {
	return list(ctx, rs, "read the messages of an endpoint", store.ReadWebhookMessage, "SELECT "+
		store.WebhookMessageColumns+" FROM webhook_messages WHERE name = $1 ORDER BY next, stream, number, part LIMIT $2",
		name, int64(limit))
}

// WebhookAttempt is an attempt to send a message.
type WebhookAttempt struct {
	webhook.Key
	At      time.Time
	Attempt int    // from 1
	Status  int    // of the answer; 0: there was none
	Extract string // what was wrong
}

// WebhookAttempts are the last attempts for an endpoint that failed, or delivered what had failed, the newest first, at
// most limit.
func (rs *Reports) WebhookAttempts(ctx context.Context, name string, limit int) ([]WebhookAttempt, error) {
	return list(ctx, rs, "read the attempts of an endpoint", func(r db.Row) (WebhookAttempt, error) {
		return WebhookAttempt{webhook.Key{Stream: webhook.Stream(r.Int(0)), Number: r.Int(1), Part: r.Int(2)},
			db.TimeOf(r.Int(3)), int(r.Int(4)), int(r.Int(5)), r.Text(6)}, nil
	}, "SELECT stream, number, part, at, attempt, status, extract FROM webhook_attempts WHERE name = $1 "+
		"ORDER BY at DESC, nonce DESC LIMIT $2", name, int64(limit))
}
