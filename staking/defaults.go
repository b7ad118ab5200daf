package staking

import (
	_ "embed"

	"github.com/softstake/softstake/ledger"
)

// Token is an asset with the terms it is offered under.
type Token struct {
	Asset ledger.Asset
	Terms Terms
}

// Check returns ledger.ErrInvalid unless the asset and its terms can be.
func (t Token) Check() error {
	if err := t.Asset.Check(); err != nil {
		return err
	}
	if t.Terms.Asset != t.Asset.Symbol {
		return ledger.ErrInvalid.In("", "asset %s: its terms are those of %q", t.Asset.Symbol, ledger.Clip(t.Terms.Asset))
	}
	return t.Terms.Check(t.Asset)
}

// shipped are the tokens of the guide of August 2025; minimums from the
// product's FAQ, the figures of BNB and SUI from its API's examples, the other
// caps and rates our own defaults (rules: the tokens). maxSupply is in whole tokens.
var shipped = []struct {
	symbol             string
	maxSupply          int64
	minimum, cap, rate string
}{
	{"BNB", 200_000_000, "0.5", "1000", "0.0015"},
	{"SOL", 1_000_000_000, "1", "10000", "0.008"},
	{"ADA", 45_000_000_000, "150", "800000", "0.005"},
	{"SUI", 10_000_000_000, "100", "50000", "0.01"},
	{"TON", 10_000_000_000, "100", "250000", "0.006"},
	{"NEAR", 2_000_000_000, "100", "50000", "0.006"},
	{"POL", 20_000_000_000, "500", "500000", "0.01"},
	{"ALGO", 10_000_000_000, "1000", "1000000", "0.008"},
	{"S", 10_000_000_000, "200", "500000", "0.01"},
	{"AXS", 270_000_000, "100", "50000", "0.01"},
}

const shippedScale = 8

// ShippedTokens are the ten tokens of new books, their terms dated from a day.
func ShippedTokens(from Day) ([]Token, error) {
	tokens := make([]Token, 0, len(shipped))
	for _, s := range shipped {
		asset := ledger.Asset{
			Symbol: s.symbol, Scale: shippedScale, MaxSupply: ledger.Amount(s.maxSupply) * 100_000_000,
		}
		terms, err := ParseTerms(asset, from, s.rate, s.minimum, s.cap)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, Token{asset, terms})
	}
	return tokens, nil
}

// What new books begin with, as parts of a token's largest supply, rounded down: more than a large exchange needs, and
// little of all there is.
const (
	shippedTotal      = 100_000   // of a day's rewards
	shippedWithdrawal = 1_000_000 // from which on one needs approval, with four eyes
	shippedInflow     = 100       // of a day
	shippedChange     = 50_00     // in hundredths of a percent
	shippedAPR        = Whole / 5
)

// ShippedLimit are the limits of a token of new books: 0.001 % of its largest supply as a day's rewards, 50 % change of
// a day's total, 0.0001 % of the supply as a withdrawal without approval, an APR of 20 %, and 1 % of the supply brought
// in on a day.
func ShippedLimit(a ledger.Asset) Limit {
	return Limit{Asset: a.Symbol, MaxTotal: a.MaxSupply / shippedTotal, MaxChange: shippedChange,
		MaxWithdrawal: a.MaxSupply / shippedWithdrawal, MaxAPR: shippedAPR, MaxInflow: a.MaxSupply / shippedInflow}
}

// NoLimit is a token without limits.
func NoLimit(a ledger.Asset) Limit { return Limit{Asset: a.Symbol} }

// ParseTerms reads the figures of terms as decimal numbers: a rate a year such as
// "0.0015", minimum and cap in whole tokens. Its errors are ledger.ErrInvalid.
func ParseTerms(asset ledger.Asset, from Day, apr, minimum, cap string) (Terms, error) {
	rate, err := ParseRate(apr)
	if err != nil {
		return Terms{}, err
	}
	low, err := asset.Parse(minimum)
	if err != nil {
		return Terms{}, err
	}
	high, err := asset.Parse(cap)
	if err != nil {
		return Terms{}, err
	}
	t := Terms{Asset: asset.Symbol, From: from, Offered: true, APR: rate, Min: low, Cap: high}
	return t, t.Check(asset)
}

// ShippedRegions are where the product is not offered: ISO 3166-1 alpha-2, and
// ISO 3166-2 where only a part of a country is meant (rules: the switch).
func ShippedRegions() []Region {
	return []Region{
		"US", "AS", "GU", "MP", "PR", "UM", "VI", "CU", "IR", "KP", "SY", "UA-14", "UA-09", "UA-43", "UA-40",
	}
}

// The names of the documents that a holder accepts.
const (
	TermsOfUse       = "terms-of-use"
	SoftStakingTerms = "soft-staking-terms"
	RiskWarning      = "risk-warning"
)

// DocumentNames are the three documents, in the order in which they are shown.
var DocumentNames = []string{TermsOfUse, SoftStakingTerms, RiskWarning}

//go:embed documents/terms-of-use.md
var termsOfUse string

//go:embed documents/soft-staking-terms.md
var softStakingTerms string

//go:embed documents/risk-warning.md
var riskWarning string

// ShippedDocuments are the texts of version 1, by name. An operator publishes their own.
func ShippedDocuments() map[string]string {
	return map[string]string{TermsOfUse: termsOfUse, SoftStakingTerms: softStakingTerms, RiskWarning: riskWarning}
}
