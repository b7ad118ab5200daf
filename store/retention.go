package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// pruneNews is how many rows of each bucket of the outbox are removed in one transaction.
const pruneNews = 16

// newsGrace is how much longer an outbox event is there than it is promised: whoever has
// begun to read at the very end of the time finds all of it.
const newsGrace = time.Hour

// Prune removes what is kept for a time only, and is over: responses, outbox events,
// sessions, drafts and attempt counters. It works in small transactions. Repeating it has
// no further effect, and several processes may call it at the same time.
func (db *DB) Prune(ctx context.Context) error {
	return errors.Join(db.Requests().Prune(ctx), db.People().Prune(ctx), db.pruneNews(ctx))
}

// oldNews is an outbox event whose time is over.
type oldNews struct {
	bucket, at int64
	nonce      string
}

func (b *DB) pruneNews(ctx context.Context) error {
	before := b.now() - (NewsKept + newsGrace).Milliseconds()
	err := b.engine.Prune(ctx, func(t view, _ int) (set, error) {
		var old []oldNews
		err := t.QueryEach(func(r row) error {
			old = append(old, oldNews{r.Int(0), r.Int(1), r.Text(2)})
			return nil
		}, "SELECT bucket, at, nonce FROM news WHERE bucket = $1 AND at < $2 ORDER BY at LIMIT $3", set{
			EveryBucket(0)[0], ints("before", slices.Repeat([]int64{before}, ledger.Buckets)), ints("most", slices.Repeat([]int64{pruneNews}, ledger.Buckets)),
		})
		return db.SetOf(old,
			db.Int("bucket", func(n oldNews) int64 { return n.bucket }),
			db.Int("at", func(n oldNews) int64 { return n.at }),
			db.Text("nonce", func(n oldNews) string { return n.nonce })), err
	}, "DELETE FROM news WHERE bucket = $1 AND at = $2 AND nonce = $3")
	if err != nil {
		return fmt.Errorf("remove old events of the outbox: %w", err)
	}
	return nil
}
