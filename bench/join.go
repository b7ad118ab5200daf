package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/softstake/softstake/ingest"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// JoinOptions are how many events of another ledger to bring into the books.
type JoinOptions struct {
	Source     string // the address of an empty topic, of streams or of a database of PostgreSQL; "": files
	Accounts   int
	Partitions int           // of the source: files, partitions of a topic, streams; PostgreSQL has one
	Batch      int           // events that share a transaction at most, and entries that are posted a call
	Changes    int           // events, each a change with the balance after it; and entries posted to compare
	Rate       int           // events a second that are written while the lag is measured
	Lasts      time.Duration // for how long they are
}

// JoinMeasured is what was measured of them.
type JoinMeasured struct {
	Engine string
	JoinOptions
	Time, Processor       time.Duration // of the events
	PostTime, PostUsed    time.Duration // of as many entries, posted in batches from as many callers as partitions
	LagP50, LagP99, LagTo time.Duration // from when an event is written until it is in the books: half, 99 of 100, all
	PeakRSS               int64         // of this process, bytes
}

// Join measures how fast events come into the books from a source, beside entries of the same amounts that are posted
// in batches in the same run; and how long events take that come at a rate. What it writes to a broker or a
// database stays there.
func Join(ctx context.Context, o Options, j JoinOptions) (r JoinMeasured, err error) {
	err = on(ctx, o, j.Accounts, o.Day-1, func(b *books) error {
		b.set(o.Day.Start().Add(12 * time.Hour))
		about, err := b.Engine().Compact(ctx)
		if err != nil {
			return err
		}
		r = JoinMeasured{Engine: about.Engine, JoinOptions: j}
		all, err := b.Assets(ctx)
		if err != nil {
			return err
		}
		s := &source{books: b, JoinOptions: j, random: rand.New(rand.NewPCG(o.Seed, 0)),
			assets: ledger.BySymbol(all), changed: map[change]ledger.Amount{}}
		if s.feed, err = openFeed(ctx, j, o.Insecure); err != nil {
			return err
		}
		return errors.Join(s.measure(ctx, &r), s.feed.close())
	})
	return r, err
}

// change is a part that an event changes.
type change struct {
	holder int
	token  string
}

// source is another ledger that writes to a feed. Its events are of the holders with an even number, and the entries
// that are posted of the others: it knows what its own have.
type source struct {
	*books
	JoinOptions
	feed    feed
	random  *rand.Rand
	assets  map[string]ledger.Asset
	changed map[change]ledger.Amount // by how much in all
	written []int                    // events of each partition
}

func (s *source) measure(ctx context.Context, r *JoinMeasured) (err error) {
	s.written = make([]int, s.Partitions)
	if _, err := ingest.Run(ctx, s.config(true)); err != nil { // so that a slot of PostgreSQL is there
		return err
	}
	// Half is posted before and half after, so that what the machine does besides counts less.
	if err := s.post(ctx, r, 0, s.Changes/2); err != nil {
		return err
	}
	if _, err := s.write(ctx, s.Changes); err != nil {
		return err
	}
	began, used := time.Now(), processorTime()
	result, err := ingest.Run(ctx, s.config(true))
	r.Time, r.Processor = time.Since(began), processorTime()-used
	if err != nil {
		return err
	}
	if result.Entries != s.Changes {
		return fmt.Errorf("%d of %d events were posted: %v", result.Entries, s.Changes, result.Stopped)
	}
	if err := s.post(ctx, r, s.Changes/2, s.Changes); err != nil {
		return err
	}
	if err := s.measureLag(ctx, r); err != nil {
		return err
	}
	r.PeakRSS, err = peakRSS()
	return err
}

// poll is how often "softstake join" looks for more.
const poll = 200 * time.Millisecond

func (s *source) config(untilEnd bool) ingest.Config {
	return ingest.Config{Books: s.DB, Source: s.feed.source(), Name: "bench", Decode: s.feed.decode,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Poll: poll, Batch: s.Batch, Random: rand.Int64N,
		UntilEnd: untilEnd}
}

// post posts entries in batches, from as many callers as there are partitions.
func (s *source) post(ctx context.Context, r *JoinMeasured, from, to int) error {
	used := processorTime()
	d, err := s.drive(ctx, s.Partitions, to-from, s.Batch, "post", func(ctx context.Context, first, last int) error {
		random := rand.New(rand.NewPCG(s.Seed+1, uint64(from+first)))
		entries := make([]ledger.Entry, last-first)
		for i := range entries {
			entries[i] = ledger.Entry{ID: fmt.Sprintf("deposit-%09d", from+first+i), Kind: ledger.Deposit,
				Moves: []ledger.Move{{From: ledger.Custody, To: id(random.IntN(s.holders/2)*2 + 1),
					Asset: tokens[random.IntN(len(tokens))], Amount: ledger.Amount(random.IntN(1000) + 1)}}}
		}
		return s.postAll(ctx, entries)
	})
	r.PostTime, r.PostUsed = r.PostTime+d.time, r.PostUsed+processorTime()-used
	return err
}

// write writes events of random accounts: those of one account are in one partition. It returns what says of each
// partition that the books have them.
func (s *source) write(ctx context.Context, n int) ([]int64, error) {
	events := make([][]feedEvent, s.Partitions)
	at := s.now().Add(-time.Minute).Format(time.RFC3339Nano)
	for range n {
		c := change{2 * s.random.IntN(s.holders/2), tokens[s.random.IntN(len(tokens))]}
		amount := ledger.Amount(s.random.IntN(1000) + 1)
		s.changed[c] += amount
		p := c.holder / 2 % s.Partitions
		s.written[p]++
		token := s.assets[c.token]
		events[p] = append(events[p], feedEvent{p, s.written[p], at, id(c.holder), c.token, token.Format(amount),
			token.Format(each + s.changed[c])})
	}
	return s.feed.write(ctx, events)
}

// moment is when events were written, through a position or, of a broker, through their own number.
type moment struct {
	position int64
	at       time.Time
}

// writesASecond are at which events are written while the lag is measured.
const writesASecond = 50

// measureLag writes events at a rate, and looks when they are in the books.
func (s *source) measureLag(ctx context.Context, r *JoinMeasured) error {
	following, end := context.WithCancel(ctx)
	defer end()
	done := make(chan error, 1)
	go func() {
		_, err := ingest.Run(following, s.config(false))
		done <- err
	}()
	waiting := make([][]moment, s.Partitions)
	var lags []time.Duration
	tick := time.NewTicker(time.Second / writesASecond)
	defer tick.Stop()
	for began, n := time.Now(), 0; ; {
		select {
		case err := <-done:
			return errors.Join(errors.New("the books follow no more"), err)
		case <-tick.C:
		}
		due := int(time.Since(began)*time.Duration(s.Rate)/time.Second) - n
		if time.Since(began) < s.Lasts && due > 0 {
			through, err := s.write(ctx, due)
			if err != nil {
				return err
			}
			n += due
			for p := range waiting {
				waiting[p] = append(waiting[p], moment{through[p], time.Now()})
			}
		}
		partitions, err := reports.New(s.Reader()).Partitions(ctx)
		if err != nil {
			return err
		}
		left := 0
		for _, of := range partitions {
			lags, err = s.arrived(of, waiting, lags)
			if err != nil {
				return err
			}
		}
		for _, w := range waiting {
			left += len(w)
		}
		if time.Since(began) >= s.Lasts && left == 0 {
			break
		}
	}
	end()
	r.LagP50, r.LagP99 = percentiles(lags)
	r.LagTo = slices.Max(lags)
	return <-done
}

// arrived takes what is in the books of a partition from what waits.
func (s *source) arrived(of store.Partition, waiting [][]moment, lags []time.Duration) ([]time.Duration, error) {
	if of.State == store.Stopped {
		return lags, fmt.Errorf("%s has stopped: %s", of.Name, of.Reason)
	}
	p := s.feed.index(of.Name)
	for len(waiting[p]) > 0 && waiting[p][0].position <= cmp.Or(of.Number, of.Position) {
		lags = append(lags, time.Since(waiting[p][0].at))
		waiting[p] = waiting[p][1:]
	}
	return lags, nil
}
