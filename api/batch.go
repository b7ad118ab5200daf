package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/strictjson"
)

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

	permanent bool
}

// retryable reports whether there is a problem, and what it is of may be accepted later.
func (p *entryProblem) retryable() bool { return p != nil && !p.permanent }

type batchOut struct {
	Entries []batchEntryOut `json:"entries" doc:"The result of each entry, in the order of the request."`
}

// retryable reports whether an entry was refused that may be posted later.
func (b batchOut) retryable() bool {
	return slices.ContainsFunc(b.Entries, func(e batchEntryOut) bool { return e.Problem.retryable() })
}

func (wr writer) postBatch(ctx context.Context, _ *struct{}) (*answer[batchOut], error) {
	var in batchIn
	texts, err := elements(requestOf(ctx).body, "entries", mostEntries, &in)
	if err != nil {
		return nil, err
	}
	b := newBatch(wr, "entries", texts, in.Atomic)
	if err := b.read(ctx, b.entry); err != nil {
		return nil, err
	}
	post := wr.books.Post
	if b.atomic {
		post = wr.books.PostAll
	}
	outcomes, err := post(ctx, b.entries)
	if err := b.posted(outcomes, err); err != nil {
		return nil, err
	}
	return reply(b.show(ctx), nil)
}

// elements takes a body apart: the elements of its array of a name, as they are written,
// and all else, which is decoded. What is wrong within an element is that element's
// fault, and what is wrong around them is the body's.
func elements(body []byte, name string, most int, around any) ([]json.RawMessage, error) {
	texts, rest, err := strictjson.Elements(body, name, most)
	if err == nil {
		err = strictjson.Decode(rest, around)
	}
	if err != nil {
		return nil, inJSON(err)
	}
	if len(texts) < 1 {
		return nil, ledger.ErrInvalid.In(name, "%s is empty; a batch has 1 to %d", name, most)
	}
	return texts, nil
}

// batch is entries on their way: those that can be posted at all, and where each came.
type batch struct {
	writer
	name     string            // of the array that they came in
	texts    []json.RawMessage // the entries as they came, not looked at yet
	atomic   bool
	entries  []ledger.Entry
	indexes  []int
	ids      []string        // by where they came; "" where no ID could be read
	outcomes []store.Outcome // by where they came
}

func newBatch(wr writer, name string, texts []json.RawMessage, atomic bool) *batch {
	return &batch{
		writer: wr, name: name, texts: texts, atomic: atomic, ids: make([]string, len(texts)),
		outcomes: make([]store.Outcome, len(texts)),
	}
}

// read takes the entries as the ledger does. One that cannot be read is refused, and
// with it the whole of an atomic batch.
func (b *batch) read(ctx context.Context, entry func(context.Context, int) (ledger.Entry, error)) error {
	b.entries, b.indexes = make([]ledger.Entry, 0, len(b.texts)), make([]int, 0, len(b.texts))
	for i := range b.texts {
		e, err := entry(ctx, i)
		switch {
		case err == nil:
			b.entries, b.indexes = append(b.entries, e), append(b.indexes, i)
		case b.atomic || !errors.Is(err, ledger.ErrInvalid) && !errors.Is(err, access.ErrForbidden):
			return b.inEntry(i, err)
		default:
			b.outcomes[i].Err = err
		}
	}
	return nil
}

func (b *batch) entry(ctx context.Context, i int) (ledger.Entry, error) {
	var in entryIn
	if err := b.decode(i, &in); err != nil {
		return ledger.Entry{}, err
	}
	b.ids[i] = in.ID
	e, err := b.writer.entry(ctx, in)
	if err == nil {
		err = mayPost(token(ctx), e)
	}
	return e, err
}

// decode reads the text of one of the entries, and of one that cannot be read the ID.
func (b *batch) decode(i int, into any) error {
	err := strictjson.Decode(b.texts[i], into)
	if err == nil {
		return nil
	}
	b.ids[i] = textIn(b.texts[i], "id")
	return unreadable(b.name, i, b.atomic, err)
}

// unreadable is what is wrong with the text of an element, as an error in its field. The
// message has the field as well: the element's path if all are refused because of it.
func unreadable(array string, i int, whole bool, err error) error {
	var fault *strictjson.Fault
	if !errors.As(err, &fault) {
		return err
	}
	in := fault.Field
	shown := *fault
	switch {
	case whole && in == "":
		shown.Field = fmt.Sprintf("%s[%d]", array, i)
	case whole:
		shown.Field = fmt.Sprintf("%s[%d].%s", array, i, in)
	case in == "":
		shown.Field = "this element of " + array
	}
	return ledger.ErrInvalid.In(in, "%w", &shown)
}

// textIn is a member of an element that cannot be read, its ID, so that its sender finds
// it; "" where there is none, or several, or it is no text.
func textIn(text []byte, member string) (value string) {
	d := json.NewDecoder(bytes.NewReader(text))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return ""
	}
	for found := false; d.More(); {
		name, err := d.Token()
		var raw json.RawMessage
		if err == nil {
			err = d.Decode(&raw)
		}
		if err != nil || name == member && (found || json.Unmarshal(raw, &value) != nil) {
			return ""
		}
		found = found || name == member
	}
	return value
}

func (b *batch) inEntry(i int, err error) error {
	return ledger.At(fmt.Sprintf("%s[%d]", b.name, i), err)
}

// posted puts the results of those that were posted at their indexes. The error is the one
// of posting, in the field of the entry that it is about.
func (b *batch) posted(outcomes []store.Outcome, err error) error {
	for i, o := range outcomes {
		if err != nil && o.Err == err {
			// which names its entry itself
			if e, is := errors.AsType[*ledger.Error](err); is && e.Kind != ledger.ErrInvalid {
				named := *e
				named.Detail = "entry " + b.entries[i].ID + ": " + e.Detail
				err = &named
			}
			if valueOf(err).Field == "" {
				err = transient{err}
			}
			return b.inEntry(b.indexes[i], err)
		}
		b.outcomes[b.indexes[i]] = o
	}
	return err
}

// show is the result of each entry.
func (b *batch) show(ctx context.Context) batchOut {
	out := batchOut{Entries: make([]batchEntryOut, len(b.outcomes))}
	for i, o := range b.outcomes {
		e := batchEntryOut{Index: i, ID: b.ids[i], Status: statusRefused}
		if o.Err != nil {
			e.Problem = b.rowProblem(ctx, o.Err)
		} else {
			e.Status, e.At, e.PostedAt = statusPosted, instant(o.At), instant(o.PostedAt)
			if o.Repeated {
				e.Status = statusRepeated
			}
		}
		out.Entries[i] = e
	}
	return out
}
