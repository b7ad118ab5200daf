package staking

import (
	"encoding/binary"
	"math/big"
)

// With Terms.PerOwner the minimum and the cap are those of all accounts of an owner
// together: what their integrals sum to is compared with them. Below the minimum none of
// the accounts earns. Above the cap each account has a part of it, in proportion to its
// integral. An account that held nothing, or less, adds nothing and has no part.

// together is what is compared with the minimum and the cap: of an account's own integral
// and the sum of its owner's, the latter if there is more than the account's.
func (t Terms) together(own, owner Integral) Integral {
	if t.PerOwner && (Integral{}).Less(own) && own.Less(owner) {
		return owner
	}
	return own
}

// eligible is what of an account's own integral earns. Above the cap it is cap × own / sum,
// rounded down to a unit-millisecond, so that an owner's accounts are never above the cap
// together; what is left over earns nothing.
func (t Terms) eligible(own, owner Integral) Integral {
	limit, together := IntegralOf(t.Cap, DayMillis), t.together(own, owner)
	switch {
	case !limit.Less(together):
		return own
	case together == own:
		return limit
	}
	part := limit.big(new(big.Int))
	part.Mul(part, own.big(new(big.Int))) // 90 bits × 90 bits
	return integralOfBig(part.Quo(part, together.big(new(big.Int))))
}

// integralOfBig is a number from 0 to below 2^127 as an integral.
func integralOfBig(n *big.Int) Integral {
	var b [16]byte
	n.FillBytes(b[:])
	return Integral{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// orZero is the integral, or zero where it is below.
func (i Integral) orZero() Integral {
	if i.Less(Integral{}) {
		return Integral{}
	}
	return i
}
