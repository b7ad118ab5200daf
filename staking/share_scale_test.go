package staking_test

import (
	"os"
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

// TestAYearOfManyHolders divides a year of incomes among few and many holders, whose holdings differ from period to
// period: what was paid, what is carried and what is left are always all that came in. Ten million holders take part
// in the long tests.
func TestAYearOfManyHolders(t *testing.T) {
	years := []struct{ holders, periods uint64 }{{1, 52}, {10, 365}, {1000, 52}, {100_000, 12}}
	if os.Getenv("SOFTSTAKE_LONG") == "1" {
		years = append(years, struct{ holders, periods uint64 }{10_000_000, 12})
	}
	for _, year := range years {
		var came, paid, carried, left staking.Exact
		carries := make([]staking.Fraction, year.holders)
		for period := range year.periods {
			held := func(n uint64) staking.Integral { return weightOf(n + period*year.holders) }
			d := staking.Distribution{Net: ledger.Amount(987_654_321_012_345 + period), Before: left}
			for n := range year.holders {
				d.Weight = d.Weight.Add(held(n))
			}
			came = came.Add(staking.Exact{Units: d.Net})
			divider := d.Divider()
			left = d.Pool()
			for n := range year.holders {
				share := divider.Share(held(n))
				left = left.Sub(share)
				a, earned := staking.Accrue(staking.Day(period), staking.Terms{Mode: staking.Share}, staking.Holding{
					Asset: "SOL", Absent: true, Carry: carries[n], Shared: share,
				})
				if earned {
					paid = paid.Add(staking.Exact{Units: a.Reward})
					carries[n] = a.Carry
				}
			}
		}
		for _, c := range carries {
			carried = carried.Add(staking.Exact{Part: c})
		}
		if sum := paid.Add(carried).Add(left); sum != came {
			t.Errorf("%d holders: paid, carried and left are %+v; %+v came in", year.holders, sum, came)
		}
		if left.Units != 0 || uint64(left.Part) >= year.holders {
			t.Errorf("%d holders: %+v is left", year.holders, left)
		}
	}
}
