package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// rawCredits measures what the database itself can do, to compare with: so many
// credits, each a journal row and a balance row, as two set-based statements in
// one durable transaction on one connection. It works beside the books at url, on
// tables of its own that it removes again.
func rawCredits(ctx context.Context, url string, credits int) (time.Duration, error) {
	return raw(ctx, url, credits, func(d *db.DB) error {
		return d.Write(ctx, func(t db.Tx) error {
			if d.Postgres() {
				// Here the whole table is credited: let the planner choose.
				if err := d.Script(t, "SET LOCAL enable_hashjoin = on;\nSET LOCAL enable_mergejoin = on;\nSET LOCAL "+
					"enable_seqscan = on"); err != nil {
					return err
				}
			}
			return d.Script(t, rawCredit)
		})
	})
}

// rawTransfers measures transfers between random accounts, each two journal rows
// and two balance rows, in durable transactions of batch transfers on one connection.
func rawTransfers(ctx context.Context, url string, accounts, transfers, batch int, seed uint64) (time.Duration, error) {
	random := rand.New(rand.NewPCG(seed, 0))
	return raw(ctx, url, accounts, func(d *db.DB) error {
		for n := 0; n < transfers; n += batch {
			deltas := make(map[int64]int64, 2*batch)
			for range min(batch, transfers-n) {
				amount, from, to := random.Int64N(1000)+1, random.Int64N(int64(accounts)), random.Int64N(int64(accounts))
				deltas[from] -= amount
				deltas[to] += amount
			}
			if err := rawTransfer(ctx, d, int64(n), deltas); err != nil {
				return err
			}
		}
		return nil
	})
}

// rawTransfer writes a batch, in key order.
func rawTransfer(ctx context.Context, d *db.DB, n int64, deltas map[int64]int64) error {
	holders := slices.SortedFunc(maps.Keys(deltas), func(a, b int64) int {
		return cmp.Or(cmp.Compare(a%ledger.Buckets, b%ledger.Buckets), cmp.Compare(a, b))
	})
	var buckets, amounts []int64
	var accounts, entries []string
	for _, h := range holders {
		buckets, amounts = append(buckets, h%ledger.Buckets), append(amounts, deltas[h])
		accounts, entries = append(accounts, fmt.Sprintf("holder-%08d", h)), append(entries, fmt.Sprintf("transfer-%d", n))
	}
	s := db.Set{db.Ints("bucket", buckets), db.Texts("account", accounts),
		db.Texts("asset", slices.Repeat([]string{"BNB"}, len(holders))),
		db.Ints("at", slices.Repeat([]int64{n}, len(holders))), db.Texts("entry", entries), db.Ints("amount", amounts)}
	return d.Write(ctx, func(t db.Tx) error {
		if _, err := t.Set(nil, "INSERT INTO raw_journal (bucket, account, asset, at, entry, amount) SELECT "+
			"r.bucket, r.account, r.asset, r.at, r.entry, r.amount FROM {rows}", s); err != nil {
			return err
		}
		_, err := t.Set(nil, `UPDATE raw_balances SET balance = raw_balances.balance + r.amount FROM {rows}
		                       WHERE raw_balances.bucket = r.bucket AND raw_balances.account = r.account AND raw_balances.asset = r.asset`, s)
		return err
	})
}

// raw times what measure does on tables of its own beside the books, and removes them.
func raw(ctx context.Context, url string, rows int, measure func(*db.DB) error) (_ time.Duration, err error) {
	path, isFile := strings.CutPrefix(url, "sqlite:")
	if isFile {
		path += ".raw"
		if err := db.RemoveFiles(path); err != nil {
			return 0, err
		}
		url = "sqlite:" + path
	}
	// The books at url are open already, as securely as was asked for.
	d, err := db.Open(ctx, url, db.Options{Create: true, Insecure: true})
	if err != nil {
		return 0, err
	}
	defer func() {
		if isFile {
			err = errors.Join(err, d.Close(), db.RemoveFiles(path))
			return
		}
		err = errors.Join(err, d.Write(ctx, func(t db.Tx) error { return d.Script(t, rawDrop) }), d.Close())
	}()
	if err := d.Write(ctx, func(t db.Tx) error { return d.Script(t, rawDrop+rawTables) }); err != nil {
		return 0, fmt.Errorf("make the tables of the raw measurement: %w", err)
	}
	if err := rawFill(ctx, d, rows); err != nil {
		return 0, fmt.Errorf("fill the tables of the raw measurement: %w", err)
	}
	if _, err := d.Compact(ctx); err != nil {
		return 0, err
	}
	began := time.Now()
	err = measure(d)
	return time.Since(began), err
}

const (
	rawDrop = "DROP TABLE IF EXISTS raw_credits;\nDROP TABLE IF EXISTS raw_journal;\nDROP TABLE IF EXISTS raw_balances;\n"

	rawTables = `CREATE TABLE raw_credits (bucket {{small}} NOT NULL, account {{text}} NOT NULL, asset {{text}} NOT NULL, amount {{int}} NOT NULL,
	PRIMARY KEY (bucket, account, asset)) {{table}};
CREATE TABLE raw_journal (bucket {{small}} NOT NULL, account {{text}} NOT NULL, asset {{text}} NOT NULL, at {{int}} NOT NULL, entry {{text}} NOT NULL, amount {{int}} NOT NULL,
	PRIMARY KEY (bucket, account, asset, at, entry)) {{table}};
CREATE TABLE raw_balances (bucket {{small}} NOT NULL, account {{text}} NOT NULL, asset {{text}} NOT NULL, balance {{int}} NOT NULL,
	PRIMARY KEY (bucket, account, asset)) {{hot}}`

	rawCredit = `INSERT INTO raw_journal (bucket, account, asset, at, entry, amount)
	SELECT bucket, account, asset, 1, 'reward/' || asset || '/' || account, amount FROM raw_credits ORDER BY bucket, account, asset;
UPDATE raw_balances SET balance = raw_balances.balance + c.amount FROM raw_credits c
 WHERE raw_balances.bucket = c.bucket AND raw_balances.account = c.account AND raw_balances.asset = c.asset`
)

// rawFill brings in the credits and the balances they go to, in key order.
func rawFill(ctx context.Context, d *db.DB, credits int) error {
	for bucket := range ledger.Buckets {
		var buckets, amounts []int64
		var accounts, assets []string
		for i := bucket; i < credits; i += ledger.Buckets {
			buckets, amounts = append(buckets, int64(bucket)), append(amounts, int64(1000+i))
			accounts, assets = append(accounts, fmt.Sprintf("holder-%08d", i)), append(assets, "BNB")
		}
		s := db.Set{db.Ints("bucket", buckets), db.Texts("account", accounts), db.Texts("asset", assets),
			db.Ints("amount", amounts)}
		if s.Len() == 0 {
			continue
		}
		err := d.Write(ctx, func(t db.Tx) error {
			if err := t.Insert("raw_credits", s); err != nil {
				return err
			}
			return t.Insert("raw_balances", db.Set{s[0], s[1], s[2], db.Ints("balance", amounts)})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
