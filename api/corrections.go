package api

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// mostAdjustments is the largest number of corrections in a batch.
const mostAdjustments = 1000

// correctionRoutes are those that correct what was, beside a single adjustment.
func (s *server) correctionRoutes() {
	change(s, "POST /v1/adjustments/batches", does(control.Adjust), writer.postAdjustments,
		about("post-adjustments", "Entries", "Post many corrections",
			fmt.Sprintf("Posts 1 to %d corrections in their order, each with its reason. "+
				"Each is posted or refused by itself, and the answer has the result of each, in the same order; "+
				"one that cannot be read is refused in the same way, and only a body that is not JSON, "+
				"or that is wrong around its corrections, is refused as a whole. With `atomic` all are posted or none: "+
				"then a refusal is the answer, with the problem of the first refused one and its path in `field`. "+
				"Repeating has no further effect.", mostAdjustments), 404, 409),
		takes[adjustmentsIn]("The corrections."), upTo(largeBody))
	change(s, "POST /v1/compensations", does(control.Compensate), writer.compensate,
		about("compensate", "Entries", "Make a reward good",
			"Moves an amount from @rewards to an account, now, for its reward of a day that is paid: "+
				"such a day never changes, and an entry that came too late for it may have changed what it earned. "+
				"Its entry is `compensation/DAY/TOKEN/ACCOUNT/NAME`. It is no reward, "+
				"and not part of what the account has earned; the explanation of the reward lists it. "+
				"Repeating a name with the same amount has no further effect.", 404, 409),
		created[entryOut]("It was posted before: the answer of the first time."))
}

type reasonedIn struct {
	ID     string   `json:"id" minLength:"1" maxLength:"128" example:"fix-1" doc:"Your name for the correction; it must be unique."`
	Moves  []moveIn `json:"moves" minItems:"1" maxItems:"100" doc:"Between holders, what is held, @custody and @desk."`
	Reason string   `json:"reason" minLength:"1" maxLength:"200" example:"deposit 4711 was missed" doc:"Why; it is kept in the log, with who made the correction."`
}

func (wr writer) postAdjustment(ctx context.Context, in *struct{ Body reasonedIn }) (*posted, error) {
	e, err := wr.entry(ctx, entryIn{ID: in.Body.ID, Kind: string(ledger.Adjustment), Moves: in.Body.Moves})
	if err != nil {
		return nil, err
	}
	o, err := wr.books.Adjust(ctx, e, in.Body.Reason)
	return showPosted(e.ID, o, err)
}

type adjustmentsIn struct {
	Adjustments []reasonedIn `json:"adjustments" minItems:"1" maxItems:"1000" doc:"The corrections, in the order in which they are posted."`
	Atomic      bool         `json:"atomic,omitempty" doc:"Post all of them, or none."`
}

func (wr writer) postAdjustments(ctx context.Context, _ *struct{}) (*answer[batchOut], error) {
	var in adjustmentsIn
	texts, err := elements(requestOf(ctx).body, "adjustments", mostAdjustments, &in)
	if err != nil {
		return nil, err
	}
	b := newBatch(wr, "adjustments", texts, in.Atomic)
	reasons := make([]string, len(texts))
	err = b.read(ctx, func(ctx context.Context, i int) (e ledger.Entry, err error) {
		e, reasons[i], err = b.correction(ctx, i)
		return e, err
	})
	if err != nil {
		return nil, err
	}
	corrections := make([]store.ReasonedEntry, len(b.entries))
	for i, e := range b.entries {
		corrections[i] = store.ReasonedEntry{Entry: e, Reason: reasons[b.indexes[i]]}
	}
	outcomes, err := wr.books.AdjustAll(ctx, corrections, b.atomic)
	if err := b.posted(outcomes, err); err != nil {
		return nil, err
	}
	return reply(b.show(ctx), nil)
}

// correction reads one of the entries as a correction, with its reason.
func (b *batch) correction(ctx context.Context, i int) (e ledger.Entry, reason string, err error) {
	var in reasonedIn
	if err := b.decode(i, &in); err != nil {
		return e, "", err
	}
	b.ids[i] = in.ID
	if err := store.CheckReason(in.Reason); err != nil {
		return e, "", ledger.At("reason", err)
	}
	e, err = b.writer.entry(ctx, entryIn{ID: in.ID, Kind: string(ledger.Adjustment), Moves: in.Moves})
	return e, in.Reason, err
}

type compensationOut struct {
	Entry  string `json:"entry" example:"compensation/2026-11-21/BNB/alice/d-4711" doc:"ID of the entry, which names the day and the token."`
	Amount string `json:"amount" example:"0.00061644" doc:"How much, in whole tokens."`
	At     string `json:"at" format:"date-time" example:"2026-11-23T10:00:00.000Z" doc:"When it was credited."`
}

type compensateIn struct {
	Body struct {
		Account string `json:"account" maxLength:"128" example:"alice" doc:"Whose reward it was."`
		Day     string `json:"day" format:"date" example:"2026-11-21" doc:"The day that the reward was for. It is paid."`
		Asset   string `json:"asset" maxLength:"20" example:"BNB" doc:"The reward's token, and the compensation's."`
		Amount  string `json:"amount" maxLength:"40" example:"0.00061644" doc:"How much, in whole tokens."`
		Name    string `json:"name" minLength:"1" maxLength:"64" example:"d-4711" doc:"Distinguishes the compensations of one reward: A-Z a-z 0-9 . _ : and -."`
		Reason  string `json:"reason" minLength:"1" maxLength:"200" example:"deposit 4711 came late" doc:"Why; it is kept in the log."`
	}
}

func (wr writer) compensate(ctx context.Context, in *compensateIn) (*posted, error) {
	b := in.Body
	day, err := staking.ParseDay(b.Day)
	if err != nil {
		return nil, ledger.At("day", err)
	}
	asset, err := wr.Asset(ctx, b.Asset)
	if err != nil {
		return nil, ledger.At("asset", err)
	}
	amount, err := asset.Parse(b.Amount)
	if err != nil {
		return nil, ledger.At("amount", err)
	}
	id := ledger.Account(b.Account)
	if err := id.CheckHolder(); err != nil {
		return nil, ledger.At("account", err)
	}
	o, err := wr.books.Compensate(ctx,
		store.Compensation{Account: id, Day: day, Asset: b.Asset, Name: b.Name, Amount: amount}, b.Reason)
	return showPosted(ledger.CompensationID(day.String(), b.Asset, id, b.Name), o, err)
}

type reconciliationOut struct {
	Entry    string `json:"entry" example:"w-4711" doc:"The entry that was accepted as authoritative."`
	Account  string `json:"account" example:"alice" doc:"Account whose balance was below zero: the free part, or what is held of it (alice/held)."`
	Asset    string `json:"asset" example:"BNB" doc:"Symbol."`
	At       string `json:"at" format:"date-time" example:"2026-11-22T08:00:00.000Z" doc:"The entry's time: from here on the balance may be below zero."`
	Until    string `json:"until" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"The first moment at which it is not below zero any more, as it was when the entry was posted."`
	Lowest   string `json:"lowest" example:"-0.5" doc:"The lowest balance in between, as it was when the entry was posted."`
	Flagged  string `json:"flagged" format:"date-time" example:"2026-11-22T11:00:00.000Z" doc:"When the entry was posted."`
	Resolved string `json:"resolved,omitempty" format:"date-time" example:"2026-11-23T10:00:00.000Z" doc:"When it was resolved. Absent: it is not."`
	Reason   string `json:"reason,omitempty" example:"the deposit was credited late" doc:"Why it is resolved."`
}

// reconciliationRoutes are those of authoritative entries that left a balance below zero.
func (s *server) reconciliationRoutes() {
	get(s, "/v1/reconciliation", allHolders, reader.reconciliations,
		about("list-reconciliation", "Entries", "List what is to be reconciled",
			"The balances that authoritative entries left below zero for a time, "+
				"in the order of their posting: what to compare with the ledger that decided the entries. "+
				"Such a time counts against the day's average, and a day whose average is below zero earns nothing."))
	change(s, "POST /v1/reconciliation/resolutions", does("reconciliation resolve"), writer.resolve,
		about("resolve-reconciliation", "Entries", "Resolve an entry",
			"Records that an entry was reconciled, and why, with who did it. The balances stay as they are: "+
				"what is wrong in them is corrected by an adjustment. Repeating has no further effect.", 404))
}

type reconciliationsIn struct {
	Paging
	State string `query:"state" enum:"open,all" default:"open" doc:"open: those that are not resolved."`
}

func (rd reader) reconciliations(ctx context.Context, in *reconciliationsIn) (*answer[list[reconciliationOut]], error) {
	keys := keyset[reports.Reconciliation, reports.Reconciliation]{
		4, func(r reports.Reconciliation) []string {
			return []string{millis(r.Flagged), r.Entry, string(r.Account), r.Asset}
		},
		func(parts []string) (reports.Reconciliation, error) {
			at, err := moment(parts[0])
			return reports.Reconciliation{
				Flagged: at, Entry: parts[1], Account: ledger.Account(parts[2]), Asset: parts[3],
			}, err
		},
	}
	return pageOf(in.Paging, keys, func(after *reports.Reconciliation, limit int) ([]reports.Reconciliation, error) {
		return rd.Reconciliations(ctx, orZero(after), in.State != "all", limit)
	}, func(r reports.Reconciliation) (reconciliationOut, error) {
		asset, err := rd.Asset(ctx, r.Asset)
		return reconciliationOut{
			Entry: r.Entry, Account: string(r.Account), Asset: r.Asset, At: instant(r.At), Until: instant(r.Until),
			Lowest: asset.Format(r.Lowest), Flagged: instant(r.Flagged), Resolved: instantIf(r.Resolved),
			Reason: r.Reason,
		}, err
	})
}

type resolveIn struct {
	Body struct {
		Entry  string `json:"entry" minLength:"1" maxLength:"168" example:"w-4711" doc:"The entry."`
		Reason string `json:"reason" minLength:"1" maxLength:"200" example:"the deposit was credited late" doc:"Why; it is kept in the log."`
	}
}

type resolvedOut struct {
	Entry    string `json:"entry" example:"w-4711" doc:"The entry."`
	Repeated bool   `json:"repeated" doc:"Whether it was resolved before."`
}

func (wr writer) resolve(ctx context.Context, in *resolveIn) (*answer[resolvedOut], error) {
	repeated, err := wr.books.Resolve(ctx, in.Body.Entry, in.Body.Reason)
	return reply(resolvedOut{in.Body.Entry, repeated}, err)
}
