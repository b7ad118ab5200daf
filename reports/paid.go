package reports

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// paidPage is how many rewards of a batch are in memory at once.
const paidPage = 4096

// PaidRewards gives visit the rewards of a batch that are above zero, by account; or an
// account's alone, which is one read by key: account "" is all. visit may take its time:
// no transaction is open while it is called.
func (rs *Reports) PaidRewards(ctx context.Context, b outbox.PaidBatch, account ledger.Account,
	visit func(staking.Accrual) error) error {
	which, from := "a.account = $4", account
	if account == "" {
		which = "a.account > $4"
	}
	for {
		var page []staking.Accrual
		err := rs.Read(ctx, func(t db.View) (err error) {
			page, err = db.All(t, func(r db.Row) (staking.Accrual, error) { return store.ReadAccrual(r), nil }, "SELECT "+
				store.AccrualColumns+" FROM accruals a WHERE a.bucket = $1 AND a.day = $2 AND a.asset = $3 AND a.reward > 0 AND "+
				which+" ORDER BY a.account LIMIT $5",
				int64(b.Bucket), int64(b.Day), b.Asset, string(from), int64(paidPage))
			return err
		})
		if err != nil {
			return fmt.Errorf("read the rewards of %s of %s: %w", b.Asset, b.Day, err)
		}
		if err := every(visit)(page); err != nil {
			return err
		}
		if account != "" || len(page) < paidPage {
			return nil
		}
		from = page[len(page)-1].Account
	}
}
