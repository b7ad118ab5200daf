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
	Integral  *big.Int // the sum of the lines
	Earning   *big.Int // what of it earns: at most the cap over the day
	Interest  *big.Int // Earning × the rate a year in 1e-8
	Numerator *big.Int // with the fraction that was carried here
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
	p.Earning = p.Integral
	if most := times(e.Terms.Cap, staking.DayMillis); most.Cmp(p.Integral) < 0 {
		p.Earning = most
	}
	p.Interest = new(big.Int).Mul(p.Earning, big.NewInt(int64(e.Measured.APR)))
	p.Numerator = new(big.Int).Add(p.Interest, big.NewInt(int64(e.Measured.Before)))
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

func times(a ledger.Amount, millis int64) *big.Int {
	return new(big.Int).Mul(big.NewInt(int64(a)), big.NewInt(millis))
}

// UnitsDecimal writes so many staking.Units of a token's smallest unit as a decimal
// number of whole tokens, rounded down, with some digits beyond the smallest unit;
// exact says that no more would follow.
func UnitsDecimal(units *big.Int, scale, digits int) (text string, exact bool) {
	finer := new(big.Int).Mul(units, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
	whole, rest := new(big.Int).QuoRem(finer, big.NewInt(int64(staking.Unit)), new(big.Int))
	return ledger.FormatBig(whole, scale+digits), rest.Sign() == 0
}
