package cli

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type regionCmd struct {
	List   regionListCmd   `cmd:"" help:"List where it is not offered."`
	Add    regionAddCmd    `cmd:"" help:"No longer offer it in a region."`
	Remove regionRemoveCmd `cmd:"" help:"Offer it in a region again, or undo that it was added."`
}

type regionListCmd struct {
	History bool `help:"List also the regions that were removed, with when and by whom."`
	JSON    bool `help:"Print a JSON array."`
}

func (c *regionListCmd) Help() string {
	return `Nobody can switch it on in a listed region, also before the day from which it is listed; who lives there earns until the day before.

Examples:

  softstake region list
  softstake region list --history`
}

type listingJSON struct {
	Code      staking.Region `json:"code"`
	From      staking.Day    `json:"from"`
	Added     instant        `json:"added"`
	AddedBy   string         `json:"addedBy"`
	Reason    string         `json:"reason,omitempty"`
	Ended     int64          `json:"ended"`
	Removed   *instant       `json:"removed,omitempty"`
	RemovedBy string         `json:"removedBy,omitempty"`
	Restored  int64          `json:"restored"`
}

func formatListing(l store.Listing) listingJSON {
	return listingJSON{l.Region, l.From, instant(l.Added), l.AddedBy, l.Reason, l.Ended, instantOrNull(l.Removed),
		l.RemovedBy, l.Restored}
}

func (c *regionListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		listings, err := reports.New(db.Reader()).Listings(ctx, c.History)
		columns := []col{text("not offered in"), text("from"), figure("ended"), text("added (UTC)"), text("by"),
			text("reason"), text("removed (UTC)"), text("by"), figure("restored")}
		if !c.History {
			columns = columns[:6]
		}
		return list[store.Listing]{
			json:    c.JSON,
			columns: columns,
			item: func(l store.Listing) (any, []string) {
				row := []string{string(l.Region), l.From.String(), strconv.FormatInt(l.Ended, 10), wallTime(l.Added), l.AddedBy,
					l.Reason, timeOrNone(l.Removed), l.RemovedBy, strconv.FormatInt(l.Restored, 10)}
				return formatListing(l), row[:len(columns)]
			},
		}.print(env, listings, err)
	})
}

type regionAddCmd struct {
	Region  staking.Region `arg:"" help:"ISO 3166 code: a country such as US, or a part of one such as UA-43."`
	From    *staking.Day   `placeholder:"DAY" help:"First day that its residents do not earn, at the earliest today. Without it: tomorrow."`
	Reason  string         `placeholder:"TEXT" help:"Why; it is kept in the log."`
	Preview bool           `help:"Print whom it would switch off; write nothing."`
	JSON    bool           `help:"Print a JSON object."`
}

func (c *regionAddCmd) Help() string {
	return `Its residents earn until the day before, which is still paid. From now on nobody there can switch it on. On the same day, and until its first day, "softstake region remove" undoes it.

Examples:

  softstake region add US-NY --preview
  softstake region add US-NY --from 2026-12-01 --reason "licence ends"`
}

func (c *regionAddCmd) Run(env *Env) error {
	region, err := staking.ParseRegion(string(c.Region))
	if err != nil {
		return err
	}
	from, today := given(c.From, 0), staking.DayOf(env.Now())
	if c.From != nil && from < today {
		return usage("--from %s is over; a region is listed from today on, %s, or from a later day", from, today)
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		if c.Preview {
			e, err := reports.New(db.Reader()).PreviewRegion(ctx, region, from)
			if err != nil {
				return err
			}
			return writeEffect(env, e, string(region), " in "+string(region), c.JSON)
		}
		l, err := db.AddRegion(ctx, region, from, c.Reason)
		if err == nil && c.JSON {
			return writeJSON(env.Stdout, formatListing(l))
		}
		return env.done(err, "Soft Staking is not offered in %s from %s on.\n%s\n", region, l.From, endedSentence(l, today))
	})
}

// endedSentence is whom a listing has switched off.
func endedSentence(l store.Listing, today staking.Day) string {
	if l.Ended == 0 {
		return "Nobody there had it on."
	}
	ends := "ended"
	if l.From > today {
		ends = "ends"
	}
	return fmt.Sprintf("It %s for %s there. The last day that is paid is %s.", ends, count(l.Ended, "holder", "holders"),
		l.From-1)
}

type regionRemoveCmd struct {
	Region staking.Region `arg:"" help:"A code of the list."`
	JSON   bool           `help:"Print a JSON object."`
}

func (c *regionRemoveCmd) Help() string {
	return `Its residents may switch on again. On the day on which the region was added, and before its first day, this undoes that: who was switched off by it goes on earning as if nothing had been, but for those who have switched off or moved since. Later nobody is switched on by it.

Example:

  softstake region remove US-NY`
}

func (c *regionRemoveCmd) Run(env *Env) error {
	region, err := staking.ParseRegionCode(string(c.Region))
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		l, err := db.RemoveRegion(ctx, region)
		if err == nil && c.JSON {
			return writeJSON(env.Stdout, formatListing(l))
		}
		return env.done(err, "Soft Staking is offered in %s.\n%s\n", region, restoredSentence(l))
	})
}

// restoredSentence is whom the removal of a listing has brought back.
func restoredSentence(l store.Listing) string {
	switch {
	case l.Ended == 0:
		return "Nobody there had been switched off by it."
	case l.Undone():
		return fmt.Sprintf("Soft Staking goes on for %d of the %d whom it had switched off.", l.Restored, l.Ended)
	}
	return fmt.Sprintf("Nobody comes back by itself: %d were switched off by it on %s, and may switch on again.",
		l.Ended, l.From)
}

type (
	effectJSON struct {
		Preview  string            `json:"preview"`
		From     staking.Day       `json:"from"`
		Accounts int64             `json:"accounts"`
		Enrolled int64             `json:"enrolled"`
		Tokens   []effectTokenJSON `json:"tokens"`
		USDT     string            `json:"usdt"`
		Unpriced int               `json:"unpriced"`
	}
	effectTokenJSON struct {
		Asset   string  `json:"asset"`
		Holders int64   `json:"holders"`
		Earning string  `json:"earning"`
		USDT    *string `json:"usdt"`
	}
)

// writeEffect writes whom something would switch off, before it is done.
func writeEffect(env *Env, e reports.Effect, what, where string, asJSON bool) error {
	j := effectJSON{
		Preview: what, From: e.From, Accounts: e.Accounts, Enrolled: e.Enrolled, Tokens: []effectTokenJSON{},
		USDT: ledger.FormatBig(e.USDT, conversion.PriceScale), Unpriced: e.Unpriced,
	}
	grid := newGrid(text("token"), figure("holders"), figure("earning"), figure("USDT"))
	for _, token := range e.Tokens {
		row, worth := effectTokenJSON{Asset: token.Asset.Symbol, Holders: token.Holders,
			Earning: ledger.FormatBig(token.Earning, token.Asset.Scale)}, none
		if token.HasPrice {
			worth = ledger.FormatBig(token.USDT, conversion.PriceScale)
			row.USDT = &worth
		}
		j.Tokens = append(j.Tokens, row)
		grid.add(row.Asset, strconv.FormatInt(row.Holders, 10), row.Earning, worth)
	}
	if asJSON {
		return writeJSON(env.Stdout, j)
	}
	err := env.printf("From %s on it would concern %s%s; Soft Staking is on for %d of them. Nothing is written.\n",
		e.From, count(e.Accounts, "account", "accounts"), where, e.Enrolled)
	if err != nil || len(e.Tokens) == 0 {
		return err
	}
	return cmp.Or(env.printf("\nWhat they earn on now, each up to the cap:\n\n"), grid.write(env.Stdout))
}
