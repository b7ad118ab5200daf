// Package merkle makes the hash of a Merkle tree (RFC 6962) of leaves that come one by one.
package merkle

import (
	"crypto/sha256"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is the hash of a tree: the hashes of the complete trees that the leaves so far consist of, the largest first,
// each at least twice as large as the one after it. The zero value has no leaves. It is not safe for concurrent use.
type Tree struct {
	complete []tlog.Hash
	leaves   int64
}

// Add adds a leaf at the end: tlog.RecordHash of what it holds.
func (t *Tree) Add(leaf tlog.Hash) {
	t.complete = append(t.complete, leaf)
	for n := t.leaves; n&1 == 1; n >>= 1 {
		last := len(t.complete) - 1
		t.complete = append(t.complete[:last-1], tlog.NodeHash(t.complete[last-1], t.complete[last]))
	}
	t.leaves++
}

// Leaves is how many leaves were added.
func (t *Tree) Leaves() int64 { return t.leaves }

// Hash is the hash of the tree of the leaves so far; of none it is the hash of nothing.
func (t *Tree) Hash() tlog.Hash {
	if t.leaves == 0 {
		return sha256.Sum256(nil)
	}
	hash := t.complete[len(t.complete)-1]
	for i := len(t.complete) - 2; i >= 0; i-- {
		hash = tlog.NodeHash(t.complete[i], hash)
	}
	return hash
}

// Reset removes all leaves, and keeps the memory.
func (t *Tree) Reset() { *t = Tree{complete: t.complete[:0]} }
