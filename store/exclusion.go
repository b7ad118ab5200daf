package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
)

// ExclusionRequest asks to exclude what an account has of a token, or to end that. The asset is
// "" for every token. Without a From it begins today. Without an Until it is Forever, and an
// end is tomorrow's: today's day is then not measured.
type ExclusionRequest struct {
	staking.Exclusion
	End bool // end the product's exclusions of the token: its From is not looked at
}

// ExclusionOutcome is what became of an ExclusionRequest.
type ExclusionOutcome struct {
	// That was added or is there or, of an end, the last of those that were ended.
	Exclusion staking.Exclusion
	Repeated  bool  // it was so before, and nothing was to be written
	Err       error // why it is refused: of the row itself, not of the database
}

// excludePart is how many requests one transaction takes.
const excludePart = 5_000

// Exclude excludes accounts from Soft Staking, or ends that: row by row, in their order, each
// taken or refused by itself. An exclusion begins today at the earliest, and ends today at the
// earliest, so that a day that is over never changes. Days that a product has already stay
// its own; different products may have the same days. A row is refused for what is wrong with
// it (ledger.ErrInvalid), an unknown account or token (ErrNotFound) and, to exclude, a closed
// account (ErrInvalid). Repeating has no further effect. Parts are committed one by one: a
// batch that was interrupted is completed by sending it again. It is safe beside other
// changes and runs. The error is the database's, and then nothing is known of the last part.
func (b *DB) Exclude(ctx context.Context, requests []ExclusionRequest) ([]ExclusionOutcome, error) {
	outcomes := make([]ExclusionOutcome, 0, len(requests))
	if err := b.ensureDays(ctx); err != nil {
		return nil, err
	}
	for part := range slices.Chunk(requests, excludePart) {
		e := &exclusionBatch{db: b, today: staking.DayOf(b.clock()), outcomes: make([]ExclusionOutcome, len(part))}
		err := e.check(ctx, part) // before the transaction: tokens that are not known yet are read in one of their own
		if err == nil && len(e.rows) > 0 {
			err = b.engine.Write(ctx, func(t db.Tx) error {
				e.t, e.accounts, e.lines = t, map[ledger.Account]*excludedAccount{}, nil
				return inOrder(e.lock, e.read, e.decide, e.write)
			})
		}
		if err != nil {
			return nil, fmt.Errorf("exclude accounts: %w", err)
		}
		outcomes = append(outcomes, e.outcomes...)
	}
	return outcomes, nil
}

// exclusionBatch is a part of a batch, under its locks.
type exclusionBatch struct {
	db       *DB
	t        db.Tx
	today    staking.Day
	rows     []exclusionRow
	outcomes []ExclusionOutcome // by the place of a row
	accounts map[ledger.Account]*excludedAccount
	lines    []LogLine
}

// exclusionRow is a request that may be taken.
type exclusionRow struct {
	ExclusionRequest
	place int
}

// excludedAccount is what the books say of an account, and what rows before have changed.
type excludedAccount struct {
	Account
	all     staking.Exclusions
	changed map[exclusionKey]bool

	excluded bool // an exclusion was added
}

// exclusionKey names one of an account's exclusions.
type exclusionKey struct {
	asset, product string
	from           staking.Day
}

func keyOf(e staking.Exclusion) exclusionKey { return exclusionKey{e.Asset, e.Product, e.From} }

// check refuses what is wrong by itself, and fills in the usual days.
func (e *exclusionBatch) check(ctx context.Context, requests []ExclusionRequest) error {
	for i, r := range requests {
		var err error
		if r.End {
			r.Until = cmp.Or(r.Until, e.today+1)
			err = r.CheckEnd(e.today)
		} else {
			r.From, r.Until = cmp.Or(r.From, e.today), cmp.Or(r.Until, staking.Forever)
			err = r.Check(e.today)
		}
		if err == nil && r.Asset != "" {
			_, err = e.db.Asset(ctx, r.Asset)
			if err != nil && !errors.Is(err, ledger.ErrNotFound) {
				return err
			}
			err = ledger.At("asset", err)
		}
		if err != nil {
			e.outcomes[i].Err = err
			continue
		}
		e.rows = append(e.rows, exclusionRow{r, i})
	}
	return nil
}

// lock shares the lock of today, so that it is not closed until the commit, and takes the rows
// of the accounts, in the order of their keys.
func (e *exclusionBatch) lock() error {
	ids := make([]ledger.Account, len(e.rows))
	buckets := make([]int, len(e.rows))
	for i, r := range e.rows {
		ids[i], buckets[i] = r.Account, r.Account.Bucket()
	}
	if err := e.db.lockOpenDay(e.t, e.today, buckets...); err != nil {
		return err
	}
	there, err := lockAccounts(e.t, orderedAccounts(ids))
	for _, a := range there {
		e.accounts[a.ID] = &excludedAccount{Account: a, changed: map[exclusionKey]bool{}}
	}
	return err
}

// read reads the exclusions that the accounts have.
func (e *exclusionBatch) read() error {
	var ids []ledger.Account
	for id := range e.accounts {
		ids = append(ids, id)
	}
	err := e.t.QuerySet(func(r db.Row) error {
		x := ReadExclusion(r)
		e.accounts[x.Account].all = append(e.accounts[x.Account].all, x)
		return nil
	}, "SELECT "+ExclusionColumns+" FROM {rows} JOIN exclusions x ON x.bucket = r.bucket AND x.account = r.account",
		accountSet(ids))
	return annotate(err, "read the exclusions")
}

// decide decides row by row, in memory, as if they came one by one.
func (e *exclusionBatch) decide() error {
	for _, r := range e.rows {
		out := &e.outcomes[r.place]
		*out = ExclusionOutcome{} // the transaction may run again
		a := e.accounts[r.Account]
		switch {
		case a == nil:
			out.Err = noAccount(r.Account)
		case r.End:
			e.end(a, r.Exclusion, out)
		default:
			if out.Err = a.checkOpen(); out.Err == nil {
				e.add(a, r.Exclusion, out)
			}
		}
	}
	return nil
}

func (e *exclusionBatch) add(a *excludedAccount, x staking.Exclusion, out *ExclusionOutcome) {
	kept, adds := a.all.Add(x)
	out.Exclusion, out.Repeated = kept, !adds
	if adds {
		a.set(kept)
		a.excluded = true
		e.log("exclude add", kept, "from "+kept.From.String()+" "+untilWords(kept.Until))
	}
}

func (e *exclusionBatch) end(a *excludedAccount, x staking.Exclusion, out *ExclusionOutcome) {
	ended := a.all.End(x)
	out.Exclusion, out.Repeated = x, len(ended) == 0
	for _, kept := range ended {
		before := untilWords(a.set(kept).Until)
		out.Exclusion = kept
		e.log("exclude end", kept, fmt.Sprintf("from %s %s; it was %s", kept.From, untilWords(kept.Until), before))
	}
}

func untilWords(d staking.Day) string {
	if d == staking.Forever {
		return "forever"
	}
	return "until " + d.String()
}

func (e *exclusionBatch) log(action string, x staking.Exclusion, days string) {
	e.lines = append(e.lines, LogLine{Actor: e.db.actor, Action: action, Subject: string(x.Account),
		Detail: fmt.Sprintf("%s of %s, %s", cmp.Or(x.Asset, "every token"), x.Product, days)})
}

// set puts an exclusion in the place of the one of its key, which it returns, or adds it.
func (a *excludedAccount) set(x staking.Exclusion) (before staking.Exclusion) {
	a.changed[keyOf(x)] = true
	for i, o := range a.all {
		if keyOf(o) == keyOf(x) {
			a.all[i] = x
			return o
		}
	}
	a.all = append(a.all, x)
	return before
}

// write writes what was decided, and a line of the log for each change.
func (e *exclusionBatch) write() error {
	var changed []staking.Exclusion
	for _, a := range e.accounts {
		for _, x := range a.all {
			if a.changed[keyOf(x)] {
				changed = append(changed, x)
			}
		}
	}
	if len(changed) == 0 {
		return nil
	}
	at, by := e.db.now(), e.db.actor.Credential
	_, err := e.t.Set(nil, `INSERT INTO exclusions (bucket, account, asset, product, from_day, until_day, set_at, set_by)
	                        SELECT r.bucket, r.account, r.asset, r.product, r.from_day, r.until_day, r.set_at, r.set_by FROM {rows} WHERE true
	                        ON CONFLICT (bucket, account, asset, product, from_day)
	                        DO UPDATE SET until_day = excluded.until_day, set_at = excluded.set_at, set_by = excluded.set_by`,
		db.SetOf(changed, accountFields(func(x staking.Exclusion) ledger.Account { return x.Account },
			db.Text("asset", func(x staking.Exclusion) string { return x.Asset }),
			db.Text("product", func(x staking.Exclusion) string { return x.Product }),
			db.Int("from_day", func(x staking.Exclusion) int64 { return int64(x.From) }),
			db.Int("until_day", func(x staking.Exclusion) int64 { return int64(x.Until) }),
			db.Int("set_at", func(staking.Exclusion) int64 { return at }),
			db.Text("set_by", func(staking.Exclusion) string { return by }))...))
	if err != nil {
		return fmt.Errorf("write exclusions: %w", err)
	}
	if err := e.notify(); err != nil {
		return err
	}
	return e.db.logLines(e.t, e.lines)
}

// notify adds a notice to each account that earns, or will, and has a new exclusion.
func (e *exclusionBatch) notify() error {
	var added []ledger.Account
	for id, a := range e.accounts {
		if a.excluded {
			added = append(added, id)
		}
	}
	slices.Sort(added)
	var earning []ledger.Account
	err := e.t.QuerySet(func(r db.Row) error {
		if id := ledger.Account(r.Text(0)); !slices.Contains(earning, id) {
			earning = append(earning, id)
		}
		return nil
	}, "SELECT n.account FROM {rows} JOIN enrollments n ON n.bucket = r.bucket AND n.account = r.account "+
		"AND n.from_day < n.until_day AND n.until_day > r.today",
		accountSet(added, db.Int("today", func(ledger.Account) int64 { return int64(e.today) })))
	if err != nil {
		return annotate(err, "read who earns")
	}
	return e.db.People().NotifyAll(e.t, earning, people.NoticePaused, people.PausedExcluded)
}

// ExclusionColumns are what ReadExclusion reads, of exclusions x.
const ExclusionColumns = "x.account, x.asset, x.product, x.from_day, x.until_day"

// ReadExclusion reads a row whose first columns are ExclusionColumns. Its days are in UTC, Until is the first that is
// measured again; the asset "" is every token of the account.
func ReadExclusion(r db.Row) staking.Exclusion {
	return staking.Exclusion{Account: ledger.Account(r.Text(0)), Asset: r.Text(1), Product: r.Text(2),
		From: staking.Day(r.Int(3)), Until: staking.Day(r.Int(4))}
}
