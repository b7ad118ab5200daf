package store

import (
	"context"

	"github.com/softstake/softstake/ledger"
)

// Call is a call of Post, or of PostAll.
type Call struct {
	Entries []ledger.Entry
	Atomic  bool
}

// PostTogether posts calls as if they had come while another was being committed:
// in one transaction.
func (b *DB) PostTogether(ctx context.Context, calls ...Call) ([][]Outcome, error) {
	together := make([]*call, len(calls))
	for i, c := range calls {
		together[i] = &call{entries: c.Entries, atomic: c.Atomic, actor: b.actor, done: make(chan struct{})}
	}
	b.commit(ctx, together)
	outcomes := make([][]Outcome, len(calls))
	for i, c := range together {
		if c.err != nil {
			return nil, c.err
		}
		outcomes[i] = c.outcomes
	}
	return outcomes, nil
}
