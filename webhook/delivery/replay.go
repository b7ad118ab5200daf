package delivery

import (
	"context"
	"errors"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/webhook"
)

// maxReplayed is how many numbers of the outbox are between the first and the last message at most: of a rare kind
// there may be few messages in very many events, which are all read.
const maxReplayed = 10_000

// Between are the messages of an endpoint from one to another, both by their IDs and of one stream: those that it
// has got, or passed over. last "" is the first one alone. ledger.ErrInvalid for what is no ID, for two streams, and
// for more than store.MaxWebhookMessages or a range of more than 10,000 events of the outbox; ledger.ErrNotFound
// where there are none, or they are not kept any more.
func Between(ctx context.Context, books *store.DB, w store.Webhook, first, last string) (keys []webhook.Key,
	err error) {
	if last == "" {
		last = first
	}
	from, err := webhook.ParseID(first)
	if err != nil {
		return nil, ledger.At("from", ledger.Inside("message", err))
	}
	to, err := webhook.ParseID(last)
	if err != nil {
		return nil, ledger.At("to", ledger.Inside("message", err))
	}
	if from.Stream != to.Stream || from.Stream == webhook.TestStream || !from.Wants(w.Kinds) {
		return nil, ledger.ErrInvalid.In("to", "%s and %s are not messages of one kind that the endpoint wants", first, last)
	}
	if from.Stream == webhook.Events && to.Number-from.Number > maxReplayed {
		return nil, ledger.ErrInvalid.In("to", "from %s to %s are more than %d events of the outbox; ask for fewer at a time",
			first, last, maxReplayed).Because(store.ReasonTooManyMessages)
	}
	s := newSource(books)
	at := webhook.Key{Stream: from.Stream, Number: from.Number - 1, Part: webhook.Whole}
	for at.Compare(to) < 0 {
		var p page
		if from.Stream == webhook.Events {
			p, err = s.events(ctx, at, w.Kinds, func() error { return nil })
		} else {
			p, err = s.payouts(ctx, at)
		}
		if errors.Is(err, outbox.ErrNotKept) {
			return nil, ledger.ErrNotFound.In("from", "%w", err).Because(store.ReasonUnknownMessage)
		}
		if err != nil {
			return nil, err
		}
		for _, m := range p.messages {
			if m.Compare(from) >= 0 && m.Compare(to) <= 0 {
				keys = append(keys, m.Key)
			}
		}
		if len(keys) > store.MaxWebhookMessages {
			return nil, ledger.ErrInvalid.In("to", "these are more than %d messages", store.MaxWebhookMessages).
				Because(store.ReasonTooManyMessages)
		}
		if p.end == at {
			break
		}
		at = p.end
	}
	if len(keys) == 0 {
		return nil, ledger.ErrNotFound.In("from", "message %s", first).Because(store.ReasonUnknownMessage)
	}
	return keys, nil
}
