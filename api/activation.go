package api

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/strictjson"
)

// clientIn is a holder's client as an exchange reports it.
type clientIn struct {
	Platform string `json:"platform,omitempty" maxLength:"40" example:"ios" doc:"ios, android or web. Without it: the header X-Client-Platform."`
	Version  string `json:"version,omitempty" maxLength:"40" example:"3.2.0" doc:"Of the app. Without it: the header X-Client-Version."`
	Address  string `json:"address,omitempty" maxLength:"60" example:"192.0.2.7" doc:"The holder's network address, as the exchange saw it."`
	Country  string `json:"country,omitempty" maxLength:"6" example:"DE" doc:"The country that the address lies in, a code that exists in ISO 3166. Where the server is set to need the country, switching on is refused without it."`
}

// client is the client of the holder of a request's account. For a holder's own request
// the address and country are the request's. For an exchange's they are in reported, or
// unknown: its own address says nothing about the holder.
func (rd reader) client(ctx context.Context, reported *clientIn) (staking.Client, error) {
	caller := access.CallerOf(ctx)
	c := staking.Client{Platform: caller.Platform, Version: caller.Version}
	switch {
	case token(ctx).Role == access.Holder && reported != nil:
		return c, ledger.ErrInvalid.In("client", "only an exchange sends its holder's client; leave it out")
	case token(ctx).Role == access.Holder:
		c.Country, c.NeedCountry = staking.Region(caller.Country), caller.NeedCountry
		if caller.Address.IsValid() {
			c.Address = caller.Address.String()
		}
	case reported != nil:
		if err := reported.override(&c); err != nil {
			return c, ledger.At("client", err)
		}
	}
	c.Platform = strings.ToLower(c.Platform) // "iOS" does not pass by the gate for old apps
	return c, nil
}

// override replaces what the request's headers have by what was reported.
func (t clientIn) override(c *staking.Client) error {
	if t.Platform != "" {
		c.Platform, c.Version = t.Platform, t.Version
	}
	if t.Address != "" {
		address, err := netip.ParseAddr(t.Address)
		if err != nil {
			return ledger.ErrInvalid.In("address", "%q is not a network address", ledger.Clip(t.Address))
		}
		c.Address = address.String()
	}
	if t.Country != "" {
		country, err := staking.ParseRegion(t.Country)
		if err != nil {
			return ledger.At("country", err)
		}
		c.Country = country
	}
	return nil
}

type activationOut struct {
	On              bool            `json:"on" doc:"Whether the switch is on."`
	MeasuredFrom    string          `json:"measuredFrom" format:"date" example:"2026-11-23" doc:"The first day that is measured: of the switch that is on, or if it were switched on now."`
	FirstRewardFrom string          `json:"firstRewardFrom" format:"date-time" example:"2026-11-24T00:00:00.000Z" doc:"The reward of that day is credited at the earliest at this time,"`
	FirstRewardBy   string          `json:"firstRewardBy" format:"date-time" example:"2026-11-24T08:00:00.000Z" doc:"and usually by this one."`
	Missing         []missingOut    `json:"missing" doc:"What keeps the switch from being switched on with this client, in the order in which it is looked at. Switching off always works."`
	Enrollments     []enrollmentOut `json:"enrollments" doc:"The times for which it was on, the oldest first."`
}

type missingOut struct {
	What     string `json:"what" enum:"region,unknown-country,update-app,document" doc:"As the type of problem that switching on would be refused with."`
	Document string `json:"document,omitempty" example:"risk-warning" doc:"The document that is to be accepted."`
	Version  int    `json:"version,omitempty" example:"2" doc:"Its current version."`
	Detail   string `json:"detail" doc:"What to do, as a sentence."`
}

type enrollmentOut struct {
	From  string `json:"from" format:"date" example:"2026-11-23" doc:"The first day that earns."`
	Until string `json:"until,omitempty" format:"date" example:"2026-11-30" doc:"The first day that does not. Absent while it is on."`
}

type switchIn struct {
	AccountIn
	Body struct {
		On     bool      `json:"on" doc:"true switches on, false off."`
		Client *clientIn `json:"client,omitempty" doc:"The holder's own client. Only for an exchange that relays its holder; a holder's own client is known from the request."`
	}
}

type switchEventOut struct {
	At      string `json:"at" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When."`
	Action  string `json:"action" example:"on" doc:"on; off; off: and why, where a region or a freeze switched it off; on: and why, where that was undone or the freeze ended; refused: and why."`
	Client  string `json:"client,omitempty" example:"ios 3.2.0" doc:"With what: platform and version."`
	Address string `json:"address,omitempty" example:"192.0.2.7 DE" doc:"From where: address and country, as far as they were known."`
}

type accountPageIn struct {
	AccountIn
	Paging
}

func (s *server) activationRoutes() {
	get(s, "/v1/accounts/{account}/activation", oneHolder, reader.activation,
		about("get-activation", "Soft Staking", "Read the switch",
			"Whether Soft Staking is on, what keeps it from being switched on, and the dates that follow. "+
				"The client is the one that asks: its headers X-Client-Platform and X-Client-Version.", 404))
	change(s, "PUT /v1/accounts/{account}/activation", does("enroll"), writer.setActivation,
		about("set-activation", "Soft Staking", "Switch on or off",
			"One switch for all tokens. It earns from the day after it is switched on until the day before "+
				"it is switched off. On already and off already are a success and change nothing. "+
				"Switching on is refused, in this order, where the product is not offered in the region (451), "+
				"where the country of the request is not known and the operator wants it known (451), "+
				"with a mobile app older than 3.1.0 (403), and before the current version of each document is accepted "+
				"(409). Each change is recorded; what changes nothing or is refused is recorded at most once an hour for "+
				"each account and outcome. An exchange calls it for its holders, with their client.", 404, 409, 451))
	get(s, "/v1/accounts/{account}/activation/events", oneHolder, reader.switchEvents,
		about("list-switch-events", "Soft Staking", "List the events of the switch",
			"The events of the switch, the newest first. What changed nothing and what was refused is among "+
				"them, at most once an hour for each outcome.", 404))
}

// setSwitch switches Soft Staking on or off. Off works for every client. If the operator
// needs the country known, an exchange that relays its holder names it.
func (wr writer) setSwitch(ctx context.Context, in *switchIn) error {
	c, err := wr.client(ctx, in.Body.Client)
	if !in.Body.On {
		return wr.books.Leave(ctx, in.id(), c, time.Time{})
	}
	if err == nil {
		c.NeedCountry = access.CallerOf(ctx).NeedCountry
		_, err = wr.books.Enroll(ctx, in.id(), c, time.Time{})
	}
	if errors.Is(err, staking.ErrUnknownCountry) && token(ctx).Role == access.Exchange {
		return ledger.At("client.country", err)
	}
	return err
}

func (rd reader) activation(ctx context.Context, in *AccountIn) (*answer[activationOut], error) {
	c, err := rd.client(ctx, nil)
	if err != nil {
		return nil, err
	}
	h, err := rd.Holder(ctx, in.id(), c, reports.Eligibility)
	if err != nil {
		return nil, err
	}
	from := h.Running.From
	if !h.On() {
		from = h.Today + 1
	}
	out := activationOut{
		On: h.On(), MeasuredFrom: from.String(),
		FirstRewardFrom: instant(h.Closings.ClosesAt(from)), FirstRewardBy: instant(h.Closings.PaidBy(from)),
		Missing: missingFor(h), Enrollments: make([]enrollmentOut, 0, len(h.Enrollments)),
	}
	for _, e := range h.Enrollments {
		shown := enrollmentOut{From: e.From.String()}
		if e.Until != staking.Forever {
			shown.Until = e.Until.String()
		}
		out.Enrollments = append(out.Enrollments, shown)
	}
	return reply(out, nil)
}

// missingFor is what keeps an account from being switched on.
func missingFor(h reports.Holder) []missingOut {
	missing := []missingOut{}
	if h.Region != nil {
		missing = append(missing, missingOut{What: typeOf(h.Region).name, Detail: detailOf(h.Region)})
	}
	if h.Version != nil {
		missing = append(missing, missingOut{What: "update-app", Detail: detailOf(h.Version)})
	}
	for _, d := range h.Missing {
		missing = append(missing, missingOut{What: "document", Document: d.Name, Version: d.Version,
			Detail: fmt.Sprintf("Accept version %d of %s.", d.Version, d.Name)})
	}
	return missing
}

func (rd reader) switchEvents(ctx context.Context, in *accountPageIn) (*answer[list[switchEventOut]], error) {
	keys := keyset[reports.SwitchEvent, reports.SwitchEvent]{
		2, func(e reports.SwitchEvent) []string { return []string{millis(e.At), e.Action} },
		func(parts []string) (reports.SwitchEvent, error) {
			at, err := moment(parts[0])
			return reports.SwitchEvent{At: at, Action: parts[1]}, err
		},
	}
	return pageOf(in.Paging, keys, func(after *reports.SwitchEvent, limit int) ([]reports.SwitchEvent, error) {
		return rd.LatestSwitchEvents(ctx, in.id(), after, limit)
	}, func(e reports.SwitchEvent) (switchEventOut, error) {
		return switchEventOut{instant(e.At), e.Action, e.Client, e.Address}, nil
	})
}

func (wr writer) setActivation(ctx context.Context, in *switchIn) (*answer[activationOut], error) {
	if err := wr.setSwitch(ctx, in); err != nil {
		return nil, err
	}
	return wr.activation(ctx, &in.AccountIn)
}

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

// retryable reports whether an account was refused that may be switched on later.
func (b enrollmentBatchOut) retryable() bool {
	return slices.ContainsFunc(b.Enrollments, func(e enrollmentStatusOut) bool { return e.Problem.retryable() })
}

func (s *server) enrollmentRoutes() {
	change(s, "POST /v1/enrollments", does("enroll", access.Exchange), writer.enrollBatch,
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
	texts, err := elements(requestOf(ctx).body, "enrollments", mostEnrollments, &enrollmentBatchIn{})
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
	return reply(out, nil)
}

// rowProblem is why a row of a batch is refused.
func (rd reader) rowProblem(ctx context.Context, err error) *entryProblem {
	rd.raise(ctx, err)
	p := rd.problem(ctx, err)
	return &entryProblem{Type: p.Type, Detail: p.Detail, Field: p.Field, permanent: p.permanent}
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
