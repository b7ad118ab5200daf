package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/softstake/softstake/ledger"
)

// Journal gives visit both sides of every move, from one snapshot: postings, and
// with them rewards and declared totals as the entries they stand for, by bucket,
// day, account, asset, time, entry, move and side. The order is the same in both
// databases. A bucket's lines are sorted in the database.
func (db *DB) Journal(ctx context.Context, visit func(ledger.Posting) error) error {
	begun := false
	err := db.engine.read(ctx, func(t tx) error {
		if begun {
			return errors.New("the database went away in the middle; ask for it again")
		}
		for b := range ledger.Buckets {
			if err := t.query(func(r row) error {
				begun = true
				return visit(ledger.Posting{
					Bucket: b, Account: ledger.Account(r.text(0)), Asset: r.text(1), At: timeOf(r.int(2)), Entry: r.text(3),
					Move: int(r.int(4)), Side: int(r.int(5)), Amount: ledger.Amount(r.int(6)), Other: ledger.Account(r.text(7)), Kind: ledger.Kind(r.text(8)),
				})
			}, `SELECT account, asset, at, entry, move, side, amount, other, kind FROM journal
			     WHERE bucket = $1 ORDER BY day, account, asset, at, entry, move, side`, int64(b)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	return nil
}
