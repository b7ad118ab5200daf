package store

import (
	"context"

	"github.com/softstake/softstake/ledger"
)

// Call is a call of Post, or of PostAll.
type Call struct {
	Entries []ledger.Entry
	Whole   bool
}

// PostTogether posts calls as if they had come while another was being committed:
// in one transaction.
func (db *DB) PostTogether(ctx context.Context, calls ...Call) ([][]Outcome, error) {
	gathered := make([]*call, len(calls))
	for i, c := range calls {
		gathered[i] = &call{entries: c.Entries, whole: c.Whole, done: make(chan struct{})}
	}
	db.commit(ctx, gathered)
	outcomes := make([][]Outcome, len(calls))
	for i, c := range gathered {
		if c.err != nil {
			return nil, c.err
		}
		outcomes[i] = c.outcomes
	}
	return outcomes, nil
}
