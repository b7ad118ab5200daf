package cli

import (
	"cmp"
	"context"
	"io"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type excludeCmd struct {
	Add    excludeAddCmd    `cmd:"" help:"Leave an account or one of its tokens out for days."`
	End    excludeEndCmd    `cmd:"" help:"Measure it again."`
	Import excludeImportCmd `cmd:"" help:"Add or end many exclusions, from a CSV file."`
	List   excludeListCmd   `cmd:"" help:"List what is left out, and for which product."`
}

// excludeFlags are what both commands take.
type excludeFlags struct {
	Account ledger.Account `arg:""`
	Asset   string         `arg:"" optional:"" help:"Token; without it every token of the account."`
	Product string         `required:"" placeholder:"NAME" help:"Product that has priority, as the holder reads it, such as Launchpool."`
}

// row is what the flags ask for.
func (c *excludeFlags) row(from, until *staking.Day) store.ExclusionRequest {
	return store.ExclusionRequest{Exclusion: staking.Exclusion{Account: c.Account, Asset: c.Asset, Product: c.Product,
		From: given(from, 0), Until: given(until, 0)}}
}

// run excludes one account, or ends that.
func (c *excludeFlags) run(env *Env, r store.ExclusionRequest, done func(store.ExclusionOutcome) error) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		outcomes, err := db.Exclude(context.WithoutCancel(ctx), []store.ExclusionRequest{r})
		if err == nil {
			err = outcomes[0].Err
		}
		if err != nil {
			return err
		}
		return done(outcomes[0])
	})
}

// what is excluded, in a sentence.
func (c *excludeFlags) what() string {
	return cmp.Or(c.Asset, "every token") + " of " + string(c.Account)
}

type excludeAddCmd struct {
	excludeFlags
	From  *staking.Day `placeholder:"DAY" help:"First day that is not measured, at the earliest today. Without it: today."`
	Until *staking.Day `placeholder:"DAY" help:"First day that is measured again. Without it there is no end to come."`
}

func (c *excludeAddCmd) Help() string {
	return `Another product of the exchange has the account or a token of it, such as a launchpool: whole days are not measured, and each place that says why names the product. Today can be left out, and no day that is over. Several products may have the same days. The switch stays as it is. Repeating has no further effect.

Examples:

  softstake exclude add alice BNB --product Launchpool --until 2026-11-29
  softstake exclude add alice --product Auto-Subscribe`
}

func (c *excludeAddCmd) Run(env *Env) error {
	return c.run(env, c.row(c.From, c.Until), func(o store.ExclusionOutcome) error {
		x := o.Exclusion
		if o.Repeated {
			return env.printf("%s is excluded for %s already, from %s %s.\n", c.what(), x.Product, x.From, untilText(x))
		}
		return env.printf("Excluded %s for %s, from %s %s.\n", c.what(), x.Product, x.From, untilText(x))
	})
}

// untilText is when an exclusion ends, behind its first day.
func untilText(x staking.Exclusion) string {
	if x.Until == staking.Forever {
		return "on"
	}
	return "through " + (x.Until - 1).String()
}

type excludeEndCmd struct {
	excludeFlags
	Until *staking.Day `placeholder:"DAY" help:"First day that is measured again, at the earliest today. Without it: tomorrow."`
}

func (c *excludeEndCmd) Help() string {
	return `It ends what "exclude add" began for the same product and the same token, or for every token. Today is not measured any more, unless --until says today, as where it was excluded by mistake. An exclusion that has not begun by then covers no day. Repeating has no further effect.

Example:

  softstake exclude end alice BNB --product Launchpool`
}

func (c *excludeEndCmd) Run(env *Env) error {
	r := c.row(nil, c.Until)
	r.End = true
	return c.run(env, r, func(o store.ExclusionOutcome) error {
		if o.Repeated {
			return env.printf("Nothing to end: %s does not have %s from %s on.\n", c.Product, c.what(), o.Exclusion.Until)
		}
		return env.printf("%s has %s no longer: measured again from %s on, unless another product has it.\n", c.Product,
			c.what(), o.Exclusion.Until)
	})
}

type excludeImportCmd struct {
	File string `arg:"" help:"CSV with the columns account,asset,product,from,until, of which asset, from and until may be missing or empty; - is the standard input."`
	End  bool   `help:"End the exclusions of the file, each from its until on; from is not allowed then."`
}

func (c *excludeImportCmd) Help() string {
	return `Each line is as "exclude add" or, with --end, as "exclude end" takes it. Bad lines are shown with their numbers, and nothing of them is written; the others are, some thousand in a transaction, and the exit status is 1. After an interruption, give the same file again.

Examples:

  softstake exclude import launchpool.csv
  softstake exclude import launchpool.csv --end`
}

// excludeLine is a line that was read, or what is wrong with it.
type excludeLine struct {
	n     int
	bytes int64
	row   store.ExclusionRequest
	bad   error
}

// excludeBatch is how many lines go into the books together.
const excludeBatch = 5_000

func (c *excludeImportCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		t := tally{env: env, doing: "excluding", verb: "excluded",
			again: "import the file again: repeating the others has no further effect"}
		if c.End {
			t.doing, t.verb = "ending", "ended"
		}
		return t.read(c.File, func(in io.Reader) error {
			file, err := openCSV(in, c.File, "account", "asset?", "product", "from?", "until?")
			if err != nil {
				return err
			}
			return readLines(ctx, &t, func(context.Context) (excludeLine, error) {
				row, line, err := file.next()
				l := excludeLine{n: line.n, bytes: int64(len(line.text)), bad: line.bad}
				if err == nil && l.bad == nil {
					l.row, l.bad = c.request(row)
				}
				return l, err
			}, func(ctx context.Context, lines <-chan excludeLine) error {
				return inBatches(ctx, lines, excludeBatch,
					func(batch []excludeLine) error { return t.exclude(ctx, db, batch) })
			})
		})
	})
}

// request reads a row: account, asset, product, from, until. Its errors are ledger.ErrInvalid.
func (c *excludeImportCmd) request(row []string) (r store.ExclusionRequest, err error) {
	r.Account, r.Asset, r.Product, r.End = ledger.Account(row[0]), row[1], row[2], c.End
	if c.End && row[3] != "" {
		return r, ledger.ErrInvalid.In("from", "an end has no from: it is of all days from until on")
	}
	if row[3] != "" {
		r.From, err = staking.ParseDay(row[3])
	}
	if row[4] != "" && err == nil {
		r.Until, err = staking.ParseDay(row[4])
	}
	return r, err
}

// exclude takes some lines, and counts what became of them.
func (t *tally) exclude(ctx context.Context, db *store.DB, batch []excludeLine) error {
	var requests []store.ExclusionRequest
	for _, l := range batch {
		if l.bad == nil {
			requests = append(requests, l.row)
		}
	}
	outcomes, err := db.Exclude(ctx, requests)
	if err != nil {
		return err
	}
	bytes := int64(0)
	for _, l := range batch {
		o := store.ExclusionOutcome{Err: l.bad}
		if l.bad == nil {
			o, outcomes = outcomes[0], outcomes[1:]
		}
		if err := t.became(l.n, o.Err, o.Repeated); err != nil {
			return err
		}
		bytes += l.bytes
	}
	return t.progress(len(batch), bytes, "read")
}

type excludeListCmd struct {
	Account ledger.Account `arg:"" optional:"" help:"Account; without it all."`
	From    *staking.Day   `placeholder:"DAY" help:"List those that cover this day or a later one; 1970-01-01: all that there ever were. Without it: today."`
	Limit   int            `placeholder:"N" help:"How many to list. Without it: all."`
	JSON    bool           `help:"Print a JSON array."`
}

func (c *excludeListCmd) Help() string {
	return `Examples:

  softstake exclude list
  softstake exclude list alice --from 1970-01-01`
}

type exclusionJSON struct {
	Account ledger.Account `json:"account"`
	Asset   string         `json:"asset,omitempty"`
	Product string         `json:"product"`
	From    staking.Day    `json:"from"`
	Until   *staking.Day   `json:"until,omitempty"` // absent: no end is known
	SetAt   instant        `json:"setAt"`
	SetBy   string         `json:"setBy"`
}

func (c *excludeListCmd) Run(env *Env) error {
	if c.Limit < 0 {
		return usage("--limit %d is below zero", c.Limit)
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		asked := reports.ExclusionsAsked{Account: c.Account, Ending: given(c.From, staking.DayOf(env.Now()))}
		_, _, err := list[reports.Exclusion]{
			json: c.JSON,
			columns: []col{text("account"), text("token"), text("product"), text("from"), text("until"), text("set (UTC)"),
				text("by")},
			item: func(x reports.Exclusion) (any, []string) {
				j := exclusionJSON{Account: x.Account, Asset: x.Asset, Product: x.Product, From: x.From, SetAt: instant(x.SetAt),
					SetBy: x.SetBy}
				until := none
				if x.Until != staking.Forever {
					j.Until, until = &x.Until, x.Until.String()
				}
				return j, []string{string(x.Account), cmp.Or(x.Asset, "every token"), x.Product, x.From.String(), until,
					wallTime(x.SetAt), x.SetBy}
			},
			none: "Nothing is excluded.\n",
		}.printPages(env, c.Limit, func(after reports.Exclusion, most int) ([]reports.Exclusion, error) {
			return reports.New(db.Reader()).Exclusions(ctx, asked, after, most)
		})
		return err
	})
}
