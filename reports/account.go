package reports

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/origin"
	"github.com/softstake/softstake/people"
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
func (rs *Reports) Accounts(ctx context.Context, after ledger.Account, limit int) ([]store.Account, error) {
	bucket := int64(-1)
	if after != "" {
		if err := after.CheckHolder(); err != nil {
			return nil, err
		}
		bucket = int64(after.Bucket())
	}
	return list(ctx, rs, "read accounts", store.ReadAccount, "SELECT "+store.AccountColumns+` FROM accounts a
		WHERE (a.bucket, a.account) > ($1, $2) ORDER BY a.bucket, a.account LIMIT $3`, bucket, string(after), int64(max(limit, 0)))
}

// Balances are what an account has, by asset; ErrNotFound if it was never opened.
func (rs *Reports) Balances(ctx context.Context, id ledger.Account) ([]Balance, error) {
	do := "read the balances of " + string(id)
	return listOf(ctx, rs, do, id, func(t db.View, _ store.Account) (balances []Balance, err error) {
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
		}, `SELECT account, asset, balance, earned FROM balances WHERE bucket = $1 AND account IN ($2, $3)
		     ORDER BY asset, account`, int64(id.Bucket()), string(id), string(id.Held()))
		return balances, err
	})
}

// HouseBalances are what the house accounts have, by account and asset. The sum over the
// buckets may need more than 63 bits.
func (rs *Reports) HouseBalances(ctx context.Context) ([]HouseBalance, error) {
	balances, err := read(ctx, rs, "read the house's balances", func(t db.View) ([]HouseBalance, error) {
		// "@" to before "A" are all house accounts, and no holder's.
		return db.AllEach(t, func(r db.Row) (HouseBalance, error) {
			return HouseBalance{ledger.Account(r.Text(0)), r.Text(1), big.NewInt(r.Int(2))}, nil
		}, "SELECT account, asset, balance FROM balances WHERE bucket = $1 AND account >= '@' AND account < 'A'",
			store.EveryBucket(0)[:1])
	})
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
	return sums, err
}

// Enrollments are an account's, the oldest first, with those that cover no day;
// ErrNotFound if it was never opened.
func (rs *Reports) Enrollments(ctx context.Context, id ledger.Account) ([]staking.Enrollment, error) {
	return listOf(ctx, rs, "", id, func(t db.View, _ store.Account) ([]staking.Enrollment, error) {
		return store.EnrollmentsOf(t, id)
	})
}

// SwitchEvent is what was done to the switch of an account, or was refused.
type SwitchEvent struct {
	At      time.Time
	Action  string // "on", "off", "refused: …"; "off: …" and "on: …" where a region or a freeze did it
	Client  string // "ios 3.2.0"
	Address string // "192.0.2.7 DE"
}

// SwitchEvents are an account's, the oldest first; ErrNotFound if it was never opened.
func (rs *Reports) SwitchEvents(ctx context.Context, id ledger.Account) ([]SwitchEvent, error) {
	events, err := rs.LatestSwitchEvents(ctx, id, nil, math.MaxInt)
	slices.Reverse(events)
	return events, err
}

// LatestSwitchEvents are an account's switch events, the newest first, those
// that come after one, or the first, at most limit. ErrNotFound if the account was
// never opened.
func (rs *Reports) LatestSwitchEvents(ctx context.Context, id ledger.Account, after *SwitchEvent,
	limit int) ([]SwitchEvent, error) {
	if after == nil {
		after = &SwitchEvent{At: time.UnixMilli(math.MaxInt64)} // later than any, also of a clock that was moved
	}
	do := "read the switch events of " + string(id)
	return listOf(ctx, rs, do, id, func(t db.View, _ store.Account) ([]SwitchEvent, error) {
		return db.All(t, func(r db.Row) (SwitchEvent, error) {
			return SwitchEvent{At: db.TimeOf(r.Int(0)), Action: r.Text(1), Client: r.Text(2), Address: r.Text(3)}, nil
		}, `SELECT e.at, e.action, o.client, o.address FROM switch_events e`+origin.Join(origin.Switches)+
			`WHERE e.bucket = $1 AND e.account = $2 AND (e.at, e.action) < ($3, $4)
		     ORDER BY e.at DESC, e.action DESC LIMIT $5`, int64(id.Bucket()), string(id), after.At.UnixMilli(), after.Action, int64(limit))
	})
}

// Acceptances are what the holder has accepted, the oldest first; ErrNotFound if
// the account was never opened.
func (rs *Reports) Acceptances(ctx context.Context, id ledger.Account) ([]Acceptance, error) {
	do := fmt.Sprintf("read what %s has accepted", id)
	return listOf(ctx, rs, do, id, func(t db.View, _ store.Account) ([]Acceptance, error) {
		return db.All(t, func(r db.Row) (Acceptance, error) {
			return Acceptance{r.Text(0), int(r.Int(1)), db.TimeOf(r.Int(2)), r.Text(3), r.Text(4)}, nil
		}, `SELECT e.document, e.version, e.accepted_at, o.client, o.address FROM acceptances e`+
			origin.Join(origin.Acceptances)+
			`WHERE e.bucket = $1 AND e.account = $2 ORDER BY e.accepted_at, e.document, e.version`, int64(id.Bucket()), string(id))
	})
}

// WithdrawalAddresses are where an account's holder withdraws to, the oldest first. ErrNotFound if the account was
// never opened.
func (rs *Reports) WithdrawalAddresses(ctx context.Context, id ledger.Account) ([]people.WithdrawalAddress, error) {
	return rs.People().WithdrawalAddresses(ctx, id)
}

// DepositAddresses are where an account's holder sends tokens, by token and network.
// A closed account, which takes no deposit, has none; one that somebody has changed by SQL is
// not among them. ErrNotFound if the account was never opened.
func (rs *Reports) DepositAddresses(ctx context.Context, id ledger.Account) ([]people.DepositAddress, error) {
	do := "read the addresses of " + string(id)
	return listOf(ctx, rs, do, id, func(t db.View, a store.Account) ([]people.DepositAddress, error) {
		if !a.Closed.IsZero() {
			return []people.DepositAddress{}, nil
		}
		return people.DepositAddressesIn(t, rs.Guard(), id)
	})
}
