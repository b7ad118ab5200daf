package db

import "context"

// pruneRows is how many rows Prune removes in one transaction: few enough that nobody
// waits long for it.
const pruneRows = 1000

// Prune removes the rows that find returns, a limited number at a time, until it returns none.
// remove is a statement that gets the columns of each row as its parameters.
func (d *DB) Prune(ctx context.Context, find func(t View, most int) (Set, error), remove string) error {
	for {
		var old Set
		err := d.Read(ctx, func(t View) (err error) {
			old, err = find(t, pruneRows)
			return err
		})
		if err != nil || old.Len() == 0 {
			return err
		}
		if err := d.Write(ctx, func(t Tx) error { return t.Each(nil, remove, old) }); err != nil {
			return err
		}
	}
}
