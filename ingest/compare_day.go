package ingest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// ComparedDay is what a dry run has found of a day.
type ComparedDay struct {
	Compared               // Differences are at the end of the day
	Short    []string      // partitions whose events do not go beyond the end of the day: some of it may be missing
	Rewards  []DayReward   // of accounts that differ, by account and token, at most mostRewards
	Figures  *FiguresFound // what the other ledger's own figures say; nil: none were asked for
}

// DayReward is what an account is paid for the day, and would be with what the source says that it had.
type DayReward struct {
	Account ledger.Account
	Asset   ledger.Asset
	reports.DayWith
}

// FiguresFound is what comes of the events beside what the other ledger says that accounts have, free and held
// together.
type FiguresFound struct {
	reconcile.AsOf
	reconcile.Result // Ours: what comes of the events
}

// Figures reads what another ledger says at the end of a day.
type Figures func(ctx context.Context, day staking.Day, assets map[string]ledger.Asset) (reconcile.Figures, error)

// mostRewards is of how many accounts that differ the reward is derived.
const mostRewards = 1000

// CompareDay is Compare at the end of a closed day: what accounts have then by the events, and what the books say, as
// far as the source has to have it; and what the day would pay by them. With figures, what comes of the events is
// compared with these too, also where the source is not joined. Nothing is posted. ledger.ErrInvalid where the day is
// not closed, or the source begins after its end, or with a snapshot of a later moment: then it does not say what was.
//
// What persons have adjusted in the books is not looked at where an event of the source was posted to the part.
func CompareDay(ctx context.Context, c Config, day staking.Day, figures Figures) (found ComparedDay, err error) {
	books := reports.New(c.Books.Reader())
	open, err := books.FirstOpen(ctx)
	if err == nil && (day >= open || day < books.FirstDay()) {
		err = ledger.ErrInvalid.In("day", "%s is no day that is closed", day)
	}
	if err != nil {
		return found, err
	}
	all, err := c.Books.Assets(ctx)
	if err != nil {
		return found, err
	}
	d := newDryRun(c, all)
	d.day = &dayRun{day: day, last: map[string]time.Time{}}
	known, err := books.Partitions(ctx)
	if err != nil {
		return found, err
	}
	d.day.joined = slices.ContainsFunc(known, func(p store.Partition) bool { return p.Source == c.Name })
	if err := d.readAll(ctx, books); err != nil {
		return found, err
	}
	if err := d.compareDay(ctx, books, &found); err != nil {
		return found, err
	}
	found.Compared = d.Compared
	for _, name := range slices.Sorted(maps.Keys(d.day.last)) {
		if d.day.last[name].Before(d.day.end()) {
			found.Short = append(found.Short, name)
		}
	}
	if figures != nil {
		found.Figures, err = d.compareFigures(ctx, figures)
	}
	return found, err
}

// dayRun is the day of a dry run.
type dayRun struct {
	day    staking.Day
	joined bool                 // the books have events of the source
	last   map[string]time.Time // the latest moment that the events of each partition have come to
}

func (r *dayRun) end() time.Time { return (r.day + 1).Start() }

// reach notes how far a partition is, and refuses one that does not say what was at the end of the day.
func (r *dayRun) reach(partition string, e join.Event, first bool) error {
	late := !e.At.Before(r.end())
	switch {
	case e.Type == join.Ignored:
		return nil
	case e.Initial && late:
		return ledger.ErrInvalid.In("day", "%s begins with a snapshot of %s, which does not say what was at the end of %s",
			partition, ledger.FormatTime(e.At), r.day)
	case first && late && e.Position > 1:
		return ledger.ErrInvalid.In("day", "%s begins at position %s, of %s: what was at the end of %s is not there any more",
			partition, e.Place, ledger.FormatTime(e.At), r.day)
	}
	if e.At.After(r.last[partition]) {
		r.last[partition] = e.At
	}
	return nil
}

// dayPart is what a part had on the day.
type dayPart struct {
	since    ledger.Amount    // by how much it has changed since the end of the day
	credited ledger.Amount    // what of it are rewards that the source has credited
	before   ledger.Amount    // and by how much it changed on the day, without rewards
	changes  []staking.Change // these changes
}

// count counts an event that has moved a part: by, as it was counted, and change as the event says; they differ where
// the event is the first that says a balance.
func (p *dayPart) count(r *dayRun, e join.Event, by, change ledger.Amount) {
	if e.Type != join.Balance {
		by = change // else it was there before
	}
	switch {
	case !e.At.Before(r.end()):
		p.since += by
		if e.Type == join.Reward {
			p.credited += by
		}
	case !e.At.Before(r.day.Start()) && e.Type != join.Reward:
		p.before += by
		p.changes = append(p.changes, staking.Change{Millis: e.At.UnixMilli() - r.day.Millis(), Amount: by})
	}
}

// compareDay compares what the parts had at the end of the day with what the books say, and derives the rewards of
// those that differ.
func (d *dryRun) compareDay(ctx context.Context, books *reports.Reports, found *ComparedDay) error {
	parts := d.comparable()
	moved, err := books.SourceMoved(ctx, d.day.end())
	if err != nil {
		return err
	}
	for some := range slices.Chunk(parts, 10_000) {
		have, err := books.SourceBalances(ctx, some)
		if err != nil {
			return err
		}
		for _, k := range some {
			p := d.parts[k]
			source, here := p.amount-p.since, have[k]-moved[k]-p.credited
			if source == here {
				continue
			}
			d.Differences = append(d.Differences, Difference{k.Account, d.assets[k.Asset], source, here})
			if k.Account.IsHeld() || len(found.Rewards) >= mostRewards { // what is held earns nothing
				continue
			}
			r, err := d.reward(ctx, books, k, source-here)
			if err != nil {
				return err
			}
			found.Rewards = append(found.Rewards, r)
		}
	}
	return nil
}

// reward is what a part would earn on the day if it had what the source says, which is off more at its end.
func (d *dryRun) reward(ctx context.Context, books *reports.Reports, k reports.Part, off ledger.Amount) (DayReward,
	error) {
	p := d.parts[k]
	changes := slices.Clone(p.changes)
	here := ledger.Amount(0) // by how much it changed in the books
	if d.opened[k.Account] == byBooks {
		err := books.Statement(ctx, k.Account, d.day.day, d.day.day, func(l reports.Line) error {
			if l.Account == k.Account && l.Asset == k.Asset && l.Kind != reports.KindReward && l.Kind != ledger.Compensation &&
				(ledger.IsJoinID(l.Entry) || !d.day.joined) {
				here += l.Amount
				changes = append(changes, staking.Change{Millis: l.At.UnixMilli() - d.day.day.Millis(), Amount: -l.Amount})
			}
			return nil
		})
		if err != nil {
			return DayReward{}, err
		}
	}
	if before := off - (p.before - here); before != 0 {
		changes = append(changes, staking.Change{Millis: -1, Amount: before})
	}
	w, err := books.DayWith(ctx, k.Account, d.day.day, k.Asset, changes)
	return DayReward{k.Account, d.assets[k.Asset], w}, err
}

// compareFigures compares what accounts had by the events with what the other ledger says.
func (d *dryRun) compareFigures(ctx context.Context, figures Figures) (*FiguresFound, error) {
	theirs, err := figures(ctx, d.day.day, d.assets)
	if err != nil {
		return nil, err
	}
	sums := map[reports.Part]ledger.Amount{}
	for k, p := range d.parts {
		k.Account = k.Account.Owner()
		if sums[k], err = sums[k].Add(p.amount - p.since); err != nil {
			return nil, fmt.Errorf("%s: %w", k.Account, err)
		}
	}
	ours := make([]reconcile.Balance, 0, len(sums))
	for k, amount := range sums {
		ours = append(ours, reconcile.Balance{Account: k.Account, Asset: k.Asset, Amount: amount})
	}
	slices.SortFunc(ours, reconcile.Balance.Compare)
	c := reconcile.New(d.assets, theirs.Balances, mostRewards)
	for _, b := range ours {
		c.Add(b)
	}
	return &FiguresFound{theirs.AsOf, c.End()}, nil
}
