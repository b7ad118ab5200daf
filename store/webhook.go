package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/webhook"
)

const (
	// MaxWebhooks is how many endpoints the books have at most.
	MaxWebhooks = 50
	// MaxWebhookMessages is how many messages of an endpoint wait for another attempt at most.
	MaxWebhookMessages = 1000
	// MaxSecretOverlap is for how long a replaced secret signs too at most.
	MaxSecretOverlap = 30 * 24 * time.Hour
	// maxWebhookName is the length of the longest name of an endpoint.
	maxWebhookName = 40
)

// The reasons of errors about webhooks for which an API has a hint.
const (
	ReasonUnknownWebhook  = "unknown-webhook"   // ledger.ErrNotFound: an endpoint
	ReasonUnknownMessage  = "unknown-message"   // ledger.ErrNotFound: no such message waits
	ReasonTooManyMessages = "too-many-messages" // ledger.ErrInvalid: MaxWebhookMessages
	ReasonLease           = "webhook-lease"     // ledger.ErrConflict: what a process has claimed is not its own any more
)

// Webhook is an endpoint that gets messages by HTTP.
type Webhook struct {
	Name, URL string
	Kinds     string // of messages, with commas between them: see webhook.ParseKinds
	Ordered   bool   // a message that fails holds those after it
	Secret    []byte // what messages are signed with, sealed: see webhook.Sealed
	Public    string // the public key of an ed25519 secret; "" of HMAC
	// Former is the secret before, sealed, which signs too until FormerUntil.
	Former             []byte
	FormerUntil, Added time.Time
	WebhookState
}

// Scheme is how messages are signed.
func (w Webhook) Scheme() webhook.Scheme {
	if w.Public != "" {
		return webhook.Ed25519
	}
	return webhook.HMAC
}

// Signing are the sealed secrets that sign at a time: the newest first.
func (w Webhook) Signing(now time.Time) [][]byte {
	if len(w.Former) > 0 && now.Before(w.FormerUntil) {
		return [][]byte{w.Secret, w.Former}
	}
	return [][]byte{w.Secret}
}

// WebhookState is how far an endpoint is.
type WebhookState struct {
	Disabled time.Time // since when nothing is sent; zero: it is
	Reason   string    // why
	// Event and Payout are the last message of each stream that is delivered or waits in the books.
	Event, Payout webhook.Key
	Paused        time.Time // until when nothing is sent, as the receiver asks
	Holder        string    // the process that sends, until Lease; "": none
	Lease         time.Time
	Delivered     int64 // messages
	DeliveredAt   time.Time
}

// SelectWebhooks is a SELECT that ReadWebhook reads, up to its conditions: the endpoint is w.
func SelectWebhooks() string {
	return "SELECT " + integrity.Webhooks.Columns("w.") + ", s.disabled, s.reason, s.event_number, s.event_part, " +
		"s.payout, s.paused, s.holder, s.lease, s.delivered, s.delivered_at " +
		"FROM webhooks w JOIN webhook_states s ON s.name = w.name "
}

// ReadWebhook reads a row, whatever its MAC says. It never fails.
func ReadWebhook(r db.Row) (Webhook, error) {
	w := Webhook{Name: r.Text(0), URL: r.Text(1), Kinds: r.Text(2), Ordered: r.Int(3) != 0,
		Secret: bytes.Clone(r.Bytes(4)), Public: r.Text(5), Former: bytes.Clone(r.Bytes(6)),
		FormerUntil: db.TimeOrZero(r.Int(7)), Added: db.TimeOf(r.Int(8))}
	n := integrity.Webhooks.MAC() + 1
	w.WebhookState = WebhookState{Disabled: db.TimeOrZero(r.Int(n)), Reason: r.Text(n + 1),
		Event:  webhook.Key{Stream: webhook.Events, Number: r.Int(n + 2), Part: r.Int(n + 3)},
		Payout: webhook.Key{Stream: webhook.PayoutStream, Number: r.Int(n + 4)},
		Paused: db.TimeOrZero(r.Int(n + 5)), Holder: r.Text(n + 6), Lease: db.TimeOrZero(r.Int(n + 7)),
		Delivered: r.Int(n + 8), DeliveredAt: db.TimeOrZero(r.Int(n + 9))}
	return w, nil
}

// NewWebhook is an endpoint that is to be added.
type NewWebhook struct {
	Name, URL, Kinds string
	Ordered          bool
	Secret           []byte // sealed
	Public           string
	// PayoutsAfter is the number of the last payout that it does not get; of events it gets those from now on.
	PayoutsAfter int64
}

func (n *NewWebhook) check() (err error) {
	if err := checkWebhookName(n.Name); err != nil {
		return err
	}
	if n.Kinds, err = webhook.ParseKinds(n.Kinds); err != nil {
		return err
	}
	if n.PayoutsAfter < 0 {
		return ledger.ErrInvalid.In("payoutsAfter", "the number of a payout is not below zero")
	}
	if len(n.Secret) == 0 {
		return ledger.ErrInvalid.In("secret", "an endpoint has a secret")
	}
	return webhook.CheckURL(n.URL)
}

func checkWebhookName(name string) error {
	if name == "" || len(name) > maxWebhookName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return ledger.ErrInvalid.In("name", "%q is no name of an endpoint: 1 to %d of a-z 0-9 -", ledger.Clip(name),
			maxWebhookName)
	}
	return nil
}

// describe says what an endpoint gets, for the log and for those who approve it.
func describe(url, kinds string, ordered bool) string {
	text := kinds + " to " + url
	if ordered {
		text += ", in order"
	}
	return text
}

// payoutsFrom says with which payout an endpoint begins that wants some.
func payoutsFrom(kinds string, after int64) string {
	if !webhook.PayoutStream.Wants(kinds) {
		return ""
	}
	return fmt.Sprintf("; payouts from number %d on", after+1)
}

// AddWebhook adds an endpoint, which gets events from then on and payouts after a number. It may need approval: it gets
// what holders have. Repeating it has no further effect. ledger.ErrConflict where there is another of the name;
// ledger.ErrInvalid for what cannot be an endpoint, for more than MaxWebhooks, and because of ReasonSealedBefore where
// the key has changed since it was proposed.
func (b *DB) AddWebhook(ctx context.Context, n NewWebhook) error {
	if err := n.check(); err != nil {
		return err
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		old, found, err := db.First(t, ReadWebhook, SelectWebhooks()+"WHERE w.name = $1", n.Name)
		if err != nil {
			return err
		}
		if found {
			if old.URL == n.URL && old.Kinds == n.Kinds && old.Ordered == n.Ordered && bytes.Equal(old.Secret, n.Secret) {
				return nil
			}
			return ledger.ErrConflict.In("name", "the endpoint %s", n.Name)
		}
		if err := b.insertWebhook(t, n); err != nil {
			return err
		}
		effect := describe(n.URL, n.Kinds, n.Ordered) + payoutsFrom(n.Kinds, n.PayoutsAfter)
		if err := b.permit(t, control.AddWebhook, n, n.Name, effect); err != nil {
			return err
		}
		return b.logLine(t, string(control.AddWebhook), n.Name, effect)
	})
	return annotate(err, "add the endpoint %s", n.Name)
}

func (b *DB) insertWebhook(t db.Tx, n NewWebhook) error {
	secret, err := b.resealed(n.Secret, webhook.Sealed(n.Name))
	if err != nil {
		return err
	}
	count, err := db.Count(t, "SELECT count(*) FROM webhooks")
	if err == nil && count >= MaxWebhooks {
		err = ledger.ErrInvalid.In("", "there are %d endpoints, which is the limit", count)
	}
	if err != nil {
		return err
	}
	done, err := t.Exec(`INSERT INTO webhooks (name, url, kinds, ordered, secret, public, former, former_until, added)
	      VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8) ON CONFLICT DO NOTHING`, n.Name, n.URL, n.Kinds, db.Flag(n.Ordered),
		secret, n.Public, []byte{}, b.now())
	if err == nil && done == 0 {
		err = fmt.Errorf("%w: another process adds the endpoint", db.ErrRetry)
	}
	if err == nil {
		err = b.guard.Sign(t, integrity.Webhooks, "name = $1", n.Name)
	}
	if err != nil {
		return err
	}
	newest, err := newestEvent(t)
	if err == nil {
		err = checkPayoutsAfter(t, n.PayoutsAfter)
	}
	if err == nil {
		_, err = t.Exec(`INSERT INTO webhook_states (name, disabled, reason, event_number, event_part, payout, paused, holder,
		      lease, delivered, delivered_at) VALUES ($1, 0, '', $2, $3, $4, 0, '', 0, 0, 0)`, n.Name, newest,
			int64(webhook.Whole), n.PayoutsAfter)
	}
	return err
}

// checkPayoutsAfter refuses the number of a payout inside of a message: an endpoint gets messages, and so those
// before it in the message too, which may have been credited in another way.
func checkPayoutsAfter(t db.View, number int64) error {
	var first, last int64
	found, err := db.One(t, []*int64{&first, &last}, "SELECT first, first + count - 1 FROM payout_batches "+
		"WHERE first > 0 AND first <= $1 AND first + count > $1", number)
	if err != nil || !found || number == last || (number-first+1)%webhook.MostInMessage == 0 {
		return err
	}
	before := number - (number-first+1)%webhook.MostInMessage
	return ledger.ErrInvalid.In("payoutsAfter", "payout %d is inside of a message, which goes from payout %d to %d; "+
		"name one at the end of a message", number, before+1, min(before+webhook.MostInMessage, last))
}

func newestEvent(t db.View) (int64, error) {
	return db.Count(t, "SELECT last FROM sequences WHERE name = 'outbox'")
}

// WebhookChange is what an endpoint is to be.
type WebhookChange struct {
	Name, URL, Kinds string
	Ordered          bool
	// PayoutsAfter is the number of the last payout that it does not get. nil: it goes on where it is; one that never
	// wanted payouts begins with the first, or with what it was added with.
	PayoutsAfter *int64 `json:",omitempty"`
}

// ChangeWebhook changes where messages are sent, and which. It may need approval. An endpoint that wanted no events
// gets those from now on. Whoever sends to it stops, and begins again with what was changed. Repeating it has no
// further effect. ledger.ErrNotFound if there is none; ledger.ErrInvalid for PayoutsAfter of one that wants none, or
// inside of a message.
func (b *DB) ChangeWebhook(ctx context.Context, c WebhookChange) (err error) {
	if err := webhook.CheckURL(c.URL); err != nil {
		return err
	}
	if c.Kinds, err = webhook.ParseKinds(c.Kinds); err != nil {
		return err
	}
	return b.onWebhook(ctx, c.Name, "change", func(t db.Tx, w Webhook) error {
		moved := c.PayoutsAfter != nil && *c.PayoutsAfter != w.Payout.Number
		if w.URL == c.URL && w.Kinds == c.Kinds && w.Ordered == c.Ordered && !moved {
			return nil
		}
		err := b.guard.Change(t, integrity.Webhooks, func() error {
			_, err := t.Exec("UPDATE webhooks SET url = $2, kinds = $3, ordered = $4 WHERE name = $1", c.Name, c.URL, c.Kinds,
				db.Flag(c.Ordered))
			return err
		}, "name = $1", c.Name)
		if err == nil && !webhook.Events.Wants(w.Kinds) {
			var newest int64
			if newest, err = newestEvent(t); err == nil {
				_, err = t.Exec("UPDATE webhook_states SET event_number = $2, event_part = $3 WHERE name = $1", c.Name, newest,
					int64(webhook.Whole))
			}
		}
		from := w.Payout.Number
		if err == nil && moved {
			from = *c.PayoutsAfter
			err = movePayouts(t, c)
		}
		if err == nil {
			err = endLease(t, c.Name)
		}
		if err != nil {
			return err
		}
		effect := describe(c.URL, c.Kinds, c.Ordered)
		if moved || !webhook.PayoutStream.Wants(w.Kinds) {
			effect += payoutsFrom(c.Kinds, from)
		}
		effect += "; before " + describe(w.URL, w.Kinds, w.Ordered)
		if err := b.permit(t, control.ChangeWebhook, c, c.Name, effect); err != nil {
			return err
		}
		return b.logLine(t, string(control.ChangeWebhook), c.Name, effect)
	})
}

// movePayouts has an endpoint get payouts after another number: those that wait come again, or not.
func movePayouts(t db.Tx, c WebhookChange) error {
	if !webhook.PayoutStream.Wants(c.Kinds) {
		return ledger.ErrInvalid.In("payoutsAfter", "the endpoint gets no payouts")
	}
	if *c.PayoutsAfter < 0 {
		return ledger.ErrInvalid.In("payoutsAfter", "the number of a payout is not below zero")
	}
	err := checkPayoutsAfter(t, *c.PayoutsAfter)
	if err == nil {
		_, err = t.Exec("UPDATE webhook_states SET payout = $2 WHERE name = $1", c.Name, *c.PayoutsAfter)
	}
	if err == nil {
		_, err = t.Exec("DELETE FROM webhook_messages WHERE name = $1 AND stream = $2", c.Name,
			int64(webhook.PayoutStream))
	}
	return err
}

// onWebhook makes a change of an endpoint, whose state is locked. ledger.ErrNotFound if there is none,
// integrity.ErrForged where somebody else has written it.
func (b *DB) onWebhook(ctx context.Context, name, what string, change func(db.Tx, Webhook) error) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		w, err := b.lockWebhook(t, name)
		if err != nil {
			return err
		}
		return change(t, w)
	})
	return annotate(err, "%s the endpoint %s", what, ledger.Clip(name))
}

func (b *DB) lockWebhook(t db.Tx, name string) (w Webhook, err error) {
	if _, _, err := db.First(t, db.TextOf, "SELECT name FROM webhook_states WHERE name = $1"+t.Lock(), name); err != nil {
		return w, err
	}
	w, found, err := db.First(t, func(r db.Row) (Webhook, error) {
		if err := b.guard.Check(integrity.Webhooks, r, 0); err != nil {
			return Webhook{}, err
		}
		return ReadWebhook(r)
	}, SelectWebhooks()+"WHERE w.name = $1", name)
	if err == nil && !found {
		err = unknownWebhook(name)
	}
	return w, err
}

func unknownWebhook(name string) error {
	return ledger.ErrNotFound.In("name", "endpoint %s", ledger.Clip(name)).Because(ReasonUnknownWebhook)
}

// WebhookSecret is a secret that replaces another.
type WebhookSecret struct {
	Name    string
	Secret  []byte // sealed
	Public  string
	Overlap time.Duration // for how long the one before signs too: 0 to MaxSecretOverlap
}

// overlap says for how long the secret before signs too.
func (s WebhookSecret) overlap() string {
	if s.Overlap == 0 {
		return "no more"
	}
	return "for " + strings.TrimSuffix(strings.TrimSuffix(s.Overlap.String(), "0s"), "0m")
}

// RotateWebhook replaces the secret of an endpoint. The one before signs too for the overlap; one that is replaced
// already signs no more. A secret that both sides have may need approval: who asks for it sees it. Whoever sends to it
// stops, and begins again with the new secret. Repeating it has no further effect. ledger.ErrInvalid for another
// overlap, and because of ReasonSealedBefore where the key has changed since it was proposed; ledger.ErrNotFound if
// there is no such endpoint.
func (b *DB) RotateWebhook(ctx context.Context, s WebhookSecret) error {
	if s.Overlap < 0 || s.Overlap > MaxSecretOverlap {
		return ledger.ErrInvalid.In("overlap", "the secret before signs too for 0 to %d days",
			MaxSecretOverlap/(24*time.Hour))
	}
	return b.onWebhook(ctx, s.Name, "replace the secret of", func(t db.Tx, w Webhook) error {
		if bytes.Equal(w.Secret, s.Secret) {
			return nil
		}
		secret, err := b.resealed(s.Secret, webhook.Sealed(s.Name))
		if err != nil {
			return err
		}
		until := b.clock().Add(s.Overlap)
		err = b.guard.Change(t, integrity.Webhooks, func() error {
			_, err := t.Exec("UPDATE webhooks SET former = secret, former_until = $2, secret = $3, public = $4 WHERE name = $1",
				s.Name, until.UnixMilli(), secret, s.Public)
			return err
		}, "name = $1", s.Name)
		if err == nil {
			err = endLease(t, s.Name)
		}
		if err != nil {
			return err
		}
		if s.Public == "" {
			effect := "another secret of hmac, which is shown to who asks for it; the one before signs " + s.overlap()
			if err := b.permit(t, control.RotateWebhook, s, s.Name, effect); err != nil {
				return err
			}
		}
		return b.logLine(t, string(control.RotateWebhook), s.Name, "the secret before signs until "+
			ledger.FormatTime(until))
	})
}

// ResealWebhooks seals the secrets of endpoints again: reseal gets each, with the name that it is sealed for, and
// reports whether it is another text. It returns how many are.
func (b *DB) ResealWebhooks(ctx context.Context, reseal func(sealed []byte, name string) ([]byte, bool, error)) (
	changed int, err error) {
	err = b.engine.Write(ctx, func(t db.Tx) error {
		changed = 0
		all, err := db.All(t, ReadWebhook, SelectWebhooks()+"ORDER BY w.name")
		for _, w := range all {
			n := 0
			for _, secret := range []*[]byte{&w.Secret, &w.Former} {
				if len(*secret) == 0 {
					continue
				}
				again, differs, failed := reseal(*secret, webhook.Sealed(w.Name))
				if failed != nil {
					return fmt.Errorf("the secret of the endpoint %s cannot be read: %w", w.Name, failed)
				}
				if differs {
					*secret, n = again, n+1
				}
			}
			if n > 0 {
				err = b.guard.ChangeAll(t, integrity.Webhooks, func() error {
					_, err := t.Exec("UPDATE webhooks SET secret = $2, former = $3 WHERE name = $1", w.Name, w.Secret, w.Former)
					return err
				}, "name = $1", w.Name)
			}
			if changed += n; err != nil {
				return err
			}
		}
		if err != nil || changed == 0 {
			return err
		}
		return b.logLine(t, "key reseal", "webhooks", fmt.Sprintf("%d secrets", changed))
	})
	return changed, annotate(err, "seal the secrets of webhooks")
}

// RemoveWebhook removes an endpoint with all that waits for it. It may need approval, but for one that somebody else
// has written. The log keeps that there was one. ledger.ErrNotFound if there is none.
func (b *DB) RemoveWebhook(ctx context.Context, name string) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		w, err := b.lockWebhook(t, name)
		detail := describe(w.URL, w.Kinds, w.Ordered)
		forged := errors.Is(err, integrity.ErrForged)
		if forged {
			detail, err = "one that softstake had not written", nil
		}
		for _, table := range []string{"webhooks", "webhook_states", "webhook_messages", "webhook_attempts"} {
			if err == nil {
				_, err = t.Exec("DELETE FROM "+table+" WHERE name = $1", name)
			}
		}
		if err != nil {
			return err
		}
		if !forged {
			effect := "what it has not got is never sent: " + detail
			if err := b.permit(t, control.RemoveWebhook, name, name, effect); err != nil {
				return err
			}
		}
		return b.logLine(t, string(control.RemoveWebhook), name, detail)
	})
	return annotate(err, "remove the endpoint %s", ledger.Clip(name))
}
