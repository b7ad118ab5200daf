package store

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// NewsKept is how long news is kept to be read again.
const NewsKept = 7 * 24 * time.Hour

// NewsLag is how long after the time it bears news may become visible: a reader
// that has come to a moment looks again at what is this much older. A third of it
// is for the transaction that writes, which starts over if it takes longer; the
// rest is for its commit, and for the clocks of several processes, which must not
// differ by more than ten seconds.
const NewsLag = 30 * time.Second

// NewsKey names a piece of news. News is in order of At, then of Nonce: what one
// process wrote about a balance is in the order in which it happened.
type NewsKey struct {
	At    time.Time // when it was written, by the clock of the process that wrote it
	Nonce string    // tells those of one moment apart; "" comes before all others
}

// News is what one transaction did, or a part of that where it is much.
type News struct {
	NewsKey
	Entries []PostedEntry // in the order in which they were posted
	Paid    []PaidBatch
	Settled []staking.Due // days of tokens that are paid in every bucket
}

// PostedEntry is an entry that was posted, with the balances as it left them.
type PostedEntry struct {
	ID       string
	Kind     ledger.Kind
	At       time.Time       // when it counts
	Balances []PostedBalance // of holders' accounts, free and held, that it changed
}

// PostedBalance is what an entry left on a balance.
type PostedBalance struct {
	Account ledger.Account // "alice" or "alice/held"
	Asset   string
	Change  ledger.Amount // not zero
	Balance ledger.Amount
}

// PaidBatch is a bucket's rewards of a token and day, of which some are above zero.
type PaidBatch struct {
	Bucket int
	staking.Due
	PaidAt time.Time // when they were credited
}

// Now is what time it is by the books' clock, in UTC, cut to milliseconds.
func (db *DB) Now() time.Time { return timeOf(db.now()) }

// NewsKeys are the keys of the news after a key, in order, at most limit.
func (db *DB) NewsKeys(ctx context.Context, after NewsKey, limit int) (keys []NewsKey, err error) {
	err = db.engine.Read(ctx, func(t view) error {
		keys = nil
		return t.Query(func(r row) error {
			keys = append(keys, NewsKey{timeOf(r.Int(0)), r.Text(1)})
			return nil
		}, "SELECT at, nonce FROM news WHERE (at, nonce) > ($1, $2) ORDER BY at, nonce LIMIT $3", after.At.UnixMilli(), after.Nonce, int64(limit))
	})
	if err != nil {
		return nil, fmt.Errorf("look for news: %w", err)
	}
	return keys, nil
}

// News is the news of some keys, in their order, without what has been forgotten.
// It may be a MiB a key.
func (db *DB) News(ctx context.Context, keys []NewsKey) (news []News, err error) {
	var buckets, ats []int64
	var nonces []string
	for _, k := range keys {
		buckets, ats, nonces = append(buckets, newsBucket(k.Nonce)), append(ats, k.At.UnixMilli()), append(nonces, k.Nonce)
	}
	err = db.engine.Read(ctx, func(t view) error {
		news = nil
		return t.QueryEach(func(r row) error {
			n, err := readNews(NewsKey{timeOf(r.Int(0)), r.Text(1)}, r.Bytes(2))
			news = append(news, n)
			return err
		}, "SELECT at, nonce, body FROM news WHERE bucket = $1 AND at = $2 AND nonce = $3",
			set{ints("bucket", buckets), ints("at", ats), texts("nonce", nonces)})
	})
	if err != nil {
		return nil, fmt.Errorf("read news: %w", err)
	}
	return news, nil
}

// newsBucket is the bucket that news lies in, by its nonce.
func newsBucket(nonce string) int64 { return int64(ledger.Entry{ID: nonce}.Bucket()) }

// rewardPage is how many rewards of a batch are in memory at once.
const rewardPage = 4096

// PaidRewards gives visit the rewards of a batch that are above zero, by account;
// or an account's alone, which is one read by key: account "" is all. visit may
// take its time: nothing is held open meanwhile.
func (db *DB) PaidRewards(ctx context.Context, b PaidBatch, account ledger.Account, visit func(staking.Accrual) error) error {
	which, from := "a.account = $4", account
	if account == "" {
		which = "a.account > $4"
	}
	for {
		var page []staking.Accrual
		err := db.engine.Read(ctx, func(t view) error {
			page = nil
			return t.Query(func(r row) error {
				page = append(page, ReadAccrual(r))
				return nil
			}, "SELECT "+AccrualColumns+" FROM accruals a WHERE a.bucket = $1 AND a.day = $2 AND a.asset = $3 AND a.reward > 0 AND "+which+" ORDER BY a.account LIMIT $5",
				int64(b.Bucket), int64(b.Day), b.Asset, string(from), int64(rewardPage))
		})
		if err != nil {
			return fmt.Errorf("read the rewards of %s of %s: %w", b.Asset, b.Day, err)
		}
		for _, a := range page {
			if err := visit(a); err != nil {
				return err
			}
		}
		if account != "" || len(page) < rewardPage {
			return nil
		}
		from = page[len(page)-1].Account
	}
}
