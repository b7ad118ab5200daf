package evidence

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/verify"
)

// sumTree is the sum tree of a token and a day. Each bucket is a tree of its own, so that a proof needs the balances of
// one bucket only; above them are the buckets. The salt is new each day: it shuffles the accounts of a bucket, and the
// buckets, and makes each account's nonce.
type sumTree struct {
	asset string
	day   staking.Day
	salt  []byte
}

// fewest is how many leaves a bucket's tree has at least: others are padding. How many accounts a bucket has can be
// seen to the next power of two.
const fewest = 4

// derive is 32 bytes that nobody can guess without the salt.
func (s sumTree) derive(purpose, of string) (h verify.Hash) {
	mac := hmac.New(sha256.New, s.salt)
	fmt.Fprintf(mac, "%s %s\n%s", purpose, s.asset, of)
	mac.Sum(h[:0])
	return h
}

// owed is what is owed to a holder: above zero.
type owed struct {
	account ledger.Account
	amount  uint64
}

// leaf is a place in a bucket's tree.
type leaf struct {
	node  verify.Node
	order verify.Hash
	of    ledger.Account // "": padding
}

// leaves are the leaves of a bucket, in order, as many as a power of two.
func (s sumTree) leaves(bucket int, holders []owed) []leaf {
	n := fewest
	for n < len(holders) {
		n *= 2
	}
	all := make([]leaf, n)
	for i := range all {
		if i < len(holders) {
			h := holders[i]
			node := verify.Leaf(string(h.account), s.asset, s.day.String(), s.nonce(h.account), h.amount)
			all[i] = leaf{node, s.derive("order", string(h.account)), h.account}
			continue
		}
		padding := s.derive("padding", fmt.Sprintf("%d %d", bucket, i))
		// 0x02: it is no leaf of a holder, and no node.
		all[i] = leaf{verify.Node{Hash: sha256.Sum256(append([]byte{2}, padding[:]...))}, padding, ""}
	}
	slices.SortFunc(all, func(a, b leaf) int { return bytes.Compare(a.order[:], b.order[:]) })
	return all
}

func (s sumTree) nonce(id ledger.Account) verify.Hash { return s.derive("nonce", string(id)) }

// buckets are the numbers of the buckets in the order in which they lie in the tree.
func (s sumTree) buckets() []int {
	order, numbers := make([]verify.Hash, ledger.Buckets), make([]int, ledger.Buckets)
	for b := range numbers {
		order[b], numbers[b] = s.derive("bucket", fmt.Sprint(b)), b
	}
	slices.SortFunc(numbers, func(a, b int) int { return cmp.Or(bytes.Compare(order[a][:], order[b][:]), a-b) })
	return numbers
}

// fold is the root of nodes, as many as a power of two, and the way from one of them to it.
func fold(nodes []verify.Node, at int) (root verify.Node, path []verify.Node, err error) {
	nodes = slices.Clone(nodes)
	for len(nodes) > 1 {
		other := nodes[at^1]
		other.Left = at&1 == 1
		path = append(path, other)
		for i := range len(nodes) / 2 {
			if nodes[i], err = verify.Join(nodes[2*i], nodes[2*i+1]); err != nil {
				return root, nil, err
			}
		}
		nodes, at = nodes[:len(nodes)/2], at/2
	}
	return nodes[0], path, nil
}

// bucketRoot is the root of a bucket's tree.
func (s sumTree) bucketRoot(bucket int, holders []owed) (verify.Node, error) {
	root, _, err := fold(nodesOf(s.leaves(bucket, holders)), 0)
	return root, err
}

func nodesOf(leaves []leaf) []verify.Node {
	nodes := make([]verify.Node, len(leaves))
	for i, l := range leaves {
		nodes[i] = l.node
	}
	return nodes
}

// root is the root of the whole tree, and the way from a bucket to it.
func (s sumTree) root(roots []verify.Node, bucket int) (root verify.Node, path []verify.Node, err error) {
	order := s.buckets()
	nodes := make([]verify.Node, len(order))
	for i, b := range order {
		nodes[i] = roots[b]
	}
	return fold(nodes, slices.Index(order, bucket))
}

// rootSize is how many bytes a bucket's root takes.
const rootSize = 8 + sha256.Size

func encodeRoots(roots []verify.Node) []byte {
	b := make([]byte, 0, len(roots)*rootSize)
	for _, r := range roots {
		b = append(binary.BigEndian.AppendUint64(b, r.Sum), r.Hash[:]...)
	}
	return b
}

// decodeRoots is the opposite of encodeRoots.
func decodeRoots(b []byte) ([]verify.Node, error) {
	if len(b) != ledger.Buckets*rootSize {
		return nil, fmt.Errorf("the roots of the buckets have %d bytes", len(b))
	}
	roots := make([]verify.Node, ledger.Buckets)
	for i := range roots {
		of := b[i*rootSize:]
		roots[i].Sum = binary.BigEndian.Uint64(of)
		copy(roots[i].Hash[:], of[8:])
	}
	return roots, nil
}
