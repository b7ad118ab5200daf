package db

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// ErrRetry marks errors after which the same transaction may well succeed: it
// met another one, or the connection went away before anything was committed. A
// transaction that fails with it is run again.
var ErrRetry = errors.New("try again")

// retryError marks an error that says all there is to say.
type retryError struct{ error }

// Unwrap is that it may be retried, and the error.
func (r *retryError) Unwrap() []error { return []error{ErrRetry, r.error} }

const (
	retries   = 12
	firstWait = 2 * time.Millisecond
	maxWait   = 500 * time.Millisecond
)

// retry calls fn again after errors marked ErrRetry, with exponential backoff, until it
// succeeds, fails otherwise, or has been called often enough. A wait has a random length
// between half of the backoff and all of it: two transactions that met must not meet again.
func retry(ctx context.Context, fn func() error) error {
	backoff := firstWait
	for n := 1; ; n++ {
		err := fn()
		if err == nil || !errors.Is(err, ErrRetry) {
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
		case <-time.After(backoff/2 + rand.N(backoff/2)):
		}
		backoff = min(2*backoff, maxWait)
	}
}
