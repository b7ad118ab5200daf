// Package main credits the payouts of softstake, which "softstake payouts deliver kafka://…" writes to a topic, in a
// ledger in PostgreSQL, and acknowledges them:
//
//	export DATABASE_URL=postgres://… SOFTSTAKE_TOKEN=…
//	go run ./examples/kafka 127.0.0.1:9092 payouts https://stake.example.com
//
// Kafka delivers at least once, and so nothing of it is relied on: how far each partition is read is in the ledger's
// own database, in the transaction that credits, and the payout's ID is credited once. It may be killed at any time.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/softstake/softstake/client"
)

const schema = `
	CREATE TABLE IF NOT EXISTS balances (account text, asset text, amount numeric NOT NULL, PRIMARY KEY (account, asset));
	CREATE TABLE IF NOT EXISTS credits (payout text PRIMARY KEY, transaction bigserial, acknowledged boolean DEFAULT false);
	CREATE TABLE IF NOT EXISTS topic_read (partition int PRIMARY KEY, next bigint NOT NULL)`

// message is a record of the topic. What is of another type than "payout" is passed over.
type message struct {
	Type, ID, Account, Asset, Amount string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "kafka:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, broker, topic, address string) (err error) {
	c, err := client.New(address, os.Getenv("SOFTSTAKE_TOKEN"), client.Config{})
	if err != nil {
		return err
	}
	db, err := pgx.Connect(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(context.WithoutCancel(ctx))) }()
	if _, err := db.Exec(ctx, schema); err != nil {
		return err
	}
	from, err := offsets(ctx, db, broker, topic)
	if err != nil {
		return err
	}
	consumer, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumePartitions(from),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return err
	}
	defer consumer.Close()
	for {
		if err := acknowledge(ctx, db, c); err != nil {
			return err
		}
		fetches := consumer.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if err != nil || len(p.Records) == 0 {
				return
			}
			err = pgx.BeginFunc(ctx, db, func(t pgx.Tx) error { return credit(ctx, t, p.Partition, p.Records) })
		})
		if err != nil {
			return err
		}
	}
}

// offsets are where each partition of the topic is read on.
func offsets(ctx context.Context, db *pgx.Conn, broker, topic string) (map[string]map[int32]kgo.Offset, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	request := kmsg.NewPtrMetadataRequest()
	about := kmsg.NewMetadataRequestTopic()
	about.Topic = &topic
	request.Topics = append(request.Topics, about)
	answer, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	from := map[int32]kgo.Offset{}
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			var next int64
			if err := db.QueryRow(ctx, "SELECT coalesce(max(next), 0) FROM topic_read WHERE partition = $1",
				p.Partition).Scan(&next); err != nil {
				return nil, err
			}
			from[p.Partition] = kgo.NewOffset().At(next)
		}
	}
	return map[string]map[int32]kgo.Offset{topic: from}, nil
}

// credit credits records of a partition, each payout once, and keeps how far the partition is read.
func credit(ctx context.Context, t pgx.Tx, partition int32, records []*kgo.Record) error {
	for _, r := range records {
		var m message
		if err := json.Unmarshal(r.Value, &m); err != nil {
			return fmt.Errorf("offset %d of partition %d: %w", r.Offset, partition, err)
		}
		if m.Type != "payout" {
			continue
		}
		tag, err := t.Exec(ctx, "INSERT INTO credits (payout) VALUES ($1) ON CONFLICT DO NOTHING", m.ID)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 1 {
			if _, err := t.Exec(ctx, `INSERT INTO balances VALUES ($1, $2, $3::numeric) ON CONFLICT (account, asset)
				DO UPDATE SET amount = balances.amount + excluded.amount`, m.Account, m.Asset, m.Amount); err != nil {
				return err
			}
		}
	}
	_, err := t.Exec(ctx, `INSERT INTO topic_read VALUES ($1, $2)
		ON CONFLICT (partition) DO UPDATE SET next = excluded.next`, partition, records[len(records)-1].Offset+1)
	return err
}

// acknowledge acknowledges what is credited, by the ledger's own transaction. It may do so again.
func acknowledge(ctx context.Context, db *pgx.Conn, c *client.Client) error {
	for {
		rows, err := db.Query(ctx, "SELECT payout, 'credit-' || transaction FROM credits WHERE NOT acknowledged LIMIT 1000")
		if err != nil {
			return err
		}
		some, err := pgx.CollectRows(rows, pgx.RowToStructByPos[acknowledgement])
		if err != nil || len(some) == 0 {
			return err
		}
		var body client.Acknowledgements
		var payouts []string
		for _, a := range some {
			payouts = append(payouts, a.Payout)
			body.Acknowledgements = append(body.Acknowledgements,
				client.Acknowledgement{Payout: a.Payout, Transaction: a.Transaction})
		}
		answer, err := c.AcknowledgePayouts(ctx, body)
		if err != nil {
			return err
		}
		for _, result := range answer.Acknowledgements {
			if result.Problem != nil {
				return fmt.Errorf("%s: %s", result.Payout, result.Problem.Detail)
			}
		}
		if _, err := db.Exec(ctx, "UPDATE credits SET acknowledged = true WHERE payout = ANY ($1)", payouts); err != nil {
			return err
		}
	}
}

type acknowledgement struct{ Payout, Transaction string }
