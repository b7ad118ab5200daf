package web

import (
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// reward is a sum in a token.
type reward struct {
	Asset  ledger.Asset
	Amount ledger.Amount
}

// stopPage is what it means to stop, and asks once.
type stopPage struct {
	*view
	On        bool
	Today     staking.Day
	Begun     bool     // today is measured
	Lost      []reward // what today would pay if nothing moved any more
	Yesterday staking.Day
	Covered   bool     // yesterday is measured, and paid all the same
	Paid      []reward // what it has paid
	Due       []reward // what it will pay
	Before    bool     // days before yesterday are due, and paid as well
}

// stop asks whether to stop.
func (s *server) stop(v *visit) error {
	h, err := v.holder(reports.Accruals | reports.LastDay)
	if err != nil {
		return err
	}
	p := stopPage{
		view: v.view("stop.title"), On: h.On(), Today: h.Today, Begun: h.Covers(h.Today),
		Yesterday: h.Yesterday(), Covered: h.Covers(h.Yesterday()),
	}
	for _, t := range h.Tokens {
		if p.Begun && t.Reached && t.Measured.Reward > 0 {
			p.Lost = append(p.Lost, reward{t.Asset, t.Measured.Reward})
		}
	}
	add := func(to *[]reward, a staking.Accrual) error {
		asset, err := v.Books.Asset(v.context(), a.Asset)
		if a.Reward > 0 {
			*to = append(*to, reward{asset, a.Reward})
		}
		return err
	}
	for _, r := range h.Paid {
		if err := add(&p.Paid, r.Accrual); err != nil {
			return err
		}
	}
	for _, d := range h.Pending {
		if p.Before = p.Before || d.Days > 1; d.Day != h.Yesterday() {
			continue
		}
		if err := add(&p.Due, d.Accrual); err != nil {
			return err
		}
	}
	return v.show("stop", p)
}

// Sums names rewards one after the other: "0.0001 BNB and 0.02 SOL".
func (p *view) Sums(rewards []reward) string {
	var words []string
	for _, r := range rewards {
		words = append(words, p.Plain(r.Asset, r.Amount)+" "+r.Asset.Symbol)
	}
	return p.list(words)
}

// Tomorrow is the first day that is measured if Soft Staking is switched on again today.
func (p stopPage) Tomorrow() staking.Day { return p.Today + 1 }

// stopEarning switches Soft Staking off. It always works, and is idempotent.
func (s *server) stopEarning(v *visit) error {
	if err := v.Books.Leave(v.context(), v.account(), v.client(), time.Time{}); err != nil {
		return err
	}
	return v.see("/earn", nil)
}
