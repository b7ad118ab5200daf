// Package topic is what is sent to brokers: messages, and what a topic is that they are sent to. It knows no books, and
// no broker's protocol.
package topic

import "context"

// Message is a record of a topic.
type Message struct {
	ID   string // never given twice to another content
	Key  string // of the order: messages of one key stay in their order
	Text []byte
}

// Topic is where messages are sent to.
type Topic interface {
	// Address is the topic as it is kept: it has no password.
	Address() string
	// Open connects.
	Open(ctx context.Context) (Session, error)
}

// Session is a connection to a topic. It is used by one goroutine.
type Session interface {
	// Send hands over messages: when it returns nil the brokers have acknowledged all of them. Where it fails they may
	// have any of them, of one key not a later one without those before it. Repeating it is safe: readers go by the ID.
	Send(ctx context.Context, messages []Message) error
	Close() error
}

// Waves divides messages so that those of one key are in different waves, in their order. Where a broker may lose a
// message and take a later one of the same connection, each wave is sent when the one before is acknowledged.
func Waves(messages []Message) (waves [][]Message) {
	next := make(map[string]int, len(messages)) // the wave of the next message of a key
	for _, m := range messages {
		n := next[m.Key]
		if next[m.Key]++; n == len(waves) {
			waves = append(waves, nil)
		}
		waves[n] = append(waves[n], m)
	}
	return waves
}
