package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/softstake/softstake/consent"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// PostImport posts entries of an account's import, in order, and says of each what became
// of it. An entry is named by the account and its name: repeating has no further effect
// and answers as the first time; another content under the same name is ErrConflict.
func (b *DB) PostImport(ctx context.Context, account ledger.Account, imported []imports.Entry) ([]Outcome, error) {
	if err := account.CheckHolder(); err != nil {
		return nil, err
	}
	entries := make([]ledger.Entry, len(imported))
	for i, e := range imported {
		var err error
		if entries[i], err = e.Of(account); err != nil {
			return nil, err
		}
	}
	return b.postParts(ctx, entries, importPart, logFields{action: "import", subject: string(account)})
}

// PostOpenings posts what accounts had in the beginning: at the start of the
// first day of the books or, where that is closed, of the first open one. An
// account has one opening an asset. Repeating has no further effect and answers as the
// first time; another amount is ErrConflict. The outcomes are in the order of the openings, which are posted bucket
// by bucket: the rows of a transaction then lie side by side.
func (b *DB) PostOpenings(ctx context.Context, openings []imports.Opening) ([]Outcome, error) {
	order := make([]int, len(openings))
	for i, o := range openings {
		if err := o.Account.CheckHolder(); err != nil {
			return nil, err
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return inBuckets(openings[x].Account, openings[y].Account) })
	entries := make([]ledger.Entry, len(order))
	for i, at := range order {
		entries[i] = openings[at].Entry()
	}
	posted, err := b.postParts(ctx, entries, fillPart, logFields{action: "load"})
	if err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(posted))
	for i, at := range order {
		outcomes[at] = posted[i]
	}
	return outcomes, nil
}

// inBuckets compares accounts by bucket, and in it by ID.
func inBuckets(a, b ledger.Account) int { return cmp.Or(a.Bucket()-b.Bucket(), cmp.Compare(a, b)) }

// dateOpenings dates the openings that are new at the first open moment. Those that were posted before are as they
// were.
func (g *groupCommit) dateOpenings() error {
	var openings []*item
	for it := range g.undecided {
		if it.Kind == ledger.Opening {
			openings = append(openings, it)
		}
	}
	if len(openings) == 0 {
		return nil
	}
	first, err := g.books.firstOpen(g.t)
	for _, it := range openings {
		it.at = first.Millis()
	}
	return err
}

// importPart is how many entries of an import are posted in one transaction.
const importPart = 1000

// postParts posts entries of our own, at most size of them in each transaction. At a database's error nothing is known
// of the entries; post them again.
func (b *DB) postParts(ctx context.Context, entries []ledger.Entry, size int, n logFields) ([]Outcome, error) {
	outcomes := make([]Outcome, 0, len(entries))
	for part := range slices.Chunk(entries, size) {
		posted, err := b.post(ctx, &call{entries: part, system: true, log: n})
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, posted...)
	}
	return outcomes, nil
}

// fillPart is how many accounts are filled in with one transaction.
const fillPart = 10_000

// EnrollAll enrolls many accounts from an open day on, at the latest tomorrow, as
// if each had accepted the current documents and switched on the day before. It
// fills books with made-up holders and checks no region and no app version.
// Those whose switch is on stay as they are. Idempotent.
func (b *DB) EnrollAll(ctx context.Context, accounts []ledger.Account, from staking.Day) error {
	for _, a := range accounts {
		if err := a.CheckHolder(); err != nil {
			return fmt.Errorf("enroll accounts: %w", err)
		}
	}
	if err := b.ensureDays(ctx); err != nil {
		return err
	}
	sorted := slices.SortedFunc(slices.Values(accounts), inBuckets)
	sorted = slices.Compact(sorted)
	for part := range slices.Chunk(sorted, fillPart) {
		if err := b.enrollPart(ctx, part, from); err != nil {
			return fmt.Errorf("enroll accounts from %s: %w", from, err)
		}
	}
	return nil
}

func (b *DB) enrollPart(ctx context.Context, accounts []ledger.Account, from staking.Day) error {
	var touched []int
	var ids []string
	for _, a := range accounts {
		touched, ids = append(touched, a.Bucket()), append(ids, string(a))
	}
	return b.engine.Write(ctx, func(t db.Tx) error {
		if err := b.lockOpenDay(t, from, touched...); err != nil {
			return err
		}
		n, known := len(accounts), 0
		err := t.QuerySet(func(db.Row) error { known++; return nil },
			"SELECT a.account FROM {rows} JOIN accounts a ON a.bucket = r.bucket AND a.account = r.account AND a.closed = 0",
			accountSet(accounts))
		if err == nil && known != n {
			err = ledger.ErrNotFound.In("", "%d of %d accounts from %s to %s are not open; open them first", n-known, n, ids[0],
				ids[n-1])
		}
		if err != nil {
			return err
		}
		_, err = t.Set(nil, `INSERT INTO enrollments (bucket, account, from_day, until_day)
		                     SELECT r.bucket, r.account, r.day, r.forever FROM {rows}
		                      WHERE NOT EXISTS (SELECT 1 FROM enrollments e WHERE e.bucket = r.bucket AND e.account = r.account AND e.until_day > r.day)
		                     ON CONFLICT (bucket, account, from_day) DO UPDATE SET until_day = excluded.until_day`,
			accountSet(accounts,
				db.Int("day", func(ledger.Account) int64 { return int64(from) }),
				db.Int("forever", func(ledger.Account) int64 { return int64(staking.Forever) })))
		if err == nil {
			err = b.logMany(t, "enroll", ids, "from "+from.String())
		}
		if err != nil {
			return err
		}
		current, err := consent.Current(t)
		if err != nil {
			return err
		}
		now, rows := b.Now(), make([]consent.Acceptance, 0, len(accounts)*len(staking.DocumentNames))
		for _, name := range staking.DocumentNames {
			for _, a := range accounts {
				rows = append(rows, consent.Acceptance{Account: a, Document: name, Version: current[name], At: now})
			}
		}
		_, err = consent.WriteAcceptances(t, now, rows...)
		return err
	})
}
