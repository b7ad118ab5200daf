package people

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// LimitKey sets the addresses that an API key may be used from, in place of those it
// has; none: from anywhere. A key that may trade expires access.UnlimitedTrade after it
// has lost its addresses, and does not where it is limited to some. Repeating it has no
// further effect. ErrNotFound if there is no such key; ErrInvalid if it cannot be
// used any more, or may withdraw and would not be limited.
func (p *People) LimitKey(ctx context.Context, name string, addresses []netip.Prefix) (k access.Key, err error) {
	if !access.IsKey(name) {
		return k, noKey(name)
	}
	err = p.db.Write(ctx, func(t db.Tx) error {
		if k, err = findKey(t, name); err != nil {
			return err
		}
		// The account's keys are changed one after the other: what is read now stays.
		if _, err := p.books.LockAccount(t, k.Account); err != nil {
			return err
		}
		if k, err = findKey(t, name); err != nil {
			return err
		}
		now := db.TimeOf(p.now())
		if k.Live(now) != nil {
			return ledger.ErrInvalid.In("", "%s is revoked or expired", k).Because(ReasonDeadKey)
		}
		before := access.FormatAddresses(k.Addresses)
		k.Addresses = addresses
		if err := k.Valid(); err != nil {
			return err
		}
		after := access.FormatAddresses(addresses)
		if before == after {
			return nil
		}
		k.LimitTrade(now)
		if _, err := t.Exec("UPDATE keys SET addresses = $1, trade_until = $2 WHERE bucket = $3 AND key = $4",
			after, db.MillisOf(k.TradeUntil), keyBucket(name), name); err != nil {
			return err
		}
		return p.books.Log(t, "key limit", string(k.Account), credential(k.Short()+" to "+placesOf(addresses), k.Label))
	})
	if err != nil {
		return access.Key{}, fmt.Errorf("limit a key: %w", err)
	}
	return k, nil
}

// placesOf says from where a key may be used.
func placesOf(addresses []netip.Prefix) string {
	if len(addresses) == 0 {
		return "anywhere"
	}
	return access.FormatAddresses(addresses)
}

// LimitTrade gives the keys of books that had no permission to withdraw their time: what
// may trade from anywhere expires access.UnlimitedTrade after these books are brought up
// to date. None may withdraw. It reads and writes only columns of its own migration.
func (p *People) LimitTrade(t db.Tx) error {
	now := p.now()
	var trading int
	var names []string
	var buckets []int64
	err := t.Query(func(r db.Row) error {
		addresses, err := access.ParseAddresses(r.Text(1))
		if err != nil {
			return fmt.Errorf("the books' %s cannot be read: %w", access.Key{Key: r.Text(0)}.Short(), err)
		}
		trading++
		if k := (access.Key{Addresses: addresses}); !k.Limited() {
			names, buckets = append(names, r.Text(0)), append(buckets, keyBucket(r.Text(0)))
		}
		return nil
	}, "SELECT key, addresses FROM keys WHERE permissions LIKE '%trade%' AND revoked = 0 AND (expires = 0 OR expires > $1)", now)
	if err != nil || trading == 0 {
		return err
	}
	until := db.TimeOf(now).Add(access.UnlimitedTrade)
	if len(names) > 0 {
		n := len(names)
		unlimited := db.Set{db.Ints("bucket", buckets), db.Texts("key", names), db.Ints("until", slices.Repeat([]int64{until.UnixMilli()}, n))}
		if _, err := t.Set(nil, "UPDATE keys SET trade_until = r.until FROM {rows} WHERE keys.bucket = r.bucket AND keys.key = r.key", unlimited); err != nil {
			return err
		}
	}
	_, err = t.Exec(`INSERT INTO log (bucket, at, actor, role, request, action, subject, detail) VALUES ($1, $2, $3, $4, $5, 'upgrade', 'keys', $6) ON CONFLICT DO NOTHING`,
		keyBucket("keys"), now, p.actor.Credential, string(p.actor.Role), p.actor.Request, keysUpgraded(trading, len(names), until))
	return err
}

// keysUpgraded says what LimitTrade has changed.
func keysUpgraded(trading, unlimited int, until time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d keys with trade may no longer withdraw; withdrawing needs a key with the permission withdraw, which is limited to addresses", trading)
	if unlimited > 0 {
		fmt.Fprintf(&b, "; %d of them are not limited to addresses and expire at %s, unless they are limited before", unlimited, ledger.FormatTime(until))
	}
	return b.String()
}
