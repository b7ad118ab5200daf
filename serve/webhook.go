package serve

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/webhook"
	"github.com/softstake/softstake/webhook/delivery"
)

// webhookPoll is how often this process looks for what other processes have written, and for what is to be sent again.
const webhookPoll = time.Second

// sendWebhooks sends messages to the endpoints of the books until the context ends, beside those processes that do so
// too. Without a key it cannot open their secrets, and says so where there are any.
func sendWebhooks(ctx context.Context, c Config, outage *outage) error {
	if c.Webhooks == nil {
		return nil
	}
	if c.Sealer == nil {
		all, err := reports.New(c.Books.Reader()).EnabledWebhooks(ctx)
		if (err != nil || len(all) > 0) && ctx.Err() == nil && !outage.failed(err) {
			c.Log.Warn("webhooks are not sent by this process: there is no key that their secrets are sealed with; start it "+
				"again once there is", "endpoints", len(all), "error", err)
		}
		return nil
	}
	holder, err := access.NewHolder(c.Random)
	if err != nil {
		return fmt.Errorf("name this process: %w", err)
	}
	client := webhook.NewClient(*c.Webhooks, c.Build.Version, webhook.Timeout)
	defer client.Close()
	delivery.New(delivery.Options{Books: c.Books, Sealer: c.Sealer, Client: client, Now: c.Now,
		Wall:   time.Now, // the books of a test may have a clock that is moved
		Jitter: func() int { return rand.IntN(1000) }, Log: c.Log, Holder: holder,
		Poll: min(c.Poll, webhookPoll), Failed: outage.failed,
		Observe: func(endpoint, result string) { c.Metrics.webhooks.WithLabelValues(endpoint, result).Inc() },
	}).Run(ctx)
	return nil
}
