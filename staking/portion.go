package staking

import (
	"encoding/binary"
	"math/big"
)

// Portion is the part of an integral that belongs to a part of a whole: i × part / whole,
// rounded down to a unit-millisecond. All are zero or above, the whole is above zero, and
// the part is at most the whole.
func (i Integral) Portion(part, whole Integral) Integral {
	n := new(big.Int).Mul(i.big(new(big.Int)), part.big(new(big.Int)))
	var b [16]byte
	n.Quo(n, whole.big(new(big.Int))).FillBytes(b[:])
	return Integral{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}
