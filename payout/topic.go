package payout

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/softstake/softstake/topic"
)

// ToTopic is a topic as a target: a message for each payout and for each batch.
func ToTopic(t topic.Topic) Target { return topicTarget{t} }

type topicTarget struct{ topic.Topic }

// Keeps is false: how far it is, is in the books.
func (topicTarget) Keeps() bool { return false }

// Open connects.
func (t topicTarget) Open(ctx context.Context) (Session, error) {
	s, err := t.Topic.Open(ctx)
	return topicSession{s}, err
}

type topicSession struct{ topic.Session }

// Deliver sends the messages of the page, with the account as their key.
func (s topicSession) Deliver(ctx context.Context, _ int64, page Page) error {
	messages, err := page.Messages()
	if err != nil {
		return err
	}
	return s.Send(ctx, messages)
}

// payoutMessage and batchMessage are what a message of a topic has in it.
type (
	payoutMessage struct {
		Type string `json:"type"`
		JSON
	}
	batchMessage struct {
		Type string `json:"type"`
		Batch
	}
)

// Messages are a page as records of a topic, in order: each batch after its last payout.
func (p Page) Messages() ([]topic.Message, error) {
	all := make([]topic.Message, 0, len(p.Payouts)+len(p.Batches))
	batches := p.Batches
	for _, o := range p.Payouts {
		text, err := json.Marshal(payoutMessage{"payout", o.JSON()})
		if err != nil {
			return nil, fmt.Errorf("write the payout %s: %w", o.ID, err)
		}
		all = append(all, topic.Message{ID: o.ID, Key: string(o.Account), Text: text})
		for len(batches) > 0 && batches[0].Last == o.Number {
			b := batches[0]
			id := fmt.Sprintf("batch/%d", b.First)
			if text, err = json.Marshal(batchMessage{"batch", b}); err != nil {
				return nil, fmt.Errorf("write the batch from %d: %w", b.First, err)
			}
			all, batches = append(all, topic.Message{ID: id, Key: id, Text: text}), batches[1:]
		}
	}
	return all, nil
}
