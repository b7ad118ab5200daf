// Package topic reads figures of another ledger that it writes to a topic or a stream of a broker. It knows no broker's
// protocol, and no books.
//
// What a ledger says of a day is a set: messages of one partition with the set's name, which no other one has. Its
// first message is of the type begin, those of the type amount follow, and one of the type end says how many there are
// and what they sum to. So a set of which a message is lost is refused, and a message that comes again has no further
// effect: a broker's guarantees are not relied on. A set that is written again has another name; the last one counts.
package topic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
)

const (
	// within is how long the reading of a topic takes at most.
	within = 25 * time.Minute
	// mostBytes is how long the messages of all sets of a day are at most: those of some 50 million balances.
	mostBytes = 4 << 30
	// mostSets is how many sets a partition has at most.
	mostSets = 100_000
	// atOnce is how many messages are asked for at once.
	atOnce = 2000
)

// Read reads a topic from its begin to where it ends now, and returns the last whole set of a day. ledger.ErrNotFound
// where there is none; ledger.ErrInvalid where the last one that has an end is not whole, or cannot be read.
func Read(ctx context.Context, source join.Source, day time.Time, assets map[string]ledger.Asset) (f reconcile.Figures,
	err error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	names, err := source.Partitions(ctx)
	if err != nil {
		return f, fmt.Errorf("read the figures of the other ledger: %w", err)
	}
	left := int64(mostBytes)
	var all []*partition
	for _, name := range names {
		p := &partition{name: name, day: day.UTC().Format(time.DateOnly), assets: assets, left: &left,
			sets: map[string]*set{}}
		if err := p.read(ctx, source); err != nil {
			return f, fmt.Errorf("read the figures of the other ledger in %s: %w", name, err)
		}
		all = append(all, p)
	}
	return last(all)
}

// partition is what a partition has of a day.
type partition struct {
	name   string
	day    string
	assets map[string]ledger.Asset
	left   *int64
	sets   map[string]*set // by name; those of other days have nothing but their first message
	fault  error           // of the last message that cannot be read
	at     join.Place      // of that message
	others int             // messages of sets whose begin is not there any more
}

// read reads all messages.
func (p *partition) read(ctx context.Context, source join.Source) (err error) {
	reader, err := source.Open(ctx, p.name, join.Start{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for {
		records, err := reader.Next(ctx, atOnce)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return nil
		}
		for _, r := range records {
			if r.Text == nil || string(r.Text) == "null" { // a word of the broker, or a mark that something was removed
				continue
			}
			if err := p.add(r); err != nil {
				return fmt.Errorf("message %s: %w", r.Place, err)
			}
		}
	}
}

// add adds a message. Its error ends the reading; a message that cannot be read is only kept, since what was written by
// mistake stays in a topic for days.
func (p *partition) add(r join.Record) error {
	m, err := decode(r.Text)
	if err != nil {
		p.fault, p.at = err, r.Place
		return nil
	}
	s := p.sets[m.Set]
	switch {
	case s == nil && m.Type != begin:
		p.others++
		return nil
	case s == nil && len(p.sets) >= mostSets:
		return fmt.Errorf("the topic has more than %d sets", mostSets)
	case s == nil:
		s = &set{name: m.Set, begin: m, from: r.Place}
		if m.Day == p.day {
			s.figures = reconcile.NewReader(p.assets)
			s.figures.Repeat()
			s.fault = s.figures.SetState(m.Position, m.At, m.Payouts)
		}
		p.sets[m.Set] = s
	}
	if s.figures == nil {
		return nil
	}
	if *p.left -= int64(len(r.Text)); *p.left < 0 {
		return fmt.Errorf("the sets of %s are longer than %d bytes", p.day, int64(mostBytes))
	}
	s.add(m, r.Place)
	return nil
}

// last is the last whole set of all partitions.
func last(all []*partition) (reconcile.Figures, error) {
	var chosen, open *set
	var in, openIn *partition
	for _, p := range all {
		for _, s := range p.sets {
			switch {
			case s.figures == nil:
			case s.end == nil && (open == nil || p != openIn || open.from.Compare(s.from) < 0):
				open, openIn = s, p
			case s.end == nil:
			case in != nil && in != p:
				return reconcile.Figures{}, ledger.ErrInvalid.In("", "sets of %s are in %s and in %s, and so it is not known "+
					"which one is the last; write those of a day to one partition", p.day, in.name, p.name)
			case chosen == nil || chosen.to.Compare(s.to) < 0:
				chosen, in = s, p
			}
		}
	}
	if chosen == nil {
		return reconcile.Figures{}, missing(all, open, openIn)
	}
	if in.fault != nil && in.at.Compare(chosen.from) > 0 {
		return reconcile.Figures{}, fmt.Errorf("message %s of %s: %w", in.at, in.name, in.fault)
	}
	f, err := chosen.whole(in.assets)
	if err != nil {
		return f, fmt.Errorf("the set %q in %s, from %s to %s: %w", chosen.name, in.name, chosen.from, chosen.to, err)
	}
	if f.Position != "" {
		f.Position += ", "
	}
	f.Position += fmt.Sprintf("%s from %s to %s", in.name, chosen.from, chosen.to)
	return f, nil
}

// missing says why there is no set that has an end.
func missing(all []*partition, open *set, in *partition) error {
	if open != nil {
		return ledger.ErrNotFound.In("", "the set %q of %s begins in %s at %s, and has no end yet", open.name, in.day,
			in.name, open.from)
	}
	day, others := "", 0
	for _, p := range all {
		if day, others = p.day, others+p.others; p.fault != nil {
			return ledger.ErrNotFound.In("", "the topic has no set of %s; message %s of %s: %w", day, p.at, p.name, p.fault)
		}
	}
	if others > 0 {
		return ledger.ErrNotFound.In("", "the topic has no set of %s; of %d messages the begin of their set is gone", day,
			others)
	}
	return ledger.ErrNotFound.In("", "the topic has no set of %s", day)
}
