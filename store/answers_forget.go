package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/ledger"
)

// How many rows are removed in one transaction at most: few enough that nobody waits long for it.
const (
	forgetRows = 1000
	forgetNews = 16 // of each bucket
)

// newsGrace is how much longer news is there than it is promised: whoever has begun
// to read at the very end of the time finds all of it.
const newsGrace = time.Hour

// Forget removes what is kept for a time only, and is over: answers, news, sessions,
// drafts and attempts. It works in small transactions; safe to call twice, and from several processes.
func (db *DB) Forget(ctx context.Context) error {
	now := db.now()
	if err := db.forget(ctx, func(t view) (set, error) { return oldAnswers(t, now) },
		"DELETE FROM answers WHERE bucket = $1 AND owner = $2 AND key = $3 AND claimed = $4 AND until = $5"); err != nil {
		return fmt.Errorf("forget answers: %w", err)
	}
	if err := db.forget(ctx, func(t view) (set, error) { return oldNews(t, now-(NewsKept+newsGrace).Milliseconds()) },
		"DELETE FROM news WHERE bucket = $1 AND at = $2 AND nonce = $3"); err != nil {
		return fmt.Errorf("forget news: %w", err)
	}
	for _, old := range []struct {
		what, find, remove string
		until              int64
	}{
		{"sessions", "SELECT bucket, id, expires FROM sessions WHERE expires <= $1 ORDER BY expires LIMIT $2",
			"DELETE FROM sessions WHERE bucket = $1 AND id = $2 AND expires = $3", now},
		{"drafts", "SELECT bucket, id, expires FROM drafts WHERE expires <= $1 ORDER BY expires LIMIT $2",
			"DELETE FROM drafts WHERE bucket = $1 AND id = $2 AND expires = $3", now},
		{"attempts", "SELECT bucket, who, since FROM attempts WHERE since <= $1 ORDER BY since LIMIT $2",
			"DELETE FROM attempts WHERE bucket = $1 AND who = $2 AND since = $3", now - AttemptsKept.Milliseconds()},
	} {
		if err := db.forget(ctx, func(t view) (set, error) { return oldNames(t, old.find, old.until) }, old.remove); err != nil {
			return fmt.Errorf("forget %s: %w", old.what, err)
		}
	}
	return nil
}

// forget removes what find gives, a row each time, until it gives nothing.
func (db *DB) forget(ctx context.Context, find func(view) (set, error), remove string) error {
	for {
		var old set
		err := db.engine.Read(ctx, func(t view) (err error) {
			old, err = find(t)
			return err
		})
		if err != nil || old.Len() == 0 {
			return err
		}
		if err := db.engine.Write(ctx, func(t tx) error { return t.Each(nil, remove, old) }); err != nil {
			return err
		}
	}
}

// oldAnswers are some that are over, but for those that somebody may still be at.
func oldAnswers(t view, now int64) (set, error) {
	var buckets, claimed, until []int64
	var owners, keys []string
	err := t.Query(func(r row) error {
		buckets, owners, keys = append(buckets, r.Int(0)), append(owners, r.Text(1)), append(keys, r.Text(2))
		claimed, until = append(claimed, r.Int(3)), append(until, r.Int(4))
		return nil
	}, `SELECT bucket, owner, key, claimed, until FROM answers
	     WHERE until <= $1 AND (status <> 0 OR claimed <= $2) ORDER BY until LIMIT $3`, now, now-AnswerWait.Milliseconds(), int64(forgetRows))
	return set{ints("bucket", buckets), texts("owner", owners), texts("key", keys), ints("claimed", claimed), ints("until", until)}, err
}

// oldNews are some from before a moment.
func oldNews(t view, before int64) (set, error) {
	var buckets, ats []int64
	var nonces []string
	err := t.QueryEach(func(r row) error {
		buckets, ats, nonces = append(buckets, r.Int(0)), append(ats, r.Int(1)), append(nonces, r.Text(2))
		return nil
	}, "SELECT bucket, at, nonce FROM news WHERE bucket = $1 AND at < $2 ORDER BY at LIMIT $3", set{
		everyBucket(0)[0], ints("before", slices.Repeat([]int64{before}, ledger.Buckets)), ints("most", slices.Repeat([]int64{forgetNews}, ledger.Buckets)),
	})
	return set{ints("bucket", buckets), ints("at", ats), texts("nonce", nonces)}, err
}

// oldNames are what a query finds of a time and before: where each lies, its name, and
// its own time, by which it is removed only where nobody has renewed it meanwhile.
func oldNames(t view, find string, until int64) (set, error) {
	var buckets, times []int64
	var names []string
	err := t.Query(func(r row) error {
		buckets, names, times = append(buckets, r.Int(0)), append(names, r.Text(1)), append(times, r.Int(2))
		return nil
	}, find, until, int64(forgetRows))
	return set{ints("bucket", buckets), texts("name", names), ints("time", times)}, err
}
