package api

import (
	"context"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/webhook/delivery"
)

// seeWebhooks are the roles that see the endpoints of webhooks: no secret is among what they see.
var seeWebhooks = append([]access.Role{access.Admin}, allHolders...)

// WebhookOut is an endpoint.
type WebhookOut struct {
	Name        string `json:"name" example:"shop" doc:"Its name."`
	URL         string `json:"url" format:"uri" example:"https://shop.example.com/hooks" doc:"Where messages are sent."`
	Kinds       string `json:"kinds" example:"reward,payouts" doc:"What it gets, with commas: balance, reward, settled, payouts."`
	Ordered     bool   `json:"ordered" example:"true" doc:"Whether messages are sent one at a time: one that fails holds those after it."`
	Signature   string `json:"signature" enum:"hmac,ed25519" doc:"How messages are signed."`
	PublicKey   string `json:"publicKey,omitempty" example:"whpk_bKC4+u9QhqVZAj8ReEk7idElKntcUhOgOcSq+W7yy3Q=" doc:"The public key of ed25519. Absent with hmac."`
	State       string `json:"state" enum:"sending,failing,paused,disabled,forged" doc:"sending; failing: messages failed, and are retried; paused: its receiver asked for a pause; disabled: nothing is sent until somebody enables it; forged: another program has written it, and nothing is sent."`
	Reason      string `json:"reason,omitempty" example:"the receiver wants no more messages: it answered 410" doc:"Why it is disabled."`
	Events      int64  `json:"events" example:"0" doc:"Events of the outbox that it has not got yet, also those of kinds that it does not want. 0 where it wants none."`
	Payouts     int64  `json:"payouts" example:"0" doc:"Payouts that it has not got yet."`
	Messages    int64  `json:"messages" example:"0" doc:"Messages that are to be sent again."`
	OldestAt    string `json:"oldestAt,omitempty" format:"date-time" example:"2026-11-22T00:05:01.000Z" doc:"Since when the oldest of all these is there. Absent where there is none."`
	Delivered   int64  `json:"delivered" example:"4711" doc:"Messages that were delivered."`
	DeliveredAt string `json:"deliveredAt,omitempty" format:"date-time" example:"2026-11-22T00:05:02.000Z" doc:"When the last of them was."`
	AddedAt     string `json:"addedAt" format:"date-time" example:"2026-11-01T10:00:00.000Z" doc:"When the endpoint was added."`
}

type webhooksOut struct {
	Webhooks []WebhookOut `json:"webhooks" doc:"By name."`
}

type webhookAttemptOut struct {
	At      string `json:"at" format:"date-time" example:"2026-11-22T00:05:01.000Z" doc:"When it was made."`
	Message string `json:"message" example:"payouts_4711" doc:"The ID of the message."`
	Attempt int    `json:"attempt" example:"1" doc:"Which attempt of the message it was, from 1."`
	Status  int    `json:"status" example:"500" doc:"The status of the answer; 0: there was none."`
	Extract string `json:"extract,omitempty" example:"no answer in time" doc:"The beginning of the answer, or why there was none."`
}

type webhookShownOut struct {
	WebhookOut
	Attempts []webhookAttemptOut `json:"attempts" doc:"The last attempts that failed, or delivered what had failed, the newest first; at most 100."`
}

type webhookMessageOut struct {
	Message  string `json:"message" example:"payouts_4711" doc:"Its ID, the header webhook-id."`
	Replay   bool   `json:"replay" example:"false" doc:"Whether somebody asked for it: such a message holds no other."`
	Attempts int    `json:"attempts" example:"2" doc:"Attempts that were made."`
	NextAt   string `json:"nextAt" format:"date-time" example:"2026-11-22T00:10:01.000Z" doc:"When the next one is."`
	AddedAt  string `json:"addedAt" format:"date-time" example:"2026-11-22T00:05:01.000Z" doc:"Since when it is to be sent again."`
}

type webhookMessagesOut struct {
	Messages []webhookMessageOut `json:"messages" doc:"By when they are sent."`
}

// WebhookIn names an endpoint.
type WebhookIn struct {
	Name string `path:"name" example:"shop" doc:"The endpoint."`
}

type webhookMessagesIn struct {
	WebhookIn
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
}

type webhookReplayIn struct {
	WebhookIn
	Body struct {
		From string `json:"from" maxLength:"64" example:"payouts_4711" doc:"A message, by its ID."`
		To   string `json:"to,omitempty" maxLength:"64" example:"payouts_4900" doc:"The last message, to send all from the first to it; at most 1000."`
	}
}

type webhookReplayOut struct {
	Messages int `json:"messages" example:"1" doc:"How many messages will be sent again."`
}

type webhookStateIn struct {
	WebhookIn
	Body struct {
		State  string `json:"state" enum:"sending,disabled" doc:"sending: messages are sent, those that wait at once; disabled: nothing is sent."`
		Reason string `json:"reason,omitempty" maxLength:"200" example:"the shop moves" doc:"Why it is disabled; needed then."`
	}
}

type webhookTestOut struct {
	Message string `json:"message" example:"test_1796000000000" doc:"The ID of the message."`
}

func (s *server) webhookRoutes() {
	get(s, "/v1/webhooks", seeWebhooks, reader.webhooks, about("list-webhooks", "Webhooks",
		"List the endpoints of webhooks", "Endpoints get events and payouts as messages by the Standard Webhooks "+
			"specification. They are added, changed and "+
			"get their secrets at the command line or in the console."))
	get(s, "/v1/webhooks/{name}", seeWebhooks, reader.webhook, about("get-webhook", "Webhooks", "Show an endpoint",
		"The endpoint, and its last attempts.", 404))
	get(s, "/v1/webhooks/{name}/messages", seeWebhooks, reader.webhookMessages,
		about("list-webhook-messages", "Webhooks", "List the messages that are to be sent again",
			"Those that failed, and those that somebody asked for. What was not sent yet is counted in the endpoint.", 404))
	change(s, "POST /v1/webhooks/{name}/replays", does("webhook replay"), writer.replayWebhook,
		about("replay-webhook", "Webhooks", "Send messages again",
			"A message that is sent again has the same ID and the same body. Messages of events can be sent again for seven "+
				"days, those of payouts always. They are sent beside what is new, in no order.", 404))
	change(s, "POST /v1/webhooks/{name}/tests", does("webhook test"), writer.testWebhook,
		about("test-webhook", "Webhooks", "Send a test message",
			"A message of the type `test` is sent once, also where others wait.", 404))
	change(s, "PUT /v1/webhooks/{name}/state", does("webhook enable"), writer.setWebhook,
		about("set-webhook-state", "Webhooks", "Enable or disable an endpoint",
			"Nothing is lost while an endpoint is disabled for less than the seven days for which events are kept. Repeating "+
				"has no further effect.", 404))
}

func showWebhook(w reports.Webhook, now time.Time) WebhookOut {
	out := WebhookOut{Name: w.Name, URL: w.URL, Kinds: w.Kinds, Ordered: w.Ordered, Signature: w.Scheme().Name(),
		PublicKey: w.Public, State: w.StateAt(now), Reason: w.Reason, Events: w.Events, Payouts: w.Payouts,
		Messages: w.Waiting, Delivered: w.Delivered, AddedAt: instant(w.Added)}
	if !w.Oldest.IsZero() {
		out.OldestAt = instant(w.Oldest)
	}
	if !w.DeliveredAt.IsZero() {
		out.DeliveredAt = instant(w.DeliveredAt)
	}
	return out
}

func (rd reader) webhooks(ctx context.Context, _ *struct{}) (*answer[webhooksOut], error) {
	all, err := rd.Webhooks(ctx)
	out := webhooksOut{Webhooks: []WebhookOut{}}
	for _, w := range all {
		out.Webhooks = append(out.Webhooks, showWebhook(w, rd.now()))
	}
	return reply(out, err)
}

func (rd reader) webhook(ctx context.Context, in *WebhookIn) (*answer[webhookShownOut], error) {
	w, err := rd.Webhook(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	attempts, err := rd.WebhookAttempts(ctx, in.Name, 100)
	out := webhookShownOut{showWebhook(w, rd.now()), []webhookAttemptOut{}}
	for _, a := range attempts {
		out.Attempts = append(out.Attempts, webhookAttemptOut{instant(a.At), a.ID(), a.Attempt, a.Status, a.Extract})
	}
	return reply(out, err)
}

func (rd reader) webhookMessages(ctx context.Context, in *webhookMessagesIn) (*answer[webhookMessagesOut], error) {
	if _, err := rd.Webhook(ctx, in.Name); err != nil {
		return nil, err
	}
	all, err := rd.WebhookMessages(ctx, in.Name, in.Limit)
	out := webhookMessagesOut{Messages: []webhookMessageOut{}}
	for _, m := range all {
		out.Messages = append(out.Messages, webhookMessageOut{m.ID(), m.Again, m.Attempts, instant(m.Next), instant(m.Added)})
	}
	return reply(out, err)
}

func (wr writer) replayWebhook(ctx context.Context, in *webhookReplayIn) (*answer[webhookReplayOut], error) {
	w, err := wr.Webhook(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	keys, err := delivery.Between(ctx, wr.books, w.Webhook, in.Body.From, in.Body.To)
	if err == nil {
		err = wr.books.SendWebhookAgain(ctx, in.Name, keys)
	}
	return reply(webhookReplayOut{len(keys)}, err)
}

func (wr writer) testWebhook(ctx context.Context, in *WebhookIn) (*answer[webhookTestOut], error) {
	id, err := wr.books.TestWebhook(ctx, in.Name)
	return reply(webhookTestOut{id}, err)
}

func (wr writer) setWebhook(ctx context.Context, in *webhookStateIn) (*answer[WebhookOut], error) {
	var err error
	switch {
	case in.Body.State == "disabled":
		err = wr.books.DisableWebhook(ctx, in.Name, in.Body.Reason)
	case in.Body.Reason != "":
		err = ledger.ErrInvalid.In("reason", "a reason goes with the state disabled")
	default:
		err = wr.books.EnableWebhook(ctx, in.Name)
	}
	if err != nil {
		return nil, err
	}
	w, err := wr.Webhook(ctx, in.Name)
	return reply(showWebhook(w, wr.now()), err)
}
