package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"softstake/staking"
	"softstake/store"
)

// serveCmd settles each day by itself.
type serveCmd struct {
	Listen     string        `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where health and metrics are served; port 0 takes a free one. Without it: ${default}."`
	CloseAfter time.Duration `default:"5m" help:"How long past midnight UTC a day stays open for late entries."`
	Poll       time.Duration `default:"1m" hidden:"" help:"How often to look for what is due."`
}

func (c *serveCmd) Help() string {
	return `Each day is settled when it is over, from --close-after past midnight UTC. What fails is tried again, and a token that waits for funds or for a person is looked at each minute. Several processes may serve the same books in PostgreSQL: each reward is paid once.

GET /healthz says that the process is alive, GET /readyz that it reaches its books, GET /metrics gives figures to Prometheus. SIGTERM ends it when the work in hand is done.

Example:

  softstake serve --listen 127.0.0.1:8080`
}

const (
	// stopWait is how long the work in hand may take after the signal to stop.
	stopWait = 20 * time.Second
	// firstRetry is how long to wait after the first failure; it doubles up to Poll.
	firstRetry = time.Second
)

// Run serves until the signal to stop.
func (c *serveCmd) Run(w *World) error {
	if c.CloseAfter < 0 || c.CloseAfter >= 24*time.Hour {
		return usage("--close-after %s does not lie between 0 and a day", c.CloseAfter)
	}
	if c.Poll <= 0 {
		return usage("--poll %s is not above zero", c.Poll)
	}
	return w.books(func(ctx context.Context, db *store.DB) error {
		log := slog.New(slog.NewTextHandler(w.Stderr, nil))
		s := &scheduler{world: w, books: db, log: log, options: runOptions(w, c.CloseAfter), poll: c.Poll, retry: firstRetry}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
		if err != nil {
			return err
		}
		server := &http.Server{
			Handler: newHandler(db, s, log), ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
			ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
			IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		}
		ctx, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		var serving sync.WaitGroup
		serving.Go(func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				stop(err)
			}
		})
		log.Info("serving", "address", listener.Addr().String(), "books", redact(w.DB), "close_after", c.CloseAfter)
		s.run(ctx)
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
		defer cancel()
		err = server.Shutdown(closing)
		serving.Wait()
		log.Info("stopped")
		if cause := context.Cause(ctx); w.Context.Err() == nil && cause != nil {
			return errors.Join(cause, err)
		}
		return err
	})
}

// scheduler settles what is due, again and again.
type scheduler struct {
	world   *World
	books   *store.DB
	log     *slog.Logger
	options staking.Options
	poll    time.Duration
	retry   time.Duration // how long to wait after the next failure

	mu   sync.Mutex
	runs runs
}

// runs are what there is to say of the runs so far.
type runs struct {
	done, failed int64
	last         time.Time // when the last one ended
	took         time.Duration
	lastFailed   bool
	waiting      map[string]string // by token, as of the last run that did not fail
}

// run settles until the context ends.
func (s *scheduler) run(ctx context.Context) {
	for {
		timer := time.NewTimer(s.settle(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// settle settles what is due, tells what came of it, and says how long to wait.
func (s *scheduler) settle(ctx context.Context) (wait time.Duration) {
	began := time.Now()
	report, err := staking.Run(ctx, finishing{s.books}, s.world.Now(), s.options)
	for _, paid := range byDay(report.Paid) {
		s.log.Info("settled", "day", paid.day.String(), "tokens", paid.tokens)
	}
	if err != nil && ctx.Err() != nil {
		s.log.Info("stopping; what is not done yet is done when it is started again")
		return 0
	}
	s.note(time.Since(began), report, err)
	if err != nil {
		wait, s.retry = s.retry, min(2*s.retry, max(s.poll, firstRetry))
		s.log.Error("settling failed; it is tried again", "error", plain(err), "in", wait)
		return wait
	}
	s.retry = firstRetry
	due := (report.Closed + 2).Start().Add(s.options.CloseAfter).Sub(s.world.Now())
	return max(min(due, s.poll), time.Millisecond)
}

// note keeps what there is to say of a run, and logs a token that waits when its reason changes.
func (s *scheduler) note(took time.Duration, report staking.Report, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs.done++
	s.runs.last, s.runs.took, s.runs.lastFailed = s.world.Now(), took, err != nil
	if err != nil {
		s.runs.failed++
		return
	}
	waiting := map[string]string{}
	for _, w := range report.Waiting {
		reason := waitReason(w)
		waiting[w.Asset] = reason
		if s.runs.waiting[w.Asset] != reason {
			s.log.Warn("a token waits", "token", w.Asset, "day", w.Day.String(), "reason", reason)
		}
	}
	s.runs.waiting = waiting
}

// soFar is what there is to say of the runs so far.
func (s *scheduler) soFar() runs {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs
}

// dayPaid is the tokens of which a day was paid.
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

// finishing are books in which a piece of work that has begun is finished, also
// when the run is told to stop: the run looks whether it should go on between two.
type finishing struct{ *store.DB }

// grace lets what has begun take a little longer than the context.
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

// Accrue finishes the piece in hand.
func (f finishing) Accrue(ctx context.Context, p staking.Piece, d staking.Day, tokens []string, rule staking.Rule) error {
	ctx, done := grace(ctx)
	defer done()
	return f.DB.Accrue(ctx, p, d, tokens, rule)
}

// Pay finishes the piece in hand.
func (f finishing) Pay(ctx context.Context, p staking.Piece, d staking.Day, tokens []string, now time.Time) error {
	ctx, done := grace(ctx)
	defer done()
	return f.DB.Pay(ctx, p, d, tokens, now)
}
