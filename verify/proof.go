package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// Hash is a SHA-256, in base64 as text.
type Hash [sha256.Size]byte

func (h Hash) String() string               { return base64.StdEncoding.EncodeToString(h[:]) }
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText leaves other lengths than 32 bytes to Parse: they are not written so again.
func (h *Hash) UnmarshalText(text []byte) error {
	b, err := base64.StdEncoding.DecodeString(string(text))
	copy(h[:], b)
	return err
}

// Proof is what a holder gets of a token and a UTC day. Amounts are whole numbers of the token's smallest unit.
type Proof struct {
	Account    string `json:"account"`
	Asset      string `json:"asset"`
	Day        string `json:"day"`           // such as 2026-11-22; the balance is that of its end
	Amount     uint64 `json:"amount,string"` // what is free and what is held
	Nonce      Hash   `json:"nonce"`         // of the holder and the day: without it nobody can guess the leaf
	Path       []Node `json:"path"`          // the other side at each level, from the leaf to the root
	Record     string `json:"record"`        // the record of the day, with the root of the tree
	Index      int64  `json:"index"`         // of the record in the tree of records, from 0
	Size       int64  `json:"size"`          // how many records that tree has
	Inclusion  []Hash `json:"inclusion"`     // of the record in it (RFC 9162, 2.1.3)
	Checkpoint string `json:"checkpoint"`    // a signed note (https://c2sp.org/tlog-checkpoint)
}

// Node is a node of the sum tree. Left: it is the left one of the two.
type Node struct {
	Left bool   `json:"left"`
	Sum  uint64 `json:"sum,string"`
	Hash Hash   `json:"hash"`
}

// Parse reads the file of a proof, which is written in one way only, spaces between values aside: what is unknown,
// missing, given twice, of another length, negative or behind it is refused.
func Parse(file []byte) (p Proof, err error) {
	var given, again bytes.Buffer
	if err := json.Unmarshal(file, &p); err != nil {
		return p, err
	}
	write := json.NewEncoder(&again)
	write.SetEscapeHTML(false)
	err = errors.Join(json.Compact(&given, file), write.Encode(p))
	if err == nil && given.String() != strings.TrimSuffix(again.String(), "\n") {
		err = errors.New("it is not in the form that proofs have")
	}
	return p, err
}
