package store

import (
	"context"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Label is a word of the operator for an account, such as "vip", on some days.
type Label struct {
	Account ledger.Account
	Name    string
	From    staking.Day // in UTC
	Until   staking.Day // the first day on which it does not hold any more; staking.Forever: none
}

// LabelColumns are what ReadLabel reads.
const LabelColumns = "account, label, from_day, until_day"

// ReadLabel reads a row whose first columns are LabelColumns. It is a row function of db.All, and never fails.
func ReadLabel(r db.Row) (Label, error) {
	return Label{ledger.Account(r.Text(0)), r.Text(1), staking.Day(r.Int(2)), staking.Day(r.Int(3))}, nil
}

// AddLabel gives an account a label from a day on, at the earliest tomorrow (UTC); zero is
// tomorrow. It holds until it is removed. Repeating has no further effect, and answers
// repeated. Its errors are those of SetOwner.
func (b *DB) AddLabel(ctx context.Context, id ledger.Account, label string,
	from staking.Day) (l Label, repeated bool, err error) {
	if err := ledger.At("label", staking.CheckLabel(label)); err != nil {
		return l, false, err
	}
	err = b.changeFrom(ctx, id, &from, func(t db.Tx) error {
		var err error
		if l, repeated, err = labelOn(t, id, label, from); err != nil || repeated && l.Until == staking.Forever {
			return err
		}
		before, extends, err := labelOn(t, id, label, from-1)
		if err != nil {
			return err
		}
		l, repeated = Label{Account: id, Name: label, From: from, Until: staking.Forever}, false
		if extends { // it was to end on that day, or later
			l.From = before.From
		}
		// What is set for days to come gives way to the one that begins before it.
		if _, err := t.Exec("DELETE FROM labels WHERE bucket = $1 AND account = $2 AND label = $3 AND from_day >= $4",
			int64(id.Bucket()), string(id), label, int64(from)); err != nil {
			return err
		}
		if err := b.writeLabel(t, l); err != nil {
			return err
		}
		return b.logLine(t, "label add", string(id), label+" from "+from.String())
	})
	return l, repeated, annotate(err, "label %s", id)
}

// RemoveLabel takes a label off an account from a day on, at the earliest tomorrow (UTC);
// zero is tomorrow. Repeating has no further effect, and answers repeated, as for a label
// that the account does not have. Its errors are those of SetOwner.
func (b *DB) RemoveLabel(ctx context.Context, id ledger.Account, label string,
	from staking.Day) (day staking.Day, repeated bool, err error) {
	if err := ledger.At("label", staking.CheckLabel(label)); err != nil {
		return 0, false, err
	}
	err = b.changeFrom(ctx, id, &from, func(t db.Tx) error {
		ended, err := t.Exec("UPDATE labels SET until_day = $1 WHERE bucket = $2 AND account = $3 AND label = $4 AND "+
			"from_day < $1 AND until_day > $1", int64(from), int64(id.Bucket()), string(id), label)
		if err != nil {
			return err
		}
		removed, err := t.Exec("DELETE FROM labels WHERE bucket = $1 AND account = $2 AND label = $3 AND from_day >= $4",
			int64(id.Bucket()), string(id), label, int64(from))
		if repeated = ended+removed == 0; err != nil || repeated {
			return err
		}
		return b.logLine(t, "label remove", string(id), label+" from "+from.String())
	})
	return from, repeated, annotate(err, "remove a label of %s", id)
}

// labelOn is a label of an account that holds on a day.
func labelOn(t db.View, id ledger.Account, label string, d staking.Day) (Label, bool, error) {
	return db.First(t, ReadLabel, "SELECT "+LabelColumns+" FROM labels WHERE bucket = $1 AND account = $2 AND "+
		"label = $3 AND from_day <= $4 AND until_day > $4", int64(id.Bucket()), string(id), label, int64(d))
}

func (b *DB) writeLabel(t db.Tx, l Label) error {
	_, err := t.Exec(`INSERT INTO labels (bucket, account, label, from_day, until_day, set_at, set_by)
	     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (bucket, account, label, from_day) DO UPDATE SET until_day = excluded.until_day`,
		int64(l.Account.Bucket()), string(l.Account), l.Name, int64(l.From), int64(l.Until), b.now(), b.actor.Credential)
	return err
}
