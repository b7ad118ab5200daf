package cli

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/deliver"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/payout"
	"github.com/softstake/softstake/payout/postgres"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/topic"
)

// deliverFlags are what all that is delivered has.
type deliverFlags struct {
	Name     string `help:"Name of the target in the books, such as exchange; it stays the same." placeholder:"NAME"`
	UntilEnd bool   `help:"End when there is nothing more now. Without it: go on until interrupted."`
	From     int64  `help:"Deliver from this number on: again what the target has lost, or when its address has changed." placeholder:"NUMBER"`
	Batch    int    `default:"1000" help:"How many at most are handed over at once."`
}

func (c deliverFlags) check() error {
	switch {
	case c.Batch < 1 || c.Batch > 10_000:
		return usage("--batch is from 1 to 10000")
	case c.From < 0:
		return usage("--from is 1 or more")
	}
	return nil
}

// deliveryOf is how something is delivered. Its Holder names this process.
func (env *Env) deliveryOf(books *store.DB, c deliverFlags) (deliver.Config, error) {
	holder, err := access.NewHolder(env.Random)
	return deliver.Config{Books: books, Name: c.Name, Holder: holder,
		Log:  slog.New(slog.NewTextHandler(env.Stderr, logOptions(slog.LevelInfo))),
		Poll: joinPoll, Batch: c.Batch, Random: rand.Int64N, From: c.From, UntilEnd: c.UntilEnd}, err
}

type payoutsDeliverCmd struct {
	Target      string `arg:"" help:"Where to: postgres://USER@HOST/DATABASE?table=TABLE, kafka://HOST,HOST/TOPIC or nats://HOST,HOST/SUBJECT."`
	Credentials string `placeholder:"FILE" help:"Who writes to a topic, in a file that only you can read: of Kafka the lines username=NAME and password=TEXT, of NATS a credentials file. Without it: $$KAFKA_USERNAME and $$KAFKA_PASSWORD, or $$NATS_USER and $$NATS_PASSWORD."`
	deliverFlags
	PrintSchema bool `help:"Print the SQL by which the owner of the database makes the tables, for the role of the address, and end."`
}

func (c *payoutsDeliverCmd) Help() string {
	return `Rows are added to the table in the order of their numbers, in one transaction with the position, which is in a table beside it: whatever is interrupted or killed, each payout is there once. What the other ledger writes into the columns "transaction" or "refused" acknowledges it. docs/join.md has the whole way.

To a topic of Kafka or a subject of NATS JetStream goes a message for each payout, in the order of the numbers, and one for each batch with its total. What was sent is kept in the books when the broker has acknowledged all of a page; whatever is interrupted then is sent again: credit each ID once. One process at a time delivers to a topic; where one is killed, another goes on within a minute.

The password of PostgreSQL is in ~/.pgpass or PGPASSWORD. An error of the target is logged and retried; "softstake payouts status" shows it. The exit status is 1 where --until-end ends with an error, or with an acknowledgement that contradicts the books.

Examples:

  softstake payouts deliver "postgres://softstake@db.example.com/exchange?sslmode=verify-full" --print-schema
  softstake payouts deliver "postgres://softstake@db.example.com/exchange?sslmode=verify-full" --name exchange
  softstake payouts deliver "postgres://softstake@db.example.com/exchange?sslmode=verify-full" --name exchange --from 4711
  softstake payouts deliver kafka://k1.example.com,k2.example.com/payouts --name topic`
}

func (c *payoutsDeliverCmd) Run(env *Env) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Name == "" && !c.PrintSchema {
		return usage("name the target: --name NAME")
	}
	target, err := c.target(env)
	if err != nil {
		return err
	}
	if c.PrintSchema {
		table, is := target.(*postgres.Target)
		if !is {
			return usage("only a table of PostgreSQL has a schema")
		}
		return env.printf("%s", table.Schema())
	}
	return env.books(func(ctx context.Context, books *store.DB) error {
		config, err := env.deliveryOf(books, c.deliverFlags)
		if err != nil {
			return err
		}
		result, err := deliver.Payouts(ctx, config, target)
		if err == nil {
			err = env.printf("Delivered %s, read %s.\n", count(result.Sent, "payout", "payouts"),
				count(result.Answers, "acknowledgement", "acknowledgements"))
		}
		if err == nil && result.Wrong > 0 {
			err = errors.New(count(result.Wrong, "acknowledgement contradicts", "acknowledgements contradict") +
				" the books; the log says which")
		}
		return err
	})
}

// target is the target of the address.
func (c *payoutsDeliverCmd) target(env *Env) (target payout.Target, err error) {
	scheme, _, _ := strings.Cut(c.Target, ":")
	switch scheme {
	case "postgres", "postgresql":
		if c.Credentials != "" {
			return nil, usage("a password of PostgreSQL is in ~/.pgpass or PGPASSWORD")
		}
		if target, err = postgres.Parse(c.Target, c.Name, env.Insecure); errors.Is(err, ledger.ErrInvalid) {
			err = usage("the address of the target: %w", err)
		}
	case "kafka", "nats":
		var to topic.Topic
		if to, err = env.topic(c.Target, c.Credentials); err == nil {
			target = payout.ToTopic(to)
		}
	default:
		return nil, usage("that is no target; it is postgres://USER@HOST/DATABASE?table=TABLE, kafka://HOST,HOST/TOPIC or " +
			"nats://HOST,HOST/SUBJECT")
	}
	return target, err
}

type payoutsStatusCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (c *payoutsStatusCmd) Help() string {
	return `"waiting" is how many payouts the target does not have yet, "since" when the first of them was paid.

Example:

  softstake payouts status`
}

func (c *payoutsStatusCmd) Run(env *Env) error {
	return env.targets(store.PayoutStream, c.JSON, "No payouts are delivered; \"softstake payouts deliver\" does.\n")
}

type payoutsEndDeliveryCmd struct {
	Name string `arg:"" help:"The target, as \"payouts status\" names it."`
}

func (c *payoutsEndDeliveryCmd) Help() string {
	return `Nobody is warned any more of what it does not have. Of a table its rows and its position stay as they are; a topic that is delivered to again gets all payouts from the first one on.

Example:

  softstake payouts end-delivery exchange`
}

func (c *payoutsEndDeliveryCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.EndTarget(ctx, store.PayoutStream, c.Name), "Payouts are not delivered to %s any more.\n", c.Name)
	})
}
