package ui

import (
	"math"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
)

var bnb = ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 200_000_000_00000000}

// byTag are the languages by tag.
func byTag(t *testing.T) map[string]*Locale {
	t.Helper()
	of := map[string]*Locale{}
	for _, l := range localesOf(t, "web").All {
		of[l.Tag] = l
	}
	return of
}

func TestAmountsAreReadAsTheLanguageWritesThem(t *testing.T) {
	of := byTag(t)
	for _, c := range []struct {
		language, typed string
		want            ledger.Amount
		fault           string // key
	}{
		{"en", "1.5", 1_50000000, ""},
		{"de", "1.5", 1_50000000, ""},
		{"de", "1,5", 1_50000000, ""},
		{"en", "1,5", 0, "amount.not-a-number"},
		{"en", " 2 ", 2_00000000, ""},
		{"en", ".5", 50000000, ""},
		{"de", ",5", 50000000, ""},
		{"en", "5.", 5_00000000, ""},
		{"en", "1.500", 1_50000000, ""},
		{"de", "1.500", 0, "amount.two-ways"},
		{"de", "1,500", 1_50000000, ""},
		{"en", "1,500", 0, "amount.two-ways"},
		{"en", "0.500", 50000000, ""},
		{"de", "0.500", 50000000, ""}, // no thousands begin with a zero
		{"de", "1234.500", 1234_50000000, ""},
		{"de", "1.500,25", 1500_25000000, ""},
		{"en", "1,500.25", 1500_25000000, ""},
		{"de", "1.234.567", 1234567_00000000, ""},
		{"en", "1,234,567", 1234567_00000000, ""},
		{"en", "1.234.567", 0, "amount.not-a-number"},
		{"en", "1,23,456", 0, "amount.not-a-number"},
		{"en", "1,2345.6", 0, "amount.not-a-number"},
		{"en", "1.234,5", 0, "amount.not-a-number"},
		{"en", "2.5 BNB", 2_50000000, ""},
		{"en", "2.5\u00a0bnb", 2_50000000, ""},
		{"en", "2.5BNB", 0, "amount.not-a-number"},
		{"en", "0.00000001", 1, ""},
		{"en", "1.100000000", 1_10000000, ""},
		{"en", "0.000000001", 0, "amount.decimals"},
		{"en", "0", 0, "amount.zero"},
		{"en", "0.00", 0, "amount.zero"},
		{"en", "-1", 0, "amount.negative"},
		{"en", "−1", 0, "amount.negative"},
		{"en", "", 0, "amount.empty"},
		{"en", "  ", 0, "amount.empty"},
		{"en", ".", 0, "amount.not-a-number"},
		{"en", "1e3", 0, "amount.not-a-number"},
		{"en", "+1", 0, "amount.not-a-number"},
		{"en", "0x10", 0, "amount.not-a-number"},
		{"en", "1 500", 0, "amount.not-a-number"},
		{"en", "١", 0, "amount.not-a-number"},
		{"en", "NaN", 0, "amount.not-a-number"},
		{"en", "200000000", bnb.MaxSupply, ""},
		{"en", "200000000.00000001", 0, "amount.supply"},
		{"en", "99999999999999999999999999", 0, "amount.supply"},
	} {
		l := of[c.language]
		n, fault := l.ParseAmount(bnb, c.typed)
		begins, _, _ := strings.Cut(l.texts[c.fault], "{")
		if n != c.want || (fault == "") != (c.fault == "") ||
			!strings.HasPrefix(strings.TrimPrefix(fault, c.typed), begins) {
			t.Errorf("%s: %q is %d, %q; want %d, %s", c.language, c.typed, n, fault, c.want, c.fault)
		}
	}
	_, fault := of["de"].ParseAmount(bnb, "1.500")
	if !strings.Contains(fault, "1500") || !strings.Contains(fault, "1,5") {
		t.Errorf("both ways are not shown: %s", fault)
	}
	digit := ledger.Asset{Symbol: "1", Scale: 0, MaxSupply: ledger.MaxSupply}
	if n, _ := of["en"].ParseAmount(digit, "21"); n != 21 {
		t.Errorf("21 of an asset called 1 is %d", n)
	}
}

// FuzzAmount: what is accepted is, written as it would be typed, the same amount;
// written as pages do, the same or asked about; and another language that accepts
// the same text takes it for the same amount.
func FuzzAmount(f *testing.F) {
	for _, text := range []string{
		"1.5", "1,5", "1.500", "1,500.25", "1.234.567,8", ".5", "0.00000001", "9223372036854775807", "5 BNB", "-1",
		"1e9",
	} {
		f.Add(text, uint8(8))
	}
	all := localesOf(f, "web")
	f.Fuzz(func(t *testing.T, text string, scale uint8) {
		a := ledger.Asset{Symbol: "BNB", Scale: int(scale % 19), MaxSupply: ledger.MaxSupply}
		first := ledger.Amount(math.MinInt64)
		for _, l := range all.All {
			n, fault := l.ParseAmount(a, text)
			if (n == 0) == (fault == "") || n < 0 {
				t.Fatalf("%s: %q is %d, %q", l.Tag, text, n, fault)
			}
			if fault != "" {
				continue
			}
			if first != math.MinInt64 && first != n {
				t.Fatalf("%q is %d in one language and %d in another", text, first, n)
			}
			first = n
			if again, fault := l.ParseAmount(a, l.Typed(a, n)); again != n {
				t.Fatalf("%s: %q is %d, typed %q, and then %d, %q", l.Tag, text, n, l.Typed(a, n), again, fault)
			}
			shown := l.Number(a.Format(n)) + " " + a.Symbol
			if again, _ := l.ParseAmount(a, shown); again != n && again != 0 {
				t.Fatalf("%s: %d is shown as %q, and read as %d", l.Tag, n, shown, again)
			}
		}
	})
}
