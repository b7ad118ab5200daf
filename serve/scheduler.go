package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

const (
	// firstRetry is how long to wait after the first failure: the backoff doubles it up to Poll.
	firstRetry = time.Second
	// awaitedPoll is how long a day waits at most after its last event is in the books.
	awaitedPoll = 5 * time.Second
	// expiryPoll is how often expired rows are removed.
	expiryPoll = time.Hour
	// schemaPoll is how often the schema of the books is compared with the program's.
	schemaPoll = 2 * time.Second
)

// scheduler settles what is due, again and again, and retries with backoff where that fails.
type scheduler struct {
	books   *store.DB
	now     func() time.Time
	log     *slog.Logger
	outage  *outage
	options staking.Options
	retain  people.Retention
	poll    time.Duration
	retry   time.Duration // how long to wait after the next failure

	mu   sync.Mutex
	runs runs
}

// newScheduler makes the scheduler of the books of a Config, which may be out of reach.
func newScheduler(c Config, o *outage) *scheduler {
	return &scheduler{
		books: c.Books, now: c.Now, log: c.Log, outage: o,
		options: c.Settle, retain: c.Retention, poll: c.Poll, retry: firstRetry,
	}
}

// runs are the outcomes of the runs so far.
type runs struct {
	done, failed int64
	last         time.Time // when the last one ended
	took         time.Duration
	lastFailed   bool
	waiting      map[string]string // by token, as of the last run that did not fail
}

// run settles until the context ends.
func (s *scheduler) run(ctx context.Context) {
	for ctx.Err() == nil {
		timer := time.NewTimer(s.settle(ctx))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// removeExpired removes what is kept for a time only, now and each hour until the context ends.
func (s *scheduler) removeExpired(ctx context.Context) {
	hour := time.NewTicker(expiryPoll)
	defer hour.Stop()
	for {
		if err := s.books.Prune(ctx, s.retain); err != nil && ctx.Err() == nil && !s.outage.failed(err) {
			s.log.Error("expired rows are not removed; retrying", "error", err, "in", expiryPoll)
		}
		select {
		case <-ctx.Done():
			return
		case <-hour.C:
		}
	}
}

// settle settles what is due, logs the outcome, and returns how long to wait.
func (s *scheduler) settle(ctx context.Context) (wait time.Duration) {
	began := time.Now()
	report, err := staking.Run(ctx, finishing{s.books}, s.now(), s.options)
	for _, paid := range byDay(report.Paid) {
		s.log.Info("settled", "day", paid.day.String(), "tokens", paid.tokens)
	}
	if err != nil && ctx.Err() != nil {
		s.log.Info("stopping; the next start goes on where this run was")
		return 0
	}
	s.note(time.Since(began), report, err)
	if err != nil {
		wait, s.retry = s.retry, min(2*s.retry, max(s.poll, firstRetry))
		if !s.outage.failed(err) {
			s.log.Error("settling failed; retrying", "error", err, "in", wait)
		}
		return wait
	}
	s.outage.over()
	s.retry = firstRetry
	if report.Awaited {
		return min(awaitedPoll, s.poll)
	}
	return max(min(report.Next.Sub(s.now()), s.poll), time.Millisecond)
}

// note keeps the outcome of a run, and logs a token that waits when its reason changes.
func (s *scheduler) note(took time.Duration, report staking.Report, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs.done++
	s.runs.last, s.runs.took, s.runs.lastFailed = s.now(), took, err != nil
	if err != nil {
		s.runs.failed++
		return
	}
	waiting := map[string]string{}
	for _, w := range report.Waiting {
		reason := waitReason(w)
		waiting[w.Asset] = reason.Error()
		if s.runs.waiting[w.Asset] != reason.Error() {
			s.log.Warn("a token waits", "token", w.Asset, "day", w.Day.String(), "reason", reason)
		}
	}
	s.runs.waiting = waiting
}

// waitReason is why a token waits, without what was being done when that was found.
func waitReason(w staking.Waiting) error {
	if cause, is := errors.AsType[*ledger.Error](w.Reason); is {
		return cause
	}
	return w.Reason
}

// behind is for how long the day after the last one paid could have been settled, or 0.
func (s *scheduler) behind(closings staking.Closings, paid staking.Day) time.Duration {
	return max(s.now().Sub(closings.ClosesAt(paid+1)), 0)
}

// soFar is the outcomes of the runs so far.
func (s *scheduler) soFar() runs {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs
}

// dayPaid is the tokens that were paid of a day.
type dayPaid struct {
	day    staking.Day
	tokens []string
}

func byDay(paid []staking.Due) []dayPaid {
	var days []dayPaid
	for _, p := range paid {
		if n := len(days); n == 0 || days[n-1].day != p.Day {
			days = append(days, dayPaid{day: p.Day})
		}
		last := &days[len(days)-1]
		last.tokens = append(last.tokens, p.Asset)
	}
	return days
}

// finishing are books in which a batch of buckets that has begun is finished, also
// when the run has to stop: the run looks whether to stop between two batches.
type finishing struct{ *store.DB }

// grace gives a batch that has begun more time than its context has.
func grace(ctx context.Context) (context.Context, func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	timer := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(stopWait / 2):
			cancel()
		case <-timer:
		}
	})
	return longer, func() {
		stop()
		close(timer)
		cancel()
	}
}

// Accrue finishes the batch in hand.
func (f finishing) Accrue(ctx context.Context, p staking.Batch, d staking.Day, tokens []string,
	rule staking.Rule) error {
	ctx, done := grace(ctx)
	defer done()
	return f.DB.Accrue(ctx, p, d, tokens, rule)
}

// Pay finishes the batch in hand.
func (f finishing) Pay(ctx context.Context, p staking.Batch, d staking.Day, tokens []string, now time.Time) error {
	ctx, done := grace(ctx)
	defer done()
	return f.DB.Pay(ctx, p, d, tokens, now)
}

// watchSchema returns nil when the context ends, and before that store.ErrSchema when
// another process has upgraded the books: the server ends, so that a supervisor starts the
// new program. Until then each request is refused by itself.
func watchSchema(ctx context.Context, db *store.DB, poll time.Duration) error {
	every := time.NewTicker(min(poll, schemaPoll))
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
		if err := db.CheckSchema(ctx); errors.Is(err, store.ErrSchema) {
			return fmt.Errorf("stopped serving: %w", err)
		}
	}
}

// outage logs that the books cannot be reached: when an outage begins, when its cause
// changes, and when it ends. The scheduler, health and metrics share one, so that a retry is
// not logged each time. It is safe for concurrent use.
type outage struct {
	log *slog.Logger
	now func() time.Time

	mu       sync.Mutex
	since    time.Time
	failures int
	cause    string
}

// failed reports whether an error is that the books cannot be reached, and counts it.
func (o *outage) failed(err error) bool {
	var unreachable *db.UnreachableError
	if !errors.As(err, &unreachable) {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failures++; o.failures == 1 {
		o.since = o.now()
	}
	if cause := unreachable.Error(); cause != o.cause {
		o.cause = cause
		o.log.Error("the books cannot be reached; retrying", "error", unreachable)
	}
	return true
}

// over ends the outage, if there is one: the books were reached.
func (o *outage) over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failures == 0 {
		return
	}
	o.log.Info("the books can be reached again", "after", o.now().Sub(o.since).Round(time.Second).String(), "failures",
		o.failures)
	o.failures, o.cause = 0, ""
}
