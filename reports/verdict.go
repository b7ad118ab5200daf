package reports

import (
	"context"
	"errors"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Limits are those that are set, by token.
func (rs *Reports) Limits(ctx context.Context) ([]staking.Limit, error) {
	return list(ctx, rs, "read the limits", store.ReadLimit,
		"SELECT "+store.LimitColumns+" FROM limits "+
			"WHERE number = (SELECT max(l.number) FROM limits l WHERE l.asset = limits.asset) "+
			"AND (max_total > 0 OR max_change > 0 OR max_withdrawal > 0 OR max_apr > 0 OR max_inflow > 0) ORDER BY asset")
}

// MissingLimits are the limits of a token that are not set.
type MissingLimits struct {
	Asset  string
	Limits []string // as staking.Limit.Missing names them; at least one
}

// MissingLimits are the limits that are not set, by token; those of tokens of earlier versions, for instance, to which
// an upgrade adds none.
func (rs *Reports) MissingLimits(ctx context.Context) (missing []MissingLimits, err error) {
	fourEyes, err := rs.FourEyes(ctx)
	if err != nil {
		return nil, err
	}
	all, err := list(ctx, rs, "read which limits are missing", store.ReadLimit, `
		SELECT a.symbol, coalesce(max_total, 0), coalesce(max_change, 0), coalesce(max_withdrawal, 0), coalesce(max_apr, 0),
		       coalesce(max_inflow, 0)
		  FROM assets a LEFT JOIN limits l
		    ON l.asset = a.symbol AND l.number = (SELECT max(n.number) FROM limits n WHERE n.asset = a.symbol)
		 ORDER BY a.symbol`)
	for _, l := range all {
		if names := l.Missing(fourEyes); names != nil {
			missing = append(missing, MissingLimits{l.Asset, names})
		}
	}
	return missing, err
}

// LimitHistory are the limits of all tokens as they were set, those of each token together, the newest first.
func (rs *Reports) LimitHistory(ctx context.Context) ([]store.LimitRevision, error) {
	return list(ctx, rs, "read when limits were set", store.ReadLimitRevision,
		"SELECT "+store.LimitRevisionColumns+" FROM limits ORDER BY asset, number DESC")
}

// verdict is why a day's total needs approval, waits for what another ledger says, or would wait for funds:
// staking.ErrLimit, ErrBreak, ErrFunds, or ErrUndivided, or nil. change is by how much the day changes what holders
// carry.
func (rs *Reports) verdict(t db.View, d staking.Day, token string, total ledger.Amount,
	change staking.Exact) (waits, err error) {
	asset, err := store.FindAsset(t, token)
	if err != nil {
		return nil, err
	}
	if err = store.CheckBreak(t, asset); err == nil {
		err = store.CheckLimit(t, d, asset, total)
	}
	if err == nil {
		var pool, reserved ledger.Amount
		if pool, reserved, err = store.Available(t, d, token, change); err == nil && total > 0 {
			err = store.ShortOfFunds(asset, pool, reserved, total)
		}
	}
	if staking.IsWaiting(err) {
		return err, nil
	}
	return nil, err
}

// waiting is why a token's oldest unpaid day needs approval or waits for funds, or nil: it is
// accrued everywhere and not declared. A day whose income cannot be divided waits before that.
func (rs *Reports) waiting(t db.View, token string, d staking.Day) (waits, err error) {
	if declared, err := store.Declared(t, d, token); err != nil || declared {
		return nil, err
	}
	_, err = holding.Distributions(t, d, token)
	var accrued store.Accrued
	if err == nil {
		accrued, err = store.AccruedOf(t, d, token)
	}
	if errors.Is(err, staking.ErrUndivided) {
		return err, nil
	}
	if err != nil || accrued.Left > 0 {
		return nil, err
	}
	if waits, err = rs.verdict(t, d, token, accrued.Total, accrued.Carried); waits != nil || err != nil {
		return waits, err
	}
	asset, err := store.FindAsset(t, token)
	if err == nil {
		err = store.CheckCompared(t, d, asset)
	}
	if staking.IsWaiting(err) {
		return err, nil
	}
	return nil, err
}
