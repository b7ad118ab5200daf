package api

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

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
	get(s, "/v1/reconciliation", staff, reader.reconciliations,
		about("list-reconciliation", "Entries", "List what is to be reconciled",
			"The balances that authoritative entries left below zero for a time, "+
				"in the order of their posting: what to compare with the ledger that decided the entries. "+
				"Such a time counts against the day's average, and a day whose average is below zero earns nothing."))
	change(s, "POST /v1/reconciliation/resolutions", operators, writer.resolve,
		about("resolve-reconciliation", "Entries", "Resolve an entry",
			"Records that an entry was reconciled, and why, with who did it. The balances stay as they are: "+
				"what is wrong in them is corrected by an adjustment. Repeating has no further effect.", 404))
}

type reconciliationsIn struct {
	Paging
	State string `query:"state" enum:"open,all" default:"open" doc:"open: those that are not resolved."`
}

func (rd reader) reconciliations(ctx context.Context, in *reconciliationsIn) (*answer[list[reconciliationOut]], error) {
	keys := keyset[store.Reconciliation, store.Reconciliation]{
		4, func(r store.Reconciliation) []string {
			return []string{millis(r.Flagged), r.Entry, string(r.Account), r.Asset}
		},
		func(parts []string) (store.Reconciliation, error) {
			at, err := moment(parts[0])
			return store.Reconciliation{
				Flagged: at, Entry: parts[1], Account: ledger.Account(parts[2]), Asset: parts[3],
			}, err
		},
	}
	return pageOf(in.Paging, keys, func(after *store.Reconciliation, limit int) ([]store.Reconciliation, error) {
		return rd.Reconciliations(ctx, orZero(after), in.State != "all", limit)
	}, func(r store.Reconciliation) (reconciliationOut, error) {
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
	return say(resolvedOut{in.Body.Entry, repeated}, err)
}
