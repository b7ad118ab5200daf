package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// A customer of the operator has two accounts, and something that earns in each of the ways there are: what the report
// explains of them is the same in every town.
const (
	Nora     = ledger.Account("nora")
	Savings  = ledger.Account("nora-savings")
	customer = "customer-7" // who owns both

	// Capped is the token whose minimum and cap are those of an owner's accounts together.
	Capped = "S"
	// lowest is the token whose days are measured by their smallest balance.
	lowest = "SUI"
	// excluded is the token that another product has for some days.
	excluded = "ADA"
	// product is what has it.
	product = "Launchpool"
	// vip is the label of accounts that count more in the campaign.
	vip = "vip"
)

// customerBrings is what the two accounts hold: together more than the cap of the token that shares it.
var customerBrings = []struct {
	account       ledger.Account
	asset, amount string
}{
	{Nora, "BNB", "5"}, {Nora, "NEAR", "300"}, {Nora, Capped, "350000"}, {Nora, lowest, "500"}, {Nora, excluded, "2000"},
	{Savings, Capped, "250000"},
}

// settleCustomer lets the customer come on the first day and switch on. On the last day of the report an order holds
// some of what is measured by its smallest balance, for half a day.
func (t *Town) settleCustomer(ctx context.Context) error {
	if err := t.Books.OpenAccounts(ctx, []store.Account{
		{ID: Nora, Region: "PT", Opened: t.Clock.Now(), Owner: customer},
		{ID: Savings, Region: "PT", Opened: t.Clock.Now(), Owner: customer},
	}); err != nil {
		return err
	}
	for _, b := range customerBrings {
		units, err := t.market.token[b.asset].Asset.Parse(b.amount)
		if err != nil {
			return fmt.Errorf("what %s brings: %w", b.account, err)
		}
		t.at(t.First.Start().Add(10*time.Hour), func(context.Context) error {
			t.post(fmt.Sprintf("%s/%s", b.account, b.asset), ledger.Deposit,
				ledger.Move{From: ledger.Custody, To: b.account, Asset: b.asset, Amount: units})
			return nil
		})
	}
	t.at(t.First.Start().Add(12*time.Hour), func(ctx context.Context) error {
		return t.Books.EnrollAll(ctx, []ledger.Account{Nora, Savings}, t.First+1)
	})
	t.at(t.First.Start().Add(12*time.Hour), t.exclude)
	t.orderOfHalfADay()
	return nil
}

// exclude lets another product have a token of the customer, on the last days of the report and when visitors come.
func (t *Town) exclude(ctx context.Context) error {
	out, err := t.Books.Exclude(ctx, []store.ExclusionRequest{{Exclusion: t.Excluded()}})
	for _, o := range out {
		if err == nil {
			err = o.Err
		}
	}
	return err
}

// Excluded is the exclusion of the town.
func (t *Town) Excluded() staking.Exclusion {
	return staking.Exclusion{Account: Nora, Asset: excluded, Product: product, From: t.Last - 1, Until: t.Last + 5}
}

// orderOfHalfADay holds some of the token that is measured by its smallest balance.
func (t *Town) orderOfHalfADay() {
	amount := t.market.common(lowest) * 6 / 5
	order := ledger.Move{From: Nora, To: Nora.Held(), Asset: lowest, Amount: amount}
	back := ledger.Move{From: Nora.Held(), To: Nora, Asset: lowest, Amount: amount}
	t.at(t.Last.Start().Add(9*time.Hour+30*time.Minute), func(context.Context) error {
		t.post("nora/order", ledger.Hold, order)
		return nil
	})
	t.at(t.Last.Start().Add(21*time.Hour), func(context.Context) error {
		t.post("nora/order/cancelled", ledger.Release, back)
		return nil
	})
}
