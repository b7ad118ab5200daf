package ledger

import (
	"fmt"
	"math"
	"math/big"
	"strings"
)

// Amount is a number of an asset's smallest units. Its scale is the asset's.
type Amount int64

// MaxSupply bounds what an asset may have in circulation, so that the sum of
// two amounts of it fits an int64: 2^62−1.
const MaxSupply Amount = 1<<62 - 1

// Add returns a+b, or ErrOverflow.
func (a Amount) Add(b Amount) (Amount, error) {
	if (b > 0 && a > math.MaxInt64-b) || (b < 0 && a < math.MinInt64-b) {
		return 0, ErrOverflow
	}
	return a + b, nil
}

// Sub returns a−b, or ErrOverflow.
func (a Amount) Sub(b Amount) (Amount, error) {
	if (b < 0 && a > math.MaxInt64+b) || (b > 0 && a < math.MinInt64+b) {
		return 0, ErrOverflow
	}
	return a - b, nil
}

// Asset is something an account can hold.
type Asset struct {
	Symbol    string // 1 to 20 of A-Z and 0-9
	Scale     int    // decimals kept, 0 to 18
	MaxSupply Amount // the most there can be, in smallest units, at most 2^62−1
}

// BySymbol are assets by their symbols.
func BySymbol(all []Asset) map[string]Asset {
	assets := make(map[string]Asset, len(all))
	for _, a := range all {
		assets[a.Symbol] = a
	}
	return assets
}

// Check returns ErrInvalid unless the symbol, the scale and the supply are in range.
func (a Asset) Check() error {
	if len(a.Symbol) < 1 || len(a.Symbol) > 20 {
		return ErrInvalid.In("asset", "asset %q: a symbol has 1 to 20 characters", Clip(a.Symbol))
	}
	for _, c := range a.Symbol {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return ErrInvalid.In("asset", "asset %q: a symbol is made of A-Z and 0-9", Clip(a.Symbol))
		}
	}
	if a.Scale < 0 || a.Scale > 18 {
		return ErrInvalid.In("scale", "asset %s: %d decimals; 0 to 18 can be kept", a.Symbol, a.Scale)
	}
	if a.MaxSupply < 1 || a.MaxSupply > MaxSupply {
		return ErrInvalid.In("maxSupply",
			"asset %s: its largest supply does not fit at %d decimals; keep fewer decimals", a.Symbol, a.Scale)
	}
	return nil
}

// Parse reads a decimal number such as "2.5" or "-0.00000001" as the asset's smallest
// units, exactly: more decimals than the asset keeps are an error. There is no exponent, no
// plus sign, no separator. Its errors are ErrInvalid.
func (a Asset) Parse(s string) (Amount, error) {
	n, err := ParseDecimal(s, a.Scale)
	if err != nil {
		return 0, fmt.Errorf("%s amount %w", a.Symbol, err)
	}
	return Amount(n), nil
}

// Format writes an amount of the asset without trailing zeros: "2.5", "0".
func (a Asset) Format(n Amount) string { return FormatDecimal(int64(n), a.Scale) }

// ParseDecimal reads a decimal number as units of 10^-scale, exactly. Its errors are ErrInvalid.
func ParseDecimal(s string, scale int) (int64, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if whole == "" || (point && fraction == "") || !allDigits(whole) || !allDigits(fraction) {
		return 0, ErrInvalid.In("", "%q is not a decimal number such as 2.5", Clip(s))
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > scale {
		return 0, ErrInvalid.In("", "%q has %d decimals, %d are kept", Clip(s), len(fraction), scale)
	}
	var n int64
	for _, c := range whole + fraction + strings.Repeat("0", scale-len(fraction)) {
		d := int64(c - '0')
		if n > (math.MaxInt64-d)/10 {
			return 0, ErrInvalid.In("", "%q: %w at %d decimals", Clip(s), ErrOverflow, scale)
		}
		n = n*10 + d
	}
	if negative {
		n = -n
	}
	return n, nil
}

// FormatDecimal writes n units of 10^-scale without trailing zeros.
func FormatDecimal(n int64, scale int) string {
	if n < 0 {
		return "-" + point(fmt.Sprintf("%0*d", scale+1, -uint64(n)), scale)
	}
	return point(fmt.Sprintf("%0*d", scale+1, n), scale)
}

// FormatBig is FormatDecimal of a number of any length.
func FormatBig(n *big.Int, scale int) string {
	digits := point(fmt.Sprintf("%0*s", scale+1, new(big.Int).Abs(n)), scale)
	if n.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// point puts the decimal point into digits, more than scale of them, and removes zeros at
// the end.
func point(digits string, scale int) string {
	whole, fraction := digits[:len(digits)-scale], strings.TrimRight(digits[len(digits)-scale:], "0")
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Clip shortens what came from outside before it is quoted in a message.
func Clip(s string) string {
	if len(s) > 60 {
		return s[:57] + "..."
	}
	return s
}
