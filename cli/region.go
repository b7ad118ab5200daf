package cli

import (
	"context"

	"softstake/staking"
	"softstake/store"
)

// regionCmd says where Soft Staking is not offered.
type regionCmd struct {
	List   regionListCmd   `cmd:"" help:"List where it is not offered."`
	Add    regionAddCmd    `cmd:"" help:"No longer offer it in a region."`
	Remove regionRemoveCmd `cmd:"" help:"Offer it in a region again."`
}

type regionListCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (c *regionListCmd) Help() string {
	return `Example:

  softstake region list`
}

// Run lists the regions.
func (c *regionListCmd) Run(w *World) error {
	return w.books(func(ctx context.Context, db *store.DB) error {
		regions, err := db.Regions(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(w.Stdout, append([]staking.Region{}, regions...))
		}
		grid := newGrid(text("not offered in"))
		for _, r := range regions {
			grid.add(string(r))
		}
		return grid.write(w.Stdout)
	})
}

type regionAddCmd struct {
	Region staking.Region `arg:"" help:"ISO 3166 code: a country such as US, or a part of one such as UA-43."`
}

func (c *regionAddCmd) Help() string {
	return `Its residents stop earning from today.

Example:

  softstake region add US-NY`
}

// Run adds the region to the list.
func (c *regionAddCmd) Run(w *World) error {
	region, err := staking.ParseRegion(string(c.Region))
	if err != nil {
		return err
	}
	return w.books(func(ctx context.Context, db *store.DB) error {
		if err := db.AddRegion(ctx, region); err != nil {
			return err
		}
		return w.printf("Soft Staking is not offered in %s.\n", region)
	})
}

type regionRemoveCmd struct {
	Region staking.Region `arg:"" help:"A code of the list."`
}

func (c *regionRemoveCmd) Help() string {
	return `Its residents may switch on again; nobody is switched on by it.

Example:

  softstake region remove US-NY`
}

// Run takes the region off the list.
func (c *regionRemoveCmd) Run(w *World) error {
	region, err := staking.ParseRegionCode(string(c.Region))
	if err != nil {
		return err
	}
	return w.books(func(ctx context.Context, db *store.DB) error {
		if err := db.RemoveRegion(ctx, region); err != nil {
			return err
		}
		return w.printf("Soft Staking is offered in %s.\n", region)
	})
}
