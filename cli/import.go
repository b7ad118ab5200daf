package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"softstake/history"
	"softstake/ledger"
	"softstake/staking"
	"softstake/store"
)

// importCmd imports the exchange's export into an account.
type importCmd struct {
	File      string          `arg:"" help:"The exchange's Transaction History export, a CSV file; - is the standard input."`
	Account   ledger.Account  `required:"" placeholder:"ACCOUNT" help:"Account it becomes the history of."`
	UTCOffset *history.Offset `name:"utc-offset" placeholder:"+01:00" help:"Zone of the column Time; write --utc-offset=-06:00 behind UTC. Without it: the zone in the file's name, else UTC."`
	Strict    bool            `help:"Fail at the first row that cannot be read, instead of leaving it out."`
}

func (c *importCmd) Help() string {
	return `What changed in the Spot account in one second becomes one entry, named by the account and the second: the same file twice is once. Rows of days that are closed become one opening balance of each token, which is posted once; what differs later is told, and not posted. Rewards that the real product paid are left out: these books pay their own.

Example:

  softstake import Transaction-History.csv --account alice`
}

// Run imports the file.
func (c *importCmd) Run(w *World) error {
	return w.books(func(ctx context.Context, db *store.DB) error {
		if _, err := db.Account(ctx, c.Account); err != nil {
			return err
		}
		a, err := readAssets(ctx, db)
		if err != nil {
			return err
		}
		file, err := c.read(w, a)
		if err != nil {
			return err
		}
		statements, err := file.Statements()
		if err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		if err := tellImport(w, file, statements); err != nil {
			return err
		}
		i := &importer{w: w, db: db, assets: a, account: c.Account, openings: map[string]ledger.Amount{}}
		return i.post(ctx, statements)
	})
}

func (c *importCmd) read(w *World, a assets) (file *history.File, err error) {
	in, _, err := w.file(c.File)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	name := filepath.Base(c.File)
	if c.File == "-" {
		name = "standard input"
	}
	return history.Read(in, name, history.Options{Assets: a, Offset: c.UTCOffset, Strict: c.Strict})
}

// tellImport tells what was made of the file's rows.
func tellImport(w *World, f *history.File, statements []history.Statement) error {
	var tell []string
	for _, s := range f.Skipped {
		tell = append(tell, s.String()+"; the row is left out")
	}
	tell = append(tell, fmt.Sprintf("Times are read as %s: %s.", f.Zone.Offset, f.Zone.Source))
	if f.Rounded > 0 {
		tell = append(tell, count(f.Rounded, "row has", "rows have")+" more decimals than the token keeps: each is rounded, half away from zero.")
	}
	if others := f.Spot - len(f.Rows); others > 0 {
		tell = append(tell, fmt.Sprintf("%s of coins that the books do not keep, and skipped: %s.", count(others, "Spot row is", "Spot rows are"), listCoins(f)))
	}
	rewards := 0
	for _, r := range f.Rows {
		if r.Reward {
			rewards++
		}
	}
	if rewards > 0 {
		tell = append(tell, count(rewards, "row is a reward", "rows are rewards")+" of the real product, and left out: these books pay their own.")
	}
	for _, s := range statements {
		if s.Opening > 0 {
			tell = append(tell, fmt.Sprintf("The history of %s begins in the middle: %s is presumed to have been there all along.", s.Asset.Symbol, withUnit(s.Asset, s.Opening)))
		}
	}
	for _, line := range tell {
		if err := w.tellf("%s", line); err != nil {
			return err
		}
	}
	return nil
}

// importer posts the history of an account.
type importer struct {
	w        *World
	db       *store.DB
	assets   assets
	account  ledger.Account
	openings map[string]ledger.Amount // what each token had before the entries to post

	posted, repeated, refused int
}

// post posts the openings, then the entries of open days. Moments of closed days
// that are in the books already are not part of an opening.
func (i *importer) post(ctx context.Context, statements []history.Statement) error {
	firstOpen, err := i.db.FirstOpen(ctx)
	if err != nil {
		return err
	}
	moments := i.moments(statements)
	closed, _ := slices.BinarySearchFunc(moments, firstOpen.Start(), func(m store.Import, t time.Time) int { return m.At.Compare(t) })
	if err := i.before(ctx, moments[:closed]); err != nil {
		return err
	}
	if err := i.open(ctx); err != nil {
		return err
	}
	bar := newMeter(i.w, "importing", int64(len(moments)-closed))
	for part := range slices.Chunk(moments[closed:], postBatch) {
		outcomes, err := i.db.PostImport(ctx, i.account, part)
		if err != nil {
			return errors.Join(err, bar.end())
		}
		for n, o := range outcomes {
			if err := i.count(part[n], o); err != nil {
				return err
			}
		}
		bar.add(int64(len(part)))
	}
	if err := bar.end(); err != nil {
		return err
	}
	if err := i.w.tellf("entries: posted %d, repeated %d, refused %d", i.posted, i.repeated, i.refused); err != nil {
		return err
	}
	if i.refused > 0 {
		return fmt.Errorf("%s refused", count(i.refused, "entry was", "entries were"))
	}
	return nil
}

// moments are the statements as one list of seconds, and presumed openings are taken in.
func (i *importer) moments(statements []history.Statement) []store.Import {
	byTime := map[time.Time]*store.Import{}
	for _, s := range statements {
		i.openings[s.Asset.Symbol] = s.Opening
		for _, m := range s.Moments {
			if byTime[m.At] == nil {
				byTime[m.At] = &store.Import{At: m.At}
			}
			byTime[m.At].Changes = append(byTime[m.At].Changes, store.ImportChange{Asset: s.Asset.Symbol, Amount: m.Sum})
		}
	}
	moments := make([]store.Import, 0, len(byTime))
	for _, m := range byTime {
		moments = append(moments, *m)
	}
	slices.SortFunc(moments, func(a, b store.Import) int { return a.At.Compare(b.At) })
	return moments
}

// before adds the moments of closed days to the openings, but for those that an
// earlier import has posted: posting one again answers so, and posts nothing.
func (i *importer) before(ctx context.Context, moments []store.Import) error {
	for part := range slices.Chunk(moments, postBatch) {
		outcomes, err := i.db.PostImport(ctx, i.account, part)
		if err != nil {
			return err
		}
		for n, o := range outcomes {
			m := part[n]
			switch {
			case o.Repeated:
				i.repeated++
			case errors.Is(o.Err, ledger.ErrDayClosed):
				for _, c := range m.Changes {
					if i.openings[c.Asset], err = i.openings[c.Asset].Add(c.Amount); err != nil {
						return fmt.Errorf("the opening balance of %s: %w", c.Asset, err)
					}
				}
			default:
				if err := i.tellRefused(m, o.Err); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// open posts the opening of each token that the account does not have in the
// books yet. Where it has, it tells what differs.
func (i *importer) open(ctx context.Context) error {
	balances, err := i.db.Balances(ctx, i.account)
	if err != nil {
		return err
	}
	var openings []store.Opening
	for _, symbol := range slices.Sorted(maps.Keys(i.openings)) {
		amount := i.openings[symbol]
		there := slices.ContainsFunc(balances, func(b store.Balance) bool { return b.Asset == symbol })
		if !there && amount > 0 {
			openings = append(openings, store.Opening{Account: i.account, Asset: symbol, Amount: amount})
		}
		if there {
			if err := i.compare(ctx, symbol, amount); err != nil {
				return err
			}
		}
	}
	outcomes, err := i.db.PostOpenings(ctx, openings)
	if err != nil {
		return err
	}
	for n, o := range outcomes {
		if o.Err != nil {
			return fmt.Errorf("the opening balance of %s: %w", openings[n].Asset, o.Err)
		}
		if err := i.w.tellf("Opening balance at the start of %s: %s.", staking.DayOf(o.At), i.assets.with(openings[n].Asset, openings[n].Amount)); err != nil {
			return err
		}
	}
	return nil
}

// compare tells where the file's opening of a token differs from what the books have.
func (i *importer) compare(ctx context.Context, symbol string, amount ledger.Amount) error {
	posted, found, err := i.db.Opening(ctx, i.account, symbol)
	if err != nil || posted == amount {
		return err
	}
	if !found {
		return i.w.tellf("%s: by this file the account had %s before what is posted here. The books know its %s already, without an opening balance, so none is posted; mend it with \"softstake adjust\" if it is missing.",
			symbol, i.assets.with(symbol, amount), symbol)
	}
	return i.w.tellf("%s: the opening balance was posted as %s, and by this file it would be %s. The difference is not posted; mend it with \"softstake adjust\" if it is missing.",
		symbol, i.assets.with(symbol, posted), i.assets.with(symbol, amount))
}

// count counts what became of an entry, and tells why one was refused.
func (i *importer) count(m store.Import, o store.Outcome) error {
	switch {
	case o.Err != nil:
		return i.tellRefused(m, o.Err)
	case o.Repeated:
		i.repeated++
	case !o.PostedAt.IsZero(): // else nothing changed in that moment
		i.posted++
	}
	return nil
}

func (i *importer) tellRefused(m store.Import, why error) error {
	i.refused++
	return i.w.tellf("%s: %s", clockTime(m.At), plain(why))
}
