package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// mostEntries is the largest number of entries in a batch.
const mostEntries = 10_000

// entryRoutes are those that post.
func (s *server) entryRoutes() {
	change(s, "POST /v1/entries", owners, writer.postEntry, about("post-entry", "Entries", "Post an entry",
		"Posts one entry, whole or not at all. "+
			"Repeating it with the same content has no further effect and is answered as the first time, "+
			"with 200 instead of 201. A refused entry is not stored, and may be posted again.\n\n"+
			"A holder posts transfers of what is free in its own account, and requests withdrawals; "+
			"its entries count when they are posted, and their IDs begin with its account and a slash. "+
			"It may name 60 recipients an hour, found or not, here and on the pages together (429).", 404, 409, 429),
		created[entryOut]("It was posted before: the answer of the first time."), takes[entryIn]("The entry."))
	change(s, "POST /v1/batches", exchange, writer.postBatch,
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
	change(s, "POST /v1/adjustments", operators, writer.postAdjustment,
		about("post-adjustment", "Entries", "Post a correction",
			"Posts an entry of the kind `adjustment`, dated now, and records its actor and its reason. "+
				"The past is never edited: a correction is a new entry. "+
				"Repeating an ID with the same content has no further effect, whatever the reason says.", 404, 409),
		created[entryOut]("It was posted before: the answer of the first time."))
}

type entryOut struct {
	ID       string `json:"id" example:"t-4711" doc:"The entry's ID."`
	At       string `json:"at" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it counts."`
	PostedAt string `json:"postedAt" format:"date-time" example:"2026-11-22T10:00:00.123Z" doc:"When it was written."`
	Repeated bool   `json:"repeated" doc:"Whether it had been posted before, with the same content."`
}

// posted is what is answered for one entry.
type posted = made[entryOut]

func showPosted(id string, o store.Outcome, err error) (*posted, error) {
	if err == nil {
		err = o.Err
	}
	return sayMade(entryOut{ID: id, At: instant(o.At), PostedAt: instant(o.PostedAt), Repeated: o.Repeated},
		o.Repeated, err)
}

func (wr writer) postEntry(ctx context.Context, _ *struct{}) (*posted, error) {
	var in entryIn
	if err := decode(request(ctx).body, &in); err != nil {
		return nil, err
	}
	e, err := wr.entry(ctx, in)
	if err == nil {
		err = mayPost(token(ctx), e)
	}
	if err == nil {
		err = wr.countRecipients(ctx, e)
	}
	if err != nil {
		return nil, err
	}
	outcomes, err := wr.books.Post(ctx, []ledger.Entry{e})
	if err != nil {
		return nil, err
	}
	return showPosted(e.ID, outcomes[0], outcomes[0].Err)
}

func (wr writer) postAdjustment(ctx context.Context, in *struct{ Body reasonedIn }) (*posted, error) {
	e, err := wr.entry(ctx, entryIn{ID: in.Body.ID, Kind: string(ledger.Adjustment), Moves: in.Body.Moves})
	if err != nil {
		return nil, err
	}
	o, err := wr.books.Adjust(ctx, e, in.Body.Reason)
	return showPosted(e.ID, o, err)
}

type batchIn struct {
	Entries []entryIn `json:"entries" minItems:"1" maxItems:"10000" doc:"The entries, in the order in which they are posted."`
	Atomic  bool      `json:"atomic,omitempty" doc:"Post all of them, or none."`
}

// The results of an entry of a batch.
const (
	statusPosted   = "posted"
	statusRepeated = "repeated"
	statusRefused  = "refused"
)

type batchEntryOut struct {
	Index    int           `json:"index" example:"0" doc:"Its index in the batch, from 0."`
	ID       string        `json:"id" example:"t-4711" doc:"The entry's ID; empty where none could be read."`
	Status   string        `json:"status" enum:"posted,repeated,refused" doc:"The result."`
	At       string        `json:"at,omitempty" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it counts. Absent where it is refused."`
	PostedAt string        `json:"postedAt,omitempty" format:"date-time" example:"2026-11-22T10:00:00.123Z" doc:"When it was written. Absent where it is refused."`
	Problem  *entryProblem `json:"problem,omitempty" doc:"Why it is refused."`
}

// entryProblem is a Problem of one entry of several.
type entryProblem struct {
	Type   string `json:"type" format:"uri-reference" example:"/v1/docs#insufficient-balance" doc:"The problem type, as in a problem document."`
	Detail string `json:"detail" doc:"What is wrong, and what to do about it, for people."`
	Field  string `json:"field,omitempty" example:"moves[0].amount" doc:"What is at fault, where one thing is: the path in the entry."`

	definite bool
}

type batchOut struct {
	Entries []batchEntryOut `json:"entries" doc:"The result of each entry, in the order of the request."`
}

// curable reports whether an entry was refused that may be posted later.
func (b batchOut) curable() bool {
	return slices.ContainsFunc(b.Entries, func(e batchEntryOut) bool { return e.Problem != nil && !e.Problem.definite })
}
