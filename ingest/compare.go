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
	Skipped     int           // parts of which an event is never posted: they are not compared
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
// source that begins with a snapshot of now has no other begin: what changes at the same time may differ. Partitions
// are read one after the other. Memory grows with the number of events.
//
// A partition is said to stop at a record that cannot be read, at a gap or a step back, an unknown token, an account
// that neither the books have nor an event before opens, a balance below zero or another one than the events give, and
// an ID of a change or of a reward that another event has. What else stops it is not looked at.
func Compare(ctx context.Context, c Config) (Compared, error) {
	books := reports.New(c.Books.Reader())
	all, err := c.Books.Assets(ctx)
	if err != nil {
		return Compared{}, err
	}
	d := newDryRun(c, all)
	if err := d.readAll(ctx, books); err != nil {
		return Compared{}, err
	}
	return d.Compared, d.compare(ctx, books)
}

func newDryRun(c Config, all []ledger.Asset) *dryRun {
	return &dryRun{run: run{Config: c}, assets: ledger.BySymbol(all), parts: map[reports.Part]*sourcePart{},
		opened: map[ledger.Account]opening{}, seen: map[string]said{}}
}

// readAll reads every partition, one after the other.
func (d *dryRun) readAll(ctx context.Context, books *reports.Reports) error {
	known, err := books.Partitions(ctx)
	if err == nil {
		d.skips, err = books.SkippedEvents(ctx, d.Name)
	}
	if err != nil {
		return err
	}
	names, err := d.Source.Partitions(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		until := join.Place{}
		for _, p := range known {
			if p.Source == d.Name && p.Name == name {
				until = p.Place
			}
		}
		if err := d.readPartition(ctx, name, until); err != nil {
			return err
		}
	}
	return nil
}

// dryRun is a run that posts nothing.
type dryRun struct {
	run
	Compared
	day    *dayRun // nil: no day is compared
	assets map[string]ledger.Asset
	parts  map[reports.Part]*sourcePart
	opened map[ledger.Account]opening
	seen   map[string]said // the changes and rewards, by ID
	skips  map[string]bool // the IDs of events that are never posted
}

// opening is who has opened an account.
type opening int

const (
	byNobody opening = iota // as far as is known
	byEvent                 // that was read: the books do not have it
	byBooks
)

// said is what an event says that may come again: with the same it has no further effect.
type said struct {
	typ    join.Type
	at     int64
	part   reports.Part
	amount ledger.Amount
	refers string
}

// sourcePart is what a part of an account has by its source.
type sourcePart struct {
	amount ledger.Amount
	known  bool // else it is only by how much it has changed
	// An event of it is never posted: the books differ by that, until they are adjusted.
	skipped bool
	dayPart
}

// readPartition reads a partition up to a place, or to its end where that is zero.
func (d *dryRun) readPartition(ctx context.Context, name string, until join.Place) (err error) {
	reader, err := d.Source.Open(ctx, name, join.Start{})
	if err != nil {
		return fmt.Errorf("read %s/%s: %w", d.Name, name, err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	number := int64(0) // that the last event with one has
	for last := (join.Place{}); ; {
		records, readErr := reader.Next(ctx, d.Batch)
		events, faults := d.events(records)
		if err := d.readOpened(ctx, events); err != nil {
			return err
		}
		for i, record := range records {
			if until != (join.Place{}) && !record.Initial && record.Compare(until) > 0 {
				return nil
			}
			e, err := events[i], faults[i]
			if err == nil && d.skips[e.ID] {
				d.passOver(e, &number)
				d.Events, last = d.Events+1, e.Place
				continue
			}
			if err == nil {
				err = follows(e, last)
			}
			if err == nil && d.day != nil {
				if err := d.day.reach(name, e, last == (join.Place{})); err != nil {
					return err
				}
			}
			if err == nil {
				err = d.countNumbered(e, &number)
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

// passOver passes over an event that is never posted: the source has it, and the books do not.
func (d *dryRun) passOver(e join.Event, number *int64) {
	*number = max(*number, e.Number)
	asset, is := d.assets[e.Token]
	if !is {
		return
	}
	p := d.parts[partOf(e)]
	if p == nil {
		p = &sourcePart{}
		d.parts[partOf(e)] = p
	}
	p.skipped = true
	by, err := asset.Parse(cmp.Or(e.Change, "0"))
	if after, bad := asset.Parse(e.After); e.After != "" && bad == nil && p.known {
		by, err = after-p.amount, nil
	}
	if sum, overflows := p.amount.Add(by); err == nil && overflows == nil {
		p.amount = sum
		if d.day != nil {
			p.count(d.day, e, by, by)
		}
	}
}

// partOf is the part that an event is about.
func partOf(e join.Event) reports.Part {
	if e.Held {
		return reports.Part{Account: e.Account.Held(), Asset: e.Token}
	}
	return reports.Part{Account: e.Account, Asset: e.Token}
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

// countNumbered counts an event by its number, where it has one. What was there before has no further effect.
func (d *dryRun) countNumbered(e join.Event, last *int64) error {
	switch e.Order(*last) {
	case join.Repeats:
		if _, counted := d.seen[e.ID]; counted || e.Type != join.Change && e.Type != join.Reward {
			return nil
		}
		return ledger.ErrInvalid.In("position", "number %d comes after %d, and no event %q before", e.Number, *last, e.ID)
	case join.Next:
		*last = max(*last, e.Number)
		return d.count(e)
	default:
		return ledger.ErrInvalid.In("position", "the event has number %d, and the one before it had %d", e.Number, *last)
	}
}

// errNotOpen refuses an event of an account that nobody has opened.
func errNotOpen(e join.Event) error { return ledger.ErrNotFound.In("account", "account %s", e.Account) }

// events are what records become, and which of them cannot be read.
func (d *dryRun) events(records []join.Record) ([]join.Event, []error) {
	events, faults := make([]join.Event, len(records)), make([]error, len(records))
	for i, record := range records {
		e, err := d.event(record)
		if err != nil {
			e = join.Event{ID: e.ID} // nothing else of it was checked
		}
		events[i], faults[i] = e, err
	}
	return events, faults
}

// readOpened reads which of the accounts of events the books have.
func (d *dryRun) readOpened(ctx context.Context, events []join.Event) error {
	var fresh []ledger.Account
	for _, e := range events {
		if _, looked := d.opened[e.Account]; e.Account != "" && !looked {
			d.opened[e.Account] = byNobody
			fresh = append(fresh, e.Account)
		}
	}
	if fresh == nil {
		return nil
	}
	there, err := reports.New(d.Books.Reader()).Opened(ctx, fresh)
	for _, id := range there {
		d.opened[id] = byBooks
	}
	return err
}

// count adds an event to what its part has, and refuses one that the books would refuse. A change or a reward that
// comes again has no further effect.
func (d *dryRun) count(e join.Event) (err error) {
	switch opened := d.opened[e.Account]; {
	case e.Account == "":
		return nil
	case e.Type == join.Open:
		d.opened[e.Account] = max(opened, byEvent)
		return nil
	case e.Token == "" && opened == byNobody:
		return errNotOpen(e)
	case e.Token == "":
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
	k := partOf(e)
	if e.Type != join.Balance {
		now := said{e.Type, e.At.UnixMilli(), k, change, cmp.Or(e.Reverses, e.Reward)}
		if before, is := d.seen[e.ID]; is && before != now {
			return ledger.ErrConflict.In("id", "event %q", e.ID)
		} else if is {
			return nil
		}
		d.seen[e.ID] = now
	}
	p := d.parts[k]
	if p == nil {
		p = &sourcePart{}
	}
	return d.add(p, k, e, change, after)
}

// add adds a change to a part. What the books had of a part before its events is not known.
func (d *dryRun) add(p *sourcePart, k reports.Part, e join.Event, change, after ledger.Amount) error {
	asset := d.assets[e.Token]
	amount, err := p.amount.Add(change)
	switch sets := e.After != "" && (!p.known || e.Initial); {
	case err != nil:
		return ledger.At("change", err)
	case sets:
		amount, p.known = after, true
	case e.After != "" && p.skipped:
		amount = after
	case e.After != "" && amount != after:
		return ledger.ErrInvalid.In("balanceAfter", "%s has %s %s by its events, and the source says %s", k.Account,
			asset.Format(amount), e.Token, asset.Format(after))
	}
	switch opened := d.opened[e.Account]; {
	case opened == byNobody && amount != p.amount:
		return errNotOpen(e)
	case amount < 0 && (p.known || opened != byBooks):
		return ledger.ErrInsufficient.In("", "%s has %s %s by its events", k.Account, asset.Format(amount), e.Token)
	}
	if d.day != nil {
		p.count(d.day, e, amount-p.amount, change)
	}
	p.amount, d.parts[k] = amount, p
	return nil
}

// comparable are the parts that can be compared, sorted; it counts them and the others.
func (d *dryRun) comparable() (parts []reports.Part) {
	for k, p := range d.parts {
		switch {
		case p.skipped:
			d.Skipped++
		case p.known:
			parts = append(parts, k)
		default:
			d.Unknown++
		}
	}
	d.Balances = len(parts)
	slices.SortFunc(parts, func(a, b reports.Part) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Asset, b.Asset))
	})
	return parts
}

// compare compares what the parts have with what the books have of them.
func (d *dryRun) compare(ctx context.Context, books *reports.Reports) error {
	for some := range slices.Chunk(d.comparable(), 10_000) {
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
