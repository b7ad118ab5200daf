// Package demo makes a town of made-up holders with a history, on a clock that can be moved. It
// calls the books as an operator would, and knows nothing of SQL or of the command line.
package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Options say which town is made. The same ones make the same town, to the
// byte, on every machine, in either database and whatever the date.
type Options struct {
	Holders  int         // 10 to 100,000
	Days     int         // that earn, 3 to 366; the books begin the day before, when everybody comes
	Seed     uint64      // of all that is left to chance
	Last     staking.Day // the last of the days
	Volatile bool        // SQLite only: books that are thrown away need not wait for the disk
	Insecure bool        // see store.Options
	Factor   bool        // holders withdraw with a second factor only
	// Sealer is that of store.Options.
	Sealer   func() (*access.Sealer, error)
	Progress func(done, of int) // called for each day that is settled; may be nil
}

// LastDay is the last day of a town unless another is asked for. It does not
// follow the calendar, or the same seed would give another town tomorrow.
func LastDay() staking.Day {
	return staking.DayOf(time.Date(2025, time.October, 31, 0, 0, 0, 0, time.UTC))
}

func (o Options) check() error {
	switch {
	case o.Holders < 10 || o.Holders > 100_000:
		return fmt.Errorf("%w: a town of %d holders; it has 10 to 100000", ledger.ErrInvalid, o.Holders)
	case o.Days < 3 || o.Days > 366:
		return fmt.Errorf("%w: a town of %d days; it has 3 to 366", ledger.ErrInvalid, o.Days)
	case o.Last < staking.Day(o.Days):
		return fmt.Errorf("%w: a town whose last day is %s would begin before 1970", ledger.ErrInvalid, o.Last)
	}
	return nil
}

// Town is a town whose days have been lived and settled. It lives on when its
// clock is moved.
type Town struct {
	Books   *store.DB
	Reports *reports.Reports
	Clock   *Clock
	First   staking.Day    // of the books: everybody comes, and nobody earns yet
	Last    staking.Day    // of those that New lives and the report covers
	Entries int            // posted
	Refused ledger.Account // the resident of a restricted region, who pressed the switch in vain
	Delays  []Delay        // days that waited for funds

	holders int
	luck    luck
	market  *market
	people  []person
	queue   []event // by time
	batch   []ledger.Entry
	purses  map[purse]ledger.Amount
	named   map[string]int           // how many of each kind of thing there are
	recent  map[purse]*[reported]int // changes on each of the last days
	paid    func(done, of int)
	planned staking.Day // the last day that was put into the queue
	settled staking.Day // the last day that was settled

	moving sync.Mutex   // held by whoever moves the clock
	still  sync.RWMutex // held while anything is done of which the clock must not move
}

// reported is how many of the last days the report covers.
const reported = 3

// purse is what an account has of an asset, rewards aside.
type purse struct {
	account ledger.Account
	asset   string
}

// Delay is some days of a token that were paid late, because its pool was empty.
type Delay struct {
	Asset       string
	First, Last staking.Day // that waited
	PaidOn      staking.Day
}

// event is something that will happen.
type event struct {
	at time.Time
	do func(context.Context) error
}

// batchSize is how many entries are posted together.
const batchSize = 1000

// CloseAfter is how long past midnight UTC a day of the town stays open.
const CloseAfter = 5 * time.Minute

// New makes a town at "sqlite:PATH" or "postgres://…", where no books may be yet.
func New(ctx context.Context, url string, o Options) (*Town, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	t := &Town{
		Clock: &Clock{}, First: o.Last - staking.Day(o.Days), Last: o.Last,
		holders: o.Holders, luck: newLuck(o.Seed), purses: map[purse]ledger.Amount{}, named: map[string]int{},
		recent: map[purse]*[reported]int{}, paid: o.Progress, settled: o.Last - staking.Day(o.Days) - 1,
	}
	t.Clock.Set(t.First.Start())
	var err error
	if t.market, err = newMarket(t.First); err != nil {
		return nil, err
	}
	t.Books, err = store.Create(ctx, url, store.Options{Clock: t.Clock.Now, Actor: access.Process("demo"),
		Demo: true, Volatile: o.Volatile, Insecure: o.Insecure, Sealer: o.Sealer}, store.Setup{
		From: t.First, Tokens: t.market.tokens, Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments(),
		Limits:     staking.NoLimit,
		CloseAfter: CloseAfter, WithdrawalFactor: o.Factor,
	})
	if err != nil {
		return nil, err
	}
	t.Reports = reports.New(t.Books.Reader())
	if err := t.live(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the town on %s: %w", t.Clock.Now().Format(time.DateTime), err), t.Books.Close())
	}
	return t, nil
}

// Close closes the books.
func (t *Town) Close() error { return t.Books.Close() }

// live lets everything happen, in order of time, until the last day is settled.
// A day is planned when it begins, and settled soon after the next has begun.
func (t *Town) live(ctx context.Context) error {
	for d := t.First; d <= t.Last; d++ {
		t.begin(d)
	}
	t.at(settledAt(t.Last).Add(-time.Hour), t.limit)
	if err := t.settleIn(ctx); err != nil {
		return err
	}
	return t.liveUntil(ctx, settledAt(t.Last))
}

// settledAt is when a day is settled.
func settledAt(d staking.Day) time.Time { return (d + 1).Start().Add(CloseAfter) }

// begin puts a day into the queue.
func (t *Town) begin(d staking.Day) {
	t.at(d.Start(), func(context.Context) error { t.plan(d); return nil })
	t.at(settledAt(d), func(ctx context.Context) error { return t.settle(ctx, d) })
	t.planIncome(d)
	t.planned = d
}

// liveUntil lets happen what is in the queue until a moment. What fails stays in
// the queue, and may happen twice.
func (t *Town) liveUntil(ctx context.Context, end time.Time) error {
	for len(t.queue) > 0 && !t.queue[0].at.After(end) {
		if err := t.happen(ctx, t.queue[0]); err != nil {
			return err
		}
		t.queue = t.queue[1:]
		if len(t.batch) >= batchSize {
			if err := t.flush(ctx); err != nil {
				return err
			}
		}
	}
	t.still.Lock()
	defer t.still.Unlock()
	t.Clock.Set(end)
	return t.flush(ctx)
}

// happen lets an event happen, at its moment.
func (t *Town) happen(ctx context.Context, e event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.still.Lock()
	defer t.still.Unlock()
	t.Clock.Set(e.at)
	return e.do(ctx)
}

// at lets something happen at a moment, after all else of that moment.
func (t *Town) at(moment time.Time, do func(context.Context) error) {
	i, _ := slices.BinarySearchFunc(t.queue, moment, func(e event, moment time.Time) int {
		if e.at.After(moment) {
			return 1
		}
		return -1
	})
	t.queue = slices.Insert(t.queue, i, event{moment, do})
}

// post takes an entry of this moment into the batch.
func (t *Town) post(id string, kind ledger.Kind, moves ...ledger.Move) {
	now := t.Clock.Now()
	since := staking.DayOf(now) - (t.Last - reported + 1)
	for _, m := range moves {
		from, to := purse{m.From, m.Asset}, purse{m.To, m.Asset}
		t.purses[from] -= m.Amount
		t.purses[to] += m.Amount
		for _, p := range []purse{from, to} {
			if since < 0 || since >= reported || p.account.IsHouse() || p.account.IsHeld() {
				continue
			}
			if t.recent[p] == nil {
				t.recent[p] = &[reported]int{}
			}
			t.recent[p][since]++
		}
	}
	t.batch = append(t.batch, ledger.Entry{ID: id, Kind: kind, At: now, Moves: moves})
}

// name is the next name of a kind of thing: order/17.
func (t *Town) name(kind string) string {
	t.named[kind]++
	return fmt.Sprintf("%s/%d", kind, t.named[kind])
}

// flush posts the batch. The town never spends what it does not have, so a refusal is an error.
func (t *Town) flush(ctx context.Context) error {
	if len(t.batch) == 0 {
		return nil
	}
	if _, err := t.Books.PostAll(ctx, t.batch); err != nil {
		return err
	}
	t.Entries += len(t.batch)
	t.batch = t.batch[:0]
	return nil
}
