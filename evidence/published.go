package evidence

import (
	"context"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Published is what everybody may read of a day: the roots in its record, and how many records the first checkpoint is
// of that has it; 0: it is not signed yet.
type Published struct {
	Record
	Signed int64
}

// Published are the days that have a record and are before one, the newest first, at most limit.
func (r Reader) Published(ctx context.Context, before staking.Day, limit int) (days []Published, err error) {
	err = r.read(ctx, func(t db.View) (err error) {
		days, err = db.All(t, func(r db.Row) (p Published, err error) {
			p.Signed = r.Int(1)
			p.Record, err = ParseRecord(r.Text(0))
			return p, err
		}, `SELECT body, coalesce((SELECT min(size) FROM checkpoints WHERE size > day - $1), 0)
		      FROM records WHERE day < $2 ORDER BY day DESC LIMIT $3`, int64(r.first), int64(before), int64(limit))
		return err
	})
	return days, annotate(err, "read what is published")
}

// Texts are the record of a day and the first checkpoint that has it: without the way from one to the other, and so
// without a look at all records. Its errors are those of Signed.
func (r Reader) Texts(ctx context.Context, d staking.Day) (record, checkpoint string, err error) {
	var found bool
	err = r.read(ctx, func(t db.View) (err error) {
		record, found, err = db.First(t, db.TextOf, "SELECT body FROM records WHERE day = $1", int64(d))
		return err
	})
	if err == nil && !found {
		err = ledger.ErrNotFound.In("day", "%s has no record yet", d).Because(ReasonNoRecords)
	}
	if err == nil {
		checkpoint, _, err = r.signedWith(ctx, int64(d-r.first))
	}
	return record, checkpoint, annotate(err, "read the record of %s", d)
}
