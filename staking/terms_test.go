package staking_test

import (
	"errors"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

var rateForm = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{
		"0", "0.0015", "0.008", "1", "10.73741823", "10.73741824", "-0.1", "0.00000001", "0.000000001", "0.10", "15%",
		"1e-3", "", ".5", "92233720368.54775807", "92233720368.54775808",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := staking.ParseRate(s)
		if !rateForm.MatchString(s) {
			if !errors.Is(err, ledger.ErrInvalid) || got != 0 {
				t.Fatalf("%q is read as %d, %v", s, got, err)
			}
			return
		}
		want, _ := new(big.Rat).SetString(s)
		want.Mul(want, big.NewRat(100_000_000, 1))
		exact := want.IsInt() && want.Num().BitLen() < 64
		if exact != (err == nil) || (err != nil && !errors.Is(err, ledger.ErrInvalid)) {
			t.Fatalf("%q is %s in 1e-8; it is read as %d, %v", s, want, got, err)
		}
		if err == nil && (want.Num().Cmp(big.NewInt(int64(got))) != 0) {
			t.Fatalf("%q is read as %d; want %s", s, got, want)
		}
		if back, again := staking.ParseRate(got.String()); err == nil && (again != nil || back != got) {
			t.Fatalf("%q is written %s and read as %d, %v", s, got, back, again)
		}
	})
}

func TestRates(t *testing.T) {
	for s, want := range map[string]staking.Rate{
		"0.0015": 150_000, "0": 0, "1": 100_000_000, "0.01": 1_000_000, "10.73741823": rateMax,
	} {
		if got, err := staking.ParseRate(s); err != nil || got != want || got.String() != s {
			t.Errorf("%s is read as %d, %v, and written %s", s, got, err, got)
		}
	}
	if _, err := staking.ParseRate("0.123456789"); err == nil || !strings.Contains(err.Error(), "APR") {
		t.Errorf("the message says which number is wrong: %v", err)
	}
}

func TestTermsCheck(t *testing.T) {
	asset := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 1_000}
	sound := staking.Terms{Asset: "BNB", Offered: true, APR: 150_000, Min: 5, Cap: 10}
	for _, c := range []struct {
		what   string
		change func(*staking.Terms)
		ok     bool
	}{
		{"sound", func(*staking.Terms) {}, true},
		{"not offered", func(t *staking.Terms) { t.Offered = false }, true},
		{"rate 0", func(t *staking.Terms) { t.APR = 0 }, true},
		{"rate below 0", func(t *staking.Terms) { t.APR = -1 }, false},
		{"the highest rate", func(t *staking.Terms) { t.APR = rateMax }, true},
		{"one above it", func(t *staking.Terms) { t.APR = rateMax + 1 }, false},
		{"minimum 0", func(t *staking.Terms) { t.Min = 0 }, true},
		{"minimum below 0", func(t *staking.Terms) { t.Min = -1 }, false},
		{"minimum and cap all there is", func(t *staking.Terms) { t.Min, t.Cap = 1_000, 1_000 }, true},
		{"minimum above all there is", func(t *staking.Terms) { t.Min, t.Cap = 1_001, 1_001 }, false},
		{"cap the minimum", func(t *staking.Terms) { t.Cap = 5 }, true},
		{"cap below the minimum", func(t *staking.Terms) { t.Cap = 4 }, false},
		{"cap 1", func(t *staking.Terms) { t.Min, t.Cap = 0, 1 }, true},
		{"cap 0", func(t *staking.Terms) { t.Min, t.Cap = 0, 0 }, false},
		{"cap below 0", func(t *staking.Terms) { t.Min, t.Cap = 0, -1 }, false},
		{"cap all there is", func(t *staking.Terms) { t.Cap = 1_000 }, true},
		{"cap above all there is", func(t *staking.Terms) { t.Cap = 1_001 }, false},
	} {
		terms := sound
		c.change(&terms)
		if err := terms.Check(asset); (err == nil) != c.ok || (err != nil && !errors.Is(err, ledger.ErrInvalid)) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	low := staking.Terms{Asset: "BNB", Min: 1_001, Cap: 1_001}
	if err := low.Check(asset); err == nil ||
		!strings.Contains(err.Error(), "minimum 0.00001001 is not between 0 and 0.00001") {
		t.Errorf("the message names the figure that is wrong: %v", err)
	}
}

func TestParseTerms(t *testing.T) {
	asset := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 20_000_000_000_000_000}
	got, err := staking.ParseTerms(asset, 5, "0.0015", "0.5", "1000")
	want := staking.Terms{Asset: "BNB", From: 5, Offered: true, APR: 150_000, Min: 50_000_000, Cap: 100_000_000_000}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, c := range [][3]string{
		{"x", "0.5", "1000"}, {"0.0015", "x", "1000"}, {"0.0015", "0.5", "x"}, {"11", "0.5", "1000"},
		{"0.0015", "2", "1"},
		{"0.0015", "0.5", "200000000.00000001"}, {"-0.1", "0.5", "1"}, {"0.0015", "0.000000001", "1"},
	} {
		if got, err := staking.ParseTerms(asset, 5, c[0], c[1], c[2]); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%v is read as %+v, %v", c, got, err)
		}
	}
}

// The table of rules.md, the tokens: every number of it.
func TestShippedTokens(t *testing.T) {
	type row struct{ Symbol, Minimum, Cap, Rate string }
	table := []row{
		{"BNB", "0.5", "1000", "0.0015"},
		{"SOL", "1", "10000", "0.008"},
		{"ADA", "150", "800000", "0.005"},
		{"SUI", "100", "50000", "0.01"},
		{"TON", "100", "250000", "0.006"},
		{"NEAR", "100", "50000", "0.006"},
		{"POL", "500", "500000", "0.01"},
		{"ALGO", "1000", "1000000", "0.008"},
		{"S", "200", "500000", "0.01"},
		{"AXS", "100", "50000", "0.01"},
	}
	tokens, err := staking.ShippedTokens(20_779)
	if err != nil || len(tokens) != len(table) {
		t.Fatalf("%d tokens, %v", len(tokens), err)
	}
	for i, want := range table {
		asset, terms := tokens[i].Asset, tokens[i].Terms
		got := row{asset.Symbol, asset.Format(terms.Min), asset.Format(terms.Cap), terms.APR.String()}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if err := errors.Join(asset.Check(), terms.Check(asset)); err != nil || asset.Scale != 8 {
			t.Errorf("%s has %d decimals: %v", want.Symbol, asset.Scale, err)
		}
		if terms.Asset != want.Symbol || terms.From != 20_779 || !terms.Offered {
			t.Errorf("%s: the terms are %+v", want.Symbol, terms)
		}
		if asset.MaxSupply < 1_000*terms.Cap && asset.MaxSupply/100_000_000 < 100_000_000 {
			t.Errorf("%s: a supply of %s does not leave the cap room", want.Symbol, asset.Format(asset.MaxSupply))
		}
	}
}

func TestShippedDocuments(t *testing.T) {
	texts := staking.ShippedDocuments()
	if len(texts) != 3 || len(staking.DocumentNames) != 3 {
		t.Errorf("there are %d texts and %d names", len(texts), len(staking.DocumentNames))
	}
	for _, name := range staking.DocumentNames {
		if strings.TrimSpace(texts[name]) == "" {
			t.Errorf("%s has no text", name)
		}
	}
}

// TestAWrongRateIsNamed: of several rates in one change, the error says which.
func TestAWrongRateIsNamed(t *testing.T) {
	asset, wrong := ledger.Asset{Symbol: "SOL", Scale: 8, MaxSupply: 1000}, "0.123456789"
	for want, change := range map[string]staking.TermsChange{
		"APR ": {APR: &wrong}, "fee ": {Fee: &wrong}, "gross rate ": {GrossAPR: &wrong},
	} {
		_, err := change.Apply(asset, staking.Terms{Asset: "SOL", Cap: 1})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
