package simulation

import (
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// owners are whose the accounts are, of the bucket that is being read.
type owners struct {
	shared map[string]bool // those who have several accounts; nil: limits are of accounts alone
	bucket map[ledger.Account][]ownership
}

// ownership is whose an account is from a day on.
type ownership struct {
	from  staking.Day
	owner string
}

// owned is a token that an owner has on a day.
type owned struct {
	owner string
	token int
	day   staking.Day
}

// readOwners finds the owners of several accounts, if terms have limits per owner. Their
// integrals are summed over all buckets in memory: about 100 bytes for each of them, token and day.
func (s *simulation) readOwners() error {
	together := false
	for _, p := range s.plans() {
		for _, days := range p.terms {
			for _, t := range days {
				together = together || t.PerOwner
			}
		}
	}
	if !together {
		return nil
	}
	names, err := db.All(s.t, db.TextOf,
		"SELECT owner FROM owners WHERE owner <> '' GROUP BY owner HAVING count(DISTINCT account) > 1")
	if err != nil {
		return fmt.Errorf("read the owners: %w", err)
	}
	if len(names) == 0 {
		return nil
	}
	s.owners.shared = map[string]bool{}
	for _, name := range names {
		s.owners.shared[name] = true
	}
	return nil
}

// enter reads whose the accounts of a bucket are.
func (o *owners) enter(t db.View, bucket int) error {
	if o.shared == nil {
		return nil
	}
	o.bucket = map[ledger.Account][]ownership{}
	err := t.Query(func(r db.Row) error {
		account := ledger.Account(r.Text(0))
		o.bucket[account] = append(o.bucket[account], ownership{staking.Day(r.Int(1)), r.Text(2)})
		return nil
	}, "SELECT account, from_day, owner FROM owners WHERE bucket = $1 ORDER BY account, from_day, revision", int64(bucket))
	if err != nil {
		return fmt.Errorf("read the owners: %w", err)
	}
	return nil
}

// of is whose an account is, in order of days.
func (o *owners) of(account ledger.Account) []ownership { return o.bucket[account] }

// on is the owner of several accounts who has the account on a day, or "".
func (o *owners) on(d staking.Day, of []ownership) (owner string) {
	for _, w := range of {
		if w.from <= d {
			owner = w.owner
		}
	}
	if !o.shared[owner] {
		return ""
	}
	return owner
}

// sumOwner adds what a position has on each day to what its owner has.
func (s *simulation) sumOwner(p *holding.Period, token int) error {
	of := s.owners.of(p.Account)
	for i := range p.Days() {
		d := p.First + staking.Day(i)
		owner := s.owners.on(d, of)
		if owner == "" {
			continue
		}
		for _, plan := range s.plans() {
			t := plan.on(token, d)
			if h := p.On(d, t.Measure); t.PerOwner && !h.Absent && (staking.Integral{}).Less(h.Integral) {
				k := owned{owner, token, d}
				plan.sums[k] = plan.sums[k].Add(h.Integral)
			}
		}
	}
	return nil
}

// sum is what an owner has of a token on a day, where the limits are those of the accounts together; else zero.
func (p *plan) sum(of []ownership, d staking.Day, token int) staking.Integral {
	if of == nil || !p.on(token, d).PerOwner {
		return staking.Integral{}
	}
	return p.sums[owned{p.s.owners.on(d, of), token, d}]
}
