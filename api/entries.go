package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// mostEntries is the largest number of entries in a batch.
const mostEntries = 10_000

// entryRoutes are those that post.
func (s *server) entryRoutes() {
	change(s, "POST /v1/entries", does("post"), writer.postEntry, about("post-entry", "Entries", "Post an entry",
		"Posts one entry, whole or not at all. "+
			"Repeating it with the same content has no further effect and is answered as the first time, "+
			"with 200 instead of 201. A refused entry is not stored, and may be posted again.\n\n"+
			"A holder posts transfers of what is free in its own account, and requests withdrawals; "+
			"its entries count when they are posted, and their IDs begin with its account and a slash. "+
			"It may name 60 recipients an hour, found or not, here and on the pages together (429).", 404, 409, 429),
		created[entryOut]("It was posted before: the answer of the first time."), takes[entryIn]("The entry."))
	change(s, "POST /v1/batches", does("post", access.Exchange), writer.postBatch,
		about("post-batch", "Entries", "Post many entries",
			fmt.Sprintf("Posts 1 to %d entries in their order, in a body of at most 8 MiB. "+
				"Each is posted or refused by itself, and the answer has the result of each, in the same order. "+
				"An entry that cannot be read, because of a value of the wrong type, "+
				"an unknown field or a field given twice, is refused in the same way; only a body that is not JSON, "+
				"or that is wrong around its entries, is refused as a whole. With `atomic` all are posted or none: "+
				"then a refusal is the answer, with the problem of the first refused entry and its path in `field`.\n\n"+
				"A batch may be posted again: what was posted is repeated, and what was refused is attempted again. "+
				"Under an Idempotency-Key as well: an answer with a refusal that may pass is not kept.", mostEntries), 404, 409),
		takes[batchIn]("The entries."), upTo(largeBody))
	change(s, "POST /v1/adjustments", does(control.Adjust), writer.postAdjustment,
		about("post-adjustment", "Entries", "Post a correction",
			"Posts an entry of the kind `adjustment`, dated now, and records its actor and its reason. "+
				"The past is never edited: a correction is a new entry. "+
				"Repeating an ID with the same content has no further effect, whatever the reason says.", 404, 409),
		created[entryOut]("It was posted before: the answer of the first time."))
}

// A handler of entries decodes its body by itself, and its input has no Body (takes describes one):
// they come in thousands, and input would read each a second time, to compare it with its schema.
// So the limits in these tags are for the document; what an entry may be is checked by the
// ledger, when it is posted (ledger/entry.go).

type moveIn struct {
	From   string `json:"from" maxLength:"133" example:"alice" doc:"Account that it is taken from: a holder's, what is held of it (alice/held), @custody (the outside world) or @desk (the counterparty of conversions)."`
	To     string `json:"to" maxLength:"133" example:"bob" doc:"Account that gets it."`
	Asset  string `json:"asset" maxLength:"20" example:"BNB" doc:"Symbol."`
	Amount string `json:"amount" maxLength:"40" example:"2.5" doc:"How much, above zero, in whole tokens."`
}

type entryIn struct {
	ID    string   `json:"id" minLength:"1" maxLength:"138" example:"t-4711" doc:"Your name for the entry; it must be unique. 1 to 128 of A-Z a-z 0-9 . _ : - @ and /; no part between slashes may be \".\" or \"..\". What ends a withdrawal is named after its request: ID/completed or ID/cancelled. A holder's begins with its account and a slash: alice/t-1."`
	Kind  string   `json:"kind" enum:"deposit,withdrawal,transfer,trade,hold,release,withdrawal-request,withdrawal-completed,withdrawal-cancelled" example:"transfer" doc:"What happened. It determines which accounts the moves may name."`
	At    *string  `json:"at,omitempty" nullable:"false" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it counts. Without it: when it is posted. At most a second ahead, and on a day that is open. A holder's entry has none."`
	Moves []moveIn `json:"moves" minItems:"1" maxItems:"100" doc:"All of them happen, or none."`

	Authoritative bool `json:"authoritative,omitempty" doc:"Another ledger has decided the entry already: it is accepted though a balance was below zero at some moment between its time and now, and is then to be reconciled (GET /v1/reconciliation). What the balance is now must suffice, and the day must be open. It is no part of the content that a repetition is compared by. The token must be allowed to."`
}

type entryOut struct {
	ID       string `json:"id" example:"t-4711" doc:"The entry's ID."`
	At       string `json:"at" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it counts."`
	PostedAt string `json:"postedAt" format:"date-time" example:"2026-11-22T10:00:00.123Z" doc:"When it was written."`
	Repeated bool   `json:"repeated" doc:"Whether it had been posted before, with the same content."`
}

// posted is what is answered for one entry.
type posted = creation[entryOut]

// showPosted answers with what became of an entry; err is why it was refused, or nil.
func showPosted(id string, o store.Outcome, err error) (*posted, error) {
	return replyCreated(entryOut{ID: id, At: instant(o.At), PostedAt: instant(o.PostedAt), Repeated: o.Repeated},
		o.Repeated, err)
}

func (wr writer) postEntry(ctx context.Context, _ *struct{}) (*posted, error) {
	var in entryIn
	if err := decode(requestOf(ctx).body, &in); err != nil {
		return nil, err
	}
	e, err := wr.entry(ctx, in)
	if err == nil {
		err = mayPost(token(ctx), e)
	}
	if err == nil {
		err = wr.countRecipients(ctx, e) // of a holder; a deposit is the exchange's
	}
	if err != nil {
		return nil, err
	}
	// Durable when it returns, in one commit with the entries of other callers.
	outcomes, err := wr.books.Post(ctx, []ledger.Entry{e})
	if err != nil {
		return nil, err
	}
	return showPosted(e.ID, outcomes[0], outcomes[0].Err)
}

// entry is what was sent as the ledger takes it. Its errors are ledger.ErrInvalid,
// in their field, or the books'.
func (rd reader) entry(ctx context.Context, in entryIn) (ledger.Entry, error) {
	e := ledger.Entry{
		ID: in.ID, Kind: ledger.Kind(in.Kind), Moves: make([]ledger.Move, len(in.Moves)),
		Authoritative: in.Authoritative,
	}
	if in.At != nil {
		at, err := parseTime(*in.At)
		if err != nil {
			return e, ledger.At("at", err)
		}
		e.At = at
	}
	for i, m := range in.Moves {
		asset, amount, err := rd.amount(ctx, m.Asset, m.Amount) // the assets are kept in memory
		if err != nil {
			return e, ledger.At(fmt.Sprintf("moves[%d]", i), err)
		}
		e.Moves[i] = ledger.Move{
			From: ledger.Account(m.From), To: ledger.Account(m.To), Asset: asset.Symbol, Amount: amount,
		}
	}
	return e, nil
}

// amount reads an amount of an asset that the books keep. Its errors are ledger.ErrInvalid,
// in the field asset or amount, or the books'.
func (rd reader) amount(ctx context.Context, symbol, text string) (ledger.Asset, ledger.Amount, error) {
	asset, err := rd.Asset(ctx, symbol)
	if errors.Is(err, ledger.ErrNotFound) {
		err = ledger.ErrInvalid.In("asset", "the books keep no asset %q",
			ledger.Clip(symbol)).Because(ledger.ReasonUnknownAsset)
	}
	if err != nil {
		return asset, 0, err
	}
	amount, err := asset.Parse(text) // exactly: more decimals than the asset keeps are refused, never rounded
	return asset, amount, ledger.At("amount", err)
}

// parseTime reads a time as all times are written, cut to milliseconds. Its error is ledger.ErrInvalid.
func parseTime(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, ledger.ErrInvalid.In("", "%q is not a time such as 2026-11-22T10:00:00.000Z", ledger.Clip(text))
	}
	return at.UTC().Truncate(time.Millisecond), nil
}

// mayPost returns access.ErrForbidden for what the request's credential may not post.
// A holder moves its own: what lies free in its account, to another holder or into a
// withdrawal. What is held belongs to orders and withdrawals, which the exchange ends. The books check it again.
func mayPost(t access.Token, e ledger.Entry) error {
	if e.Kind == ledger.Adjustment {
		return access.ErrForbidden.In("kind",
			"a correction is posted by an operator, with its reason, to /v1/adjustments")
	}
	if err := control.CheckEntry(e, false, t.Actor()); err != nil || t.Role != access.Holder {
		return err
	}
	if e.Kind == ledger.WithdrawalCancelled {
		return access.ErrForbidden.In("kind", "a holder posts entries of the kinds %s and %s",
			ledger.Transfer, ledger.WithdrawalRequest)
	}
	return nil
}

// countRecipients counts whom a holder's entry would send to, before it is known whether
// they are there: the answer shows it. It counts where the pages do, and so a token learns no
// faster than they which accounts there are. What was posted before is repeated, and
// is not counted.
func (wr writer) countRecipients(ctx context.Context, e ledger.Entry) error {
	from := token(ctx).Account
	if token(ctx).Role != access.Holder {
		return nil
	}
	switch _, _, err := wr.Entry(ctx, e.ID); {
	case err == nil, errors.Is(err, ledger.ErrInvalid): // the books say so
		return nil
	case !errors.Is(err, ledger.ErrNotFound):
		return err
	}
	var seen []ledger.Account
	for _, m := range e.Moves {
		if m.To == from || m.To.CheckHolder() != nil || slices.Contains(seen, m.To) {
			continue
		}
		seen = append(seen, m.To)
		wait, err := wr.books.People().CountRecipient(ctx, from)
		if err != nil {
			return err
		}
		if wait > 0 {
			return &tooMany{wait, "this account has asked for many recipients"}
		}
	}
	return nil
}
