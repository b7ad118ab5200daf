package audit

import (
	"fmt"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// exclusion keeps an exclusion that covers a day at all: one that was ended before it began
// covers none.
func (w *worker) exclusion(e Exclusion) {
	wrong := func(what string) { w.find(on(e.From, e.Account, e.Asset, what)) }
	if !e.Opened {
		wrong("is excluded by " + e.Product + ", but the account was never opened")
	}
	if e.Account.IsHouse() || e.Account.IsHeld() || e.Account.Bucket() != w.number {
		wrong(fmt.Sprintf("is excluded in bucket %d, where it does not belong", w.number))
	}
	if e.Asset != "" && !w.token(e.Asset).known {
		wrong("is excluded by " + e.Product + ", and there is no such asset")
	}
	switch {
	case e.Until < e.From:
		wrong(fmt.Sprintf("is excluded by %s until %s, before it begins", e.Product, e.Until))
	case e.Until > e.From:
		w.excluded = append(w.excluded, e.Exclusion)
	}
}

// exclude gives each position its account's exclusions.
func (w *worker) exclude() {
	eachOwn(w.positions, w.excluded, func(e staking.Exclusion) ledger.Account { return e.Account },
		func(p *position, own []staking.Exclusion) { p.excluded = own })
}

// excludedBy is a product that has the position on a day, or "".
func (p *position) excludedBy(d staking.Day) string {
	for _, e := range p.excluded {
		if (e.Asset == "" || e.Asset == p.stored.Asset) && e.From <= d && d < e.Until {
			return e.Product
		}
	}
	return ""
}
