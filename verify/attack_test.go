package verify_test

import (
	"crypto/sha256"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/verify"
)

// The known attacks on proofs of liabilities (Chalkias, Chatzigiannis, Ji: Broken Proofs of Solvency in Blockchain
// Custodial Wallets and Exchanges, 2022), each by an operator that signs whatever it likes.

// shown is a proof of a tree of a few nodes, in a record that the operator has signed.
func (o operator) shown(account string, amount uint64, root verify.Node, path ...verify.Node) verify.Proof {
	p := verify.Proof{Account: account, Asset: "BNB", Day: day, Amount: amount, Nonce: nonceOf(account), Path: path,
		Record: record(root), Size: 1}
	p.Checkpoint, p.Inclusion = o.sign([]string{p.Record}, 0)
	return p
}

func onLeft(n verify.Node) verify.Node {
	n.Left = true
	return n
}

// holds checks proofs, and fails where one holds that must not, or does not hold that must.
func (o operator) holds(t *testing.T, want bool, proofs ...verify.Proof) {
	t.Helper()
	for _, p := range proofs {
		if r, err := p.Check(o.key()); (err == nil) != want {
			t.Errorf("%s is shown a total of %d: %v", p.Account, r.Total, err)
		}
	}
}

// TestAttackLargerOfTwoSums: a tree whose nodes have max(L, R) instead of L + R owes less than it should. Whatever
// total the operator writes into the record beside whatever hash, no holder is led to it.
func TestAttackLargerOfTwoSums(t *testing.T) {
	o := newOperator(1)
	alice, bob := leafOf("alice", 5), leafOf("bob", 3)
	honest := join(t, alice, bob)
	o.holds(t, true, o.shown("alice", 5, honest, bob), o.shown("bob", 3, honest, onLeft(alice)))
	larger := verify.Node{Sum: max(alice.Sum, bob.Sum), Hash: honest.Hash}
	// The hash that a verifier would work out which took the larger sum for the node's, one level up.
	above := join(t, larger, leafOf("carl", 1))
	for _, liar := range []verify.Node{larger, {Sum: 3, Hash: honest.Hash}, {Hash: honest.Hash}} {
		o.holds(t, false, o.shown("alice", 5, liar, bob), o.shown("bob", 3, liar, onLeft(alice)))
	}
	o.holds(t, false, o.shown("alice", 5, above, bob, leafOf("carl", 1)),
		o.shown("bob", 3, above, onLeft(alice), leafOf("carl", 1)))
	// The sibling's sum is hashed: each holder cannot be shown another one for it.
	for _, sum := range []uint64{0, 2, 4} {
		less := bob
		less.Sum = sum
		o.holds(t, false, o.shown("alice", 5, honest, less))
	}
}

// TestAttackClash: two holders with the same amount are shown one leaf, which is owed once. A leaf is bound to the
// account, the token, the day, the nonce and the amount, each with its length.
func TestAttackClash(t *testing.T) {
	o := newOperator(1)
	alice, other := leafOf("alice", 5), leafOf("x", 0)
	root := join(t, alice, other)
	o.holds(t, true, o.shown("alice", 5, root, other))
	for _, account := range []string{"bob", "alicE", "", "alice "} {
		p := o.shown(account, 5, root, other)
		p.Nonce = nonceOf("alice")
		o.holds(t, false, p)
	}
	all := map[verify.Hash]string{}
	for _, account := range []string{"alice", "alic", "e"} {
		for _, asset := range []string{"BNB", "eBNB", "BN"} {
			for _, on := range []string{day, "2026-11-23"} {
				for _, nonce := range []string{"1", "2"} {
					for _, amount := range []uint64{5, 6} {
						hash := verify.Leaf(account, asset, on, sha256.Sum256([]byte(nonce)), amount).Hash
						if all[hash] != "" {
							t.Errorf("%s and %s have one leaf", account, all[hash])
						}
						all[hash] = account + " " + asset
					}
				}
			}
		}
	}
}

// TestAttackPadding: padding that has an amount takes it from the total: where sums wrap around, or where the padding
// is below zero. No sum is above 2^63 - 1, and none has a sign.
func TestAttackPadding(t *testing.T) {
	alice := leafOf("alice", 5)
	for _, sum := range []uint64{math.MaxUint64, math.MaxUint64 - 4, 1 << 63, math.MaxInt64, math.MaxInt64 - 4} {
		if n, err := verify.Join(alice, verify.Node{Sum: sum}); err == nil {
			t.Errorf("padding of %d makes a total of %d", sum, n.Sum)
		}
	}
	o := newOperator(1)
	padding := verify.Node{Sum: math.MaxUint64 - 2, Hash: verify.Hash{1}} // 5 - 3 = 2
	liar := verify.Node{Sum: 2, Hash: join(t, alice, verify.Node{Hash: padding.Hash}).Hash}
	o.holds(t, false, o.shown("alice", 5, liar, padding))
	// A single leaf that is more than amounts can be is no root either.
	o.holds(t, false, o.shown("alice", 1<<63, verify.Leaf("alice", "BNB", day, nonceOf("alice"), 1<<63)))
	// What is a node or padding is no leaf of a holder: they begin with other bytes.
	node := join(t, alice, leafOf("bob", 3))
	if hash := verify.Leaf("", "", "", verify.Hash{}, 0).Hash; hash == (verify.Hash{}) || hash == node.Hash {
		t.Error("padding is a leaf")
	}
}

// TestAttackEquivocation: an operator shows each holder a tree of its own, in which the others owe nothing. It has to
// sign two roots for one day, and whoever puts two proofs side by side has what shows it. Two roots in one record
// prove nothing to either.
func TestAttackEquivocation(t *testing.T) {
	o, nothing := newOperator(1), verify.Node{Hash: verify.Hash{2}}
	check := func(p verify.Proof) verify.Result {
		t.Helper()
		r, err := p.Check(o.key())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	alices, bobs := join(t, leafOf("alice", 5), nothing), join(t, leafOf("bob", 3), nothing)
	alice, bob := o.shown("alice", 5, alices, nothing), o.shown("bob", 3, bobs, nothing)
	if !check(alice).Contradicts(check(bob)) || !check(bob).Contradicts(check(alice)) {
		t.Error("two roots of one day are not noticed")
	}
	// The same sum, and another root.
	same := o.shown("bob", 5, join(t, leafOf("bob", 5), nothing), nothing)
	if !check(alice).Contradicts(check(same)) {
		t.Error("two roots of one sum are not noticed")
	}
	// Two days, in two trees of one size.
	other := check(alice)
	other.Day, other.Tree = "2026-11-23", verify.Hash{}
	if !check(alice).Contradicts(other) {
		t.Error("two trees of one size are not noticed")
	}
	if check(alice).Contradicts(check(alice)) || check(proofOf(t, o, 3, 1)).Contradicts(check(proofOf(t, o, 3, 1))) {
		t.Error("a proof contradicts itself")
	}
	for _, two := range []string{alice.Record + verify.Line("BNB", bobs), strings.Replace(alice.Record, "liabilities",
		verify.Line("BNB", bobs)+"liabilities", 1)} {
		for _, p := range []verify.Proof{alice, bob} {
			p.Record, p.Path = two, slices.Clone(p.Path)
			p.Checkpoint, p.Inclusion = o.sign([]string{two}, 0)
			o.holds(t, false, p)
		}
	}
	// A name that has a line in it would be another day or token to each, with one root.
	for _, change := range []func(*verify.Proof){
		func(p *verify.Proof) { p.Day += "\nlayout 1" },
		func(p *verify.Proof) { p.Asset += " 5" },
	} {
		p := alice
		change(&p)
		root := join(t, verify.Leaf("alice", p.Asset, p.Day, p.Nonce, 5), nothing)
		p.Record = "softstake record\nday " + p.Day + "\n" + verify.Line(p.Asset, root)
		p.Checkpoint, p.Inclusion = o.sign([]string{p.Record}, 0)
		o.holds(t, false, p)
	}
}
