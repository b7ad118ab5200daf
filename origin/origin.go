// Package origin stores where the events of an account came from - the client, the network address - apart from the
// events, so that it can be removed: after some time, or with the person. It knows events only by their references.
package origin

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// Origin is where an event of an account came from.
type Origin struct {
	Account ledger.Account
	Event   string // its reference, as the functions below make it
	At      int64  // when it was, in milliseconds since 1970
	Detail  string // of a security event: the login, the key
	Client  string // "ios 3.2.0", a user agent
	Address string // "192.0.2.7 DE"
}

// The SQL of the references of the events e of a table, by which origins are joined.
const (
	Switches    = "'switch ' || e.at || ' ' || e.action"
	Acceptances = "'accept ' || e.document || ' ' || e.version"
	Security    = "'security ' || e.at || ' ' || e.nonce"
)

// Join joins the origins o of events e, of which there may be none; reference is one of those above. Columns are NULL
// where there is none, which reads as "".
func Join(reference string) string {
	return " LEFT JOIN origins o ON o.bucket = e.bucket AND o.account = e.account AND o.event = " + reference + " "
}

// Switch is the reference of a switch event.
func Switch(at int64, action string) string { return fmt.Sprintf("switch %d %s", at, action) }

// Acceptance is the reference of the acceptance of a version of a document.
func Acceptance(document string, version int) string {
	return fmt.Sprintf("accept %s %d", document, version)
}

// SecurityEvent is the reference of a security event.
func SecurityEvent(at int64, nonce string) string { return fmt.Sprintf("security %d %s", at, nonce) }

// Write writes the origins of events in the transaction that writes them. One that says nothing needs no row, and one
// that is there stays.
func Write(t db.Tx, origins ...Origin) error {
	var some []Origin
	for _, o := range origins {
		if o.Detail != "" || o.Client != "" || o.Address != "" {
			some = append(some, o)
		}
	}
	_, err := t.Set(nil, `INSERT INTO origins (bucket, account, event, at, detail, client, address)
	                      SELECT r.bucket, r.account, r.event, r.at, r.detail, r.client, r.address FROM {rows} WHERE true ON CONFLICT DO NOTHING`,
		db.SetOf(some,
			db.Int("bucket", func(o Origin) int64 { return int64(o.Account.Bucket()) }),
			db.Text("account", func(o Origin) string { return string(o.Account) }),
			db.Text("event", func(o Origin) string { return o.Event }),
			db.Int("at", func(o Origin) int64 { return o.At }),
			db.Text("detail", func(o Origin) string { return o.Detail }),
			db.Text("client", func(o Origin) string { return o.Client }),
			db.Text("address", func(o Origin) string { return o.Address })))
	if err != nil {
		return fmt.Errorf("write where events came from: %w", err)
	}
	return nil
}

// Erase removes all origins of an account.
func Erase(t db.Tx, id ledger.Account) error {
	_, err := t.Exec("DELETE FROM origins WHERE bucket = $1 AND account = $2", int64(id.Bucket()), string(id))
	if err != nil {
		return fmt.Errorf("erase where events came from: %w", err)
	}
	return nil
}

// Prune removes the origins of events of a moment in milliseconds and earlier, in small transactions.
func Prune(ctx context.Context, d *db.DB, through int64) error {
	type row struct {
		bucket         int64
		account, event string
	}
	return d.Prune(ctx, func(t db.View, most int) (db.Set, error) {
		rows, err := db.All(t, func(r db.Row) (row, error) { return row{r.Int(0), r.Text(1), r.Text(2)}, nil },
			"SELECT bucket, account, event FROM origins WHERE at <= $1 ORDER BY at LIMIT $2", through, int64(most))
		return db.SetOf(rows,
			db.Int("bucket", func(r row) int64 { return r.bucket }),
			db.Text("account", func(r row) string { return r.account }),
			db.Text("event", func(r row) string { return r.event })), err
	}, "DELETE FROM origins WHERE bucket = $1 AND account = $2 AND event = $3")
}
