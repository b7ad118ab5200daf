package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Settled is what was measured of settling one day.
type Settled struct {
	Engine         string
	Holders        int
	Changes        int // a position, on the day measured
	History        int // days before it, settled
	Positions      int64
	Time           time.Duration // from closing the day to the last reward paid
	RawRows        int64         // credits of the raw measurement
	RawTime        time.Duration
	PeakRSS        int64 // of this process, bytes
	BytesPerReward int64 // that the books grew by
}

// Settle fills books with holders of two tokens and some days of history, settles
// one more day with the given number of changes of each position, and measures it. In the mode
// share that day weighs itself, and divides the income of the days before it, each by itself.
func Settle(ctx context.Context, o Options, holders, changes, history int) (s Settled, err error) {
	first := o.Day - staking.Day(history)
	err = on(ctx, o, holders, first, func(b *books) error {
		if err := b.settleHistory(ctx, first, history); err != nil {
			return err
		}
		if err := b.change(ctx, o.Day, changes); err != nil {
			return fmt.Errorf("change the balances: %w", err)
		}
		if err := b.enterIncome(ctx, o.Day); err != nil {
			return fmt.Errorf("enter income: %w", err)
		}
		before, err := b.Engine().Compact(ctx)
		if err != nil {
			return err
		}
		began := time.Now()
		if err := b.settleDay(ctx, o.Day); err != nil {
			return err
		}
		s = Settled{Engine: before.Engine, Holders: holders, Changes: changes, History: history,
			Positions: int64(holders * len(tokens)), Time: time.Since(began)}
		if s.PeakRSS, err = peakRSS(); err != nil {
			return err
		}
		after, err := b.Engine().Compact(ctx)
		if err != nil {
			return err
		}
		s.BytesPerReward = (after.Bytes - before.Bytes) / max(s.Positions, 1)
		b.progress("raw", 0, 1)
		s.RawRows = min(s.Positions, rawLimit)
		s.RawTime, err = rawCredits(ctx, b.URL, int(s.RawRows))
		b.progress("raw", 1, 1)
		return err
	})
	return s, err
}

// enterIncome enters, in the mode share, the income of each of the days before one.
func (b *books) enterIncome(ctx context.Context, d staking.Day) error {
	if b.Mode != staking.Share {
		return nil
	}
	b.set(d.Start().Add(12 * time.Hour))
	for _, token := range tokens {
		for n := range b.Periods {
			day := d - 1 - staking.Day(n)
			_, err := b.PostIncome(ctx, staking.Income{Reference: fmt.Sprintf("%s/%d", token, n), Asset: token, Chain: "chain",
				Source: "validator", First: day, Last: day, Gross: ledger.Amount(b.holders) * each / 10_000, Evidence: "report"})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// settleHistory settles some days from the first on.
func (b *books) settleHistory(ctx context.Context, first staking.Day, days int) error {
	for n := range days {
		if err := b.settleDay(ctx, first+staking.Day(n)); err != nil {
			return err
		}
		b.progress("history", n+1, days)
	}
	return nil
}

const (
	closeAfter = 5 * time.Minute
	rawLimit   = 1_000_000
)

func (b *books) settleDay(ctx context.Context, d staking.Day) error {
	b.set((d + 1).Start().Add(closeAfter))
	report, err := staking.Run(ctx, b.DB, b.now(), staking.Options{Workers: b.Workers})
	if err == nil && len(report.Waiting) > 0 {
		err = fmt.Errorf("%s waits: %w", report.Waiting[0].Asset, report.Waiting[0].Reason)
	}
	return err
}

// change moves a little from each holder to the next at random moments of the
// day, so that each position changes so many times.
func (b *books) change(ctx context.Context, d staking.Day, changes int) error {
	random := rand.New(rand.NewPCG(b.Seed, uint64(d)))
	b.set(d.Start().Add(23*time.Hour + 59*time.Minute))
	for bucket := range ledger.Buckets {
		if changes == 0 {
			break
		}
		var entries []ledger.Entry
		err := b.inBucket(bucket, func(holders []int) error {
			for _, h := range holders {
				for _, token := range tokens {
					for n := range (changes + 1) / 2 {
						at := d.Start().Add(time.Duration(random.IntN(23*3600)) * time.Second)
						entries = append(entries, transfer(fmt.Sprintf("change-%d-%d-%s-%d", d, h, token, n),
							id(h), id((h+1)%b.holders), token, ledger.Amount(random.IntN(1000)+1), at))
					}
				}
			}
			return nil
		})
		for len(entries) > 0 && err == nil {
			n := min(len(entries), chunk)
			err = accepted(b.Post(ctx, entries[:n]))
			entries = entries[n:]
		}
		if err != nil {
			return err
		}
		b.progress("change", bucket+1, ledger.Buckets)
	}
	return nil
}

func transfer(entry string, from, to ledger.Account, token string, amount ledger.Amount, at time.Time) ledger.Entry {
	return ledger.Entry{ID: entry, Kind: ledger.Transfer, At: at,
		Moves: []ledger.Move{{From: from, To: to, Asset: token, Amount: amount}}}
}
