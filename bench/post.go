package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/softstake/softstake/ledger"
)

// Posted is what was measured of posting transfers between random accounts.
type Posted struct {
	Engine     string
	Accounts   int
	Before     int // entries in the books before
	Callers    int // of batches
	Batch      int
	Transfers  int // in batches
	Time       time.Duration
	Singles    int // callers with one transfer each
	SingleN    int // transfers of theirs
	SingleTime time.Duration
	SingleP99  time.Duration // of one call, until it is durable
	RawN       int
	RawTime    time.Duration
	PeakRSS    int64 // of this process, bytes
}

// PostOptions are how much to post.
type PostOptions struct {
	Accounts  int
	Before    int // entries to be in the books before
	Callers   int
	Batch     int // transfers a call
	Transfers int // in batches
	Singles   int // callers with one transfer each
	SingleN   int
}

// Post fills books with accounts and some entries, posts transfers between random
// accounts in batches, then singly from many callers at once, and measures both.
func Post(ctx context.Context, o Options, p PostOptions) (r Posted, err error) {
	b, err := create(ctx, o, p.Accounts, o.Day-1)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.close(), b.remove()) }()
	if err := b.fill(ctx, o.Day-1); err != nil {
		return r, fmt.Errorf("fill the books: %w", err)
	}
	// What was before lies on the day before, as it would.
	b.set(o.Day.Start().Add(-time.Minute))
	before := &traffic{books: b, name: "before", batch: chunk, random: o.Seed, post: b.postAll}
	if _, err := before.run(ctx, p.Callers, p.Before, "history"); err != nil {
		return r, err
	}
	b.set(o.Day.Start().Add(12 * time.Hour))
	about, err := b.Engine().Compact(ctx)
	if err != nil {
		return r, err
	}
	r = Posted{Engine: about.Engine, Accounts: p.Accounts, Before: p.Before, Callers: p.Callers, Batch: p.Batch,
		Transfers: p.Transfers, Singles: p.Singles, SingleN: p.SingleN, RawN: p.Transfers}
	batches := &traffic{books: b, name: "batch", batch: p.Batch, random: o.Seed + 1, post: b.postAll}
	d, err := batches.run(ctx, p.Callers, p.Transfers, "batches")
	if err != nil {
		return r, err
	}
	r.Time = d.time
	singles := &traffic{books: b, name: "single", batch: 1, random: o.Seed + 2, post: b.postAll}
	if d, err = singles.run(ctx, p.Singles, p.SingleN, "singles"); err != nil {
		return r, err
	}
	r.SingleTime, r.SingleP99 = d.time, d.p99
	if r.PeakRSS, err = peakRSS(); err != nil {
		return r, err
	}
	r.RawTime, err = rawTransfers(ctx, b.URL, p.Accounts, r.RawN, p.Batch, o.Seed)
	return r, err
}

// postAll posts entries, of which none may be refused.
func (b *books) postAll(ctx context.Context, entries []ledger.Entry) error {
	return accepted(b.Post(ctx, entries))
}

// traffic is transfers between random accounts.
type traffic struct {
	*books
	name   string
	batch  int
	random uint64
	post   func(context.Context, []ledger.Entry) error
}

// run posts n transfers from some callers at once.
func (t *traffic) run(ctx context.Context, callers, n int, what string) (driven, error) {
	return t.drive(ctx, callers, n, t.batch, what, func(ctx context.Context, from, to int) error {
		random := rand.New(rand.NewPCG(t.random, uint64(from)))
		entries := make([]ledger.Entry, to-from)
		for i := range entries {
			entries[i] = t.transfer(random, from+i)
		}
		return t.post(ctx, entries)
	})
}

// transfer is one between random accounts. Its ID is in order, as IDs that a
// ledger gives out are.
func (t *traffic) transfer(random *rand.Rand, n int) ledger.Entry {
	from := random.IntN(t.holders)
	to := (from + 1 + random.IntN(t.holders-1)) % t.holders
	return transfer(fmt.Sprintf("%s-%d-%09d", t.name, t.now().Unix(), n), id(from), id(to),
		tokens[random.IntN(len(tokens))],
		ledger.Amount(random.IntN(1000)+1), time.Time{})
}
