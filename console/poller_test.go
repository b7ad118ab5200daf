package console

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
)

// TestOnePollerServesAllStreams: as many streams as there may be are one look at the books at a time, and none are
// none.
func TestOnePollerServesAllStreams(t *testing.T) {
	var looks atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	p := &poller{ctx: ctx, log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		pulse: func(context.Context) (int64, error) { return 100 + looks.Add(1), nil }}
	for range 2 { // it begins again with the next stream
		before := looks.Load()
		for range mostStreams {
			p.join()
		}
		at, next := p.look()
		for at == 0 {
			<-next
			at, next = p.look()
		}
		if n := looks.Load() - before; at <= 100+before || n > 5 { // more than one where this machine is slow
			t.Errorf("%d streams have looked %d times, and found %d", mostStreams, n, at)
		}
		for range mostStreams {
			p.leave()
		}
		p.work.Wait()
	}
	p.join()
	stop()
	p.work.Wait()
}
