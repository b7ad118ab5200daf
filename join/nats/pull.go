package nats

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

// pull asks a consumer for messages, and for the next ones before they are needed. It is used by one goroutine. What
// the library offers for it drops messages when its queue is full, which it is by words of the server beside them; here
// the queue has room for all that was asked for.
type pull struct {
	conn    *nats.Conn
	subject string // at which the consumer is asked
	inbox   string // a number behind it is that of the request
	replies *nats.Subscription
	request int // the number of the last one
	asked   int // for how many messages it asks; 0: it is answered
}

func newPull(conn *nats.Conn, stream, consumer string) (*pull, error) {
	p := &pull{conn: conn, subject: "$JS.API.CONSUMER.MSG.NEXT." + stream + "." + consumer, inbox: conn.NewInbox() + "."}
	var err error
	if p.replies, err = conn.SubscribeSync(p.inbox + "*"); err == nil {
		err = p.replies.SetPendingLimits(-1, -1) // the queue's length is the limit
	}
	return p, err
}

// ask asks for messages that there are now.
func (p *pull) ask(most int) error {
	most = min(most, fetchMessages)
	p.request, p.asked = p.request+1, most
	return p.conn.PublishRequest(p.subject, p.inbox+strconv.Itoa(p.request),
		fmt.Appendf(nil, `{"batch":%d,"max_bytes":%d,"no_wait":true}`, most, fetchBytes))
}

// next returns the messages that there are, at most this many or those that were asked for before.
func (p *pull) next(ctx context.Context, most int) (messages []*nats.Msg, err error) {
	if p.asked == 0 {
		if err := p.ask(most); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	messages = make([]*nats.Msg, 0, p.asked)
	for len(messages) < p.asked {
		m, err := p.replies.NextMsgWithContext(ctx)
		if err != nil {
			return nil, err
		}
		number, says := strings.CutPrefix(m.Subject, p.inbox) // a message has the subject of who has written it
		status := m.Header.Get("Status")
		switch {
		case !says:
			messages = append(messages, m)
			continue
		case number != strconv.Itoa(p.request): // a word of an earlier request, which has its messages
			continue
		case status == "404": // there are no more now
		case status == "409" && len(messages) > 0: // the next one is too large to come with these
		default:
			return nil, fmt.Errorf("the server does not send messages: %s %s", status, m.Header.Get("Description"))
		}
		p.asked = 0
		return messages, nil
	}
	return messages, p.ask(most) // while these are posted
}
