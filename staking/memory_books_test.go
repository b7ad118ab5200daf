package staking_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// buckets is how many the books of the simulation have.
const buckets = 5

// errTampered says that the accruals are not what was declared.
var errTampered = errors.New("more to pay than is payable")

// memoryBooks are staking.Books in memory. Each method is one transaction, as in package
// store, and refuses what store refuses. One goroutine at a time may call them.
type memoryBooks struct {
	first, closed staking.Day // of the books; the last that is closed
	clock         time.Time
	closings      staking.Closings
	batchSize     int // buckets in a batch
	tokens        map[string]*memoryToken
	settled       []staking.Due // as published
}

// memoryToken is what the books have of a token.
type memoryToken struct {
	asset         ledger.Asset
	terms         []staking.Terms // by day, from the first of the books on
	limit         staking.Limit
	approved      map[staking.Day]bool
	funded, pool  ledger.Amount   // ever, and what is left of it in @rewards
	declared      []ledger.Amount // by day
	accrued, paid [buckets]staking.Day
	payable       [buckets]ledger.Amount
	sums          map[staking.Day]map[string]staking.Integral // of owners, of the days that are grouped
	settled       staking.Day
	positions     []*position
}

// position is what an account has of a token.
type position struct {
	bucket   int
	owner    string // "": its own
	enrolled staking.Enrollment
	opening  ledger.Amount
	changes  []event // at milliseconds since 1970
	balance  ledger.Amount
	carry    staking.Fraction
	accrued  map[staking.Day]staking.Accrual
	credited []staking.Accrual
}

func (b *memoryBooks) Closings(context.Context) (staking.Closings, error) { return b.closings, nil }

// Delivered is that nothing is awaited from other ledgers.
func (b *memoryBooks) Delivered(context.Context) (staking.Day, error) { return staking.Forever, nil }

// Notify does nothing: nobody is notified in memory.
func (b *memoryBooks) Notify(context.Context, time.Time) error { return nil }

func (b *memoryBooks) CloseDays(_ context.Context, through staking.Day, _ time.Time) error {
	if through > b.closed && b.closings.LastOver(b.clock) < through {
		return fmt.Errorf("%w: %s takes late entries still", ledger.ErrInvalid, through)
	}
	b.closed = max(b.closed, through)
	return nil
}

func (b *memoryBooks) Due(_ context.Context, through staking.Day) (due []staking.Due, err error) {
	for _, symbol := range slices.Sorted(maps.Keys(b.tokens)) {
		if paid := b.tokens[symbol].paidThrough(); paid < through {
			due = append(due, staking.Due{Asset: symbol, Day: paid + 1})
		}
	}
	return due, nil
}

func (t *memoryToken) paidThrough() staking.Day { return slices.Min(t.paid[:]) }

// Undivided is empty: the tokens are in the mode fixed.
func (b *memoryBooks) Undivided(context.Context, staking.Day, []string) ([]staking.Waiting, error) {
	return []staking.Waiting{}, nil
}

// Unaccrued passes over the buckets in which nobody is enrolled on the day.
func (b *memoryBooks) Unaccrued(_ context.Context, d staking.Day, tokens []string) ([]staking.Batch, error) {
	return b.batches(tokens, func(t *memoryToken, bucket int) bool {
		enrolled := slices.ContainsFunc(t.in(bucket), func(p *position) bool { return p.enrolled.Covers(d) })
		if !enrolled && t.accrued[bucket] == d-1 && t.paid[bucket] == d-1 {
			t.accrued[bucket] = d
		}
		return t.accrued[bucket] < d
	}), nil
}

// Unpaid passes over the buckets in which nothing was accrued.
func (b *memoryBooks) Unpaid(_ context.Context, d staking.Day, tokens []string) ([]staking.Batch, error) {
	return b.batches(tokens, func(t *memoryToken, bucket int) bool {
		if _, holders := t.sum(bucket, d); t.accrued[bucket] == d && t.paid[bucket] == d-1 && holders == 0 {
			t.paid[bucket] = d
		}
		return t.paid[bucket] < d
	}), nil
}

// batches are the buckets that are left for any of the tokens.
func (b *memoryBooks) batches(tokens []string, left func(*memoryToken, int) bool) (batches []staking.Batch) {
	for bucket := range buckets {
		any := false
		for _, symbol := range tokens {
			any = left(b.tokens[symbol], bucket) || any
		}
		if n := len(batches); any && n > 0 && len(batches[n-1]) < b.batchSize {
			batches[n-1] = append(batches[n-1], bucket)
		} else if any {
			batches = append(batches, staking.Batch{bucket})
		}
	}
	return batches
}

func (t *memoryToken) in(bucket int) (there []*position) {
	for _, p := range t.positions {
		if p.bucket == bucket {
			there = append(there, p)
		}
	}
	return there
}

// sum is what was accrued in a bucket on a day.
func (t *memoryToken) sum(bucket int, d staking.Day) (total ledger.Amount, holders int) {
	for _, p := range t.in(bucket) {
		if a, earned := p.accrued[d]; earned {
			total += a.Reward
			holders++
		}
	}
	return total, holders
}

// Group sums what owners held of the tokens that need it and are not grouped yet.
func (b *memoryBooks) Group(_ context.Context, d staking.Day, tokens []string) error {
	for _, symbol := range tokens {
		t := b.tokens[symbol]
		if t.sums[d] != nil || !t.needsSums(d-b.first) || len(t.declared) > int(d-b.first) {
			continue
		}
		t.sums[d] = map[string]staking.Integral{}
		for _, p := range t.positions {
			if h := p.counted(symbol, d); p.enrolled.Covers(d) {
				p.addTo(t.sums[d], h)
			}
		}
	}
	return nil
}

func (t *memoryToken) needsSums(number staking.Day) bool {
	return t.terms[number].PerOwner && t.terms[number].Offered
}

// addTo adds what the position held to the sum of its owner.
func (p *position) addTo(sums map[string]staking.Integral, h staking.Holding) {
	if (staking.Integral{}).Less(h.Integral) {
		sums[p.owner] = sums[p.owner].Add(h.Integral)
	}
}

// together is the holding with what its owner held.
func (p *position) together(sums map[string]staking.Integral, h staking.Holding) staking.Holding {
	if p.owner != "" {
		h.OwnerIntegral = sums[p.owner]
	}
	return h
}

func (b *memoryBooks) Accrue(
	_ context.Context, batch staking.Batch, d staking.Day, tokens []string, rule staking.Rule,
) error {
	for _, bucket := range batch {
		for _, symbol := range tokens {
			t := b.tokens[symbol]
			if t.accrued[bucket] != d-1 || t.paid[bucket] != d-1 || t.needsSums(d-b.first) && t.sums[d] == nil {
				continue
			}
			t.accrued[bucket] = d
			for _, p := range t.in(bucket) {
				h := p.together(t.sums[d], p.counted(symbol, d))
				if a, earned := rule(d, t.terms[d-b.first], h); earned && p.enrolled.Covers(d) {
					p.accrued[d] = a
				}
			}
		}
	}
	return nil
}

// counted is the holding on a day, counted back from the balance now.
func (p *position) counted(symbol string, d staking.Day) staking.Holding {
	h := staking.HoldingAt(p.enrolled.Account, symbol, p.balance, p.carry)
	for _, e := range p.changes {
		if e.at >= d.Millis() {
			h.Rewind(e.change, e.at-d.Millis())
		}
	}
	return h
}

func (b *memoryBooks) Declare(_ context.Context, d staking.Day, symbol string, _ time.Time) error {
	t := b.tokens[symbol]
	if len(t.declared) > int(d-b.first) {
		return nil
	}
	if slices.Min(t.accrued[:]) < d {
		return staking.ErrChanged
	}
	var sums [buckets]ledger.Amount
	var total, before ledger.Amount
	for bucket := range sums {
		sums[bucket], _ = t.sum(bucket, d)
		total += sums[bucket]
	}
	if n := len(t.declared); n > 0 {
		before = t.declared[n-1]
	}
	if over := t.limit.Exceeded(t.asset, total, before, d > b.first); over != "" && !t.approved[d] {
		return fmt.Errorf("%w: %s", staking.ErrLimit, over)
	}
	if total > t.pool {
		return fmt.Errorf("%w: %d of %d", staking.ErrFunds, t.pool, total)
	}
	t.pool -= total
	for bucket, sum := range sums {
		t.payable[bucket] += sum
	}
	t.declared = append(t.declared, total)
	return nil
}

func (b *memoryBooks) Pay(_ context.Context, batch staking.Batch, d staking.Day, tokens []string, _ time.Time) error {
	for _, bucket := range batch {
		for _, symbol := range tokens {
			t := b.tokens[symbol]
			if t.paid[bucket] != d-1 || t.accrued[bucket] != d {
				continue
			}
			sum, _ := t.sum(bucket, d)
			if t.payable[bucket] < sum {
				return errTampered
			}
			t.paid[bucket] = d
			t.payable[bucket] -= sum
			for _, p := range t.in(bucket) {
				if a, earned := p.accrued[d]; earned {
					p.balance, p.carry, p.credited = p.balance+a.Reward, a.Carry, append(p.credited, a)
				}
			}
		}
	}
	return nil
}

func (b *memoryBooks) Settled(context.Context, time.Time) error {
	for _, symbol := range slices.Sorted(maps.Keys(b.tokens)) {
		for t := b.tokens[symbol]; t.settled < t.paidThrough(); {
			t.settled++
			b.settled = append(b.settled, staking.Due{Asset: symbol, Day: t.settled})
		}
	}
	return nil
}
