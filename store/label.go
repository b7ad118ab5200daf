package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
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
// repeated. It needs approval while a campaign multiplies by the label (control.AddLabel). Its
// errors are those of SetOwner.
func (b *DB) AddLabel(ctx context.Context, id ledger.Account, label string,
	from staking.Day) (l Label, repeated bool, err error) {
	if err := ledger.At("label", staking.CheckLabel(label)); err != nil {
		return l, false, err
	}
	asked := labeling{id, label, from}
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
		return b.permitLabel(t, control.AddLabel, asked, from)
	})
	return l, repeated, annotate(err, "label %s", id)
}

// RemoveLabel takes a label off an account from a day on, at the earliest tomorrow (UTC);
// zero is tomorrow. Repeating has no further effect, and answers repeated, as for a label
// that the account does not have. It needs approval as AddLabel does (control.RemoveLabel). Its
// errors are those of SetOwner.
func (b *DB) RemoveLabel(ctx context.Context, id ledger.Account, label string,
	from staking.Day) (day staking.Day, repeated bool, err error) {
	if err := ledger.At("label", staking.CheckLabel(label)); err != nil {
		return 0, false, err
	}
	asked := labeling{id, label, from}
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
		return b.permitLabel(t, control.RemoveLabel, asked, from)
	})
	return from, repeated, annotate(err, "remove a label of %s", id)
}

// labeling is a change of a label as it was asked for. A From of zero is tomorrow.
type labeling struct {
	Account ledger.Account
	Label   string
	From    staking.Day
}

// permitLabel logs a change of a label that holds from a day on. Where a campaign of such days multiplies by the label,
// it needs approval: it changes what everybody is paid of its pool.
func (b *DB) permitLabel(t db.Tx, op control.Operation, l labeling, from staking.Day) error {
	campaigns, err := holding.OpenCampaigns(t)
	if err != nil {
		return err
	}
	var multiply []string
	for _, c := range campaigns {
		for _, m := range c.Multipliers {
			if m.Label == l.Label && c.End >= from {
				multiply = append(multiply, fmt.Sprintf("%s × %s", c.ID, ledger.FormatDecimal(m.Percent, 2)))
			}
		}
	}
	detail := l.Label + " from " + from.String()
	effect := detail
	if len(multiply) > 0 {
		effect += "; campaigns multiply by it: " + strings.Join(multiply, ", ")
	}
	if err := (seam{b}).Permit(t, len(multiply) > 0, op, l, string(l.Account), effect); err != nil {
		return err
	}
	return b.logLine(t, string(op), string(l.Account), detail)
}

// labeledNow says of each label by which a campaign multiplies how many accounts have it on the campaign's first day,
// as far as is known now, and what they have of its tokens: whoever approves the campaign sees for whom it is. Of the
// amounts the two leading digits are said, rounded down: to the last digit they change all the time, and so would the
// digest of what was looked at.
func (g *groupCommit) labeledNow(c *staking.Campaign) (effects []string, err error) {
	assets := *g.books.assetCache.Load()
	for _, m := range c.Multipliers {
		n, err := db.Count(g.t, "SELECT count(*) FROM labels WHERE label = $1 AND from_day <= $2 AND until_day > $2",
			m.Label, int64(c.First))
		if err != nil {
			return nil, annotate(err, "count who has the label %s", m.Label)
		}
		has := make([]string, len(c.Parts))
		for i, p := range c.Parts {
			sum, err := db.Count(g.t, `SELECT CAST(coalesce(sum(b.balance), 0) AS bigint) FROM labels l
			      JOIN balances b ON b.bucket = l.bucket AND b.account = l.account AND b.asset = $3
			     WHERE l.label = $1 AND l.from_day <= $2 AND l.until_day > $2`, m.Label, int64(c.First), p.Token)
			if err != nil {
				return nil, annotate(err, "read what those have with the label %s", m.Label)
			}
			has[i] = assets[p.Token].Format(leading(ledger.Amount(sum))) + " " + p.Token
		}
		effects = append(effects, fmt.Sprintf("%s is the label of %d accounts, which have at least %s", m.Label, n,
			strings.Join(has, ", ")))
	}
	return effects, nil
}

// leading is an amount rounded down to its two leading digits.
func leading(a ledger.Amount) ledger.Amount {
	unit := ledger.Amount(1)
	for a/unit >= 100 {
		unit *= 10
	}
	return a / unit * unit
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
