package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/softstake/softstake/comparison"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type reconcileCmd struct {
	Run      reconcileRunCmd      `cmd:"" default:"withargs" help:"Compare the books with another ledger, and keep what came of it."`
	List     reconcileListCmd     `cmd:"" help:"List the reconciliations, the newest first."`
	Show     reconcileShowCmd     `cmd:"" help:"Show a reconciliation, with the accounts that differ."`
	Set      reconcileSetCmd      `cmd:"" help:"Set where the figures of the other ledger come from each night."`
	SetLimit reconcileSetLimitCmd `cmd:"" help:"Set from what difference on a token is not paid."`
	Resolve  reconcileResolveCmd  `cmd:"" help:"Let a token be paid though it differs, and record why."`
	Release  reconcileReleaseCmd  `cmd:"" help:"Let a day of a token be paid though it is not compared, and record why."`
}

// figuresFlags are where the figures of another ledger come from that are no file.
type figuresFlags struct {
	Ledger        string `placeholder:"URL" help:"The other ledger's database, postgres://USER@HOST/DATABASE; with --balances-query. The password is in ~/.pgpass or PGPASSWORD."`
	BalancesQuery string `placeholder:"SQL" help:"What to ask --ledger: a SELECT with the columns account, asset and balance, in which $1 is the moment after the day."`
	PayoutsQuery  string `placeholder:"SQL" help:"What to ask it for payouts: a SELECT with the columns account, asset and payout, in which $1 is the day that they are for. Without it: payouts are not compared."`
	Endpoint      string `placeholder:"URL" help:"Where the other ledger answers with its figures instead: https://…; it is asked with the parameters day, before and payouts."`
	Topic         string `placeholder:"URL" help:"Where the other ledger writes its figures instead: kafka://HOST,HOST/TOPIC or nats://HOST,HOST/STREAM; docs/join.md says how."`
}

// source is what the flags name; the zero one where they name nothing.
func (f figuresFlags) source() (s store.ComparisonSource, err error) {
	switch {
	case (f.Ledger == "") != (f.BalancesQuery == ""):
		return s, usage("--ledger and --balances-query are given together")
	case f.PayoutsQuery != "" && f.Ledger == "":
		return s, usage("--payouts-query goes with --ledger")
	case (f.Ledger != "" || f.Topic != "") && f.Endpoint != "" || f.Ledger != "" && f.Topic != "":
		return s, usage("give one of --ledger, --endpoint and --topic")
	}
	return store.ComparisonSource{Ledger: f.Ledger, Balances: f.BalancesQuery, Payouts: f.PayoutsQuery,
		Endpoint: f.Endpoint, Topic: f.Topic}, nil
}

// reachFlags are what the other ledger is asked with.
type reachFlags struct {
	ReconcileTokenFile   string `placeholder:"FILE" help:"A file with the bearer token for the endpoint of the other ledger, which only you can read. Without it: none is sent."`
	ReconcileCredentials string `placeholder:"FILE" help:"Who reads the topic of the other ledger's figures, in a file that only you can read: of Kafka the lines username=NAME and password=TEXT, of NATS a credentials file. Without it: $$KAFKA_USERNAME and $$KAFKA_PASSWORD, or $$NATS_USER and $$NATS_PASSWORD."`
}

func (f reachFlags) reach(env *Env) (r comparison.Reach, err error) {
	r.Insecure = env.Insecure
	if r.Kafka, err = kafkaLogin(env, f.ReconcileCredentials); err == nil {
		r.NATS, err = natsLogin(env, f.ReconcileCredentials)
	}
	if err == nil && f.ReconcileTokenFile != "" {
		var secret []byte
		secret, err = readSecret("--reconcile-token-file", f.ReconcileTokenFile)
		r.Token = string(secret)
	}
	return r, err
}

type reconcileRunCmd struct {
	File         string `arg:"" optional:"" help:"The other ledger's balances: CSV with the columns account, asset and balance, or lines of JSON; - is the standard input."`
	figuresFlags `embed:""`
	reachFlags   `embed:""`
	Day          *staking.Day `placeholder:"DAY" help:"Compare at the end of this day. Without it: the last day that is closed."`
	Asset        []string     `placeholder:"TOKEN" help:"Only this token; may be repeated."`
	Limit        int          `default:"100" help:"How many differences to list at most, up to 1000."`
	DryRun       bool         `help:"Keep nothing: no token stops being paid, or is paid again, by it."`
	JSON         bool         `help:"Print a JSON array, with an object for each day."`
}

func (c *reconcileRunCmd) Help() string {
	return `Of each token the number of accounts, the sum and a root are compared, and where these differ, each account; free and held count together. For each account that differs, the first event that could explain it is named. The root is the hash of a Merkle tree (RFC 6962) over the accounts in the order of their bytes, with the leaves "ACCOUNT BALANCE", so that the other side can make it too. Rewards count from 00:00 after their day: a payout that the other ledger has not credited yet is a difference, and is named.

Payouts are compared in the same way, where the other ledger gives its own: what it has credited each account for the day before, which counts in these balances.

A line of JSON is {"account":"alice","asset":"BNB","balance":"12.5"}, or has "payout"; one line may be {"position":"0/1A2B","at":"2026-11-22T00:00:00Z","payouts":"2026-11-20"}, the state that the figures are of, and the day of the payouts. CSV may have a column "payout". Amounts of tokens that are not compared are left out, and counted.

Each run is kept ("reconcile list"). Without a file, --ledger, --endpoint or --topic it compares with what "reconcile set" names, as "softstake serve" does each night. The exit status is 1 when anything differs.

Examples:

  softstake reconcile balances.csv --day 2026-11-21
  softstake reconcile --ledger postgres://softstake@ledger/exchange --balances-query 'SELECT account, asset, sum(amount) AS balance FROM postings WHERE at < $1 GROUP BY account, asset'
  softstake reconcile --endpoint https://ledger.example.com/balances --reconcile-token-file token.txt
  softstake reconcile --topic "kafka://k1.example.com:9093/balances?sasl=scram-sha-512" --reconcile-credentials kafka.credentials`
}

func (c *reconcileRunCmd) Run(env *Env) error {
	source, err := c.source()
	switch {
	case err != nil:
		return err
	case c.File != "" && source.On():
		return usage("give a file, --ledger, --endpoint or --topic")
	case c.Limit < 0 || c.Limit > 1000:
		return usage("--limit is from 0 to 1000")
	}
	reach, err := c.reach(env)
	if err != nil {
		return err
	}
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, known assets) error {
		if c.File == "" && !source.On() {
			return c.scheduled(ctx, env, db, reach)
		}
		read, name, err := c.figures(env, reach, source)
		if err != nil {
			return err
		}
		day, chosen, left, err := c.chosen(ctx, db, known)
		if err != nil {
			return err
		}
		compared, err := comparison.Whole.Make(ctx, reports.New(db.Reader()), day, chosen, read)
		if err != nil {
			return err
		}
		compared.Source = name
		if !c.DryRun {
			if compared, err = db.AddComparison(ctx, compared); err != nil {
				return err
			}
		}
		return c.write(env, []store.Comparison{compared}, left)
	})
}

// scheduled compares with what the books name.
func (c *reconcileRunCmd) scheduled(ctx context.Context, env *Env, db *store.DB, reach comparison.Reach) error {
	if c.Day != nil || c.Asset != nil || c.DryRun {
		return usage("--day, --asset and --dry-run go with a file, --ledger, --endpoint or --topic")
	}
	all, err := comparison.Scheduled(ctx, db, reach, false)
	if err != nil && all == nil {
		return err
	}
	if err == nil && len(all) == 0 && !c.JSON {
		return env.printf("No day has closed yet: nothing is compared before %s has.\n", db.FirstDay())
	}
	return errors.Join(err, c.write(env, all, nil))
}

// figures is how the figures of the other ledger are read, and their name.
func (c *reconcileRunCmd) figures(env *Env, reach comparison.Reach, source store.ComparisonSource) (comparison.Theirs,
	string, error) {
	if source.On() {
		read, name, err := reach.Open(source)
		return read, name, err
	}
	return func(_ context.Context, _ staking.Day, chosen map[string]ledger.Asset) (reconcile.Figures, error) {
		f, err := readFile(env, c.File, func(in io.Reader) (reconcile.Figures, error) { return reconcile.Read(in, chosen) })
		name := c.File
		if name == "-" {
			name = "standard input"
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
		return f, err
	}, store.FromFile, nil
}

// chosen are the day and the tokens to compare: those that are named, at the end of the last day at which all of them
// can be; or all that can be at the end of the last day. left are the others, whose days wait.
func (c *reconcileRunCmd) chosen(ctx context.Context, db *store.DB, known assets) (day staking.Day,
	chosen map[string]ledger.Asset, left []string, err error) {
	for _, symbol := range c.Asset {
		if _, err := db.Asset(ctx, symbol); err != nil {
			return 0, nil, nil, err
		}
	}
	days, err := reports.New(db.Reader()).Comparable(ctx, false)
	if err != nil {
		return 0, nil, nil, err
	}
	if c.Day != nil {
		if chosen = known; c.Asset != nil {
			chosen = comparison.Choose(known, c.Asset)
		}
		return *c.Day, chosen, nil, nil
	}
	for i, d := range days {
		if c.Asset == nil && i > 0 {
			left = append(left, d.Tokens...)
			continue
		}
		wanted := slices.DeleteFunc(slices.Clone(d.Tokens), func(symbol string) bool {
			return c.Asset != nil && !slices.Contains(c.Asset, symbol)
		})
		if len(wanted) > 0 {
			day = d.Day
		}
	}
	if day == 0 {
		return 0, nil, nil, ledger.ErrInvalid.In("", "no day is closed yet")
	}
	symbols := c.Asset
	if symbols == nil {
		symbols = days[0].Tokens
	}
	slices.Sort(left)
	return day, comparison.Choose(known, symbols), left, nil
}

// write prints what came of comparisons. Its error says that something differs.
func (c *reconcileRunCmd) write(env *Env, all []store.Comparison, left []string) error {
	objects := make([]comparisonJSON, 0, len(all))
	var differ []error
	for i, r := range all {
		if len(r.Differences) > c.Limit {
			r.Differences = r.Differences[:c.Limit]
		}
		if c.JSON {
			objects = append(objects, formatComparison(r))
		} else {
			if i > 0 {
				if err := env.printf("\n"); err != nil {
					return err
				}
			}
			if err := writeComparison(env, r); err != nil {
				return err
			}
		}
		if n := r.Differing(); n > 0 {
			differ = append(differ, fmt.Errorf("at the end of %s, %s from the other ledger", r.Day,
				count(n, "amount differs", "amounts differ")))
		}
	}
	if c.JSON {
		if err := writeJSON(env.Stdout, objects); err != nil {
			return err
		}
	}
	if len(left) > 0 && !c.JSON {
		if err := env.printf("\nNot compared, since their days wait: %s. Compare them with --asset.\n",
			strings.Join(left, " ")); err != nil {
			return err
		}
	}
	return errors.Join(differ...)
}

type reconcileResolveCmd struct {
	Number int64  `arg:"" help:"Number of the reconciliation, as \"reconcile list\" names it."`
	Asset  string `arg:"" help:"Token."`
	Reason string `required:"" placeholder:"TEXT" help:"Why it is paid all the same; it is kept in the log."`
}

func (c *reconcileResolveCmd) Help() string {
	return `The token is paid by the next run. A later reconciliation that is over the limit stops it again. Balances stay as they are. With four eyes this needs approval. Repeating has no further effect.

Example:

  softstake reconcile resolve 12 BNB --reason "the other ledger corrects it today"`
}

func (c *reconcileResolveCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		repeated, err := db.ResolveBreak(ctx, store.BreakResolution{Number: c.Number, Asset: c.Asset, Reason: c.Reason})
		format := "Reconciliation %s does not stop paying %s any more.\n"
		if repeated {
			format = "Reconciliation %s is resolved already of %s.\n"
		}
		return env.done(err, format, strconv.FormatInt(c.Number, 10), c.Asset)
	})
}

type reconcileReleaseCmd struct {
	Asset  string      `arg:"" help:"Token."`
	Day    staking.Day `arg:"" help:"Day that waits to be compared, as \"status\" names it."`
	Reason string      `required:"" placeholder:"TEXT" help:"Why it is paid all the same; it is kept in the log."`
}

func (c *reconcileReleaseCmd) Help() string {
	return `Where "reconcile set-limit" says --without-comparison wait, a day waits until it is compared. This one day is then paid without that. With four eyes this needs approval. Repeating has no further effect.

Example:

  softstake reconcile release BNB 2026-11-21 --reason "their database is down until noon"`
}

func (c *reconcileReleaseCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		repeated, err := db.ReleaseDay(ctx, store.ComparisonRelease{Asset: c.Asset, Day: c.Day, Reason: c.Reason})
		format := "%s of %s does not wait to be compared any more.\n"
		if repeated {
			format = "%s of %s is released already.\n"
		}
		return env.done(err, format, c.Asset, c.Day.String())
	})
}

type reconcileSetLimitCmd struct {
	Asset    string  `arg:"" optional:"" help:"Token. Without it: every token that has no limit of its own."`
	Amount   *string `xor:"off,amount" placeholder:"AMOUNT" help:"A difference of all its accounts together, without signs, above which it is not paid. Without a token only 0."`
	Accounts *int64  `xor:"off,accounts" placeholder:"NUMBER" help:"A number of accounts that differ, above which it is not paid."`
	Off      bool    `xor:"off,amount" help:"No difference stops paying."`
	Without  string  `name:"without-comparison" enum:"pay,wait" default:"pay" help:"What becomes of a day that is not compared: it is paid, or it waits."`
}

func (c *reconcileSetLimitCmd) Help() string {
	return `A reconciliation over either limit stops paying the token: its days are accrued and wait, and other tokens are paid. It goes on when a later reconciliation, of that day or a later one, is within the limit, or "reconcile resolve" says why; where the comparison of each night stopped it, only one with what "reconcile set" names does, else also one of the same kind of source (a file, a database, an endpoint, a topic or a request). It counts for reconciliations from now on. New books have no limit: differences are reported, and stop nothing.

With --without-comparison wait, no day of the token is paid before its end was compared: by the comparison of each night where "reconcile set" names a source, else by any. What is within the limit, or resolved, is paid by the next run. So a comparison that fails stops paying, too; "reconcile release" lets one day be paid without it. Each call sets all of it: what is not given is as for new books.

Examples:

  softstake reconcile set-limit --accounts 0
  softstake reconcile set-limit BNB --amount 0.5 --accounts 10
  softstake reconcile set-limit BNB --amount 0.5 --without-comparison wait
  softstake reconcile set-limit BNB --off`
}

func (c *reconcileSetLimitCmd) Run(env *Env) error {
	if c.Off == (c.Amount != nil || c.Accounts != nil) {
		return usage("give --amount, --accounts or both; or --off")
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		l := store.ComparisonLimit{Asset: c.Asset, Amount: store.AnyDifference, Accounts: store.AnyDifference,
			Waits: c.Without == "wait"}
		asset := ledger.Asset{}
		var err error
		if c.Asset != "" {
			if asset, err = db.Asset(ctx, c.Asset); err != nil {
				return err
			}
		}
		if c.Amount != nil {
			if l.Amount, err = asset.Parse(*c.Amount); err != nil {
				return ledger.At("amount", err)
			}
			if l.Amount < 0 {
				return usage("--amount is 0 or more")
			}
		}
		if c.Accounts != nil {
			if l.Accounts = *c.Accounts; l.Accounts < 0 {
				return usage("--accounts is 0 or more")
			}
		}
		return env.done(db.SetComparisonLimit(ctx, l), "%s\n", comparisonLimitSentence(asset, l))
	})
}

// comparisonLimitSentence says what a limit means.
func comparisonLimitSentence(a ledger.Asset, l store.ComparisonLimit) string {
	of := l.Asset
	if of == "" {
		of = "A token without a limit of its own"
	}
	var above []string
	if l.Amount >= 0 {
		above = append(above, "by more than "+strings.TrimSpace(withUnit(a, l.Amount)))
	}
	if l.Accounts >= 0 {
		above = append(above, "in more than "+count(l.Accounts, "account", "accounts"))
	}
	text := of + " is paid whatever differs."
	if above != nil {
		text = fmt.Sprintf("%s is not paid where it differs %s.", of, strings.Join(above, " or "))
	}
	if l.Waits {
		text += " No day is paid before it is compared."
	}
	return text
}

type reconcileSetCmd struct {
	figuresFlags `embed:""`
	reachFlags   `embed:""`
	Untested     bool `help:"Do not try it first, as where only \"serve\" can reach it."`
	Off          bool `help:"Compare nothing by itself."`
}

func (c *reconcileSetCmd) Help() string {
	return `"softstake serve" compares the books with it each night, once a day has closed and the day before it is paid, and tries again where that fails. The books keep addresses and queries, and no secrets: "serve" reads the password of a database from ~/.pgpass or PGPASSWORD, the token of an endpoint from --reconcile-token-file, and who reads a topic from --reconcile-credentials. With four eyes this needs approval.

It is tried before it is set, with the same secrets: the queries are asked for no row, an endpoint is asked for the last day that has closed (or yesterday), a topic is opened. What does not answer within a minute, or is wrong, is not set, unless --untested.

Examples:

  softstake reconcile set --ledger "postgres://softstake@ledger.example.com/exchange?sslmode=verify-full" --balances-query 'SELECT account, asset, sum(amount) AS balance FROM postings WHERE at < $1 GROUP BY account, asset' --payouts-query 'SELECT account, asset, sum(amount) AS payout FROM credits WHERE day = $1 GROUP BY account, asset'
  softstake reconcile set --endpoint https://ledger.example.com/balances
  softstake reconcile set --topic nats://nats.example.com/BALANCES
  softstake reconcile set --off`
}

func (c *reconcileSetCmd) Run(env *Env) error {
	source, err := c.source()
	switch {
	case err != nil:
		return err
	case c.Off == source.On():
		return usage("give --ledger, --endpoint or --topic; or --off")
	}
	try, err := c.trial(env, source)
	if err != nil {
		return err
	}
	said := "The figures of the other ledger are compared each night.\n"
	if c.Off {
		said = "Nothing is compared by itself.\n"
	}
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, known assets) error {
		if err := try(ctx, db, known); err != nil {
			return err
		}
		return env.done(db.SetComparisonSource(ctx, source), "%s", said)
	})
}

// trial is how a source is tried, when its addresses are read. Without a source, or untested, nothing is.
func (c *reconcileSetCmd) trial(env *Env, source store.ComparisonSource) (
	func(context.Context, *store.DB, assets) error, error) {
	nothing := func(context.Context, *store.DB, assets) error { return nil }
	if !source.On() {
		return nothing, nil
	}
	reach, err := c.reach(env)
	if err == nil {
		_, _, err = reach.Open(source)
	}
	if err != nil || c.Untested {
		return nothing, err
	}
	return func(ctx context.Context, db *store.DB, known assets) error {
		day := staking.DayOf(db.Now()) - 1
		days, err := reports.New(db.Reader()).Comparable(ctx, false)
		if err == nil && len(days) > 0 {
			day = days[0].Day
		}
		if err == nil {
			err = reach.Try(ctx, source, day, known)
		}
		if err != nil {
			return fmt.Errorf("it is not set, since trying it failed (--untested sets it all the same): %w", err)
		}
		return nil
	}, nil
}
