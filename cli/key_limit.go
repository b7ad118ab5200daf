package cli

import (
	"cmp"
	"context"
	"errors"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/store"
)

// keyLimitCmd sets the addresses that an API key may be used from.
type keyLimitCmd struct {
	Key     string `arg:"" help:"The API key, whole."`
	Address string `aliases:"addresses" placeholder:"LIST" help:"Addresses and ranges, separated by commas. Without it: from anywhere."`
}

func (c *keyLimitCmd) Help() string {
	return `They take the place of those it has. A key with trade that is limited to addresses, or to ranges of at least /8 (IPv4) or /32 (IPv6), no longer expires after 90 days; one that loses them expires 90 days from now. A key with withdraw cannot be without.

Example:

  softstake key limit vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A --address 192.0.2.0/24`
}

// Run limits the key.
func (c *keyLimitCmd) Run(env *Env) error {
	addresses, err := access.ParseAddresses(c.Address)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		k, err := db.People().LimitKey(ctx, c.Key, addresses)
		if err != nil {
			return err
		}
		return errors.Join(addKeyEvent(ctx, db, "key limit", k),
			env.printf("%s may be used from %s; it expires: %s.\n", k.Short(),
				cmp.Or(access.FormatAddresses(k.Addresses), "anywhere"), ends(k.Ends(), k.Revoked, env.Now())))
	})
}
