package reports

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// Reconciliations are the next after one, of which Flagged, Entry, Account and Asset
// count, in the order of their posting, at most limit; the zero one is before all. With
// open they are those that are not resolved.
func (rs *Reports) Reconciliations(ctx context.Context, after store.Reconciliation, open bool,
	limit int) (found []store.Reconciliation, err error) {
	most := int64(1 << 62)
	if open {
		most = 0
	}
	err = rs.Read(ctx, func(t db.View) (err error) {
		found, err = db.All(t, readReconciliation, `SELECT entry, account, asset, at, until, lowest, flagged, resolved, reason FROM reconciliations
		     WHERE (flagged, entry, account, asset) > ($1, $2, $3, $4) AND resolved <= $5 ORDER BY flagged, entry, account, asset LIMIT $6`,
			db.MillisOf(after.Flagged), after.Entry, string(after.Account), after.Asset, most, int64(max(limit, 0)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the reconciliations: %w", err)
	}
	return found, nil
}

func readReconciliation(r db.Row) (store.Reconciliation, error) {
	return store.Reconciliation{
		Entry: r.Text(0), Account: ledger.Account(r.Text(1)), Asset: r.Text(2), At: db.TimeOf(r.Int(3)),
		Until:  db.TimeOf(r.Int(4)),
		Lowest: ledger.Amount(r.Int(5)), Flagged: db.TimeOf(r.Int(6)), Resolved: db.TimeOrZero(r.Int(7)), Reason: r.Text(8),
	}, nil
}
