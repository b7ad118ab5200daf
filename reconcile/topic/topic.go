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
	// mostBytes is how much is kept at once at most: the messages of the sets of a day of which none is whole and later,
	// those of some 50 million balances, and the names of all other sets.
	mostBytes = 4 << 30
	// mostSets is how many sets a partition has at most.
	mostSets = 100_000
	// atOnce is how many messages are asked for at once.
	atOnce = 2000
)

// Source is a topic, as join reads it.
type Source = join.Source

// ended is a reader that knows where its partition ended when it was opened. One that does not is read until nothing
// more is there.
type ended interface {
	// End is the place of the last record then.
	End() join.Place
}

// Read reads a topic from its begin to where it ends now, and returns the last set of a day that has an end.
// ledger.ErrNotFound where there is none; ledger.ErrInvalid where that set is not whole, or is not known to be the last
// one, or a message after its begin cannot be read, or where the topic has more than can be read. What comes while it
// reads is not waited for.
func Read(ctx context.Context, source Source, day time.Time, assets map[string]ledger.Asset) (f reconcile.Figures,
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
		p := newPartition(name, day, assets, &left)
		if err := p.read(ctx, source); err != nil {
			return f, fmt.Errorf("read the figures of the other ledger in %s: %w", name, err)
		}
		all = append(all, p)
	}
	return last(all)
}

// Try opens every partition of a topic, and reads none.
func Try(ctx context.Context, source Source) error {
	names, err := source.Partitions(ctx)
	if err == nil && len(names) == 0 {
		err = ledger.ErrNotFound.In("", "it has no partition")
	}
	for i := 0; err == nil && i < len(names); i++ {
		var reader join.Reader
		if reader, err = source.Open(ctx, names[i], join.Start{}); err == nil {
			err = reader.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("open the topic of the other ledger: %w", err)
	}
	return nil
}

// partition is what a partition has of a day.
type partition struct {
	name   string
	day    string
	assets map[string]ledger.Asset
	left   *int64                // how many bytes may be kept yet
	sets   map[string]*set       // of the day, by name, of which none is whole and later
	passed map[string]string     // the day of every other set, by name
	ends   map[string]join.Place // of sets whose begin is not in this partition
	fault  error                 // of the last message that cannot be read
	at     join.Place            // of that message
	others int                   // messages of sets whose begin is not in this partition
}

func newPartition(name string, day time.Time, assets map[string]ledger.Asset, left *int64) *partition {
	return &partition{name: name, day: day.UTC().Format(time.DateOnly), assets: assets, left: left,
		sets: map[string]*set{}, passed: map[string]string{}, ends: map[string]join.Place{}}
}

// read reads all messages that there are when it begins.
func (p *partition) read(ctx context.Context, source Source) (err error) {
	reader, err := source.Open(ctx, p.name, join.Start{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	bounded, knows := reader.(ended)
	for {
		records, err := reader.Next(ctx, atOnce)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return nil
		}
		for _, r := range records {
			if knows && r.Place.Compare(bounded.End()) > 0 {
				return nil
			}
			if r.Text == nil || string(r.Text) == "null" { // a word of the broker, or a mark that something was removed
				continue
			}
			if err := p.add(r); err != nil {
				return fmt.Errorf("message %s: %w", r.Place, err)
			}
		}
		if knows && records[len(records)-1].Place.Compare(bounded.End()) >= 0 {
			return nil
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
	s, day := p.sets[m.Set], p.passed[m.Set]
	switch {
	case s == nil && day != "": // it is passed over
		if m.Type == begin && m.Day == p.day && day != p.day {
			p.fault, p.at = ledger.ErrInvalid.In("set", "%q begins twice, of %s and of %s", m.Set, day, m.Day), r.Place
		}
		return nil
	case s == nil && m.Type != begin:
		return p.stray(m, r.Place)
	case s == nil && len(p.sets)+len(p.passed) >= mostSets:
		return ledger.ErrInvalid.In("", "the topic has more than %d sets", mostSets)
	case s == nil && m.Day != p.day:
		p.passed[m.Set] = m.Day
		return p.keep(len(m.Set) + len(m.Day))
	case s == nil:
		s = newSet(m, r.Place, p.assets)
		p.sets[m.Set] = s
	}
	s.bytes += int64(len(r.Text))
	if err := p.keep(len(r.Text)); err != nil {
		return err
	}
	first := m.Type == end && s.end == nil
	if s.add(m, r.Place); first {
		p.supersede(s)
	}
	return nil
}

// stray counts a message of a set whose begin is not in this partition, and keeps where the set ends.
func (p *partition) stray(m message, at join.Place) error {
	p.others++
	if _, is := p.ends[m.Set]; is || m.Type != end {
		return nil
	}
	if len(p.ends) >= mostSets {
		return ledger.ErrInvalid.In("", "the topic has more than %d sets without a begin", mostSets)
	}
	p.ends[m.Set] = at
	return p.keep(len(m.Set))
}

// keep counts what is kept, in bytes.
func (p *partition) keep(bytes int) error {
	if *p.left -= int64(bytes); *p.left < 0 {
		return ledger.ErrInvalid.In("", "the sets of %s, and the names of the others, are longer than %d bytes", p.day,
			int64(mostBytes))
	}
	return nil
}

// supersede forgets the sets that have ended before this one, which ends now.
func (p *partition) supersede(by *set) {
	for name, s := range p.sets {
		if s != by && s.end != nil {
			delete(p.sets, name)
			p.passed[name] = p.day
			*p.left += s.bytes - int64(len(name)+len(p.day))
		}
	}
}

// last is the last set of all partitions that has an end: ledger.ErrInvalid where it is not whole.
func last(all []*partition) (reconcile.Figures, error) {
	var chosen, open *set
	var in, openIn *partition
	for _, p := range all {
		for _, s := range p.sets {
			if err := split(all, p, s); err != nil {
				return reconcile.Figures{}, err
			}
			switch {
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

// split refuses a set that begins in a partition, has no end there, and has one in another.
func split(all []*partition, in *partition, s *set) error {
	for _, other := range all {
		if at, is := other.ends[s.name]; is && s.end == nil {
			return ledger.ErrInvalid.In("", "the set %q of %s begins in %s at %s, and ends in %s at %s; write all messages of "+
				"the sets of a day to one partition", s.name, in.day, in.name, s.from, other.name, at)
		}
	}
	return nil
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
