package reports

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Effect is whom something would affect that ends earning for many holders at once. Its
// sums are of many accounts, each of which has an Amount, and so may be larger than one.
type Effect struct {
	From     staking.Day // the first day that would not earn
	Accounts int64       // open accounts that it concerns
	Enrolled int64       // of these, whose enrollment covers From or a later day
	Tokens   []EffectToken
	USDT     *big.Int // what earns in all, in 1e-8, rounded down per token
	Unpriced int      // tokens that have no price of today or of the 7 days before: not in USDT
}

// EffectToken is what of a token earns now that would not any more. What another product has
// on From is not among it.
type EffectToken struct {
	Asset    ledger.Asset
	Holders  int64    // enrolled, with at least the minimum free, where that is an owner's in all accounts together
	Earning  *big.Int // what of that earns, up to the cap, in smallest units, rounded down once
	USDT     *big.Int // in 1e-8, rounded down
	HasPrice bool
}

// sum sets what earns, from the exact sum of all accounts over a day: only it is rounded, so that an owner's accounts
// above the cap have the whole of it together.
func (e *EffectToken) sum(of staking.Integral) error {
	if _, ok := e.Earning.SetString(of.String(), 10); !ok {
		return fmt.Errorf("%s is no integral", of)
	}
	e.Earning.Quo(e.Earning, big.NewInt(staking.DayMillis))
	return nil
}

// Holders are those of the token that is concerned most.
func (e Effect) Holders() (most int64) {
	for _, token := range e.Tokens {
		most = max(most, token.Holders)
	}
	return most
}

// PreviewRegion says whom listing a region from a day on would affect, 0 being
// tomorrow: those who live there. It reads bucket by bucket, and so what is posted or
// switched at the same time may be in it or not.
func (rs *Reports) PreviewRegion(ctx context.Context, region staking.Region, from staking.Day) (Effect, error) {
	region, err := staking.ParseRegion(string(region))
	if err != nil {
		return Effect{}, err
	}
	do := fmt.Sprintf("preview region %s", region)
	from, err = read(ctx, rs, do, func(t db.View) (staking.Day, error) { return rs.ListingDay(t, from) })
	if err != nil {
		return Effect{}, err
	}
	return readEffect(ctx, rs, do, effect{region: region, Effect: Effect{From: from}})
}

// PreviewDelisting says whom it would affect if a token were not on offer from a day
// on: all who are enrolled and hold it. As PreviewRegion.
func (rs *Reports) PreviewDelisting(ctx context.Context, asset string, from staking.Day) (Effect, error) {
	if _, err := rs.Asset(ctx, asset); err != nil {
		return Effect{}, err
	}
	return readEffect(ctx, rs, "preview "+asset+" off offer", effect{asset: asset, Effect: Effect{From: from}})
}

// effect is an Effect that is being counted.
type effect struct {
	Effect
	region staking.Region // of the accounts; "": all
	asset  string         // that would not earn; "": all
	terms  map[string]staking.Terms
	owners ownersFree
}

// concerned is what a bucket has that an effect counts.
type concerned struct {
	accounts, enrolled int64
	earns              []earning
}

// earning is what an account has of an asset that earns.
type earning struct {
	asset  string
	amount staking.Integral // over a day
}

// readEffect counts bucket by bucket, in a snapshot each.
func readEffect(ctx context.Context, rs *Reports, do string, e effect) (Effect, error) {
	today := staking.DayOf(rs.Now())
	terms, err := read(ctx, rs, do, func(t db.View) (map[string]staking.Terms, error) { return store.TermsAt(t, e.From) })
	if err != nil {
		return Effect{}, err
	}
	e.terms, e.USDT = terms, new(big.Int)
	if e.owners, err = e.readOwners(ctx, rs, do, e.From); err != nil {
		return Effect{}, err
	}
	tokens, sums := map[string]*EffectToken{}, map[string]staking.Integral{}
	for bucket := range ledger.Buckets {
		found, err := read(ctx, rs, do, func(t db.View) (concerned, error) { return e.readBucket(t, bucket) })
		if err != nil {
			return Effect{}, err
		}
		e.Accounts, e.Enrolled = e.Accounts+found.accounts, e.Enrolled+found.enrolled
		for _, b := range found.earns {
			token := tokens[b.asset]
			if token == nil {
				token = &EffectToken{Asset: rs.CachedAssets()[b.asset], Earning: new(big.Int), USDT: new(big.Int)}
				tokens[b.asset] = token
			}
			token.Holders++
			sums[b.asset] = sums[b.asset].Add(b.amount)
		}
	}
	prices, err := rs.PricesFor(ctx, today)
	if err != nil {
		return Effect{}, fmt.Errorf("%s: %w", do, err)
	}
	for _, asset := range slices.Sorted(maps.Keys(tokens)) {
		token := tokens[asset]
		if err := token.sum(sums[asset]); err != nil {
			return Effect{}, fmt.Errorf("%s: %w", do, err)
		}
		var price pricing.Price
		if price, token.HasPrice = prices[asset]; token.HasPrice {
			token.USDT = conversion.Worth(token.Asset, token.Earning, price.Price)
		} else {
			e.Unpriced++
		}
		e.USDT.Add(e.USDT, token.USDT)
		e.Tokens = append(e.Tokens, *token)
	}
	return e.Effect, nil
}

func (e *effect) readBucket(t db.View, bucket int) (found concerned, err error) {
	found.accounts, err = db.Count(t, "SELECT count(*) FROM accounts a"+ofRegion, int64(bucket), string(e.region))
	if err != nil {
		return found, err
	}
	found.enrolled, err = db.Count(t, "SELECT count(*)"+andEnrolled+stillOn, int64(bucket), string(e.region),
		int64(e.From))
	if err != nil {
		return found, err
	}
	err = e.eachFree(t, bucket, e.region, func(id ledger.Account, asset string, free ledger.Amount) error {
		terms := e.terms[asset]
		earns := terms.EarningIntegral(free, max(free, e.owners.of(id, asset)))
		if (staking.Integral{}).Less(earns) {
			found.earns = append(found.earns, earning{asset, earns})
		}
		return nil
	})
	return found, err
}

// andEnrolled and stillOn are the open accounts of a region, all being "", whose enrollment covers a day or a
// later one.
const (
	ofRegion    = " WHERE a.bucket = $1 AND a.closed = 0 AND ($2 = '' OR a.region = $2 OR a.region LIKE $2 || '-%')"
	andEnrolled = " FROM accounts a JOIN enrollments e ON e.bucket = a.bucket AND e.account = a.account"
	stillOn     = ofRegion + " AND e.until_day > $3 AND e.from_day < e.until_day"
)

// eachFree calls visit with what these accounts of a bucket have free of the tokens that may be concerned, above zero.
func (e *effect) eachFree(t db.View, bucket int, region staking.Region,
	visit func(id ledger.Account, asset string, free ledger.Amount) error) error {
	return t.Query(func(r db.Row) error {
		return visit(ledger.Account(r.Text(0)), r.Text(1), ledger.Amount(r.Int(2)))
	}, "SELECT b.account, b.asset, b.balance"+andEnrolled+
		" JOIN balances b ON b.bucket = a.bucket AND b.account = a.account AND b.balance > 0"+stillOn+
		` AND ($4 = '' OR b.asset = $4) AND NOT EXISTS (
		   SELECT 1 FROM exclusions x WHERE x.bucket = b.bucket AND x.account = b.account AND (x.asset = '' OR x.asset = b.asset)
		      AND x.from_day <= $3 AND x.until_day > $3)`, int64(bucket), string(region), int64(e.From), e.asset)
}
