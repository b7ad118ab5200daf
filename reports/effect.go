package reports

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
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

// EffectToken is what of a token earns now that would not any more.
type EffectToken struct {
	Asset    ledger.Asset
	Holders  int64    // enrolled, with at least the minimum free
	Earning  *big.Int // what they have free, each up to the cap, in smallest units
	USDT     *big.Int // in 1e-8, rounded down
	HasPrice bool
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
	err = rs.Read(ctx, func(t db.View) (err error) {
		from, err = rs.ListingDay(t, from)
		return err
	})
	e := effect{region: region, Effect: Effect{From: from, USDT: new(big.Int)}}
	if err == nil {
		err = e.read(ctx, rs)
	}
	if err != nil {
		return e.Effect, fmt.Errorf("preview region %s: %w", region, err)
	}
	return e.Effect, nil
}

// PreviewDelisting says whom it would affect if a token were not on offer from a day
// on: all who are enrolled and hold it. As PreviewRegion.
func (rs *Reports) PreviewDelisting(ctx context.Context, asset string, from staking.Day) (Effect, error) {
	if _, err := rs.Asset(ctx, asset); err != nil {
		return Effect{}, err
	}
	e := effect{asset: asset, Effect: Effect{From: from, USDT: new(big.Int)}}
	if err := e.read(ctx, rs); err != nil {
		return e.Effect, fmt.Errorf("preview %s off offer: %w", asset, err)
	}
	return e.Effect, nil
}

// effect is an Effect that is being counted.
type effect struct {
	Effect
	region staking.Region // of the accounts; "": all
	asset  string         // that would not earn; "": all
	terms  map[string]staking.Terms
}

// earning is what an account has of an asset that earns.
type earning struct {
	asset  string
	amount ledger.Amount
}

// read counts bucket by bucket, in a snapshot each.
func (e *effect) read(ctx context.Context, rs *Reports) error {
	today := staking.DayOf(rs.Now())
	err := rs.Read(ctx, func(t db.View) (err error) {
		e.terms, err = store.TermsAt(t, today)
		return err
	})
	tokens := map[string]*EffectToken{}
	for bucket := 0; bucket < ledger.Buckets && err == nil; bucket++ {
		var accounts, enrolled int64
		var earns []earning
		err = rs.Read(ctx, func(t db.View) (err error) {
			accounts, enrolled, earns, err = e.readBucket(t, bucket)
			return err
		})
		e.Accounts, e.Enrolled = e.Accounts+accounts, e.Enrolled+enrolled
		for _, b := range earns {
			token := tokens[b.asset]
			if token == nil {
				token = &EffectToken{Asset: rs.Known()[b.asset], Earning: new(big.Int), USDT: new(big.Int)}
				tokens[b.asset] = token
			}
			token.Holders++
			token.Earning.Add(token.Earning, big.NewInt(int64(b.amount)))
		}
	}
	if err != nil {
		return err
	}
	prices, err := rs.PricesFor(ctx, today)
	for _, asset := range slices.Sorted(maps.Keys(tokens)) {
		token := tokens[asset]
		var price store.Price
		if price, token.HasPrice = prices[asset]; token.HasPrice {
			token.USDT = store.Worth(token.Asset, token.Earning, price.Price)
		} else {
			e.Unpriced++
		}
		e.USDT.Add(e.USDT, token.USDT)
		e.Tokens = append(e.Tokens, *token)
	}
	return err
}

func (e *effect) readBucket(t db.View, bucket int) (accounts, enrolled int64, earns []earning, err error) {
	const (
		concerned = " WHERE a.bucket = $1 AND a.closed = 0 AND ($2 = '' OR a.region = $2 OR a.region LIKE $2 || '-%')"
		joined    = " FROM accounts a JOIN enrollments e ON e.bucket = a.bucket AND e.account = a.account"
		running   = concerned + " AND e.until_day > $3 AND e.from_day < e.until_day"
	)
	accounts, err = db.Count(t, "SELECT count(*) FROM accounts a"+concerned, int64(bucket), string(e.region))
	if err != nil {
		return 0, 0, nil, err
	}
	enrolled, err = db.Count(t, "SELECT count(*)"+joined+running, int64(bucket), string(e.region), int64(e.From))
	if err != nil {
		return 0, 0, nil, err
	}
	err = t.Query(func(r db.Row) error {
		terms, known := e.terms[r.Text(0)]
		if free := ledger.Amount(r.Int(1)); known && terms.Offered && free >= terms.Min && free > 0 {
			earns = append(earns, earning{terms.Asset, min(free, terms.Cap)})
		}
		return nil
	}, "SELECT b.asset, b.balance"+joined+" JOIN balances b ON b.bucket = a.bucket AND b.account = a.account"+running+
		" AND ($4 = '' OR b.asset = $4)", int64(bucket), string(e.region), int64(e.From), e.asset)
	return accounts, enrolled, earns, err
}
