package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
)

// Compared is what a dry run has found.
type Compared struct {
	Events      int           // that were read
	Balances    int           // that were compared
	Unknown     int           // parts of accounts of which the source says changes alone, and no balance
	Faults      []CompareStop // where partitions would stop, by name
	Differences []Difference  // by account and token
}

// CompareStop is where a partition would stop.
type CompareStop struct {
	Partition string
	Place     join.Place
	Event     string // "": it has none, or could not be read
	Err       error
}

// Difference is the free or the held part of an account of which the source has something else than the books. Amounts
// are in smallest units; what the books have is without rewards that the source has not credited.
type Difference struct {
	Account       ledger.Account
	Asset         ledger.Asset
	Source, Books ledger.Amount
}

// Compare reads a source from its begin to its end, as Run does, posts nothing, and compares the balances that come of
// it with those of the books. Of a partition that the books have it reads what they have; of others everything. A
// source that begins with a snapshot of now has no other begin: what changes at the same time may differ. Memory grows
// with the number of balances.
func Compare(ctx context.Context, c Config) (Compared, error) {
	books := reports.New(c.Books.Reader())
	all, err := c.Books.Assets(ctx)
	if err != nil {
		return Compared{}, err
	}
	d := &dryRun{run: run{Config: c}, assets: map[string]ledger.Asset{}, parts: map[reports.Part]*sourcePart{}}
	for _, a := range all {
		d.assets[a.Symbol] = a
	}
	known, err := books.Partitions(ctx)
	if err != nil {
		return Compared{}, err
	}
	names, err := c.Source.Partitions(ctx)
	if err != nil {
		return Compared{}, err
	}
	for _, name := range names {
		until := join.Place{}
		for _, p := range known {
			if p.Source == c.Name && p.Name == name {
				until = p.Place
			}
		}
		if err := d.readPartition(ctx, name, until); err != nil {
			return Compared{}, err
		}
	}
	return d.Compared, d.compare(ctx, books)
}

// dryRun is a run that posts nothing.
type dryRun struct {
	run
	Compared
	assets map[string]ledger.Asset
	parts  map[reports.Part]*sourcePart
}

// sourcePart is what a part of an account has by its source.
type sourcePart struct {
	amount ledger.Amount
	known  bool // else it is only by how much it has changed
}

// readPartition reads a partition up to a place, or to its end where that is zero.
func (d *dryRun) readPartition(ctx context.Context, name string, until join.Place) (err error) {
	reader, err := d.Source.Open(ctx, name, join.Start{})
	if err != nil {
		return fmt.Errorf("read %s/%s: %w", d.Name, name, err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for last := (join.Place{}); ; {
		records, readErr := reader.Next(ctx, d.Batch)
		for _, record := range records {
			if until != (join.Place{}) && !record.Initial && record.Compare(until) > 0 {
				return nil
			}
			e, err := d.event(record)
			if err == nil {
				err = follows(e, last)
			}
			if err == nil {
				err = d.count(e)
			}
			if err != nil {
				d.Faults = append(d.Faults, CompareStop{name, record.Place, e.ID, err})
				return nil
			}
			d.Events, last = d.Events+1, e.Place
		}
		if readErr != nil {
			return fmt.Errorf("read %s/%s: %w", d.Name, name, readErr)
		}
		if len(records) == 0 {
			return nil
		}
	}
}

// follows refuses an event before which others are missing, as the books do.
func follows(e join.Event, last join.Place) error {
	previous := join.Place{Position: e.Position - 1}
	if e.Previous != nil {
		previous = *e.Previous
	}
	if last != (join.Place{}) && previous != last && !(e.Type == join.Watermark && e.Place == last) {
		return ledger.ErrInvalid.In("position", "%s follows %s, and the one before it was %s", e.Place, previous, last)
	}
	return nil
}

// count adds an event to what its part has, and refuses one that its source contradicts.
func (d *dryRun) count(e join.Event) (err error) {
	if e.Token == "" {
		return nil
	}
	asset, is := d.assets[e.Token]
	if !is {
		return ledger.ErrInvalid.In("token", "the token %q is unknown", ledger.Clip(e.Token))
	}
	var change, after ledger.Amount
	if e.Change != "" {
		if change, err = asset.Parse(e.Change); err != nil {
			return ledger.At("change", err)
		}
	}
	if e.After != "" {
		if after, err = asset.Parse(e.After); err != nil {
			return ledger.At("balanceAfter", err)
		}
	}
	k := reports.Part{Account: e.Account, Asset: e.Token}
	if e.Held {
		k.Account = e.Account.Held()
	}
	p := d.parts[k]
	if p == nil {
		p = &sourcePart{}
		d.parts[k] = p
	}
	amount, err := p.amount.Add(change)
	switch sets := e.After != "" && (!p.known || e.Initial); {
	case err != nil:
		return ledger.At("change", err)
	case sets:
		amount, p.known = after, true
	case e.After != "" && amount != after:
		return ledger.ErrInvalid.In("balanceAfter", "%s has %s %s by its events, and the source says %s", k.Account,
			asset.Format(amount), e.Token, asset.Format(after))
	}
	p.amount = amount
	return nil
}

// compare compares what the parts have with what the books have of them.
func (d *dryRun) compare(ctx context.Context, books *reports.Reports) error {
	var parts []reports.Part
	for k, p := range d.parts {
		if p.known {
			parts = append(parts, k)
		}
	}
	d.Unknown, d.Balances = len(d.parts)-len(parts), len(parts)
	slices.SortFunc(parts, func(a, b reports.Part) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Asset, b.Asset))
	})
	for some := range slices.Chunk(parts, 10_000) {
		have, err := books.SourceBalances(ctx, some)
		if err != nil {
			return err
		}
		for _, k := range some {
			if source := d.parts[k].amount; source != have[k] {
				d.Differences = append(d.Differences, Difference{k.Account, d.assets[k.Asset], source, have[k]})
			}
		}
	}
	return nil
}
