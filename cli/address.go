package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

type addressCmd struct {
	Set    addressSetCmd    `cmd:"" help:"Set where an account's holder sends a token."`
	List   addressListCmd   `cmd:"" help:"List where an account's holder sends tokens."`
	Remove addressRemoveCmd `cmd:"" help:"Remove an address."`
}

type addressSetCmd struct {
	Account ledger.Account `arg:"" help:"Whose deposits arrive there."`
	Asset   string         `arg:"" help:"Token."`
	Address string         `arg:"" help:"Where it is sent."`
	Network string         `placeholder:"NAME" help:"Chain of the token, such as BSC. Leave it out for a token with only one chain."`
	Tag     string         `placeholder:"TEXT" help:"The tag or memo that the deposit needs beside the address."`
}

func (c *addressSetCmd) Help() string {
	return `The holder's programs find the address in the exchange's API, and the pages show it. It takes the place of the one that was set for the same token and network; each change is kept in the log. Nothing here watches a chain: post a deposit when it has arrived.

Example:

  softstake address set alice BNB 0x94df8b352de7f46f64b01d3666bf6e936e44ce60 --network BSC`
}

func (c *addressSetCmd) Run(env *Env) error {
	a := people.DepositAddress{Account: c.Account, Asset: c.Asset, Network: c.Network, Address: c.Address, Tag: c.Tag}
	return env.books(func(ctx context.Context, db *store.DB) error {
		changed, err := db.People().SetDepositAddress(ctx, a)
		if err == nil && !changed {
			return env.printf("%s has this address of %s already.\n", c.Account, c.Asset)
		}
		return env.done(err, "Deposits of %s by %s go to %s.\n", c.Asset, c.Account, c.Address)
	})
}

type addressListCmd struct {
	Account ledger.Account `arg:""`
	JSON    bool           `help:"Print a JSON array."`
}

func (c *addressListCmd) Help() string {
	return `Example:

  softstake address list alice`
}

type addressJSON struct {
	Asset   string `json:"asset"`
	Network string `json:"network"`
	Address string `json:"address"`
	Tag     string `json:"tag"`
}

func (c *addressListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		addresses, err := reports.New(db.Reader()).DepositAddresses(ctx, c.Account)
		return list[people.DepositAddress]{
			json:    c.JSON,
			columns: []col{text("token"), text("network"), text("address"), text("tag")},
			item: func(a people.DepositAddress) (any, []string) {
				return addressJSON{a.Asset, a.Network, a.Address, a.Tag},
					[]string{a.Asset, cmp.Or(a.Network, none), a.Address, cmp.Or(a.Tag, none)}
			},
			none: fmt.Sprintf("No address is set for %s.\n", c.Account),
		}.print(env, addresses, err)
	})
}

type addressRemoveCmd struct {
	Account ledger.Account `arg:""`
	Asset   string         `arg:"" help:"Token."`
	Network string         `placeholder:"NAME" help:"Chain of the token, as it was set. Leave it out for the address that was set without one."`
}

func (c *addressRemoveCmd) Help() string {
	return `The holder no longer sees the address. Tokens may still arrive there; you must post them yourself.

Example:

  softstake address remove alice BNB --network BSC`
}

func (c *addressRemoveCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.People().RemoveDepositAddress(ctx, c.Account, c.Asset, c.Network),
			"Removed the address of %s for %s.\n", c.Asset, c.Account)
	})
}
