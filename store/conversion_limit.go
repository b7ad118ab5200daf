package store

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// conversion is what a call of Convert asks for.
type conversion struct {
	account ledger.Account
	quote   Quote
	rules   ConversionRules
}

// conversions is what the conversions of a posting are compared with, under its locks.
// The locks come after those of the days and before those of the balances: an asset's
// row in desk, so that conversions into it come one by one, then the account's row of
// the day. Only conversions take them, and in one order.
type conversions struct {
	prices map[string]conversionPrice
	used   map[converted]ledger.Amount
	desks  map[string]*big.Int // what @desk has in all buckets, of the assets it pays out
}

// converted names what an account has converted on a day.
type converted struct {
	account ledger.Account
	day     staking.Day
}

// readConversions takes the locks of the conversions among the entries, and reads what
// they are compared with.
func (p *posting) readConversions() (err error) {
	assets, accounts := map[string]bool{}, map[converted]bool{}
	for it := range p.open {
		if c := it.call.converts; c != nil {
			assets[c.quote.Into.Symbol] = true
			accounts[converted{c.account, p.day(it)}] = true
		}
	}
	if len(assets) == 0 {
		return nil
	}
	paid := slices.Sorted(maps.Keys(assets))
	if _, err := p.t.Set(nil, `INSERT INTO desk (asset) SELECT r.asset FROM {rows} WHERE true
	                           ON CONFLICT (asset) DO UPDATE SET asset = excluded.asset`, set{texts("asset", paid)}); err != nil {
		return fmt.Errorf("lock @desk: %w", err)
	}
	p.conversions = conversions{used: map[converted]ledger.Amount{}}
	if err := p.lockConverted(slices.Collect(maps.Keys(accounts))); err != nil {
		return err
	}
	if p.conversions.prices, err = conversionPrices(p.t, p.now); err != nil {
		return err
	}
	p.conversions.desks, err = deskBalances(p.t, paid)
	return err
}

// lockConverted takes the locks on what accounts have converted, and reads it.
func (p *posting) lockConverted(keys []converted) error {
	_, err := p.t.Set(func(r row) error {
		p.conversions.used[converted{ledger.Account(r.Text(0)), staking.Day(r.Int(1))}] = ledger.Amount(r.Int(2))
		return nil
	}, `INSERT INTO conversions (bucket, account, day, worth) SELECT r.bucket, r.account, r.day, r.worth FROM {rows} WHERE true
	    ON CONFLICT (bucket, account, day) DO UPDATE SET worth = conversions.worth RETURNING account, day, worth`,
		convertedSet(keys, func(converted) ledger.Amount { return 0 }))
	if err != nil {
		return fmt.Errorf("read what was converted: %w", err)
	}
	return nil
}

// convertedSet are rows of conversions, in the one order of locks.
func convertedSet(keys []converted, worth func(converted) ledger.Amount) set {
	slices.SortFunc(keys, func(a, b converted) int {
		return cmp.Or(a.account.Bucket()-b.account.Bucket(), cmp.Compare(a.account, b.account), cmp.Compare(a.day, b.day))
	})
	n := len(keys)
	buckets, accounts, days, worths := make([]int64, n), make([]string, n), make([]int64, n), make([]int64, n)
	for i, k := range keys {
		buckets[i], accounts[i], days[i], worths[i] = int64(k.account.Bucket()), string(k.account), int64(k.day), int64(worth(k))
	}
	return set{ints("bucket", buckets), texts("account", accounts), ints("day", days), ints("worth", worths)}
}

// deskBalances are what @desk has of some assets, in all buckets together.
func deskBalances(t view, assets []string) (map[string]*big.Int, error) {
	sums := map[string]*big.Int{}
	for _, asset := range assets {
		sum, buckets := new(big.Int), EveryBucket(0)[:1]
		err := t.QuerySet(func(r row) error { sum.Add(sum, big.NewInt(r.Int(0))); return nil },
			`SELECT b.balance FROM {rows} JOIN balances b ON b.bucket = r.bucket AND b.account = r.account AND b.asset = r.asset`,
			append(buckets, texts("account", repeat(string(ledger.Desk), ledger.Buckets)), texts("asset", repeat(asset, ledger.Buckets))))
		if err != nil {
			return nil, fmt.Errorf("read what @desk has of %s: %w", asset, err)
		}
		sums[asset] = sum
	}
	return sums, nil
}

// mayConvert says why the item's conversion cannot be posted, or nil; nil too for an
// item that is none.
func (p *posting) mayConvert(it *item) error {
	c := it.call.converts
	if c == nil {
		return nil
	}
	q, err := c.rules.quote(c.quote.From, c.quote.Into, c.quote.Amount, p.conversions.prices, p.now)
	if err != nil {
		return err
	}
	if !q.same(c.quote) {
		return &ConversionError{Fault: QuoteChanged}
	}
	c.quote.Worth = q.Worth // what counts is what the books say
	return c.rules.limit(q, p.conversions.used[converted{c.account, p.day(it)}], p.conversions.desks[q.Into.Symbol])
}

// count keeps what an accepted item leaves of the limits for those that come after it,
// with the sign 1, or takes that back, with the sign -1.
func (c *conversions) count(it *item, sign int64) {
	if what := it.call.converts; what != nil {
		c.used[converted{what.account, staking.DayOf(timeOf(it.at))}] += what.quote.Worth * ledger.Amount(sign)
	}
	for _, change := range it.changes {
		if sum := c.desks[change.asset]; sum != nil && change.account == ledger.Desk {
			sum.Add(sum, big.NewInt(int64(change.net)*sign))
		}
	}
}

// writeConversions counts the accepted conversions against the limits of their day.
func (p *posting) writeConversions() error {
	worth := map[converted]ledger.Amount{}
	for _, it := range p.items {
		if c := it.call.converts; c != nil && it.isNew() {
			worth[converted{c.account, p.day(it)}] += c.quote.Worth
		}
	}
	if len(worth) == 0 {
		return nil
	}
	_, err := p.t.Set(nil, `UPDATE conversions SET worth = conversions.worth + r.worth FROM {rows}
	                         WHERE conversions.bucket = r.bucket AND conversions.account = r.account AND conversions.day = r.day`,
		convertedSet(slices.Collect(maps.Keys(worth)), func(k converted) ledger.Amount { return worth[k] }))
	if err != nil {
		return fmt.Errorf("count conversions: %w", err)
	}
	return nil
}
