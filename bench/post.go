package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/softstake/softstake/ledger"
)

// Transfers are how many transfers to post between random accounts.
type Transfers struct {
	Callers   int // of batches
	Batch     int // transfers a call
	Transfers int // in batches
	Singles   int // callers with one transfer a call
	SingleN   int // transfers of theirs
}

// Transferred is what was measured of them.
type Transferred struct {
	Transfers
	Time       time.Duration // of the batches
	SingleTime time.Duration
	SingleP99  time.Duration // of one call, until it is durable
}

// PostOptions are how much to post.
type PostOptions struct {
	Accounts int
	Before   int // entries to be in the books before
	Transfers
}

// Posted is what was measured of posting.
type Posted struct {
	Engine   string
	Accounts int
	Before   int // entries in the books before
	Transferred
	RawTime time.Duration // of the batches' transfers
	PeakRSS int64         // of this process, bytes
}

// Post fills books with accounts and some entries, posts transfers between random
// accounts in batches, then singly from many callers at once, and measures both.
func Post(ctx context.Context, o Options, p PostOptions) (r Posted, err error) {
	err = on(ctx, o, p.Accounts, o.Day-1, func(b *books) error {
		// What was before lies on the day before, as it would.
		b.set(o.Day.Start().Add(-time.Minute))
		before := &traffic{books: b, name: "before", batch: chunk, random: o.Seed, post: b.postAll}
		if _, err := before.run(ctx, p.Callers, p.Before, "history"); err != nil {
			return err
		}
		b.set(o.Day.Start().Add(12 * time.Hour))
		about, err := b.Engine().Compact(ctx)
		if err != nil {
			return err
		}
		r = Posted{Engine: about.Engine, Accounts: p.Accounts, Before: p.Before}
		if r.Transferred, err = b.measureTransfers(ctx, p.Transfers, b.postAll, b.postAll); err != nil {
			return err
		}
		if r.PeakRSS, err = peakRSS(); err != nil {
			return err
		}
		r.RawTime, err = rawTransfers(ctx, b.URL, p.Accounts, p.Transfers.Transfers, p.Batch, o.Seed)
		return err
	})
	return r, err
}

// measureTransfers posts transfers in batches by all, and then one at a time by one.
func (b *books) measureTransfers(ctx context.Context, n Transfers,
	all, one func(context.Context, []ledger.Entry) error) (Transferred, error) {
	r := Transferred{Transfers: n}
	batches := &traffic{books: b, name: "batch", batch: n.Batch, random: b.Seed + 1, post: all}
	d, err := batches.run(ctx, n.Callers, n.Transfers, "batches")
	if err != nil {
		return r, fmt.Errorf("batches: %w", err)
	}
	r.Time = d.time
	singles := &traffic{books: b, name: "single", batch: 1, random: b.Seed + 2, post: one}
	if d, err = singles.run(ctx, n.Singles, n.SingleN, "singles"); err != nil {
		return r, fmt.Errorf("single entries: %w", err)
	}
	r.SingleTime, r.SingleP99 = d.time, d.p99
	return r, nil
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
		tokens[random.IntN(len(tokens))], ledger.Amount(random.IntN(1000)+1), time.Time{})
}
