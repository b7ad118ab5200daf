package store

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

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
}

// Balance is what an account has of an asset.
type Balance struct {
	Asset  string
	Free   ledger.Amount
	Held   ledger.Amount // in open orders and pending withdrawals; it does not earn
	Earned ledger.Amount // all rewards ever credited
}

// HouseBalance is what a house account has of an asset, over all buckets.
type HouseBalance struct {
	Account ledger.Account
	Asset   string
	Sum     *big.Int
}

// check says what is wrong with the account, or nil, and writes its region in capitals.
func (a *Account) check() error {
	err := ledger.At("id", a.ID.CheckHolder())
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
// yet verified. The same again is once and answers repeated; with another region
// it is ErrConflict. One that is closed is ErrEnded: it is not opened again.
func (db *DB) OpenAccount(ctx context.Context, id ledger.Account, region staking.Region) (repeated bool, err error) {
	a := Account{ID: id, Region: region}
	if err := a.checkNew(); err != nil {
		return false, err
	}
	err = db.engine.Write(ctx, func(t tx) error {
		n, err := t.Exec("INSERT INTO accounts (bucket, account, region, opened) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			int64(id.Bucket()), string(id), string(a.Region), db.now())
		if err != nil {
			return err
		}
		repeated = n == 0
		if !repeated {
			return db.logLine(t, "account open", string(id), residence(a.Region))
		}
		there, err := FindAccount(t, id)
		if err == nil && !there.Closed.IsZero() {
			err = ledger.ErrEnded.In("", "it is closed since %s; a closed account is not opened again, so open one of another ID",
				stamp(there.Closed.UnixMilli()))
		}
		if err == nil && there.Region != a.Region {
			err = ledger.ErrConflict.In("", "its residence is %q, not %q", there.Region, a.Region).Because(ReasonOtherResidence)
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("open account %s: %w", id, err)
	}
	return repeated, nil
}

// residence is what the log says of a verified residence.
func residence(r staking.Region) string {
	if r == "" {
		return "without a verified residence"
	}
	return "residence " + string(r)
}

// accountColumns are what readAccount reads.
const accountColumns = "a.account, a.region, a.opened, a.closed, a.frozen, a.frozen_mode, a.frozen_reason"

func readAccount(r row) Account {
	a := Account{ID: ledger.Account(r.Text(0)), Region: staking.Region(r.Text(1)), Opened: timeOf(r.Int(2))}
	if closed := r.Int(3); closed != 0 {
		a.Closed = timeOf(closed)
	}
	a.Freeze = readFreeze(r.Int(4), r.Int(5), r.Text(6))
	return a
}

// account reads an account; ErrNotFound if it was never opened.
func FindAccount(t view, id ledger.Account) (a Account, err error) {
	found := false
	err = t.Query(func(r row) error {
		a, found = readAccount(r), true
		return nil
	}, "SELECT "+accountColumns+" FROM accounts a WHERE a.bucket = $1 AND a.account = $2", int64(id.Bucket()), string(id))
	if err == nil && !found {
		err = noAccount(id)
	}
	return a, err
}

func noAccount(id ledger.Account) error {
	return ledger.ErrNotFound.In("", "account %q", ledger.Clip(string(id))).Because(ReasonUnknownAccount)
}

// Account is the account of an ID; ErrNotFound if it was never opened.
func (db *DB) Account(ctx context.Context, id ledger.Account) (a Account, err error) {
	if err := id.CheckHolder(); err != nil {
		return Account{}, err
	}
	err = db.engine.Read(ctx, func(t view) (err error) {
		a, err = FindAccount(t, id)
		return err
	})
	return a, err
}

// Accounts are the next accounts after one, at most limit, by bucket and ID. The
// first are those after "".
func (db *DB) Accounts(ctx context.Context, after ledger.Account, limit int) ([]Account, error) {
	bucket := int64(-1)
	if after != "" {
		if err := after.CheckHolder(); err != nil {
			return nil, err
		}
		bucket = int64(after.Bucket())
	}
	var accounts []Account
	err := db.engine.Read(ctx, func(t view) error {
		accounts = nil
		return t.Query(func(r row) error {
			accounts = append(accounts, readAccount(r))
			return nil
		}, "SELECT "+accountColumns+" FROM accounts a WHERE (a.bucket, a.account) > ($1, $2) ORDER BY a.bucket, a.account LIMIT $3",
			bucket, string(after), int64(max(limit, 0)))
	})
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	return accounts, nil
}

// Balances are what an account has, by asset; ErrNotFound if it was never opened.
func (db *DB) Balances(ctx context.Context, id ledger.Account) ([]Balance, error) {
	if err := id.CheckHolder(); err != nil {
		return nil, err
	}
	var balances []Balance
	err := db.engine.Read(ctx, func(t view) error {
		balances = nil
		if _, err := FindAccount(t, id); err != nil {
			return err
		}
		return t.Query(func(r row) error {
			if n := len(balances); n == 0 || balances[n-1].Asset != r.Text(1) {
				balances = append(balances, Balance{Asset: r.Text(1)})
			}
			b := &balances[len(balances)-1]
			if ledger.Account(r.Text(0)).IsHeld() {
				b.Held = ledger.Amount(r.Int(2))
			} else {
				b.Free, b.Earned = ledger.Amount(r.Int(2)), ledger.Amount(r.Int(3))
			}
			return nil
		}, "SELECT account, asset, balance, earned FROM balances WHERE bucket = $1 AND account IN ($2, $3) ORDER BY asset, account",
			int64(id.Bucket()), string(id), string(id.Held()))
	})
	if err != nil {
		return nil, fmt.Errorf("read the balances of %s: %w", id, err)
	}
	return balances, nil
}

// HouseBalances are what the house accounts have, by account and asset. What is
// spread over the buckets may sum to more than 63 bits.
func (db *DB) HouseBalances(ctx context.Context) ([]HouseBalance, error) {
	sums := map[key]*big.Int{}
	err := db.engine.Read(ctx, func(t view) error {
		clear(sums)
		// "@" to before "A" are all house accounts, and no holder's.
		return t.QueryEach(func(r row) error {
			k := key{account: ledger.Account(r.Text(0)), asset: r.Text(1)}
			if sums[k] == nil {
				sums[k] = new(big.Int)
			}
			sums[k].Add(sums[k], big.NewInt(r.Int(2)))
			return nil
		}, "SELECT account, asset, balance FROM balances WHERE bucket = $1 AND account >= '@' AND account < 'A'", set{EveryBucket(0)[0]})
	})
	if err != nil {
		return nil, fmt.Errorf("read the house's balances: %w", err)
	}
	balances := make([]HouseBalance, 0, len(sums))
	for k, sum := range sums {
		balances = append(balances, HouseBalance{k.account, k.asset, sum})
	}
	slices.SortFunc(balances, func(a, b HouseBalance) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Asset, b.Asset))
	})
	return balances, nil
}
