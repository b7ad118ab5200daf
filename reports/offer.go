package reports

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Regions are those where the product is not offered, or will not be from a coming
// day on, in order.
func (rs *Reports) Regions(ctx context.Context) (regions []staking.Region, err error) {
	err = rs.Read(ctx, func(t db.View) error {
		regions, err = store.RegionsAt(t)
		return err
	})
	return regions, err
}

// Listings are those that there are, or with history all that there ever were, by
// region and number.
func (rs *Reports) Listings(ctx context.Context, history bool) (listings []store.Listing, err error) {
	which := "WHERE removed = 0"
	if history {
		which = ""
	}
	err = rs.Read(ctx, func(t db.View) error {
		listings, err = store.ListingsWhere(t, which)
		return err
	})
	return listings, err
}

// Documents are all versions of the documents, in the order in which they are
// shown, and the newest of each last.
func (rs *Reports) Documents(ctx context.Context) (documents []staking.Document, err error) {
	err = rs.Read(ctx, func(t db.View) error {
		documents, err = db.All(t, func(r db.Row) (staking.Document, error) {
			return staking.Document{Name: r.Text(0), Version: int(r.Int(1)), Published: db.TimeOf(r.Int(2)),
				Text: r.Text(3)}, nil
		}, "SELECT name, version, published, content FROM documents ORDER BY version")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the documents: %w", err)
	}
	slices.SortStableFunc(documents, func(a, b staking.Document) int {
		return slices.Index(staking.DocumentNames, a.Name) - slices.Index(staking.DocumentNames, b.Name)
	})
	return documents, nil
}

// TermsOn are the terms of each token on a day, by token. One without terms yet is not among them.
func (rs *Reports) TermsOn(ctx context.Context, d staking.Day) ([]staking.Terms, error) {
	var terms map[string]staking.Terms
	err := rs.Read(ctx, func(t db.View) (err error) {
		terms, err = store.TermsAt(t, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	return slices.SortedFunc(maps.Values(terms), func(a,
		b staking.Terms) int {
		return strings.Compare(a.Asset, b.Asset)
	}), nil
}

// ComingTerms are those that are set for days after a day, by token and day: of each
// day the revision that counts.
func (rs *Reports) ComingTerms(ctx context.Context, after staking.Day) (coming []store.TermsRevision, err error) {
	history, err := rs.TermsHistory(ctx, "")
	for i, r := range history {
		if last := i+1 == len(history) || history[i+1].Asset != r.Asset || history[i+1].From != r.From; last &&
			r.From > after {
			coming = append(coming, r)
		}
	}
	return coming, err
}

// TermsHistory are all terms that were ever set for a token, or for all if it is
// "", by token, day and revision.
func (rs *Reports) TermsHistory(ctx context.Context, asset string) (history []store.TermsRevision, err error) {
	if asset != "" {
		if _, err := rs.Asset(ctx, asset); err != nil {
			return nil, err
		}
	}
	err = rs.Read(ctx, func(t db.View) error {
		history, err = db.All(t, store.ReadTermsRevision, "SELECT "+store.TermsColumns+` FROM terms
			WHERE asset = $1 OR $1 = '' ORDER BY asset, from_day, revision`, asset)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the terms of %s: %w", cmp.Or(asset, "all tokens"), err)
	}
	return history, nil
}

// Prices are those that were set for an asset's days, both ends inclusive, by day.
func (rs *Reports) Prices(ctx context.Context, asset string, from, to staking.Day) (prices []store.Price, err error) {
	if _, err := rs.Asset(ctx, asset); err != nil {
		return nil, err
	}
	err = rs.Read(ctx, func(t db.View) error {
		prices, err = db.All(t, readPrice, "SELECT asset, day, price FROM prices WHERE asset = $1 AND day BETWEEN "+
			"$2 AND $3 ORDER BY day",
			asset, int64(from), int64(to))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the prices of %s: %w", asset, err)
	}
	return prices, nil
}

func readPrice(r db.Row) (store.Price, error) {
	return store.Price{Asset: r.Text(0), Day: staking.Day(r.Int(1)), Price: r.Int(2)}, nil
}

// PriceOf is what a whole token was worth on a day, in USDT and in 1e-8: the
// price of that day, or the last of at most 7 days before it; else it is not known.
func (rs *Reports) PriceOf(ctx context.Context, asset string, d staking.Day) (price int64, known bool, err error) {
	if asset == store.USDT {
		return store.PriceUnit, true, nil
	}
	if _, err := rs.Asset(ctx, asset); err != nil {
		return 0, false, err
	}
	err = rs.Read(ctx, func(t db.View) error {
		found, err := store.PricesAt(t, []store.Price{{Asset: asset, Day: d}})
		if err == nil {
			price, known = found[0].Price, found[0].Price != 0
		}
		return err
	})
	return price, known, err
}

// PricesFor are the prices that hold on a day, by asset, each with the day that it
// was set for: the day itself, or the last of at most 7 days before it. An asset
// whose price is not known is not among them; USDT is.
func (rs *Reports) PricesFor(ctx context.Context, d staking.Day) (map[string]store.Price, error) {
	var latest []store.Price
	err := rs.Read(ctx, func(t db.View) (err error) {
		latest, err = db.All(t, readPrice, "SELECT asset, day, price FROM prices WHERE day BETWEEN $1 AND $2 ORDER BY day",
			int64(d-store.PriceReach), int64(d))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the prices of %s: %w", d, err)
	}
	prices := map[string]store.Price{store.USDT: {Asset: store.USDT, Day: d, Price: store.PriceUnit}}
	for _, p := range latest {
		prices[p.Asset] = p
	}
	return prices, nil
}
