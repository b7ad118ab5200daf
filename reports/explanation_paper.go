package reports

import (
	"math/big"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Paper is how a reward came about as one would write it on paper: in whole numbers
// of any length, with an arithmetic that shares nothing with the rule's.
type Paper struct {
	Lines     []PaperLine
	Integral  *big.Int // the sum of the lines; by the measure Lowest, the smallest balance × the day
	Together  *big.Int // what is compared with the cap: Integral, or what all accounts of the owner held
	Earning   *big.Int // what of it earns: at most the cap over the day × Integral / Together
	Interest  *big.Int // Earning × the rate a year in 1e-8
	Shares    []Counted
	Shared    *big.Int // the sum of the shares, in parts: Divisor of them are a smallest unit
	Numerator *big.Int // Interest and Shared, with the fraction that was carried here
	Divisor   *big.Int // 365 × 86,400,000 × 10^8
	Units     *big.Int // the quotient: the reward in smallest units
	Carry     *big.Int // the rest: the fraction that is carried on
}

// PaperLine is the opening or one change, times the milliseconds that were left of the day.
type PaperLine struct {
	At      time.Time
	Change  *Change       // nil: the opening, which has the changes of the day's first millisecond
	Amount  ledger.Amount // signed
	Left    int64         // milliseconds until the day's end
	Product *big.Int      // Amount × Left
	Balance ledger.Amount // after it
	Stays   int64         // milliseconds until the next line, or the day's end
}

// Paper works the day out. Of a day that earned nothing only the lines and the
// integral mean something.
func (e Explanation) Paper() Paper {
	p := Paper{Integral: new(big.Int), Divisor: big.NewInt(int64(staking.Unit)), Units: new(big.Int), Carry: new(big.Int)}
	start := e.Measured.Day.Start()
	p.add(PaperLine{At: start, Amount: e.Measured.Opening, Left: staking.DayMillis, Balance: e.Measured.Opening})
	for i, c := range e.Changes {
		if since := c.At.UnixMilli() - start.UnixMilli(); since > 0 {
			p.add(PaperLine{At: c.At, Change: &e.Changes[i], Amount: c.Amount, Left: staking.DayMillis - since,
				Balance: c.Balance})
		}
	}
	if e.Terms.Measure == staking.Lowest {
		p.Integral = times(p.smallest(), staking.DayMillis)
	}
	p.Earning = p.Integral
	p.Together = e.sumOf(p.Integral)
	if most := times(e.Terms.Cap, staking.DayMillis); most.Cmp(p.Together) < 0 {
		p.Earning = new(big.Int).Mul(most, p.Integral)
		p.Earning.Quo(p.Earning, p.Together)
	}
	if e.OnlyShares {
		p.Earning = new(big.Int)
	}
	p.Interest = new(big.Int).Mul(p.Earning, big.NewInt(int64(e.Measured.APR)))
	p.Shared = new(big.Int)
	for _, s := range e.Shares {
		c := s.count()
		p.Shares, p.Shared = append(p.Shares, c), p.Shared.Add(p.Shared, c.Parts)
	}
	p.Numerator = new(big.Int).Add(p.Interest, big.NewInt(int64(e.Measured.Before)))
	p.Numerator.Add(p.Numerator, p.Shared)
	p.Units.QuoRem(p.Numerator, p.Divisor, p.Carry)
	return p
}

func (p *Paper) add(l PaperLine) {
	l.Product, l.Stays = times(l.Amount, l.Left), l.Left
	p.Integral.Add(p.Integral, l.Product)
	if n := len(p.Lines); n > 0 {
		p.Lines[n-1].Stays -= l.Left
	}
	p.Lines = append(p.Lines, l)
}

// smallest is the smallest balance of the lines. One that stays for no time is followed by another change of the
// same millisecond, and does not count.
func (p *Paper) smallest() ledger.Amount {
	smallest := p.Lines[0].Balance
	for _, l := range p.Lines {
		if l.Stays > 0 {
			smallest = min(smallest, l.Balance)
		}
	}
	return smallest
}

func times(a ledger.Amount, millis int64) *big.Int {
	return new(big.Int).Mul(big.NewInt(int64(a)), big.NewInt(millis))
}

// UnitsDecimal writes a number of staking.Units of a token's smallest unit as a decimal
// number of whole tokens, rounded down, with some digits beyond the smallest unit;
// exact says that no more would follow.
func UnitsDecimal(units *big.Int, scale, digits int) (text string, exact bool) {
	return quotient(units, int64(staking.Unit), scale, digits)
}

// DaysDecimal writes smallest units × milliseconds, multiplied by times, as UnitsDecimal does: as whole tokens
// over a whole day.
func DaysDecimal(integral *big.Int, times int64, scale, digits int) (text string, exact bool) {
	return quotient(integral, times*staking.DayMillis, scale, digits)
}

// quotient is a number of parts of a smallest unit as a decimal number of whole tokens, rounded down.
func quotient(parts *big.Int, by int64, scale, digits int) (text string, exact bool) {
	finer := new(big.Int).Mul(parts, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
	whole, rest := finer.QuoRem(finer, big.NewInt(by), new(big.Int))
	return ledger.FormatBig(whole, scale+digits), rest.Sign() == 0
}
