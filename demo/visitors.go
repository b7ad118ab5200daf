package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Visitor is a holder whose account is left to those who look at the town: by
// itself it does nothing.
type Visitor struct {
	Name    string // "alice"
	Account ledger.Account
}

// The visitors, by name. Bruno is one of the town's people who earns already, and Nora comes last.
const (
	Alice = "alice" // has enough of several tokens, and has not switched on
	Bruno = "bruno" // has earned since the town began
	Carla = "carla" // lives where the product is not offered
	Dora  = "dora"  // has too little of each token
)

// bringBefore is how long before visitors find the town the newcomers have brought
// what they have.
const bringBefore = 80 * time.Minute

// newcomers come in the morning after the last day, and bring something.
var newcomers = []struct {
	name   string
	region staking.Region
	brings [][2]string
}{
	{Alice, "DE", [][2]string{{"BNB", "3.5"}, {"SOL", "14.2"}, {"ADA", "1250.75"}, {"NEAR", "240"}, {"AXS", "12.5"},
		{"USDT", "400"}}},
	{Carla, "US-CA", [][2]string{{"SOL", "8"}, {"BNB", "1.2"}, {"USDT", "150"}}},
	{Dora, "AT", [][2]string{{"BNB", "0.12"}, {"ADA", "40"}, {"SUI", "9.5"}, {"USDT", "60"}}},
}

// withdrawsTo are the addresses that alice brings with her.
var withdrawsTo = []people.WithdrawalAddress{
	{Account: Alice, Asset: "BNB", Network: "BSC", Address: "0x0000000000000000000000000000000000000001"},
	{Account: Alice, Asset: "ADA", Network: "Cardano", Address: "addr1q" + strings.Repeat("x5k9", 24)},
}

// Morning is when visitors find the town.
func (t *Town) Morning() time.Time { return (t.Last + 1).Start().Add(9*time.Hour + 30*time.Minute) }

// Welcome moves the clock on to a moment, such as Morning, and lets the newcomers
// come on the way. It is called once, when the town has been made.
func (t *Town) Welcome(ctx context.Context, to time.Time) ([]Visitor, error) {
	visitors := make([]Visitor, 0, len(newcomers)+1)
	accounts := make([]store.Account, 0, len(newcomers))
	for _, n := range newcomers {
		visitors = append(visitors, Visitor{n.name, ledger.Account(n.name)})
		accounts = append(accounts, store.Account{ID: ledger.Account(n.name), Region: n.region, Opened: t.Clock.Now()})
	}
	if err := t.Books.OpenAccounts(ctx, accounts); err != nil {
		return nil, err
	}
	for _, a := range withdrawsTo {
		if _, err := t.Books.People().LoadWithdrawalAddress(ctx, a); err != nil {
			return nil, err
		}
	}
	resident, err := t.resident(ctx)
	if err != nil {
		return nil, err
	}
	t.leave(resident)
	visitors = append(slices.Insert(visitors, 1, Visitor{Bruno, resident}), Visitor{string(Nora), Nora})
	at := t.Clock.Now()
	if to.Before(at) {
		to = at
	}
	if before := to.Add(-bringBefore); before.After(at) {
		at = before
	}
	for _, n := range newcomers {
		for _, b := range n.brings {
			if err := t.brought(n.name, b[0], b[1], at); err != nil {
				return nil, err
			}
		}
	}
	return visitors, t.Move(ctx, to, nil)
}

// brought lets a newcomer deposit something.
func (t *Town) brought(name, asset, amount string, at time.Time) error {
	token := t.market.token[asset]
	units, err := token.Asset.Parse(amount)
	if err != nil {
		return fmt.Errorf("what %s brings: %w", name, err)
	}
	id := "welcome/" + name + "/" + asset
	t.at(at, func(context.Context) error {
		t.post(id, ledger.Deposit, ledger.Move{From: ledger.Custody, To: ledger.Account(name), Asset: asset, Amount: units})
		return nil
	})
	return nil
}

// resident is the holder that the report explains or, where there is none, the
// first who earned on the last day.
func (t *Town) resident(ctx context.Context) (ledger.Account, error) {
	days, err := t.Showcase(ctx)
	if err != nil {
		return "", err
	}
	if len(days) > 0 {
		return days[0].Measured.Account, nil
	}
	for _, p := range t.people {
		earned := false
		if err := t.Reports.Rewards(ctx, p.id, t.Last, t.Last, func(r reports.Reward) error {
			earned = earned || r.Reward > 0
			return nil
		}); err != nil {
			return "", err
		}
		if earned {
			return p.id, nil
		}
	}
	return "", fmt.Errorf("nobody earned anything on %s", t.Last)
}

// leave lets the town do nothing more with an account of its people; what is held
// of it may still be sold, or come back.
func (t *Town) leave(account ledger.Account) {
	t.people = slices.DeleteFunc(t.people, func(p person) bool { return p.id == account })
}
