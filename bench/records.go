package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/staking"
)

// Recorded is what was measured of the record of one day, with the sum trees of what is owed.
type Recorded struct {
	Engine    string
	Holders   int
	History   int // days before it, settled and recorded
	Positions int64
	Time      time.Duration // of making the record
	Processor time.Duration // of this process, over that time
	PeakRSS   int64         // of this process, bytes; Before: until the record was begun
	Before    int64
	ProofP50  time.Duration // within which half of the proofs of a holder's day were made, of all tokens, and 99 of 100
	ProofP99  time.Duration
}

// proofs is for how many holders proofs are made.
const proofs = 100

// Records fills books with holders of two tokens, settles and records some days, and measures the record of one day
// more, which has a change of each position: the rows of the day, and a sum tree of each token.
func Records(ctx context.Context, o Options, holders, history int) (r Recorded, err error) {
	first := o.Day - staking.Day(history)
	err = on(ctx, o, holders, first, func(b *books) error {
		if err := b.settleHistory(ctx, first, history); err != nil {
			return err
		}
		if err := b.change(ctx, o.Day, 1); err != nil {
			return fmt.Errorf("change the balances: %w", err)
		}
		b.set(o.Day.Start().Add(time.Hour))
		if _, err := b.Evidence().Make(ctx); err != nil {
			return err
		}
		if err := b.settleDay(ctx, o.Day); err != nil {
			return err
		}
		b.set((o.Day + 1).Start().Add(time.Hour))
		r = Recorded{Holders: holders, History: history, Positions: int64(holders * len(tokens))}
		size, err := b.Engine().Compact(ctx)
		if err != nil {
			return err
		}
		r.Engine = size.Engine
		if r.Before, err = peakRSS(); err != nil {
			return err
		}
		if err := b.makeRecord(ctx, &r); err != nil {
			return err
		}
		return b.readProofs(ctx, &r)
	})
	return r, err
}

// makeRecord makes the record of the last day.
func (b *books) makeRecord(ctx context.Context, r *Recorded) error {
	began, used := time.Now(), processorTime()
	made, err := b.Evidence().Make(ctx)
	if err != nil {
		return err
	}
	if made != 1 {
		return fmt.Errorf("%d records are made, and not one", made)
	}
	r.Time, r.Processor = time.Since(began), processorTime()-used
	r.PeakRSS, err = peakRSS()
	return err
}

// sign makes the records of all days that are over, and signs them.
func (b *books) sign(ctx context.Context) error {
	private, _, err := evidence.NewKey(rand.Reader, "bench")
	if err != nil {
		return err
	}
	signer, _, err := evidence.KeySigner(private)
	if err == nil {
		_, err = b.Evidence().Make(ctx)
	}
	if err == nil {
		_, _, err = b.Evidence().Sign(ctx, signer)
	}
	return err
}

// readProofs signs the records, and makes the proofs of some holders.
func (b *books) readProofs(ctx context.Context, r *Recorded) error {
	if err := b.sign(ctx); err != nil {
		return err
	}
	d, err := b.drive(ctx, 1, proofs, 1, "proofs", func(ctx context.Context, n, _ int) error {
		all, err := b.Reader().Evidence().Proofs(ctx, id(n*7919%b.holders), b.Day)
		if err == nil && len(all) != len(tokens) {
			err = fmt.Errorf("a holder of %d tokens has %d proofs", len(tokens), len(all))
		}
		return err
	})
	r.ProofP50, r.ProofP99 = d.p50, d.p99
	return err
}
