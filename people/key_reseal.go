package people

import (
	"bytes"
	"context"
	"fmt"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
)

// resealPart is how many keys one transaction seals again.
const resealPart = 500

// Reseal calls reseal for every API key, revoked ones too, and writes the secrets of those
// that it changed; n counts them. It commits in parts: if it was interrupted, call it again.
// reseal may be called several times for a key. An error of reseal ends it.
func (p *People) Reseal(ctx context.Context, reseal func(*access.Key) (changed bool, err error)) (n int, err error) {
	bucket, after, more := int64(-1), "", true
	for err == nil && more {
		part, last := 0, ""
		err = p.db.Write(ctx, func(t db.Tx) error {
			keys, err := db.All(t, scanKey,
				keyColumns+"WHERE (bucket, key) > ($1, $2) ORDER BY bucket, key LIMIT $3", bucket, after,
				int64(resealPart))
			if more = len(keys) == resealPart; err != nil || len(keys) == 0 {
				return err
			}
			part, err = p.reseal(t, keys, reseal)
			last = keys[len(keys)-1].Key
			return err
		})
		n, bucket, after = n+part, keyBucket(last), last
	}
	if err != nil {
		return n, fmt.Errorf("seal the secrets of keys again: %w", err)
	}
	return n, nil
}

// reseal writes the secrets that change, and a line of the log.
func (p *People) reseal(t db.Tx, keys []access.Key, reseal func(*access.Key) (bool, error)) (n int, err error) {
	type resealed struct {
		access.Key
		before []byte
	}
	var rows []resealed
	for _, k := range keys {
		was := bytes.Clone(k.Secret)
		changed, err := reseal(&k)
		if err != nil {
			return 0, err
		}
		if changed {
			rows = append(rows, resealed{k, was})
		}
	}
	if len(rows) == 0 {
		return 0, nil
	}
	// A secret that another process has resealed in between stays.
	if _, err := t.Set(nil, "UPDATE keys SET secret = r.after FROM {rows} "+
		"WHERE keys.bucket = r.bucket AND keys.key = r.key AND keys.secret = r.before",
		db.SetOf(rows,
			db.Int("bucket", func(r resealed) int64 { return keyBucket(r.Key.Key) }),
			db.Text("key", func(r resealed) string { return r.Key.Key }),
			db.Blob("before", func(r resealed) []byte { return r.before }),
			db.Blob("after", func(r resealed) []byte { return r.Secret }))); err != nil {
		return 0, err
	}
	return len(rows), p.books.Log(t, "key reseal", "keys",
		fmt.Sprintf("%d secrets, from %s to %s", len(rows), rows[0].Short(), rows[len(rows)-1].Short()))
}
