package store

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// Erasure is what erasing the person of a closed account has removed.
type Erasure struct {
	At       time.Time // of an account whose person was erased before, then
	Repeated bool
	people.Erased
}

// EraseAccount removes the person of a closed account from the books: logins and their e-mail addresses, sessions,
// where events came from, and keys' secrets, networks and labels. Keys and tokens are revoked.
// The ledger, the log and the records of days stay, and name nobody. What an entry's ID or a reason says is not
// changed: no person belongs into either. ErrInvalid if the account is open, or something of it is still to come;
// ErrNotFound if it was never opened. It may need approval. Idempotent.
func (b *DB) EraseAccount(ctx context.Context, id ledger.Account) (e Erasure, err error) {
	if err := id.CheckHolder(); err != nil {
		return e, err
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		a, err := lockAccount(t, id)
		if err != nil {
			return err
		}
		var ended, erased int64
		if _, err := db.One(t, []*int64{&ended, &erased},
			"SELECT ended, erased FROM accounts WHERE bucket = $1 AND account = $2", int64(id.Bucket()),
			string(id)); err != nil {
			return err
		}
		switch e = (Erasure{At: db.TimeOf(erased), Repeated: erased != 0}); {
		case e.Repeated:
			return nil
		case a.Closed.IsZero():
			return ledger.ErrInvalid.In("", "it is open; close it first").Because(ReasonOpen)
		case ended == 0:
			return ledger.ErrInvalid.In("", "what it has still to get is on its way; the daily run ends that")
		}
		e.At = db.TimeOf(b.now())
		if e.Erased, err = people.Erase(t, b.guard, id, e.At); err != nil {
			return err
		}
		if _, err := t.Exec("UPDATE accounts SET erased = $1 WHERE bucket = $2 AND account = $3", e.At.UnixMilli(),
			int64(id.Bucket()), string(id)); err != nil {
			return err
		}
		effect := e.Erased.String()
		if err := b.permit(t, control.EraseAccount, id, string(id), effect); err != nil {
			return err
		}
		return b.logLine(t, string(control.EraseAccount), string(id), effect)
	})
	if err != nil {
		return Erasure{}, fmt.Errorf("erase the person of account %s: %w", id, err)
	}
	return e, nil
}
