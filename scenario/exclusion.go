package scenario

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// exclude reads "exclude HOLDER TOKEN PRODUCT [from N] [until N]", of days of the books; the
// token "all" is every one.
func (p *Player) exclude(l line) (string, error) { return p.exclusion(l, false) }

// include reads "include HOLDER TOKEN PRODUCT [until N]": the product has it until then.
func (p *Player) include(l line) (string, error) { return p.exclusion(l, true) }

func (p *Player) exclusion(l line, end bool) (string, error) {
	x := staking.Exclusion{Account: l.holder(0), Asset: l.word(1), Product: l.word(2)}
	if x.Asset == "all" {
		x.Asset = ""
	}
	for name, day := range map[string]*staking.Day{"from": &x.From, "until": &x.Until} {
		if n, given := l.option(name); given {
			number, err := strconv.Atoi(n)
			if err != nil {
				return "", err
			}
			*day = dayOf(number)
		}
	}
	outcomes, err := p.db.Exclude(p.ctx, []store.ExclusionRequest{{Exclusion: x, End: end}})
	if err != nil {
		return "", err
	}
	o := outcomes[0]
	if o.Err == nil && o.Repeated != l.again && !p.random {
		o.Err = fmt.Errorf("repeated is %t", o.Repeated)
	}
	return fmt.Sprintf("from %d until %d, repeated %t", o.Exclusion.From, o.Exclusion.Until, o.Repeated), o.Err
}

// why expects "why HOLDER TOKEN WHY [PRODUCT] [of N]": why the day has no reward, or "paid".
func (p *Player) why(l line) (string, error) {
	d, err := l.of()
	if err != nil {
		return "", err
	}
	e, err := reports.New(p.db.Reader()).Explain(p.ctx, l.holder(0), d, l.word(1))
	if err != nil {
		return "", err
	}
	got := string(e.Why)
	if e.Paid {
		got = "paid"
	}
	if e.Why == reports.WhyExcluded {
		return got + " " + e.Excluded, errors.Join(same(got, l.word(2)), same(e.Excluded, l.word(3)))
	}
	return got, same(got, l.word(2))
}
