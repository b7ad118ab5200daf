// Package deliver hands what is in the books to a target, by number: payouts, of which it brings back what the target
// says, and events. It knows no SQL, and decides nothing about money.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/softstake/softstake/backoff"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// Config is how something is delivered.
type Config struct {
	Books  *store.DB
	Name   string // of the target in the books
	Holder string // names this process among those that deliver
	Log    *slog.Logger
	Poll   time.Duration // how often to look for more, above zero
	Batch  int           // how many payouts or events at most are handed over at once, at least 1
	// A number from 0 to n-1, for n above zero: so that not all processes retry at the same moment.
	Random   func(n int64) int64
	From     int64 // number from which to deliver, first of all; 0: go on
	UntilEnd bool  // end when there is nothing more now; else when the context ends
}

// Result is what a run has done.
type Result struct {
	Sent    int // payouts, or messages of events, that were handed over, also those that were before
	Answers int // that were read and are in the books
	Wrong   int // that were read, and contradict the books
}

// feed is what is delivered, and where to.
type feed interface {
	target() store.NewTarget
	// alone reports whether one process at a time delivers to the target; else it keeps by itself how far it is.
	alone() bool
	// resend sets back how far the target is.
	resend(ctx context.Context, n store.NewTarget) error
	open(ctx context.Context) (session, error)
	// number gives numbers to what was written by a process that has ended before it did.
	number(ctx context.Context) error
}

// session is a connection to the target.
type session interface {
	// position is the number of the last one that the target has.
	position(ctx context.Context) (int64, error)
	// next hands over what is next after a number, and returns the number of the last one, which is in the books.
	next(ctx context.Context, after int64) (int64, error)
	// answer brings back some of what the target says, and returns how much it was.
	answer(ctx context.Context) (int, error)
	Close() error
}

// delivery is a run.
type delivery struct {
	Config
	feed
	stream store.Stream
	result Result
	leased time.Time // until when the target is this process's own; zero: it is not
	held   bool      // another process has it, which is logged
}

var (
	// errEnd is the end of what there is now.
	errEnd = errors.New("nothing more now")
	// errHeld says that the target is another process's.
	errHeld = errors.New("another process delivers to it")
	// errMoved says that the target is at another number than this process knows: another one delivers to it too.
	errMoved = errors.New("the target has moved on")
	// errReplaced says that the target is not this run's any more.
	errReplaced = errors.New("the target was ended, or given another address or other kinds, while this ran; start again")
)

const (
	// handWithin is how long handing over may take: less than the lease, so that no other process has begun.
	handWithin = store.TargetLease * 3 / 4
	// releaseWait is how long a process that ends takes to let another have its target; after that it waits for the end
	// of the lease.
	releaseWait = 5 * time.Second
)

// run delivers what there is, and goes on. An error of the target or of the database is kept with the target, logged
// and retried or, until the end, returned. That the target is not as it was, needs approval, or has no such number to
// deliver from is returned at once, and so is that somebody ends it or gives it another address while this runs.
func (d *delivery) run(ctx context.Context, f feed) (Result, error) {
	d.feed = f
	n := f.target()
	d.stream, n.Name, n.From = n.Stream, d.Name, d.From
	target, err := d.Books.AddTarget(ctx, n)
	if other := errors.Is(err, ledger.ErrConflict); d.From > 0 && (err == nil || other) {
		if err = nil; other || !f.alone() || target.Number != d.From-1 {
			err = f.resend(ctx, n)
		}
	}
	if err != nil {
		return d.result, err
	}
	defer d.release(ctx)
	for wait := d.Poll; ; {
		before := d.result
		err := d.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return d.result, nil
		case errors.Is(err, errEnd):
			return d.result, nil
		case errors.Is(err, errReplaced):
			return d.result, err
		case errors.Is(err, errMoved):
			d.Log.Info("another process delivers too, or somebody has something sent again", "target", d.Name)
			backoff.Pause(ctx, backoff.Jitter(d.Poll, d.Random))
			continue
		case errors.Is(err, errHeld) && !d.UntilEnd:
			if !d.held {
				d.Log.Info("another process delivers; waiting until it ends", "target", d.Name)
			}
			d.held = true
			backoff.Pause(ctx, d.Poll)
			continue
		case errors.Is(err, errHeld):
			return d.result, err
		}
		if kept := d.Books.FailTarget(ctx, d.stream, d.Name, err.Error()); kept != nil && ctx.Err() == nil {
			err = errors.Join(err, kept)
		}
		if d.UntilEnd {
			return d.result, err
		}
		if d.result != before {
			wait = d.Poll
		}
		in := backoff.Jitter(wait, d.Random)
		d.Log.Error("what there is cannot be delivered; retrying", "stream", d.stream, "target", d.Name, "in", in,
			"error", err)
		backoff.Pause(ctx, in)
		wait = backoff.Next(wait)
	}
}

// follow delivers from where the target is until something fails; errEnd where there is nothing more, until the end.
func (d *delivery) follow(ctx context.Context) (err error) {
	if err := d.claim(ctx); err != nil {
		return err
	}
	session, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	number, err := session.position(ctx)
	if err != nil {
		return err
	}
	if err := d.Books.FailTarget(ctx, d.stream, d.Name, ""); err != nil {
		return err
	}
	for numbered := false; ; {
		next, err := session.next(ctx, number)
		if err != nil {
			return err
		}
		answers, err := session.answer(ctx)
		if err != nil {
			return err
		}
		switch more := next > number || answers > 0; {
		case more:
			number, numbered = next, false
		case !numbered:
			// What was written by a process that has ended before it gave numbers gets them now.
			if err := d.number(ctx); err != nil {
				return err
			}
			numbered = true
		case d.UntilEnd:
			return errEnd
		default:
			if err := d.keep(ctx); err != nil {
				return err
			}
			if numbered = false; !backoff.Pause(ctx, d.Poll) {
				return ctx.Err()
			}
		}
	}
}

// claim has the target for this process alone; errHeld where another has it, errReplaced where it is not the one any
// more that this run was begun for. Several may deliver to one that keeps by itself how far it is.
func (d *delivery) claim(ctx context.Context) error {
	d.leased = time.Time{}
	target, err := d.Books.Target(ctx, d.stream, d.Name)
	if errors.Is(err, ledger.ErrNotFound) {
		return errReplaced
	}
	if err != nil {
		return err
	}
	found := !d.alone()
	if !found && !target.Lease.After(d.Books.Now()) || target.Holder == d.Holder {
		if target, found, err = d.Books.ClaimTarget(ctx, d.stream, d.Name, d.Holder); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("%w, until %s at least", errHeld, ledger.FormatTime(target.Lease))
	}
	if d.alone() {
		d.leased, d.held = target.Lease, false
	}
	if is := d.target(); target.Address != is.Address || target.Kinds != is.Kinds {
		return errReplaced
	}
	return nil
}

// keep prolongs the lease where it could end while something is handed over.
func (d *delivery) keep(ctx context.Context) error {
	if d.leased.IsZero() || d.Books.Now().Before(d.leased.Add(-handWithin)) {
		return nil
	}
	target, found, err := d.Books.ClaimTarget(ctx, d.stream, d.Name, d.Holder)
	switch {
	case err != nil:
		return err
	case !found:
		return errMoved
	}
	d.leased = target.Lease
	return nil
}

// hand calls what hands something over, within the lease.
func (d *delivery) hand(ctx context.Context, over func(context.Context) error) error {
	if err := d.keep(ctx); err != nil {
		return err
	}
	if !d.leased.IsZero() {
		var cancel func()
		ctx, cancel = context.WithTimeout(ctx, handWithin)
		defer cancel()
	}
	return over(ctx)
}

// move keeps that the target has what there is up to a number. errMoved where it is not at the first one any
// more, or not this process's.
func (d *delivery) move(ctx context.Context, from, to int64) error {
	holder := ""
	if !d.leased.IsZero() {
		holder = d.Holder
	}
	now := d.Books.Now()
	err := d.Books.MoveTarget(ctx, d.stream, d.Name, holder, from, to)
	if errors.Is(err, ledger.ErrConflict) {
		return fmt.Errorf("%w: %w", errMoved, err)
	}
	if err == nil && holder != "" {
		d.leased = now.Add(store.TargetLease)
	}
	return err
}

// release lets another process have the target.
func (d *delivery) release(ctx context.Context) {
	if d.leased.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWait)
	defer cancel()
	if err := d.Books.ReleaseTarget(ctx, d.stream, d.Name, d.Holder); err != nil {
		d.Log.Warn("another process delivers only when this one's lease is over", "target", d.Name, "error", err)
	}
}
