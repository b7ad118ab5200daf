package audit

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/softstake/softstake/ledger"
)

// The digests of entries, implemented a second time: stored digests are checked by other
// code than that which wrote them.

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// leafOf is the SHA-256 over kind, number, accounts, asset and amount of one move: each
// text after its length, the amount as 8 bytes, the highest first.
func leafOf(kind ledger.Kind, number int64, m ledger.Move) [sha256.Size]byte {
	var buffer [256]byte
	b := binary.AppendUvarint(appendText(buffer[:0], string(kind)), uint64(number))
	b = appendText(appendText(appendText(b, string(m.From)), string(m.To)), m.Asset)
	return sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(m.Amount)))
}

// leavesOf are the leaves of an entry with all its moves.
func leavesOf(kind ledger.Kind, moves []ledger.Move) (leaves []byte) {
	for i, m := range moves {
		leaf := leafOf(kind, int64(i), m)
		leaves = append(leaves, leaf[:]...)
	}
	return leaves
}

// digestOf is the digest of version 2: the SHA-256 over ID, time, leaves and destination.
func digestOf(id string, at int64, leaves, destination []byte) []byte {
	b := appendText(appendText(nil, "softstake entry 2"), id)
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	b = appendText(appendText(b, string(leaves)), string(destination))
	sum := sha256.Sum256(b)
	return sum[:]
}

// firstDigestOf is the digest of version 1: of each leaf's first and second 8 bytes the
// sum modulo 2^64.
func firstDigestOf(leaves []byte) []byte {
	var first, second uint64
	for ; len(leaves) >= sha256.Size; leaves = leaves[sha256.Size:] {
		first += binary.BigEndian.Uint64(leaves[:8])
		second += binary.BigEndian.Uint64(leaves[8:16])
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, first), second)
}

// destinationOf is the SHA-256 over where a withdrawal goes.
func destinationOf(d ledger.Destination) []byte {
	return hashOf("softstake destination 2", d.Address, d.Network, d.Tag, d.ClientID)
}

// hashOf is the SHA-256 over texts, each with its length before it.
func hashOf(texts ...string) []byte {
	var b []byte
	for _, text := range texts {
		b = appendText(b, text)
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// leaf is the leaf of the move that requests the withdrawal.
func (x *Withdrawal) leaf() []byte {
	leaf := leafOf(ledger.WithdrawalRequest, 0,
		ledger.Move{From: x.Account, To: x.Account.Held(), Asset: x.Asset, Amount: x.Amount})
	return leaf[:]
}
