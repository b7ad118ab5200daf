// Package exchange is a small made-up exchange with a ledger of its own, in PostgreSQL or SQLite: it shows softstake
// beside another ledger. It has accounts, and postings that change what they have, and credits each payout once. It
// knows nothing of softstake.
package exchange

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/softstake/softstake/db"
)

// scale is how many decimals amounts are kept with.
const scale = 8

// mark distinguishes the exchange's SQLite files from others.
const mark = 0x78636867

// tokens are what is traded, and regions where holders live.
var (
	tokens  = []string{"BNB", "SOL"}
	regions = []string{"DE", "FR", "ES", "BR", "JP"}
)

// schema is the exchange's ledger. A posting changes the free or the held part of what an account has of a token;
// balance is what the part is then. at is in milliseconds since 1970. payout is the ID of what was credited.
var schema = []db.Migration{{Script: `
	CREATE TABLE accounts (id {{text}} PRIMARY KEY, region {{text}} NOT NULL, opened {{int}} NOT NULL);
	CREATE TABLE postings (id {{int}} PRIMARY KEY, account {{text}} NOT NULL, asset {{text}} NOT NULL, part {{text}} NOT NULL,
		amount {{int}} NOT NULL, balance {{int}} NOT NULL, at {{int}} NOT NULL, payout {{text}} NOT NULL);
	CREATE UNIQUE INDEX postings_payout ON postings (payout) WHERE payout <> '';
	CREATE TABLE payouts_read (next {{int}} NOT NULL);
	INSERT INTO payouts_read VALUES (0);
`}}

// Exchange is an exchange that is open. One goroutine uses it.
type Exchange struct {
	db       *db.DB
	chance   *rand.Rand
	accounts []string
	balances map[part]int64
	last     int64 // the ID of the last posting
	written  int64 // the last one that is in a file
}

// part is a part of what an account has of a token.
type part struct{ account, asset, part string }

const (
	free = "free"
	held = "held"
)

// posting is a row of the ledger; amounts are in units of 10^-8.
type posting struct {
	part
	id, amount, balance, at int64
	payout                  string
}

// Open makes the ledger of an exchange at "sqlite:PATH" or "postgres://…", where nothing is.
func Open(ctx context.Context, url string, chance *rand.Rand) (*Exchange, error) {
	d, err := db.Open(ctx, url, db.Options{Migrations: schema, Mark: mark, Create: true, Volatile: true})
	if err != nil {
		return nil, err
	}
	if err := d.Migrate(ctx, int64(len(schema)), nil); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &Exchange{db: d, chance: chance, balances: map[part]int64{}}, nil
}

// Close closes the ledger.
func (x *Exchange) Close() error { return x.db.Close() }

// Admit opens a number of accounts at a moment, and brings each 10 to 110 of every token.
func (x *Exchange) Admit(ctx context.Context, accounts int, at time.Time) error {
	type row struct{ id, region string }
	var rows []row
	for n := range accounts {
		r := row{fmt.Sprintf("u-%d", 1001+n), regions[x.chance.IntN(len(regions))]}
		x.accounts = append(x.accounts, r.id)
		rows = append(rows, r)
	}
	err := x.db.Write(ctx, func(t db.Tx) error {
		return t.Insert("accounts", db.SetOf(rows, db.Text("id", func(r row) string { return r.id }),
			db.Text("region", func(r row) string { return r.region }),
			db.Int("opened", func(row) int64 { return at.UnixMilli() })))
	})
	if err != nil {
		return err
	}
	var deposits []posting
	for _, account := range x.accounts {
		for _, asset := range tokens {
			amount := 1_000_000_000 + x.chance.Int64N(10_000_000_000)
			deposits = append(deposits, x.change(part{account, asset, free}, amount, at, ""))
		}
	}
	return x.write(ctx, deposits, nil)
}

// Trade makes a number of made-up changes between two moments, in order of time: trades, and orders that hold a part of
// what is free and give it back.
func (x *Exchange) Trade(ctx context.Context, changes int, from, to time.Time) error {
	var made []posting
	for n := range changes {
		at := from.Add(to.Sub(from) * time.Duration(n) / time.Duration(changes))
		p := part{x.accounts[x.chance.IntN(len(x.accounts))], tokens[x.chance.IntN(len(tokens))], free}
		hold := part{p.account, p.asset, held}
		switch has := x.balances[p]; x.chance.IntN(4) {
		case 0:
			made = append(made, x.change(p, 1+x.chance.Int64N(500_000_000), at, ""))
		case 1:
			if has > 0 {
				made = append(made, x.change(p, -1-x.chance.Int64N(has/2+1), at, ""))
			}
		case 2:
			if amount := has / 10; amount > 0 {
				made = append(made, x.change(p, -amount, at, ""), x.change(hold, amount, at, ""))
			}
		default:
			if amount := x.balances[hold]; amount > 0 {
				made = append(made, x.change(hold, -amount, at, ""), x.change(p, amount, at, ""))
			}
		}
	}
	return x.write(ctx, made, nil)
}

// change is a posting that changes a part.
func (x *Exchange) change(p part, amount int64, at time.Time, payout string) posting {
	x.balances[p] += amount
	x.last++
	return posting{p, x.last, amount, x.balances[p], at.UnixMilli(), payout}
}

// write writes postings, and what else belongs to them, in one transaction.
func (x *Exchange) write(ctx context.Context, made []posting, also func(db.Tx) error) error {
	return x.db.Write(ctx, func(t db.Tx) error {
		if err := t.Insert("postings", db.SetOf(made,
			db.Int("id", func(p posting) int64 { return p.id }),
			db.Text("account", func(p posting) string { return p.account }),
			db.Text("asset", func(p posting) string { return p.asset }),
			db.Text("part", func(p posting) string { return p.part.part }),
			db.Int("amount", func(p posting) int64 { return p.amount }),
			db.Int("balance", func(p posting) int64 { return p.balance }),
			db.Int("at", func(p posting) int64 { return p.at }),
			db.Text("payout", func(p posting) string { return p.payout }))); err != nil || also == nil {
			return err
		}
		return also(t)
	})
}

// Payout is what is to be credited once, under its ID. The amount is in whole tokens.
type Payout struct{ ID, Account, Asset, Amount string }

// ReadPayouts is the number after which the exchange has not read payouts yet.
func (x *Exchange) ReadPayouts(ctx context.Context) (next int64, err error) {
	err = x.db.Read(ctx, func(t db.View) error {
		next, err = db.Count(t, "SELECT next FROM payouts_read")
		return err
	})
	return next, err
}

// Credit credits payouts that were not credited yet, and keeps the number to go on after, in one transaction. It
// returns how many were new.
func (x *Exchange) Credit(ctx context.Context, payouts []Payout, next int64, at time.Time) (credited int, err error) {
	var made []posting
	for _, p := range payouts {
		known := int64(0)
		if err := x.db.Read(ctx, func(t db.View) error {
			known, err = db.Count(t, "SELECT count(*) FROM postings WHERE payout = $1", p.ID)
			return err
		}); err != nil {
			return 0, err
		}
		amount, err := units(p.Amount)
		if err != nil {
			return 0, err
		}
		if known == 0 {
			made = append(made, x.change(part{p.Account, p.Asset, free}, amount, at, p.ID))
		}
	}
	return len(made), x.write(ctx, made, func(t db.Tx) error {
		_, err := t.Exec("UPDATE payouts_read SET next = $1", next)
		return err
	})
}

// Alter adds to the amount of the first posting, by hand: behind the back of the ledger. It returns the statement.
func (x *Exchange) Alter(ctx context.Context) (statement string, err error) {
	statement = "UPDATE postings SET amount = amount + 50000000 WHERE id = 1"
	return statement, x.db.Write(ctx, func(t db.Tx) error {
		_, err := t.Exec(statement)
		return err
	})
}

// Postings is how many postings there are, and the ID of the last one.
func (x *Exchange) Postings() int64 { return x.last }

// WriteOutbox adds the accounts and postings that are not there yet to a file, as events, and that all from before a
// moment are delivered.
func (x *Exchange) WriteOutbox(ctx context.Context, path string, before time.Time) (err error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out := json.NewEncoder(file)
	if x.written == 0 {
		if err := x.rows(ctx, "SELECT id, region, opened FROM accounts ORDER BY id", func(r db.Row) error {
			return out.Encode(map[string]any{"type": "open", "id": "open-" + r.Text(0), "at": moment(r.Int(2)),
				"account": r.Text(0), "region": r.Text(1), "verified": true})
		}); err != nil {
			return err
		}
	}
	err = x.rows(ctx,
		"SELECT id, account, asset, part, amount, balance, at, payout FROM postings WHERE id > $1 ORDER BY id",
		func(r db.Row) error {
			event := map[string]any{"id": strconv.FormatInt(r.Int(0), 10), "at": moment(r.Int(6)), "account": r.Text(1),
				"token": r.Text(2), "kind": r.Text(3), "change": decimal(r.Int(4)), "balanceAfter": decimal(r.Int(5))}
			if r.Text(7) != "" {
				event["type"], event["reward"] = "reward", r.Text(7)
				delete(event, "kind")
			}
			x.written = r.Int(0)
			return out.Encode(event)
		}, x.written)
	if err != nil {
		return err
	}
	return out.Encode(map[string]any{"type": "watermark", "before": moment(before.UnixMilli())})
}

// WriteBalances writes what each account has of each token before a moment, free and held together, as CSV.
func (x *Exchange) WriteBalances(ctx context.Context, to io.Writer, before time.Time) error {
	out := csv.NewWriter(to)
	if err := out.Write([]string{"account", "asset", "balance"}); err != nil {
		return err
	}
	err := x.rows(ctx, "SELECT account, asset, sum(amount) FROM postings WHERE at < $1 GROUP BY account, asset",
		func(r db.Row) error { return out.Write([]string{r.Text(0), r.Text(1), decimal(r.Int(2))}) }, before.UnixMilli())
	out.Flush()
	return errors.Join(err, out.Error())
}

// WriteHolders writes all accounts as CSV: their holders accepted the documents and pressed the switch at a moment.
func (x *Exchange) WriteHolders(to io.Writer, at time.Time) error {
	out := csv.NewWriter(to)
	rows := [][]string{{"account", "accepted_at", "at"}}
	for _, account := range x.accounts {
		rows = append(rows, []string{account, moment(at.UnixMilli()), moment(at.UnixMilli())})
	}
	return out.WriteAll(rows)
}

// LetRead makes a role of PostgreSQL that may read what changes, and a publication of the tables.
func (x *Exchange) LetRead(ctx context.Context, role, password string) error {
	return x.db.Write(ctx, func(t db.Tx) error {
		for _, statement := range []string{
			"CREATE ROLE " + role + " LOGIN REPLICATION PASSWORD '" + password + "'",
			"GRANT pg_read_all_stats TO " + role,
			"GRANT SELECT ON accounts, postings TO " + role,
			"CREATE PUBLICATION softstake FOR TABLE accounts, postings",
		} {
			if _, err := t.Exec(statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// Mapping reads the rows of the tables as events.
const Mapping = `{"records": [{
  "when": [{"path": "table", "is": ["public.accounts"]}, {"path": "op", "is": ["snapshot", "insert"]}],
  "fields": {
    "type": {"value": "open"}, "id": {"path": "id"}, "at": {"path": "new.opened", "time": "ms"},
    "account": {"path": "new.id"}, "region": {"path": "new.region"}, "verified": {"value": "true"}
  }
}, {
  "when": [{"path": "table", "is": ["public.postings"]}, {"path": "op", "is": ["snapshot", "insert"]},
    {"path": "new.payout", "is": [""]}],
  "fields": {
    "id": {"path": "new.id"}, "at": {"path": "new.at", "time": "ms"}, "account": {"path": "new.account"},
    "token": {"path": "new.asset"}, "kind": {"path": "new.part", "map": {"free": "free", "held": "held"}},
    "change": {"path": "new.amount", "scale": 8}, "balanceAfter": {"path": "new.balance", "scale": 8}
  }
}, {
  "when": [{"path": "table", "is": ["public.postings"]}, {"path": "op", "is": ["insert"]}],
  "fields": {
    "type": {"value": "reward"}, "id": {"path": "new.id"}, "at": {"path": "new.at", "time": "ms"},
    "account": {"path": "new.account"}, "token": {"path": "new.asset"}, "reward": {"path": "new.payout"},
    "change": {"path": "new.amount", "scale": 8}, "balanceAfter": {"path": "new.balance", "scale": 8}
  }
}]}
`

// BalancesQuery asks PostgreSQL what WriteBalances writes.
const BalancesQuery = "SELECT account, asset, trim_scale(sum(amount) / 100000000) AS balance FROM postings " +
	"WHERE at < extract(epoch FROM $1::timestamptz) * 1000 GROUP BY account, asset"

func (x *Exchange) rows(ctx context.Context, sql string, fn func(db.Row) error, args ...any) error {
	return x.db.Read(ctx, func(t db.View) error { return t.Query(fn, sql, args...) })
}

func moment(millis int64) string {
	return time.UnixMilli(millis).UTC().Format("2006-01-02T15:04:05.000Z")
}
