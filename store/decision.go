package store

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// apply puts all changes on the balances in one statement, which locks them and
// returns what they are. Nobody else sees them before the commit, and write takes
// back what decide refuses.
func (p *posting) apply() error {
	return p.update(p.sorted, func(b *balance) ledger.Amount { return b.applied }, func(b *balance, now ledger.Amount) {
		b.exists = true
		b.now = now - b.applied
	})
}

// update adds an amount to each of some balances that exist, in the one order of locks.
func (p *posting) update(balances []*balance, amount func(*balance) ledger.Amount,
	seen func(*balance, ledger.Amount)) error {
	_, err := p.t.Set(func(r db.Row) error {
		b := p.keys[readKey(r)]
		b.closed, b.frozen = r.Int(4) != 0, r.Int(5) != 0
		seen(b, ledger.Amount(r.Int(3)))
		return nil
	}, `UPDATE balances SET balance = balances.balance + r.amount FROM {rows}
	     WHERE balances.bucket = r.bucket AND balances.account = r.account AND balances.asset = r.asset
	 RETURNING balances.bucket, balances.account, balances.asset, balances.balance, balances.closed, balances.frozen`,
		db.SetOf(balances, keyFields(balanceKey,
			db.Int("amount", func(b *balance) int64 { return int64(amount(b)) }))...))
	return annotate(err, "update balances")
}

func readKey(r db.Row) key { return key{int(r.Int(0)), ledger.Account(r.Text(1)), r.Text(2)} }

// owner is an account that may not be open: there is no balance of it, or one that is closed.
type owner struct {
	id     ledger.Account
	found  bool
	closed time.Time // zero: it is open
	frozen bool
}

// openings refuses entries that name an account which was never opened, or which
// is closed. A balance that is there shows that its account was opened, and has
// whether it is closed. Where none is there, the account's row is shared, so that
// the account is not closed without a look at the balance that it gets here.
func (p *posting) openings() error {
	doubtful := map[ledger.Account]*owner{}
	var owners []*owner
	for _, b := range p.sorted {
		if id := b.account.Owner(); (!b.exists || b.closed) && !id.IsHouse() && doubtful[id] == nil {
			doubtful[id] = &owner{id: id}
			owners = append(owners, doubtful[id])
		}
	}
	err := p.t.QueryEach(func(r db.Row) error {
		o := doubtful[ledger.Account(r.Text(0))]
		o.found, o.closed, o.frozen = true, db.TimeOrZero(r.Int(1)), r.Int(2) != 0
		return nil
	}, "SELECT account, closed, frozen FROM accounts WHERE bucket = $1 AND account = $2"+p.t.Share(),
		db.SetOf(owners, accountFields(func(o *owner) ledger.Account { return o.id })...))
	if err != nil {
		return fmt.Errorf("look accounts up: %w", err)
	}
	for _, b := range p.sorted {
		if o := doubtful[b.account.Owner()]; o != nil && !b.exists {
			b.frozen = o.frozen
		}
	}
	for it := range p.open {
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

// history reads what the balances that entries take from show at later moments
// than the entries': an entry that is dated back must leave none below zero.
func (p *posting) history() error {
	since := map[*balance]int64{}
	for it := range p.open {
		at := cmp.Or(it.at, p.now)
		for _, c := range it.changes {
			if t, ok := since[c.balance]; c.net < 0 && !c.account.Overdraws() && c.exists && (!ok || at < t) {
				since[c.balance] = at
			}
		}
	}
	today := staking.DayOf(db.TimeOf(p.now + 1000))
	var spans []span
	for _, b := range p.sorted {
		if at, ok := since[b]; ok {
			for d := staking.DayOf(db.TimeOf(at)); d <= today; d++ {
				spans = append(spans, span{b, d, at})
			}
		}
	}
	err := p.t.QuerySet(func(r db.Row) error {
		b := p.keys[readKey(r)]
		b.later = append(b.later, later{r.Int(3), ledger.Amount(r.Int(4)), ledger.Kind(r.Text(5)).OfWithdrawal()})
		return nil
	}, `SELECT p.bucket, p.account, p.asset, p.at, p.amount, p.kind
	      FROM {rows} JOIN postings p ON p.bucket = r.bucket AND p.day = r.day AND p.account = r.account AND p.asset = r.asset AND p.at > r.at`,
		db.SetOf(spans, keyFields(func(s span) *key { return &s.key },
			db.Int("day", func(s span) int64 { return int64(s.day) }),
			db.Int("at", func(s span) int64 { return s.since }))...))
	return annotate(err, "read later postings")
}

// decide accepts or refuses each entry, in order, as if they came one by one.
func (p *posting) decide() {
	n := 0
	for _, c := range p.calls {
		items := p.items[n : n+len(c.entries)]
		n += len(c.entries)
		for _, it := range items {
			p.decideItem(it)
		}
		if !c.whole {
			continue
		}
		if i := slices.IndexFunc(items, func(it *item) bool { return it.out.Err != nil }); i >= 0 {
			p.undo(items, items[i].out.Err)
		}
	}
}

func (p *posting) decideItem(it *item) {
	if it.done {
		return
	}
	// One that was refused left no trace, so that this one is decided as if it had come alone.
	if first := p.before(it); first != nil {
		it.repeats = first
		it.answer(first.at, p.now, ledger.DigestVersion, first.digest)
		return
	}
	it.at = p.entryTime(it)
	if err := p.allows(it); err != nil {
		it.refuse(fmt.Errorf("entry %s: %w", it.ID, err))
		return
	}
	p.count(it, 1)
	it.done, it.digest = true, it.digestAt(it.at)
	*it.out = Outcome{At: db.TimeOf(it.at), PostedAt: db.TimeOf(p.now)}
}

// count adds what an accepted item does to what the entries after it find or, with the sign
// -1, takes it back.
func (p *posting) count(it *item, sign int64) {
	for _, c := range it.changes {
		c.balance.now += c.net * ledger.Amount(sign)
		c.kept += c.net * ledger.Amount(sign)
		if l := (later{it.at, c.net, it.Kind.OfWithdrawal()}); sign > 0 {
			c.touched, c.balance.later = true, append(c.later, l)
		} else {
			i := slices.Index(c.later, l)
			c.balance.later = slices.Delete(c.later, i, i+1)
		}
	}
	p.follow(it, ledger.Amount(sign))
	p.limits.count(it, sign)
}

// isNew reports whether the item is accepted, and was not in the books before.
func (it *item) isNew() bool { return it.done && it.out.Err == nil && !it.out.Repeated }

// before is the item with this one's ID that was accepted before it, or nil.
func (p *posting) before(it *item) *item {
	for _, other := range p.named[it.ID] {
		if other == it {
			break
		}
		if other.isNew() {
			return other
		}
	}
	return nil
}

// entryTime stamps an item that has no time of its own, under the locks: not
// before anything that its balances already show, nor past the day that is locked.
func (p *posting) entryTime(it *item) int64 {
	if it.at != 0 {
		return it.at
	}
	at := max(p.now, p.db.now())
	for _, c := range it.changes {
		for _, l := range c.later {
			at = max(at, l.at)
		}
	}
	return min(at, (p.day(it)+1).Millis()-1)
}

// allows says why the item cannot be accepted, or nil.
func (p *posting) allows(it *item) error {
	for _, check := range []func(*item) error{p.mayLeave, p.mayEnd, p.mayConvert} {
		if err := check(it); err != nil {
			return err
		}
	}
	it.dips = nil
	for _, c := range it.changes {
		if err := c.allows(it, p.assets[c.asset]); err != nil {
			return err
		}
	}
	return nil
}

// allows says why an item cannot make the change, or nil. What a pending withdrawal
// holds is taken by the entry that ends it, and by no other. An authoritative entry must
// leave what there is now, and not what there was at each moment since its own time.
func (c change) allows(it *item, asset ledger.Asset) error {
	after, err := c.now.Add(c.net)
	if err != nil || after > asset.MaxSupply || after < -asset.MaxSupply {
		return ledger.ErrInvalid.In("", "%s would have more %s than there can be (%s)", c.account, asset.Symbol,
			asset.Format(asset.MaxSupply))
	}
	if c.net > 0 || c.account.Overdraws() {
		return nil
	}
	now, reserves := c.now, c.account.IsHeld() && !it.Kind.OfWithdrawal()
	if reserves {
		now -= c.reserved
	}
	least, until := c.least(it.at, now, -c.net, reserves)
	switch {
	case least >= 0 && least+c.net >= 0:
		return nil
	case it.Authoritative && now >= 0 && now+c.net >= 0:
		it.dips = append(it.dips, dip{c.key, until, least + c.net})
		return nil
	}
	when, what := "", ""
	if least < now {
		when = fmt.Sprintf(" at some moment since %s", ledger.FormatTime(db.TimeOf(it.at)))
	}
	if reserves && c.reserved > 0 {
		what = fmt.Sprintf(" beside the %s that pending withdrawals hold", asset.Format(c.reserved))
		when += "; cancel a withdrawal first"
	}
	return ledger.ErrInsufficient.In("", "%s has %s %s%s, and %s is needed%s",
		c.account, asset.Format(max(least, 0)), asset.Symbol, what, asset.Format(-c.net), when)
}

// least is the lowest balance at any moment from at on, counted back from what it is
// now, and until when it was below what is needed. Changes of one moment count together.
// Without the withdrawals' changes it is what their requests leave to other entries: a
// request and its ending change the balance by as much as they change what is reserved.
func (b *balance) least(at int64, now, needed ledger.Amount, withoutWithdrawals bool) (least ledger.Amount,
	until int64) {
	slices.SortStableFunc(b.later, func(x, y later) int { return int(min(max(y.at-x.at, math.MinInt32), math.MaxInt32)) })
	least = now
	running := now
	for i, l := range b.later {
		if l.at <= at {
			break
		}
		if !withoutWithdrawals || !l.withdrawal {
			running -= l.amount
		}
		if i+1 == len(b.later) || b.later[i+1].at != l.at {
			least = min(least, running)
			if until == 0 && running < needed {
				until = l.at
			}
		}
	}
	return least, until
}

// undo takes back what was accepted of a call that is posted whole or not at all.
func (p *posting) undo(items []*item, why error) {
	for _, it := range items {
		repeatsOther := it.out.Repeated && (it.repeats == nil || it.repeats.call != it.call)
		if it.out.Err != nil || repeatsOther {
			continue
		}
		if it.isNew() {
			p.count(it, -1)
		}
		*it.out = Outcome{Err: errors.Join(errNotPosted, why)}
	}
}

// errNotPosted is what the other entries of a call answer that is posted whole or not at all.
var errNotPosted = errors.New("not posted, because another entry of the same call was refused")
