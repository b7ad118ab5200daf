package cli

import (
	"context"
	"io"

	"github.com/softstake/softstake/ingest"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/staking"
)

// dayFigures is how the other ledger's own figures of the day are read; nil: they are not.
func (c *joinRunCmd) dayFigures(env *Env) (ingest.Figures, error) {
	source, err := c.figuresFlags.source()
	switch {
	case err != nil:
		return nil, err
	case c.Day != nil && !c.DryRun:
		return nil, usage("--day goes with --dry-run")
	case c.Day == nil && (c.Figures != "" || source.On()):
		return nil, usage("--figures, --ledger, --endpoint and --topic go with --day")
	case c.Figures != "" && source.On():
		return nil, usage("give one of --figures, --ledger, --endpoint and --topic")
	case c.Figures != "":
		return func(_ context.Context, _ staking.Day, assets map[string]ledger.Asset) (reconcile.Figures, error) {
			return readFile(env, c.Figures, func(in io.Reader) (reconcile.Figures, error) { return reconcile.Read(in, assets) })
		}, nil
	case !source.On():
		return nil, nil
	}
	reach, err := c.reach(env)
	if err != nil {
		return nil, err
	}
	read, _, err := reach.Open(source)
	return ingest.Figures(read), err
}

// compareDay prints what a dry run finds of a day.
func (c *joinRunCmd) compareDay(ctx context.Context, env *Env, config ingest.Config, figures ingest.Figures) error {
	found, err := ingest.CompareDay(ctx, config, *c.Day, figures)
	if err != nil {
		return err
	}
	if err := env.printf("Read %s, and compared %s at the end of %s with the books. Nothing was posted.\n",
		count(found.Events, "event", "events"), count(found.Balances, "balance", "balances"), *c.Day); err != nil {
		return err
	}
	if err := warnUncompared(env, found.Compared); err != nil {
		return err
	}
	for _, name := range found.Short {
		if err := env.warnf("%s/%s does not go beyond the end of the day: some of it may be missing.", c.Name,
			name); err != nil {
			return err
		}
	}
	if err := writeSourceDifferences(env, found.Compared); err != nil {
		return err
	}
	if len(found.Rewards) > 0 {
		if err := writeDayRewards(env, found.Rewards); err != nil {
			return err
		}
	}
	lines := c.foundLines(found.Compared)
	if f := found.Figures; f != nil {
		if err := writeFiguresFound(env, *f); err != nil {
			return err
		}
		if n := f.Differing(); n > 0 {
			lines = append(lines, count(n, "account has", "accounts have")+" something else by the figures of the other ledger")
		}
	}
	return foundError(lines)
}

// writeDayRewards lists what the day pays those that differ.
func writeDayRewards(env *Env, rewards []ingest.DayReward) error {
	g := newGrid(text("account"), text("token"), figure("reward"), figure("by the source"), figure("difference"))
	for _, r := range rewards {
		due, difference := "unknown", ""
		if r.Known {
			due, difference = r.Asset.Format(r.Due), r.Asset.Format(r.Due-r.Reward)
		}
		g.add(string(r.Account), r.Asset.Symbol, r.Asset.Format(r.Reward), due, difference)
	}
	if err := env.printf("\n"); err != nil {
		return err
	}
	return g.write(env.Stdout)
}

// writeFiguresFound lists where the other ledger says something else than its own events.
func writeFiguresFound(env *Env, f ingest.FiguresFound) error {
	accounts := int64(0)
	for _, t := range f.Tokens {
		accounts += max(t.Ours.Accounts, t.Theirs.Accounts)
	}
	if err := env.printf("\nThe other ledger's own figures, of %s, are compared with its events: %s.\n", stateText(f.AsOf),
		count(accounts, "balance", "balances")); err != nil || len(f.Differences) == 0 {
		return err
	}
	g := newGrid(text("account"), text("token"), figure("by its events"), figure("by its figures"), figure("difference"))
	for _, d := range f.Differences {
		g.add(string(d.Account), d.Asset.Symbol, d.Asset.Format(d.Ours), d.Asset.Format(d.Theirs),
			ledger.FormatBig(d.Missing(), d.Asset.Scale))
	}
	return g.write(env.Stdout)
}
