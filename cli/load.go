package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// loadCmd loads the opening balances of many accounts.
type loadCmd struct {
	File   string `arg:"" help:"CSV with the columns account,region,asset,amount; - is the standard input."`
	Strict bool   `help:"Stop at the first line that cannot be read."`
}

func (c *loadCmd) Help() string {
	return `Each line is an account's balance of one token; an account that is not open yet is opened, with its residence. The column region may be missing; asset and amount may be empty for an account without a balance. It counts from the start of the first open day.

An empty residence means: as it is. A line with another residence than the account has is refused. A line that cannot be read, or has more of a token than there can be, opens no account. What only the ledger can refuse, such as more of a token in all accounts together than there can be, leaves a new account open without a balance, and the line's message says so.

A line is loaded once, by its account and token: after an interruption the same file may be loaded again. Bad lines are reported with their numbers, the others are loaded, and the exit status is 1.

Example:

  softstake load balances.csv`
}

// loadBatch is how many lines are sorted by bucket together, as they go into the books. The more, the closer the rows
// of a transaction lie, and the fewer pages it writes.
const loadBatch = 100_000

// loadLine is a line that was read, or what is wrong with it.
type loadLine struct {
	n       int
	bytes   int64
	account store.Account
	opening imports.Opening // without an asset: none
	bad     error
}

func (c *loadCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		l := &loader{db: db, strict: c.Strict, tally: tally{env: env, doing: "loading", verb: "loaded",
			again: "load the file again: loading a line again has no further effect"}}
		parse := loadParser{entryParser{asset: db.Asset}}
		return l.read(c.File, func(in io.Reader) error {
			file, err := openCSV(in, c.File, "account", "region?", "asset?", "amount?")
			if err != nil {
				return err
			}
			return readLines(ctx, &l.tally, func(ctx context.Context) (loadLine, error) {
				row, line, err := file.next()
				if err != nil {
					return loadLine{}, err
				}
				l := parse.line(ctx, env, row, line.bad)
				l.n, l.bytes = line.n, int64(len(line.text))
				return l, parse.failed
			}, l.load)
		})
	})
}

// loadParser reads the lines of a load file.
type loadParser struct{ entryParser }

// line reads a row: account, region, asset, amount.
func (p *loadParser) line(ctx context.Context, env *Env, row []string, bad error) (l loadLine) {
	if l.bad = bad; bad != nil {
		return l
	}
	l.account = store.Account{ID: ledger.Account(row[0]), Opened: env.Now()}
	if l.bad = l.account.ID.CheckNew(); l.bad != nil {
		return l
	}
	if row[1] != "" {
		if l.account.Region, l.bad = staking.ParseRegion(row[1]); l.bad != nil {
			return l
		}
	}
	if row[2] == "" && row[3] == "" {
		return l
	}
	var asset ledger.Asset
	if asset, l.bad = p.lookUp(ctx, row[2]); l.bad != nil {
		return l
	}
	l.opening = imports.Opening{Account: l.account.ID, Asset: row[2]}
	l.opening.Amount, l.bad = asset.Parse(row[3])
	switch {
	case l.bad != nil:
	case l.opening.Amount > asset.MaxSupply:
		l.bad = ledger.ErrInvalid.In("amount", "the amount is more %s than there can be (%s)", row[2],
			asset.Format(asset.MaxSupply))
	case l.opening.Amount <= 0:
		l.bad = ledger.ErrInvalid.In("amount", "the amount of %s is not above zero; leave asset and amount empty "+
			"for an account without a balance", row[2])
	}
	return l
}

// loader loads lines and counts what became of them.
type loader struct {
	tally
	db     *store.DB
	strict bool
}

func (l *loader) load(ctx context.Context, lines <-chan loadLine) error {
	return inBatches(ctx, lines, loadBatch, func(batch []loadLine) error {
		bytes := int64(0)
		for _, line := range batch {
			bytes += line.bytes
		}
		if err := l.batch(ctx, batch); err != nil {
			return err
		}
		return l.progress(len(batch), bytes, "loaded")
	})
}

// batch opens the accounts of some lines and posts what they have.
func (l *loader) batch(ctx context.Context, batch []loadLine) error {
	refused := map[int]error{} // by line
	lines := make([]loadLine, 0, len(batch))
	for _, line := range batch {
		if line.bad == nil {
			lines = append(lines, line)
			continue
		}
		refused[line.n] = line.bad
		if l.strict {
			return fmt.Errorf("line %d: %w; correct it and load the file again: loading a line again has no further effect",
				line.n, line.bad)
		}
	}
	fresh, err := l.open(ctx, lines, refused)
	if err != nil {
		return err
	}
	if err := l.post(ctx, lines, fresh, refused); err != nil {
		return err
	}
	for _, n := range slices.Sorted(maps.Keys(refused)) {
		if err := l.refuse(n, refused[n]); err != nil {
			return err
		}
	}
	return nil
}

// open opens the accounts of lines, each as its first line has it, refuses the
// lines with another residence than the account's, and returns those accounts that
// are new, and have no balance yet.
func (l *loader) open(ctx context.Context, lines []loadLine, refused map[int]error) (fresh map[ledger.Account]bool,
	err error) {
	var accounts []store.Account
	regions := map[ledger.Account]staking.Region{}
	fresh = map[ledger.Account]bool{}
	for _, line := range lines {
		if id := line.account.ID; !fresh[id] {
			fresh[id], regions[id] = true, line.account.Region
			accounts = append(accounts, line.account)
		}
	}
	there, err := l.db.OpenOrFind(ctx, accounts)
	if err != nil {
		return nil, err
	}
	for _, a := range there {
		regions[a.ID] = a.Region
		delete(fresh, a.ID)
	}
	for _, line := range lines {
		switch is, said := regions[line.account.ID], line.account.Region; {
		case said == "" || said == is:
		case is == "":
			refused[line.n] = fmt.Errorf("%s is open without a residence, not with %s; set it with \"softstake account "+
				"set-region\"", line.account.ID, said)
		default:
			refused[line.n] = fmt.Errorf("%s is open already, and its residence is %s, not %s; change it with "+
				"\"softstake account set-region\"", line.account.ID, is, said)
		}
	}
	return fresh, nil
}

// post posts what the accounts of lines have, but for refused lines.
func (l *loader) post(ctx context.Context, lines []loadLine, fresh map[ledger.Account]bool,
	refused map[int]error) error {
	var openings []imports.Opening
	var at []int
	for _, line := range lines {
		switch {
		case refused[line.n] != nil:
		case line.opening.Asset == "":
			delete(fresh, line.account.ID) // it was to be opened without a balance
		default:
			openings, at = append(openings, line.opening), append(at, line.n)
		}
	}
	outcomes, err := l.db.PostOpenings(ctx, openings)
	if err != nil {
		return err
	}
	for i, o := range outcomes {
		switch {
		case errors.Is(o.Err, ledger.ErrConflict):
			refused[at[i]] = fmt.Errorf("%s was loaded with another amount of %s before; correct it with \"softstake adjust\"",
				openings[i].Account, openings[i].Asset)
		case o.Err != nil:
			refused[at[i]] = o.Err
		case o.Repeated:
			l.repeated++
		default:
			l.done++
		}
		if o.Err == nil {
			delete(fresh, openings[i].Account)
		}
	}
	for i, o := range outcomes {
		if o.Err != nil && fresh[openings[i].Account] {
			refused[at[i]] = fmt.Errorf("%w; the account was opened, without a balance", refused[at[i]])
		}
	}
	return nil
}
