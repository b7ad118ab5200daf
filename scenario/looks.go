package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// settle runs five minutes past the end of the day: "settle", or "settle waiting
// BNB funds, SOL limit, TON campaign" where these tokens must wait.
func (p *Player) settle(l line) (string, error) {
	p.clock.Forward((dayOf(l.day) + 1).Start().Add(closeAfter))
	return p.run(l)
}

// run runs now.
func (p *Player) run(l line) (string, error) {
	if p.late && l.n != p.script.lines[len(p.script.lines)-1].n {
		return "later", nil
	}
	report, err := staking.Run(p.ctx, p.db, p.clock.Now(), staking.Options{Workers: 2})
	if err != nil {
		return "", err
	}
	var waiting []string
	for _, w := range report.Waiting {
		why := "limit"
		if errors.Is(w.Reason, staking.ErrFunds) {
			why = "funds"
		}
		if errors.Is(w.Reason, staking.ErrUndivided) {
			why = "undivided"
		}
		waiting = append(waiting, w.Asset+" "+why)
	}
	got, want := strings.Join(waiting, ", "), ""
	if l.word(0) == "waiting" {
		want = strings.Join(l.words[1:], " ")
	}
	if got != want && !p.random {
		return "", fmt.Errorf("waiting: %q", report.Waiting)
	}
	return fmt.Sprintf("closed %s, paid %v, waiting %v", report.Closed, report.Paid, report.Waiting), nil
}

// paid is the holder's reward of the line's day and token; also a day of the mode share that only weighs.
func (p *Player) paid(l line) (r reports.Reward, asset ledger.Asset, found bool, err error) {
	if asset, err = p.db.Asset(p.ctx, l.word(1)); err != nil {
		return r, asset, false, err
	}
	d, err := l.of()
	if err != nil {
		return r, asset, false, err
	}
	asked := reports.RewardsAsked{From: d, To: d, Asset: asset.Symbol, Weighed: true}
	rewards, err := reports.New(p.db.Reader()).RewardPage(p.ctx, l.holder(0), asked, nil, 1)
	if err == nil && len(rewards) > 0 {
		r, found = rewards[0], true
	}
	return r, asset, found, err
}

// reward expects "reward HOLDER TOKEN AMOUNT [of N]", or none.
func (p *Player) reward(l line) (string, error) {
	r, asset, found, err := p.paid(l)
	if err != nil {
		return "", err
	}
	got := "none"
	if found {
		got = asset.Format(r.Reward)
	}
	return got, same(got, l.word(2))
}

// figure expects a figure by which a reward came about: "average HOLDER TOKEN AMOUNT [of N]".
func (p *Player) figure(l line) (string, error) {
	r, asset, found, err := p.paid(l)
	if err != nil {
		return "", err
	}
	if !found {
		return "", fmt.Errorf("there is no reward")
	}
	got := asset.Format(map[string]ledger.Amount{
		"average": r.Average, "opening": r.Opening, "eligible": r.Eligible,
	}[l.verb])
	return got, same(got, l.word(2))
}

func (p *Player) balanceOf(l line) (b reports.Balance, asset ledger.Asset, err error) {
	if asset, err = p.db.Asset(p.ctx, l.word(1)); err != nil {
		return b, asset, err
	}
	balances, err := reports.New(p.db.Reader()).Balances(p.ctx, l.holder(0))
	if i := slices.IndexFunc(balances, func(b reports.Balance) bool { return b.Asset == asset.Symbol }); i >= 0 {
		b = balances[i]
	}
	return b, asset, err
}

// balance expects "balance HOLDER TOKEN FREE [held X]".
func (p *Player) balance(l line) (string, error) {
	b, asset, err := p.balanceOf(l)
	if err != nil {
		return "", err
	}
	got, want := asset.Format(b.Free), l.word(2)
	if held, given := l.option("held"); given || b.Held != 0 {
		got, want = got+" held "+asset.Format(b.Held), want+" held "+held
	}
	return got, same(got, want)
}

// earned expects all that a holder was ever paid of a token.
func (p *Player) earned(l line) (string, error) {
	b, asset, err := p.balanceOf(l)
	if err != nil {
		return "", err
	}
	return asset.Format(b.Earned), same(asset.Format(b.Earned), l.word(2))
}

// pool expects "pool TOKEN AMOUNT": what is left in @rewards.
func (p *Player) pool(l line) (string, error) { return p.houseHas(ledger.Rewards, l) }

// journal expects how many lines the holder has in the journal for the reward of
// a day: "journal HOLDER TOKEN COUNT [of N]".
func (p *Player) journal(l line) (string, error) {
	d, err := l.of()
	if err != nil {
		return "", err
	}
	n := 0
	err = reports.New(p.db.Reader()).Statement(p.ctx, l.holder(0), Day1, staking.DayOf(p.clock.Now()),
		func(s reports.Line) error {
			if s.Entry == fmt.Sprintf("reward/%s/%s/%s", d, l.word(1), l.word(0)) && s.Other == ledger.Payable {
				n++
			}
			return nil
		})
	if err != nil {
		return "", err
	}
	return fmt.Sprint(n), same(fmt.Sprint(n), l.word(2))
}

func same(got, want string) error {
	if got != want {
		return fmt.Errorf("it is %s", got)
	}
	return nil
}
