package reports

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Snapshot is what an account has at the end of a day.
type Snapshot struct {
	Day      staking.Day
	Balances []Balance // by asset, without those that are nothing; Earned is zero
}

// Snapshots are an account's at the end of some days that are over, both ends
// inclusive, the oldest first, counted back from the balances now by the journal. A
// reward counts from the 00:00 after its day, and so is in the next day's snapshot.
// Days before the account was opened are left out, up to the first on which it had a
// balance. The cost grows with the days from the first that is wanted until today.
// ErrNotFound if the account was never opened.
func (rs *Reports) Snapshots(ctx context.Context, id ledger.Account, from, to staking.Day) (snapshots []Snapshot,
	err error) {
	if err := id.CheckHolder(); err != nil {
		return nil, err
	}
	today := staking.DayOf(rs.Now())
	from, to = max(from, rs.FirstDay()), min(to, today-1)
	err = rs.Read(ctx, func(t db.View) error {
		snapshots = nil
		holder, err := store.FindAccount(t, id)
		if err != nil {
			return err
		}
		running, err := balancesNow(t, id)
		for d := today + 1; err == nil && d > from; d-- {
			if err = countBack(t, id, running, d); err == nil && d <= to+1 {
				snapshots = append(snapshots, Snapshot{d - 1, balancesOf(running)})
			}
		}
		slices.Reverse(snapshots)
		opened := staking.DayOf(holder.Opened)
		for len(snapshots) > 0 && snapshots[0].Day < opened && len(snapshots[0].Balances) == 0 {
			snapshots = snapshots[1:]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the snapshots of %s: %w", id, err)
	}
	return snapshots, nil
}

// balancesOf are the balances that the parts of an account come to.
func balancesOf(parts map[part]ledger.Amount) []Balance {
	byAsset := map[string]Balance{}
	for p, amount := range parts {
		b := byAsset[p.asset]
		b.Asset = p.asset
		if p.account.IsHeld() {
			b.Held = amount
		} else {
			b.Free = amount
		}
		byAsset[p.asset] = b
	}
	balances := make([]Balance, 0, len(byAsset))
	for _, b := range byAsset {
		if b.Free != 0 || b.Held != 0 {
			balances = append(balances, b)
		}
	}
	slices.SortFunc(balances, func(a, b Balance) int { return strings.Compare(a.Asset, b.Asset) })
	return balances
}
