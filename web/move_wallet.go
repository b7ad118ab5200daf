package web

import (
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/ui"
)

// wallet is the account's balances and its day so far.
type wallet struct {
	all    []ledger.Asset // by symbol
	assets map[string]ledger.Asset
	free   map[string]ledger.Amount
	holder reports.Holder
	tokens map[string]reports.OfferedToken // by symbol
}

// offer is an asset that may be chosen.
type offer struct {
	Asset ledger.Asset
	Free  ledger.Amount
}

// wallet reads the visitor's.
func (v *visit) wallet() (*wallet, error) {
	w := &wallet{free: map[string]ledger.Amount{}, tokens: map[string]reports.OfferedToken{}}
	var err error
	if w.all, err = v.Books.Assets(v.context()); err != nil {
		return nil, err
	}
	w.assets = ledger.BySymbol(w.all)
	if w.holder, err = v.holder(reports.Accruals); err != nil {
		return nil, err
	}
	for _, b := range w.holder.Balances {
		w.free[b.Asset] = b.Free
	}
	for _, t := range w.holder.Tokens {
		w.tokens[t.Asset.Symbol] = t
	}
	return w, nil
}

// held are the assets with a free balance.
func (w *wallet) held() []offer {
	return slices.DeleteFunc(w.every(), func(o offer) bool { return o.Free == 0 })
}

// every are all assets of the books.
func (w *wallet) every() (offers []offer) {
	for _, a := range w.all {
		offers = append(offers, offer{a, w.free[a.Symbol]})
	}
	return offers
}

// effect is the effect of a change on the free balance of an asset, and on its day.
type effect struct {
	Asset      ledger.Asset
	Free, Left ledger.Amount // before and after
	On         bool          // the switch is on
	Counts     bool          // it covers today
	Excluded   string        // the product because of which today is not measured, or ""
	From       staking.Day   // the first day that is measured, where it is on
	Offered    bool          // the asset earns; else there is no more to say
	Min        ledger.Amount // the average below which it earns nothing
	Measure    staking.Measure
	Was, Will  staking.Accrual
	Did, Does  bool // the average reaches the minimum: without the change, and with it
	Shares     bool // the reward is a share of the staking income
}

// effect is that of an amount that comes (above zero) or goes (below). More than is free
// leaves zero.
func (w *wallet) effect(a ledger.Asset, change ledger.Amount) effect {
	h := w.holder
	e := effect{Asset: a, Free: w.free[a.Symbol], On: h.On(), Counts: h.Covers(h.Today), From: h.Running.From}
	e.Left = max(e.Free+change, 0)
	token, offered := w.tokens[a.Symbol]
	if !offered {
		return e
	}
	e.Offered, e.Min, e.Measure, e.Excluded = true, token.Terms.Min, token.Terms.Measure, token.Excluded
	e.Shares = token.Terms.Mode == staking.Share
	e.Was, e.Did = token.Measured, token.Reached
	e.Will, e.Does = token.After(change, h.At)
	return e
}

// By is the key of a text that says how the day is measured.
func (e effect) By(key string) string { return ui.TextBy(e.Measure, key) }

// Says is the consequence for today's reward: the end of a key of the catalogue.
func (e effect) Says() string {
	switch {
	case !e.Offered:
		return "not-offered"
	case !e.On && !e.Counts:
		return "off"
	case !e.Counts:
		return "not-yet"
	case e.Excluded != "":
		return "excluded"
	case e.Shares && e.Does:
		return "share"
	case e.Shares && e.Did:
		return "share-lost"
	case e.Did && e.Does:
		return "both"
	case e.Did:
		return "lost"
	case e.Does:
		return "won"
	}
	return "neither"
}
