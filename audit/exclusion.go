package audit

import (
	"fmt"

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

// exclude gives each position its account's exclusions. Both are in order.
func (w *worker) exclude() {
	rest := w.excluded
	for i := range w.positions {
		p := &w.positions[i]
		for len(rest) > 0 && rest[0].Account < p.stored.Account {
			rest = rest[1:]
		}
		n := 0
		for n < len(rest) && rest[n].Account == p.stored.Account {
			n++
		}
		p.excluded = rest[:n]
	}
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
