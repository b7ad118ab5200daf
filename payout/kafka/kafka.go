// Package kafka delivers payouts to a topic of Kafka: a message for each payout and for each batch. It knows no books.
package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/softstake/softstake/join/kafka"
	"github.com/softstake/softstake/payout"
)

// deliverWithin is how long a broker may take to acknowledge a message before it is an error: longer by one request,
// which has twenty seconds.
const deliverWithin = 30 * time.Second

// Target is a topic.
type Target struct {
	address string
	topic   *kafka.Source
}

// Parse reads the address of a topic, such as kafka://host,host/topic?sasl=scram-sha-512, as that of a source is read.
// The errors are those of address.Parse.
func Parse(address string, c kafka.Credentials, insecure bool) (*Target, error) {
	topic, err := kafka.Parse(address, c, insecure)
	return &Target{address, topic}, err
}

// Address is the address of the topic.
func (t *Target) Address() string { return t.address }

// Open connects. All replicas that are in sync acknowledge a message, and the brokers keep one once that the client
// sends them again, as long as it is the same client. It gives up also where it is not known whether the broker has a
// message: else a network that is silent would be waited for forever, without a word. What is then sent again has the
// same ID.
func (t *Target) Open(ctx context.Context) (payout.Session, error) {
	c, err := t.topic.NewClient(kgo.DefaultProduceTopic(t.topic.Topic()), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordDeliveryTimeout(deliverWithin), kgo.AllowIdempotentProduceCancellation())
	if err != nil {
		return nil, failed(err)
	}
	if err := c.Ping(ctx); err != nil {
		c.Close()
		return nil, failed(err)
	}
	return session{c}, nil
}

func failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write to Kafka: %w", err)
}

type session struct{ *kgo.Client }

// Close ends the connections.
func (s session) Close() error {
	s.Client.Close()
	return nil
}

// Deliver sends the messages of the page, with the account as their key, and waits until the brokers have acknowledged
// all of them.
func (s session) Deliver(ctx context.Context, _ int64, page payout.Page) error {
	messages, err := page.Messages()
	if err != nil {
		return err
	}
	records := make([]*kgo.Record, len(messages))
	for i, m := range messages {
		records[i] = &kgo.Record{Key: []byte(m.Key), Value: m.Text}
	}
	return failed(s.ProduceSync(ctx, records...).FirstErr())
}
