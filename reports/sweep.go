package reports

import (
	"context"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// FirstOpen is the first day that still takes entries.
func (rs *Reports) FirstOpen(ctx context.Context) (staking.Day, error) {
	return read(ctx, rs, "", rs.FirstOpenAt)
}

// SweepOf is what is still to come of an account that is being swept, or false. It
// moves nothing.
func (rs *Reports) SweepOf(ctx context.Context, id ledger.Account) (store.Sweep, bool, error) {
	s, err := read(ctx, rs, "", func(t db.View) (store.Sweep, error) { return store.SweepOf(t, rs.Guard(), id) })
	return s, s.Target != "", err
}
