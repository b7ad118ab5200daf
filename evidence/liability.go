package evidence

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/verify"
)

// What is owed to holders at the end of a day is what they have, free and held, by the postings through that day and
// the rewards that are settled by its record. It does not change later, however late rewards are paid. What is below
// zero, which only authoritative entries leave, is no liability and counts as nothing.

// tokenTree is the sum tree of a token and a day, with the roots of its buckets.
type tokenTree struct {
	sumTree
	roots []verify.Node
	sum   uint64 // of all holders, while it is in range
	// outOfRange says that the sum is larger than 2^63 - 1, and so than verify.Join takes: there is no root. Each account
	// has less than that, and nothing limits all of them together.
	outOfRange bool
}

// add adds what is owed in a bucket.
func (t *tokenTree) add(bucket int, holders []owed) (err error) {
	for _, h := range holders {
		if t.outOfRange = t.outOfRange || h.amount > math.MaxInt64-t.sum; t.outOfRange {
			return nil
		}
		t.sum += h.amount
	}
	t.roots[bucket], err = t.bucketRoot(bucket, holders)
	return err
}

// liability is the root as a record has it.
func (t *tokenTree) liability() (Liability, error) {
	root, _, err := t.root(t.roots, 0)
	return Liability{t.asset, root}, err
}

// liabilities are the roots of trees, and the tokens whose sum is out of range.
func liabilities(trees map[string]*tokenTree) (all []Liability, outOfRange []string, err error) {
	for _, asset := range slices.Sorted(maps.Keys(trees)) {
		if trees[asset].outOfRange {
			outOfRange = append(outOfRange, asset)
			continue
		}
		l, err := trees[asset].liability()
		if err != nil {
			return nil, nil, err
		}
		all = append(all, l)
	}
	return all, outOfRange, nil
}

// salted gives the salt of a token's day.
type salted func(d staking.Day, asset string) ([]byte, error)

func newSalt(staking.Day, string) ([]byte, error) {
	salt := make([]byte, 32)
	_, err := rand.Read(salt)
	return salt, err
}

// readLiabilities makes the sum trees of a span, by record and token: of the tokens that somebody has. Each bucket is
// read in a snapshot of its own.
func readLiabilities(ctx context.Context, read reader, s span, salt salted) ([]map[string]*tokenTree, error) {
	trees := make([]map[string]*tokenTree, len(s.settled))
	for i := range trees {
		trees[i] = map[string]*tokenTree{}
	}
	for bucket := range ledger.Buckets {
		err := read(ctx, func(t db.View) error {
			return readOwed(t, bucket, s, func(i int, asset string, holders []owed) (err error) {
				of := trees[i][asset]
				if of == nil {
					of = &tokenTree{sumTree: sumTree{asset: asset, day: s.from + staking.Day(i)},
						roots: make([]verify.Node, ledger.Buckets)}
					if of.salt, err = salt(of.day, asset); err != nil {
						return err
					}
					trees[i][asset] = of
				}
				return of.add(bucket, holders)
			})
		})
		if err != nil {
			return nil, fmt.Errorf("read what is owed at the end of %s to %s: %w", s.from, s.through(), err)
		}
	}
	for _, of := range trees {
		for _, tree := range of {
			if err := tree.pad(); err != nil {
				return nil, err
			}
		}
	}
	return trees, nil
}

// pad makes the roots of buckets in which nobody has the token.
func (t *tokenTree) pad() (err error) {
	if t.outOfRange {
		return nil
	}
	for bucket, root := range t.roots {
		if root == (verify.Node{}) && err == nil {
			t.roots[bucket], err = t.bucketRoot(bucket, nil)
		}
	}
	return err
}

// place is what a holder has of a token.
type place struct {
	account ledger.Account
	asset   string
}

// change is a change of a place, and what is not in the records before it: by the day of a posting, or the number of
// the record that a reward is in.
type change struct {
	place
	at     int64
	amount int64
}

// readOwed visits what is owed to the holders of a bucket at the end of each day of a span, the last first: what they
// have now, less what came after.
func readOwed(t db.View, bucket int, s span, visit func(i int, asset string, holders []owed) error) error {
	now, err := balancesNow(t, bucket)
	if err != nil {
		return err
	}
	posted, err := changesAfter(t, bucket, s.from)
	if err != nil {
		return err
	}
	rewards, err := rewardsOf(t, bucket, s)
	if err != nil {
		return err
	}
	for i := len(s.settled) - 1; i >= 0; i-- {
		posted = takeBack(now, posted, int64(s.from)+int64(i))
		rewards = takeBack(now, rewards, int64(i))
		if err := visitOwed(now, func(asset string, holders []owed) error { return visit(i, asset, holders) }); err != nil {
			return err
		}
	}
	return nil
}

// takeBack takes back the changes behind a day or a record, which are the last ones, and returns the others.
func takeBack(now map[place]int64, changes []change, behind int64) []change {
	n := len(changes)
	for ; n > 0 && changes[n-1].at > behind; n-- {
		now[changes[n-1].place] -= changes[n-1].amount
	}
	return changes[:n]
}

// visitOwed visits what is owed of each token, by token and account.
func visitOwed(now map[place]int64, visit func(asset string, holders []owed) error) error {
	byToken := map[string][]owed{}
	for of, amount := range now {
		if amount > 0 {
			byToken[of.asset] = append(byToken[of.asset], owed{of.account, uint64(amount)})
		}
	}
	for asset, holders := range byToken {
		slices.SortFunc(holders, func(a, b owed) int { return cmp.Compare(a.account, b.account) })
		if err := visit(asset, holders); err != nil {
			return err
		}
	}
	return nil
}

func balancesNow(t db.View, bucket int) (map[place]int64, error) {
	now := map[place]int64{}
	err := t.Query(func(r db.Row) error {
		if id := ledger.Account(r.Text(0)); !id.IsHouse() {
			now[place{id.Owner(), r.Text(1)}] += r.Int(2)
		}
		return nil
	}, "SELECT account, asset, balance FROM balances WHERE bucket = $1", int64(bucket))
	return now, err
}

// changesAfter are a bucket's postings after a day, oldest day first.
func changesAfter(t db.View, bucket int, d staking.Day) (changes []change, err error) {
	err = t.Query(func(r db.Row) error {
		if id := ledger.Account(r.Text(1)); !id.IsHouse() {
			changes = append(changes, change{place{id.Owner(), r.Text(2)}, r.Int(0), r.Int(3)})
		}
		return nil
	}, `SELECT day, account, asset, CAST(sum(amount) AS bigint) FROM postings WHERE bucket = $1 AND day > $2
	     GROUP BY day, account, asset ORDER BY day`, int64(bucket), int64(d))
	return changes, err
}

// rewardsOf are the rewards of a bucket that are not in the records before the span, by the record that they are in.
func rewardsOf(t db.View, bucket int, s span) (rewards []change, err error) {
	after, err := settledBefore(t, bucket, s)
	if err != nil {
		return nil, err
	}
	err = t.Query(func(r db.Row) error {
		asset, day := r.Text(2), staking.Day(r.Int(0))
		if before, known := s.before[asset]; known && day <= before {
			return nil
		}
		record, is := s.settledBy(asset, day)
		if !is {
			record = s.through() + 1
		}
		rewards = append(rewards, change{place{ledger.Account(r.Text(1)), asset}, int64(record - s.from), r.Int(3)})
		return nil
	}, "SELECT day, account, asset, reward FROM rewards WHERE bucket = $1 AND day > $2 AND reward > 0",
		int64(bucket), after)
	slices.SortFunc(rewards, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	return rewards, err
}

// settledBefore is the last day whose rewards are in the records before the span, of each token. A token that has no
// settled day in them, because its first days waited, may have been paid for any day since.
func settledBefore(t db.View, bucket int, s span) (day int64, err error) {
	day = math.MaxInt32
	for _, through := range s.before {
		day = min(day, int64(through))
	}
	tokens, err := db.All(t, db.TextOf, "SELECT asset FROM progress WHERE bucket = $1", int64(bucket))
	known := func(asset string) bool { _, is := s.before[asset]; return is }
	if err != nil || !slices.ContainsFunc(tokens, func(asset string) bool { return !known(asset) }) {
		return day, err
	}
	err = t.Query(func(r db.Row) error {
		if !known(r.Text(0)) {
			day = min(day, r.Int(1)-1)
		}
		return nil
	}, "SELECT asset, min(day) FROM payments WHERE bucket = $1 GROUP BY asset", int64(bucket))
	return day, err
}
