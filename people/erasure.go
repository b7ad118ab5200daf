package people

import (
	"fmt"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/origin"
)

// Erased counts what was removed with a person.
type Erased struct{ Logins, Keys, Tokens int64 }

// String says what was removed, without saying whose it was.
func (e Erased) String() string {
	return fmt.Sprintf("the person is removed: %d e-mail addresses, the particulars of %d keys and %d tokens", e.Logins,
		e.Keys, e.Tokens)
}

// Erase removes the person of an account, in the transaction that says so. The account is locked, so that nothing is
// added at the same time. Rows that records are about stay, without what is personal.
func Erase(t db.Tx, g *integrity.Guard, id ledger.Account, now time.Time) (e Erased, err error) {
	if err := EndAll(t, id, now); err != nil {
		return e, err
	}
	if err := origin.Erase(t, id); err != nil {
		return e, err
	}
	for _, step := range []struct {
		count *int64
		sql   string
		args  []any
	}{
		{&e.Logins, "DELETE FROM emails WHERE account = $1", []any{string(id)}},
		{new(int64), "DELETE FROM notices WHERE bucket = $1 AND account = $2", []any{int64(id.Bucket()), string(id)}},
		{new(int64), "DELETE FROM mails WHERE account = $1", []any{string(id)}},
		{new(int64), "DELETE FROM withdrawal_settings WHERE bucket = $1 AND account = $2", addressArgs(id)},
		{new(int64), "UPDATE withdrawal_addresses SET label = '' WHERE bucket = $1 AND account = $2", addressArgs(id)},
		{&e.Keys, "UPDATE keys SET label = '', addresses = '', secret = $1, revoked = CASE WHEN revoked = 0 THEN $2 ELSE " +
			"revoked END WHERE account = $3", []any{[]byte{}, now.UnixMilli(), string(id)}},
		{&e.Tokens, "UPDATE tokens SET label = '', revoked = CASE WHEN revoked = 0 THEN $1 ELSE revoked END " +
			"WHERE account = $2", []any{now.UnixMilli(), string(id)}},
	} {
		if *step.count, err = t.Exec(step.sql, step.args...); err != nil {
			return e, fmt.Errorf("erase the person of %s: %w", id, err)
		}
	}
	// They are revoked: what else they say gives no right.
	for _, k := range []integrity.Guarded{integrity.Keys, integrity.Tokens} {
		if err := g.Sign(t, k, "account = $1 AND revoked > 0", string(id)); err != nil {
			return e, err
		}
	}
	return e, nil
}
