package reports

import (
	"fmt"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// sharedSince are the owners with several accounts, and the first day on which they had.
func sharedSince(t db.View) (map[string]staking.Day, error) {
	shared := map[string]staking.Day{}
	owner, accounts := "", 0
	err := t.Query(func(r db.Row) error {
		if r.Text(0) != owner {
			owner, accounts = r.Text(0), 0
		}
		if accounts++; accounts == 2 {
			shared[owner] = staking.Day(r.Int(1))
		}
		return nil
	}, `SELECT owner, min(from_day) AS since FROM owners WHERE owner <> '' GROUP BY owner, account ORDER BY owner, since`)
	if err != nil {
		return nil, fmt.Errorf("read who has several accounts: %w", err)
	}
	return shared, nil
}

func groupings(t db.View) ([]audit.Grouping, error) {
	return db.All(t, scan(func(r db.Row) audit.Grouping {
		return audit.Grouping{Key: keyOf(r), Owners: r.Int(2),
			Others: r.Int(3)}
	}),
		"SELECT day, asset, owners, others FROM groupings")
}

func (a auditedBucket) Owners(s audit.Span, visit func(audit.Ownership)) error {
	return a.of("owners", "the owners", func(r db.Row) {
		visit(audit.Ownership{Account: ledger.Account(r.Text(0)), From: staking.Day(r.Int(1)), Owner: r.Text(2)})
	}, "SELECT account, from_day, owner FROM owners WHERE bucket = $1 AND account > $2 AND account <= $3 "+
		"ORDER BY account, from_day, revision", string(s.After), string(s.Through))
}

func (a auditedBucket) OwnerSums(d staking.Day, owners []string, visit func(*audit.OwnerSum)) error {
	asked := db.SetOf(owners,
		db.Int("bucket", func(owner string) int64 { return int64(holding.OwnerBucket(owner)) }),
		db.Int("day", func(string) int64 { return int64(d) }),
		db.Text("owner", func(owner string) string { return owner }))
	for _, sums := range ownerSumTables {
		err := a.t.QuerySet(func(r db.Row) error { visit(sums.read(r)); return nil },
			`SELECT s.day, s.asset, s.owner, s.accounts, s.integral
			   FROM {rows} JOIN `+sums.table+` s ON s.bucket = r.bucket AND s.day = r.day AND s.owner = r.owner`, asked)
		if err != nil {
			return fmt.Errorf("read what owners held on %s: %w", d, err)
		}
	}
	return nil
}

func (a auditedBucket) Sums(visit func(*audit.OwnerSum)) error {
	for _, sums := range ownerSumTables {
		if err := a.of(sums.table, "what owners held", func(r db.Row) { visit(sums.read(r)) },
			"SELECT day, asset, owner, accounts, integral FROM "+sums.table+" WHERE bucket = $1"); err != nil {
			return err
		}
	}
	return nil
}

// ownerSumTable is a table of what owners held: by the measure of the terms, or the other.
type ownerSumTable struct {
	table string
	other bool
}

var ownerSumTables = [...]ownerSumTable{{"owner_sums", false}, {"campaign_owner_sums", true}}

func (s ownerSumTable) read(r db.Row) *audit.OwnerSum {
	return &audit.OwnerSum{Key: keyOf(r), Owner: r.Text(2), Accounts: r.Int(3), Integral: r.Text(4), Other: s.other}
}
