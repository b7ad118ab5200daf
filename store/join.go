package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/staking"
)

// JoinBatch are events of a partition of a source, in the order of their positions.
type JoinBatch struct {
	Source, Partition string
	Identity          string // of what the places are counted in, by the source
	Address           int64  // the number of the address at which the source is read, by AddSource; 0: it was not said
	Events            []join.Event
	Fault             *JoinFault // the record after them that could not be read; nil: there is none
}

// JoinFault is a record that is no event, and so stops its partition.
type JoinFault struct {
	join.Place
	Err error
}

// Joined is what became of a batch.
type Joined struct {
	Partition           // as it is now
	Done      int       // how many of the events are in the books, now or from before
	Entries   int       // how many entries were posted
	Ahead     time.Time // the time of the event after them, which the clock has not reached; zero: it was not looked at
}

// maxAhead is how far the clock of a source may be ahead of the books': until then its events wait.
const maxAhead = time.Minute

// The kinds of error that stop a partition, beside those of Post: they are only kept with it.
const (
	errGap      ledger.ErrorKind = "events are missing before this one"
	errBack     ledger.ErrorKind = "the position steps back"
	errIdentity ledger.ErrorKind = "the positions of the source are counted in something else than before"
	errDiffers  ledger.ErrorKind = "the source has another balance than its events give"
)

// joinRefusal is why an event cannot be in the books: those before it can.
type joinRefusal struct {
	index int // in the batch
	place join.Place
	event string
	err   error
}

func (r *joinRefusal) Error() string { return r.err.Error() }

// joinRepeats are the indices of events that are in the books already, from other positions.
type joinRepeats []int

func (r joinRepeats) Error() string { return fmt.Sprintf("%d events are repeated", len(r)) }

// Join brings events of a partition into the books, in their order, in one transaction with the partition's position:
// an event is there exactly once, whatever is repeated. It takes as many of the first as go together; call it again
// with the rest. Events up to the position are passed over. An event that cannot be in the books stops its partition,
// which Joined then says: those before it are in the books, it and those after it are not, until a person decides.
// Other partitions go on. Safe for concurrent use, also for one partition. The error is the database's, or says that
// the batch is not well formed: then nothing is known of it, and the same call may be made again. ledger.ErrConflict,
// because of ReasonOtherAddress, where the source is read at another address now: nothing of the batch is in the books.
func (b *DB) Join(ctx context.Context, batch JoinBatch) (j Joined, err error) {
	if err := batch.check(); err != nil {
		return j, err
	}
	if err := b.ensureDays(ctx); err != nil {
		return j, err
	}
	assets, err := b.assets(ctx, batch.tokens()...) // before the transaction, as in commit
	if err != nil {
		return j, err
	}
	x := joining{DB: b, batch: batch, assets: assets, limit: len(batch.Events), repeats: map[int]bool{}}
	if f := batch.Fault; f != nil {
		x.stop = &joinRefusal{x.limit, f.Place, "", f.Err}
	}
	for {
		err := b.Outbox().Write(ctx, func(t db.Tx) (outbox.Records, error) {
			now := x // each time from the start
			records, err := now.run(t)
			j = now.joined
			return records, err
		})
		if refused, is := errors.AsType[*joinRefusal](err); is {
			x.limit, x.stop = refused.index, refused // nothing is in the books yet: what is before it is posted now
			continue
		}
		if repeats, is := errors.AsType[joinRepeats](err); is {
			for _, index := range repeats {
				x.repeats[index] = true
			}
			continue
		}
		if err == nil && j.Entries > 0 {
			b.observe(j.Entries)
		}
		return j, annotate(err, "join %d events of %s/%s", len(batch.Events), batch.Source, batch.Partition)
	}
}

func (batch JoinBatch) check() error {
	if err := join.CheckName("source", batch.Source, join.MaxSource); err != nil {
		return err
	}
	return join.CheckName("partition", batch.Partition, join.MaxPartition)
}

// tokens are those that the events name.
func (batch JoinBatch) tokens() (tokens []string) {
	for _, e := range batch.Events {
		if e.Token != "" && !slices.Contains(tokens, e.Token) {
			tokens = append(tokens, e.Token)
		}
	}
	return tokens
}

// joining is one transaction of Join.
type joining struct {
	*DB
	batch   JoinBatch
	assets  map[string]ledger.Asset
	limit   int          // of the events that are looked at
	stop    *joinRefusal // why the event after these stops the partition; nil: it does not
	repeats map[int]bool // the indices of events that are in the books from other positions

	t         db.Tx
	joined    Joined
	events    []*joinedEvent        // that are new, up to one that goes alone or that is ahead
	skips     map[string][]JoinSkip // the decisions about events that are never posted, by ID
	number    int64                 // the last that an event has, where their places are a broker's
	first     staking.Day           // that is open
	accounts  map[key]*joinedBalance
	watermark int64
}

// joinedEvent is an event on its way.
type joinedEvent struct {
	join.Event
	index   int
	entry   string // the ID that its entry has or would have
	of      *joinedBalance
	amount  ledger.Amount // by which the part changes
	after   ledger.Amount // what the source has then, if Event.After is given
	at      int64         // when its entry counts
	repeats bool
	again   bool   // it was there before: by its number or, of one that is never posted, by its ID
	skip    bool   // it is never posted; what the source has after it counts all the same
	digest  string // what it says, of one that is never posted and comes first after that was decided
}

// run takes the steps of the transaction until one fails; its error may be a *joinRefusal or joinRepeats.
func (x *joining) run(t db.Tx) (records outbox.Records, err error) {
	x.t, x.joined = t, Joined{}
	if x.joined.Partition, err = x.lockPartition(t, x.batch.Source, x.batch.Partition); err == nil {
		err = checkAddress(t, x.batch.Source, x.batch.Address)
	}
	if err != nil || x.joined.State != Running {
		return nil, err
	}
	if err := inOrder(x.identify, x.readSkips, x.take, x.prepare, x.readReferences, x.readRepeats, x.readBalances, x.date,
		x.changeAccounts); err != nil {
		return nil, err
	}
	if records, err = x.post(); err != nil {
		return nil, err
	}
	return records, inOrder(x.compareBalances, x.writeBalances, x.creditRewards, x.writeReferences, x.writeLate,
		x.writeSkips, x.move)
}

func (x *joining) refuse(e join.Event, index int, err error) error {
	return &joinRefusal{index, e.Place, e.ID, err}
}

// alone reports whether an event of the type is a transaction by itself, since it takes other locks.
func alone(t join.Type) bool {
	return t == join.Residence || t == join.Close || t == join.Freeze || t == join.Unfreeze
}

// identify refuses records whose places are counted in something else than those in the books.
func (x *joining) identify() error {
	p := &x.joined.Partition
	if len(x.batch.Events) == 0 || x.limit == 0 {
		return nil
	}
	if p.Identity == "" {
		p.Identity = x.batch.Identity
	}
	if p.Identity == x.batch.Identity {
		return nil
	}
	return x.refuse(x.batch.Events[0], 0, errIdentity.In("", "it is %q, and the books have %q", x.batch.Identity,
		p.Identity))
}

// take chooses the events that are new, and checks their places.
func (x *joining) take() error {
	p := &x.joined.Partition
	last := p.Place
	x.watermark, x.number = db.MillisOf(p.Watermark), p.Number
	for i, e := range x.batch.Events[:x.limit] {
		if e.Type != join.Watermark || e.Place != last { // a watermark needs no place of its own
			if known, err := x.order(e, i, last); err != nil {
				return err
			} else if known {
				x.joined.Done = i + 1
				continue
			}
		}
		if x.skipsEvent(e) {
			passed, err := x.passOver(e, i)
			if err != nil {
				return err
			}
			x.events = append(x.events, passed)
			x.joined.Done, last = i+1, e.Place
			continue
		}
		if alone(e.Type) && len(x.events) > 0 {
			return nil
		}
		if at, now := e.At.UnixMilli(), x.now(); e.Type != join.Ignored && at > now+1000 {
			if at > now+maxAhead.Milliseconds() {
				return x.refuse(e, i, ledger.ErrInvalid.In(e.TimeField(), "it lies in the future; it is %s",
					ledger.FormatTime(db.TimeOf(now))).Because(ReasonFuture))
			}
			x.joined.Ahead = e.At
			return nil
		}
		taken, err := x.takeNumbered(e, i)
		if err != nil {
			return err
		}
		x.events = append(x.events, taken)
		x.joined.Done, last = i+1, e.Place
		if alone(e.Type) {
			return nil
		}
	}
	return nil
}

// takeNumbered takes an event by its number, where it has one. Of what was there before only changes and rewards are
// looked at, which must be in the books: the rest may have been true then, and not be now.
func (x *joining) takeNumbered(e join.Event, index int) (*joinedEvent, error) {
	taken := &joinedEvent{Event: e, index: index}
	switch e.Order(x.number) {
	case join.Gap, join.Back:
		return nil, x.refuseNumber(e, index)
	case join.Repeats:
		taken.again = e.Type == join.Change || e.Type == join.Reward
		if !taken.again && e.Type != join.Watermark {
			taken.Event = join.Event{Place: e.Place, Type: join.Ignored, ID: e.ID, Mark: e.Mark}
		}
		return taken, nil
	}
	x.number = max(x.number, e.Number)
	return taken, nil
}

// refuseNumber refuses an event that does not follow the one before it by its number.
func (x *joining) refuseNumber(e join.Event, index int) error {
	if e.Order(x.number) == join.Gap {
		return x.refuse(e, index, errGap.In("position", "the event has number %d, and the one before it %d", e.Number,
			x.number))
	}
	return x.refuse(e, index, errBack.In("position", "event %d follows another one than %d", e.Number, x.number))
}

// isNew refuses an event that is not in the books, and whose number was there before.
func (x *joining) isNew(e *joinedEvent) error {
	if !e.again {
		return nil
	}
	return x.refuse(e.Event, e.index, errBack.In("position", "number %d comes after %d, and the books do not have event "+
		"%q", e.Number, x.number, e.ID))
}

// order reports whether the books have an event, where the last event before it has a place, and refuses one that does
// not follow that.
func (x *joining) order(e join.Event, index int, last join.Place) (known bool, err error) {
	p, first := &x.joined.Partition, len(x.events) == 0
	previous := join.Place{Position: e.Position - 1}
	if e.Previous != nil {
		previous = *e.Previous
	}
	// What another reader has put in the place after this one's last is a watermark or ignored: it has no event.
	passes := first && (p.Event == skipped || p.Event == "" && x.batch.Identity != "")
	switch {
	case e.Place.Compare(last) <= 0 && !first:
		return false, x.refuse(e, index, errBack.In("position", "%s comes after %s", e.Place, last))
	case e.Place == last && p.Event != skipped && e.ID != p.Event:
		return false, x.refuse(e, index, errBack.In("position", "event %q is at position %s, and event %q was", e.ID, last,
			p.Event))
	case e.Place.Compare(last) <= 0:
		return true, nil
	case x.decided(e): // with what is missing before it
		return false, nil
	case previous.Compare(last) < 0 && !passes:
		return false, x.refuse(e, index, errBack.In("position", "%s says that it follows %s, and the books have %s", e.Place,
			previous, last))
	case previous.Compare(last) > 0:
		return false, x.refuse(e, index, errGap.In("position", "%s follows %s, and the books have %s", e.Place, previous,
			last))
	}
	return false, nil
}

// prepare reads the amounts of the events as units of their tokens.
func (x *joining) prepare() error {
	x.accounts = map[key]*joinedBalance{}
	for _, e := range x.events {
		if e.Type == join.Watermark {
			x.watermark = max(x.watermark, e.At.UnixMilli())
		}
		if e.Initial && e.Type == join.Balance && !x.joined.Watermark.IsZero() {
			return x.refuse(e.Event, e.index, ledger.ErrInvalid.In("", "the snapshot with which the partition begins is over"))
		}
		e.entry = ledger.JoinID(x.batch.Source, e.ID)
		if e.Token == "" {
			continue
		}
		e.repeats = x.repeats[e.index]
		asset, known := x.assets[e.Token]
		if !known && e.skip {
			continue
		}
		if !known {
			return x.refuse(e.Event, e.index, ledger.ErrInvalid.In("token", "the token %q is unknown", ledger.Clip(e.Token)).
				Because(ledger.ReasonUnknownAsset))
		}
		for _, f := range []struct {
			field, text string
			into        *ledger.Amount
		}{{"change", e.Change, &e.amount}, {"balanceAfter", e.After, &e.after}} {
			if f.text == "" {
				continue
			}
			n, err := asset.Parse(f.text)
			if err != nil && e.skip {
				known = false // what it says of its part is not known
				continue
			}
			if err != nil {
				return x.refuse(e.Event, e.index, ledger.At(f.field, err))
			}
			*f.into = n
		}
		if !known {
			continue
		}
		part := e.Account
		if e.Held {
			part = part.Held()
		}
		k := key{part.Bucket(), part, e.Token}
		if x.accounts[k] == nil {
			x.accounts[k] = &joinedBalance{key: k}
		}
		e.of = x.accounts[k]
	}
	return nil
}

// date dates the entries: by the source's clock or, where that day is closed, at the first open moment. One that was
// posted before, from another position, keeps its time.
func (x *joining) date() (err error) {
	if x.first, err = x.firstOpen(x.t); err != nil {
		return err
	}
	var late []*joinedEvent
	for _, e := range x.events {
		e.at = e.At.UnixMilli()
		if e.of != nil && !e.skip && e.at < x.first.Millis() {
			e.at = x.first.Millis()
			late = append(late, e)
		}
	}
	posted := map[string]int64{}
	err = x.t.QueryEach(func(r db.Row) error { posted[r.Text(0)] = r.Int(1); return nil },
		"SELECT entry, at FROM entries WHERE bucket = $1 AND entry = $2", db.SetOf(late,
			db.Int("bucket", func(e *joinedEvent) int64 { return entryBucket(e.entry) }),
			db.Text("entry", func(e *joinedEvent) string { return e.entry })))
	for _, e := range late {
		e.at = cmp.Or(posted[e.entry], e.at)
	}
	return annotate(err, "date late events")
}

// post posts the entries of the events.
func (x *joining) post() (outbox.Records, error) {
	var of []*joinedEvent
	c := &call{system: true, atomic: true, actor: x.actor, log: logFields{action: "join"}}
	for _, e := range x.events {
		if e.amount == 0 || e.repeats || e.skip || e.Type == join.Reward {
			continue
		}
		move := ledger.Move{From: ledger.Custody, To: e.of.account, Asset: e.Token, Amount: e.amount}
		if e.amount < 0 {
			move = ledger.Move{From: e.of.account, To: ledger.Custody, Asset: e.Token, Amount: -e.amount}
		}
		of = append(of, e)
		c.entries = append(c.entries, ledger.Entry{ID: e.entry, Kind: ledger.Joined, At: db.TimeOf(e.at),
			Moves: []ledger.Move{move}, Authoritative: true})
	}
	if len(of) == 0 {
		return nil, nil
	}
	_, records, err := x.postIn(x.t, x.assets, []*call{c})
	if err != nil {
		return nil, err
	}
	x.joined.Entries = len(of)
	var repeats joinRepeats
	for i, o := range c.outcomes {
		switch {
		case errors.Is(o.Err, ledger.ErrDayClosed): // since it was dated
			return nil, fmt.Errorf("%w: %w", db.ErrRetry, o.Err)
		case o.Err != nil && !errors.Is(o.Err, errNotPosted):
			return nil, x.refuse(of[i].Event, of[i].index, o.Err)
		case o.Repeated:
			repeats = append(repeats, of[i].index)
		case o.Err == nil:
			if err := x.isNew(of[i]); err != nil {
				return nil, err
			}
		}
	}
	if repeats != nil {
		return nil, repeats
	}
	return records, nil
}

// move writes how far the partition is now and, if it stops here, why.
func (x *joining) move() error {
	p := &x.joined.Partition
	stops := x.stop != nil && x.joined.Done == x.limit
	if len(x.events) == 0 && !stops {
		return nil
	}
	from, counted := p.Place, false
	for _, e := range x.events {
		if e.Place != p.Place {
			p.Place, p.Event, p.Mark = e.Place, e.ID, e.Mark
		}
		counted = counted || e.Type != join.Watermark && e.Type != join.Ignored
	}
	p.Number, p.Watermark = x.number, db.TimeOrZero(x.watermark)
	if len(x.events) > 0 {
		p.Moved = db.TimeOf(x.now())
	}
	name := p.Source + "/" + p.Name
	if counted {
		if err := x.logLine(x.t, "join", name, fmt.Sprintf("after position %s, through %s: %d entries", from, p.Place,
			x.joined.Entries)); err != nil {
			return err
		}
	}
	if stops {
		p.State, p.Stopped, p.Stop, p.StopEvent = Stopped, db.TimeOf(x.now()), x.stop.place, x.stop.event
		p.Reason = reasonText(x.stop.err)
		if err := x.logLine(x.t, "join", name, fmt.Sprintf("stopped at position %s: %s", p.Stop, p.Reason)); err != nil {
			return err
		}
	}
	return writePartition(x.t, *p)
}

// reasonText is why a partition stops, as it is kept: one line.
func reasonText(err error) string {
	text := strings.Map(func(r rune) rune {
		if ledger.Steers(r) {
			return ' '
		}
		return r
	}, ledger.Named(err))
	if runes := []rune(text); len(runes) > longestReason {
		text = string(runes[:longestReason]) + "…"
	}
	return text
}

// longestReason is how many characters of it are kept.
const longestReason = 300

// changeAccounts opens the accounts that events open, and makes the change of one that goes alone.
func (x *joining) changeAccounts() error {
	var opens []*joinedEvent
	for _, e := range x.events {
		if e.Type == join.Open {
			opens = append(opens, e)
		}
	}
	if len(opens) > 0 {
		if err := x.open(opens); err != nil {
			return err
		}
	}
	if len(x.events) != 1 || !alone(x.events[0].Type) {
		return nil
	}
	e := x.events[0]
	in := &DB{books: x.books, actor: x.actor, within: x.t, joined: true}
	var err error
	switch ctx := context.Background(); e.Type { // that of the transaction ends what it does
	case join.Residence:
		_, err = in.SetRegion(ctx, e.Account, staking.Region(e.Region))
	case join.Close:
		err = in.CloseAccount(ctx, e.Account)
	case join.Freeze:
		_, err = in.Freeze(ctx, e.Account, e.Reason, e.Earns)
	case join.Unfreeze:
		_, _, err = in.Unfreeze(ctx, e.Account, e.Reason)
	}
	return x.refuseIfOurs(e, err)
}

// refuseIfOurs makes a refusal of the books one of the event; other errors are the database's.
func (x *joining) refuseIfOurs(e *joinedEvent, err error) error {
	_, ours := errors.AsType[*ledger.Error](err)
	_, needed := errors.AsType[*control.Needed](err)
	if (ours || needed) && !errors.Is(err, ledger.ErrDayClosed) {
		return x.refuse(e.Event, e.index, err)
	}
	return err
}

// open opens accounts. Opening one again has no further effect; with another residence or owner it is refused.
func (x *joining) open(events []*joinedEvent) error {
	var accounts []Account
	by := map[ledger.Account]*joinedEvent{}
	for _, e := range events {
		a := Account{ID: e.Account, Region: staking.Region(e.Region), Opened: db.TimeOf(x.now()), Owner: e.Owner}
		if err := a.checkNew(); err != nil {
			return x.refuse(e.Event, e.index, err)
		}
		if by[a.ID] == nil {
			by[a.ID] = e
			accounts = append(accounts, a)
		}
	}
	there, err := x.openIn(x.t, accounts, "")
	if err != nil {
		return err
	}
	slices.SortFunc(there, func(p, q Account) int { return cmp.Compare(by[p.ID].index, by[q.ID].index) })
	for _, is := range there {
		e := by[is.ID]
		region, err := staking.Region(""), error(nil)
		if e.Region != "" {
			region, err = staking.ParseRegion(e.Region)
		}
		if err == nil {
			err = Account{ID: is.ID, Region: region}.isThere(is)
		}
		if err != nil {
			return x.refuse(e.Event, e.index, err)
		}
	}
	return nil
}
