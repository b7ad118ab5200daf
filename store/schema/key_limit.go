package schema

import (
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// limitKeys sets when the keys expire of books in which no permission to withdraw existed:
// what may trade from anywhere expires access.UnlimitedTrade after the upgrade. None may
// withdraw.
func limitKeys(t db.Tx, now time.Time, actor access.Actor) error {
	trading := 0
	var unlimited []string
	err := t.Query(func(r db.Row) error {
		addresses, err := access.ParseAddresses(r.Text(1))
		if err != nil {
			return fmt.Errorf("the books' %s cannot be read: %w", access.Key{Key: r.Text(0)}.Short(), err)
		}
		trading++
		if k := (access.Key{Addresses: addresses}); !k.Limited() {
			unlimited = append(unlimited, r.Text(0))
		}
		return nil
	}, "SELECT key, addresses FROM keys WHERE permissions LIKE '%trade%' AND revoked = 0 "+
		"AND (expires = 0 OR expires > $1)", now.UnixMilli())
	if err != nil || trading == 0 {
		return err
	}
	bucket := func(name string) int64 { return int64(ledger.Account(name).Bucket()) }
	until := now.Add(access.UnlimitedTrade)
	if _, err := t.Set(nil, "UPDATE keys SET trade_until = r.until FROM {rows} WHERE keys.bucket = r.bucket AND "+
		"keys.key = r.key", db.SetOf(unlimited,
		db.Int("bucket", bucket),
		db.Text("key", func(name string) string { return name }),
		db.Int("until", func(string) int64 { return until.UnixMilli() }))); err != nil {
		return err
	}
	_, err = t.Exec(`INSERT INTO log (bucket, at, actor, role, request, action, subject, detail) VALUES ($1, $2, $3, $4, $5, 'upgrade', 'keys', $6) ON CONFLICT DO NOTHING`,
		bucket("keys"), now.UnixMilli(), actor.Credential, string(actor.Role), actor.Request,
		keysUpgraded(trading, len(unlimited), until))
	return err
}

// keysUpgraded says what limitKeys has changed.
func keysUpgraded(trading, unlimited int, until time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d keys with trade may no longer withdraw; withdrawing needs a key with the permission "+
		"withdraw, which is limited to addresses", trading)
	if unlimited > 0 {
		fmt.Fprintf(&b, "; %d of them are not limited to addresses and expire at %s, unless they are limited before",
			unlimited, ledger.FormatTime(until))
	}
	return b.String()
}
