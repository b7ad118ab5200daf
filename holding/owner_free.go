package holding

import (
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// OthersFree is what the other accounts of an owner have free now, by token: of those whose Soft
// Staking is on, without what another product has today. It reads each account that the owner ever had.
func OthersFree(t db.View, owner string, id ledger.Account, today staking.Day) (map[string]ledger.Amount, error) {
	free := map[string]ledger.Amount{}
	accounts, err := accountsOf(t, owner, today)
	if err != nil || len(accounts) == 0 {
		return free, err
	}
	err = t.QuerySet(func(r db.Row) (err error) {
		if ledger.Account(r.Text(0)) != id {
			free[r.Text(1)], err = free[r.Text(1)].Add(ledger.Amount(r.Int(2)))
		}
		return err
	}, `SELECT b.account, b.asset, b.balance FROM {rows} JOIN balances b ON b.bucket = r.bucket AND b.account = r.account AND b.balance > 0
	       AND EXISTS (SELECT 1 FROM enrollments e WHERE e.bucket = b.bucket AND e.account = b.account
	                      AND e.until_day > r.day AND e.from_day < e.until_day)
	       AND NOT EXISTS (SELECT 1 FROM exclusions x WHERE x.bucket = b.bucket AND x.account = b.account
	                          AND (x.asset = '' OR x.asset = b.asset) AND x.from_day <= r.day AND x.until_day > r.day)`,
		accountKeys(accounts, today))
	if err != nil {
		return nil, fmt.Errorf("read what an owner's accounts have: %w", err)
	}
	return free, nil
}

// accountsOf are the accounts that an owner has on a day, in no order.
func accountsOf(t db.View, owner string, d staking.Day) (all []ledger.Account, err error) {
	ever, err := db.All(t, db.TextOf, "SELECT DISTINCT account FROM owners WHERE owner = $1 AND from_day <= $2", owner,
		int64(d))
	if err != nil || len(ever) < 2 {
		return nil, err
	}
	ids := make([]ledger.Account, len(ever))
	for i, account := range ever {
		ids[i] = ledger.Account(account)
	}
	current := map[ledger.Account]string{}
	err = t.QuerySet(func(r db.Row) error { current[ledger.Account(r.Text(0))] = r.Text(1); return nil },
		`SELECT o.account, o.owner FROM {rows} JOIN owners o ON o.bucket = r.bucket AND o.account = r.account AND o.from_day <= r.day
		  ORDER BY o.account, o.from_day, o.revision`, accountKeys(ids, d))
	for _, id := range ids {
		if current[id] == owner {
			all = append(all, id)
		}
	}
	return all, err
}

// accountKeys are the keys of accounts on a day.
func accountKeys(accounts []ledger.Account, d staking.Day) db.Set {
	return db.SetOf(accounts,
		db.Int("bucket", func(a ledger.Account) int64 { return int64(a.Bucket()) }),
		db.Text("account", func(a ledger.Account) string { return string(a) }),
		db.Int("day", func(ledger.Account) int64 { return int64(d) }))
}
