package demo

import (
	"context"
	"errors"
	"fmt"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// What the office of a town has to do, when visitors find it.
const (
	Wilma    = "wilma" // has requested a large withdrawal
	Inflated = "ALGO"  // whose rewards of the last day are over a limit, and wait for approval
	largeIn  = "SOL"   // of which a withdrawal is large

	largeFrom = 5000 // whole tokens
)

// limit lets the rewards of a token wait from the last day on, until they are approved.
func (t *Town) limit(ctx context.Context) error {
	return t.Books.SetLimit(ctx, staking.Limit{Asset: Inflated, MaxTotal: 1})
}

// Office leaves something to do for those who run the town, and lets nothing take effect that two have not seen: a
// withdrawal that is large and terms that somebody has proposed, beside the rewards of a token that wait already. It is
// called once, after Welcome.
func (t *Town) Office(ctx context.Context, proposer access.Actor) error {
	if err := t.Books.SetLimit(ctx, staking.Limit{Asset: largeIn,
		MaxWithdrawal: t.units(largeIn, largeFrom)}); err != nil {
		return err
	}
	if err := t.Books.OpenAccounts(ctx, []store.Account{{ID: Wilma, Region: "DE"}}); err != nil {
		return err
	}
	outcomes, err := t.Books.PostAll(ctx, []ledger.Entry{{ID: "welcome/wilma/SOL", Kind: ledger.Deposit,
		Moves: []ledger.Move{{From: ledger.Custody, To: Wilma, Asset: largeIn, Amount: t.units(largeIn, 2*largeFrom)}}}})
	if err == nil {
		err = outcomes[0].Err
	}
	if err != nil {
		return fmt.Errorf("what %s brings: %w", Wilma, err)
	}
	outcome, err := t.Books.Withdraw(ctx, store.Withdrawal{ID: "withdrawal/wilma", Account: Wilma, Asset: largeIn,
		Amount: t.units(largeIn, largeFrom+500), Network: "Solana", Address: "7vYe8cJ1hQm3nWq2zKpR5tXbL9dFgA4sUoViEyTkNrC6"})
	if err = errors.Join(err, outcome.Err); err != nil {
		return fmt.Errorf("what %s takes: %w", Wilma, err)
	}
	if err := t.Books.SetFourEyes(ctx, true); err != nil {
		return err
	}
	return t.propose(ctx, proposer)
}

// units are whole tokens in the token's smallest units.
func (t *Town) units(token string, whole int64) ledger.Amount {
	return ledger.Amount(whole * power(t.market.token[token].Asset.Scale).Int64())
}

// isLarge reports whether a withdrawal is not completed before two have seen it.
func (t *Town) isLarge(w store.Withdrawal) bool {
	return w.Asset == largeIn && w.Amount >= t.units(largeIn, largeFrom)
}

// propose lets somebody propose a higher rate of the token that the report explains.
func (t *Town) propose(ctx context.Context, by access.Actor) error {
	tomorrow := staking.DayOf(t.Clock.Now()) + 1
	all, err := t.Reports.TermsOn(ctx, tomorrow)
	if err != nil {
		return err
	}
	for _, terms := range all {
		if terms.Asset != "BNB" {
			continue
		}
		terms.From, terms.APR = tomorrow, terms.APR/10*12
		if terms.GrossAPR != 0 {
			terms.GrossAPR, terms.Fee = 0, 0
		}
		books := t.Books.As(by)
		needed, is := errors.AsType[*control.Needed](books.SetTerms(ctx, terms))
		if !is {
			return fmt.Errorf("the terms of %s need no approval", terms.Asset)
		}
		_, err = books.Propose(ctx, needed.Draft, "as much as elsewhere")
		return err
	}
	return fmt.Errorf("BNB has no terms")
}
