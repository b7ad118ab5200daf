package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/strictjson"
)

// mostEnrollments is the largest number of accounts in a batch.
const mostEnrollments = 10_000

type enrollmentIn struct {
	Account    string       `json:"account" minLength:"1" maxLength:"128" example:"alice" doc:"The account to switch on."`
	At         *string      `json:"at,omitempty" nullable:"false" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was switched on: a moment of an open day, after the last event of its switch. It earns from the day after. Without it: now."`
	AcceptedAt *string      `json:"acceptedAt,omitempty" nullable:"false" format:"date-time" example:"2026-11-22T09:58:00.000Z" doc:"When its holder accepted the documents: not before they were published, and not after at. Without it no document is accepted here."`
	Accepted   []acceptedIn `json:"accepted,omitempty" nullable:"false" maxItems:"30" doc:"The documents that were accepted. Without it: the current version of each, where acceptedAt is given."`
	Client     *clientIn    `json:"client,omitempty" nullable:"false" doc:"The holder's own client."`
}

type acceptedIn struct {
	Document string `json:"document" maxLength:"40" example:"risk-warning" doc:"Its name."`
	Version  int    `json:"version,omitempty" minimum:"1" maximum:"1000000" example:"2" doc:"Its version. Without it: the current one."`
}

type enrollmentBatchIn struct {
	Enrollments []enrollmentIn `json:"enrollments" minItems:"1" maxItems:"10000" doc:"The accounts, in the order in which they are switched on."`
}

// statusEnrolled is the result of an account that was switched on, beside repeated and refused.
const statusEnrolled = "enrolled"

type enrollmentStatusOut struct {
	Index        int           `json:"index" example:"0" doc:"Its index in the batch, from 0."`
	Account      string        `json:"account" example:"alice" doc:"The account; empty where none could be read."`
	Status       string        `json:"status" enum:"enrolled,repeated,refused" doc:"enrolled: it is switched on, or a document was accepted for one that was on; repeated: all of it was so before; refused: nothing of it is written."`
	MeasuredFrom string        `json:"measuredFrom,omitempty" format:"date" example:"2026-11-23" doc:"The first day that is measured. Absent where it is refused."`
	Problem      *entryProblem `json:"problem,omitempty" doc:"Why it is refused."`
}

type enrollmentBatchOut struct {
	Enrollments []enrollmentStatusOut `json:"enrollments" doc:"The result of each account, in the order of the request."`
}

// curable reports whether an account was refused that may be switched on later.
func (b enrollmentBatchOut) curable() bool {
	return slices.ContainsFunc(b.Enrollments,
		func(e enrollmentStatusOut) bool { return e.Problem != nil && !e.Problem.definite })
}

func (s *server) enrollmentRoutes() {
	change(s, "POST /v1/enrollments", exchange, writer.enrollBatch,
		about("enroll-batch", "Soft Staking", "Switch many accounts on",
			fmt.Sprintf("Switches 1 to %d accounts on, in a body of at most 8 MiB, "+
				"and keeps the documents that their holders have accepted, with the times of that. "+
				"Each account is switched on or refused by itself, for all that `set-activation` and `accept-document` "+
				"refuse, and the answer has the result of each, in the same order. An account that cannot be read, "+
				"because of a value of the wrong type, an unknown field or a field given twice, "+
				"is refused in the same way; only a body that is not JSON, or that is wrong around its accounts, "+
				"is refused as a whole. Of a refused one nothing is written, not even an event of its switch.\n\n"+
				"Repeating has no further effect: a batch whose answer was lost is sent again as it is. Under an "+
				"Idempotency-Key as well: an answer with a refusal that may pass is not kept.", mostEnrollments)),
		takes[enrollmentBatchIn]("The accounts."), upTo(largeBody))
}

func (wr writer) enrollBatch(ctx context.Context, _ *struct{}) (*answer[enrollmentBatchOut], error) {
	texts, err := elements(request(ctx).body, "enrollments", mostEnrollments, &enrollmentBatchIn{})
	if err != nil {
		return nil, err
	}
	n := len(texts)
	out := enrollmentBatchOut{Enrollments: make([]enrollmentStatusOut, n)}
	requests, indexes := make([]store.EnrollRequest, 0, n), make([]int, 0, n)
	for i, text := range texts {
		request, err := wr.readEnrollment(ctx, text, i)
		out.Enrollments[i] = enrollmentStatusOut{Index: i, Account: string(request.Account), Status: statusRefused}
		if err != nil {
			out.Enrollments[i].Problem = wr.rowProblem(ctx, err)
			continue
		}
		requests, indexes = append(requests, request), append(indexes, i)
	}
	outcomes, err := wr.books.EnrollBatch(ctx, requests)
	if err != nil {
		return nil, err
	}
	for i, o := range outcomes {
		row := &out.Enrollments[indexes[i]]
		if o.Err != nil {
			row.Problem = wr.rowProblem(ctx, o.Err)
			continue
		}
		row.Status, row.MeasuredFrom = statusEnrolled, o.Enrollment.From.String()
		if o.Repeated {
			row.Status = statusRepeated
		}
	}
	return say(out, nil)
}

// rowProblem is why a row of a batch is refused.
func (rd reader) rowProblem(ctx context.Context, err error) *entryProblem {
	p := rd.problem(ctx, err)
	return &entryProblem{Type: p.Type, Detail: p.Detail, Field: p.Field, definite: p.definite}
}

// readEnrollment reads the text of a row. Of one that cannot be read it has the account,
// where that can be read.
func (rd reader) readEnrollment(ctx context.Context, text []byte, i int) (store.EnrollRequest, error) {
	var in enrollmentIn
	if err := strictjson.Decode(text, &in); err != nil {
		return store.EnrollRequest{Account: ledger.Account(textIn(text, "account"))},
			unreadable("enrollments", i, false, err)
	}
	return rd.enrollment(ctx, in)
}

// enrollment is a row as the books take it. Its errors are ledger.ErrInvalid, in their field.
func (rd reader) enrollment(ctx context.Context, in enrollmentIn) (r store.EnrollRequest, err error) {
	r = store.EnrollRequest{Account: ledger.Account(in.Account)}
	if r.Client, err = rd.client(ctx, in.Client); err != nil {
		return r, err
	}
	r.Client.NeedCountry = access.CallerOf(ctx).NeedCountry
	if in.At != nil {
		if r.At, err = parseTime(*in.At); err != nil {
			return r, ledger.At("at", err)
		}
	}
	if in.AcceptedAt == nil {
		if len(in.Accepted) > 0 {
			return r, ledger.ErrInvalid.In("acceptedAt", "acceptedAt is missing: when were the documents accepted?")
		}
		return r, nil
	}
	if r.AcceptedAt, err = parseTime(*in.AcceptedAt); err != nil {
		return r, ledger.At("acceptedAt", err)
	}
	for i, d := range in.Accepted {
		if d.Version < 0 {
			return r, ledger.ErrInvalid.In(fmt.Sprintf("accepted[%d].version", i),
				"%d is no version; the first is 1", d.Version)
		}
		r.Accepted = append(r.Accepted, store.DocumentVersion{Name: d.Document, Version: d.Version})
	}
	if in.Accepted == nil {
		for _, name := range staking.DocumentNames {
			r.Accepted = append(r.Accepted, store.DocumentVersion{Name: name})
		}
	}
	return r, nil
}
