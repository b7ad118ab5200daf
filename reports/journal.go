package reports

import (
	"context"
	"errors"
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// postingColumns are what readPosting reads of the postings or of the journal, which are called p.
const postingColumns = "p.account, p.asset, p.at, p.entry, p.move, p.side, p.amount, p.other, p.kind"

// readPosting reads a posting, but for its bucket.
func readPosting(r db.Row) ledger.Posting {
	return ledger.Posting{
		Account: ledger.Account(r.Text(0)), Asset: r.Text(1), At: db.TimeOf(r.Int(2)), Entry: r.Text(3), Move: int(r.Int(4)),
		Side:   int(r.Int(5)),
		Amount: ledger.Amount(r.Int(6)), Other: ledger.Account(r.Text(7)), Kind: ledger.Kind(r.Text(8)),
	}
}

// Journal gives visit both sides of every move, from one snapshot: postings, and
// with them rewards and declared totals as the entries they stand for, by bucket,
// day, account, asset, time, entry, move and side. The order is the same in both
// databases. A bucket's lines are sorted in the database.
func (rs *Reports) Journal(ctx context.Context, visit func(ledger.Posting) error) error {
	begun := false
	err := rs.Read(ctx, func(t db.View) error {
		if begun {
			return errors.New("the database went away in the middle; ask for it again")
		}
		for b := range ledger.Buckets {
			if err := t.Query(func(r db.Row) error {
				begun = true
				p := readPosting(r)
				p.Bucket = b
				return visit(p)
			}, "SELECT "+postingColumns+" FROM journal p WHERE p.bucket = $1 ORDER BY p.day, p.account, p.asset, p.at, "+
				"p.entry, p.move, p.side", int64(b)); err != nil {
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
