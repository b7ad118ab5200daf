package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

const (
	// sentAfter is how long the operator takes to send a withdrawal.
	sentAfter = time.Hour
	// refillDays is for how many days an empty pool is filled.
	refillDays = 30
	// withdrawalsAtOnce is how many withdrawals are sent at once.
	withdrawalsAtOnce = 1000
)

// Move moves the clock on to a moment, and lets happen what happens until then:
// people trade, days are settled and prices change. progress is called with how many of
// the days on the way are settled; it may be nil. A move that was stopped goes on
// with the next one. Of several at once one comes after another; a moment that is
// past by then moves nothing.
func (t *Town) Move(ctx context.Context, to time.Time, progress func(done, of int)) error {
	t.moving.Lock()
	defer t.moving.Unlock()
	defer t.Clock.stand()()
	for next := t.planned + 1; !next.Start().After(to); next++ {
		t.begin(next)
		t.sendEachHour(next)
	}
	t.paid = nil
	if progress != nil {
		done, of := 0, 0
		for d := t.settled + 1; !settledAt(d).After(to); d++ {
			of++
		}
		progress(done, of)
		t.paid = func(int, int) { done++; progress(done, of) }
	}
	return t.liveUntil(ctx, to)
}

// Still does something while the clock does not move: what is dated now is posted
// before its day is closed.
func (t *Town) Still(do func()) {
	t.still.RLock()
	defer t.still.RUnlock()
	do()
}

// payAll pays a day after those that the report covers: nothing waits, for pools
// that run out are filled.
func (t *Town) payAll(ctx context.Context, d staking.Day) error {
	waiting, err := t.run(ctx, d)
	if err != nil || len(waiting) == 0 {
		return err
	}
	if err := t.refill(ctx, waiting); err != nil {
		return err
	}
	if waiting, err = t.run(ctx, d); err != nil {
		return err
	}
	for _, w := range waiting {
		if errors.Is(w.Reason, staking.ErrFunds) {
			return fmt.Errorf("%s of %s waits though its pool was filled: %w", w.Asset, w.Day, w.Reason)
		}
	}
	return nil // what else waits needs approval: an operator has set a limit
}

// refill fills the pools of what waits for funds.
func (t *Town) refill(ctx context.Context, waiting []staking.Waiting) error {
	previews, err := t.Reports.Preview(ctx)
	if err != nil {
		return err
	}
	total := map[string]ledger.Amount{}
	for _, p := range previews {
		total[p.Asset] = p.Total
	}
	for _, w := range waiting {
		if !errors.Is(w.Reason, staking.ErrFunds) {
			continue
		}
		if err := t.fund(ctx, fmt.Sprintf("refill/%s/%s", w.Day, w.Asset), w.Asset, refillDays*total[w.Asset],
			false); err != nil {
			return err
		}
	}
	return nil
}

// sendEachHour lets the operator look each hour of a day for withdrawals to be sent.
func (t *Town) sendEachHour(d staking.Day) {
	for hour := range 24 {
		t.at(d.Start().Add(time.Duration(hour)*time.Hour), t.send)
	}
}

// send sends the withdrawals that were requested on the pages or through an API
// an hour ago or longer. Large ones it leaves to those at the console.
func (t *Town) send(ctx context.Context) error {
	pending, err := t.Reports.PendingWithdrawals(ctx, store.Withdrawal{}, withdrawalsAtOnce)
	if err != nil {
		return err
	}
	var entries []ledger.Entry
	for _, w := range pending {
		if w.At.Add(sentAfter).After(t.Clock.Now()) || t.isLarge(w) {
			continue
		}
		sent := w.Ending(ledger.WithdrawalCompleted)
		sent.At = t.Clock.Now()
		entries = append(entries, sent)
	}
	if len(entries) == 0 {
		return nil
	}
	_, err = t.Books.PostAll(ctx, entries)
	return err
}
