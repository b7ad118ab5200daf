package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errRetry marks errors after which the same transaction may well succeed: it
// met another one, or the connection went away before anything was committed.
var errRetry = errors.New("try again")

// retryError marks an error that says all there is to say.
type retryError struct{ error }

// Unwrap is that it may be tried again, and the error.
func (r *retryError) Unwrap() []error { return []error{errRetry, r.error} }

const (
	retries   = 12
	firstWait = 2 * time.Millisecond
	maxWait   = 500 * time.Millisecond
)

// retry calls fn again after errors marked errRetry, waiting a little longer
// each time, until it succeeds, fails otherwise, or has been tried often enough.
func retry(ctx context.Context, fn func() error) error {
	wait := firstWait
	for n := 1; ; n++ {
		err := fn()
		if err == nil || !errors.Is(err, errRetry) {
			return err
		}
		if marked := (*retryError)(nil); n == retries && errors.As(err, &marked) {
			return marked.error
		}
		if n == retries {
			return fmt.Errorf("tried %d times: %w", n, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-time.After(wait):
		}
		wait = min(2*wait, maxWait)
	}
}
