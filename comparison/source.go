package comparison

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Reach is how the figures of a source are read that are no file.
type Reach struct {
	Token    string // the bearer token for an endpoint; "": none
	Insecure bool   // connections may be read on their way
}

// Open is how the figures of a source are read, and its name (store.FromLedger …). ledger.ErrInvalid or db.ErrInsecure
// where its addresses cannot be.
func (h Reach) Open(s store.ComparisonSource) (read Theirs, name string, err error) {
	if s.Endpoint != "" {
		e, err := reconcile.ParseEndpoint(s.Endpoint, h.Token, h.Insecure)
		return func(ctx context.Context, day staking.Day, assets map[string]ledger.Asset) (reconcile.Figures, error) {
			return e.Read(ctx, day.Start(), assets)
		}, store.FromEndpoint, annotate(err, "the endpoint")
	}
	q, err := reconcile.ParseQuery(s.Ledger, s.Balances, s.Payouts, h.Insecure)
	return func(ctx context.Context, day staking.Day, assets map[string]ledger.Asset) (reconcile.Figures, error) {
		return q.Read(ctx, (day + 1).Start(), (day - 1).Start(), assets)
	}, store.FromLedger, annotate(err, "the address of the other ledger")
}

func annotate(err error, what string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
