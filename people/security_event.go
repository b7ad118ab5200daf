package people

import (
	"context"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/origin"
)

// SecurityEvent is an event of a person's access to the pages that no other table records.
type SecurityEvent struct {
	At     time.Time
	Nonce  string // distinguishes events of one moment; a part of the cursor
	Action string // "log-in", "log-in refused", "password", "key create" …; some are an operator's
	// What is removed after some time: the login or key that it is about, and where it came from.
	Detail  string
	Client  string
	Address string
}

// byOperator is the client of events that an operator has caused.
const byOperator = "operator"

// longestDetail is the length in characters of the longest detail: any e-mail address fits.
const longestDetail = 254

func (e SecurityEvent) check() error {
	if e.Action == "" {
		return ledger.ErrInvalid.In("", "a security event has an action")
	}
	for _, text := range [][2]string{{"the action", e.Action}, {"the client", e.Client}, {"the address", e.Address}} {
		if err := ledger.CheckText(text[0], text[1]); err != nil {
			return err
		}
	}
	return ledger.CheckLine("the detail", e.Detail, longestDetail)
}

// AddSecurityEvent records an event, now; its nonce is generated. ErrNotFound if the account
// was never opened, ErrInvalid for texts that are not a line of at most 200 characters, 254
// for the detail.
func (p *People) AddSecurityEvent(ctx context.Context, id ledger.Account, e SecurityEvent) error {
	if err := e.check(); err != nil {
		return err
	}
	at, nonce := p.stamps.Next(p.now()) // outside of the transaction, which may be retried
	return p.write(ctx, "keep a security event of "+ledger.Clip(string(id)), func(t db.Tx) error {
		if err := p.books.CheckAccount(t, id); err != nil {
			return err
		}
		return insertSecurityEvent(t, id, e, at, nonce)
	})
}

// insertSecurityEvent writes an event in the transaction of what it is about.
func insertSecurityEvent(t db.Tx, id ledger.Account, e SecurityEvent, at int64, nonce string) error {
	_, err := t.Exec("INSERT INTO security_events (bucket, account, at, nonce, action) VALUES ($1, $2, $3, $4, $5) "+
		"ON CONFLICT DO NOTHING", int64(id.Bucket()), string(id), at, nonce, e.Action)
	if err != nil {
		return err
	}
	return origin.Write(t, origin.Origin{Account: id, Event: origin.SecurityEvent(at, nonce), At: at, Detail: e.Detail,
		Client: e.Client, Address: e.Address})
}

// SecurityEvents are at most limit events of an account, the newest first, after the cursor
// (its At and Nonce), or from the start for nil. ErrNotFound if the account was never opened.
func (r Reader) SecurityEvents(
	ctx context.Context, id ledger.Account, after *SecurityEvent, limit int,
) ([]SecurityEvent, error) {
	sql := "SELECT e.at, e.nonce, e.action, o.detail, o.client, o.address FROM security_events e" +
		origin.Join(origin.Security) + "WHERE e.bucket = $1 AND e.account = $2 "
	args := []any{int64(id.Bucket()), string(id), int64(max(limit, 0))}
	if after != nil {
		sql, args = sql+"AND (e.at, e.nonce) < ($4, $5) ", append(args, after.At.UnixMilli(), after.Nonce)
	}
	return ofAccount(ctx, r, "security events of "+string(id), id, func(r db.Row) (SecurityEvent, error) {
		return SecurityEvent{db.TimeOf(r.Int(0)), r.Text(1), r.Text(2), r.Text(3), r.Text(4), r.Text(5)}, nil
	}, sql+"ORDER BY e.at DESC, e.nonce DESC LIMIT $3", args...)
}
