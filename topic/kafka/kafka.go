// Package kafka sends messages to a topic of Kafka. It knows no books.
package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/softstake/softstake/join/kafka"
	"github.com/softstake/softstake/topic"
)

// sendWithin is how long a broker may take to acknowledge a message before it is an error: longer by one request, which
// has twenty seconds.
const sendWithin = 30 * time.Second

// IDHeader is the header with the ID of a message.
const IDHeader = "id"

// Topic is a topic of Kafka.
type Topic struct {
	address string
	source  *kafka.Source
}

// Parse reads the address of a topic, such as kafka://host,host/topic?sasl=scram-sha-512, as that of a source is read.
// The errors are those of address.Parse.
func Parse(address string, c kafka.Credentials, insecure bool) (*Topic, error) {
	source, err := kafka.Parse(address, c, insecure)
	return &Topic{address, source}, err
}

// Address is the address of the topic.
func (t *Topic) Address() string { return t.address }

// Open connects. All replicas that are in sync acknowledge a message, and the brokers keep one once that the client
// sends them again, as long as it is the same client. Where one cannot be sent none is that follows it in its
// partition. It gives up also where it is not known whether the broker has a message: else a network that is silent
// would be waited for forever, without a word. What is then sent again has the same ID.
func (t *Topic) Open(ctx context.Context) (topic.Session, error) {
	c, err := t.source.NewClient(kgo.DefaultProduceTopic(t.source.Topic()), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordDeliveryTimeout(sendWithin), kgo.AllowIdempotentProduceCancellation(),
		kgo.StopProducerOnDataLossDetected())
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

// Send sends messages by their keys, and waits until the brokers have acknowledged all of them.
func (s session) Send(ctx context.Context, messages []topic.Message) error {
	records := make([]*kgo.Record, len(messages))
	for i, m := range messages {
		records[i] = &kgo.Record{Key: []byte(m.Key), Value: m.Text, Headers: []kgo.RecordHeader{{Key: IDHeader,
			Value: []byte(m.ID)}}}
	}
	return failed(s.ProduceSync(ctx, records...).FirstErr())
}
