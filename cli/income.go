package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type incomeCmd struct {
	Add    incomeAddCmd    `cmd:"" help:"Enter the income of a period, with its evidence."`
	Import incomeImportCmd `cmd:"" help:"Enter many incomes, from a CSV file."`
	List   incomeListCmd   `cmd:"" help:"List what was entered, with its fee and what is left of it."`
}

type incomeAddCmd struct {
	Reference string      `arg:"" help:"Your name of the income, such as that of its transaction: entering it again has no further effect."`
	Asset     string      `arg:"" help:"Token."`
	Gross     string      `arg:"" help:"How much was earned, before the fee."`
	First     staking.Day `required:"" placeholder:"DAY" help:"First day of the period."`
	Last      staking.Day `required:"" placeholder:"DAY" help:"Last day of the period, which is over. Its terms state the fee."`
	Chain     string      `required:"" placeholder:"TEXT" help:"Chain, such as solana."`
	Source    string      `required:"" placeholder:"TEXT" help:"Validator or stake account that earned it."`
	Evidence  string      `required:"" placeholder:"TEXT" help:"Transaction, or the report that says so."`
	Loss      bool        `help:"So much was lost, as by a slashing, or entered wrongly before."`
}

func (c *incomeAddCmd) Help() string {
	return `The fee goes to @fees and the rest into the pool @rewards, in one transaction. In the mode share the rest is credited with the rewards of the day on which it was entered, to those who held the token in the period; in the mode fixed it funds the pool. An income of 0 says that nothing was earned. An income that was wrong is corrected by a loss, which takes the same shares out again.

Examples:

  softstake income add sol/712 SOL 125.5 --first 2026-11-20 --last 2026-11-22 --chain solana --source 7Np4Validator --evidence 5Uf7Transaction
  softstake income add sol/712/correction SOL 0.5 --loss --first 2026-11-20 --last 2026-11-22 --chain solana --source 7Np4Validator --evidence "report of 24 November"`
}

func (c *incomeAddCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		asset, gross, err := parseAmount(ctx, db, c.Asset, c.Gross)
		if err != nil {
			return err
		}
		if gross < 0 || gross == 0 && c.Loss {
			return ledger.ErrInvalid.In("gross", "%s is not above zero; a loss is entered with --loss", ledger.Clip(c.Gross))
		}
		if c.Loss {
			gross = -gross
		}
		i := staking.Income{Reference: c.Reference, Asset: c.Asset, Chain: c.Chain, Source: c.Source, First: c.First,
			Last: c.Last, Gross: gross, Evidence: c.Evidence}
		o, err := db.PostIncome(context.WithoutCancel(ctx), i)
		if err != nil {
			return err
		}
		if o.Repeated {
			return env.printf("%s was entered before, at %s UTC; nothing is repeated.\n", c.Reference, clockTime(o.At))
		}
		s, err := reports.New(db.Reader()).SplitOf(ctx, i)
		text := "Entered %s as %s: %s of it went to @fees, and %s into the pool.\n"
		if c.Loss {
			s.Gross, s.Fee, s.Net = -s.Gross, -s.Fee, -s.Net
			text = "Entered a loss of %s as %s: %s of it came from @fees, and %s out of the pool.\n"
		}
		return env.done(err, text, withUnit(asset, s.Gross), ledger.IncomeID(c.Reference), withUnit(asset, s.Fee),
			withUnit(asset, s.Net))
	})
}

type incomeImportCmd struct {
	File string `arg:"" help:"CSV with the columns reference,asset,chain,source,first,last,gross,evidence; - is the standard input."`
}

func (c *incomeImportCmd) Help() string {
	return `Each line is entered by itself. A refused or unreadable line is named with its number, the others are entered, and the exit status is 1. A file may be imported again.

Example:

  softstake income import income.csv`
}

// incomeLine is a line that was read, or what is wrong with it.
type incomeLine struct {
	n      int
	bytes  int64
	income staking.Income
	bad    error
}

func (c *incomeImportCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		t := tally{env: env, doing: "entering", verb: "entered",
			again: "import the file again: entering a line again has no further effect"}
		parse := entryParser{asset: db.Asset}
		return t.read(c.File, func(in io.Reader) error {
			file, err := openIncomes(in, c.File)
			if err != nil {
				return err
			}
			return readLines(ctx, &t, func(ctx context.Context) (incomeLine, error) {
				row, line, err := file.next()
				if err != nil {
					return incomeLine{}, err
				}
				l := incomeLine{n: line.n, bytes: int64(len(line.text)), bad: line.bad}
				if l.bad == nil {
					l.income, l.bad = parse.income(ctx, row)
				}
				return l, parse.failed
			}, func(ctx context.Context, lines <-chan incomeLine) error {
				return inBatches(ctx, lines, 1, func(batch []incomeLine) error { return t.enter(ctx, db, batch[0]) })
			})
		})
	})
}

// openIncomes opens a CSV file of incomes.
func openIncomes(in io.Reader, name string) (*csvFile, error) {
	return openCSV(in, name, "reference", "asset", "chain", "source", "first", "last", "gross", "evidence")
}

// income reads a row: reference, asset, chain, source, first, last, gross, evidence.
func (p *entryParser) income(ctx context.Context, row []string) (i staking.Income, err error) {
	i = staking.Income{Reference: row[0], Asset: row[1], Chain: row[2], Source: row[3], Evidence: row[7]}
	asset, err := p.lookUp(ctx, i.Asset)
	if err != nil {
		return i, err
	}
	if i.First, err = staking.ParseDay(row[4]); err != nil {
		return i, err
	}
	if i.Last, err = staking.ParseDay(row[5]); err != nil {
		return i, err
	}
	i.Gross, err = asset.Parse(row[6])
	return i, err
}

// enter enters the income of a line, and counts what became of it.
func (t *tally) enter(ctx context.Context, db *store.DB, l incomeLine) error {
	o, err := store.Outcome{}, l.bad
	if err == nil {
		o, err = db.PostIncome(ctx, l.income)
	}
	switch {
	case err != nil && problemType(err) == failed && l.bad == nil:
		return err
	case err != nil:
		if err := t.refuse(l.n, err); err != nil {
			return err
		}
	case o.Repeated:
		t.repeated++
	default:
		t.done++
	}
	return t.progress(1, l.bytes, "entered")
}

type incomeListCmd struct {
	Asset string       `arg:"" optional:"" help:"Token; without it all."`
	From  *staking.Day `placeholder:"DAY" help:"First day on which a period ends. Without it: all."`
	To    *staking.Day `placeholder:"DAY" help:"Last day on which a period ends. Without it: today."`
	Limit int          `placeholder:"N" help:"How many to list, the last entered first. Without it: all."`
	JSON  bool         `help:"Print a JSON array."`
}

func (c *incomeListCmd) Help() string {
	return `In the mode share the net income is distributed with the rewards of the day on which it was entered; until that day is settled, it waits. In the mode fixed it funds the pool.

Example:

  softstake income list SOL --from 2026-11-01`
}

type incomeJSON struct {
	Reference string      `json:"reference"`
	Asset     string      `json:"asset"`
	Chain     string      `json:"chain"`
	Source    string      `json:"source"`
	First     staking.Day `json:"first"`
	Last      staking.Day `json:"last"`
	Gross     string      `json:"gross"`
	FeeRate   string      `json:"feeRate"`
	Fee       string      `json:"fee"`
	Net       string      `json:"net"`
	Evidence  string      `json:"evidence"`
	At        instant     `json:"at"`
	EnteredBy string      `json:"enteredBy"`
	Mode      string      `json:"mode"`
	// The day with whose rewards it is distributed; null: it funds the pool.
	Day         *staking.Day `json:"day"`
	Distributed bool         `json:"distributed"`
}

func (a assets) incomeJSON(i reports.Income) incomeJSON {
	out := incomeJSON{Reference: i.Reference, Asset: i.Asset, Chain: i.Chain, Source: i.Source, First: i.First,
		Last: i.Last, Gross: a.plain(i.Asset, i.Split.Gross), FeeRate: i.Rate.String(), Fee: a.plain(i.Asset, i.Fee),
		Net: a.plain(i.Asset, i.Net), Evidence: i.Evidence, At: instant(i.At), EnteredBy: i.Credential,
		Mode: i.Mode.String(), Distributed: i.Distributed}
	if i.Mode == staking.Share {
		out.Day = new(i.Day())
	}
	return out
}

// goesTo says where the rest of an income goes.
func goesTo(i reports.Income) string {
	switch {
	case i.Mode != staking.Share:
		return "in the pool"
	case i.Distributed:
		return i.Day().String()
	}
	return "waits"
}

func (c *incomeListCmd) Run(env *Env) error {
	if c.Limit < 0 {
		return usage("--limit %d is below zero", c.Limit)
	}
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		if c.Asset != "" {
			if _, err := db.Asset(ctx, c.Asset); err != nil {
				return err
			}
		}
		asked := reports.IncomesAsked{From: given(c.From, 0), To: given(c.To, staking.DayOf(env.Now())), Asset: c.Asset}
		_, _, err := list[reports.Income]{
			json: c.JSON,
			// They fit a terminal of 80 columns, but for long references. JSON has the rest.
			columns: []col{text("token"), text("first day"), figure("days"), figure("gross"), figure("fee %"), figure("net"),
				text("distributed"), text("reference")},
			item: func(i reports.Income) (any, []string) {
				j := a.incomeJSON(i)
				return j, []string{j.Asset, j.First.String(), number(int64(i.Last-i.First) + 1), j.Gross, percent(i.Rate), j.Net,
					goesTo(i), j.Reference}
			},
			none: "No income was entered.\n",
		}.printPages(env, c.Limit, func(after reports.Income, most int) ([]reports.Income, error) {
			return reports.New(db.Reader()).Incomes(ctx, asked, after, most)
		})
		return err
	})
}

type feesCmd struct {
	List     feesListCmd     `cmd:"" help:"List the fees of incomes, and what was taken out or returned."`
	Withdraw feesWithdrawCmd `cmd:"" help:"Take fees out of the books."`
	Return   feesReturnCmd   `cmd:"" help:"Return fees, before a slashing whose fee was taken out already."`
}

// feesFlags are what both commands take.
type feesFlags struct {
	Asset  string `arg:"" help:"Token."`
	Amount string `arg:"" help:"How much, such as 1000 or 0.5."`
	ID     string `name:"id" placeholder:"ID" help:"Name of it: repeating it has no further effect. Without it one is made."`
}

type feesWithdrawCmd struct{ feesFlags }

func (c *feesWithdrawCmd) Help() string {
	return `What the operator keeps of staking income lies in @fees. The log says who took it out.

Example:

  softstake fees withdraw SOL 37.65`
}

func (c *feesWithdrawCmd) Run(env *Env) error {
	return c.move(env, false, "Took %s out of @fees as %s.\n")
}

type feesReturnCmd struct{ feesFlags }

func (c *feesReturnCmd) Help() string {
	return `Example:

  softstake fees return SOL 0.15`
}

func (c *feesReturnCmd) Run(env *Env) error {
	return c.move(env, true, "Returned %s to @fees as %s.\n")
}

func (c *feesFlags) move(env *Env, back bool, done string) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		asset, amount, err := parseAmount(ctx, db, c.Asset, c.Amount)
		if err != nil {
			return err
		}
		id := cmp.Or(c.ID, newID(env))
		o, err := db.MoveFees(context.WithoutCancel(ctx), id, c.Asset, amount, back)
		if o.Repeated {
			done = "%s was posted before as %s; nothing is repeated.\n"
		}
		return env.done(unknown(err, id), done, withUnit(asset, amount), ledger.FeesID(id))
	})
}

// newID is an ID that nobody else gives, for a posting without one.
func newID(env *Env) string {
	return fmt.Sprintf("%s-%s", env.Now().UTC().Format("20060102T150405"), rand.Text()[:8])
}

// unknown says of a failure which ID to repeat: an interrupt between the posting and its
// answer would leave the person not knowing whether it was posted.
func unknown(err error, id string) error {
	if err != nil && problemType(err) == failed {
		return fmt.Errorf("%w; whether it was posted is not known: run it again with --id %s, and it is posted once", err, id)
	}
	return err
}
