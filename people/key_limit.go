package people

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// LimitKey replaces the addresses that an API key may be used from; none: from anywhere. A
// key that may trade expires access.UnlimitedTrade after its limit was removed. Repeating it
// has no further effect. ErrNotFound if there is no such key; ErrInvalid if it is revoked or
// expired, or may withdraw and would not be limited.
func (p *People) LimitKey(ctx context.Context, name string, addresses []netip.Prefix) (k access.Key, err error) {
	if !access.IsKey(name) {
		return k, noKey(name)
	}
	err = p.db.Write(ctx, func(t db.Tx) error {
		if k, err = findKey(t, name); err != nil {
			return err
		}
		// The account's keys are changed one by one: what is read now stays.
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

// placesOf describes from where a key may be used.
func placesOf(addresses []netip.Prefix) string {
	if len(addresses) == 0 {
		return "anywhere"
	}
	return access.FormatAddresses(addresses)
}
