package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// postCmd posts entries.
type postCmd struct {
	File         string `arg:"" help:"JSON lines, an entry each; - is the standard input."`
	AllOrNothing bool   `help:"Post all entries together, or none. At most 10,000."`
	JSON         bool   `help:"Print what became of each entry as a JSON line."`

	Authoritative bool `help:"Accept entries with \"authoritative\":true, which another ledger has decided, though a balance was below zero in between. They are listed by \"reconciliation list\"."`
}

func (c *postCmd) Help() string {
	return `Each line is an entry, which happens whole or not at all:

  {"id":"d-1","kind":"deposit","at":"2026-11-22T10:00:00Z","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"2"}]}

kind is deposit (@custody to a holder), withdrawal, transfer, trade (several moves, between holders or with @desk), hold (alice to alice/held), release or adjustment. A withdrawal that waits is a withdrawal-request (alice to alice/held) with an ID such as w-1, and ends once: with withdrawal-completed (alice/held to @custody) as w-1/completed, or withdrawal-cancelled (alice/held to alice) as w-1/cancelled. Without "at" it counts from now. Amounts are strings.

Posting an ID again has no further effect, so a file may be posted again after an interruption. A refused or unreadable line is reported with its number, the others are posted, and the exit status is 1.

Example:

  echo '{"id":"d-1","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"2"}]}' | softstake post -`
}

const (
	postBatch = 1000   // entries in one call of the books
	postWhole = 10_000 // entries that may be posted all or none
)

func (c *postCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		p := &poster{db: db, json: c.JSON, tally: tally{env: env, doing: "posting", verb: "posted",
			again: "post the file again: posting an entry again has no further effect"}}
		parse := entryParser{asset: db.Asset, authoritative: c.Authoritative}
		post := p.postEach
		if c.AllOrNothing {
			post = p.postAll
		}
		return p.read(c.File, func(in io.Reader) error {
			lines := newLines(in)
			return readLines(ctx, &p.tally, func(ctx context.Context) (entryLine, error) {
				line, err := lines.next()
				if err != nil {
					return entryLine{}, err
				}
				e, bad := parse.line(ctx, line)
				return entryLine{line.n, int64(len(line.text)), e, bad}, parse.failed
			}, post)
		})
	})
}

// entryLine is an entry and where it stands, or what is wrong with it.
type entryLine struct {
	n     int
	bytes int64
	entry ledger.Entry
	bad   error
}

// poster posts entries and reports what became of each.
type poster struct {
	tally
	db   *store.DB
	json bool
}

// postEach posts entries as they come, each whole or not at all.
func (p *poster) postEach(ctx context.Context, lines <-chan entryLine) error {
	for {
		batch, err := take(ctx, lines, postBatch)
		if err != nil || len(batch) == 0 {
			return err
		}
		outcomes := make([]store.Outcome, len(batch))
		var entries []ledger.Entry
		var at []int
		for i, l := range batch {
			if outcomes[i].Err = l.bad; l.bad == nil {
				entries, at = append(entries, l.entry), append(at, i)
			}
		}
		posted, err := p.db.Post(ctx, entries)
		if err != nil {
			return err
		}
		for i, o := range posted {
			outcomes[at[i]] = o
		}
		if err := p.print(batch, outcomes); err != nil {
			return err
		}
	}
}

// postAll posts all entries together, or none of them.
func (p *poster) postAll(ctx context.Context, lines <-chan entryLine) error {
	var all []entryLine
	var entries []ledger.Entry
	unread := 0
	for {
		batch, err := take(ctx, lines, postBatch)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		for _, l := range batch {
			if l.bad != nil {
				unread++
				if err := p.meter.warnf("line %d: %s", l.n, plain(l.bad)); err != nil {
					return err
				}
			}
			all, entries = append(all, l), append(entries, l.entry)
		}
		if len(all) > postWhole {
			return fmt.Errorf("more than %d entries cannot be posted all or none; nothing was posted", postWhole)
		}
	}
	if unread > 0 {
		return fmt.Errorf("%s not be read; nothing was posted", count(unread, "line could", "lines could"))
	}
	outcomes, err := p.db.PostAll(ctx, entries)
	if err != nil {
		return notPosted(all, outcomes, err)
	}
	return p.print(all, outcomes)
}

// notPosted names the line because of which none was posted.
func notPosted(all []entryLine, outcomes []store.Outcome, err error) error {
	i := slices.IndexFunc(outcomes, func(o store.Outcome) bool { return o.Err == err })
	if i < 0 {
		return fmt.Errorf("%w; nothing was posted", err)
	}
	return fmt.Errorf("line %d: %w; nothing was posted", all[i].n, err)
}

// outcomeJSON is what became of an entry, for a program.
type outcomeJSON struct {
	Line     int      `json:"line"`
	ID       string   `json:"id"`
	Status   string   `json:"status"` // posted, repeated or refused
	At       *instant `json:"at,omitempty"`
	PostedAt *instant `json:"postedAt,omitempty"`

	Problem *problemJSON `json:"problem,omitempty"`
}

// problemJSON says why an entry was refused.
type problemJSON struct {
	Type   string `json:"type"` // without the path that /v1 has before it
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"`
}

func formatProblem(err error) *problemJSON {
	p := &problemJSON{Type: problemType(err), Detail: plain(err)}
	if e, is := errors.AsType[*ledger.Error](err); is {
		p.Field = e.Field
	}
	return p
}

// print counts what became of some entries, and says which were refused.
func (p *poster) print(batch []entryLine, outcomes []store.Outcome) error {
	var out bytes.Buffer
	for i, o := range outcomes {
		l := batch[i]
		j := outcomeJSON{Line: l.n, ID: l.entry.ID}
		switch {
		case o.Err != nil:
			j.Status, j.Problem = "refused", formatProblem(o.Err)
			// In the order of lines, however many of them came together.
			if _, err := out.WriteTo(p.env.Stdout); err != nil {
				return err
			}
			if err := p.refuse(l.n, o.Err); err != nil {
				return err
			}
		case o.Repeated:
			p.repeated++
			j.Status = "repeated"
		default:
			p.done++
			j.Status = "posted"
		}
		if o.Err == nil {
			j.At, j.PostedAt = (*instant)(&o.At), (*instant)(&o.PostedAt)
		}
		if p.json {
			if err := writeJSON(&out, j); err != nil {
				return err
			}
		}
		p.meter.add(l.bytes)
	}
	_, err := out.WriteTo(p.env.Stdout)
	return err
}
