package reports

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

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

// Acceptance says that a holder has accepted a version of a document, and with what client.
type Acceptance struct {
	Document string
	Version  int
	At       time.Time
	Client   string // "ios 3.2.0"
	Address  string // "192.0.2.7 DE"
}

// Accounts are the next accounts after one, at most limit, by bucket and ID. The
// first are those after "".
func (rs *Reports) Accounts(ctx context.Context, after ledger.Account, limit int) (accounts []store.Account,
	err error) {
	bucket := int64(-1)
	if after != "" {
		if err := after.CheckHolder(); err != nil {
			return nil, err
		}
		bucket = int64(after.Bucket())
	}
	err = rs.Read(ctx, func(t db.View) error {
		accounts, err = db.All(t, store.ReadAccount, "SELECT "+store.AccountColumns+` FROM accounts a
			WHERE (a.bucket, a.account) > ($1, $2) ORDER BY a.bucket, a.account LIMIT $3`, bucket, string(after), int64(max(limit, 0)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	return accounts, nil
}

// listOf reads a list of what an account has; ErrNotFound if it was never opened.
func listOf[T any](ctx context.Context, rs *Reports, id ledger.Account,
	read func(db.View, store.Account) ([]T, error)) (list []T, err error) {
	if err := id.CheckHolder(); err != nil {
		return nil, err
	}
	err = rs.Read(ctx, func(t db.View) error {
		a, err := store.FindAccount(t, id)
		if err == nil {
			list, err = read(t, a)
		}
		return err
	})
	return list, err
}

// Balances are what an account has, by asset; ErrNotFound if it was never opened.
func (rs *Reports) Balances(ctx context.Context, id ledger.Account) ([]Balance, error) {
	balances, err := listOf(ctx, rs, id, func(t db.View, _ store.Account) (balances []Balance, err error) {
		err = t.Query(func(r db.Row) error {
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
		}, "SELECT account, asset, balance, earned FROM balances WHERE bucket = $1 AND account IN ($2, $3) ORDER BY "+
			"asset, account",
			int64(id.Bucket()), string(id), string(id.Held()))
		return balances, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the balances of %s: %w", id, err)
	}
	return balances, nil
}

// HouseBalances are what the house accounts have, by account and asset. The sum over the
// buckets may need more than 63 bits.
func (rs *Reports) HouseBalances(ctx context.Context) (balances []HouseBalance, err error) {
	err = rs.Read(ctx, func(t db.View) error {
		// "@" to before "A" are all house accounts, and no holder's.
		balances, err = db.AllEach(t, func(r db.Row) (HouseBalance, error) {
			return HouseBalance{ledger.Account(r.Text(0)), r.Text(1), big.NewInt(r.Int(2))}, nil
		}, "SELECT account, asset, balance FROM balances WHERE bucket = $1 AND account >= '@' AND account < 'A'",
			store.EveryBucket(0)[:1])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the house's balances: %w", err)
	}
	slices.SortFunc(balances, func(a, b HouseBalance) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Asset, b.Asset))
	})
	sums := balances[:0]
	for _, b := range balances {
		if n := len(sums); n > 0 && sums[n-1].Account == b.Account && sums[n-1].Asset == b.Asset {
			sums[n-1].Sum.Add(sums[n-1].Sum, b.Sum)
		} else {
			sums = append(sums, b)
		}
	}
	return sums, nil
}

// Enrollments are an account's, the oldest first, with those that cover no day;
// ErrNotFound if it was never opened.
func (rs *Reports) Enrollments(ctx context.Context, id ledger.Account) ([]staking.Enrollment, error) {
	return listOf(ctx, rs, id, func(t db.View, _ store.Account) ([]staking.Enrollment,
		error) {
		return store.EnrollmentsOf(t, id)
	})
}

// SwitchEvents are an account's, the oldest first; ErrNotFound if it was never opened.
func (rs *Reports) SwitchEvents(ctx context.Context, id ledger.Account) ([]store.SwitchEvent, error) {
	events, err := listOf(ctx, rs, id, func(t db.View, _ store.Account) ([]store.SwitchEvent, error) {
		return db.All(t, readSwitchEvent, "SELECT at, action, client, address FROM switch_events WHERE bucket = $1 "+
			"AND account = $2 ORDER BY at, action",
			int64(id.Bucket()), string(id))
	})
	if err != nil {
		return nil, fmt.Errorf("read the switch events of %s: %w", id, err)
	}
	return events, nil
}

func readSwitchEvent(r db.Row) (store.SwitchEvent, error) {
	return store.SwitchEvent{At: db.TimeOf(r.Int(0)), Action: r.Text(1), Client: r.Text(2), Address: r.Text(3)}, nil
}

// Acceptances are what the holder has accepted, the oldest first; ErrNotFound if
// the account was never opened.
func (rs *Reports) Acceptances(ctx context.Context, id ledger.Account) ([]Acceptance, error) {
	acceptances, err := listOf(ctx, rs, id, func(t db.View, _ store.Account) ([]Acceptance, error) {
		return db.All(t, func(r db.Row) (Acceptance, error) {
			return Acceptance{r.Text(0), int(r.Int(1)), db.TimeOf(r.Int(2)), r.Text(3), r.Text(4)}, nil
		}, `SELECT document, version, accepted_at, client, address FROM acceptances
		     WHERE bucket = $1 AND account = $2 ORDER BY accepted_at, document, version`, int64(id.Bucket()), string(id))
	})
	if err != nil {
		return nil, fmt.Errorf("read what %s has accepted: %w", id, err)
	}
	return acceptances, nil
}

// DepositAddresses are where an account's holder sends tokens, by token and network.
// A closed account, which takes no deposit, has none. ErrNotFound if the account was
// never opened.
func (rs *Reports) DepositAddresses(ctx context.Context, id ledger.Account) ([]store.DepositAddress, error) {
	addresses, err := listOf(ctx, rs, id, func(t db.View, a store.Account) ([]store.DepositAddress, error) {
		if !a.Closed.IsZero() {
			return []store.DepositAddress{}, nil
		}
		return db.All(t, func(r db.Row) (store.DepositAddress, error) {
			return store.DepositAddress{Account: id, Asset: r.Text(0), Network: r.Text(1), Address: r.Text(2),
				Tag: r.Text(3)}, nil
		}, "SELECT asset, network, address, tag FROM deposit_addresses WHERE bucket = $1 AND account = $2 ORDER BY "+
			"asset, network",
			int64(id.Bucket()), string(id))
	})
	if err != nil {
		return nil, fmt.Errorf("read the addresses of %s: %w", id, err)
	}
	return addresses, nil
}
