package store

import (
	"context"
	"strings"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Ownership says whose an account is from a day on, until the next one of the account. Of
// one day the last revision counts; none is ever edited.
type Ownership struct {
	Account  ledger.Account
	From     staking.Day // in UTC
	Revision int         // from 1
	Owner    string      // the ID of the operator's customer; "": the account is its own owner
}

// OwnershipColumns are what ReadOwnership reads.
const OwnershipColumns = "account, from_day, revision, owner"

// ReadOwnership reads a row whose first columns are OwnershipColumns. It is a row function of db.All, and never fails.
// Of the revisions of one day, from 1, the last counts.
func ReadOwnership(r db.Row) (Ownership, error) {
	return Ownership{ledger.Account(r.Text(0)), staking.Day(r.Int(1)), int(r.Int(2)), r.Text(3)}, nil
}

// checkOwner is ledger.ErrInvalid unless the owner has 1 to 128 characters of an ID, or is "".
func checkOwner(owner string) error {
	if owner == "" {
		return nil
	}
	return ledger.At("owner", ledger.CheckID("owner", owner))
}

// SetOwner sets whose an account is, from a day on, at the earliest tomorrow (UTC); zero is
// tomorrow. "" makes it its own owner. What is set for later days stays. Repeating has no
// further effect, and answers repeated. It needs approval while a token has limits per owner
// (control.SetOwner). Its errors: ledger.ErrInvalid, also of a closed account;
// ledger.ErrNotFound if the account was never opened.
func (b *DB) SetOwner(ctx context.Context, id ledger.Account, owner string,
	from staking.Day) (o Ownership, repeated bool, err error) {
	if err := checkOwner(owner); err != nil {
		return o, false, err
	}
	asked := Ownership{Account: id, From: from, Owner: owner}
	err = b.changeFrom(ctx, id, &from, func(t db.Tx) error {
		o, repeated = Ownership{Account: id, From: from, Revision: 1, Owner: owner}, false
		now, err := ownershipOn(t, id, from)
		if err != nil {
			return err
		}
		if now.Owner == owner {
			repeated = true
			return nil
		}
		if now.From == from {
			o.Revision = now.Revision + 1
		}
		if err := b.writeOwners(t, []Ownership{o}); err != nil {
			return err
		}
		return b.permitOwner(t, asked, from)
	})
	return o, repeated, annotate(err, "set the owner of %s", id)
}

// permitOwner logs a change of whose an account is from a day on. Where minimum and cap of a token are those of an
// owner then or later, it needs approval: it changes what the accounts are paid.
func (b *DB) permitOwner(t db.Tx, o Ownership, from staking.Day) error {
	tokens, err := db.All(t, db.TextOf, `SELECT DISTINCT t.asset FROM terms t WHERE t.offered <> 0 AND t.per_owner <> 0
	       AND t.from_day >= coalesce((SELECT max(f.from_day) FROM terms f WHERE f.asset = t.asset AND f.from_day <= $1), 0)
	       AND t.revision = (SELECT max(r.revision) FROM terms r WHERE r.asset = t.asset AND r.from_day = t.from_day)
	     ORDER BY t.asset`, int64(from))
	if err != nil {
		return err
	}
	detail := "from " + from.String() + ": " + describeOwner(o.Owner)
	effect := detail
	if len(tokens) > 0 {
		effect += "; an owner's accounts share minimum and cap of " + strings.Join(tokens, " ")
	}
	if err := (seam{b}).Permit(t, len(tokens) > 0, control.SetOwner, o, string(o.Account), effect); err != nil {
		return err
	}
	return b.logLine(t, string(control.SetOwner), string(o.Account), detail)
}

// changeFrom makes a change of an account that holds from a day on: under the account's lock,
// while the day before is open, so that no day that the change is about has been measured.
// The account must be open. A from of zero becomes tomorrow.
func (b *DB) changeFrom(ctx context.Context, id ledger.Account, from *staking.Day, change func(db.Tx) error) error {
	if err := id.CheckHolder(); err != nil {
		return err
	}
	if err := b.ensureDays(ctx); err != nil {
		return err
	}
	asked := *from
	return b.engine.Write(ctx, func(t db.Tx) error {
		today := staking.DayOf(b.clock())
		if *from = asked; asked == 0 {
			*from = today + 1
		}
		if *from <= today || *from >= staking.Forever {
			return ledger.ErrInvalid.In("from", "it holds from tomorrow on (%s), not from %s", today+1, *from)
		}
		if err := b.lockOpenDay(t, today, id.Bucket()); err != nil {
			return err
		}
		account, err := lockAccount(t, id)
		if err == nil {
			err = account.checkOpen()
		}
		if err != nil {
			return err
		}
		return change(t)
	})
}

// ownershipOn is what holds of an account on a day; the zero one if nothing does.
func ownershipOn(t db.View, id ledger.Account, d staking.Day) (Ownership, error) {
	o, _, err := db.First(t, ReadOwnership, "SELECT "+OwnershipColumns+` FROM owners
	    WHERE bucket = $1 AND account = $2 AND from_day <= $3 ORDER BY from_day DESC, revision DESC LIMIT 1`,
		int64(id.Bucket()), string(id), int64(d))
	return o, err
}

func (b *DB) writeOwners(t db.Tx, owners []Ownership) error {
	if len(owners) == 0 {
		return nil
	}
	now := b.now()
	return t.Insert("owners", db.SetOf(owners, accountFields(func(o Ownership) ledger.Account { return o.Account },
		db.Int("from_day", func(o Ownership) int64 { return int64(o.From) }),
		db.Int("revision", func(o Ownership) int64 { return int64(o.Revision) }),
		db.Text("owner", func(o Ownership) string { return o.Owner }),
		db.Int("set_at", func(Ownership) int64 { return now }),
		db.Text("set_by", func(Ownership) string { return b.actor.Credential }))...))
}

// ownersOf are the owners of accounts that are opened now, from the day of the opening on.
func ownersOf(accounts []Account, today staking.Day, fresh map[string]bool) (owners []Ownership) {
	for _, a := range accounts {
		if a.Owner != "" && fresh[string(a.ID)] {
			owners = append(owners, Ownership{Account: a.ID, From: today, Revision: 1, Owner: a.Owner})
		}
	}
	return owners
}

// lockOpening keeps the day open on which accounts with an owner are opened.
func (b *DB) lockOpening(t db.Tx, accounts []Account, today staking.Day) error {
	var buckets []int
	for _, a := range accounts {
		if a.Owner != "" {
			buckets = append(buckets, a.ID.Bucket())
		}
	}
	if len(buckets) == 0 {
		return nil
	}
	return b.lockOpenDay(t, today, buckets...)
}

// hasOwner is ledger.ErrConflict unless the account has that owner today.
func (b *DB) hasOwner(ctx context.Context, id ledger.Account, owner string) error {
	o, err := read(ctx, b, func(t db.View) (Ownership, error) { return ownershipOn(t, id, staking.DayOf(b.clock())) })
	if err == nil && o.Owner != owner {
		err = ledger.ErrConflict.In("owner", "it has %s, not owner %s", describeOwner(o.Owner), owner).
			Because(ReasonOtherOwner)
	}
	return err
}

func describeOwner(owner string) string {
	if owner == "" {
		return "itself as its owner"
	}
	return "owner " + owner
}
