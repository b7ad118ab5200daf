package staking_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/softstake/softstake/staking"
)

// What a simulated process fails with, beside context.Canceled.
var (
	errCrashed = errors.New("the process has crashed")
	errLost    = errors.New("the connection is lost")
	errEndless = errors.New("the run does not end")
)

// stepLimit is far above what any try takes.
const stepLimit = 5_000

// simulation runs staking.Run in several processes on the same books. Every call of the
// books stops at a gate before its effect and at another after it, and one call at a time
// goes on. Which one, what fails, and what others do in between is drawn from the seed.
// It runs in a bubble of synctest: so it knows when all goroutines have come to a gate.
type simulation struct {
	*rand.Rand
	books  *memoryBooks
	faults int // one step in so many fails; 0: none
	others int // before one step in so many somebody else changes the books; 0: never
	seen   map[string]uint64
	trace  func(format string, args ...any)
	steps  int
	wrong  []string // what was found; empty: nothing

	mu        sync.Mutex
	processes []*process
	calls     []*call // at a gate
}

// process is one call of staking.Run. As staking.Books it hands on each call to the books.
type process struct {
	sim     *simulation
	number  int
	now     time.Time
	options staking.Options
	cancel  context.CancelFunc
	fault   error // the first it was given; nil: none
	crashed bool  // no call of it has an effect any more
	early   bool  // its clock is ahead: the books refused to close the day
	report  staking.Report
	err     error
}

// call is a call of the books that stops at a gate.
type call struct {
	process *process
	name    string
	gate    string
	proceed chan error
}

func (s *simulation) start(now time.Time, o staking.Options) *process {
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{sim: s, number: len(s.processes), now: now, options: o, cancel: cancel}
	s.processes = append(s.processes, p)
	s.trace("process %d starts at %s with %d workers", p.number, now.Format(time.DateTime), o.Workers)
	go func() {
		defer cancel()
		p.report, p.err = staking.Run(ctx, p, now, o)
	}()
	return p
}

// play lets the processes go on, and starts so many more, until all have ended.
func (s *simulation) play(more int) {
	for {
		synctest.Wait()
		if more > 0 && (len(s.calls) == 0 || s.IntN(20) == 0) {
			more--
			s.start(s.books.clock.Add(s.skew()), s.options())
			continue
		}
		if len(s.calls) == 0 {
			break
		}
		if s.others > 0 && s.IntN(s.others) == 0 {
			s.interfere()
		}
		s.step()
	}
	for _, p := range s.processes {
		s.judge(p)
	}
	s.processes = nil
}

// step lets one call go on to its next gate.
func (s *simulation) step() {
	slices.SortFunc(s.calls, func(a, b *call) int {
		return cmp.Or(cmp.Compare(a.process.number, b.process.number), cmp.Compare(a.name, b.name))
	})
	if s.calls[0].process != s.calls[len(s.calls)-1].process {
		s.seen["processes at the same time"]++
	}
	i := s.IntN(len(s.calls))
	c := s.calls[i]
	s.calls = slices.Delete(s.calls, i, i+1)
	err := s.fail(c)
	s.trace("process %d: %s%s: %v", c.process.number, c.name, c.gate, err)
	c.proceed <- err
	synctest.Wait()
	s.checkConservation()
	if s.steps++; s.steps == stepLimit {
		s.find("%v", errEndless)
	}
}

// fail draws what a call fails with; nil: nothing.
func (s *simulation) fail(c *call) error {
	p := c.process
	switch {
	case s.steps >= stepLimit:
		return errEndless
	case p.crashed:
		return errCrashed
	case s.faults == 0 || s.IntN(s.faults) > 0:
		return nil
	}
	fault := pick(s.Rand, errCrashed, errCrashed, errLost, context.Canceled)
	s.seen[fault.Error()+c.gate]++
	p.fault = cmp.Or(p.fault, fault)
	p.crashed = p.crashed || fault == errCrashed
	if fault == context.Canceled {
		p.cancel()
	}
	return fault
}

// The two gates of a call: before its effect, and after it.
const before, after = " before its effect", " after its effect"

// gated makes a call of the books between its two gates.
func gated[T any](ctx context.Context, p *process, name string, do func() (T, error)) (result T, err error) {
	if err := p.gate(ctx, before, name); err != nil {
		return result, err
	}
	result, err = do()
	for _, reason := range []error{staking.ErrChanged, staking.ErrFunds, staking.ErrLimit} {
		if errors.Is(err, reason) {
			p.sim.seen[reason.Error()]++
		}
	}
	if failed := p.gate(ctx, after, name); failed != nil {
		return result, failed
	}
	return result, err
}

func (p *process) gate(ctx context.Context, gate, name string) error {
	c := &call{process: p, gate: gate, name: name, proceed: make(chan error)}
	p.sim.mu.Lock()
	p.sim.calls = append(p.sim.calls, c)
	p.sim.mu.Unlock()
	if err := <-c.proceed; err != nil {
		return err
	}
	return ctx.Err()
}

// do is gated for calls that return only an error.
func (p *process) do(ctx context.Context, name string, do func() error) error {
	_, err := gated(ctx, p, name, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

func (p *process) Closings(ctx context.Context) (staking.Closings, error) {
	return gated(ctx, p, "closings", func() (staking.Closings, error) { return p.sim.books.Closings(ctx) })
}

func (p *process) Delivered(ctx context.Context) (staking.Day, error) {
	return p.sim.books.Delivered(ctx)
}

func (p *process) CloseDays(ctx context.Context, through staking.Day, now time.Time) error {
	return p.do(ctx, "close", func() error {
		err := p.sim.books.CloseDays(ctx, through, now)
		p.early = err != nil
		return err
	})
}

func (p *process) Due(ctx context.Context, through staking.Day) ([]staking.Due, error) {
	return gated(ctx, p, "due", func() ([]staking.Due, error) { return p.sim.books.Due(ctx, through) })
}

func (p *process) Undivided(ctx context.Context, d staking.Day, tokens []string) ([]staking.Waiting, error) {
	return gated(ctx, p, "undivided", func() ([]staking.Waiting, error) { return p.sim.books.Undivided(ctx, d, tokens) })
}

func (p *process) Unaccrued(ctx context.Context, d staking.Day, tokens []string) ([]staking.Batch, error) {
	return gated(ctx, p, "unaccrued", func() ([]staking.Batch, error) { return p.sim.books.Unaccrued(ctx, d, tokens) })
}

func (p *process) Group(ctx context.Context, d staking.Day, tokens []string) error {
	return p.do(ctx, fmt.Sprint("group ", d, tokens), func() error { return p.sim.books.Group(ctx, d, tokens) })
}

func (p *process) Unpaid(ctx context.Context, d staking.Day, tokens []string) ([]staking.Batch, error) {
	return gated(ctx, p, "unpaid", func() ([]staking.Batch, error) { return p.sim.books.Unpaid(ctx, d, tokens) })
}

func (p *process) Accrue(
	ctx context.Context, batch staking.Batch, d staking.Day, tokens []string, rule staking.Rule,
) error {
	return p.do(ctx, fmt.Sprint("accrue ", d, tokens, batch), func() error {
		return p.sim.books.Accrue(ctx, batch, d, tokens, rule)
	})
}

func (p *process) Declare(ctx context.Context, d staking.Day, token string, now time.Time) error {
	return p.do(ctx, fmt.Sprint("declare ", d, " ", token), func() error {
		return p.sim.books.Declare(ctx, d, token, now)
	})
}

func (p *process) Pay(ctx context.Context, batch staking.Batch, d staking.Day, tokens []string, now time.Time) error {
	return p.do(ctx, fmt.Sprint("pay ", d, tokens, batch), func() error {
		return p.sim.books.Pay(ctx, batch, d, tokens, now)
	})
}

func (p *process) Settled(ctx context.Context, now time.Time) error {
	return p.do(ctx, "settled", func() error { return p.sim.books.Settled(ctx, now) })
}

func (p *process) Notify(ctx context.Context, now time.Time) error {
	return p.do(ctx, "notify", func() error { return p.sim.books.Notify(ctx, now) })
}

func (s *simulation) find(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}
