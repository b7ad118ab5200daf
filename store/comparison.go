package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/staking"
)

// Comparison is a comparison of the books with another ledger, at the end of a day.
type Comparison struct {
	Number      int64 // dense, from 1
	Day         staking.Day
	At          time.Time // the moment of the balances of the books: the last one of the day
	Position    int64     // the newest number of the outbox when they were read
	Source      string    // where the other ledger's figures came from: one of the sources below
	Scheduled   bool      // they are those that ComparisonSource names
	Setting     int64     // where Scheduled: the number of that ComparisonSource. It is not kept
	Theirs      reconcile.AsOf
	WithPayouts bool // the payouts of the day before are compared too
	Ignored     int64
	Tokens      []ComparedToken
	Differences []ComparedDifference // the first of them, at most MostDifferences

	MadeAt time.Time
	By     access.Actor // without the person
}

// Where figures of another ledger come from.
const (
	FromFile     = "file"
	FromLedger   = "ledger"   // queries of its database
	FromEndpoint = "endpoint" // they are fetched from it
	FromTopic    = "topic"    // it writes them to one
	FromRequest  = "request"  // they are sent here
)

const (
	// MostDifferences is how many differences of a comparison are kept; MostSent, of one with figures that were sent here.
	MostDifferences = 10_000
	MostSent        = 1_000
	// MostRequests is how many comparisons with such figures a credential makes on a day (UTC).
	MostRequests = 48
)

// ComparedToken is what both sides have of a token.
type ComparedToken struct {
	Kind reconcile.Kind
	reconcile.Token
	Stops       bool            // it is over the limit: no day of the token is declared
	Limit       ComparisonLimit // the limit then; its number is 0 where there was none
	Resolved    time.Time       // when a person has resolved that; zero: nobody has. Set by who reads it
	ResolvedBy  string
	ResolvedWhy string
}

// ComparedDifference is an account that differs.
type ComparedDifference struct {
	Kind reconcile.Kind
	reconcile.Difference
	Cause reconcile.Cause
}

// PayoutsDay is the day whose payouts are compared: they count in the balances at the end of Day.
func (c Comparison) PayoutsDay() staking.Day { return c.Day - 1 }

// Differing is how many accounts differ, each as often as it does.
func (c Comparison) Differing() (n int64) {
	for _, t := range c.Tokens {
		n += t.Differences
	}
	return n
}

// Stopped are the tokens that are over their limits and not resolved, by symbol, each once.
func (c Comparison) Stopped() (assets []string) {
	seen := map[string]bool{}
	for _, t := range c.Tokens {
		if symbol := t.Asset.Symbol; t.Stops && t.Resolved.IsZero() && !seen[symbol] {
			seen[symbol], assets = true, append(assets, symbol)
		}
	}
	return assets
}

// AddComparison writes a comparison down, with its number, when and by whom it was made, and which tokens are over
// their limits, and returns it so. What is over its limit stops paying the token: no day of it is declared, until
// ResolveBreak, or until one that supersedes it (see Supersedes) is not over it. Nothing else changes. Where c says
// that it is scheduled, the books name that source, by its number, and no other one since: else ledger.ErrInvalid.
// Where the answer of the database was lost, a comparison may be there twice, which has no further effect.
// access.ErrCeiling where the credential has sent figures MostRequests times on this day.
func (b *DB) AddComparison(ctx context.Context, c Comparison) (Comparison, error) {
	tokens := c.Tokens
	err := b.engine.Write(ctx, func(t db.Tx) (err error) {
		if c.Scheduled {
			if err := checkSetting(t, c); err != nil {
				return err
			}
		}
		c.Tokens = append([]ComparedToken(nil), tokens...)
		last := ""
		for i := range c.Tokens { // by symbol: the locks are taken in one order
			token := &c.Tokens[i]
			if symbol := token.Asset.Symbol; symbol != last {
				if err := lockToken(t, symbol); err != nil {
					return err
				}
				last = symbol
			}
			if token.Limit, err = comparisonLimitOf(t, token.Asset.Symbol); err != nil {
				return err
			}
			token.Stops = token.Limit.Exceeded(token.Token)
		}
		if c.Number, err = nextComparison(t); err != nil {
			return err
		}
		if err := b.checkSent(t, c); err != nil { // no two at the same time
			return err
		}
		c.MadeAt, c.By = db.TimeOf(b.now()), b.actor
		return inOrder(
			func() error { return insertComparison(t, c) },
			func() error { return insertComparedTokens(t, c) },
			func() error { return insertDifferences(t, c) },
			func() error { return b.logLine(t, "reconcile", fmt.Sprint(c.Number), c.describe()) })
	})
	return c, annotate(err, "write down the comparison of %s", c.Day)
}

// checkSetting refuses a comparison that is said to be with the source that the books name, and is not.
func checkSetting(t db.View, c Comparison) error {
	s, err := ComparisonSourceNow(t)
	switch {
	case err != nil:
		return err
	case s.Kind() != c.Source:
		return ledger.ErrInvalid.In("source", "the books name no figures of the source %q", c.Source)
	case s.Number != c.Setting:
		return ledger.ErrInvalid.In("source", "the source of the figures was set again since they were read: they are of "+
			"number %d, and now it is number %d", c.Setting, s.Number)
	}
	return nil
}

// CheckRequests is access.ErrCeiling where the credential of these books has sent figures MostRequests times on this
// day (UTC), so that whoever does it again is refused before the work.
func (b *DB) CheckRequests(ctx context.Context) error {
	return b.engine.Read(ctx, func(t db.View) error { return b.checkSent(t, Comparison{Source: FromRequest}) })
}

// checkSent refuses figures that were sent by a credential that has done that often, or with too many differences: each
// is a row that is kept.
func (b *DB) checkSent(t db.View, c Comparison) error {
	if c.Source != FromRequest {
		return nil
	}
	if len(c.Differences) > MostSent {
		return ledger.ErrInvalid.In("", "of figures that are sent, at most %d differences are kept", MostSent)
	}
	today := staking.DayOf(b.clock())
	made, err := db.Count(t, "SELECT count(*) FROM comparisons WHERE credential = $1 AND source = $2 AND made_at >= $3",
		b.actor.Credential, FromRequest, today.Millis())
	if err == nil && made >= MostRequests {
		err = access.ErrCeiling.In("", "figures were sent %d times, which is the most on a day; the next one begins at %s",
			made, (today + 1).Start().Format(time.RFC3339))
	}
	return err
}

// nextComparison takes the next number.
func nextComparison(t db.Tx) (int64, error) {
	if _, err := t.Exec(`INSERT INTO sequences (name, last, removed) VALUES ('comparisons', 1, 0)
	      ON CONFLICT (name) DO UPDATE SET last = sequences.last + 1`); err != nil {
		return 0, err
	}
	return db.Count(t, "SELECT last FROM sequences WHERE name = 'comparisons'")
}

// describe is what the log says of the comparison.
func (c Comparison) describe() string {
	words := []string{fmt.Sprintf("the end of %s, figures of %s: %d tokens", c.Day, c.Source, len(c.Tokens))}
	for _, t := range c.Tokens {
		if t.Differences > 0 {
			text := fmt.Sprintf("%s %s differs by %s, accounts: %d", t.Asset.Symbol, t.Kind, t.Asset.Format(t.Off),
				t.Differences)
			if t.Stops {
				text += ", which stops paying it"
			}
			words = append(words, text)
		}
	}
	if c.Differing() == 0 {
		words = append(words, "nothing differs")
	}
	return strings.Join(words, "; ")
}

func insertComparison(t db.Tx, c Comparison) error {
	_, err := t.Exec("INSERT INTO comparisons (number, day, at, position, source, scheduled, their_position, their_at, "+
		"payouts, ignored, kept, made_at, credential, role, request) "+
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
		c.Number, int64(c.Day), c.At.UnixMilli(), c.Position, c.Source, db.Flag(c.Scheduled), c.Theirs.Position,
		db.MillisOf(c.Theirs.At), db.Flag(c.WithPayouts), c.Ignored, int64(len(c.Differences)), c.MadeAt.UnixMilli(),
		c.By.Credential, string(c.By.Role), c.By.Request)
	return err
}

func insertComparedTokens(t db.Tx, c Comparison) error {
	number := func(name string, of func(ComparedToken) int64) db.Field[ComparedToken] { return db.Int(name, of) }
	text := func(name string, of func(ComparedToken) string) db.Field[ComparedToken] { return db.Text(name, of) }
	return t.Insert("comparison_tokens", db.SetOf(c.Tokens,
		number("number", func(ComparedToken) int64 { return c.Number }),
		text("kind", func(v ComparedToken) string { return string(v.Kind) }),
		text("asset", func(v ComparedToken) string { return v.Asset.Symbol }),
		number("accounts", func(v ComparedToken) int64 { return v.Ours.Accounts }),
		text("sum", func(v ComparedToken) string { return v.Ours.Sum.String() }),
		db.Blob("root", func(v ComparedToken) []byte { return v.Ours.Root[:] }),
		number("their_accounts", func(v ComparedToken) int64 { return v.Theirs.Accounts }),
		text("their_sum", func(v ComparedToken) string { return v.Theirs.Sum.String() }),
		db.Blob("their_root", func(v ComparedToken) []byte { return v.Theirs.Root[:] }),
		number("differences", func(v ComparedToken) int64 { return v.Differences }),
		number("off", func(v ComparedToken) int64 { return int64(v.Off) }),
		number("stops", func(v ComparedToken) int64 { return db.Flag(v.Stops) }),
		text("limit_asset", func(v ComparedToken) string { return v.Limit.Asset }),
		number("limit_number", func(v ComparedToken) int64 { return v.Limit.Number })))
}

func insertDifferences(t db.Tx, c Comparison) error {
	if len(c.Differences) == 0 {
		return nil
	}
	number := func(name string, of func(ComparedDifference) int64) db.Field[ComparedDifference] {
		return db.Int(name, of)
	}
	text := func(name string, of func(ComparedDifference) string) db.Field[ComparedDifference] {
		return db.Text(name, of)
	}
	return t.Insert("comparison_differences", db.SetOf(c.Differences,
		number("number", func(ComparedDifference) int64 { return c.Number }),
		text("kind", func(d ComparedDifference) string { return string(d.Kind) }),
		text("account", func(d ComparedDifference) string { return string(d.Account) }),
		text("asset", func(d ComparedDifference) string { return d.Asset.Symbol }),
		number("ours", func(d ComparedDifference) int64 { return int64(d.Ours) }),
		number("theirs", func(d ComparedDifference) int64 { return int64(d.Theirs) }),
		text("cause", func(d ComparedDifference) string { return string(d.Cause.Kind) }),
		text("entry", func(d ComparedDifference) string { return d.Cause.Entry }),
		number("entry_at", func(d ComparedDifference) int64 { return db.MillisOf(d.Cause.At) }),
		number("more", func(d ComparedDifference) int64 { return int64(d.Cause.More) })))
}
