package store

import (
	"context"
	"fmt"
	"time"

	"softstake/ledger"
)

// Act is something that was done with a person's access to the pages, and that nothing else tells.
type Act struct {
	At      time.Time
	Nonce   string // which of those of one moment; for paging
	Action  string // what it was: "log-in", "log-in refused", "password", "key create" …; an operator does some of it for them
	Detail  string
	Client  string
	Address string
}

// longestDetail is the length in characters of an act's longest detail: any e-mail address fits.
const longestDetail = 254

// AddAct keeps what a person did, now. Its nonce is made by the books. ErrNotFound
// if the account was never opened, ErrInvalid for texts that are not a line of at
// most 200 characters, and 254 for the detail.
func (db *DB) AddAct(ctx context.Context, id ledger.Account, a Act) error {
	if a.Action == "" {
		return fmt.Errorf("%w: an act has an action", ledger.ErrInvalid)
	}
	for _, text := range [][2]string{{"the action", a.Action}, {"the client", a.Client}, {"the address", a.Address}} {
		if err := checkText(text[0], text[1]); err != nil {
			return err
		}
	}
	if err := checkLine("the detail", a.Detail, longestDetail); err != nil {
		return err
	}
	at, nonce := db.stamps.next(db.now()) // outside of what may run twice: it is written once
	err := db.engine.write(ctx, func(t tx) error {
		if _, err := account(t, id); err != nil {
			return err
		}
		_, err := t.exec("INSERT INTO acts (bucket, account, at, nonce, action, detail, client, address) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
			int64(id.Bucket()), string(id), at, nonce, a.Action, a.Detail, a.Client, a.Address)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep an act of %s: %w", ledger.Clip(string(id)), err)
	}
	return nil
}

// Acts are an account's, the newest first, those that come after one, of which At
// and Nonce count, or the first; at most limit. ErrNotFound if the account was never opened.
func (db *DB) Acts(ctx context.Context, id ledger.Account, after *Act, limit int) (acts []Act, err error) {
	if err := id.CheckHolder(); err != nil {
		return nil, err
	}
	err = db.engine.read(ctx, func(t tx) error {
		acts = nil
		if _, err := account(t, id); err != nil {
			return err
		}
		sql, args := actsOf+"ORDER BY at DESC, nonce DESC LIMIT $3", []any{int64(id.Bucket()), string(id), int64(max(limit, 0))}
		if after != nil {
			sql, args = actsOf+"AND (at, nonce) < ($4, $5) ORDER BY at DESC, nonce DESC LIMIT $3", append(args, after.At.UnixMilli(), after.Nonce)
		}
		return t.query(func(r row) error {
			acts = append(acts, Act{timeOf(r.int(0)), r.text(1), r.text(2), r.text(3), r.text(4), r.text(5)})
			return nil
		}, sql, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read the acts of %s: %w", id, err)
	}
	return acts, nil
}

const actsOf = "SELECT at, nonce, action, detail, client, address FROM acts WHERE bucket = $1 AND account = $2 "
