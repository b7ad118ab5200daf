package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// distributed remembers how the income of a closed day is divided, of each token the last day: the
// income of a closed day, and the weights of declared days, never change. So each batch of a run,
// and the declaration, need not work it out again.
type distributed struct {
	mu   sync.Mutex
	days map[string]distributedDay // by token
}

type distributedDay struct {
	day staking.Day
	all []staking.Distribution
}

// Undivided are those of the tokens whose income of a closed day cannot be divided, and why:
// staking.ErrUndivided. How that of the others is divided is remembered.
func (b *DB) Undivided(ctx context.Context, d staking.Day, tokens []string) (waiting []staking.Waiting, err error) {
	return read(ctx, b, func(t db.View) (waiting []staking.Waiting, err error) {
		firstOpen, err := b.firstOpen(t)
		if err != nil {
			return nil, err
		}
		for _, token := range tokens {
			switch all, err := holding.Distributions(t, d, token); {
			case errors.Is(err, staking.ErrUndivided):
				waiting = append(waiting, staking.Waiting{Due: staking.Due{Asset: token, Day: d}, Reason: err})
			case err != nil:
				return nil, err
			case d < firstOpen:
				b.distributed.keep(d, token, all)
			}
		}
		return waiting, nil
	})
}

func (m *distributed) keep(d staking.Day, token string, all []staking.Distribution) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.days == nil {
		m.days = map[string]distributedDay{}
	}
	m.days[token] = distributedDay{d, all}
}

// distributions are those of some tokens' day, from memory where they are remembered. Nobody changes
// what it returns.
func (b *books) distributions(t db.View, d staking.Day, tokens ...string) (all []staking.Distribution, err error) {
	for _, token := range slices.Sorted(slices.Values(tokens)) {
		b.distributed.mu.Lock()
		known, found := b.distributed.days[token]
		b.distributed.mu.Unlock()
		if !found || known.day != d {
			if known.all, err = holding.Distributions(t, d, token); err != nil {
				return nil, err
			}
		}
		all = append(all, known.all...)
	}
	return all, nil
}

// periodSizes raises the size of each bucket to how many positions a bucket has that weigh in some
// distributions: accounts are spread evenly, and a size only says which buckets share a transaction.
func periodSizes(t db.View, all []staking.Distribution, size []int64) error {
	for _, d := range all {
		weighs := d.Asset
		if d.Budget != nil {
			weighs = d.Budget.Token
		}
		holders, err := db.Count(t, "SELECT coalesce(max(holders), 0) FROM declarations "+
			"WHERE asset = $1 AND day BETWEEN $2 AND $3", weighs, int64(d.First), int64(d.Last))
		if err != nil {
			return fmt.Errorf("read who has weighed in %s: %w", d.Asset, err)
		}
		for i := range size {
			size[i] = max(size[i], (holders+ledger.Buckets-1)/ledger.Buckets)
		}
	}
	return nil
}
