package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
)

type withdrawalAddressCmd struct {
	List   withdrawalAddressListCmd   `cmd:"" help:"List where an account's holder withdraws to."`
	Load   withdrawalAddressLoadCmd   `cmd:"" help:"Save an address that a holder has withdrawn to elsewhere before."`
	Remove withdrawalAddressRemoveCmd `cmd:"" help:"Remove a saved address of a holder."`
}

type withdrawalAddressListCmd struct {
	Account ledger.Account `arg:""`
	JSON    bool           `help:"Print a JSON array."`
}

func (c *withdrawalAddressListCmd) Help() string {
	return `Only the holder saves addresses. One can be used 48 hours after it was saved, and 72 hours after a password was set, a second factor was removed or reset, or a recovery code was used to log in.

Example:

  softstake withdrawal-address list alice`
}

type withdrawalAddressJSON struct {
	ID      string `json:"id"`
	Asset   string `json:"asset"`
	Network string `json:"network"`
	Address string `json:"address"`
	Tag     string `json:"tag"`
	Label   string `json:"label"`
	Added   string `json:"added"`
	Usable  string `json:"usable"`
}

func (c *withdrawalAddressListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		addresses, err := db.People().WithdrawalAddresses(ctx, c.Account)
		return list[people.WithdrawalAddress]{
			json: c.JSON,
			columns: []col{text("id"), text("token"), text("network"), text("address"), text("tag"), text("label"),
				text("usable from (UTC)")},
			item: func(a people.WithdrawalAddress) (any, []string) {
				return withdrawalAddressJSON{a.ID, a.Asset, a.Network, a.Address, a.Tag, a.Label, ledger.FormatTime(a.Added),
						ledger.FormatTime(a.Usable)},
					[]string{a.ID, a.Asset, cmp.Or(a.Network, none), a.Address, cmp.Or(a.Tag, none), cmp.Or(a.Label, none),
						a.Usable.Format(time.DateTime)}
			},
			none: fmt.Sprintf("%s has saved no withdrawal address.\n", c.Account),
		}.print(env, addresses, err)
	})
}

type withdrawalAddressLoadCmd struct {
	Account ledger.Account `arg:""`
	Asset   string         `arg:"" help:"Token."`
	Address string         `arg:"" help:"Where it is sent."`
	Network string         `placeholder:"NAME" help:"Chain of the token, such as BSC. Leave it out for a token with only one chain."`
	Tag     string         `placeholder:"TEXT" help:"The tag or memo that the address needs."`
	Label   string         `placeholder:"TEXT" help:"What its holder calls it."`
}

func (c *withdrawalAddressLoadCmd) Help() string {
	return `For holders who come from another system, with the addresses that they have withdrawn to there: it can be used at once, and the holder is notified. A new address is saved by its holder, on the pages or in the API, and waits for 48 hours. With four eyes it needs approval. Repeating has no further effect.

Example:

  softstake withdrawal-address load alice BNB 0x94df8b352de7f46f64b01d3666bf6e936e44ce60 --network BSC`
}

func (c *withdrawalAddressLoadCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		a, err := db.People().LoadWithdrawalAddress(ctx, people.WithdrawalAddress{Account: c.Account, Asset: c.Asset,
			Network: c.Network, Address: c.Address, Tag: c.Tag, Label: c.Label})
		return env.done(err, "%s can withdraw %s to %s, from %s UTC on.\n", c.Account, c.Asset, c.Address,
			a.Usable.Format(time.DateTime))
	})
}

type withdrawalAddressRemoveCmd struct {
	Account ledger.Account `arg:""`
	Address string         `arg:"" help:"The address or its ID, as \"withdrawal-address list\" shows it."`
}

func (c *withdrawalAddressRemoveCmd) Help() string {
	return `At once; the holder can save it again, and waits again. Withdrawals that were requested stay: see "withdrawal cancel".

Example:

  softstake withdrawal-address remove alice 0x94df8b352de7f46f64b01d3666bf6e936e44ce60`
}

func (c *withdrawalAddressRemoveCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		all, err := db.People().WithdrawalAddresses(ctx, c.Account)
		if err != nil {
			return err
		}
		id := c.Address
		for _, a := range all { // the same address may be saved for several tokens: the first, as the list has them
			if a.Address == c.Address {
				id = a.ID
				break
			}
		}
		return env.done(db.People().RemoveWithdrawalAddress(ctx, c.Account, id),
			"%s can no longer withdraw to the address %s.\n", c.Account, c.Address)
	})
}
