package cli

import (
	"context"
	"strconv"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type assetCmd struct {
	Add  assetAddCmd  `cmd:"" help:"Add a token, offered from tomorrow."`
	List assetListCmd `cmd:"" help:"List the tokens that the books keep."`
}

type assetAddCmd struct {
	Asset     string `arg:"" help:"Symbol: capitals and digits."`
	Scale     int    `default:"8" help:"Decimals that are kept, 0 to 18."`
	MaxSupply string `required:"" placeholder:"TOKENS" help:"The most whole tokens there can be: it must fit 62 bits at that many decimals."`
	termsFlags
}

func (c *assetAddCmd) Help() string {
	return `The token can be posted at once; it earns from tomorrow. A token and its decimals cannot be changed or taken away again; its terms can. --min and --cap are needed, and --apr unless it is in the mode share or follows from --gross-apr and --fee.

Example:

  softstake asset add DOT --max-supply 2000000000 --apr 0.01 --min 10 --cap 50000`
}

func (c *assetAddCmd) Run(env *Env) error {
	asset := ledger.Asset{Symbol: c.Asset, Scale: c.Scale, MaxSupply: 1}
	if err := asset.Check(); err != nil {
		return err
	}
	supply, err := asset.Parse(c.MaxSupply)
	if err != nil {
		return err
	}
	if supply < 1 {
		return ledger.ErrInvalid.In("max_supply", "--max-supply %s must be above zero", ledger.Clip(c.MaxSupply))
	}
	asset.MaxSupply = supply
	if err := asset.Check(); err != nil {
		return err
	}
	tomorrow := staking.DayOf(env.Now()) + 1
	terms, err := staking.TermsChange(c.termsFlags).First(asset, tomorrow)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		earns := "it earns from " + tomorrow.String()
		if !terms.Offered {
			earns = "it is not on offer"
		}
		return env.done(db.AddAsset(ctx, staking.Token{Asset: asset, Terms: terms}),
			"Added %s with %d decimals; %s.\n", asset.Symbol, asset.Scale, earns)
	})
}

type assetListCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (c *assetListCmd) Help() string {
	return `Example:

  softstake asset list`
}

type assetJSON struct {
	Asset     string `json:"asset"`
	Scale     int    `json:"scale"`
	MaxSupply string `json:"maxSupply"`
}

func (c *assetListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		assets, err := db.Assets(ctx)
		return list[ledger.Asset]{
			json:    c.JSON,
			columns: []col{text("token"), figure("decimals"), figure("largest supply")},
			item: func(a ledger.Asset) (any, []string) {
				j := assetJSON{a.Symbol, a.Scale, a.Format(a.MaxSupply)}
				return j, []string{j.Asset, strconv.Itoa(j.Scale), j.MaxSupply}
			},
		}.print(env, assets, err)
	})
}
