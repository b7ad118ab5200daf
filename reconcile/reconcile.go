// Package reconcile compares what two ledgers say that accounts have at one moment, and what they were paid for a day.
// It knows no books.
//
// Each side is a list of amounts by token and account. Of each token the number of accounts, the sum and a root are
// compared, and where these differ, each account. A root is the hash of a Merkle tree (RFC 6962, SHA-256) over the
// accounts in the order of their bytes; the leaf of an account is the text of its ID, a space and its balance in whole
// tokens, without trailing zeros: "alice 12.5". So each side can make its root by itself.
package reconcile

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/merkle"
)

// Kind is what is compared.
type Kind string

// The kinds.
const (
	Balances Kind = "balance" // what accounts have
	Payouts  Kind = "payout"  // what they are paid for a day
)

// Balance is what an account has of a token, free and held together; or, among payouts, what it is paid for a day. It
// is not zero.
type Balance struct {
	Account ledger.Account
	Asset   string
	Amount  ledger.Amount // smallest units; below zero where a ledger lets it be
}

// Compare is below zero where a comes before b: by account, then by token, in the order of their bytes.
func (a Balance) Compare(b Balance) int {
	return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Asset, b.Asset))
}

// AsOf is the state of a ledger that its figures are of, as that ledger names it.
type AsOf struct {
	Position string    // such as a number of its journal or of its database's log; "": it names none
	At       time.Time // by its own clock, UTC; zero: it names none
}

// Figures are what a ledger says, each list in the order of Balance.Compare, each account once for a token.
type Figures struct {
	AsOf
	Balances    []Balance
	WithPayouts bool      // Payouts are all that it has credited for the day; else it does not say
	PayoutsDay  string    // the day of which it says that they are; "": it does not say
	Payouts     []Balance // above zero
	Ignored     int       // amounts of tokens that are not compared
}

// Sort brings the lists into their order, and refuses (ledger.ErrInvalid) a second balance, or a second payout, of the
// same account and token.
func (f *Figures) Sort() error {
	for what, all := range map[string][]Balance{"balances": f.Balances, "payouts": f.Payouts} {
		slices.SortFunc(all, Balance.Compare)
		for i := 1; i < len(all); i++ {
			if b := all[i]; all[i-1].Compare(b) == 0 {
				return ledger.ErrInvalid.In("", "the other ledger has two %s of %s for the account %q", what, b.Asset,
					string(b.Account))
			}
		}
	}
	return nil
}

// compact leaves out amounts that are there again.
func (f *Figures) compact() {
	for _, all := range []*[]Balance{&f.Balances, &f.Payouts} {
		slices.SortFunc(*all, func(a, b Balance) int { return cmp.Or(a.Compare(b), cmp.Compare(a.Amount, b.Amount)) })
		*all = slices.Compact(*all)
	}
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
	Differences  int64         // accounts whose amounts differ
	Off          ledger.Amount // by how much, all of them together without signs; at most the largest amount that there is
}

// differ counts a difference.
func (t *Token) differ(ours, theirs ledger.Amount) {
	t.Differences++
	off := new(big.Int).Sub(big.NewInt(int64(ours)), big.NewInt(int64(theirs)))
	if off.Add(off.Abs(off), big.NewInt(int64(t.Off))); !off.IsInt64() {
		off.SetInt64(math.MaxInt64)
	}
	t.Off = ledger.Amount(off.Int64())
}

// Difference is an account whose amounts differ.
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

// Differing is how many accounts differ, each as often as it does with a token.
func (r Result) Differing() (n int64) {
	for _, t := range r.Tokens {
		n += t.Differences
	}
	return n
}

// Comparison compares balances of the books, as they come, with those of another ledger; or payouts. It is not safe for
// concurrent use.
type Comparison struct {
	assets map[string]ledger.Asset
	theirs []Balance
	most   int // how many differences are kept

	rest   []Balance // of theirs, which ours has not come to
	tokens map[string]*Token
	found  []Difference
}

// New is a comparison of some tokens with amounts that are sorted, as those of Figures. most is how many differences
// are kept.
func New(assets map[string]ledger.Asset, theirs []Balance, most int) *Comparison {
	c := &Comparison{assets: assets, theirs: theirs, most: most}
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
	for len(c.rest) > 0 && c.rest[0].Compare(ours) < 0 {
		c.pair(Balance{Account: c.rest[0].Account, Asset: c.rest[0].Asset}, c.rest[0])
		c.rest = c.rest[1:]
	}
	theirs := Balance{Account: ours.Account, Asset: ours.Asset}
	if len(c.rest) > 0 && c.rest[0].Compare(ours) == 0 {
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
	if t.differ(ours.Amount, theirs.Amount); len(c.found) < c.most {
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
		for _, s := range []*Side{&t.Ours, &t.Theirs} {
			s.Root, s.tree = s.tree.Hash(), merkle.Tree{}
		}
		r.Tokens = append(r.Tokens, *t)
	}
	slices.SortFunc(r.Tokens, func(a, b Token) int { return cmp.Compare(a.Asset.Symbol, b.Asset.Symbol) })
	return r
}
