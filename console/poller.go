package console

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// pollEvery is how often the books are looked at while there are streams.
const pollEvery = 2 * time.Second

// poller looks for all streams of the process when the books were last written to: one look every pollEvery, and none
// while there is no stream. Its methods are safe for concurrent use.
type poller struct {
	pulse func(context.Context) (int64, error) // when the books were last written to
	log   *slog.Logger
	ctx   context.Context // ends it when the console stops
	work  sync.WaitGroup

	mu      sync.Mutex
	streams int
	polling *polling // nil while there are no streams
}

// polling are the looks between the first stream and the last. What changes in it is guarded by the poller.
type polling struct {
	stop   context.CancelFunc
	at     int64         // when the books were last written to; 0 before the first look
	looked chan struct{} // closed at the next look
}

// join begins to look for one more stream, which calls leave at its end.
func (p *poller) join() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.streams++; p.streams > 1 {
		return
	}
	ctx, cancel := context.WithCancel(p.ctx)
	p.polling = &polling{stop: cancel, looked: make(chan struct{})}
	mine := p.polling
	p.work.Go(func() { p.poll(ctx, mine) })
}

func (p *poller) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.streams--; p.streams == 0 {
		p.polling.stop()
		p.polling = nil
	}
}

// look is when the books were last written to, or 0 if that is not known yet, and what is closed at the next look. It
// is called between join and leave.
func (p *poller) look() (at int64, next <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.polling.at, p.polling.looked
}

// poll looks until it is stopped. A look that fails is logged, and is no change.
func (p *poller) poll(ctx context.Context, mine *polling) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		at, err := p.pulse(ctx)
		if err != nil && ctx.Err() == nil {
			p.log.Warn("the console could not see whether the books have changed", "error", err)
		}
		p.mu.Lock()
		mine.at = max(mine.at, at)
		close(mine.looked)
		mine.looked = make(chan struct{})
		p.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
