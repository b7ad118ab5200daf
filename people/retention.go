package people

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/origin"
)

// Retention is for how long what is personal is kept. 0: until the person is erased.
type Retention struct {
	// Where events and sessions came from: network addresses and clients, and the notices that name them.
	Origins time.Duration
	Emails  time.Duration // the e-mail addresses of logins that have ended
}

// PrunePersonal removes what is personal and older than its retention, in small transactions. Repeating it has no
// further effect, and several processes may call it at the same time.
func (p *People) PrunePersonal(ctx context.Context, r Retention) error {
	if r.Origins > 0 {
		before := p.now() - r.Origins.Milliseconds()
		err := origin.Prune(ctx, p.db, before)
		if err == nil {
			// A session that is used may live longer than what says where it began.
			err = p.prune(ctx, "SELECT bucket, id, created FROM sessions WHERE created <= $1 "+
				"AND (client <> '' OR address <> '') ORDER BY created LIMIT $2",
				"UPDATE sessions SET client = '', address = '' WHERE bucket = $1 AND id = $2 AND created = $3", before)
		}
		if err == nil {
			err = p.pruneNotices(ctx, before)
		}
		if err != nil {
			return fmt.Errorf("remove where events came from: %w", err)
		}
	}
	if r.Emails > 0 {
		err := p.prune(ctx, "SELECT bucket, reference, ended FROM emails WHERE ended > 0 AND ended <= $1 "+
			"ORDER BY ended LIMIT $2",
			"DELETE FROM emails WHERE bucket = $1 AND reference = $2 AND ended = $3", p.now()-r.Emails.Milliseconds())
		if err != nil {
			return fmt.Errorf("remove the addresses of logins that have ended: %w", err)
		}
	}
	return nil
}

// pruneNotices removes the notices of a moment in milliseconds and earlier.
func (p *People) pruneNotices(ctx context.Context, through int64) error {
	type row struct {
		named
		account string
	}
	return p.db.Prune(ctx, func(t db.View, most int) (db.Set, error) {
		rows, err := db.All(t, func(r db.Row) (row, error) {
			return row{named{bucket: r.Int(0), time: r.Int(2), name: r.Text(3)}, r.Text(1)}, nil
		}, "SELECT bucket, account, at, nonce FROM notices WHERE at <= $1 ORDER BY at LIMIT $2", through, int64(most))
		return db.SetOf(rows,
			db.Int("bucket", func(r row) int64 { return r.bucket }),
			db.Text("account", func(r row) string { return r.account }),
			db.Int("at", func(r row) int64 { return r.time }),
			db.Text("nonce", func(r row) string { return r.name })), err
	}, "DELETE FROM notices WHERE bucket = $1 AND account = $2 AND at = $3 AND nonce = $4")
}

// prune removes the rows that find returns by a time until which they are old: of each its bucket, name and time. Its
// own time is a condition of its removal: it may have been renewed at the same time.
func (p *People) prune(ctx context.Context, find, remove string, until int64) error {
	return p.db.Prune(ctx, func(t db.View, most int) (db.Set, error) {
		rows, err := db.All(t, func(r db.Row) (named, error) {
			return named{bucket: r.Int(0), name: r.Text(1), time: r.Int(2)}, nil
		}, find, until, int64(most))
		return db.SetOf(rows,
			db.Int("bucket", func(n named) int64 { return n.bucket }),
			db.Text("name", func(n named) string { return n.name }),
			db.Int("time", func(n named) int64 { return n.time })), err
	}, remove)
}
