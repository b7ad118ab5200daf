package serve

import (
	"context"
	"errors"
	"time"

	"github.com/softstake/softstake/comparison"
)

// compareNightly compares the books with another ledger after each day, where they say with which, until the context
// ends. Each process looks, and one makes the comparison.
func compareNightly(ctx context.Context, c Config, o *outage) {
	again := time.NewTicker(c.Poll)
	defer again.Stop()
	last := ""
	for {
		_, err := comparison.Night(ctx, c.Books, c.Reach, c.Log)
		switch {
		case err == nil, ctx.Err() != nil:
			last = ""
		case !o.failed(err) && !errors.Is(err, context.Canceled) && err.Error() != last:
			last = err.Error()
			c.Log.Error("the books are not compared with the other ledger; retrying", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}
