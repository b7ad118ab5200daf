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

// Why a token's day waits for a person. Later days of the token wait behind it.
const (
	ErrFunds ledger.ErrorKind = "not enough funds in @rewards"
	ErrLimit ledger.ErrorKind = "over the limit set for a person to look at"
)

// Their reasons, with the facts of each.
const (
	ReasonFunds = "short-of-funds" // the token and what is missing, as text
	ReasonLimit = "over-limit"     // the day and the token
)

// ErrChanged says that the day was changed between its accrual and its
// declaration, as a correction of its terms does: it is to be accrued again.
var ErrChanged = errors.New("changed meanwhile")

// Books are what a run works on. Every method may be called twice, and by two
// processes at once: what is done is done once.
type Books interface {
	// Closings say how long past their end days take late entries.
	Closings(ctx context.Context) (Closings, error)
	// CloseDays closes every day up to and including through, for good. It refuses a day that takes late entries still.
	CloseDays(ctx context.Context, through Day, now time.Time) error
	// Due are the oldest days up to and including through that are not paid, a day a token.
	Due(ctx context.Context, through Day) ([]Due, error)
	// Unaccrued and Unpaid are the pieces in which there is something left to do for any of the tokens.
	Unaccrued(ctx context.Context, d Day, tokens []string) ([]Piece, error)
	Unpaid(ctx context.Context, d Day, tokens []string) ([]Piece, error)
	// Accrue applies the rule to every enrolled holding of the piece, read in one
	// snapshot, and writes what it earned.
	Accrue(ctx context.Context, p Piece, d Day, tokens []string, rule Rule) error
	// Declare takes the day's total of a token out of the pool and makes it payable,
	// or says why it waits: ErrFunds, ErrLimit; or that it is to be accrued again: ErrChanged.
	Declare(ctx context.Context, d Day, token string, now time.Time) error
	// Pay credits what is payable in the piece.
	Pay(ctx context.Context, p Piece, d Day, tokens []string, now time.Time) error
	// Settled writes which days are paid in every piece, for those who want to be told.
	Settled(ctx context.Context, now time.Time) error
}

// Piece is what is done in one transaction: a bucket of the books, or some that
// are small, ascending.
type Piece []int

// Rule is Accrue.
type Rule func(Day, Terms, Holding) (Accrual, bool)

// Due is a token's oldest day that is not paid.
type Due struct {
	Asset string
	Day   Day
}

// Waiting is a token's day that waits for a person, and why.
type Waiting struct {
	Due
	Reason error
}

// Report says what a run has done.
type Report struct {
	Closed  Day       // the last day that it was to close
	Next    time.Time // when the day after it may be closed
	Paid    []Due     // by day and token
	Waiting []Waiting // by token
}

// Options say how a run works.
type Options struct {
	Through  *Day       // the last day to settle; nil: every day that is over
	Workers  int        // how many pieces are worked on at once, at least 1
	Start    int        // where among the pieces the workers begin, so that two processes do not meet at each
	Progress func(Step) // told of each step; may be nil; called from several goroutines
}

// Step is a part of a run: so many of the pieces of a day are done.
type Step struct {
	Day      Day
	Stage    string // "accrue" or "pay"
	Done, Of int
}

// Run brings every token's days up to date, oldest first: close → accrue →
// declare → pay. Calling it too often, twice at once from two processes, or a
// week late changes nothing. A token that must wait is reported, not an error,
// and does not keep the others.
func Run(ctx context.Context, b Books, now time.Time, o Options) (Report, error) {
	closings, err := b.Closings(ctx)
	if err != nil {
		return Report{}, err
	}
	report := Report{Closed: closings.LastOver(now)}
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
			return report, nil
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

// settle brings a day of some tokens from open accounts to paid rewards, and
// calls wait for each token whose day must wait.
func settle(ctx context.Context, b Books, d Day, due []Due, now time.Time, o Options, wait func(Due, error)) ([]Due, error) {
	tokens := tokensOf(due)
	pieces, err := b.Unaccrued(ctx, d, tokens)
	if err != nil {
		return nil, err
	}
	err = o.spread(ctx, d, "accrue", pieces, func(ctx context.Context, p Piece) error {
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
		case errors.Is(err, ErrFunds) || errors.Is(err, ErrLimit):
			wait(token, err)
		case !errors.Is(err, ErrChanged):
			return nil, err
		}
	}
	if declared == nil {
		return nil, nil
	}
	tokens = tokensOf(declared)
	if pieces, err = b.Unpaid(ctx, d, tokens); err != nil {
		return nil, err
	}
	return declared, o.spread(ctx, d, "pay", pieces, func(ctx context.Context, p Piece) error {
		return b.Pay(ctx, p, d, tokens, now)
	})
}

func tokensOf(due []Due) []string {
	tokens := make([]string, len(due))
	for i, d := range due {
		tokens[i] = d.Asset
	}
	return tokens
}

// spread does one thing for each piece, several at once, and stops at the first error.
func (o Options) spread(ctx context.Context, d Day, stage string, pieces []Piece, do func(context.Context, Piece) error) error {
	work, within := errgroup.WithContext(ctx)
	work.SetLimit(max(o.Workers, 1))
	var done atomic.Int64
	for i := range pieces {
		p := pieces[(i+o.Start)%len(pieces)]
		work.Go(func() error {
			if within.Err() != nil {
				return nil
			}
			if err := do(within, p); err != nil {
				return fmt.Errorf("%s buckets %d to %d: %w", stage, p[0], p[len(p)-1], err)
			}
			if n := done.Add(1); o.Progress != nil {
				o.Progress(Step{d, stage, int(n), len(pieces)})
			}
			return nil
		})
	}
	if work.Wait() != nil {
		return context.Cause(within) // the first error, or the caller's reason to stop if that came before
	}
	return context.Cause(ctx)
}
