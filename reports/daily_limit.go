package reports

import (
	"context"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// DailyLimits are how much of each token may leave an account on a day (UTC), where there is a limit or will be one,
// with what has left it today. ledger.ErrNotFound if the account was never opened.
func (rs *Reports) DailyLimits(ctx context.Context, id ledger.Account) (map[string]store.DailyLimit, error) {
	assets, err := rs.Assets(ctx)
	if err != nil {
		return nil, err
	}
	symbols := make([]string, len(assets))
	for i, a := range assets {
		symbols[i] = a.Symbol
	}
	return read(ctx, rs, "read daily limits", func(t db.View) (map[string]store.DailyLimit, error) {
		if _, err := store.FindAccount(t, id); err != nil {
			return nil, err
		}
		return store.DailyLimits(t, id, rs.Now(), symbols)
	})
}
