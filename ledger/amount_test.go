package ledger_test

import (
	"errors"
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
)

// A sum is right or it is ErrOverflow, wherever in 64 bits its parts lie.
func TestAddAndSubAgreeWithBig(t *testing.T) {
	edges := []ledger.Amount{
		math.MinInt64, math.MinInt64 + 1, -1<<62 - 1, -1 << 62, -1<<62 + 1, -2, -1, 0, 1, 2,
		1<<62 - 1, 1 << 62, 1<<62 + 1, math.MaxInt64 - 1, math.MaxInt64,
	}
	for _, a := range edges {
		for _, b := range edges {
			checkAddSub(t, a, b)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		checkAddSub(t, ledger.Amount(a), ledger.Amount(b))
	})
}

func checkAddSub(t rapid.TB, a, b ledger.Amount) {
	t.Helper()
	x, y := big.NewInt(int64(a)), big.NewInt(int64(b))
	sum, err := a.Add(b)
	checkAgainst(t, "sum", sum, err, new(big.Int).Add(x, y))
	difference, err := a.Sub(b)
	checkAgainst(t, "difference", difference, err, new(big.Int).Sub(x, y))
}

func checkAgainst(t rapid.TB, what string, got ledger.Amount, err error, want *big.Int) {
	t.Helper()
	switch {
	case want.IsInt64() && (err != nil || int64(got) != want.Int64()):
		t.Fatalf("%s is %d, %v; want %s", what, got, err, want)
	case !want.IsInt64() && (!errors.Is(err, ledger.ErrOverflow) || got != 0):
		t.Fatalf("%s is %d, %v; want ErrOverflow, for it is %s", what, got, err, want)
	}
}

// What a decimal number is, said a second time, with big fractions: at most 63
// bits of units on either side of zero.
var decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

func bigDecimal(s string, scale int) (int64, bool) {
	if !decimal.MatchString(s) {
		return 0, false
	}
	n, _ := new(big.Rat).SetString(s)
	n.Mul(n, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
	if !n.IsInt() || !n.Num().IsInt64() || n.Num().Int64() == math.MinInt64 {
		return 0, false
	}
	return n.Num().Int64(), true
}

func checkDecimal(t rapid.TB, s string, scale int) {
	t.Helper()
	want, ok := bigDecimal(s, scale)
	got, err := ledger.ParseDecimal(s, scale)
	if !ok {
		if !errors.Is(err, ledger.ErrInvalid) || got != 0 {
			t.Fatalf("%q at scale %d is read as %d, %v; want 0, ErrInvalid", s, scale, got, err)
		}
		return
	}
	if err != nil || got != want {
		t.Fatalf("%q at scale %d is read as %d, %v; want %d", s, scale, got, err, want)
	}
	checkFormat(t, got, scale)
}

var canonical = regexp.MustCompile(`^(0|-?[1-9][0-9]*|-?(0|[1-9][0-9]*)\.[0-9]*[1-9])$`)

// checkFormat shows that an amount is written in the one shortest way and read back as itself.
func checkFormat(t rapid.TB, n int64, scale int) {
	t.Helper()
	s := ledger.FormatDecimal(n, scale)
	if !canonical.MatchString(s) {
		t.Fatalf("%d at scale %d is written %q", n, scale, s)
	}
	if back, err := ledger.ParseDecimal(s, scale); err != nil || back != n {
		t.Fatalf("%d at scale %d is written %q and read back as %d, %v", n, scale, s, back, err)
	}
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{
		"0", "-0", "0.0", "2.5", "-0.00000001", "0.000000001", "007", "1.", ".5", ".", "-", "--1", "+1", "1e3", "1,5",
		" 1", "1 ", "1\n", "1.2.3", "0x10", "1_000", "٣", "NaN", "Inf", "", "1.50", "1.000000000000000000000000",
		"92233720368.54775807", "92233720368.54775808", "9223372036854775807", "9223372036854775808",
		"-9223372036854775807", "-9223372036854775808", "99999999999999999999999999", "1.-5",
	} {
		for _, scale := range []byte{0, 8, 18} {
			f.Add(s, scale)
		}
	}
	f.Fuzz(func(t *testing.T, s string, scale byte) { checkDecimal(t, s, int(scale%19)) })
}

// Strings that look like numbers far more often than a fuzzer's do.
func TestDecimalsAgreeWithBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`-?[0-9]{0,21}\.?[0-9]{0,20}`).Draw(t, "s")
		checkDecimal(t, s, rapid.IntRange(0, 18).Draw(t, "scale"))
	})
}

func TestAmountsAreReadBackAsWritten(t *testing.T) {
	edges := []int64{
		-math.MaxInt64, -1 << 62, -100_000_000, -1, 0, 1, 10, 99_999_999, 100_000_000, 1 << 62, math.MaxInt64,
	}
	for scale := range 19 {
		for _, n := range edges {
			checkFormat(t, n, scale)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "n")
		checkFormat(t, n, rapid.IntRange(0, 18).Draw(t, "scale"))
	})
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		n     ledger.Amount
		scale int
		want  string
	}{
		{0, 8, "0"}, {0, 0, "0"}, {214_000_000, 8, "2.14"}, {-1, 8, "-0.00000001"}, {10_000_000_000, 8, "100"},
		{557, 8, "0.00000557"}, {100, 0, "100"}, {1, 18, "0.000000000000000001"},
		{math.MaxInt64, 8, "92233720368.54775807"},
		{math.MinInt64, 8, "-92233720368.54775808"}, {math.MinInt64, 0, "-9223372036854775808"},
		{math.MinInt64, 18, "-9.223372036854775808"},
	} {
		if got := (ledger.Asset{Symbol: "BNB", Scale: c.scale}).Format(c.n); got != c.want {
			t.Errorf("%d at scale %d is written %q; want %q", c.n, c.scale, got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	bnb := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: ledger.MaxSupply}
	if n, err := bnb.Parse("2.5000000000"); err != nil || n != 250_000_000 {
		t.Errorf("zeros beyond the scale lose nothing: %d, %v", n, err)
	}
	_, err := bnb.Parse("0.123456789")
	if !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), "BNB") ||
		!strings.Contains(err.Error(), "9 decimals, 8 are kept") {
		t.Errorf("too many digits are said plainly, not rounded: %v", err)
	}
	if _, err = bnb.Parse("92233720368.54775808"); !errors.Is(err, ledger.ErrOverflow) ||
		!errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("one unit too many is both invalid and an overflow: %v", err)
	}
	if _, err = bnb.Parse(strings.Repeat("9", 100_000)); err == nil || len(err.Error()) > 300 {
		t.Errorf("a message does not repeat a long input: %v", err)
	}
}

func TestAssetCheck(t *testing.T) {
	sound := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 20_000_000_000_000_000}
	for _, c := range []struct {
		what   string
		change func(*ledger.Asset)
		ok     bool
	}{
		{"sound", func(*ledger.Asset) {}, true},
		{"symbol of one", func(a *ledger.Asset) { a.Symbol = "S" }, true},
		{"symbol with digits", func(a *ledger.Asset) { a.Symbol = "1000SATS" }, true},
		{"symbol of 20", func(a *ledger.Asset) { a.Symbol = strings.Repeat("A", 20) }, true},
		{"symbol of 21", func(a *ledger.Asset) { a.Symbol = strings.Repeat("A", 21) }, false},
		{"no symbol", func(a *ledger.Asset) { a.Symbol = "" }, false},
		{"small letters", func(a *ledger.Asset) { a.Symbol = "bnb" }, false},
		{"a space", func(a *ledger.Asset) { a.Symbol = "B NB" }, false},
		{"not ASCII", func(a *ledger.Asset) { a.Symbol = "ÄÖ" }, false},
		{"scale 0", func(a *ledger.Asset) { a.Scale = 0 }, true},
		{"scale 18", func(a *ledger.Asset) { a.Scale = 18 }, true},
		{"scale 19", func(a *ledger.Asset) { a.Scale = 19 }, false},
		{"scale below zero", func(a *ledger.Asset) { a.Scale = -1 }, false},
		{"supply of one unit", func(a *ledger.Asset) { a.MaxSupply = 1 }, true},
		{"no supply", func(a *ledger.Asset) { a.MaxSupply = 0 }, false},
		{"the largest supply", func(a *ledger.Asset) { a.MaxSupply = 1<<62 - 1 }, true},
		{"one above it", func(a *ledger.Asset) { a.MaxSupply = 1 << 62 }, false},
	} {
		a := sound
		c.change(&a)
		if err := a.Check(); (err == nil) != c.ok || (err != nil && !errors.Is(err, ledger.ErrInvalid)) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestClip(t *testing.T) {
	if s := strings.Repeat("a", 60); ledger.Clip(s) != s {
		t.Error("60 characters are left whole")
	}
	if s := ledger.Clip(strings.Repeat("a", 61)); len(s) != 60 || !strings.HasSuffix(s, "a...") {
		t.Errorf("61 characters become %q", s)
	}
}

func TestFormatBigIsFormatDecimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, scale := rapid.Int64().Draw(t, "n"), rapid.IntRange(0, 18).Draw(t, "scale")
		if got, want := ledger.FormatBig(big.NewInt(n), scale), ledger.FormatDecimal(n, scale); got != want {
			t.Fatalf("%s instead of %s", got, want)
		}
	})
	large := new(big.Int).Lsh(big.NewInt(5), 100)
	if got := ledger.FormatBig(large.Neg(large), 1); got != "-633825300114114700748351602688" {
		t.Errorf("-5 × 2^100 at one decimal is %s", got)
	}
}
