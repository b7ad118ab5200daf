package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// DigestVersion is the version of the digests that entries are posted with.
const DigestVersion = 2

// digestTag begins the input of a digest of version 2, so that no other hash is the same.
const digestTag = "softstake entry 2"

// Digest is the SHA-256 over the content of the entry: its ID, its time (At, in
// milliseconds), its kind and its moves, which are in the leaves, and the destination of a
// requested withdrawal. Entries with the same digest are the same. destination is
// Destination.Hash of a withdrawal request, the hash of its evidence of staking income, and
// empty for other kinds.
//
// The books keep the leaves beside the digest, so that an audit can check the digest of an
// entry without its moves, and each move by itself. The formats can never change: stored
// entries are compared by them.
func (e Entry) Digest(leaves, destination []byte) [sha256.Size]byte {
	b := make([]byte, 0, 128+len(leaves)+len(destination))
	b = appendText(b, digestTag)
	b = appendText(b, e.ID)
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMilli()))
	b = appendText(b, string(leaves))
	b = appendText(b, string(destination))
	return sha256.Sum256(b)
}

// Leaves are the SHA-256 of each move, in order, 32 bytes each: over the entry's kind,
// the move's number, its accounts, asset and amount.
func (e Entry) Leaves() []byte {
	leaves := slices.Grow([]byte(nil), len(e.Moves)*sha256.Size) // of no moves nil, which is NULL
	for i, m := range e.Moves {
		leaf := m.Leaf(e.Kind, i)
		leaves = append(leaves, leaf[:]...)
	}
	return leaves
}

// Leaf is the SHA-256 over the i-th move of an entry of a kind, i from 0.
func (m Move) Leaf(kind Kind, i int) [sha256.Size]byte {
	var buffer [256]byte
	b := appendText(buffer[:0], string(kind))
	b = binary.AppendUvarint(b, uint64(i))
	b = appendText(b, string(m.From))
	b = appendText(b, string(m.To))
	b = appendText(b, m.Asset)
	b = binary.BigEndian.AppendUint64(b, uint64(m.Amount))
	return sha256.Sum256(b)
}

// FirstDigest is the digest of version 1, of older books: two sums modulo 2^64, over 8
// bytes each of every leaf. Other moves with the same sums can be found within seconds, so
// it only shows that a row was not changed by accident.
func FirstDigest(leaves []byte) (digest [16]byte) {
	for lane := 0; lane < len(digest); lane += 8 {
		var sum uint64
		for leaf := range len(leaves) / sha256.Size {
			sum += binary.BigEndian.Uint64(leaves[leaf*sha256.Size+lane:])
		}
		binary.BigEndian.PutUint64(digest[lane:], sum)
	}
	return digest
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// Destination is where a requested withdrawal goes. Each field may be empty.
type Destination struct {
	Address  string
	Network  string
	Tag      string
	ClientID string // the holder's own name of the withdrawal
}

// Hash is the SHA-256 over the destination: a part of the digest of the entry that
// requests the withdrawal.
func (d Destination) Hash() []byte {
	return HashTexts("softstake destination 2", d.Address, d.Network, d.Tag, d.ClientID)
}

// HashTexts is the SHA-256 over texts, each with its length before it, so that other texts
// have another hash. The first says what is hashed.
func HashTexts(texts ...string) []byte {
	b := make([]byte, 0, 256)
	for _, text := range texts {
		b = appendText(b, text)
	}
	sum := sha256.Sum256(b)
	return sum[:]
}
