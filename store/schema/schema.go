// Package schema is the schema of the books, step by step: scripts, and what of a step SQL alone
// cannot do. It knows no store: a step reads and writes what there was when it was made.
package schema

import (
	"context"
	"embed"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// The scripts, in order of their names. They are added and never edited.
//
//go:embed *.sql
var scripts embed.FS

// Version is the number of steps: the schema that this program works with.
func Version() int { return len(Steps(time.Now, access.Actor{})) }

// MACs is the first schema in which rows that give a right have MACs.
func MACs() int64 { return with("0052_mac.sql") }

// AddressMACs is the first schema in which deposit addresses and sweeps have MACs too.
func AddressMACs() int64 { return with("0060_mac.sql") }

// with is the schema that a script makes.
func with(script string) int64 {
	// The scripts are in the binary: that they cannot be listed is a mistake here.
	files, err := scripts.ReadDir(".")
	if err != nil {
		panic(err)
	}
	return int64(1 + slices.IndexFunc(files, func(f fs.DirEntry) bool { return f.Name() == script }))
}

// Steps are the migrations from an empty database to the books of today, in order.
// What a step writes with a time or into the log is of the clock and the actor.
func Steps(clock func() time.Time, actor access.Actor) (steps []db.Migration) {
	fills := map[string]func(context.Context, db.Tx, func(rows int64)) error{
		"0007_digest.sql": func(ctx context.Context, t db.Tx, progress func(int64)) error {
			return Digests(ctx, t, digestMoves, progress)
		},
		"0008_keys.sql":  func(_ context.Context, t db.Tx, _ func(int64)) error { return limitKeys(t, clock(), actor) },
		"0009_offer.sql": func(_ context.Context, t db.Tx, _ func(int64)) error { return dateListings(t) },
		"0036_privacy.sql": func(ctx context.Context, t db.Tx, progress func(int64)) error {
			return referToEmails(ctx, t, clock().UnixMilli(), progress)
		},
		"0043_limit.sql": func(_ context.Context, t db.Tx, _ func(int64)) error {
			_, err := t.Exec("UPDATE limits SET set_at = $1", clock().UnixMilli())
			return err
		},
		"0037_withdrawal_address.sql": func(_ context.Context, t db.Tx, _ func(int64)) error {
			_, err := t.Exec("UPDATE withdrawal_addresses SET added = $1, usable = $1", clock().UnixMilli())
			return err
		},
		"0056_outflow.sql": countOutflows,
		"0052_mac.sql":     func(_ context.Context, t db.Tx, _ func(int64)) error { return countFactors(t) },
		"0059_payout.sql": func(_ context.Context, t db.Tx, _ func(int64)) error {
			return answerJoined(t, clock().UnixMilli())
		},
		"0062_join_source.sql": func(_ context.Context, t db.Tx, _ func(int64)) error {
			_, err := t.Exec("UPDATE join_sources SET added = $1", clock().UnixMilli())
			return err
		},
	}
	// The scripts are in the binary: that one cannot be read is a mistake here.
	files, err := scripts.ReadDir(".")
	for _, f := range files {
		var text []byte
		if text, err = scripts.ReadFile(f.Name()); err != nil {
			break
		}
		script := strings.ReplaceAll(string(text), "{{rewards}}", strconv.Itoa(ledger.Rewards.Bucket()))
		steps = append(steps, db.Migration{Script: script, Fill: fills[f.Name()]})
	}
	if err != nil {
		panic(err)
	}
	return steps
}

// countFactors keeps with each person who logs in how many passkeys and authenticator apps there are.
func countFactors(t db.Tx) error {
	type owner struct {
		kind, email string
		factors     int64
	}
	owners, err := db.All(t, func(r db.Row) (owner, error) {
		kind, email, _ := strings.Cut(r.Text(0), " ")
		return owner{kind, email, r.Int(1)}, nil
	}, "SELECT subject, count(*) FROM (SELECT subject FROM passkeys UNION ALL SELECT subject FROM totps) f "+
		"GROUP BY subject ORDER BY subject")
	for _, o := range owners {
		table := "logins"
		if o.kind == "staff" {
			table = "staff"
		}
		if err == nil {
			_, err = t.Exec("UPDATE "+table+" SET factors = $1 WHERE bucket = $2 AND email = $3", o.factors,
				int64(ledger.Account(o.email).Bucket()), o.email)
		}
	}
	return err
}

// answerJoined keeps of the rewards that joined sources have credited that they are, in the buckets of their accounts.
func answerJoined(t db.Tx, now int64) error {
	type credit struct{ entry, reward string }
	credits, err := db.All(t, func(r db.Row) (credit, error) { return credit{r.Text(0), r.Text(1)}, nil },
		"SELECT min(entry), refers FROM join_references WHERE substr(refers, 1, 7) = 'reward/' "+
			"GROUP BY refers ORDER BY refers")
	for _, c := range credits {
		account := ledger.Account(c.reward[strings.LastIndex(c.reward, "/")+1:])
		if err == nil {
			_, err = t.Exec("INSERT INTO payout_answers (bucket, payout, credited, reference, at, credential) "+
				"VALUES ($1, $2, 1, $3, $4, 'upgrade')", int64(account.Bucket()), c.reward, c.entry, now)
		}
	}
	return err
}

// dateListings gives the listings of older books their first day: the books' own.
func dateListings(t db.Tx) error {
	first, _, err := db.First(t, func(r db.Row) (staking.Day, error) { return staking.ParseDay(r.Text(0)) },
		"SELECT value FROM meta WHERE name = 'first_day'")
	if err == nil {
		_, err = t.Exec("UPDATE listings SET from_day = $1, added = $2", int64(first), first.Millis())
	}
	return err
}
