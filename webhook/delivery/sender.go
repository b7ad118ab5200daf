// Package delivery sends what happens in the books to the endpoints of webhooks: events by their numbers, and payouts
// by theirs, so that none is missed. Each message is delivered at least once, with one ID and one body. It knows no
// command line.
package delivery

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/webhook"
)

// The results of attempts, for metrics.
const (
	Delivered   = "delivered"
	Refused     = "refused"     // answered, and not by 2xx
	Unreachable = "unreachable" // not answered
)

// Results are all of them.
var Results = []string{Delivered, Refused, Unreachable}

// Options are what a Sender needs.
type Options struct {
	Books  *store.DB
	Sealer *access.Sealer // that opens the secrets of endpoints
	Client *webhook.Client
	Now    func() time.Time // the clock of the books
	Wall   func() time.Time // what receivers compare with their clocks; called by several goroutines
	Jitter func() int       // from 0 to 999, at random; called by one goroutine of each endpoint
	Log    *slog.Logger
	Holder string        // names this process among those of the books
	Poll   time.Duration // how often to look for what other processes have written, above zero
	// Observe is called with the result of each attempt; it may be nil, and is called by several goroutines.
	Observe func(endpoint, result string)
	// Failed reports whether an error is that the books cannot be reached, and then logs it; nil: it never is.
	Failed func(error) bool
}

// Sender sends messages. Several processes may send those of the same books: each endpoint is sent to by one at a time.
type Sender struct {
	Options
	source source

	mu      sync.Mutex
	working map[string]bool // endpoints that are being sent to
	failing map[string]bool // endpoints of which an error is logged
	refused map[string]bool // endpoints of which it is logged that they do not take a message
}

// New makes a Sender.
func New(o Options) *Sender {
	if o.Observe == nil {
		o.Observe = func(string, string) {}
	}
	if o.Failed == nil {
		o.Failed = func(error) bool { return false }
	}
	return &Sender{Options: o, source: newSource(o.Books),
		working: map[string]bool{}, failing: map[string]bool{}, refused: map[string]bool{}}
}

// lookEvery is how often it is looked for work at most: events may be numbered many times in a second, and a look reads
// all endpoints.
const lookEvery = 100 * time.Millisecond

// releaseWait is how long a process that ends takes to let others have its endpoints; after that they wait for the end
// of its lease.
const releaseWait = 5 * time.Second

// Run sends until the context ends. An attempt in hand is cut off then, and made again by whoever goes on.
func (s *Sender) Run(ctx context.Context) {
	var work sync.WaitGroup
	for ctx.Err() == nil {
		numbered := s.Books.Outbox().Wait()
		rest := time.NewTimer(min(lookEvery, s.Poll))
		all, err := s.source.reports.EnabledWebhooks(ctx)
		s.say(ctx, "", err)
		for _, w := range all {
			if w.Idle(s.Now(), s.Holder) || !s.begin(w.Name) {
				continue
			}
			work.Go(func() {
				defer s.end(w.Name)
				s.say(ctx, w.Name, s.Deliver(ctx, w.Name))
			})
		}
		pause(ctx, numbered, rest.C, s.Poll)
		rest.Stop()
	}
	work.Wait()
	s.release(ctx)
}

// pause waits until something is numbered, but not before the end of a rest and not longer than a time after now.
func pause(ctx context.Context, numbered <-chan struct{}, rest <-chan time.Time, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-numbered:
	case <-timer.C:
	}
	select {
	case <-ctx.Done():
	case <-rest:
	}
}

// begin reports whether nobody sends to an endpoint yet, and then says that somebody does.
func (s *Sender) begin(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.working[name] {
		return false
	}
	s.working[name] = true
	return true
}

func (s *Sender) end(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.working, name)
}

// release lets others have the endpoints of this process.
func (s *Sender) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWait)
	defer cancel()
	all, err := s.source.reports.Webhooks(ctx)
	for _, w := range all {
		if w.Holder == s.Holder {
			err = errors.Join(err, s.Books.ReleaseWebhook(ctx, w.Name, s.Holder))
		}
	}
	if err != nil && !s.Failed(err) {
		s.Log.Warn("other processes send webhooks only when this one's lease is over", "error", err,
			"in", store.WebhookLease)
	}
}

// say logs an error of an endpoint, or of all, when it begins.
func (s *Sender) say(ctx context.Context, name string, err error) {
	s.mu.Lock()
	before := s.failing[name]
	s.failing[name] = err != nil
	s.mu.Unlock()
	if err != nil && !before && ctx.Err() == nil && !s.Failed(err) {
		s.Log.Error("webhooks are not sent; retrying", "endpoint", name, "error", err, "in", s.Poll)
	}
}

// sayRefused logs that an endpoint does not take a message, when that begins: until nothing waits for it any more.
func (s *Sender) sayRefused(name string, m store.SentMessage) {
	s.mu.Lock()
	before := s.refused[name]
	s.refused[name] = true
	s.mu.Unlock()
	if !before {
		s.Log.Warn("a webhook is not delivered; it is sent again", "endpoint", name, "message", m.ID(), "answer",
			outcome(m.Answer))
	}
}

// caughtUp notes that an endpoint has all that failed.
func (s *Sender) caughtUp(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.refused, name)
}

// Deliver sends to an endpoint what there is, unless another process does, and returns when there is nothing left to
// send now. Its error is one of the books: what an endpoint answers is none.
func (s *Sender) Deliver(ctx context.Context, name string) error {
	for ctx.Err() == nil {
		work, found, err := s.Books.ClaimWebhook(ctx, name, s.Holder)
		if err != nil || !found {
			return err
		}
		more, err := s.round(ctx, work)
		if ledger.ReasonOf(err) == store.ReasonLease {
			s.Log.Warn("an endpoint was changed, or another process sends to it; what was sent since may be sent again",
				"endpoint", name)
			continue
		}
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// secrets opens those that sign now.
func (s *Sender) secrets(w store.Webhook) (secrets []webhook.Secret, err error) {
	for _, sealed := range w.Signing(s.Now()) {
		text, err := s.Sealer.Open(sealed, webhook.Sealed(w.Name))
		if err != nil {
			return nil, err
		}
		secret, err := webhook.ParseSecret(string(text))
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, secret)
	}
	return secrets, nil
}
