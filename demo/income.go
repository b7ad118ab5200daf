package demo

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// chain is where the operator stakes what holders have of a token.
type chain struct {
	name      string
	validator string
	rate      int64 // of what is staked, a year, in 1e-4
}

// chains are those of the tokens in the mode share.
var chains = map[string]chain{
	"NEAR": {"near", "town.poolv1.near", 430},
	"POL":  {"polygon", "validator 77", 390},
	"TON":  {"ton", "town nominator pool", 340},
}

const (
	// operatorFee is the operator's part of the income: 30 %.
	operatorFee = 3 * staking.Whole / 10
	// week is how many days a period of income has.
	week = 7
	// stakedPercent is how much of what holders have is staked; the rest is kept to be withdrawn.
	stakedPercent = 70
)

// planIncome lets the income of the week before come on a day, if the week ended on the
// day before: the chains pay at ten in the morning.
func (t *Town) planIncome(d staking.Day) {
	first := d - week
	if first <= t.First || (first-t.First-1)%week != 0 {
		return
	}
	t.at(d.Start().Add(10*time.Hour), func(ctx context.Context) error {
		for _, token := range t.market.offered {
			if c, shares := chains[token]; shares {
				if err := t.income(ctx, token, c, first); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// income enters what a chain paid for a week: its rate on what is staked now, give or take
// a twentieth.
func (t *Town) income(ctx context.Context, token string, c chain, first staking.Day) error {
	// What came into the town lies with the outside world as a debt.
	gross := big.NewInt(-int64(t.purses[purse{ledger.Custody, token}]))
	gross.Mul(gross, big.NewInt(c.rate*week*stakedPercent))
	gross.Quo(gross, big.NewInt(365*10_000*100))
	if !gross.IsInt64() {
		return fmt.Errorf("the income of %s is %s smallest units, which do not fit", token, gross)
	}
	amount := t.luck.part(ledger.Amount(gross.Int64()), 950, 1050)
	if amount == 0 {
		return nil
	}
	last := first + week - 1
	out, err := t.Books.PostIncome(ctx, staking.Income{
		Reference: fmt.Sprintf("%s/%s", c.name, last), Asset: token, Chain: c.name, Source: c.validator,
		First: first, Last: last, Gross: amount, Evidence: fmt.Sprintf("rewards of %s for %s to %s", c.validator,
			first, last),
	})
	if err == nil {
		err = out.Err
	}
	return err
}
