package scenario

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// income reads "income TOKEN GROSS from N through N", of days of the books; "as ID" is its
// reference. Below zero it is a loss.
func (p *Player) income(l line) (string, error) {
	gross, asset, err := p.amount(l.word(1), l.word(0))
	if err != nil {
		return "", err
	}
	i := staking.Income{
		Reference: l.id, Asset: asset.Symbol, Chain: "chain", Source: "validator", Gross: gross, Evidence: "report",
	}
	for name, day := range map[string]*staking.Day{"from": &i.First, "through": &i.Last} {
		n, _ := l.option(name)
		number, err := strconv.Atoi(n)
		if err != nil {
			return "", err
		}
		*day = dayOf(number)
	}
	return p.outcome(l)(p.db.PostIncome(p.ctx, i))
}

// fees expects "fees TOKEN AMOUNT": what is in @fees.
func (p *Player) fees(l line) (string, error) { return p.houseHas(ledger.Fees, l) }

// houseHas expects what a house account has of the line's token.
func (p *Player) houseHas(account ledger.Account, l line) (string, error) {
	asset, err := p.db.Asset(p.ctx, l.word(0))
	if err != nil {
		return "", err
	}
	house, err := reports.New(p.db.Reader()).HouseBalances(p.ctx)
	for _, h := range house {
		if h.Account == account && h.Asset == asset.Symbol {
			got := asset.Format(ledger.Amount(h.Sum.Int64()))
			return got, same(got, l.word(1))
		}
	}
	return "", fmt.Errorf("%s has no balance: %w", account, err)
}

// divided expects what was divided on the line's day, and what is left for the next time,
// rounded down: "divided TOKEN NET paid PAID left LEFT [of N]". Of several distributions of
// the day the net and what was paid are summed.
func (p *Player) divided(l line) (string, error) {
	asset, err := p.db.Asset(p.ctx, l.word(0))
	if err != nil {
		return "", err
	}
	d, err := l.of()
	if err != nil {
		return "", err
	}
	all, err := reports.New(p.db.Reader()).Distributions(p.ctx, asset.Symbol, d, d, 100)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", fmt.Errorf("nothing was divided")
	}
	var net ledger.Amount
	var paid staking.Exact
	left := all[0].Before
	for _, one := range all {
		net += one.Net
		paid = paid.Add(one.Paid)
	}
	left = left.Add(staking.Exact{Units: net}).Sub(paid)
	wantPaid, _ := l.option("paid")
	wantLeft, _ := l.option("left")
	got := [3]string{asset.Format(net), asset.Format(paid.Units), asset.Format(left.Units)}
	return fmt.Sprint(got), errors.Join(same(got[0], l.word(1)), same(got[1], wantPaid), same(got[2], wantLeft))
}
