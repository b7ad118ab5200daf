package schema

import (
	"context"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// countOutflows counts what has left each account on the days that are open, withdrawn or sent to others and not
// cancelled, and writes it where the books count it from here on. progress gets the number of postings so far.
func countOutflows(ctx context.Context, t db.Tx, progress func(rows int64)) error {
	type left struct {
		account, asset string
		day            int64
		amount         ledger.Amount
	}
	rows := int64(0)
	for bucket := int64(0); bucket < ledger.Buckets; bucket++ {
		var all []left
		err := t.Query(func(r db.Row) error {
			rows++
			last := len(all) - 1
			if last < 0 || all[last].day != r.Int(0) || all[last].account != r.Text(1) || all[last].asset != r.Text(2) {
				all, last = append(all, left{day: r.Int(0), account: r.Text(1), asset: r.Text(2)}), last+1
			}
			all[last].amount = min(all[last].amount-ledger.Amount(r.Int(3)), ledger.MaxSupply)
			return nil
		}, `SELECT p.day, p.account, p.asset, p.amount FROM days d JOIN postings p ON p.bucket = d.bucket AND p.day = d.day
		     WHERE d.bucket = $1 AND d.closed = 0 AND p.amount < 0 AND p.kind IN ('withdrawal-request', 'withdrawal', 'transfer')
		       AND substr(p.account, 1, 1) <> '@' AND p.account NOT LIKE '%/held'
		       AND NOT EXISTS (SELECT 1 FROM endings e WHERE e.bucket = p.bucket AND e.account = p.account AND e.id = p.entry
		                          AND e.kind = 'withdrawal-cancelled')
		     ORDER BY p.day, p.account, p.asset`, bucket)
		if err == nil && len(all) > 0 {
			err = t.Insert("ceilings_used", db.SetOf(all,
				db.Int("bucket", func(left) int64 { return bucket }),
				db.Text("credential", func(l left) string { return l.account }),
				db.Int("day", func(l left) int64 { return l.day }),
				db.Text("measure", func(left) string { return "left the account" }),
				db.Text("asset", func(l left) string { return l.asset }),
				db.Int("used", func(l left) int64 { return int64(l.amount) })))
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		progress(rows)
	}
	return nil
}
