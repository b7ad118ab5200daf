package staking

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/softstake/softstake/ledger"
)

// Why a token's day waits: for funds, for approval, because the income that was entered on it cannot be divided, or
// because another ledger says something else. Later days of the token wait too.
const (
	ErrFunds     ledger.ErrorKind = "not enough funds in @rewards"
	ErrLimit     ledger.ErrorKind = "over the limit above which a day needs approval"
	ErrUndivided ledger.ErrorKind = "what there is to share cannot be divided"
	ErrBreak     ledger.ErrorKind = "the other ledger differs by more than the limit"
	// ErrUncompared says that the day must be compared with another ledger before it is paid, and is not yet.
	ErrUncompared ledger.ErrorKind = "it is not compared with the other ledger yet"
)

// Their reasons, with the facts of each (ledger.Error).
const (
	ReasonFunds      = "short-of-funds" // the token and what is missing, as text
	ReasonLimit      = "over-limit"     // the day and the token
	ReasonBreak      = "other-ledger"   // the number of the reconciliation and the token
	ReasonUncompared = "uncompared"     // the token and the day
	ReasonCampaign   = "campaign-day"   // the campaign, the day and the token that is not declared
)

// ErrChanged is returned if the day changed between its accrual and its declaration, as by
// a correction of its terms: it must be accrued again.
var ErrChanged = errors.New("changed between accrual and declaration")

// Books are what a run works on. Every method is idempotent, and safe for concurrent use
// by several processes.
type Books interface {
	// Closings are how long after their end days take late entries.
	Closings(ctx context.Context) (Closings, error)
	// Delivered is the last day of which everything is in the books that other ledgers send; Forever if none sends.
	Delivered(ctx context.Context) (Day, error)
	// CloseDays closes every day up to and including through, for good. It refuses a day
	// that still takes late entries.
	CloseDays(ctx context.Context, through Day, now time.Time) error
	// Due are the oldest unpaid days up to and including through, one per token.
	Due(ctx context.Context, through Day) ([]Due, error)
	// Undivided are those of the tokens whose income of the day, or whose campaigns, cannot be divided yet:
	// ErrUndivided.
	Undivided(ctx context.Context, d Day, tokens []string) ([]Waiting, error)
	// Group sums what the accounts of each owner held, where minimum and cap are those of owners.
	// Accrue passes over a token whose day is not grouped.
	Group(ctx context.Context, d Day, tokens []string) error
	// Unaccrued and Unpaid are the batches in which any of the tokens is not done yet.
	Unaccrued(ctx context.Context, d Day, tokens []string) ([]Batch, error)
	Unpaid(ctx context.Context, d Day, tokens []string) ([]Batch, error)
	// Accrue applies the rule to every enrolled holding of the batch, read in one
	// snapshot, and writes what it earned.
	Accrue(ctx context.Context, p Batch, d Day, tokens []string, rule Rule) error
	// Declare moves the day's total of a token from the pool to what is payable. Its errors:
	// ErrFunds, ErrLimit, ErrUndivided, ErrBreak and ErrUncompared, if the day waits; ErrChanged, if it must be accrued
	// again.
	Declare(ctx context.Context, d Day, token string, now time.Time) error
	// Pay credits what is payable in the batch.
	Pay(ctx context.Context, p Batch, d Day, tokens []string, now time.Time) error
	// Settled publishes which days are paid in every bucket.
	Settled(ctx context.Context, now time.Time) error
	// Notify writes what holders are notified of when terms begin to hold.
	Notify(ctx context.Context, now time.Time) error
}

// Batch is a batch of buckets, ascending, that one transaction works on: one bucket, or
// several small ones.
type Batch []int

// Rule is Accrue.
type Rule func(Day, Terms, Holding) (Accrual, bool)

// Due is a token's oldest day that is not paid.
type Due struct {
	Asset string
	Day   Day
}

// Waiting is a token's day that waits, and why.
type Waiting struct {
	Due
	Reason error // ErrFunds, ErrLimit, ErrUndivided, ErrBreak or ErrUncompared
}

// Report is what a run has done.
type Report struct {
	Closed  Day       // the last day that it was to close
	Next    time.Time // when the day after it may be closed
	Awaited bool      // that day is over, and waits for what another ledger has still to send
	Paid    []Due     // by day and token
	Waiting []Waiting // by token
}

// Options are the settings of a run.
type Options struct {
	Through  *Day       // the last day to settle; nil: every day that is over
	Workers  int        // how many batches are worked on at the same time, at least 1
	Start    int        // the first batch; different for each process, so that they seldom collide
	Progress func(Step) // called after each step, from several goroutines; may be nil
}

// Step is the progress of a run: how many of the batches of a day are done.
type Step struct {
	Day      Day
	Stage    string // "accrue" or "pay"
	Done, Of int
}

// Run brings every token's days up to date, oldest first: close → group → accrue → declare → pay.
// It is idempotent and safe to run in several processes at the same time, and a late run
// pays the same. A token that must wait is reported, not an error, and does not stop the
// others.
func Run(ctx context.Context, b Books, now time.Time, o Options) (Report, error) {
	closings, err := b.Closings(ctx)
	if err != nil {
		return Report{}, err
	}
	delivered, err := b.Delivered(ctx)
	if err != nil {
		return Report{}, err
	}
	report := Report{Closed: closings.LastOver(now)}
	if report.Awaited = delivered < report.Closed; report.Awaited {
		report.Closed = delivered
	}
	if o.Through != nil {
		report.Closed = min(report.Closed, *o.Through)
	}
	report.Next = closings.ClosesAt(report.Closed + 1)
	if err := b.CloseDays(ctx, report.Closed, now); err != nil {
		return report, err
	}
	waiting := map[string]error{}
	for {
		// Also before anything is due: a run may have been stopped after its last payment.
		if err := b.Settled(ctx, now); err != nil {
			return report, err
		}
		due, err := b.Due(ctx, report.Closed)
		if err != nil {
			return report, err
		}
		due = slices.DeleteFunc(due, func(d Due) bool { return waiting[d.Asset] != nil })
		if len(due) == 0 {
			return report, b.Notify(ctx, now) // last: no reward waits for it
		}
		day := slices.MinFunc(due, func(a, b Due) int { return cmp.Compare(a.Day, b.Day) }).Day
		due = slices.DeleteFunc(due, func(d Due) bool { return d.Day != day })
		paid, err := settle(ctx, b, day, due, now, o, func(d Due, reason error) {
			waiting[d.Asset] = reason
			report.Waiting = append(report.Waiting, Waiting{d, reason})
		})
		report.Paid = append(report.Paid, paid...)
		if err != nil {
			return report, fmt.Errorf("settle %s: %w", day, err)
		}
	}
}

// settle accrues, declares and pays a day of some tokens. It calls wait for each token
// whose day must wait, and returns those that are paid.
func settle(
	ctx context.Context, b Books, d Day, due []Due, now time.Time, o Options, wait func(Due, error),
) ([]Due, error) {
	undivided, err := b.Undivided(ctx, d, tokensOf(due))
	if err != nil {
		return nil, err
	}
	for _, w := range undivided {
		wait(w.Due, w.Reason)
		due = slices.DeleteFunc(due, func(d Due) bool { return d == w.Due })
	}
	if len(due) == 0 {
		return nil, nil
	}
	tokens := tokensOf(due)
	if err := b.Group(ctx, d, tokens); err != nil {
		return nil, err
	}
	batches, err := b.Unaccrued(ctx, d, tokens)
	if err != nil {
		return nil, err
	}
	err = o.forEach(ctx, d, "accrue", batches, func(ctx context.Context, p Batch) error {
		return b.Accrue(ctx, p, d, tokens, Accrue)
	})
	if err != nil {
		return nil, err
	}
	var declared []Due
	for _, token := range due {
		switch err := b.Declare(ctx, d, token.Asset, now); {
		case err == nil:
			declared = append(declared, token)
		case IsWaiting(err):
			wait(token, err)
		case !errors.Is(err, ErrChanged):
			return nil, err
		}
	}
	if declared == nil {
		return nil, nil
	}
	tokens = tokensOf(declared)
	if batches, err = b.Unpaid(ctx, d, tokens); err != nil {
		return nil, err
	}
	return declared, o.forEach(ctx, d, "pay", batches, func(ctx context.Context, p Batch) error {
		return b.Pay(ctx, p, d, tokens, now)
	})
}

// IsWaiting reports whether an error says that a token's day waits, and why.
func IsWaiting(err error) bool {
	return errors.Is(err, ErrFunds) || errors.Is(err, ErrLimit) || errors.Is(err, ErrUndivided) ||
		errors.Is(err, ErrBreak) || errors.Is(err, ErrUncompared)
}

func tokensOf(due []Due) []string {
	tokens := make([]string, len(due))
	for i, d := range due {
		tokens[i] = d.Asset
	}
	return tokens
}

// forEach calls do for each batch, several at the same time, and stops at the first error.
func (o Options) forEach(
	ctx context.Context, d Day, stage string, batches []Batch, do func(context.Context, Batch) error,
) error {
	work, within := errgroup.WithContext(ctx)
	work.SetLimit(max(o.Workers, 1))
	var done atomic.Int64
	for i := range batches {
		p := batches[(i+o.Start)%len(batches)]
		work.Go(func() error {
			if within.Err() != nil {
				return nil
			}
			if err := do(within, p); err != nil {
				return fmt.Errorf("%s buckets %d to %d: %w", stage, p[0], p[len(p)-1], err)
			}
			if n := done.Add(1); o.Progress != nil {
				o.Progress(Step{d, stage, int(n), len(batches)})
			}
			return nil
		})
	}
	if work.Wait() != nil {
		return context.Cause(within) // the first error, or the caller's reason to stop if that came before
	}
	return context.Cause(ctx)
}
