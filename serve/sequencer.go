package serve

import (
	"context"

	"github.com/softstake/softstake/outbox"
)

// sequencerShare is for which part of the time events are numbered at most: one over it.
const sequencerShare = 25

// number gives the events of the outbox their numbers until the context ends. Each process does so; of several, one
// at a time.
func number(ctx context.Context, c Config, outage *outage) {
	failed := false
	c.Books.Outbox().Sequence(ctx, outbox.Pace{Poll: outboxPoll, Share: sequencerShare}, func(err error) {
		if err != nil && !outage.failed(err) && !failed {
			c.Log.Error("events get no numbers, and are not published; retrying", "error", err, "in", outboxPoll)
			failed = true
		}
		if err == nil {
			failed = false
		}
	})
}
