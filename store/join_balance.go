package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// joinedBalance is what a part of an account has by the events of its source. The books may have more: rewards that the
// source has not credited yet.
type joinedBalance struct {
	key
	known  bool          // from earlier events; else it is what the books have without what was earned
	amount ledger.Amount // with the events so far
}

func joinedKey(j *joinedBalance) *key { return &j.key }

// sortedBalances are those that the events are about, in the order of locks.
func (x *joining) sortedBalances() []*joinedBalance {
	return slices.SortedFunc(maps.Values(x.accounts), func(a, b *joinedBalance) int {
		return cmp.Or(a.bucket-b.bucket, cmp.Compare(a.account, b.account), cmp.Compare(a.asset, b.asset))
	})
}

// readBalances reads what the parts have before the events, and derives the change of each snapshot.
func (x *joining) readBalances() error {
	set := db.SetOf(x.sortedBalances(), keyFields(joinedKey)...)
	err := x.t.QuerySet(func(r db.Row) error {
		j := x.accounts[readKey(r)]
		j.known, j.amount = true, ledger.Amount(r.Int(3))
		return nil
	}, `SELECT j.bucket, j.account, j.asset, j.balance FROM {rows} JOIN join_balances j
	        ON j.bucket = r.bucket AND j.account = r.account AND j.asset = r.asset`, set)
	if err != nil {
		return fmt.Errorf("read the balances of the source: %w", err)
	}
	own, err := x.readOwn()
	if err != nil {
		return err
	}
	for j, amount := range own {
		j.amount = amount
	}
	amounts := map[*joinedBalance]ledger.Amount{}
	first := map[*joinedBalance]bool{}
	for _, j := range x.accounts {
		amounts[j], first[j] = j.amount, !j.known
	}
	for _, e := range x.events {
		if e.of == nil || e.repeats {
			continue
		}
		if e.skip && e.After != "" || e.Type == join.Balance && (first[e.of] || e.Initial) {
			if e.amount, err = e.after.Sub(amounts[e.of]); err != nil {
				return x.refuse(e.Event, e.index, ledger.ErrInvalid.In("balanceAfter", "%w", err))
			}
		}
		first[e.of] = false
		if amounts[e.of], err = amounts[e.of].Add(e.amount); err != nil {
			return x.refuse(e.Event, e.index, ledger.ErrInvalid.In("change", "%w", err))
		}
	}
	return nil
}

// readOwn reads what the books have of the parts that had no event before, without what was earned: 0 where there is no
// row.
func (x *joining) readOwn() (map[*joinedBalance]ledger.Amount, error) {
	fresh := slices.DeleteFunc(x.sortedBalances(), func(j *joinedBalance) bool { return j.known })
	own := map[*joinedBalance]ledger.Amount{}
	for _, j := range fresh {
		own[j] = 0
	}
	err := x.t.QuerySet(func(r db.Row) error {
		own[x.accounts[readKey(r)]] = ledger.Amount(r.Int(3))
		return nil
	}, `SELECT b.bucket, b.account, b.asset, b.balance - b.earned FROM {rows} JOIN balances b
	        ON b.bucket = r.bucket AND b.account = r.account AND b.asset = r.asset`,
		db.SetOf(fresh, keyFields(joinedKey)...))
	return own, annotate(err, "read the balances of the books")
}

// compareBalances counts the events forward, and refuses the first after which the source has another balance. What was
// read of the books before their balances were locked is read again.
func (x *joining) compareBalances() error {
	unposted := map[*joinedBalance]ledger.Amount{} // what is in no entry of an event
	for _, e := range x.events {
		if e.of == nil || e.repeats {
			continue
		}
		e.of.amount += e.amount // it was added before: no overflow
		if e.Type == join.Reward || e.skip {
			unposted[e.of] += e.amount
		}
		if e.After != "" && e.after != e.of.amount {
			asset := x.assets[e.Token]
			return x.refuse(e.Event, e.index, errDiffers.In("balanceAfter", "%s has %s %s by its events, and the source says %s",
				e.of.account, asset.Format(e.of.amount), e.Token, asset.Format(e.after)))
		}
	}
	own, err := x.readOwn()
	for j, amount := range own {
		if err == nil && amount+unposted[j] != j.amount {
			err = fmt.Errorf("%w: the balance of %s has changed at the same time", db.ErrRetry, j.account)
		}
	}
	return err
}

// writeBalances keeps what the parts have now.
func (x *joining) writeBalances() error {
	_, err := x.t.Set(nil, `INSERT INTO join_balances (bucket, account, asset, balance)
	      SELECT r.bucket, r.account, r.asset, r.balance FROM {rows} WHERE true
	      ON CONFLICT (bucket, account, asset) DO UPDATE SET balance = excluded.balance`,
		db.SetOf(x.sortedBalances(), keyFields(joinedKey,
			db.Int("balance", func(j *joinedBalance) int64 { return int64(j.amount) }))...))
	return annotate(err, "write the balances of the source")
}

// refers is the ID of the entry that an event refers to, or "".
func (x *joining) refers(e *joinedEvent) string {
	if e.Reverses != "" {
		return ledger.JoinID(x.batch.Source, e.Reverses)
	}
	return e.Reward
}

func entryBucket(id string) int64 { return int64(ledger.Entry{ID: id}.Bucket()) }

// readReferences finds what events take back or correct: events of the same account and token, which must be in the
// books or come before them.
func (x *joining) readReferences() error {
	type reference struct {
		index int // of the event, in x.events
		entry string
		part  ledger.Account
		asset string
	}
	var reversed []reference
	for i, e := range x.events {
		for _, part := range []ledger.Account{e.Account, e.Account.Held()} {
			if e.Reverses != "" {
				reversed = append(reversed, reference{i, x.refers(e), part, e.Token})
			}
		}
	}
	there := map[int]bool{}
	err := x.t.QuerySet(func(r db.Row) error { there[int(r.Int(0))] = true; return nil },
		`SELECT r.event FROM {rows} JOIN entries e ON e.bucket = r.entries AND e.entry = r.entry
		    AND EXISTS (SELECT 1 FROM postings p WHERE p.bucket = r.bucket AND p.day = e.at / 86400000 AND p.at = e.at
		     AND p.entry = e.entry AND p.account = r.account AND p.asset = r.asset)`, db.SetOf(reversed,
			accountFields(func(r reference) ledger.Account { return r.part },
				db.Int("event", func(r reference) int64 { return int64(r.index) }),
				db.Int("entries", func(r reference) int64 { return entryBucket(r.entry) }),
				db.Text("entry", func(r reference) string { return r.entry }),
				db.Text("asset", func(r reference) string { return r.asset }))...))
	if err != nil {
		return fmt.Errorf("read what events refer to: %w", err)
	}
	before := map[string]*joinedEvent{} // those of this batch
	for i, e := range x.events {
		of := before[x.refers(e)]
		if e.Reverses != "" && !there[i] && (of == nil || of.Account != e.Account || of.Token != e.Token) {
			return x.refuse(e.Event, e.index, ledger.ErrNotFound.In("reverses", "event %q of %s in %s", e.Reverses, e.Account,
				e.Token))
		}
		if e.of != nil && !e.skip {
			before[e.entry] = e
		}
	}
	return nil
}

// readRepeats finds the rewards that were credited before: an event that comes again has no further effect, and an ID
// is that of one event, whether it has an entry or not. What else an event of a change said before is in its entry, and
// of a reward in the reward: see post and creditRewards.
func (x *joining) readRepeats() error {
	var all, referring []*joinedEvent
	for _, e := range x.events {
		if e.of != nil && !e.skip {
			all = append(all, e)
		}
		if x.refers(e) != "" {
			referring = append(referring, e)
		}
	}
	ids := []db.Field[*joinedEvent]{
		db.Int("bucket", func(e *joinedEvent) int64 { return entryBucket(e.entry) }),
		db.Text("entry", func(e *joinedEvent) string { return e.entry }),
	}
	referred, posted := map[string]string{}, map[string]bool{}
	err := x.t.QuerySet(func(r db.Row) error { referred[r.Text(0)] = r.Text(1); return nil },
		"SELECT r.entry, f.refers FROM {rows} JOIN join_references f ON f.bucket = r.bucket AND f.entry = r.entry",
		db.SetOf(all, ids...))
	if err == nil {
		err = x.t.QuerySet(func(r db.Row) error { posted[r.Text(0)] = true; return nil },
			"SELECT r.entry FROM {rows} JOIN entries e ON e.bucket = r.bucket AND e.entry = r.entry",
			db.SetOf(referring, ids...))
	}
	if err != nil {
		return fmt.Errorf("read the events of before: %w", err)
	}
	for _, e := range all {
		refers, known := referred[e.entry]
		differs := posted[e.entry] // it has an entry, and referred to nothing
		if known {
			differs = refers != x.refers(e)
		}
		if differs {
			return x.refuse(e.Event, e.index, ledger.ErrConflict.In("id", "event %q", e.ID))
		}
		e.repeats = e.repeats || known && e.Type == join.Reward
		if e.Type == join.Reward && !e.repeats {
			if err := x.isNew(e); err != nil {
				return err
			}
		}
		referred[e.entry] = x.refers(e)
	}
	return nil
}

// writeReferences keeps what the new events refer to.
func (x *joining) writeReferences() error {
	var all []*joinedEvent
	for _, e := range x.events {
		if x.refers(e) != "" && !e.repeats {
			all = append(all, e)
		}
	}
	if all == nil {
		return nil
	}
	now := x.now()
	_, err := insert(x.t, "join_references", db.SetOf(all,
		db.Int("bucket", func(e *joinedEvent) int64 { return entryBucket(e.entry) }),
		db.Text("entry", func(e *joinedEvent) string { return e.entry }),
		db.Text("refers", x.refers),
		db.Int("at", func(*joinedEvent) int64 { return now })))
	return annotate(err, "write what events refer to")
}

// writeLate keeps the events whose day was closed.
func (x *joining) writeLate() error {
	var all []*joinedEvent
	for _, e := range x.events {
		if e.of != nil && e.amount != 0 && !e.repeats && !e.skip && e.Type != join.Reward && e.at != e.At.UnixMilli() {
			all = append(all, e)
		}
	}
	if all == nil {
		return nil
	}
	now := x.now()
	_, err := insert(x.t, "join_late", db.SetOf(all,
		db.Int("day", func(e *joinedEvent) int64 { return int64(staking.DayOf(e.At)) }),
		db.Text("entry", func(e *joinedEvent) string { return e.entry }),
		db.Text("account", func(e *joinedEvent) string { return string(e.of.account) }),
		db.Text("asset", func(e *joinedEvent) string { return e.Token }),
		db.Int("amount", func(e *joinedEvent) int64 { return int64(e.amount) }),
		db.Int("at", func(e *joinedEvent) int64 { return e.At.UnixMilli() }),
		db.Int("dated", func(e *joinedEvent) int64 { return e.at }),
		db.Int("posted", func(*joinedEvent) int64 { return now })))
	return annotate(err, "write late events")
}
