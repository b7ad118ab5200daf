package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/webhook"
	"github.com/softstake/softstake/webhook/delivery"
)

type webhookCmd struct {
	Add      webhookAddCmd      `cmd:"" help:"Add an endpoint that gets messages."`
	List     webhookListCmd     `cmd:"" help:"List the endpoints, and how far each is."`
	Show     webhookShowCmd     `cmd:"" help:"Show an endpoint, and its last attempts."`
	Change   webhookChangeCmd   `cmd:"" help:"Change where messages go, and which."`
	Rotate   webhookRotateCmd   `cmd:"" help:"Replace the secret of an endpoint, with an overlap."`
	Messages webhookMessagesCmd `cmd:"" help:"List the messages that are to be sent again."`
	Replay   webhookReplayCmd   `cmd:"" help:"Send messages again that were sent before."`
	Test     webhookTestCmd     `cmd:"" help:"Send a message that says nothing."`
	Disable  webhookDisableCmd  `cmd:"" help:"Send nothing to an endpoint for now."`
	Enable   webhookEnableCmd   `cmd:"" help:"Send to an endpoint again: at once what waits."`
	Skip     webhookSkipCmd     `cmd:"" help:"Give up a message, or events that are not kept any more."`
	Remove   webhookRemoveCmd   `cmd:"" help:"Remove an endpoint."`
}

type webhookAddCmd struct {
	Name         string `arg:"" help:"Its name: a-z 0-9 -."`
	URL          string `arg:"" name:"url" help:"Where messages are sent: https; http to this machine itself only."`
	Kinds        string `required:"" placeholder:"KINDS" help:"What it gets, with commas: balance, reward, settled, payouts."`
	Ordered      bool   `help:"Send one message at a time, in order: one that fails holds those after it."`
	Signature    string `enum:"hmac,ed25519" default:"hmac" help:"How messages are signed: hmac, with a secret that both sides have, or ed25519, of which the receiver has the public key. Without it: ${default}."`
	PayoutsAfter int64  `placeholder:"NUMBER" help:"The last payout that it does not get. Without it, it gets all from the first on."`
	JSON         bool   `help:"Print a JSON object."`
}

func (c *webhookAddCmd) Help() string {
	return `"serve" sends messages by the Standard Webhooks specification, in order of their numbers, and retries what fails for three days. The endpoint gets events from now on. What the receiver verifies messages with is shown once. docs/webhooks.md says what a receiver does.

A receiver at a private address is reached only where "serve --webhook-allow" says so.

Examples:

  softstake webhook add shop https://shop.example.com/softstake --kinds payouts --ordered
  softstake webhook add bi https://bi.example.com/hooks --kinds balance,reward,settled --signature ed25519`
}

// newWebhookJSON is an endpoint that was made, or a secret that was replaced, which is shown once.
type newWebhookJSON struct {
	Name   string `json:"name"`
	Secret string `json:"secret"` // what the receiver verifies with: whsec_… or whpk_…
}

func (c *webhookAddCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		secret, sealed, err := env.webhookSecret(ctx, db, c.Name, c.Signature)
		if err != nil {
			return err
		}
		n := store.NewWebhook{Name: c.Name, URL: c.URL, Kinds: c.Kinds, Ordered: c.Ordered, Secret: sealed,
			Public: secret.PublicKey(), PayoutsAfter: c.PayoutsAfter}
		// What was made is shown, also to one who interrupts.
		return env.showSecret(c.JSON, c.Name, secret, db.AddWebhook(context.WithoutCancel(ctx), n))
	})
}

// webhookSecret makes a secret, and seals it for an endpoint.
func (env *Env) webhookSecret(ctx context.Context, db *store.DB, name, signature string) (s webhook.Secret,
	sealed []byte, err error) {
	scheme, err := webhook.ParseScheme(signature)
	if err != nil {
		return s, nil, err
	}
	sealer, err := env.makeSealer(ctx, db)
	if err != nil {
		return s, nil, err
	}
	return webhook.NewSealed(sealer, name, scheme, env.Random)
}

// showSecret prints what the receiver verifies with, unless what makes it has failed.
func (env *Env) showSecret(asJSON bool, name string, s webhook.Secret, err error) error {
	if err != nil && !errors.Is(err, control.ErrNeedsApproval) {
		return err
	}
	if asJSON {
		return cmp.Or(writeJSON(env.Stdout, newWebhookJSON{name, s.Receiver()}), err)
	}
	keep := "Give it to the receiver now: it is not shown again."
	if s.Scheme == webhook.Ed25519 {
		keep = "Give it to the receiver; it is no secret."
	}
	return cmp.Or(facts(env.Stdout, [2]string{"secret", s.Receiver()}), env.printf("\n%s\n", keep), err)
}

type webhookListCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (c *webhookListCmd) Help() string {
	return `Example:

  softstake webhook list`
}

// webhookJSON is an endpoint.
type webhookJSON struct {
	Name        string   `json:"name"`
	URL         string   `json:"url"`
	Kinds       string   `json:"kinds"`
	Ordered     bool     `json:"ordered"`
	Signature   string   `json:"signature"`
	PublicKey   string   `json:"publicKey,omitempty"`
	State       string   `json:"state"`
	Reason      string   `json:"reason,omitempty"`
	Events      int64    `json:"events"`
	Payouts     int64    `json:"payouts"`
	Messages    int64    `json:"messages"`
	OldestAt    *instant `json:"oldestAt,omitempty"`
	Delivered   int64    `json:"delivered"`
	DeliveredAt *instant `json:"deliveredAt,omitempty"`
	AddedAt     instant  `json:"addedAt"`
}

func webhookAsJSON(w reports.Webhook, now time.Time) webhookJSON {
	return webhookJSON{w.Name, w.URL, w.Kinds, w.Ordered, w.Scheme().Name(), w.Public, w.StateAt(now), w.Reason, w.Events,
		w.Payouts, w.Waiting, instantOrNull(w.Oldest), w.Delivered, instantOrNull(w.DeliveredAt), instant(w.Added)}
}

func (c *webhookListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		all, err := reports.New(db.Reader()).Webhooks(ctx)
		return list[reports.Webhook]{
			json: c.JSON,
			columns: []col{text("endpoint"), text("gets"), text("state"), figure("events"), figure("payouts"),
				figure("messages"), text("oldest (UTC)"), text("URL")},
			item: func(w reports.Webhook) (any, []string) {
				oldest := none
				if !w.Oldest.IsZero() {
					oldest = wallTime(w.Oldest)
				}
				return webhookAsJSON(w, env.Now()), []string{w.Name, w.Kinds, w.StateAt(env.Now()),
					strconv.FormatInt(w.Events, 10), strconv.FormatInt(w.Payouts, 10), strconv.FormatInt(w.Waiting, 10), oldest, w.URL}
			},
			none: "There are no endpoints.\n",
		}.print(env, all, err)
	})
}

type webhookShowCmd struct {
	Name  string `arg:"" help:"The endpoint."`
	Limit int    `default:"20" help:"How many attempts at most."`
	JSON  bool   `help:"Print a JSON object."`
}

func (c *webhookShowCmd) Help() string {
	return `Attempts are those that failed, and those that delivered what had failed before; the last 1000 of an endpoint are kept.

Example:

  softstake webhook show shop`
}

// webhookShownJSON is an endpoint with its last attempts.
type webhookShownJSON struct {
	webhookJSON
	Attempts []webhookAttemptJSON `json:"attempts"`
}

// webhookAttemptJSON is an attempt to send a message.
type webhookAttemptJSON struct {
	At      instant `json:"at"`
	Message string  `json:"message"`
	Attempt int     `json:"attempt"`
	Status  int     `json:"status"` // 0: there was no answer
	Extract string  `json:"extract,omitempty"`
}

func (c *webhookShowCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		rs := reports.New(db.Reader())
		w, err := rs.Webhook(ctx, c.Name)
		if err != nil {
			return err
		}
		attempts, err := rs.WebhookAttempts(ctx, c.Name, c.Limit)
		if err != nil {
			return err
		}
		shown := webhookShownJSON{webhookAsJSON(w, env.Now()), []webhookAttemptJSON{}}
		for _, a := range attempts {
			shown.Attempts = append(shown.Attempts, webhookAttemptJSON{instant(a.At), a.ID(), a.Attempt, a.Status, a.Extract})
		}
		if c.JSON {
			return writeJSON(env.Stdout, shown)
		}
		if err := facts(env.Stdout, webhookFacts(w, env.Now())...); err != nil || len(attempts) == 0 {
			return err
		}
		return cmp.Or(env.printf("\n"), list[reports.WebhookAttempt]{
			columns: []col{text("time (UTC)"), text("message"), figure("attempt"), figure("status"), text("answer")},
			item: func(a reports.WebhookAttempt) (any, []string) {
				return nil, []string{clockTime(a.At), a.ID(), strconv.Itoa(a.Attempt), strconv.Itoa(a.Status),
					cmp.Or(a.Extract, none)}
			},
		}.print(env, attempts, nil))
	})
}

func webhookFacts(w reports.Webhook, now time.Time) [][2]string {
	pairs := [][2]string{{"endpoint", w.Name}, {"URL", w.URL}, {"gets", w.Kinds}, {"ordered", yesOrNo(w.Ordered)},
		{"signature", w.Scheme().Name()}, {"state", w.StateAt(now)}}
	if w.Public != "" {
		pairs = append(pairs, [2]string{"public key", w.Public})
	}
	if w.Reason != "" {
		pairs = append(pairs, [2]string{"reason", w.Reason})
	}
	if now.Before(w.FormerUntil) {
		pairs = append(pairs, [2]string{"former secret", "signs until " + wallTime(w.FormerUntil)})
	}
	pairs = append(pairs, [2]string{"not sent", fmt.Sprintf("%s, %s, %s to be sent again",
		count(int(w.Events), "event", "events"), count(int(w.Payouts), "payout", "payouts"),
		count(int(w.Waiting), "message", "messages"))})
	if !w.Oldest.IsZero() {
		pairs = append(pairs, [2]string{"oldest", wallTime(w.Oldest)})
	}
	delivered := count(int(w.Delivered), "message", "messages")
	if !w.DeliveredAt.IsZero() {
		delivered += ", the last at " + wallTime(w.DeliveredAt)
	}
	return append(pairs, [2]string{"delivered", delivered})
}

func yesOrNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

type webhookChangeCmd struct {
	Name    string `arg:"" help:"The endpoint."`
	URL     string `name:"url" placeholder:"URL" help:"Where messages are sent. Without it: where they are."`
	Kinds   string `placeholder:"KINDS" help:"What it gets, with commas. Without it: what it does."`
	Ordered string `enum:",yes,no" default:"" placeholder:"YES" help:"Whether messages are sent one at a time, in order: yes or no. Without it: as they are."`

	PayoutsAfter *int64 `placeholder:"NUMBER" help:"The last payout that it does not get. Without it, it goes on where it is; an endpoint that never got payouts gets all from the first on."`
}

func (c *webhookChangeCmd) Help() string {
	return `With four eyes this needs approval, as adding an endpoint does.

Examples:

  softstake webhook change shop --url https://shop.example.com/hooks
  softstake webhook change shop --kinds reward,payouts --payouts-after 4710`
}

func (c *webhookChangeCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		w, err := reports.New(db.Reader()).Webhook(ctx, c.Name)
		if err != nil {
			return err
		}
		ordered := w.Ordered && c.Ordered == "" || c.Ordered == "yes"
		change := store.WebhookChange{Name: c.Name, URL: cmp.Or(c.URL, w.URL), Kinds: cmp.Or(c.Kinds, w.Kinds),
			Ordered: ordered, PayoutsAfter: c.PayoutsAfter}
		if err := db.ChangeWebhook(ctx, change); err != nil {
			return err
		}
		if webhook.PayoutStream.Wants(change.Kinds) && (c.PayoutsAfter != nil || !webhook.PayoutStream.Wants(w.Kinds)) {
			if c.PayoutsAfter == nil {
				c.PayoutsAfter = &w.Payout.Number
			}
			return env.printf("%s is changed. It gets payouts from number %d on.\n", c.Name, *c.PayoutsAfter+1)
		}
		return env.printf("%s is changed.\n", c.Name)
	})
}

type webhookRotateCmd struct {
	Name      string `arg:"" help:"The endpoint."`
	Overlap   string `default:"24h" placeholder:"TIME" help:"For how long the secret before signs too: 0s to 30d. Without it: ${default}."`
	Signature string `enum:",hmac,ed25519" default:"" placeholder:"NAME" help:"How messages are signed from now on: hmac or ed25519. Without it: as they are."`
	JSON      bool   `help:"Print a JSON object."`
}

func (c *webhookRotateCmd) Help() string {
	return `Each message is signed with both secrets until the overlap is over: the receiver takes the new one in that time. With four eyes another secret of hmac needs approval: it is used from then on, and the overlap begins then.

Examples:

  softstake webhook rotate shop
  softstake webhook rotate shop --overlap 0s`
}

func (c *webhookRotateCmd) Run(env *Env) error {
	overlap, err := parseOverlap(c.Overlap)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		w, err := reports.New(db.Reader()).Webhook(ctx, c.Name)
		if err != nil {
			return err
		}
		secret, sealed, err := env.webhookSecret(ctx, db, c.Name, cmp.Or(c.Signature, w.Scheme().Name()))
		if err != nil {
			return err
		}
		return env.showSecret(c.JSON, c.Name, secret, db.RotateWebhook(context.WithoutCancel(ctx),
			store.WebhookSecret{Name: c.Name, Secret: sealed, Public: secret.PublicKey(), Overlap: overlap}))
	})
}

// parseOverlap reads a while: days such as 30d, or what Go reads, such as 12h or 0s. Its errors are ledger.ErrInvalid.
func parseOverlap(s string) (time.Duration, error) {
	const most = int(store.MaxSecretOverlap / (24 * time.Hour))
	if days, is := strings.CutSuffix(s, "d"); is {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= most {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if d, err := time.ParseDuration(s); err == nil {
		return d, nil
	}
	return 0, ledger.ErrInvalid.In("overlap", "%q is not a while from 0s to %dd, such as 12h", ledger.Clip(s), most)
}

type webhookMessagesCmd struct {
	Name  string `arg:"" help:"The endpoint."`
	Limit int    `default:"100" help:"How many at most."`
	JSON  bool   `help:"Print a JSON array."`
}

func (c *webhookMessagesCmd) Help() string {
	return `They are those that failed, and those that "webhook replay" and "webhook test" have asked for. What was not sent yet is counted by "webhook list".

Example:

  softstake webhook messages shop`
}

// webhookMessageJSON is a message that is to be sent.
type webhookMessageJSON struct {
	Message  string  `json:"message"`
	Replay   bool    `json:"replay"`
	Attempts int     `json:"attempts"`
	NextAt   instant `json:"nextAt"`
	AddedAt  instant `json:"addedAt"`
}

func (c *webhookMessagesCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		rs := reports.New(db.Reader())
		if _, err := rs.Webhook(ctx, c.Name); err != nil {
			return err
		}
		all, err := rs.WebhookMessages(ctx, c.Name, c.Limit)
		return list[store.WebhookMessage]{
			json: c.JSON,
			columns: []col{text("message"), text("replay"), figure("attempts"), text("next (UTC)"),
				text("since (UTC)")},
			item: func(m store.WebhookMessage) (any, []string) {
				return webhookMessageJSON{m.ID(), m.Again, m.Attempts, instant(m.Next), instant(m.Added)},
					[]string{m.ID(), yesOrNo(m.Again), strconv.Itoa(m.Attempts), wallTime(m.Next), wallTime(m.Added)}
			},
			none: "No message is to be sent again.\n",
		}.print(env, all, err)
	})
}

type webhookReplayCmd struct {
	Name string `arg:"" help:"The endpoint."`
	From string `arg:"" help:"A message, by its ID: event_4711-1 or payouts_4711."`
	To   string `arg:"" optional:"" help:"The last message, to send all from the first to it; at most 1000."`
}

func (c *webhookReplayCmd) Help() string {
	return `A message that is sent again has the same ID and the same body; a receiver that has handled it ignores it. Messages of events can be sent again for seven days, those of payouts always. They are sent beside what is new, in no order.

Examples:

  softstake webhook replay shop payouts_4711
  softstake webhook replay bi event_100-1 event_250-1`
}

func (c *webhookReplayCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		w, err := reports.New(db.Reader()).Webhook(ctx, c.Name)
		if err != nil {
			return err
		}
		keys, err := delivery.Between(ctx, db, w.Webhook, c.From, c.To)
		if err == nil {
			err = db.SendWebhookAgain(ctx, c.Name, keys)
		}
		return env.done(err, "%s to %s will be sent again.\n", count(len(keys), "message", "messages"), c.Name)
	})
}

type webhookTestCmd struct {
	Name string `arg:"" help:"The endpoint."`
}

func (c *webhookTestCmd) Help() string {
	return `"serve" sends it within a second or so, once, also where others wait; "webhook show" has the answer where it failed.

Example:

  softstake webhook test shop`
}

func (c *webhookTestCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		id, err := db.TestWebhook(ctx, c.Name)
		return env.done(err, "%s will be sent to %s.\n", id, c.Name)
	})
}

type webhookDisableCmd struct {
	Name   string `arg:"" help:"The endpoint."`
	Reason string `required:"" placeholder:"TEXT" help:"Why, for the log."`
}

func (c *webhookDisableCmd) Help() string {
	return `Nothing is lost as long as it is enabled within seven days, for which events are kept.

Example:

  softstake webhook disable shop --reason "the shop moves"`
}

func (c *webhookDisableCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.DisableWebhook(ctx, c.Name, c.Reason), "Nothing is sent to %s.\n", c.Name)
	})
}

type webhookEnableCmd struct {
	Name string `arg:"" help:"The endpoint."`
}

func (c *webhookEnableCmd) Help() string {
	return `An endpoint is disabled by "webhook disable", by its answer 410, after ten attempts to send a message in three days, and where events that it has not got are not kept any more.

What waits is sent at once, its attempts counted from the first. So it is to an endpoint that fails and is not disabled yet: enable it when its receiver is repaired.

Example:

  softstake webhook enable shop`
}

func (c *webhookEnableCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.EnableWebhook(ctx, c.Name), "Messages are sent to %s.\n", c.Name)
	})
}

type webhookSkipCmd struct {
	Name    string `arg:"" help:"The endpoint."`
	Message string `arg:"" optional:"" help:"The message, as \"webhook messages\" names it. Without it: the events that are not kept any more."`
	Reason  string `required:"" placeholder:"TEXT" help:"Why, for the log."`
}

func (c *webhookSkipCmd) Help() string {
	return `The receiver never gets what is given up. With four eyes this needs approval. An endpoint that is disabled stays so: enable it then.

Examples:

  softstake webhook skip shop payouts_4711 --reason "credited by hand"
  softstake webhook skip bi --reason "read again from /v1"`
}

func (c *webhookSkipCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		what := cmp.Or(c.Message, "What is not kept any more")
		return env.done(db.SkipWebhook(ctx, store.WebhookSkip{Name: c.Name, Message: c.Message, Reason: c.Reason}),
			"%s is given up for %s.\n", what, c.Name)
	})
}

type webhookRemoveCmd struct {
	Name string `arg:"" help:"The endpoint."`
}

func (c *webhookRemoveCmd) Help() string {
	return `What it has not got is not sent any more. With four eyes this needs approval; "webhook disable" stops at once.

Example:

  softstake webhook remove shop`
}

func (c *webhookRemoveCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.RemoveWebhook(ctx, c.Name), "%s is removed.\n", c.Name)
	})
}
