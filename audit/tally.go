package audit

import "math/big"

// tally is numbers by key. One that is missing is zero.
type tally[K comparable] map[K]*big.Int

// of is the number of a key. Nobody changes it.
func (t tally[K]) of(k K) *big.Int {
	if n := t[k]; n != nil {
		return n
	}
	return new(big.Int)
}

// add adds to the number of a key.
func (t tally[K]) add(k K, n *big.Int) {
	if t[k] == nil {
		t[k] = new(big.Int)
	}
	t[k].Add(t[k], n)
}
