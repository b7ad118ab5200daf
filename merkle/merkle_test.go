package merkle_test

import (
	"crypto/sha256"
	"strconv"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/softstake/softstake/merkle"
)

// above is the hash of a tree as RFC 6962 defines it, by recursion.
func above(leaves []tlog.Hash) tlog.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	left := 1
	for left*2 < len(leaves) {
		left *= 2
	}
	return tlog.NodeHash(above(leaves[:left]), above(leaves[left:]))
}

func TestATreeIsThatOfTheStandard(t *testing.T) {
	var grown, again merkle.Tree
	var leaves []tlog.Hash
	for n := range 130 {
		if got, want := grown.Hash(), above(leaves); got != want {
			t.Fatalf("the hash of %d leaves is %s, want %s", n, got, want)
		}
		if grown.Leaves() != int64(n) {
			t.Fatalf("%d leaves, want %d", grown.Leaves(), n)
		}
		leaf := tlog.RecordHash([]byte(strconv.Itoa(n)))
		grown.Add(leaf)
		leaves = append(leaves, leaf)
		again.Reset()
		for _, leaf := range leaves {
			again.Add(leaf)
		}
		if again.Hash() != grown.Hash() {
			t.Fatalf("a tree that was reset has another hash after %d leaves", n+1)
		}
	}
}
