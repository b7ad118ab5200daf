package history

import (
	"math/big"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
)

func TestParseAmount(t *testing.T) {
	tests := []struct {
		text    string
		scale   int
		want    ledger.Amount
		rounded bool
	}{
		{"2.5", 8, 250000000, false},
		{"-0.5", 8, -50000000, false},
		{"+1", 8, 100000000, false},
		{".5", 1, 5, false},
		{"5.", 1, 50, false},
		{"007", 0, 7, false},
		{"1.500000000000", 8, 150000000, false},
		{"9.62e-06", 8, 962, false},
		{"1E+3", 2, 100000, false},
		{"1.5e1", 0, 15, false},
		{"0.000000005", 8, 1, true},
		{"-0.000000005", 8, -1, true},
		{"0.0000000049999999999999999", 8, 0, true},
		{"0.000000014999999999", 8, 1, true},
		{"0.000000015", 8, 2, true},
		{"-0.000000015", 8, -2, true},
		{"0.99999999999", 8, 100000000, true},
		{"1e-40", 8, 0, true},
		{"9e-9", 8, 1, true},
		{"9e-10", 8, 0, true},
		{"0e40", 8, 0, false},
		{"0." + strings.Repeat("0", 500) + "1", 8, 0, true},
		{"92233720368.54775807", 8, 1<<63 - 1, false},
		{"-92233720368.54775807", 8, -(1<<63 - 1), false},
		{"92233720368.547758074", 8, 1<<63 - 1, true},
		{strings.Repeat("0", 500) + "1", 0, 1, false},
		{"1e00000000000000000000002", 0, 100, false},
	}
	for _, test := range tests {
		n, rounded, err := parseAmount(test.text, test.scale)
		if err != nil || n != test.want || rounded != test.rounded {
			t.Errorf("%s at %d: %d, rounded %t, %v; want %d, rounded %t",
				test.text, test.scale, n, rounded, err, test.want, test.rounded)
		}
	}
}

func TestParseAmountRefuses(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "no amount"},
		{"-", "not a number"}, {".", "not a number"}, {"e5", "not a number"}, {"1e", "not a number"},
		{"1e+", "not a number"}, {"1e1.5", "not a number"}, {"1,000", "can be read in two ways"},
		{"0x10", "not a number"},
		{"1_000", "not a number"}, {"--1", "not a number"}, {"1.2.3", "not a number"}, {"NaN", "not a number"},
		{"Infinity", "not a number"}, {"٣", "not a number"}, {"1 000", "not a number"},
		{"1e41", "exponent past 40"}, {"1e-41", "exponent past 40"}, {"0e99", "exponent past 40"},
		{"1e99999999999999999999999", "exponent past 40"},
		{"92233720368.54775808", "does not fit 63 bits"}, {"-92233720368.54775808", "does not fit 63 bits"},
		{"92233720368.547758075", "does not fit 63 bits"}, {"1e40", "does not fit 63 bits"},
	}
	for _, test := range tests {
		_, _, err := parseAmount(test.text, 8)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v; want %q", test.text, err, test.want)
		}
	}
}

// FuzzParseAmount compares with math/big, which reads and rounds in its own way.
func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{
		"2.5", "-1e-7", "0.000000005", "92233720368.54775807", "1e40", "+.5E+2", "1e41", "x",
	} {
		f.Add(seed, 8)
	}
	f.Fuzz(func(t *testing.T, text string, scale int) {
		if scale < 0 || scale > 18 || len(text) > 200 {
			return
		}
		n, rounded, err := parseAmount(text, scale)
		if err != nil {
			return
		}
		mantissa := strings.TrimPrefix(text, "+")
		exact, ok := new(big.Rat).SetString(mantissa)
		if !ok {
			t.Fatalf("%q was read, and math/big cannot", text)
		}
		exact.Mul(exact, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
		got := new(big.Rat).SetInt64(int64(n))
		if rounded == (exact.Cmp(got) == 0) {
			t.Fatalf("%q at %d: %d, rounded %t", text, scale, n, rounded)
		}
		if want := roundHalfAway(exact); !want.IsInt64() || want.Int64() != int64(n) {
			t.Fatalf("%q at %d: %d, want %s", text, scale, n, want)
		}
	})
}

// roundHalfAway is floor(|x| + 1/2) with the sign of x.
func roundHalfAway(x *big.Rat) *big.Int {
	up := new(big.Rat).Add(new(big.Rat).Abs(x), big.NewRat(1, 2))
	whole := new(big.Int).Quo(up.Num(), up.Denom())
	if x.Sign() < 0 {
		whole.Neg(whole)
	}
	return whole
}
