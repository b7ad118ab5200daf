package conversion_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
)

func TestConvert(t *testing.T) {
	bnb := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: ledger.MaxSupply}
	usdt := ledger.Asset{Symbol: "USDT", Scale: 6, MaxSupply: 1_000_000_000_000_000_000}
	rare := ledger.Asset{Symbol: "RARE", Scale: 0, MaxSupply: 100}
	for _, c := range []struct {
		from, to  ledger.Asset
		amount    ledger.Amount
		fromPrice int64
		toPrice   int64
		gives     ledger.Amount
		err       error
	}{
		{bnb, usdt, 1_00000000, 1080_00000000, 1_00000000, 1080_000000, nil},
		{usdt, bnb, 1_000000, 1_00000000, 3_00000000, 33333333, nil}, // a third, rounded down
		{usdt, bnb, 2_000000, 1_00000000, 3_00000000, 66666666, nil},
		{bnb, usdt, 1, 1080_00000000, 1_00000000, 10, nil}, // 0.0000108 is cut
		{bnb, usdt, 1, 1_00000000, 1_00000000, 0, nil},     // less than one smallest unit
		{bnb, rare, 99_99999999, 1_00000000, 1_00000000, 99, nil},
		{bnb, rare, 101_00000000, 1_00000000, 1_00000000, 0, ledger.ErrOverflow}, // more than there can be
		{bnb, bnb, ledger.MaxSupply, 1_00000000, 1_00000000, ledger.MaxSupply, nil},
		{bnb, usdt, ledger.MaxSupply, 1 << 62, 1, 0, ledger.ErrOverflow},
		{bnb, usdt, 1, 0, 1, 0, ledger.ErrInvalid},
		{bnb, usdt, 1, 1, 0, 0, ledger.ErrInvalid},
		{bnb, usdt, -1, 1, 1, 0, ledger.ErrInvalid},
	} {
		gives, err := conversion.Convert(c.from, c.to, c.amount, c.fromPrice, c.toPrice, 0)
		wants(t, err, c.err)
		if gives != c.gives {
			t.Errorf("%s %s at %d in %s at %d is %d, want %d", c.from.Format(c.amount), c.from.Symbol, c.fromPrice, c.to.Symbol,
				c.toPrice, gives, c.gives)
		}
	}
}

// TestConvertNeverGivesMore: what is given is worth at most what is taken, and one
// unit more of it would be worth more.
func TestConvertNeverGivesMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asset := func(name string) ledger.Asset {
			return ledger.Asset{Symbol: "A", Scale: rapid.IntRange(0, 18).Draw(t, name), MaxSupply: ledger.MaxSupply}
		}
		price := rapid.Int64Range(1, 1<<50)
		from, to := asset("from"), asset("to")
		amount, fromPrice, toPrice := rapid.Int64Range(0, int64(ledger.MaxSupply)).Draw(t, "amount"), price.Draw(t, "price"),
			price.Draw(t, "other price")
		gives, err := conversion.Convert(from, to, ledger.Amount(amount), fromPrice, toPrice, 0)
		worth := func(n, price int64, scale int) *big.Rat {
			unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
			return new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(n), big.NewInt(price)), unit)
		}
		taken := worth(amount, fromPrice, from.Scale)
		if err != nil {
			if worth(int64(ledger.MaxSupply), toPrice, to.Scale).Cmp(taken) >= 0 {
				t.Fatalf("refused, and would fit: %v", err)
			}
			return
		}
		if worth(int64(gives), toPrice, to.Scale).Cmp(taken) > 0 || worth(int64(gives)+1, toPrice, to.Scale).Cmp(taken) <= 0 {
			t.Fatalf("%d is not the amount rounded down", gives)
		}
	})
}

// TestConvertWithASpread: the spread is taken off before the one division, and so the
// result is rounded down once, against the holder.
func TestConvertWithASpread(t *testing.T) {
	bnb := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: ledger.MaxSupply}
	for _, c := range []struct {
		amount, gives ledger.Amount
		spread        int64
		err           error
	}{
		{1_00000000, 99750000, 25, nil},
		{10_000, 9_999, 1, nil},
		{9_999, 9_998, 1, nil}, // 9998.0001
		{1, 0, 1, nil},
		{1_00000000, 10_000, 9_999, nil},
		{1, 0, -1, ledger.ErrInvalid},
		{1, 0, 10_000, ledger.ErrInvalid},
	} {
		gives, err := conversion.Convert(bnb, bnb, c.amount, 7, 7, c.spread)
		wants(t, err, c.err)
		if gives != c.gives {
			t.Errorf("%d less %d basis points is %d, want %d", c.amount, c.spread, gives, c.gives)
		}
	}
}

func wants(t *testing.T, err, wanted error) {
	t.Helper()
	if !errors.Is(err, wanted) {
		t.Fatalf("%v is wanted, not %v", wanted, err)
	}
}

func TestValueAgreesWithBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asset := ledger.Asset{Symbol: "X", Scale: rapid.IntRange(0, 18).Draw(t, "scale")}
		amount := rapid.Int64().Draw(t, "amount")
		price := rapid.Int64().Draw(t, "price")
		got, err := conversion.Value(asset, ledger.Amount(amount), price)
		want := new(big.Int).Mul(big.NewInt(amount), big.NewInt(price))
		want.Div(want, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(asset.Scale)), nil))
		fits := amount >= 0 && price >= 0 && want.Cmp(big.NewInt(math.MaxInt64)) <= 0
		if fits != (err == nil) || (err != nil && !errors.Is(err, ledger.ErrOverflow)) ||
			(fits && want.Int64() != int64(got)) {
			t.Fatalf("%d at %d is %d, %v; want %s", amount, price, got, err, want)
		}
	})
	bnb := ledger.Asset{Symbol: "BNB", Scale: 8}
	// 0.00000557 × 623.45678901, rounded down
	if v, err := conversion.Value(bnb, 557, 623_45678901); err != nil || v != 347_265 {
		t.Errorf("%d, %v", v, err)
	}
}
