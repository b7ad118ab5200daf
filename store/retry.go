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
		if n == retries {
			return fmt.Errorf("tried %d times: %w", n, err)
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(wait):
		}
		wait = min(2*wait, maxWait)
	}
}
