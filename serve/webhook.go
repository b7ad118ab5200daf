package serve

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/webhook"
	"github.com/softstake/softstake/webhook/delivery"
)

// webhookPoll is how often this process looks for what other processes have written, and for what is to be sent again.
const webhookPoll = time.Second

// sendWebhooks sends messages to the endpoints of the books until the context ends, beside those processes that do so
// too. Without a key there are no endpoints whose secrets it could open.
func sendWebhooks(ctx context.Context, c Config, outage *outage) error {
	if c.Webhooks == nil || c.Sealer == nil {
		return nil
	}
	session, _, err := access.NewSession(c.Random)
	if err != nil {
		return fmt.Errorf("name this process: %w", err)
	}
	client := webhook.NewClient(*c.Webhooks, c.Build.Version, webhook.Timeout)
	defer client.Close()
	delivery.New(delivery.Options{Books: c.Books, Sealer: c.Sealer, Client: client, Now: c.Now,
		Jitter: func() int { return rand.IntN(1000) }, Log: c.Log, Holder: session.ID,
		Poll: min(c.Poll, webhookPoll), Failed: outage.failed,
		Observe: func(endpoint, result string) { c.Metrics.webhooks.WithLabelValues(endpoint, result).Inc() },
	}).Run(ctx)
	return nil
}
