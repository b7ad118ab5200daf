package audit

import (
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Where minimum and cap are those of owners, what earns of an account depends on accounts in
// other buckets. A bucket is audited with the sums as they are written, and each sum is
// compared with what the accounts held: over all buckets, an account adds what it held times
// a number for its owner, and a sum's row subtracts it times the same number. What is not
// zero in the end is a token's day with a wrong sum, or a wrong owner. The numbers are
// random in each audit, so that no errors cancel out. In memory is a day for each owner with
// several accounts, and a number for each token's day.

// Ownership says whose an account is from a day on; "" is nobody's but its own.
type Ownership struct {
	Account ledger.Account
	From    staking.Day
	Owner   string
}

// OwnerSum is the row of what an owner's accounts held together on a day.
type OwnerSum struct {
	Key
	Owner    string
	Accounts int64  // that held something
	Integral string // a decimal number of unit-milliseconds
	Other    bool   // by the measure that the terms do not have, where a campaign takes it
}

// ownedKey names the sums of a token's day by a measure: that of the terms, or the other.
type ownedKey struct {
	Key
	other bool
}

// owned sums, by a token's day, what accounts held and what is written, and counts the rows.
type owned struct {
	difference big.Int
	rows       int64
}

// ownerOn is whose the position is on a day, or ""; days are asked for in order.
func (p *position) ownerOn(d staking.Day) string {
	for len(p.owners) > 1 && p.owners[1].From <= d {
		p.owners = p.owners[1:]
	}
	if len(p.owners) == 0 || p.owners[0].From > d {
		return ""
	}
	return p.owners[0].Owner
}

// readOwners gives each position its account's owners.
func (w *worker) readOwners(s Span) error {
	w.owners = w.owners[:0]
	if len(w.outline.Shared) == 0 {
		return nil
	}
	err := w.books.Owners(s, func(o Ownership) {
		if n := len(w.owners); n > 0 && w.owners[n-1].Account == o.Account && w.owners[n-1].From == o.From {
			w.owners = w.owners[:n-1] // a later revision
		}
		w.owners = append(w.owners, o)
	})
	eachOwn(w.positions, w.owners, func(o Ownership) ledger.Account { return o.Account },
		func(p *position, own []Ownership) { p.owners = own })
	return err
}

// sharedOwner is whose the position is on the day, if its owner has had several accounts by
// then and the position may add to their sum; or "".
func (w *worker) sharedOwner(p *position) string {
	t := p.token
	if len(p.owners) == 0 || !w.measures(p) || !t.rule.PerOwner {
		return ""
	}
	owner := p.ownerOn(w.day)
	since, shared := w.outline.Shared[owner]
	if !shared || since > w.day {
		return ""
	}
	return owner
}

// readTogether gives each position of the day what is written of its owner, and adds what it
// held.
func (w *worker) readTogether() error {
	type member struct {
		p     *position
		owner string
	}
	var members []member
	asked := map[string]bool{}
	for i := range w.positions {
		p := &w.positions[i]
		owner := w.sharedOwner(p)
		if owner == "" {
			continue
		}
		held := w.figures.by(p, p.token.rule.Measure).Sign() > 0
		if held || p.token.weighsOther() && w.figures.by(p, p.token.rule.other()).Sign() > 0 {
			members, asked[owner] = append(members, member{p, owner}), true
		}
	}
	if len(members) == 0 {
		return nil
	}
	type sumKey struct {
		owner, asset string
		other        bool
	}
	written := map[sumKey]*big.Int{}
	err := w.books.OwnerSums(w.day, slices.Sorted(maps.Keys(asked)), func(s *OwnerSum) {
		written[sumKey{s.Owner, s.Asset, s.Other}] = w.parseSum(s)
	})
	for _, m := range members {
		p, k := m.p, Key{w.day, m.p.stored.Asset}
		if held := w.figures.by(p, p.token.rule.Measure); held.Sign() > 0 {
			p.together = written[sumKey{m.owner, k.Asset, false}]
			w.addOwned(ownedKey{k, false}, m.owner, held, 1)
		}
		if !p.token.weighsOther() {
			continue
		}
		if held := w.figures.by(p, p.token.rule.other()); held.Sign() > 0 {
			p.togetherOther = written[sumKey{m.owner, k.Asset, true}]
			w.addOwned(ownedKey{k, true}, m.owner, held, 1)
		}
	}
	return err
}

// by is the integral of a position's day by a measure, until the next is asked for.
func (f *figures) by(p *position, m staking.Measure) *big.Int {
	f.measureBy(p, m)
	return f.integral
}

// parseSum is the integral of a row; zero if it is none, which is then no sum of anything.
func (w *worker) parseSum(s *OwnerSum) *big.Int {
	n, is := new(big.Int).SetString(s.Integral, 10)
	if !is {
		w.find(on(s.Day, "", s.Asset, fmt.Sprintf("what owner %s held is written as %q", s.Owner, s.Integral)))
		return new(big.Int)
	}
	return n
}

// addOwned adds an integral and a number of accounts of an owner; both may be below zero. What
// is not declared yet may not be written in every bucket.
func (w *worker) addOwned(k ownedKey, owner string, integral *big.Int, accounts int64) {
	if w.batches[k.Key] == nil || w.only != nil && *w.only != k.Day {
		return
	}
	o := w.owned[k]
	if o == nil {
		o = &owned{}
		w.owned[k] = o
	}
	n := w.scratch.Mul(integral, w.factor.SetUint64(w.hash(owner, []byte("integral"))))
	o.difference.Add(&o.difference, n)
	n = w.scratch.Mul(big.NewInt(accounts), w.factor.SetUint64(w.hash(owner, []byte("accounts"))))
	o.difference.Add(&o.difference, n)
}

// countSums subtracts the sums that lie in the bucket.
func (w *worker) countSums() error {
	return w.books.Sums(func(s *OwnerSum) {
		if ledger.Account(s.Owner).Bucket() != w.number {
			w.find(on(s.Day, "", s.Asset, fmt.Sprintf("what owner %s held lies in bucket %d, where it does not belong",
				s.Owner, w.number)))
		}
		n, k := w.parseSum(s), ownedKey{s.Key, s.Other}
		w.addOwned(k, s.Owner, n.Neg(n), -s.Accounts)
		if o := w.owned[k]; o != nil {
			o.rows++
		}
	})
}

// mergeOwned adds what a worker has of a bucket.
func (a *audit) mergeOwned(w *worker) {
	for k, o := range w.owned {
		if a.owned[k] == nil {
			a.owned[k] = &owned{}
		}
		a.owned[k].difference.Add(&a.owned[k].difference, &o.difference)
		a.owned[k].rows += o.rows
	}
}

// compareOwned finds the days whose sums are not those of the accounts.
func (a *audit) compareOwned() {
	for _, g := range a.outline.Groupings {
		if a.batches[g.Key] == nil {
			continue
		}
		a.compareRows(ownedKey{g.Key, false}, g.Owners)
		a.compareRows(ownedKey{g.Key, true}, g.Others)
	}
	for k, o := range a.owned {
		if o.rows != 0 {
			a.find(on(k.Day, "", k.Asset, "what owners held is written, and was not counted"))
		}
		if o.difference.Sign() != 0 {
			a.find(on(k.Day, "", k.Asset, "what owners with several accounts held is not the sum of what their accounts held"))
		}
	}
}

// compareRows compares how many sums there are of a day with how many were counted when they were written.
func (a *audit) compareRows(k ownedKey, counted int64) {
	o := a.owned[k]
	if o == nil {
		o = &owned{}
		a.owned[k] = o
	}
	if o.rows != counted {
		a.find(on(k.Day, "", k.Asset, fmt.Sprintf("what owners held is written of %d, and counted of %d", o.rows, counted)))
	}
	o.rows = 0
}

// limits sets together to what is compared with minimum and cap, and earning to what of the
// integral earns: above the cap together a part of it, in proportion, rounded down. owner is what is written of the
// owner, or nil.
func (f *figures) limits(r *rule, owner *big.Int) {
	f.together.Set(f.integral)
	if r.PerOwner && owner != nil && f.integral.Sign() > 0 && f.integral.Cmp(owner) < 0 {
		f.together.Set(owner)
	}
	f.earning.Set(f.integral)
	if f.together.Cmp(&r.most) > 0 {
		f.earning.Mul(f.integral, &r.most)
		f.earning.Quo(&f.earning, &f.together)
	}
}
