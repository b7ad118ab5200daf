package people

import (
	"bytes"
	"context"
	"fmt"
	"slices"

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
			var keys []access.Key
			err := t.Query(func(r db.Row) error {
				k, err := scanKey(r)
				keys = append(keys, k)
				return err
			}, keyColumns+"WHERE (bucket, key) > ($1, $2) ORDER BY bucket, key LIMIT $3", bucket, after,
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
	var buckets []int64
	var names []string
	var before, after [][]byte
	for _, k := range keys {
		was := bytes.Clone(k.Secret)
		changed, err := reseal(&k)
		if err != nil {
			return 0, err
		}
		if changed {
			buckets, names = append(buckets, keyBucket(k.Key)), append(names, k.Key)
			before, after = append(before, was), append(after, slices.Clone(k.Secret))
		}
	}
	if len(names) == 0 {
		return 0, nil
	}
	// A secret that another process has resealed in between stays.
	if _, err := t.Set(nil, "UPDATE keys SET secret = r.after FROM {rows} "+
		"WHERE keys.bucket = r.bucket AND keys.key = r.key AND keys.secret = r.before",
		db.Set{db.Ints("bucket", buckets), db.Texts("key", names), db.Blobs("before", before), db.Blobs("after",
			after)}); err != nil {
		return 0, err
	}
	return len(names), p.books.Log(t, "key reseal", "keys",
		fmt.Sprintf("%d secrets, from %s to %s",
			len(names), access.Key{Key: names[0]}.Short(), access.Key{Key: names[len(names)-1]}.Short()))
}
