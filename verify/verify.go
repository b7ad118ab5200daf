// Package verify checks offline that a holder's balance is counted in what the operator owes: a proof of inclusion in a
// Merkle sum tree, whose root is in a record, which is in a signed checkpoint. It needs nothing but the standard
// library, and knows no books: copy it, read it, write it again in another language.
package verify

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Hash is a SHA-256, in base64 as text.
type Hash [sha256.Size]byte

// String is the hash in base64.
func (h Hash) String() string { return base64.StdEncoding.EncodeToString(h[:]) }

// MarshalText is String.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is the opposite of MarshalText.
func (h *Hash) UnmarshalText(text []byte) error {
	b, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil || copy(h[:], b) != len(h) || len(b) != len(h) {
		return errors.New("a hash has 32 bytes in base64")
	}
	return nil
}

// Proof is what a holder gets of a token and a UTC day. Amounts are whole numbers of the token's smallest unit.
type Proof struct {
	Account    string `json:"account"`
	Asset      string `json:"asset"`
	Day        string `json:"day"`           // such as 2026-11-22; the balance is that of its end
	Amount     uint64 `json:"amount,string"` // what is free and what is held
	Nonce      []byte `json:"nonce"`         // of the holder and the day: without it nobody can guess the leaf
	Path       []Node `json:"path"`          // the other side at each level, from the leaf to the root
	Record     string `json:"record"`        // the record of the day, with the root of the tree
	Index      int64  `json:"index"`         // of the record in the tree, from 0
	Size       int64  `json:"size"`          // how many records the tree has
	Inclusion  []Hash `json:"inclusion"`     // of the record in the tree of records (RFC 9162, 2.1.3)
	Checkpoint string `json:"checkpoint"`    // a signed note (https://c2sp.org/tlog-checkpoint)
}

// Node is a node of the sum tree. Left: it is the left one of the two.
type Node struct {
	Left bool   `json:"left"`
	Sum  uint64 `json:"sum,string"`
	Hash Hash   `json:"hash"`
}

// Result is what a proof shows. Two results of the same origin, day and token with another total or root, or of the
// same size with another tree, show that the operator gives different answers to different people.
type Result struct {
	Origin, Day, Asset string
	Total              uint64 // what is owed to all holders
	Root               Hash   // of the sum tree
	Size               int64  // of the tree of records
	Tree               Hash
}

// Contradicts reports whether two results cannot both be true.
func (r Result) Contradicts(o Result) bool {
	if r.Origin != o.Origin {
		return false
	}
	return r.Size == o.Size && r.Tree != o.Tree ||
		r.Day == o.Day && r.Asset == o.Asset && (r.Total != o.Total || r.Root != o.Root)
}

// Leaf is the leaf of a holder: H(0x00 ‖ texts, each with its length ‖ nonce ‖ amount).
func Leaf(account, asset, day string, nonce []byte, amount uint64) Node {
	b := []byte{0}
	for _, text := range []string{"softstake liability 1", asset, day, account, string(nonce)} {
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
	b := binary.BigEndian.AppendUint64([]byte{1}, left.Sum)
	b = binary.BigEndian.AppendUint64(append(b, left.Hash[:]...), right.Sum)
	return Node{Sum: left.Sum + right.Sum, Hash: sha256.Sum256(append(b, right.Hash[:]...))}, nil
}

// Check checks a proof with the operator's public key, NAME+HASH+KEY, which the holder has from elsewhere. Its error
// says what does not hold.
func (p Proof) Check(key string) (r Result, err error) {
	root, err := p.root()
	if err != nil {
		return r, err
	}
	if err := p.checkRecord(root); err != nil {
		return r, err
	}
	tree, err := p.tree()
	if err != nil {
		return r, err
	}
	origin, err := p.checkNote(key, tree)
	return Result{Origin: origin, Day: p.Day, Asset: p.Asset, Total: root.Sum, Root: root.Hash, Size: p.Size,
		Tree: tree}, err
}

// CheckRecord checks only that the balance leads to the root in the record, and nothing of who made the record.
func (p Proof) CheckRecord() error {
	root, err := p.root()
	if err != nil {
		return err
	}
	return p.checkRecord(root)
}

// root is the root that the balance leads to.
func (p Proof) root() (root Node, err error) {
	root = Leaf(p.Account, p.Asset, p.Day, p.Nonce, p.Amount)
	if len(p.Nonce) != sha256.Size || p.Amount > math.MaxInt64 || len(p.Path) > 64 {
		return root, errors.New("the leaf is not in the form that proofs have")
	}
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

// checkRecord looks for the root in the record: the one root of the token that there is.
func (p Proof) checkRecord(root Node) error {
	lines, found := strings.Split(p.Record, "\n"), 0
	if len(lines) < 2 || lines[0] != "softstake record" || lines[1] != "day "+p.Day {
		return errors.New("the record is not that of the day")
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "liabilities "+p.Asset+" ") {
			if found++; line != Line(p.Asset, root) {
				return errors.New("the balance does not lead to the root in the record")
			}
		}
	}
	if found != 1 {
		return fmt.Errorf("the record has %d roots of the token", found)
	}
	return nil
}

// Line is a record's line of the root of a token's tree.
func Line(asset string, root Node) string {
	return fmt.Sprintf("liabilities %s %d %v", asset, root.Sum, root.Hash)
}

// tree is the hash of the tree of records that the record leads to (RFC 9162, 2.1.3.2).
func (p Proof) tree() (hash Hash, err error) {
	hash = sha256.Sum256(append([]byte{0}, p.Record...))
	at, last := p.Index, p.Size-1
	for _, other := range p.Inclusion {
		if last == 0 {
			return hash, errors.New("the proof of the record is too long")
		}
		if at&1 == 1 || at == last {
			hash = above(other, hash)
			for at&1 == 0 && at != 0 {
				at, last = at>>1, last>>1
			}
		} else {
			hash = above(hash, other)
		}
		at, last = at>>1, last>>1
	}
	if last != 0 || p.Index < 0 || p.Index >= p.Size {
		return hash, errors.New("the proof of the record is too short")
	}
	return hash, nil
}

func above(left, right Hash) Hash {
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// checkNote checks the signature of the checkpoint, and that it is of this tree. It returns the operator's name.
func (p Proof) checkNote(key string, tree Hash) (origin string, err error) {
	parts := strings.SplitN(key, "+", 3)
	if len(parts) != 3 {
		return "", errors.New("the public key is not NAME+HASH+KEY")
	}
	public, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(public) != 1+ed25519.PublicKeySize || public[0] != 1 { // 1: Ed25519
		return "", errors.New("the public key is not one of Ed25519")
	}
	text, signatures, _ := strings.Cut(p.Checkpoint, "\n\n")
	text += "\n"
	want := fmt.Sprintf("%s\n%d\n%v\n", parts[0], p.Size, tree)
	if !strings.HasPrefix(text, want) {
		return "", errors.New("the record does not lead to the checkpoint")
	}
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), public...))
	for line := range strings.Lines(signatures) {
		coded, is := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "— "+parts[0]+" ")
		signature, err := base64.StdEncoding.DecodeString(coded)
		if is && err == nil && len(signature) == 4+ed25519.SignatureSize && bytes.Equal(signature[:4], id[:4]) &&
			ed25519.Verify(public[1:], []byte(text), signature[4:]) {
			return parts[0], nil
		}
	}
	return "", errors.New("the checkpoint is not signed with this key")
}
