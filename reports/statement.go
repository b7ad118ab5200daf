package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Line is one line of an account's statement.
type Line struct {
	At      time.Time
	Entry   string
	Kind    ledger.Kind    // of the entry; rewards have the kind "reward"
	Account ledger.Account // the free or the held part
	Asset   string
	Amount  ledger.Amount // signed
	Balance ledger.Amount // of that part, after it
	Other   ledger.Account
}

// lineOf is the line of a posting, without the balance after it.
func lineOf(p ledger.Posting) Line {
	return Line{At: p.At, Entry: p.Entry, Kind: p.Kind, Account: p.Account, Asset: p.Asset, Amount: p.Amount,
		Other: p.Other}
}

// KindReward is the kind of a reward's line in a statement.
const KindReward ledger.Kind = "reward"

// part is the free or the held balance of an account.
type part struct {
	account ledger.Account
	asset   string
}

// Statement gives visit every change of an account's free and held balances on
// some days, both ends inclusive, in order of time. A reward counts from the 00:00
// after its day. Each day is read in a snapshot of its own, and its lines are in
// memory at once; nothing is held while visit works. The balances are those that
// the lines shown come to: what is posted at the same time is among them, or it is not.
func (rs *Reports) Statement(ctx context.Context, id ledger.Account, from, to staking.Day,
	visit func(Line) error) error {
	if _, err := rs.Account(ctx, id); err != nil {
		return err
	}
	last := staking.DayOf(rs.Now()) + 1
	from, to = max(from, rs.FirstDay()), min(to, last)
	running, err := read(ctx, rs, "read the balances of "+string(id), func(t db.View) (map[part]ledger.Amount, error) {
		return balancesAt(t, id, from, last, rs.FirstDay())
	})
	if err != nil {
		return err
	}
	for d := from; d <= to; d++ {
		lines, err := read(ctx, rs, "", func(t db.View) ([]Line, error) { return linesOf(t, id, d) })
		if err != nil {
			return err
		}
		for _, l := range lines {
			p := part{l.Account, l.Asset}
			running[p] += l.Amount
			l.Balance = running[p]
			if err := visit(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// balancesAt counts back from the balances now to those when a day began.
func balancesAt(t db.View, id ledger.Account, from, last, first staking.Day) (map[part]ledger.Amount, error) {
	if from <= first {
		return map[part]ledger.Amount{}, nil
	}
	running, err := balancesNow(t, id)
	for d := last; err == nil && d >= from; d-- {
		err = countBack(t, id, running, d)
	}
	return running, err
}

// balancesNow reads what an account has, free and held.
func balancesNow(t db.View, id ledger.Account) (map[part]ledger.Amount, error) {
	running := map[part]ledger.Amount{}
	return running, t.Query(func(r db.Row) error {
		running[part{ledger.Account(r.Text(0)), r.Text(1)}] = ledger.Amount(r.Int(2))
		return nil
	}, "SELECT account, asset, balance FROM balances WHERE bucket = $1 AND account IN ($2, $3)", int64(id.Bucket()),
		string(id), string(id.Held()))
}

// countBack takes a day's changes off the balances at its end: what is left is the
// balances when it began.
func countBack(t db.View, id ledger.Account, running map[part]ledger.Amount, d staking.Day) error {
	lines, err := linesOf(t, id, d)
	if err != nil {
		return err
	}
	for _, l := range lines {
		running[part{l.Account, l.Asset}] -= l.Amount
	}
	return nil
}

// linesOf reads what changed an account's balances on a day: the rewards of the
// day before, which count from its first moment, and its postings.
func linesOf(t db.View, id ledger.Account, d staking.Day) ([]Line, error) {
	rewards, err := db.All(t, readReward, `SELECT `+rewardColumns+` FROM rewards a
	     WHERE a.bucket = $1 AND a.day = $2 AND a.account = $3 AND a.reward > 0 ORDER BY a.asset`, int64(id.Bucket()), int64(d)-1, string(id))
	if err != nil {
		return nil, fmt.Errorf("read the rewards of %s: %w", id, err)
	}
	lines, err := db.All(t, scan(func(r db.Row) Line { return lineOf(readPosting(r)) }), `SELECT `+postingColumns+` FROM postings p
	     WHERE p.bucket = $1 AND p.day = $2 AND p.account IN ($3, $4) ORDER BY p.account, p.asset, p.at, p.entry, p.move, p.side`,
		int64(id.Bucket()), int64(d), string(id), string(id.Held()))
	if err != nil {
		return nil, fmt.Errorf("read the postings of %s: %w", id, err)
	}
	for i, r := range rewards {
		lines = slices.Insert(lines, i, lineOf(moveOf(r)))
	}
	// What comes in stands first, so that no line of a moment shows less than nothing.
	slices.SortStableFunc(lines, func(a, b Line) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(sign(b.Amount), sign(a.Amount)), cmp.Compare(a.Entry, b.Entry))
	})
	return lines, nil
}

// sign is 1, 0 or −1.
func sign(a ledger.Amount) int { return cmp.Compare(a, 0) }

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
func (rs *Reports) Snapshots(ctx context.Context, id ledger.Account, from, to staking.Day) ([]Snapshot, error) {
	today := staking.DayOf(rs.Now())
	from, to = max(from, rs.FirstDay()), min(to, today-1)
	do := "read the snapshots of " + string(id)
	return listOf(ctx, rs, do, id, func(t db.View, holder store.Account) (snapshots []Snapshot, err error) {
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
		return snapshots, err
	})
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
