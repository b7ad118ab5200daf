package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"softstake/ledger"
	"softstake/staking"
)

// Entry is an entry as the journal names it, and when it was written: one that was
// posted, a reward that was credited (reward/DAY/TOKEN/ACCOUNT), or a token's day that
// was declared (declare/DAY/TOKEN), with a move for each bucket that it is paid in.
// ErrNotFound if there is none.
func (db *DB) Entry(ctx context.Context, id string) (e ledger.Entry, postedAt time.Time, err error) {
	var written int64
	err = db.engine.read(ctx, func(t tx) (err error) {
		found := false
		e = ledger.Entry{ID: id}
		switch kind, key := runEntry(id); kind {
		case KindReward:
			written, found, err = readReward(t, key, &e)
		case kindDeclare:
			written, found, err = readDeclaration(t, key, &e)
		default:
			written, found, err = readPosted(t, &e)
		}
		if err == nil && !found {
			err = fmt.Errorf("%w: entry %q", ledger.ErrNotFound, ledger.Clip(id))
		}
		return err
	})
	if err != nil {
		return ledger.Entry{}, time.Time{}, fmt.Errorf("look an entry up: %w", err)
	}
	return e, timeOf(written), nil
}

// runKey is what finds an entry that a run writes.
type runKey struct {
	day     staking.Day
	asset   string
	account ledger.Account // of a reward only
}

// runEntry parses the ID of an entry that a run writes: reward/DAY/TOKEN/ACCOUNT or
// declare/DAY/TOKEN. kind is "" for any other ID. These entries are not in the table
// entries; they are found by day, token and account.
func runEntry(id string) (kind ledger.Kind, key runKey) {
	parts := strings.Split(id, "/")
	switch {
	case len(parts) == 4 && parts[0] == string(KindReward):
		kind, key.account = KindReward, ledger.Account(parts[3])
	case len(parts) == 3 && parts[0] == string(kindDeclare):
		kind = kindDeclare
	default:
		return "", runKey{}
	}
	day, err := staking.ParseDay(parts[1])
	if err != nil {
		return "", runKey{}
	}
	key.day, key.asset = day, parts[2]
	return kind, key
}

// readReward reads a reward that was credited, as the entry that it stands for.
func readReward(t tx, key runKey, e *ledger.Entry) (written int64, found bool, err error) {
	var reward int64
	found, err = one(t, []*int64{&reward, &written}, `SELECT a.reward, p.paid_at
	      FROM accruals a JOIN payments p ON p.bucket = a.bucket AND p.day = a.day AND p.asset = a.asset
	     WHERE a.bucket = $1 AND a.day = $2 AND a.account = $3 AND a.asset = $4 AND a.reward > 0`,
		int64(key.account.Bucket()), int64(key.day), string(key.account), key.asset)
	e.Kind, e.At = KindReward, (key.day + 1).Start()
	e.Moves = []ledger.Move{{From: ledger.Payable, To: key.account, Asset: key.asset, Amount: ledger.Amount(reward)}}
	return written, found, err
}

// readDeclaration reads what was declared for a token's day, by bucket. A day that
// nobody earned on has no moves.
func readDeclaration(t tx, key runKey, e *ledger.Entry) (written int64, found bool, err error) {
	found, err = one(t, []*int64{&written},
		"SELECT declared_at FROM declarations WHERE day = $1 AND asset = $2", int64(key.day), key.asset)
	if err != nil || !found {
		return 0, false, err
	}
	e.Kind, e.At = kindDeclare, (key.day + 1).Start()
	buckets := everyBucket(key.day)
	totals := make([]int64, buckets.rows())
	if _, err := t.set(func(r row) error { totals[r.int(0)] = r.int(1); return nil },
		"SELECT b.bucket, b.total FROM {rows} JOIN batches b ON b.bucket = r.bucket AND b.day = r.day AND b.asset = r.asset",
		append(buckets, texts("asset", repeat(key.asset, len(totals))))); err != nil {
		return 0, false, err
	}
	for _, total := range totals {
		if total > 0 {
			move := ledger.Move{From: ledger.Rewards, To: ledger.Payable, Asset: key.asset, Amount: ledger.Amount(total)}
			e.Moves = append(e.Moves, move)
		}
	}
	return written, true, nil
}

// readPosted reads an entry that was posted.
func readPosted(t tx, e *ledger.Entry) (written int64, found bool, err error) {
	var at int64
	found, err = one(t, []*int64{&at, &written}, "SELECT at, posted_at FROM entries WHERE bucket = $1 AND entry = $2", int64(e.Bucket()), e.ID)
	if err != nil || !found {
		return 0, false, err
	}
	e.At = timeOf(at)
	return written, true, readMoves(t, e)
}

// readMoves reads an entry's moves, wherever they lie: each bucket is asked by key.
func readMoves(t tx, e *ledger.Entry) error {
	var postings []ledger.Posting
	buckets := everyBucket(staking.DayOf(e.At))
	times, ids := make([]int64, buckets.rows()), make([]string, buckets.rows())
	for i := range times {
		times[i], ids[i] = e.At.UnixMilli(), e.ID
	}
	_, err := t.set(func(r row) error {
		postings = append(postings, ledger.Posting{
			Account: ledger.Account(r.text(0)), Asset: r.text(1), Move: int(r.int(2)), Amount: ledger.Amount(r.int(3)), Other: ledger.Account(r.text(4)), Kind: ledger.Kind(r.text(5)),
		})
		return nil
	}, `SELECT p.account, p.asset, p.move, p.amount, p.other, p.kind
	      FROM {rows} JOIN postings p ON p.bucket = r.bucket AND p.day = r.day AND p.at = r.at AND p.entry = r.entry AND p.side = 0`,
		append(buckets, ints("at", times), texts("entry", ids)))
	if err != nil {
		return err
	}
	slices.SortFunc(postings, func(a, b ledger.Posting) int { return a.Move - b.Move })
	for _, p := range postings {
		e.Kind = p.Kind
		e.Moves = append(e.Moves, ledger.Move{From: p.Account, To: p.Other, Asset: p.Asset, Amount: -p.Amount})
	}
	return nil
}
