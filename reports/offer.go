package reports

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Regions are those where the product is not offered, or will not be from a coming
// day on, in order.
func (rs *Reports) Regions(ctx context.Context) ([]staking.Region, error) {
	return read(ctx, rs, "", store.RegionsAt)
}

// Listings are those that there are, or with history all that there ever were, by
// region and number.
func (rs *Reports) Listings(ctx context.Context, history bool) ([]store.Listing, error) {
	which := "WHERE removed = 0"
	if history {
		which = ""
	}
	return read(ctx, rs, "", func(t db.View) ([]store.Listing, error) { return store.ListingsWhere(t, which) })
}

// Documents are all versions of the documents, in the order in which they are
// shown, and the newest of each last.
func (rs *Reports) Documents(ctx context.Context) ([]staking.Document, error) {
	return rs.documents(ctx, "content")
}

// DocumentVersions are Documents without their texts.
func (rs *Reports) DocumentVersions(ctx context.Context) ([]staking.Document, error) {
	return rs.documents(ctx, "''")
}

func (rs *Reports) documents(ctx context.Context, text string) ([]staking.Document, error) {
	documents, err := list(ctx, rs, "read the documents", readDocument,
		"SELECT name, version, published, "+text+" FROM documents ORDER BY version")
	slices.SortStableFunc(documents, func(a, b staking.Document) int {
		return slices.Index(staking.DocumentNames, a.Name) - slices.Index(staking.DocumentNames, b.Name)
	})
	return documents, err
}

func readDocument(r db.Row) (staking.Document, error) {
	return staking.Document{Name: r.Text(0), Version: int(r.Int(1)), Published: db.TimeOf(r.Int(2)), Text: r.Text(3)}, nil
}

// Document is a version of a document, the current one if it is 0; ErrNotFound if there is none.
func (rs *Reports) Document(ctx context.Context, name string, version int) (staking.Document, error) {
	return read(ctx, rs, "", func(t db.View) (staking.Document, error) {
		d, found, err := db.First(t, readDocument, `SELECT name, version, published, content FROM documents
		     WHERE name = $1 AND (version = $2 OR $2 = 0) ORDER BY version DESC LIMIT 1`, name, int64(version))
		if err == nil && !found {
			err = ledger.ErrNotFound.In("", "document %q version %d", ledger.Clip(name), version)
		}
		return d, err
	})
}

// TermsOn are the terms of each token on a day, by token. One without terms yet is not among them.
func (rs *Reports) TermsOn(ctx context.Context, d staking.Day) ([]staking.Terms, error) {
	terms, err := read(ctx, rs, "", func(t db.View) (map[string]staking.Terms, error) { return store.TermsAt(t, d) })
	return slices.SortedFunc(maps.Values(terms), func(a, b staking.Terms) int {
		return strings.Compare(a.Asset, b.Asset)
	}), err
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
func (rs *Reports) TermsHistory(ctx context.Context, asset string) ([]store.TermsRevision, error) {
	if asset != "" {
		if _, err := rs.Asset(ctx, asset); err != nil {
			return nil, err
		}
	}
	return list(ctx, rs, "read the terms of "+cmp.Or(asset, "all tokens"), store.ReadTermsRevision,
		"SELECT "+store.TermsColumns+" FROM terms WHERE asset = $1 OR $1 = '' ORDER BY asset, from_day, revision", asset)
}

// Prices are those that were set for an asset's days, both ends inclusive, by day.
func (rs *Reports) Prices(ctx context.Context, asset string, from, to staking.Day) ([]pricing.Price, error) {
	if _, err := rs.Asset(ctx, asset); err != nil {
		return nil, err
	}
	return list(ctx, rs, "read the prices of "+asset, readPrice,
		"SELECT asset, day, price FROM prices WHERE asset = $1 AND day BETWEEN $2 AND $3 ORDER BY day",
		asset, int64(from), int64(to))
}

func readPrice(r db.Row) (pricing.Price, error) {
	return pricing.Price{Asset: r.Text(0), Day: staking.Day(r.Int(1)), Price: r.Int(2)}, nil
}

// PriceOf is what a whole token was worth on a day, in USDT and in 1e-8: the
// price of that day, or the last of at most 7 days before it; else it is not known.
func (rs *Reports) PriceOf(ctx context.Context, asset string, d staking.Day) (price int64, known bool, err error) {
	if asset == conversion.USDT {
		return conversion.PriceUnit, true, nil
	}
	if _, err := rs.Asset(ctx, asset); err != nil {
		return 0, false, err
	}
	found, err := read(ctx, rs, "", func(t db.View) ([]pricing.Price, error) {
		return pricing.At(t, []pricing.Price{{Asset: asset, Day: d}})
	})
	if err != nil {
		return 0, false, err
	}
	return found[0].Price, found[0].Price != 0, nil
}

// PricesFor are the prices that hold on a day, by asset, each with the day that it
// was set for: the day itself, or the last of at most 7 days before it. An asset
// whose price is not known is not among them; USDT is.
func (rs *Reports) PricesFor(ctx context.Context, d staking.Day) (map[string]pricing.Price, error) {
	latest, err := list(ctx, rs, fmt.Sprintf("read the prices of %s", d), readPrice,
		"SELECT asset, day, price FROM prices WHERE day BETWEEN $1 AND $2 ORDER BY day",
		int64(d-pricing.Reach), int64(d))
	if err != nil {
		return nil, err
	}
	prices := map[string]pricing.Price{conversion.USDT: {Asset: conversion.USDT, Day: d, Price: conversion.PriceUnit}}
	for _, p := range latest {
		prices[p.Asset] = p
	}
	return prices, nil
}
