package store

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/staking"
)

// posting is one transaction of Post, in which the entries of some calls are
// checked together and written together. postIn says its steps.
type posting struct {
	db     *DB
	t      db.Tx
	assets map[string]ledger.Asset
	now    int64 // when the transaction began; entries without a time are stamped later, under the locks
	calls  []*call
	items  []*item
	named  map[string][]*item // by entry ID
	keys   map[key]*balance
	sorted []*balance // keys in the one order of locks

	requests map[requested]*request // withdrawals that entries end
	limits   limits                 // of conversions

	accepted []*item // and new: to be written, by bucket and ID; known after decide
}

// item is one entry on its way.
type item struct {
	ledger.Entry
	call    *call
	out     *Outcome
	at      int64 // milliseconds; 0: to be stamped
	bucket  int
	leaves  []byte // of its moves
	goes    []byte // the hash of where the withdrawal goes that it requests; nil: it requests none
	digest  []byte // nil: it is not accepted
	sought  bool   // looked up, and not found
	done    bool   // accepted, refused or repeated
	repeats *item  // the one with the same ID that was accepted before it, in this transaction
	changes []change
	dips    []dip // what accepting it, as authoritative, leaves below zero for a time
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

// balance is a balance that entries of the transaction touch.
type balance struct {
	key
	exists  bool
	closed  bool          // its account is closed
	frozen  bool          // its account is frozen
	now     ledger.Amount // with the entries accepted so far
	applied ledger.Amount // what the first update has put on it
	kept    ledger.Amount // what the accepted entries put on it
	touched bool          // by an accepted entry
	later   []later

	reserved ledger.Amount // of a held part: what its pending withdrawals hold; see readReserved
}

func balanceKey(b *balance) *key { return &b.key }

// later is a change of a balance at a moment that an entry might come before.
type later struct {
	at         int64
	amount     ledger.Amount
	withdrawal bool // by an entry that requests or ends a withdrawal
}

// postIn posts calls, or as many of the first as fit together, and says how many, and
// what to write of them into the outbox.
func (b *DB) postIn(t db.Tx, assets map[string]ledger.Asset, calls []*call) (taken int, records outbox.Records,
	err error) {
	p := &posting{
		db: b, t: t, assets: assets, now: b.now(),
		named: map[string][]*item{}, keys: map[key]*balance{}, requests: map[requested]*request{},
	}
	p.check(calls)
	if err := inOrder(p.lookUp, p.lockDays); err != nil {
		return 0, nil, err
	}
	taken = p.add()
	if err := inOrder(p.readLimits, p.apply, p.openings, p.history, p.readRequests, p.readReserved); err != nil {
		return 0, nil, err
	}
	p.decide()
	if err := inOrder(p.lookAgain, p.write); err != nil {
		return 0, nil, err
	}
	return taken, p.records(), nil
}

// check refuses what can be refused without the books, and resets the outcomes.
func (p *posting) check(calls []*call) {
	p.calls = calls
	for _, c := range calls {
		c.outcomes = make([]Outcome, len(c.entries))
		for i, e := range c.entries {
			it := &item{Entry: e, call: c, out: &c.outcomes[i], bucket: e.Bucket(), leaves: e.Leaves()}
			if e.Kind == ledger.WithdrawalRequest {
				it.goes = c.goes.Hash()
			}
			p.named[e.ID] = append(p.named[e.ID], it)
			p.items = append(p.items, it)
		}
	}
	for _, it := range p.items {
		if !it.call.own {
			it.refuse(it.CheckCaller())
		}
		it.refuse(it.Check(p.assets))
		if it.done || it.At.IsZero() {
			continue
		}
		it.at = it.At.UnixMilli()
		if it.at > p.now+1000 {
			it.refuse(ledger.ErrInvalid.In("", "entry %s: its time %s lies in the future; it is %s", it.ID,
				ledger.FormatTime(it.At), ledger.FormatTime(db.TimeOf(p.now))).Because(ReasonFuture))
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

// open are the items not yet ended.
func (p *posting) open(yield func(*item) bool) {
	for _, it := range p.items {
		if !it.done && !yield(it) {
			return
		}
	}
}

// lookUp finds the entries that were posted before: they answer as the first time. It
// refuses new entries whose ID is "." or "..", or has one between slashes; entries already
// in the books keep such IDs.
func (p *posting) lookUp() error {
	for it := range p.open {
		it.sought = true
	}
	err := p.find(slices.Collect(p.open), func(r db.Row) error {
		for _, it := range p.named[r.Text(0)] {
			if it.sought {
				it.sought = false
				it.answer(r.Int(1), r.Int(2), r.Int(3), r.Bytes(4))
			}
		}
		return nil
	})
	for it := range p.open {
		it.refuse(it.CheckNew())
	}
	return err
}

// lookAgain looks the refused entries up once more. Another connection may have
// posted the same one in the meantime: this one waited for its locks, and was refused
// for what the first has done. Run again, it answers as the first.
func (p *posting) lookAgain() error {
	var refused []*item
	for _, it := range p.items {
		if it.sought && it.out.Err != nil {
			refused = append(refused, it)
		}
	}
	return p.find(refused, func(r db.Row) error {
		return fmt.Errorf("%w: entry %s was posted at the same time", db.ErrRetry, r.Text(0))
	})
}

// find gives fn the entries in the books that have the items' IDs.
func (p *posting) find(items []*item, fn func(db.Row) error) error {
	err := p.t.QuerySet(fn, `SELECT e.entry, e.at, e.posted_at, e.digest_version, e.digest
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
	digest := e.Digest(it.leaves, it.goes)
	return digest[:]
}

// day is the day that the item counts on: its own time's, or today.
func (p *posting) day(it *item) staking.Day {
	return staking.DayOf(db.TimeOf(cmp.Or(it.at, p.now)))
}

// lockDays shares the lock on each day and bucket that the entries touch, so that
// no day is closed under them.
func (p *posting) lockDays() error {
	return lockOpenDays(p.db, p.t, slices.Collect(p.open), func(it *item) (staking.Day, []int) {
		buckets := make([]int, 0, 2*len(it.Moves))
		for _, m := range it.Moves {
			from, to := m.Sides()
			buckets = append(buckets, from, to)
		}
		return p.day(it), buckets
	}, (*item).dayClosed)
}

// dayClosed refuses an authoritative entry too: the rewards of a closed day rest on it.
// What the other ledger has decided must be posted all the same, and so it says how.
func (it *item) dayClosed(day, firstOpen staking.Day) {
	next := ""
	if it.Authoritative {
		next = "; post it as of then or later, and make the reward of the closed day good with a compensation, " +
			"where it was too low"
	}
	it.refuse(ledger.ErrDayClosed.In("", "entry %s: %s; the first open moment is %s%s", it.ID, day,
		ledger.FormatTime(firstOpen.Start()), next))
}

// add sums the changes of each balance over the entries of as many calls as fit
// 63 bits together, in the one order of locks, and says how many calls.
func (p *posting) add() (taken int) {
	n := 0
	for taken < len(p.calls) {
		next := n + len(p.calls[taken].entries)
		if !p.addCall(p.items[n:next], taken == 0) {
			break
		}
		n = next
		taken++
	}
	p.calls, p.items = p.calls[:taken], p.items[:n]
	used := map[*balance]bool{}
	for _, it := range p.items {
		for _, c := range it.changes {
			if !used[c.balance] {
				used[c.balance] = true
				p.sorted = append(p.sorted, c.balance)
			}
		}
	}
	slices.SortFunc(p.sorted, func(a, b *balance) int {
		return cmp.Or(a.bucket-b.bucket, cmp.Compare(a.account, b.account), cmp.Compare(a.asset, b.asset))
	})
	return taken
}

// addCall adds a call's entries. One whose amounts do not fit is refused if its
// call is the first; else nothing of the call is added, and addCall says false.
func (p *posting) addCall(items []*item, first bool) bool {
	for i, it := range items {
		if it.done {
			continue
		}
		err := p.net(it)
		if err == nil {
			err = it.apply()
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

// apply adds the item's changes to those of its balances, or none of them.
func (it *item) apply() error {
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
func (p *posting) net(it *item) error {
	for _, m := range it.Moves {
		from, to := m.Sides()
		if err := p.put(it, key{from, m.From, m.Asset}, -m.Amount); err != nil {
			return err
		}
		if err := p.put(it, key{to, m.To, m.Asset}, m.Amount); err != nil {
			return err
		}
	}
	return nil
}

func (p *posting) put(it *item, k key, amount ledger.Amount) (err error) {
	b := p.keys[k]
	if b == nil {
		b = &balance{key: k}
		p.keys[k] = b
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

// write brings the accepted entries into the books.
func (p *posting) write() error {
	for _, it := range p.items {
		if it.isNew() {
			p.accepted = append(p.accepted, it)
		}
	}
	slices.SortFunc(p.accepted, func(a, b *item) int { return cmp.Or(a.bucket-b.bucket, cmp.Compare(a.ID, b.ID)) })
	return inOrder(p.correct, p.openBalances, p.writeEntries, p.writePostings, p.writeWithdrawals, p.writeConversions,
		p.writeReconciliations)
}

// correct takes back from the balances what apply put there for refused entries.
func (p *posting) correct() error {
	var wrong []*balance
	for _, b := range p.sorted {
		if b.exists && b.kept != b.applied {
			wrong = append(wrong, b)
		}
	}
	return p.update(wrong, func(b *balance) ledger.Amount { return b.kept - b.applied }, func(*balance, ledger.Amount) {})
}

// openBalances makes the rows of balances that were not there before.
func (p *posting) openBalances() error {
	var fresh []*balance
	for _, b := range p.sorted {
		if !b.exists && b.touched {
			fresh = append(fresh, b)
		}
	}
	zero := func(*balance) int64 { return 0 }
	return p.insertNew("balances", db.SetOf(fresh, keyFields(balanceKey,
		db.Int("balance", func(b *balance) int64 { return int64(b.kept) }),
		db.Int("carry", zero),
		db.Int("earned", zero),
		db.Int("frozen", func(b *balance) int64 { return db.Flag(b.frozen) }))...))
}

func (p *posting) writeEntries() error {
	return p.insertNew("entries", db.SetOf(p.accepted,
		db.Int("bucket", itemBucket),
		db.Text("entry", itemID),
		db.Int("at", itemAt),
		db.Int("posted_at", func(*item) int64 { return p.now }),
		db.Blob("digest", func(it *item) []byte { return it.digest }),
		db.Int("digest_version", func(*item) int64 { return ledger.DigestVersion }),
		db.Blob("leaves", func(it *item) []byte { return it.leaves }),
		db.Blob("destination", func(it *item) []byte { return it.goes }),
		db.Text("credential", func(it *item) string { return it.call.actor.Credential }),
		db.Text("role", func(it *item) string { return string(it.call.actor.Role) }),
		db.Text("request", func(it *item) string { return it.call.actor.Request })))
}

// insertNew writes rows that nobody else may have written in the meantime; where
// somebody has, the transaction is run again and sees them.
func (p *posting) insertNew(table string, rows db.Set) error {
	if rows.Len() == 0 {
		return nil
	}
	n, err := insert(p.t, table, rows)
	if err == nil && n != int64(rows.Len()) {
		err = db.ErrRetry
	}
	return annotate(err, "write %s", table)
}

// side is one posting on its way: one side of a move.
type side struct {
	key
	it     *item
	day    staking.Day
	move   int
	side   int
	amount ledger.Amount
	other  ledger.Account
}

func (p *posting) writePostings() error {
	var sides []*side
	for _, it := range p.accepted {
		day := staking.DayOf(db.TimeOf(it.at))
		for i, m := range it.Moves {
			from, to := m.Sides()
			sides = append(sides,
				&side{key{from, m.From, m.Asset}, it, day, i, 0, -m.Amount, m.To},
				&side{key{to, m.To, m.Asset}, it, day, i, 1, m.Amount, m.From})
		}
	}
	slices.SortFunc(sides, func(a, b *side) int {
		return cmp.Or(a.bucket-b.bucket, cmp.Compare(a.day, b.day),
			cmp.Compare(a.it.at, b.it.at), cmp.Compare(a.it.ID, b.it.ID), a.move-b.move, a.side-b.side)
	})
	return p.insertNew("postings", db.SetOf(sides, keyFields(func(s *side) *key { return &s.key },
		db.Int("day", func(s *side) int64 { return int64(s.day) }),
		db.Int("at", func(s *side) int64 { return s.it.at }),
		db.Text("entry", func(s *side) string { return s.it.ID }),
		db.Int("move", func(s *side) int64 { return int64(s.move) }),
		db.Int("side", func(s *side) int64 { return int64(s.side) }),
		db.Int("amount", func(s *side) int64 { return int64(s.amount) }),
		db.Text("other", func(s *side) string { return string(s.other) }),
		db.Text("kind", func(s *side) string { return string(s.it.Kind) }))...))
}
