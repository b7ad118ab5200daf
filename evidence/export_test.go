package evidence

import (
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/merkle"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/verify"
)

// Recorded are the columns that are in records, as "table.column", and the tables.
func Recorded() map[string]bool {
	all := map[string]bool{}
	for _, p := range parts {
		for _, f := range p.fields() {
			all[p.table()+"."+f.column()] = true
		}
		all[p.table()] = true
	}
	return all
}

// Kinds are the names of the kinds of row in records that are made now.
func Kinds() (names []string) {
	for _, p := range parts {
		if p.in(newest) {
			names = append(names, p.name)
		}
	}
	return names
}

// SetLayout sets the layout of the records that are made until the test ends.
func SetLayout(t *testing.T, n int) {
	layout = n
	t.Cleanup(func() { layout = newest })
}

// TreeHash is the hash of the tree over some leaves.
func TreeHash(leaves []tlog.Hash) tlog.Hash {
	var t merkle.Tree
	for _, leaf := range leaves {
		t.Add(leaf)
	}
	return t.Hash()
}

// Leaf is a leaf of a bucket's tree; the account of padding is "".
type Leaf struct {
	Account ledger.Account
	Node    verify.Node
}

// Leaves are the leaves of a bucket in which some accounts have 5 each, in the order of the tree.
func Leaves(salt []byte, d staking.Day, accounts []ledger.Account) (all []Leaf) {
	holders := make([]owed, len(accounts))
	for i, id := range accounts {
		holders[i] = owed{id, 5}
	}
	for _, l := range (sumTree{asset: "BNB", day: d, salt: salt}).leaves(7, holders) {
		all = append(all, Leaf{l.of, l.node})
	}
	return all
}

// Buckets are the buckets in the order of the tree.
func Buckets(salt []byte) []int { return sumTree{asset: "BNB", salt: salt}.buckets() }

// NewSalt is the salt of a day.
func NewSalt() ([]byte, error) { return newSalt(0, "") }

// SetBatch sets how many records are made at once, and returns how many there were.
func SetBatch(n int) (before int) {
	before, batch = batch, n
	return before
}
