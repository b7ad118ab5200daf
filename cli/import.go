package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/history"
	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// importCmd imports the exchange's exports into an account.
type importCmd struct {
	historyFlags
	Account        ledger.Account `required:"" placeholder:"ACCOUNT" help:"Account they become the history of."`
	SkipUnreadable bool           `help:"Leave out rows that cannot be read. Without it they refuse the file, and nothing is posted."`
	Replace        bool           `help:"Forget what earlier imports read from files of the same names, such as in a wrong zone. Without it their rows count as well."`
	WithoutRewards bool           `help:"Leave out the rewards of Soft Staking that the exchange paid, and take back those that an earlier import posted. Give it at each import of the account: one without it posts the rewards, as entries of the kind reward-from-elsewhere."`
}

func (c *importCmd) Help() string {
	return `What changed in the Spot account in one second becomes one entry, named by the account and the second. Days that are closed become one opening balance of each token. The rows are kept: files that come later, in any order, post the difference to what is in the books already, and repeating an import with the same flags has no further effect.

Example:

  softstake import Transaction-History-2024.csv Transaction-History-2025.zip --account alice`
}

func (c *importCmd) Run(env *Env) error {
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		if _, err := db.Account(ctx, c.Account); err != nil {
			return err
		}
		files, err := c.read(env, a, !c.SkipUnreadable)
		if errors.Is(err, history.ErrUnreadable) {
			return fmt.Errorf("%w; nothing was posted; download the CSV again, or leave such rows out "+
				"with --skip-unreadable", err)
		}
		if err != nil {
			return err
		}
		i := &importer{env: env, db: db, assets: a, command: c}
		if err := i.describe(files); err != nil {
			return err
		}
		if err := i.record(ctx, files); err != nil {
			return err
		}
		return i.post(ctx)
	})
}

// importer posts the history of an account.
type importer struct {
	env     *Env
	db      *store.DB
	assets  assets
	command *importCmd

	posted, repeated, refused int
	insufficient              bool // a balance would have fallen below zero in order of time: plan again
}

// describe reports what was made of the files' rows.
func (i *importer) describe(files []*history.File) error {
	h, err := history.Merge(files, i.assets)
	if err != nil {
		return err
	}
	var notes notes
	if n := otherRows(h); n > 0 {
		notes.addf("%s of coins that the books do not have; they are skipped: %s.", count(n, "Spot row is", "Spot rows are"),
			listCounts(h.Others))
	}
	rewards := 0
	for _, r := range h.Rows {
		if r.Reward && !r.Other {
			rewards++
		}
	}
	become := "posted as the kind " + string(ledger.RewardElsewhere)
	if i.command.WithoutRewards {
		become = "left out, as asked"
	}
	if rewards > 0 {
		notes.addf("Rewards of Soft Staking that the exchange paid: %s, %s.", count(rewards, "row", "rows"), become)
	}
	notes.addRewards(h, i.command.RewardOperation)
	if n := unreadable(files); n > 0 {
		notes.addf("%s missing in this import.", count(n, "row could not be read and is", "rows could not be read and are"))
	}
	return notes.write(i.env)
}

// record keeps the rows in the books, once it is sure that they can be planned.
func (i *importer) record(ctx context.Context, files []*history.File) error {
	var rows []imports.Row
	for _, f := range files {
		for _, t := range f.Tallies() {
			if t.Other {
				continue
			}
			rows = append(rows, imports.Row{
				At: t.At, Asset: t.Coin, Operation: history.Key(t.Operation), Amount: t.Change, Reward: t.Reward,
				Export: t.Part.Export, Part: t.Part.Number, Times: t.Count,
			})
		}
	}
	known, err := reports.New(i.db.Reader()).Imports(ctx, i.command.Account)
	if err != nil {
		return err
	}
	rows, notes := i.replaced(known.Rows, rows)
	plan, err := i.plan(ctx, known, rows, false)
	if err == nil {
		err = i.checkPlan(rows, plan)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", i.command.name(), err)
	}
	for _, symbol := range slices.Sorted(maps.Keys(plan.Openings)) {
		if !slices.ContainsFunc(rows, func(r imports.Row) bool { return r.Asset == symbol }) {
			continue // said when its files were imported
		}
		notes.addf("The rows of %s spend more than they bring: an opening balance of %s is assumed.", symbol,
			i.assets.with(symbol, plan.Openings[symbol]))
	}
	for _, d := range plan.Differences {
		notes.addf("%s: the account was given an opening balance of %s, and by its history it would be %s. The "+
			"difference is not posted; correct it with \"softstake adjust\" if it is missing.",
			d.Asset, i.assets.with(d.Asset, d.Given), i.assets.with(d.Asset, d.Rows))
	}
	if err := notes.write(i.env); err != nil {
		return err
	}
	return i.db.Imports().Record(ctx, i.command.Account, rows)
}

// planAgain compares all rows that are recorded with the books as they are now.
func (i *importer) planAgain(ctx context.Context, gainsFirst bool) (history.Plan, error) {
	known, err := reports.New(i.db.Reader()).Imports(ctx, i.command.Account)
	if err != nil {
		return history.Plan{}, err
	}
	return i.plan(ctx, known, nil, gainsFirst)
}

// plan compares all rows that are known, more of them included, with the books.
func (i *importer) plan(ctx context.Context, known reports.Imports, more []imports.Row,
	gainsFirst bool) (history.Plan, error) {
	tallies := make([]history.Tally, 0, len(known.Rows)+len(more))
	symbols := map[string]bool{}
	for _, r := range i.marked(known.Rows, more) {
		symbols[r.Asset] = true
		tallies = append(tallies, history.Tally{
			Row:  history.Row{At: r.At, Coin: r.Asset, Operation: r.Operation, Change: r.Amount, Reward: r.Reward},
			Part: history.Part{Export: r.Export, Number: r.Part}, Count: r.Times,
		})
	}
	books := history.Books{Given: map[string]history.Given{}}
	for _, e := range known.Entries {
		posted := history.Posted{Name: e.Name}
		for _, c := range e.Changes {
			symbols[c.Asset] = true
			posted.Changes = append(posted.Changes, history.Change(c))
		}
		books.Posted = append(books.Posted, posted)
	}
	for symbol := range symbols {
		amount, since, err := reports.New(i.db.Reader()).Opening(ctx, i.command.Account, symbol)
		if err != nil {
			return history.Plan{}, err
		}
		if !since.IsZero() {
			books.Given[symbol] = history.Given{Amount: amount, Since: since}
		}
	}
	firstOpen, err := reports.New(i.db.Reader()).FirstOpen(ctx)
	if err != nil {
		return history.Plan{}, err
	}
	books.FirstOpen = firstOpen.Start()
	return history.MergeTallies(tallies, i.assets).MakePlan(books,
		history.PlanOptions{WithoutRewards: i.command.WithoutRewards, GainsFirst: gainsFirst})
}

// replaced adds the rows that earlier imports have read from files of the same names and
// that are not in these: with --replace they count no more, else a note says that they do.
func (i *importer) replaced(known, rows []imports.Row) ([]imports.Row, notes) {
	type part struct {
		export string
		number int
	}
	given, parts, missing := map[imports.Row]bool{}, map[part]bool{}, 0
	for _, r := range rows {
		given[importKey(r)], parts[part{r.Export, r.Part}] = true, true
	}
	for _, r := range known {
		if r.Times == 0 || given[importKey(r)] || !parts[part{r.Export, r.Part}] {
			continue
		}
		missing++
		if i.command.Replace {
			r.Times = 0
			rows = append(rows, r)
		}
	}
	var said notes
	switch {
	case missing > 0 && i.command.Replace:
		said.addf("No longer counted: %s of earlier imports of files of the same names.", count(missing, "row", "rows"))
	case missing > 0:
		said.addf("Earlier imports of files of the same names had %s that these have not; they still count. If "+
			"those files were read wrongly, import these with --replace.", count(missing, "row", "rows"))
	}
	return rows, said
}

// marked are the rows that are known and more of them. Whether a row is a reward, this
// import says of its own rows; of others, by the operations that it names.
func (i *importer) marked(known, more []imports.Row) []imports.Row {
	said := map[imports.Row]imports.Row{}
	for _, r := range more {
		said[importKey(r)] = r
	}
	rows := slices.Clone(known)
	for n, r := range rows {
		again, is := said[importKey(r)]
		if is && again.Times == 0 {
			rows[n].Times = 0
		}
		reward := again.Reward
		if !is {
			named := func(operation string) bool {
				return strings.EqualFold(history.Key(strings.TrimSpace(operation)), r.Operation)
			}
			reward = r.Reward || slices.ContainsFunc(i.command.RewardOperation, named)
		}
		rows[n].Reward = reward
	}
	return append(rows, more...)
}

// importKey is the row as it is known in a part of an export, however often.
func importKey(r imports.Row) imports.Row {
	r.At, r.Times, r.Reward = r.At.UTC(), 0, false
	return r
}

// checkPlan refuses what the books could never take, before its rows are kept.
func (i *importer) checkPlan(rows []imports.Row, plan history.Plan) error {
	for _, r := range rows {
		if now := i.env.Now(); r.At.After(now.Add(time.Second)) {
			return fmt.Errorf("a row of %s lies in the future; is the zone right? Say which it is with --utc-offset",
				clockTime(r.At))
		}
	}
	for _, e := range plan.Entries {
		for _, c := range e.Changes {
			if most := i.assets[c.Asset].MaxSupply; c.Amount > most || c.Amount < -most {
				return fmt.Errorf("%s: %s is more than there can be; look for a row with a wrong amount", e.Name,
					i.assets.with(c.Asset, c.Amount))
			}
		}
	}
	return nil
}

// post posts what is planned: in order of time, and, where a balance would fall below
// zero on the way, what is left with all gains before all losses.
func (i *importer) post(ctx context.Context) error {
	plan, err := i.planAgain(ctx, false)
	if err != nil {
		return err
	}
	if err := i.postPlan(ctx, plan, false); err != nil {
		return err
	}
	if i.insufficient {
		left, err := i.planAgain(ctx, true)
		if err != nil {
			return err
		}
		if err := i.postPlan(ctx, left, true); err != nil {
			return err
		}
	}
	if err := i.env.warnf("entries: posted %d, refused %d; in the books already: %d", i.posted, i.refused, plan.Known+
		i.repeated); err != nil {
		return err
	}
	if i.refused > 0 {
		return fmt.Errorf("%s refused; what was posted stays, and the next import posts what is left",
			count(i.refused, "entry was", "entries were"))
	}
	return nil
}

func (i *importer) postPlan(ctx context.Context, plan history.Plan, last bool) error {
	entries := make([]imports.Entry, len(plan.Entries))
	for n, e := range plan.Entries {
		entries[n] = imports.Entry{Name: e.Name, Kind: kindOf(e), At: e.At}
		for _, c := range e.Changes {
			entries[n].Changes = append(entries[n].Changes, imports.Change(c))
		}
	}
	bar := newMeter(i.env, "importing", int64(len(entries)))
	for part := range slices.Chunk(entries, postBatch) {
		outcomes, err := i.db.PostImport(ctx, i.command.Account, part)
		if err != nil {
			return errors.Join(err, bar.end())
		}
		for n, o := range outcomes {
			if err := i.count(part[n], o, last); err != nil {
				return errors.Join(err, bar.end())
			}
		}
		bar.add(int64(len(part)))
	}
	return bar.end()
}

func kindOf(e history.PlannedEntry) ledger.Kind {
	switch {
	case e.Opening:
		return ledger.Opening
	case e.Reward:
		return ledger.RewardElsewhere
	}
	return ledger.Import
}

// count counts what became of an entry, and says why one was refused, unless it will be
// planned again.
func (i *importer) count(e imports.Entry, o store.Outcome, last bool) error {
	switch {
	case errors.Is(o.Err, ledger.ErrInsufficient) && !last:
		i.insufficient = true
		return nil
	case errors.Is(o.Err, ledger.ErrConflict):
		i.refused++
		return i.env.warnf("%s: another import has posted to it at the same time; import again", e.Name)
	case o.Err != nil:
		i.refused++
		return i.env.warnf("%s: %s", e.Name, plain(o.Err))
	case o.Repeated:
		i.repeated++
		return nil
	}
	i.posted++
	if e.Kind != ledger.Opening {
		return nil
	}
	what := "Opening balance at the start of"
	if strings.Count(e.Name, "/") > 1 {
		what = "Correction of the opening balance at the start of"
	}
	return i.env.warnf("%s %s: %s.", what, staking.DayOf(o.At), i.assets.with(e.Changes[0].Asset, e.Changes[0].Amount))
}
