package staking

import (
	"cmp"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// Exclusion is a period in which another product of the exchange, such as a launchpool, has
// priority over Soft Staking: what an account has of a token is not measured, in whole UTC
// days.
type Exclusion struct {
	Account ledger.Account
	Asset   string // the token; "": every token of the account
	Product string // which has priority: 1 to 40 characters, as the holder reads them
	From    Day    // the first day that is not measured
	Until   Day    // the first day that is measured again, or Forever; From: it covers no day
}

// MaxProduct is how many characters the name of a product may have.
const MaxProduct = 40

// Covers reports whether a token is not measured on a day because of the exclusion.
func (e Exclusion) Covers(asset string, d Day) bool {
	return (e.Asset == "" || e.Asset == asset) && e.From <= d && d < e.Until
}

// Check returns ledger.ErrInvalid unless the exclusion may be added today: it begins today at
// the earliest, since a day that is over never changes.
func (e Exclusion) Check(today Day) error {
	err := e.CheckEnd(today)
	switch {
	case err != nil:
		return err
	case e.From < today:
		return ledger.ErrInvalid.In("from", "%s is over; an exclusion begins today, on %s, or on a later day", e.From, today)
	case e.From >= Forever:
		return ledger.ErrInvalid.In("from", "%s is no day on which an exclusion can begin", e.From)
	case e.Until <= e.From:
		return ledger.ErrInvalid.In("until", "it would end on %s, and so cover no day: it begins on %s", e.Until, e.From)
	}
	return nil
}

// CheckEnd returns ledger.ErrInvalid unless exclusions may end today as e says, whose From is
// not looked at: with today at the earliest.
func (e Exclusion) CheckEnd(today Day) error {
	if err := ledger.At("account", e.Account.CheckHolder()); err != nil {
		return err
	}
	if strings.TrimSpace(e.Product) == "" || strings.TrimSpace(e.Product) != e.Product {
		return ledger.ErrInvalid.In("product", "the product needs a name without spaces around it; the holder reads it")
	}
	if err := ledger.CheckLine("the product", e.Product, MaxProduct); err != nil {
		return ledger.At("product", err)
	}
	if e.Until < today {
		return ledger.ErrInvalid.In("until", "%s is over; measuring begins again today, on %s, or on a later day", e.Until,
			today)
	}
	return nil
}

// before is the order in which exclusions name the product that has a day: that which began
// first, then that of the token alone.
func (e Exclusion) before(o Exclusion) bool {
	return cmp.Or(cmp.Compare(e.From, o.From), -cmp.Compare(e.Asset, o.Asset), cmp.Compare(e.Product, o.Product)) < 0
}

// same reports whether both are of the same account, token and product.
func (e Exclusion) same(o Exclusion) bool {
	return e.Account == o.Account && e.Asset == o.Asset && e.Product == o.Product
}

// Exclusions are those of one account, in any order. They may overlap: a day is not measured
// if one of them covers it.
type Exclusions []Exclusion

// On is the exclusion because of which a token is not measured on a day. Of several it is that
// which began first, and of those of one day that of the token alone. false: there is none.
func (all Exclusions) On(asset string, d Day) (found Exclusion, excluded bool) {
	for _, e := range all {
		if e.Covers(asset, d) && (!excluded || e.before(found)) {
			found, excluded = e, true
		}
	}
	return found, excluded
}

// Add returns the exclusion that is to be written so that all of them cover the days of e as
// well: e, in the place of a shorter one of the same first day. false: the one that is returned
// has these days already. e must have passed Check: so no day that is over is covered then
// that was not before.
func (all Exclusions) Add(e Exclusion) (changed Exclusion, adds bool) {
	for _, o := range all {
		if o.same(e) && o.From <= e.From && e.Until <= o.Until {
			return o, false
		}
	}
	return e, true
}

// End returns the exclusions, with their new ends, that are to be written so that a product
// has none of e's days from e.Until on: those of the same account, token and product. One
// that has not begun by then covers no day any more. e must have passed CheckEnd: so no day
// that is over changes.
func (all Exclusions) End(e Exclusion) (changed Exclusions) {
	for _, o := range all {
		if o.same(e) && o.Until > max(e.Until, o.From) {
			o.Until = max(e.Until, o.From)
			changed = append(changed, o)
		}
	}
	return changed
}
