package reports

import (
	"context"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/staking"
)

// Anchor says how far the records of the days reach, and how far they are signed.
type Anchor struct {
	Recorded staking.Day // the last day that has a record; the day before the first one: none has
	Signed   staking.Day // the last day that a checkpoint covers; the day before the first one: none
	Records  int64       // how many are signed
	Signer   string      // the name of the key; "": nothing is signed
	SignedAt time.Time   // zero: nothing is signed
	Note     string      // the checkpoint, as it is kept elsewhere

	Delivery evidence.Delivery // of the checkpoints to where they are kept
}

// Anchor is the last checkpoint that the books keep. Its signature is not checked here: who can write to the database
// could have put it there. That is what the audit is for, with a checkpoint that is kept elsewhere.
func (rs *Reports) Anchor(ctx context.Context) (Anchor, error) {
	return read(ctx, rs, "read the last checkpoint", func(t db.View) (Anchor, error) {
		before := rs.FirstDay() - 1
		recorded, err := db.Count(t, "SELECT coalesce(max(day), $1) FROM records", int64(before))
		if err != nil {
			return Anchor{}, err
		}
		a, _, err := db.First(t, func(r db.Row) (Anchor, error) {
			return Anchor{Records: r.Int(0), Signer: r.Text(1), Note: r.Text(2), SignedAt: db.TimeOf(r.Int(3))}, nil
		}, "SELECT size, signer, note, signed_at FROM checkpoints ORDER BY size DESC, signer LIMIT 1")
		if err != nil {
			return a, err
		}
		a.Recorded, a.Signed = staking.Day(recorded), before+staking.Day(a.Records)
		a.Delivery, err = evidence.LastDelivery(t)
		return a, err
	})
}
