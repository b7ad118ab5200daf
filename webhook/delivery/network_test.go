package delivery_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/faultproxy"
	"github.com/softstake/softstake/scenario"
)

const (
	faults       = 5
	faultsInLong = 200
	// impatience is how long an attempt takes at most: some faults last longer.
	impatience = 200 * time.Millisecond
)

// TestNetwork: the network to a receiver fails at random moments in every way. Each time it goes on by itself; the
// receiver gets each message, in its order, always with the same ID and body.
func TestNetwork(t *testing.T) {
	rounds := faults
	if scenario.Long() {
		rounds = faultsInLong
	}
	w := worldOf(t, scenario.Databases[0])
	r := newReceiver(t)
	p := faultproxy.New(t, strings.TrimPrefix(r.server.URL, "http://"))
	r.url = "http://" + p.Addr()
	w.add(r, "balance", true)
	ctx, stop := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() {
		for s := w.sender("one", w.books, impatience); ctx.Err() == nil; {
			if err := s.Deliver(ctx, "shop"); err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
			w.clock.Advance(time.Minute) // to the next attempt
			time.Sleep(2 * time.Millisecond)
		}
	})
	defer func() { stop(); sending.Wait() }()
	end := w.load()
	defer end()
	goesOn := func(faultproxy.Fault) {
		t.Helper()
		before := -1
		r.await(-1, func() bool {
			if before < 0 {
				before = len(r.taken)
			}
			return len(r.taken) > before
		})
	}
	goesOn(0)
	faultproxy.Disturb(t, []*faultproxy.Proxy{p}, rounds, scenario.Chance(scenario.Seed(t), 0), goesOn)
	posted := end()
	r.await(posted, func() bool { return len(firsts(r.taken)) == posted })
	stop()
	sending.Wait()
	r.has(posted, true)
	t.Logf("%d messages, sent %d times", posted, len(r.ids()))
	if s := w.state(); !s.Disabled.IsZero() {
		t.Errorf("%+v", s)
	}
}
