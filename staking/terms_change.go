package staking

import (
	"cmp"

	"github.com/softstake/softstake/ledger"
)

// TermsChange is what of terms is to be changed, as text where it is a figure: rates as
// ParseRate reads them, amounts in whole tokens. What is nil stays as it is.
type TermsChange struct {
	APR, Min, Cap, Fee *string
	Offered            *bool
	Mode, Measure      *string
	PerOwner           *bool
	GrossAPR           *string // "0": it is not stated
}

// Apply returns the terms with the change, checked. The mode Share sets both rates to zero
// unless they are given, and the way back to Fixed needs an APR. Where a gross rate and a fee
// are given and no APR, the APR follows from them. Its errors are ledger.ErrInvalid.
func (c TermsChange) Apply(asset ledger.Asset, t Terms) (Terms, error) {
	return c.apply(asset, t, t.Mode == Fixed)
}

// Hypothetical is the change after which no holder reads the terms: a gross rate that it does not give is not stated.
// The recorded one would contradict another rate or another fee.
func (c TermsChange) Hypothetical() TermsChange {
	c.GrossAPR = cmp.Or(c.GrossAPR, new("0"))
	return c
}

// First returns the first terms of a token, which hold from a day on: on offer, in the mode
// Fixed, and measured by the average, unless the change says otherwise. They need a minimum
// and a cap. Errors as of Apply.
func (c TermsChange) First(asset ledger.Asset, from Day) (Terms, error) {
	t := Terms{Asset: asset.Symbol, From: from, Offered: true}
	if c.Min == nil || c.Cap == nil {
		return t, ledger.ErrInvalid.In("minimum", "terms of %s: state a minimum and a cap", t.Asset)
	}
	return c.apply(asset, t, false)
}

// apply changes the terms; hasRate says that their APR was stated.
func (c TermsChange) apply(asset ledger.Asset, t Terms, hasRate bool) (Terms, error) {
	var err error
	for _, f := range []struct {
		field string
		text  *string
		set   func(string) error
	}{
		{"", c.Mode, func(s string) error { t.Mode, err = ParseMode(s); return err }},
		{"apr", c.APR, func(s string) error { t.APR, err = ParseRate(s); return err }},
		{"minimum", c.Min, func(s string) error { t.Min, err = asset.Parse(s); return err }},
		{"cap", c.Cap, func(s string) error { t.Cap, err = asset.Parse(s); return err }},
		{"fee", c.Fee, func(s string) error { t.Fee, err = parseRate("fee", s); return err }},
		{"", c.Measure, func(s string) error { t.Measure, err = ParseMeasure(s); return err }},
		{"grossApr", c.GrossAPR, func(s string) error { t.GrossAPR, err = parseRate("gross rate", s); return err }},
	} {
		if f.text == nil {
			continue
		}
		if err := f.set(*f.text); err != nil {
			return t, ledger.At(f.field, err)
		}
	}
	if c.Offered != nil {
		t.Offered = *c.Offered
	}
	if c.PerOwner != nil {
		t.PerOwner = *c.PerOwner
	}
	switch {
	case c.APRFollows(t):
		t.APR = t.GrossAPR.Net(t.Fee)
	case t.Mode == Fixed && c.APR == nil && !hasRate:
		return t, ledger.ErrInvalid.In("apr", "terms of %s: state the APR, since the mode is fixed", t.Asset)
	case t.Mode == Share:
		if c.APR == nil {
			t.APR = 0
		}
		if c.GrossAPR == nil {
			t.GrossAPR = 0
		}
	}
	return t, t.Check(asset)
}

// APRFollows reports whether the APR of changed terms is what a given gross rate leaves after a given fee. A change
// of one of the two alone states no other APR: what holders get does not change as a side effect.
func (c TermsChange) APRFollows(t Terms) bool {
	return t.Mode == Fixed && c.APR == nil && c.Fee != nil && c.GrossAPR != nil && t.GrossAPR != 0
}
