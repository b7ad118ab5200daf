package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Account is a holder's account.
type Account struct {
	ID     ledger.Account
	Region staking.Region // the verified residence; "": none
	Opened time.Time
	Closed time.Time // zero: it is open
	Freeze Freeze

	Owner string // of the operator's customers, from the day of its opening on; of an account that is read it is ""
}

// check says what is wrong with the account, or nil, and writes its region in capitals.
func (a *Account) check() error {
	err := ledger.At("id", a.ID.CheckHolder())
	if err == nil {
		err = checkOwner(a.Owner)
	}
	if err == nil && a.Region != "" {
		a.Region, err = staking.ParseRegion(string(a.Region))
		err = ledger.At("region", err)
	}
	return err
}

// checkNew says what is wrong with an account that is to be opened, as check does.
func (a *Account) checkNew() error {
	if err := a.ID.CheckNew(); err != nil {
		return ledger.At("id", err)
	}
	return a.check()
}

// OpenAccount opens an account for a resident of a region; "" is a residence not
// yet verified. Repeating has no further effect, and answers repeated; with another region
// it is ErrConflict. One that is closed is ErrEnded: it is not opened again. access.ErrCeiling where the credential has
// opened as many today as it may.
func (b *DB) OpenAccount(ctx context.Context, id ledger.Account, region staking.Region) (repeated bool, err error) {
	return b.OpenOwned(ctx, id, region, "")
}

// OpenOwned opens an account as OpenAccount does, with an owner from today (UTC) on; "" is
// none. Of one that is open, with another owner today, it is ErrConflict; "" agrees with any.
func (b *DB) OpenOwned(ctx context.Context, id ledger.Account, region staking.Region,
	owner string) (repeated bool, err error) {
	a := Account{ID: id, Region: region, Opened: b.Now(), Owner: owner}
	if err := a.checkNew(); err != nil {
		return false, err
	}
	there, err := b.openPart(ctx, []Account{a}, residence(a.Region))
	if repeated = len(there) > 0; err == nil && repeated {
		err = a.isThere(there[0])
		if err == nil && owner != "" {
			err = b.hasOwner(ctx, id, owner)
		}
	}
	if err != nil {
		return false, fmt.Errorf("open account %s: %w", id, err)
	}
	return repeated, nil
}

// isThere says why the account cannot be opened as another that is there, or nil.
func (a Account) isThere(there Account) error {
	switch {
	case !there.Closed.IsZero():
		return ledger.ErrEnded.In("", "it is closed since %s; a closed account is not opened again, so open one "+
			"of another ID", ledger.FormatTime(there.Closed))
	case there.Region != a.Region:
		return ledger.ErrConflict.In("", "its residence is %q, not %q", there.Region, a.Region).Because(ReasonOtherResidence)
	}
	return nil
}

// OpenAccounts opens many accounts, some thousands in each transaction. Those
// that are there stay as they are. Idempotent. access.ErrCeiling where the credential has reached its ceiling of the
// day: those of the transactions before are open then.
func (b *DB) OpenAccounts(ctx context.Context, accounts []Account) error {
	_, err := b.OpenOrFind(ctx, accounts)
	return err
}

// OpenOrFind opens many accounts as OpenAccounts does, and returns those that were
// there, as they are: their residence may be another than the one given.
func (b *DB) OpenOrFind(ctx context.Context, accounts []Account) (there []Account, err error) {
	sorted := slices.SortedStableFunc(slices.Values(accounts), func(x, y Account) int { return inBuckets(x.ID, y.ID) })
	for rows := range slices.Chunk(sorted, fillPart) {
		for i := range rows {
			if err := rows[i].checkNew(); err != nil {
				return nil, fmt.Errorf("open accounts: %w", err)
			}
		}
		found, err := b.openPart(ctx, rows, "")
		if err != nil {
			return nil, fmt.Errorf("open accounts: %w", err)
		}
		there = append(there, found...)
	}
	return there, nil
}

// openPart opens accounts, which it sorts, and returns those that were there. detail is what the
// log says of them.
func (b *DB) openPart(ctx context.Context, accounts []Account, detail string) (there []Account, err error) {
	if err := b.ensureDays(ctx); err != nil {
		return nil, err
	}
	err = b.engine.Write(ctx, func(t db.Tx) (err error) {
		there, err = b.openIn(t, accounts, detail)
		return err
	})
	return there, err
}

// openIn is openPart in a transaction.
func (b *DB) openIn(t db.Tx, accounts []Account, detail string) (there []Account, err error) {
	slices.SortStableFunc(accounts, func(x, y Account) int { return inBuckets(x.ID, y.ID) })
	bucket := db.Int("bucket", func(a Account) int64 { return int64(a.ID.Bucket()) })
	id := db.Text("account", func(a Account) string { return string(a.ID) })
	today := staking.DayOf(b.clock())
	if err := b.lockOpening(t, accounts, today); err != nil {
		return nil, err
	}
	fresh := map[string]bool{}
	_, err = t.Set(func(r db.Row) error { fresh[r.Text(0)] = true; return nil }, `INSERT INTO accounts (bucket, account, region, opened)
		      SELECT r.bucket, r.account, r.region, r.opened FROM {rows} WHERE true ON CONFLICT DO NOTHING RETURNING account`,
		db.SetOf(accounts, bucket, id,
			db.Text("region", func(a Account) string { return string(a.Region) }),
			db.Int("opened", func(a Account) int64 { return a.Opened.UnixMilli() })))
	if err == nil && len(fresh) > 0 {
		err = b.logMany(t, "account open", slices.Sorted(maps.Keys(fresh)), detail)
	}
	if err == nil && len(fresh) > 0 {
		err = b.wrote(t, integrity.Accounts, slices.Sorted(maps.Keys(fresh))...)
	}
	if err == nil {
		err = b.writeOwners(t, ownersOf(accounts, today, fresh))
	}
	if err == nil {
		err = b.useCount(t, access.OfAccounts, len(fresh))
	}
	old := slices.DeleteFunc(slices.Clone(accounts), func(a Account) bool { return fresh[string(a.ID)] })
	if err != nil || len(old) == 0 {
		return nil, err
	}
	// A statement of its own: it sees what another has opened in the meantime.
	return db.AllOf(t, ReadAccount, "SELECT "+AccountColumns+
		" FROM {rows} JOIN accounts a ON a.bucket = r.bucket AND a.account = r.account",
		db.SetOf(old, bucket, id))
}

// residence is what the log says of a verified residence.
func residence(r staking.Region) string {
	if r == "" {
		return "without a verified residence"
	}
	return "residence " + string(r)
}

// AccountColumns are what ReadAccount reads, of accounts a.
const AccountColumns = "a.account, a.region, a.opened, a.closed, a.frozen, a.frozen_mode, a.frozen_reason"

func ReadAccount(r db.Row) (Account, error) {
	return Account{
		ID: ledger.Account(r.Text(0)), Region: staking.Region(r.Text(1)), Opened: db.TimeOf(r.Int(2)),
		Closed: db.TimeOrZero(r.Int(3)),
		Freeze: readFreeze(r.Int(4), r.Int(5), r.Text(6)),
	}, nil
}

// FindAccount reads an account; ErrNotFound if it was never opened.
func FindAccount(t db.View, id ledger.Account) (Account, error) {
	a, found, err := db.First(t, ReadAccount, "SELECT "+AccountColumns+
		" FROM accounts a WHERE a.bucket = $1 AND a.account = $2", int64(id.Bucket()), string(id))
	if err == nil && !found {
		err = noAccount(id)
	}
	return a, err
}

func noAccount(id ledger.Account) error {
	return ledger.ErrNotFound.In("", "account %q", ledger.Clip(string(id))).Because(ReasonUnknownAccount)
}

// Account is the account of an ID; ErrNotFound if it was never opened.
func (b *DB) Account(ctx context.Context, id ledger.Account) (a Account, err error) {
	if err := id.CheckHolder(); err != nil {
		return Account{}, err
	}
	err = b.engine.Read(ctx, func(t db.View) (err error) {
		a, err = FindAccount(t, id)
		return err
	})
	return a, err
}
