package events

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Event is one thing that happened.
type Event struct {
	ID   string // to continue after it: Subscribe's after. At most 64 characters: digits and "-"
	Type string // "ready", "balance", "reward", "settled", "reset"; "": nothing else happened up to the ID
	Body any    // Ready, Balance, Reward, Settled or Reset, for JSON; nil where the Type is ""
}

// Subject is the account that the event is about; of a settled day, its token.
func (e Event) Subject() string {
	switch b := e.Body.(type) {
	case Balance:
		return string(b.Account)
	case Reward:
		return string(b.Account)
	case Settled:
		return b.Asset
	}
	return ""
}

// Ready says that the stream is up to date: all that came before its ID has been sent.
type Ready struct{}

// Balance is a balance that an entry changed. Here and below amounts are decimals of
// whole tokens, and times as RFC 3339 has them, in UTC.
type Balance struct {
	Entry   string         `json:"entry" doc:"The entry's ID. An event that is sent again has the same."`
	Kind    ledger.Kind    `json:"kind"`
	At      string         `json:"at" format:"date-time" doc:"When the entry counts."`
	Account ledger.Account `json:"account"`
	Part    string         `json:"part" enum:"free,held"`
	Asset   string         `json:"asset"`
	Change  string         `json:"change" doc:"What the entry added; below zero, what it took."`
	Balance string         `json:"balance" doc:"What it left."`
}

// Reward is a reward that was credited.
type Reward struct {
	Entry      string         `json:"entry" doc:"reward/DAY/TOKEN/ACCOUNT."`
	Day        string         `json:"day" format:"date" doc:"The day that it is for."`
	Account    ledger.Account `json:"account"`
	Asset      string         `json:"asset"`
	Amount     string         `json:"amount"`
	Average    string         `json:"average" doc:"The account's average holding on that day."`
	CreditedAt string         `json:"creditedAt" format:"date-time"`
}

// Settled is a day of a token whose rewards are all credited.
type Settled struct {
	Entry string `json:"entry" doc:"declare/DAY/TOKEN: the entry that made the day's total payable."`
	Day   string `json:"day" format:"date"`
	Asset string `json:"asset"`
}

// Reset says that events may have been missed.
type Reset struct {
	Reason string `json:"reason" doc:"What to do, for a person."`
}

// audience are the subscribers, by account: "" wants every account's events.
type audience map[ledger.Account][]*queue

// wants reports whether a subscriber wants an account's events.
func (a audience) wants(id ledger.Account) bool {
	_, one := a[id]
	_, all := a[""]
	return one || all
}

// publication turns an outbox event into events, for an audience.
type publication struct {
	books *store.DB
	to    audience
	emit  func(owner ledger.Account, e Event) error // owner "": everybody's

	number int64 // of the outbox event
	count  int   // of its events so far
}

// publish gives emit the events that the audience wants, in order.
func (t *publication) publish(ctx context.Context, from outbox.Event) error {
	t.number = from.Number
	for _, e := range from.Entries {
		for _, b := range e.Balances {
			if err := t.balance(ctx, e, b); err != nil {
				return err
			}
		}
	}
	for _, b := range from.Paid {
		if err := t.paid(ctx, b); err != nil {
			return err
		}
	}
	for _, d := range from.Settled {
		if err := t.event("", "settled", Settled{fmt.Sprintf("declare/%s/%s", d.Day, d.Asset), d.Day.String(),
			d.Asset}); err != nil {
			return err
		}
	}
	return nil
}

// Of gives emit all events of an outbox event, in order. It is the same each time it is called: their IDs too.
func Of(ctx context.Context, books *store.DB, from outbox.Event, emit func(Event) error) error {
	return (&publication{books: books, to: audience{"": nil},
		emit: func(_ ledger.Account, e Event) error { return emit(e) }}).publish(ctx, from)
}

func (t *publication) event(owner ledger.Account, kind string, body any) error {
	t.count++
	return t.emit(owner, Event{partID(t.number, t.count), kind, body})
}

func (t *publication) balance(ctx context.Context, e outbox.PostedEntry, b outbox.PostedBalance) error {
	owner, part := b.Account.Owner(), "free"
	if !t.to.wants(owner) {
		return nil
	}
	if b.Account.IsHeld() {
		part = "held"
	}
	asset, err := t.books.Asset(ctx, b.Asset)
	if err != nil {
		return err
	}
	return t.event(owner, "balance", Balance{e.ID, e.Kind, ledger.FormatTime(e.At), owner, part, b.Asset,
		asset.Format(b.Change), asset.Format(b.Balance)})
}

// paid publishes the rewards of a batch: all, or those of the accounts that a subscriber wants.
func (t *publication) paid(ctx context.Context, b outbox.PaidBatch) error {
	asset, err := t.books.Asset(ctx, b.Asset)
	if err != nil {
		return err
	}
	reward := func(a staking.Accrual) error {
		return t.event(a.Account, "reward", Reward{a.EntryID(), a.Day.String(), a.Account, a.Asset, asset.Format(a.Reward),
			asset.Format(a.Average), ledger.FormatTime(b.PaidAt)})
	}
	books := reports.New(t.books.Reader())
	if t.to.wants("") {
		return books.PaidRewards(ctx, b, "", reward)
	}
	for id := range t.to {
		if id.Bucket() != b.Bucket {
			continue
		}
		if err := books.PaidRewards(ctx, b, id, reward); err != nil {
			return err
		}
	}
	return nil
}
