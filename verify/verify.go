// Package verify checks offline that a holder's balance is counted in what the operator owes: a proof of inclusion in a
// Merkle sum tree, whose root is in a record, which is in a signed checkpoint. It needs nothing but the standard
// library, and knows no books: copy it, read it, write it again in another language.
package verify

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// Leaf is the leaf of a holder: H(0x00 ‖ texts, each with its length ‖ amount).
func Leaf(account, asset, day string, nonce Hash, amount uint64) Node {
	b := []byte{0}
	for _, text := range []string{"softstake liability 1", asset, day, account, string(nonce[:])} {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
	}
	return Node{Sum: amount, Hash: sha256.Sum256(binary.BigEndian.AppendUint64(b, amount))}
}

// Join is the node above two: H(0x01 ‖ sum and hash of the left ‖ sum and hash of the right). Both sums are hashed,
// and none is above 2^63 - 1: a sum that wraps around, or is the larger of two instead of both, is another root.
func Join(left, right Node) (Node, error) {
	if left.Sum > math.MaxInt64 || right.Sum > math.MaxInt64-left.Sum {
		return Node{}, errors.New("the sums are larger than amounts can be")
	}
	b := append(binary.BigEndian.AppendUint64([]byte{1}, left.Sum), left.Hash[:]...)
	b = append(binary.BigEndian.AppendUint64(b, right.Sum), right.Hash[:]...)
	return Node{Sum: left.Sum + right.Sum, Hash: sha256.Sum256(b)}, nil
}

// Root is the root that the balance leads to.
func (p Proof) Root() (root Node, err error) {
	root = Leaf(p.Account, p.Asset, p.Day, p.Nonce, p.Amount)
	for _, other := range p.Path {
		left, right := root, other
		if other.Left {
			left, right = other, root
		}
		if root, err = Join(left, right); err != nil {
			return root, err
		}
	}
	return root, nil
}

// Line is a record's line of the root of a token's tree.
func Line(asset string, root Node) string {
	return fmt.Sprintf("liabilities %s %d %v\n", asset, root.Sum, root.Hash)
}

// tree is the hash of a tree of records that one of them leads to (RFC 9162, 2.1.1). The last of others is that of the
// part of the tree in which it is not: the first records, as many as the largest power of two below size, or the rest.
func tree(record Hash, index, size int64, others []Hash) (Hash, error) {
	if index < 0 || index >= size || (size == 1) != (len(others) == 0) {
		return record, errors.New("the record is not proved to be one of those that are signed")
	}
	if size == 1 {
		return record, nil
	}
	first, last := int64(1)<<(bits.Len64(uint64(size-1))-1), len(others)-1
	if index < first {
		left, err := tree(record, index, first, others[:last])
		return above(left, others[last]), err
	}
	right, err := tree(record, index-first, size-first, others[:last])
	return above(others[last], right), err
}

func above(left, right Hash) Hash {
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// Check checks a proof with the operator's public key, NAME+HASH+KEY, which the holder has from elsewhere. Its error
// says what does not hold.
func (p Proof) Check(key string) (r Result, err error) {
	root, err := p.Root()
	switch {
	case err != nil:
		return r, err
	case strings.ContainsAny(p.Day+p.Asset, " \n") || !strings.HasPrefix(p.Record, "softstake record\nday "+p.Day+"\n"):
		return r, errors.New("the record is not that of the day")
	case strings.Count(p.Record, "\nliabilities "+p.Asset+" ") != 1:
		return r, errors.New("the record has not one root of the token")
	case root.Sum > math.MaxInt64 || !strings.Contains(p.Record, "\n"+Line(p.Asset, root)):
		return r, errors.New("the balance does not lead to the root in the record")
	}
	all, err := tree(sha256.Sum256(append([]byte{0}, p.Record...)), p.Index, p.Size, p.Inclusion)
	if err != nil {
		return r, err
	}
	words := strings.SplitN(key, "+", 3)
	public, err := base64.StdEncoding.DecodeString(words[len(words)-1])
	if len(words) != 3 || err != nil || len(public) != 1+ed25519.PublicKeySize || public[0] != 1 { // 1: Ed25519
		return r, errors.New("the public key is not NAME+HASH+KEY of Ed25519")
	}
	text, signatures, _ := strings.Cut(p.Checkpoint, "\n\n")
	if !strings.HasPrefix(text, fmt.Sprintf("%s\n%d\n%v\n", words[0], p.Size, all)) {
		return r, errors.New("the record does not lead to the checkpoint")
	}
	for line := range strings.Lines(signatures) {
		coded := strings.TrimSuffix(strings.TrimPrefix(line, "— "+words[0]+" "), "\n")
		signature, err := base64.StdEncoding.DecodeString(coded) // of the key's hash, 4 bytes, and the signature
		if err == nil && len(signature) == 4+ed25519.SignatureSize &&
			ed25519.Verify(public[1:], []byte(text+"\n"), signature[4:]) {
			return Result{words[0], p.Day, p.Asset, root.Sum, root.Hash, p.Size, all}, nil
		}
	}
	return r, errors.New("the checkpoint is not signed with this key")
}
