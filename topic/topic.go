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
	// have any of them. Repeating it is safe: readers go by the ID.
	Send(ctx context.Context, messages []Message) error
	Close() error
}
