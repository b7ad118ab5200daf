package evidence

import (
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/softstake/softstake/db"
)

// tree is the hash of a Merkle tree (RFC 6962) whose leaves come one by one: the hashes of the complete trees that
// the leaves so far consist of, the largest first, each twice as large as any after it.
type tree struct {
	complete []tlog.Hash
	leaves   int64
}

// add adds a leaf at the end.
func (t *tree) add(leaf tlog.Hash) {
	t.complete = append(t.complete, leaf)
	for n := t.leaves; n&1 == 1; n >>= 1 {
		last := len(t.complete) - 1
		t.complete = append(t.complete[:last-1], tlog.NodeHash(t.complete[last-1], t.complete[last]))
	}
	t.leaves++
}

// hash is the hash of the tree, which has leaves.
func (t *tree) hash() tlog.Hash {
	hash := t.complete[len(t.complete)-1]
	for i := len(t.complete) - 2; i >= 0; i-- {
		hash = tlog.NodeHash(t.complete[i], hash)
	}
	return hash
}

// appendRow appends the columns of a row from one on, each with its type and, where it has no fixed one, its length:
// two rows that differ are never the same bytes.
func appendRow(b []byte, r db.Row, from int, fields []column) []byte {
	for i, f := range fields {
		b = append(b, f.kind[0])
		switch f.kind {
		case "int":
			b = binary.BigEndian.AppendUint64(b, uint64(r.Int(from+i)))
		case "text", "actor", "detail":
			text := r.Text(from + i)
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
		default:
			blob := r.Bytes(from + i)
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(blob))), blob...)
		}
	}
	return b
}
