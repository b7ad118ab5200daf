// Package events publishes to subscribers what has changed in the books: balances, rewards, days
// that are settled. It knows nothing of HTTP.
package events

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// beatEvery is how many looks into the outbox there are between two heartbeats.
const beatEvery = 60

// Hub reads the books' outbox once for all subscribers of this process. Several
// processes may serve one database: each reads for itself.
type Hub struct {
	books *store.DB
	log   *slog.Logger
	poll  time.Duration
	limit int // of each subscriber's queue

	mu     sync.Mutex
	poller *poller // nil while nobody is subscribed
}

// New makes a Hub. While there are subscribers it publishes at once what this process numbers, and looks
// into the outbox as often as poll says for what others do.
func New(books *store.DB, log *slog.Logger, poll time.Duration) *Hub {
	return &Hub{books: books, log: log, poll: poll, limit: queueLimit}
}

// Position is the ID to continue after for one who reads the books from now on. What has no number yet is
// sent, and may be in the books that are read.
func (h *Hub) Position(ctx context.Context) (string, error) {
	newest, err := h.books.Outbox().Newest(ctx)
	if err != nil {
		return "", err
	}
	return idOf(newest), nil
}

// Subscribe calls send for each event of an account ("" is all) until ctx ends,
// send fails, or the subscriber has been too slow: ErrSlow. Days that are settled
// are for everybody. after is the ID of the last event that the subscriber has
// seen, or "": then it begins now. What happened after that event is sent at least
// once; what is sent again has the same entry. After an event that is not kept any
// more, or never was, one "reset" is sent: read everything again, and continue from there.
//
// Events come in the order of the numbers of their outbox events, which is the order in which they changed a
// balance, whatever processes changed it.
//
// One "ready" is sent when the subscriber is up to date: a client that resumes after
// its ID misses nothing written later. Beside the events, an Event of no Type is sent
// after each sixty looks: a heartbeat and, where it has an ID, a cursor to continue after
// for one who has seen no event for long.
func (h *Hub) Subscribe(ctx context.Context, account ledger.Account, after string, send func(Event) error) error {
	beat := time.NewTicker(beatEvery * h.poll)
	defer beat.Stop()
	s := &subscription{hub: h, account: account, send: send, beat: beat.C, queue: newQueue(h.limit)}
	return s.run(ctx, after)
}

// join adds a queue to the poller, which starts with the first one.
func (h *Hub) join(id ledger.Account, q *queue) *poller {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.poller == nil {
		h.poller = startPoller(h.books, h.log, h.poll)
	}
	h.poller.join(id, q)
	return h.poller
}

// leave removes a queue. With the last one it stops the poller, and waits for it.
func (h *Hub) leave(id ledger.Account, q *queue) {
	h.mu.Lock()
	p := h.poller
	last := p.leave(id, q)
	if last {
		h.poller = nil
	}
	h.mu.Unlock()
	if last {
		p.stop()
		<-p.ended
	}
}
