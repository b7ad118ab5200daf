package demo

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// fillPools is what the operator does at the end of the first day: puts into each
// pool more than all holders together could earn until the last.
func (t *Town) fillPools(ctx context.Context) error {
	for _, token := range t.market.fixed {
		if err := t.fill(ctx, token, "first"); err != nil {
			return err
		}
	}
	if t.Last-t.First >= 8 {
		// Behind the tokens of the campaign another would wait, for a reason that is not theirs.
		token := oneOf(t.luck, slices.DeleteFunc(slices.Clone(t.market.fixed), func(s string) bool {
			return s == eligible || s == paidIn
		}))
		t.at((t.First + 3).Start().Add(16*time.Hour), func(ctx context.Context) error { return t.takeTooMuch(ctx, token) })
	}
	return nil
}

// fill funds a token with three times what all there is of it could earn.
func (t *Town) fill(ctx context.Context, token, name string) error {
	terms, whole := t.market.token[token].Terms, power(t.market.token[token].Asset.Scale)
	// What came into the town lies with the outside world as a debt.
	need := big.NewInt(-int64(t.purses[purse{ledger.Custody, token}]))
	need.Mul(need, big.NewInt(3*int64(t.Last-t.First)*int64(terms.APR)))
	need.Quo(need, new(big.Int).Mul(big.NewInt(365*100_000_000), whole))
	need.Add(need, big.NewInt(1)).Mul(need, whole)
	if !need.IsInt64() {
		return fmt.Errorf("the pool of %s would need %s smallest units, which do not fit", token, need)
	}
	return t.fund(ctx, name+"/"+token, token, ledger.Amount(need.Int64()), false)
}

func (t *Town) fund(ctx context.Context, id, token string, amount ledger.Amount, withdraw bool) error {
	out, err := t.Books.Fund(ctx, id, token, amount, withdraw)
	if err == nil {
		err = out.Err
	}
	return err
}

// takeTooMuch takes surplus out of a pool, and leaves too little: some days later
// it runs out, and days of that token wait.
func (t *Town) takeTooMuch(ctx context.Context, token string) error {
	tokens, err := t.Reports.TokenStatus(ctx)
	if err != nil {
		return err
	}
	for _, s := range tokens {
		left := s.LastTotal * ledger.Amount((t.Last-t.First)/2-1)
		if s.Asset == token && left < s.Pool {
			return t.fund(ctx, "surplus/"+token, token, s.Pool-left, true)
		}
	}
	return nil
}

// settle is the night after a day: its prices are set, it is closed and settled,
// and tomorrow's prices are others.
func (t *Town) settle(ctx context.Context, d staking.Day) error {
	if err := t.flush(ctx); err != nil {
		return err
	}
	if _, err := t.Books.Prices().Set(ctx, t.market.prices(d)); err != nil {
		return err
	}
	if _, err := t.Books.CurrencyRates().Set(ctx, t.market.rates(d)); err != nil {
		return err
	}
	pay := t.pay
	if d > t.Last {
		pay = t.payAll
	}
	if err := pay(ctx, d); err != nil {
		return err
	}
	t.market.walk(t.luck)
	t.settled = d
	if t.paid != nil {
		t.paid(int(d-t.First)+1, int(t.Last-t.First)+1)
	}
	return nil
}

// pay pays a day that the report covers: some wait for funds, for a while.
func (t *Town) pay(ctx context.Context, d staking.Day) error {
	waiting, err := t.run(ctx, d)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		if !errors.Is(w.Reason, staking.ErrFunds) {
			continue // for what another token waits for
		}
		if d == t.Last {
			err = t.fill(ctx, w.Asset, "again")
		} else if w.Day == d { // it has begun to wait
			t.at(t.noonAfter(d), func(ctx context.Context) error { return t.fill(ctx, w.Asset, "again") })
		}
		if err != nil {
			return err
		}
	}
	if d == t.Last && len(waiting) > 0 {
		_, err = t.run(ctx, d)
	}
	return err
}

// noonAfter is when the operator fills a pool that was empty when a day should
// have been paid: at noon two days later, unless the town has ended by then.
func (t *Town) noonAfter(d staking.Day) time.Time {
	return min(d+2, t.Last).Start().Add(12 * time.Hour)
}

// run settles what can be settled through a day, and says what waits.
func (t *Town) run(ctx context.Context, d staking.Day) ([]staking.Waiting, error) {
	report, err := staking.Run(ctx, t.Books, t.Clock.Now(), staking.Options{Through: &d, Workers: 2})
	for _, due := range report.Paid {
		if due.Day < d {
			t.late(due, d+1)
		}
	}
	return report.Waiting, err
}

// late keeps in mind that a day was paid late.
func (t *Town) late(due staking.Due, on staking.Day) {
	for i := range t.Delays {
		if l := &t.Delays[i]; l.Asset == due.Asset && l.PaidOn == on {
			l.Last = due.Day
			return
		}
	}
	t.Delays = append(t.Delays, Delay{due.Asset, due.Day, due.Day, on})
}
