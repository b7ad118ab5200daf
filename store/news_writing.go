package store

import (
	"context"
	"fmt"
)

// news tells of the accepted entries, in the order in which they were decided: from
// what the balances were before them, forward entry by entry.
func (p *posting) news() newsBodies {
	for _, b := range p.sorted {
		b.now -= b.kept
	}
	var bodies newsBodies
	for _, it := range p.items {
		if !it.isNew() {
			continue
		}
		e := PostedEntry{ID: it.ID, Kind: it.Kind, At: timeOf(it.at)}
		for _, c := range it.changes {
			c.balance.now += c.net
			if c.net != 0 && !c.account.IsHouse() {
				e.Balances = append(e.Balances, PostedBalance{c.account, c.asset, c.net, c.now})
			}
		}
		if e.Balances != nil {
			bodies.entry(e)
		}
	}
	return bodies
}

// telling runs a transaction that makes news, which it writes as the last thing: the
// time it bears is then nearly that of the commit. Where it was a while before the
// commit could be seen, readers may have gone past it: then it is told once more.
func (db *DB) telling(ctx context.Context, fn func(tx) (newsBodies, error)) error {
	var bodies newsBodies
	var at int64
	err := db.engine.Write(ctx, func(t tx) (err error) {
		if bodies, err = fn(t); err == nil {
			at, err = db.tell(t, bodies)
		}
		return err
	})
	for err == nil && bodies != nil && db.now()-at > 2*NewsLag.Milliseconds()/3 {
		err = db.engine.Write(ctx, func(t tx) (err error) {
			at, err = db.tell(t, bodies)
			return err
		})
	}
	return err
}

// tell writes news, and says which time the first of it bears. Where writing it took
// long, the transaction starts over, so that readers need not look back further.
func (db *DB) tell(t tx, bodies newsBodies) (first int64, err error) {
	for i, body := range bodies {
		at, nonce := db.stamps.Next(db.now())
		if i == 0 {
			first = at
		}
		if _, err := t.Exec("INSERT INTO news (bucket, at, nonce, body) VALUES ($1, $2, $3, $4)", newsBucket(nonce), at, nonce, body); err != nil {
			return first, fmt.Errorf("write news: %w", err)
		}
		if took := db.now() - at; took > NewsLag.Milliseconds()/3 {
			return first, fmt.Errorf("%w: writing news took %d ms", errRetry, took)
		}
	}
	return first, nil
}
