package reports

import (
	"context"
	"errors"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// SourceMoved is by how much parts have changed from a moment on, as another ledger has them: by its events, whenever
// they came, or, of a part that no event was posted to, by anything but what was earned. What it has credited of
// rewards is not among it. So SourceBalances less this is what it had then, but for these rewards. It reads all
// postings from then on.
func (rs *Reports) SourceMoved(ctx context.Context, from time.Time) (map[Part]ledger.Amount, error) {
	return read(ctx, rs, "read what was posted from "+ledger.FormatTime(from)+" on",
		func(t db.View) (map[Part]ledger.Amount, error) {
			moved := map[Part]ledger.Amount{}
			return moved, t.Query(func(r db.Row) error {
				moved[Part{ledger.Account(r.Text(0)), r.Text(1)}] = ledger.Amount(r.Int(2))
				return nil
			}, `SELECT p.account, p.asset, CAST(sum(p.amount) AS bigint) FROM postings p
			     WHERE p.day >= $1 AND p.at >= $2 AND p.kind <> 'compensation' AND substr(p.account, 1, 1) <> '@'
			       AND (p.entry LIKE 'join/%' OR NOT EXISTS (SELECT 1 FROM join_balances j WHERE j.bucket = p.bucket
			            AND j.account = p.account AND j.asset = p.asset))
			     GROUP BY p.account, p.asset`, int64(staking.DayOf(from)), from.UnixMilli())
		})
}

// DayWith is what a day of an account would have earned with other changes of its free balance.
type DayWith struct {
	Reward ledger.Amount // that the day has earned, in smallest units
	Due    ledger.Amount // what it would have earned, if Known
	Known  bool          // false where that depends on others too, as LateEffect.Known, or the books have no such account
}

// DayWith derives it. Changes are by their milliseconds from the begin of the day, below zero: from before it.
func (rs *Reports) DayWith(ctx context.Context, id ledger.Account, d staking.Day, asset string,
	changes []staking.Change) (w DayWith, err error) {
	e, err := rs.Explain(ctx, id, d, asset)
	if errors.Is(err, ledger.ErrNotFound) {
		return w, nil
	}
	if err != nil {
		return w, err
	}
	w.Reward = e.Measured.Reward
	w.Due, w.Known = e.due(changes)
	return w, nil
}
