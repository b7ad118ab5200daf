// Package reconcile compares what two ledgers say that accounts have at one moment. It knows no books.
//
// Each side is a list of balances by token and account. Of each token the number of accounts, the sum and a root are
// compared, and where these differ, each account. A root is the hash of a Merkle tree (RFC 6962, SHA-256) over the
// accounts in the order of their bytes; the leaf of an account is the text of its ID, a space and its balance in whole
// tokens, without trailing zeros: "alice 12.5". So each side can make its root by itself.
package reconcile

import (
	"cmp"
	"math/big"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/merkle"
)

// Balance is what an account has of a token, free and held together. It is not zero.
type Balance struct {
	Account ledger.Account
	Asset   string
	Amount  ledger.Amount // smallest units; below zero where a ledger lets it be
}

// compare is below zero where a comes before b: by account, then by token, in the order of their bytes.
func (a Balance) compare(b Balance) int {
	return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Asset, b.Asset))
}

// AsOf is the state of a ledger that its figures are of, as that ledger names it.
type AsOf struct {
	Position string    // such as a number of its journal or of its database's log; "": it names none
	At       time.Time // by its own clock, UTC; zero: it names none
}

// Figures are what a ledger says, in the order of Balance.compare, each account once for a token.
type Figures struct {
	AsOf
	Balances []Balance
	Ignored  int // balances of tokens that are not compared
}

// Sort brings balances into their order, and refuses (ledger.ErrInvalid) a second one of the same account and token.
func (f *Figures) Sort() error {
	slices.SortFunc(f.Balances, Balance.compare)
	for i := 1; i < len(f.Balances); i++ {
		if b := f.Balances[i]; f.Balances[i-1].compare(b) == 0 {
			return ledger.ErrInvalid.In("", "the other ledger has two balances of %s for the account %q", b.Asset,
				string(b.Account))
		}
	}
	return nil
}

// Side is what one side has of a token.
type Side struct {
	Accounts int64
	Sum      big.Int   // smallest units
	Root     tlog.Hash // of no account: the hash of nothing
	tree     merkle.Tree
}

func (s *Side) add(asset ledger.Asset, b Balance) {
	s.Accounts++
	s.Sum.Add(&s.Sum, big.NewInt(int64(b.Amount)))
	s.tree.Add(tlog.RecordHash([]byte(string(b.Account) + " " + asset.Format(b.Amount))))
}

// Token is the comparison of a token.
type Token struct {
	Asset        ledger.Asset
	Ours, Theirs Side
	Differences  int64 // accounts whose balances differ
}

// Difference is an account whose balances differ.
type Difference struct {
	Account      ledger.Account
	Asset        ledger.Asset
	Ours, Theirs ledger.Amount // smallest units
}

// Missing is what the other side has less than these books: below zero, what it has more.
func (d Difference) Missing() *big.Int {
	return new(big.Int).Sub(big.NewInt(int64(d.Ours)), big.NewInt(int64(d.Theirs)))
}

// Result is a comparison.
type Result struct {
	Tokens      []Token      // by symbol: all that are compared, also those that no side has
	Differences []Difference // by account and token, the first of them
}

// Differing is how many balances differ.
func (r Result) Differing() (n int64) {
	for _, t := range r.Tokens {
		n += t.Differences
	}
	return n
}

// Comparison compares balances of the books, as they come, with figures of another ledger. It is not safe for
// concurrent use.
type Comparison struct {
	assets map[string]ledger.Asset
	theirs []Balance
	most   int // how many differences are kept

	rest   []Balance // of theirs, which ours has not come to
	tokens map[string]*Token
	found  []Difference
}

// New is a comparison of some tokens with figures that are sorted. most is how many differences are kept.
func New(assets map[string]ledger.Asset, theirs Figures, most int) *Comparison {
	c := &Comparison{assets: assets, theirs: theirs.Balances, most: most}
	c.Begin()
	return c
}

// Begin begins, or begins again.
func (c *Comparison) Begin() {
	c.rest, c.found, c.tokens = c.theirs, nil, map[string]*Token{}
	for symbol, a := range c.assets {
		c.tokens[symbol] = &Token{Asset: a}
	}
}

// Add compares a balance of the books. They come in order; of tokens that are not compared nothing is done.
func (c *Comparison) Add(ours Balance) {
	if c.tokens[ours.Asset] == nil || ours.Amount == 0 {
		return
	}
	for len(c.rest) > 0 && c.rest[0].compare(ours) < 0 {
		c.pair(Balance{Account: c.rest[0].Account, Asset: c.rest[0].Asset}, c.rest[0])
		c.rest = c.rest[1:]
	}
	theirs := Balance{Account: ours.Account, Asset: ours.Asset}
	if len(c.rest) > 0 && c.rest[0].compare(ours) == 0 {
		theirs, c.rest = c.rest[0], c.rest[1:]
	}
	c.pair(ours, theirs)
}

// pair compares an account's balances, one of which may be zero.
func (c *Comparison) pair(ours, theirs Balance) {
	t := c.tokens[ours.Asset]
	if t == nil {
		return
	}
	if ours.Amount != 0 {
		t.Ours.add(t.Asset, ours)
	}
	if theirs.Amount != 0 {
		t.Theirs.add(t.Asset, theirs)
	}
	if ours.Amount == theirs.Amount {
		return
	}
	if t.Differences++; len(c.found) < c.most {
		c.found = append(c.found, Difference{ours.Account, t.Asset, ours.Amount, theirs.Amount})
	}
}

// End is the result, when all balances of the books were added.
func (c *Comparison) End() Result {
	for _, theirs := range c.rest {
		c.pair(Balance{Account: theirs.Account, Asset: theirs.Asset}, theirs)
	}
	c.rest = nil
	r := Result{Differences: c.found}
	for _, t := range c.tokens {
		t.Ours.Root, t.Theirs.Root = t.Ours.tree.Hash(), t.Theirs.tree.Hash()
		r.Tokens = append(r.Tokens, *t)
	}
	slices.SortFunc(r.Tokens, func(a, b Token) int { return cmp.Compare(a.Asset.Symbol, b.Asset.Symbol) })
	return r
}
