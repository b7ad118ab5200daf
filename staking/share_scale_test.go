package staking_test

import (
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// weightOf is the eligible integral of the n-th of very many holders: mostly a little, sometimes very much, and nothing
// of one in sixteen.
func weightOf(n uint64) staking.Integral {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	n ^= n >> 31
	if n%16 == 0 {
		return staking.Integral{}
	}
	return staking.IntegralOf(ledger.Amount(n>>(24+n%32)), staking.DayMillis-int64(n%1000))
}

// TestTenMillionHolders divides an income between ten million holders, one after another and then bucket
// by bucket, in constant memory: each time the same is paid, less than a smallest unit is left, and with
// it nothing is lost or created.
func TestTenMillionHolders(t *testing.T) {
	const holders, buckets = 10_000_000, 256
	var all staking.Integral
	for n := range uint64(holders) {
		all = all.Add(weightOf(n))
	}
	d := staking.Distribution{Net: 1_234_567_890_123_456, Before: staking.Exact{Part: staking.Unit / 3}, Weight: all}
	divider := d.Divider()
	var paid, rewards, carries staking.Exact
	for n := range uint64(holders) {
		share := divider.Share(weightOf(n))
		paid = paid.Add(share)
		rewards = rewards.Add(staking.Exact{Units: share.Units})
		carries = carries.Add(staking.Exact{Part: share.Part})
	}
	var again staking.Exact
	for bucket := range uint64(buckets) {
		var sum staking.Exact
		divider := d.Divider()
		for n := bucket; n < holders; n += buckets {
			sum = sum.Add(divider.Share(weightOf(n)))
		}
		again = again.Add(sum)
	}
	if paid != again {
		t.Errorf("one after another they have %+v, and bucket by bucket %+v", paid, again)
	}
	left := d.Pool().Sub(paid)
	if sum := rewards.Add(carries).Add(left); sum != d.Pool() {
		t.Errorf("rewards, carries and what is left are %+v, of %+v", sum, d.Pool())
	}
	if left.Units != 0 || left.Part >= holders {
		t.Errorf("%+v is left", left)
	}
}
