package cli

import (
	"context"

	"github.com/softstake/softstake/deliver"
	"github.com/softstake/softstake/store"
)

type eventsCmd struct {
	Deliver     eventsDeliverCmd     `cmd:"" help:"Deliver events to a topic of Kafka or NATS, as they happen."`
	Status      eventsStatusCmd      `cmd:"" help:"Show where events are delivered to, and how far."`
	EndDelivery eventsEndDeliveryCmd `cmd:"" help:"Forget a target that events were delivered to."`
}

type eventsDeliverCmd struct {
	Target      string `arg:"" help:"Where to: kafka://HOST,HOST/TOPIC or nats://HOST,HOST/SUBJECT."`
	Credentials string `placeholder:"FILE" help:"Who writes to the topic, in a file that only you can read: of Kafka the lines username=NAME and password=TEXT, of NATS a credentials file. Without it: $$KAFKA_USERNAME and $$KAFKA_PASSWORD, or $$NATS_USER and $$NATS_PASSWORD."`
	Kinds       string `default:"balance,reward,settled" placeholder:"KINDS" help:"What the topic gets, with commas. Without it: ${default}."`
	deliverFlags
}

func (c *eventsDeliverCmd) Help() string {
	return `A message is one event, with the body that a webhook has. Events come in the order of their numbers from the next one on, at least once, each with its ID: event_NUMBER-PART, in Kafka in the header "id", in NATS as Nats-Msg-Id. Those of an account have one key. docs/webhooks.md has them all.

How far the target is lies in the books: whatever is interrupted is sent again. One process at a time delivers; where one is killed, another goes on within a minute. An error of the target is logged and retried; "softstake events status" shows it. Events are kept for seven days: a target that is further behind fails until --from names a number that is kept.

With four eyes a new target needs approval, and so does another address or another kind of events with --from; run the command again then.

Examples:

  softstake events deliver kafka://k1.example.com,k2.example.com/softstake --name bi
  softstake events deliver nats://nats.example.com/softstake.events --name bi --kinds reward,settled`
}

func (c *eventsDeliverCmd) Run(env *Env) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Name == "" {
		return usage("name the target: --name NAME")
	}
	to, err := env.topic(c.Target, c.Credentials)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, books *store.DB) error {
		config, err := env.deliveryOf(books, c.deliverFlags)
		if err != nil {
			return err
		}
		result, err := deliver.Events(ctx, config, to, c.Kinds)
		return env.done(err, "Delivered %s.\n", count(result.Sent, "event", "events"))
	})
}

type eventsStatusCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (c *eventsStatusCmd) Help() string {
	return `"waiting" is how many events of the outbox the target does not have yet, of every kind, "since" when the first of them was written. Each may be several messages.

Example:

  softstake events status`
}

func (c *eventsStatusCmd) Run(env *Env) error {
	return env.targets(store.EventStream, c.JSON, "No events are delivered; \"softstake events deliver\" does.\n")
}

type eventsEndDeliveryCmd struct {
	Name string `arg:"" help:"The target, as \"events status\" names it."`
}

func (c *eventsEndDeliveryCmd) Help() string {
	return `Nobody is warned any more of what it does not have. When it is delivered to again it gets events from then on, and with four eyes that needs approval.

Example:

  softstake events end-delivery bi`
}

func (c *eventsEndDeliveryCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.EndTarget(ctx, store.EventStream, c.Name), "Events are not delivered to %s any more.\n", c.Name)
	})
}
