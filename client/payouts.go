package client

import (
	"context"
	"iter"
	"time"
)

// Payouts are the payouts after a number, page by page, until the context ends or the caller stops;
// where there are no more, it asks again after a time. Keep Next of a page in the transaction that
// credits its payouts, and begin with it: credit each ID once. An error ends it.
func (c *Client) Payouts(ctx context.Context, after int64, every time.Duration) iter.Seq2[Payouts, error] {
	return func(yield func(Payouts, error) bool) {
		for {
			page, err := c.ListPayouts(ctx, ListPayoutsQuery{After: after, Limit: mostPayouts})
			if err != nil {
				yield(Payouts{}, err)
				return
			}
			if len(page.Payouts) > 0 && !yield(page, nil) {
				return
			}
			after = page.Next
			if page.More {
				continue
			}
			if err := c.Wait(ctx, every); err != nil {
				yield(Payouts{}, err)
				return
			}
		}
	}
}

// mostPayouts is how many payouts a page has at most.
const mostPayouts = 10_000
