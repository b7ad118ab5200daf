package store

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/staking"
)

// groupCommit is one transaction of Post, in which the entries of some calls are
// checked together and written together. postIn says its steps.
type groupCommit struct {
	books    *books
	t        db.Tx
	assets   map[string]ledger.Asset
	now      int64 // when the transaction began; entries without a time are stamped later, under the locks
	calls    []*call
	items    []*item
	named    map[string][]*item // by entry ID
	balances map[key]*balance
	sorted   []*balance // balances in the one order of locks

	requests  map[requested]*request    // withdrawals that entries end
	limits    limits                    // of conversions
	controls  controls                  // of what needs approval
	usages    map[usageKey]*usage       // of ceilings
	spendings map[spendingKey]*spending // of daily limits

	destinations destinations // of withdrawals that their holders request

	accepted []*item // and new: to be written, by bucket and ID; known after decide
}

// item is one entry on its way.
type item struct {
	ledger.Entry
	call        *call
	out         *Outcome
	at          int64  // milliseconds; 0: to be stamped
	bucket      int    // of the entry's row: a hash of its ID, so that an ID is unique in all buckets
	leaves      []byte // the SHA-256 of each of its moves, which its digest is made of
	destination []byte // the hash of where its withdrawal goes, of its income's evidence, or of its campaign; or nil
	digest      []byte // SHA-256 of its content, by which a repeated entry is compared; nil: it is not accepted
	absent      bool   // looked up, and not in the books
	done        bool   // accepted, refused or repeated
	repeats     *item  // the one with the same ID that was accepted before it, in this transaction
	changes     []change
	owed        ledger.Amount // what of @rewards a loss must leave: income that was entered on days before
	uses        []use         // of ceilings
	large       bool          // it completes a withdrawal that needs approval
	overdrafts  []overdraft   // what accepting it, as authoritative, leaves below zero for a time
}

// change is what an entry does to a balance, its moves taken together.
type change struct {
	*balance
	net ledger.Amount
}

// key names a balance.
type key struct {
	bucket  int
	account ledger.Account
	asset   string
}

// keyFields are the columns of a balance's key in a set, and more.
func keyFields[T any](of func(T) *key, more ...db.Field[T]) []db.Field[T] {
	return append([]db.Field[T]{
		db.Int("bucket", func(v T) int64 { return int64(of(v).bucket) }),
		db.Text("account", func(v T) string { return string(of(v).account) }),
		db.Text("asset", func(v T) string { return of(v).asset }),
	}, more...)
}

// accountFields are the columns of an account's key in a set, and more.
func accountFields[T any](of func(T) ledger.Account, more ...db.Field[T]) []db.Field[T] {
	return append([]db.Field[T]{
		db.Int("bucket", func(v T) int64 { return int64(of(v).Bucket()) }),
		db.Text("account", func(v T) string { return string(of(v)) }),
	}, more...)
}

// balance is a balance that entries of the transaction touch.
type balance struct {
	key
	exists   bool
	closed   bool          // its account is closed
	frozen   bool          // its account is frozen
	amount   ledger.Amount // with the entries accepted so far
	applied  ledger.Amount // what the first UPDATE adds to it: the changes of all entries
	accepted ledger.Amount // the changes of the accepted entries; correct takes the rest back
	touched  bool          // by an accepted entry
	later    []later

	// Of a held part: what its pending withdrawals hold; see readReserved. Of @rewards: what income is not
	// distributed, and what holders carry; see readPool. Below zero after losses of the same group commit.
	reserved  ledger.Amount
	campaigns ledger.Amount // of @rewards: what the pools of campaigns have left
}

func balanceKey(b *balance) *key { return &b.key }

// later is a change of a balance at a moment that an entry might come before.
type later struct {
	at         int64
	amount     ledger.Amount
	withdrawal bool // by an entry that requests or ends a withdrawal
}

// postIn posts calls, or as many of the first as fit together, and says how many, and what to
// write of them into the outbox. inOrder takes its steps until one fails. Steps that are only for
// some entries have no effect on the others; a deposit needs none of the files named here.
func (b *books) postIn(t db.Tx, assets map[string]ledger.Asset, calls []*call) (taken int, records outbox.Records,
	err error) {
	g := &groupCommit{
		books: b, t: t, assets: assets, now: b.now(),
		named: map[string][]*item{}, balances: map[key]*balance{}, requests: map[requested]*request{},
		usages: map[usageKey]*usage{}, spendings: map[spendingKey]*spending{},
	}
	g.check(calls)
	if err := inOrder(
		g.lookUp,       // what was posted before is answered as the first time
		g.dateOpenings, // openings only: import.go
		g.lockDays,
		g.readControls, // what may need approval only: approval.go
	); err != nil {
		return 0, nil, err
	}
	taken = g.add()
	if err := inOrder(
		g.readLimits, // conversions only, and their locks: conversion.go
		g.apply,      // locks the balances
		g.checkAccounts,
		g.readLater,        // of balances that are debited only
		g.readRequests,     // what ends a withdrawal only: withdrawal.go
		g.readReserved,     // what takes from a held part only: withdrawal.go
		g.readPool,         // what takes from @rewards only: reserve.go
		g.readUsage,        // what is posted with a token that has ceilings only: usage.go
		g.checkFactors,     // withdrawals that their holders request only: withdrawal_factor.go
		g.readDestinations, // the same: destination.go
		g.readSpendings,    // what holders withdraw or send: daily_outflow.go
	); err != nil {
		return 0, nil, err
	}
	if err := inOrder(
		g.decide,
		g.lookAgain, // what is refused only
		g.write,
	); err != nil {
		return 0, nil, err
	}
	return taken, g.records(), nil
}

// check refuses what can be refused without the books, and resets the outcomes.
func (g *groupCommit) check(calls []*call) {
	g.calls = calls
	for _, c := range calls {
		c.outcomes = make([]Outcome, len(c.entries))
		for i, e := range c.entries {
			it := &item{Entry: e, call: c, out: &c.outcomes[i], bucket: e.Bucket(), leaves: e.Leaves()}
			if e.Kind == ledger.WithdrawalRequest {
				it.destination = c.destination.Hash()
			} else if c.income != nil {
				it.destination = c.income.Hash()
			} else if c.campaign != nil {
				it.destination = c.campaign.Hash()
			}
			g.named[e.ID] = append(g.named[e.ID], it)
			g.items = append(g.items, it)
		}
	}
	for _, it := range g.items {
		if !it.call.system {
			it.refuse(it.CheckCaller())
		}
		it.refuse(it.Check(g.assets))
		if !it.call.approval.covers(it.operation()) {
			it.refuse(control.Check(it.operation(), it.call.actor))
			if !it.call.system {
				it.refuse(control.CheckKind(it.Kind, it.call.actor))
				it.refuse(control.CheckEntry(it.Entry, it.call.converts != nil, it.call.actor))
			}
		}
		if it.Kind == ledger.Opening {
			it.At = time.Time{} // the books date it: dateOpenings
		}
		if it.done || it.At.IsZero() {
			continue
		}
		it.at = it.At.UnixMilli()
		if it.at > g.now+1000 {
			it.refuse(ledger.ErrInvalid.In("", "entry %s: its time %s lies in the future; it is %s", it.ID,
				ledger.FormatTime(it.At), ledger.FormatTime(db.TimeOf(g.now))).Because(ReasonFuture))
		}
	}
}

// refuse ends the item with an error, unless there is none or it has ended.
func (it *item) refuse(err error) {
	if err != nil && !it.done {
		it.done = true
		it.out.Err = err
	}
}

// undecided are the items not yet accepted, refused or repeated.
func (g *groupCommit) undecided(yield func(*item) bool) {
	for _, it := range g.items {
		if !it.done && !yield(it) {
			return
		}
	}
}

// lookUp finds the entries that were posted before: they answer as the first time. It
// refuses new entries whose ID has an empty part, "." or ".." between slashes (Entry.CheckNew);
// entries already in the books keep such IDs.
func (g *groupCommit) lookUp() error {
	for it := range g.undecided {
		it.absent = true
	}
	err := g.find(slices.Collect(g.undecided), func(r db.Row) error {
		for _, it := range g.named[r.Text(0)] {
			if it.absent {
				it.absent = false
				it.answer(r.Int(1), r.Int(2), r.Int(3), r.Bytes(4))
			}
		}
		return nil
	})
	for it := range g.undecided {
		it.refuse(it.CheckNew())
	}
	return err
}

// lookAgain looks the refused entries up once more. Another connection may have
// posted the same one in the meantime: this one waited for its locks, and was refused
// for what the first has done. Run again, it answers as the first.
func (g *groupCommit) lookAgain() error {
	var refused []*item
	for _, it := range g.items {
		if it.absent && it.out.Err != nil {
			refused = append(refused, it)
		}
	}
	return g.find(refused, func(r db.Row) error {
		return fmt.Errorf("%w: entry %s was posted at the same time", db.ErrRetry, r.Text(0))
	})
}

// find gives fn the entries in the books that have the items' IDs.
func (g *groupCommit) find(items []*item, fn func(db.Row) error) error {
	err := g.t.QuerySet(fn, `SELECT e.entry, e.at, e.posted_at, e.digest_version, e.digest
	      FROM {rows} JOIN entries e ON e.bucket = r.bucket AND e.entry = r.entry`,
		db.SetOf(items, db.Int("bucket", itemBucket), db.Text("entry", itemID)))
	return annotate(err, "look entries up")
}

func itemBucket(it *item) int64 { return int64(it.bucket) }
func itemID(it *item) string    { return it.ID }
func itemAt(it *item) int64     { return it.at }

// answer ends an item whose ID was posted before: as the first time if it says
// the same, else with ErrConflict. Its time is a part of what it says where the caller gave
// one. A digest of an older version is that of a row which the upgrade found damaged: it
// proves nothing, so nothing is a repeat of it.
func (it *item) answer(at, postedAt, version int64, digest []byte) {
	it.done = true
	switch {
	case version != ledger.DigestVersion:
		it.out.Err = ledger.ErrConflict.In("", "entry %s: it did not match its postings when the books were upgraded",
			it.ID).Because(ReasonDamaged)
		return
	case !bytes.Equal(it.digestAt(at), digest):
		it.out.Err = ledger.ErrConflict.In("", "entry %s", it.ID)
		return
	}
	*it.out = Outcome{At: db.TimeOf(at), PostedAt: db.TimeOf(postedAt), Repeated: true}
}

// digestAt is the item's digest, with a time where it has none of its own.
func (it *item) digestAt(at int64) []byte {
	e := it.Entry
	if e.At.IsZero() {
		e.At = db.TimeOf(at)
	}
	digest := e.Digest(it.leaves, it.destination)
	return digest[:]
}

// day is the day (UTC) that the item counts on: its own time's, or today.
func (g *groupCommit) day(it *item) staking.Day {
	return staking.DayOf(db.TimeOf(cmp.Or(it.at, g.now)))
}

// lockDays shares the lock of each day, in each bucket that the entries touch, so that no day is
// closed under them. A house account with a row in each bucket has it in that of the other side.
func (g *groupCommit) lockDays() error {
	return lockOpenDays(g.books, g.t, slices.Collect(g.undecided), func(it *item) (staking.Day, []int) {
		buckets := make([]int, 0, 2*len(it.Moves)+1)
		if len(it.Moves) == 0 { // income of zero
			buckets = append(buckets, it.bucket)
		}
		for _, m := range it.Moves {
			from, to := m.Sides()
			buckets = append(buckets, from, to)
		}
		return g.day(it), buckets
	}, (*item).refuseDay)
}

// refuseDay refuses an entry whose day is closed, an authoritative one too: the rewards of a
// closed day rest on it. What the other ledger has decided must be posted all the same, and
// so the error says how.
func (it *item) refuseDay(day, firstOpen staking.Day) {
	next := ""
	if it.Authoritative {
		next = "; post it as of then or later, and make the reward of the closed day good with a compensation, " +
			"where it was too low"
	}
	it.refuse(ledger.ErrDayClosed.In("", "entry %s: %s; the first open moment is %s%s", it.ID, day,
		ledger.FormatTime(firstOpen.Start()), next))
}

// lockOpenDays shares the locks of the days that items are about, in each of the buckets that an
// item touches, so that none is closed until the commit. It refuses the items whose day is closed,
// with the first open one. The intent to close, in closings, is looked at first, so that a stream of
// entries cannot keep the closer waiting; then the rows are locked ascending, one row a statement. On SQLite, where
// there is one writer, the same statements lock nothing.
func lockOpenDays[T comparable](b *books, t db.Tx, items []T, of func(T) (staking.Day, []int),
	refuse func(item T, d, firstOpen staking.Day)) error {
	firstOpen, err := b.firstOpen(t)
	if err != nil {
		return err
	}
	wanted := map[[2]int64][]T{} // by bucket and day
	for _, item := range items {
		d, buckets := of(item)
		if d < firstOpen {
			refuse(item, d, firstOpen)
			continue
		}
		for _, bucket := range buckets {
			k := [2]int64{int64(bucket), int64(d)}
			if l := wanted[k]; len(l) == 0 || l[len(l)-1] != item {
				wanted[k] = append(l, item)
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(wanted), func(a, b [2]int64) int { return slices.Compare(a[:], b[:]) })
	found := 0
	err = t.QueryEach(func(r db.Row) error {
		found++
		if r.Int(2) != 0 {
			for _, item := range wanted[[2]int64{r.Int(0), r.Int(1)}] {
				refuse(item, staking.Day(r.Int(1)), staking.Day(r.Int(1))+1)
			}
		}
		return nil
	}, "SELECT bucket, day, closed FROM days WHERE bucket = $1 AND day = $2"+t.Share(), db.SetOf(keys,
		db.Int("bucket", func(k [2]int64) int64 { return k[0] }),
		db.Int("day", func(k [2]int64) int64 { return k[1] })))
	if err == nil && found != len(keys) {
		err = fmt.Errorf("%d of %d days are not open yet", len(keys)-found, len(keys))
	}
	return annotate(err, "lock the days")
}

// lockOpenDay is lockOpenDays for a day in some buckets; ErrDayClosed if it is closed.
func (b *books) lockOpenDay(t db.Tx, d staking.Day, buckets ...int) error {
	var closed error
	err := lockOpenDays(b, t, buckets, func(bucket int) (staking.Day, []int) { return d, []int{bucket} },
		func(_ int, d, firstOpen staking.Day) { closed = dayClosed(d, firstOpen) })
	return cmp.Or(err, closed)
}

func dayClosed(d, firstOpen staking.Day) error {
	return ledger.ErrDayClosed.In("", "%s; the first open moment is %s", d, ledger.FormatTime(firstOpen.Start()))
}

// add sums the changes of each balance over the entries of as many calls as fit
// 63 bits together, sorts the balances in the one order of locks, and says how many calls.
func (g *groupCommit) add() (taken int) {
	n := 0
	for taken < len(g.calls) {
		next := n + len(g.calls[taken].entries)
		if !g.addCall(g.items[n:next], taken == 0) {
			break
		}
		n = next
		taken++
	}
	g.calls, g.items = g.calls[:taken], g.items[:n]
	used := map[*balance]bool{}
	for _, it := range g.items {
		for _, c := range it.changes {
			if !used[c.balance] {
				used[c.balance] = true
				g.sorted = append(g.sorted, c.balance)
			}
		}
	}
	slices.SortFunc(g.sorted, func(a, b *balance) int {
		return cmp.Or(a.bucket-b.bucket, cmp.Compare(a.account, b.account), cmp.Compare(a.asset, b.asset))
	})
	return taken
}

// addCall adds a call's entries. One whose amounts do not fit is refused if its
// call is the first; else nothing of the call is added, and addCall says false.
func (g *groupCommit) addCall(items []*item, first bool) bool {
	for i, it := range items {
		if it.done {
			continue
		}
		err := g.net(it)
		if err == nil {
			err = it.sum()
		}
		if err == nil {
			continue
		}
		it.changes = nil
		if !first {
			for _, added := range items[:i] {
				for _, c := range added.changes {
					c.applied -= c.net
				}
			}
			return false
		}
		it.refuse(ledger.ErrInvalid.In("", "entry %s: %w together with those posted with it; post it alone", it.ID, err))
	}
	return true
}

// sum adds the item's changes to those of its balances, or none of them.
func (it *item) sum() error {
	for i, c := range it.changes {
		sum, err := c.applied.Add(c.net)
		if err == nil && (sum > ledger.MaxSupply || sum < -ledger.MaxSupply) {
			err = ledger.ErrOverflow
		}
		if err != nil {
			for _, done := range it.changes[:i] {
				done.applied -= done.net
			}
			return err
		}
		c.balance.applied = sum
	}
	return nil
}

// net takes an entry's moves together, by balance.
func (g *groupCommit) net(it *item) error {
	for _, m := range it.Moves {
		from, to := m.Sides()
		if err := g.put(it, key{from, m.From, m.Asset}, -m.Amount); err != nil {
			return err
		}
		if err := g.put(it, key{to, m.To, m.Asset}, m.Amount); err != nil {
			return err
		}
	}
	return nil
}

func (g *groupCommit) put(it *item, k key, amount ledger.Amount) (err error) {
	b := g.balances[k]
	if b == nil {
		b = &balance{key: k}
		g.balances[k] = b
	}
	for i := range it.changes {
		if c := &it.changes[i]; c.balance == b {
			c.net, err = c.net.Add(amount)
			return err
		}
	}
	it.changes = append(it.changes, change{b, amount})
	return nil
}

// owner is an account that may not be open: there is no balance of it, or one that is closed.
type owner struct {
	id     ledger.Account
	found  bool
	closed time.Time // zero: it is open
	frozen bool
}

// checkAccounts refuses entries that name an account which was never opened, or which
// is closed; only an entry that sweeps it may (closure.go). A balance that is there shows
// that its account was opened, and has whether it is closed. Where none is there, the
// account's row is shared, so that the account is not closed without a look at the
// balance that it gets here.
func (g *groupCommit) checkAccounts() error {
	doubtful := map[ledger.Account]*owner{}
	var owners []*owner
	for _, b := range g.sorted {
		if id := b.account.Owner(); (!b.exists || b.closed) && !id.IsHouse() && doubtful[id] == nil {
			doubtful[id] = &owner{id: id}
			owners = append(owners, doubtful[id])
		}
	}
	err := g.t.QueryEach(func(r db.Row) error {
		o := doubtful[ledger.Account(r.Text(0))]
		o.found, o.closed, o.frozen = true, db.TimeOrZero(r.Int(1)), r.Int(2) != 0
		return nil
	}, "SELECT account, closed, frozen FROM accounts WHERE bucket = $1 AND account = $2"+g.t.Share(),
		db.SetOf(owners, accountFields(func(o *owner) ledger.Account { return o.id })...))
	if err != nil {
		return fmt.Errorf("look accounts up: %w", err)
	}
	for _, b := range g.sorted {
		if o := doubtful[b.account.Owner()]; o != nil && !b.exists {
			b.frozen = o.frozen
		}
	}
	for it := range g.undecided {
		for _, c := range it.changes {
			switch o := doubtful[c.account.Owner()]; {
			case o == nil || o.found && o.closed.IsZero() || it.sweeps(o.id):
			case o.found:
				it.refuse(fmt.Errorf("entry %s: %w", it.ID, isClosed(o.id, o.closed)))
			default:
				it.refuse(ledger.ErrNotFound.In("", "entry %s: account %s", it.ID, o.id).Because(ReasonUnknownAccount))
			}
		}
	}
	return nil
}

// span is a day on which a balance is read that has changed since a moment.
type span struct {
	*balance
	day   staking.Day
	since int64
}

// readLater reads what the balances that entries take from show at later moments
// than the entries': an entry that is dated back must leave none below zero.
func (g *groupCommit) readLater() error {
	since := map[*balance]int64{}
	for it := range g.undecided {
		at := cmp.Or(it.at, g.now)
		for _, c := range it.changes {
			if t, ok := since[c.balance]; c.net < 0 && !c.account.Overdraws() && c.exists && (!ok || at < t) {
				since[c.balance] = at
			}
		}
	}
	today := staking.DayOf(db.TimeOf(g.now + 1000))
	var spans []span
	for _, b := range g.sorted {
		if at, ok := since[b]; ok {
			for d := staking.DayOf(db.TimeOf(at)); d <= today; d++ {
				spans = append(spans, span{b, d, at})
			}
		}
	}
	err := g.t.QuerySet(func(r db.Row) error {
		b := g.balances[readKey(r)]
		b.later = append(b.later, later{r.Int(3), ledger.Amount(r.Int(4)), ledger.Kind(r.Text(5)).OfWithdrawal()})
		return nil
	}, `SELECT p.bucket, p.account, p.asset, p.at, p.amount, p.kind
	      FROM {rows} JOIN postings p ON p.bucket = r.bucket AND p.day = r.day AND p.account = r.account AND p.asset = r.asset AND p.at > r.at`,
		db.SetOf(spans, keyFields(func(s span) *key { return &s.key },
			db.Int("day", func(s span) int64 { return int64(s.day) }),
			db.Int("at", func(s span) int64 { return s.since }))...))
	return annotate(err, "read later postings")
}
