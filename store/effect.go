package store

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
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
// tomorrow: those who live there. It writes nothing. It reads bucket by bucket, and so
// what is posted or switched at the same time may be in it or not.
func (db *DB) PreviewRegion(ctx context.Context, region staking.Region, from staking.Day) (Effect, error) {
	region, err := staking.ParseRegion(string(region))
	if err != nil {
		return Effect{}, err
	}
	err = db.engine.Read(ctx, func(t view) (err error) {
		from, err = db.listingDay(t, from)
		return err
	})
	if err != nil {
		return Effect{}, fmt.Errorf("preview region %s: %w", region, err)
	}
	e, err := db.effect(ctx, from, region, "")
	if err != nil {
		return e, fmt.Errorf("preview region %s: %w", region, err)
	}
	return e, nil
}

// PreviewDelisting says whom it would affect if a token were not on offer from a day
// on: all who are enrolled and hold it. As PreviewRegion.
func (db *DB) PreviewDelisting(ctx context.Context, asset string, from staking.Day) (Effect, error) {
	if _, err := db.Asset(ctx, asset); err != nil {
		return Effect{}, err
	}
	e, err := db.effect(ctx, from, "", asset)
	if err != nil {
		return e, fmt.Errorf("preview %s off offer: %w", asset, err)
	}
	return e, nil
}

// effect counts the accounts of a region, or all if it is "", and what they earn on
// with a token, or with all if it is "".
func (db *DB) effect(ctx context.Context, from staking.Day, region staking.Region, asset string) (Effect, error) {
	c := counting{db: db, region: region, asset: asset, e: Effect{From: from, USDT: new(big.Int)}, tokens: map[string]*EffectToken{}}
	var accounts, enrolled int64
	err := db.engine.Read(ctx, func(t view) (err error) {
		c.terms, err = TermsAt(t, staking.DayOf(db.clock()))
		return err
	})
	for bucket := 0; bucket < ledger.Buckets && err == nil; bucket++ {
		err = db.engine.Read(ctx, func(t view) (err error) {
			c.part = nil
			accounts, enrolled, err = c.bucket(t, bucket)
			return err
		})
		if err == nil {
			c.e.Accounts, c.e.Enrolled = c.e.Accounts+accounts, c.e.Enrolled+enrolled
			c.add()
		}
	}
	if err == nil {
		err = c.worth(ctx)
	}
	return c.e, err
}

// counting is the counting of an effect.
type counting struct {
	db     *DB
	region staking.Region
	asset  string
	terms  map[string]staking.Terms
	e      Effect
	tokens map[string]*EffectToken
	part   []Balance // that earn, of the bucket that is being read: Free is what earns
}

// inEffect is the condition that an account is concerned by a region, "" being all.
var inEffect = "a.bucket = $1 AND a.closed = 0 AND ($2 = '' OR " + inRegion("$2") + ")"

func (c *counting) bucket(t view, bucket int) (accounts, enrolled int64, err error) {
	accounts, err = count(t, "SELECT count(*) FROM accounts a WHERE "+inEffect, int64(bucket), string(c.region))
	if err != nil {
		return 0, 0, err
	}
	const joined = " FROM accounts a JOIN enrollments e ON e.bucket = a.bucket AND e.account = a.account"
	const running = " AND e.until_day > $3 AND e.from_day < e.until_day"
	enrolled, err = count(t, "SELECT count(*)"+joined+" WHERE "+inEffect+running, int64(bucket), string(c.region), int64(c.e.From))
	if err != nil {
		return 0, 0, err
	}
	err = t.Query(func(r row) error {
		terms, known := c.terms[r.Text(0)]
		if free := ledger.Amount(r.Int(1)); known && terms.Offered && free >= terms.Min && free > 0 {
			c.part = append(c.part, Balance{Asset: terms.Asset, Free: min(free, terms.Cap)})
		}
		return nil
	}, "SELECT b.asset, b.balance"+joined+" JOIN balances b ON b.bucket = a.bucket AND b.account = a.account WHERE "+inEffect+running+
		" AND ($4 = '' OR b.asset = $4)", int64(bucket), string(c.region), int64(c.e.From), c.asset)
	return accounts, enrolled, err
}

// add adds what earns in a bucket.
func (c *counting) add() {
	for _, b := range c.part {
		token := c.tokens[b.Asset]
		if token == nil {
			token = &EffectToken{Asset: (*c.db.known.Load())[b.Asset], Earning: new(big.Int), USDT: new(big.Int)}
			c.tokens[b.Asset] = token
		}
		token.Holders++
		token.Earning.Add(token.Earning, big.NewInt(int64(b.Free)))
	}
}

// worth puts the tokens in order, with what they are worth today.
func (c *counting) worth(ctx context.Context) error {
	prices, err := c.db.PricesFor(ctx, staking.DayOf(c.db.clock()))
	if err != nil {
		return err
	}
	for _, token := range slices.SortedFunc(maps.Values(c.tokens), func(a, b *EffectToken) int { return strings.Compare(a.Asset.Symbol, b.Asset.Symbol) }) {
		var price Price
		if price, token.HasPrice = prices[token.Asset.Symbol]; !token.HasPrice {
			c.e.Unpriced++
		} else {
			token.USDT = Worth(token.Asset, token.Earning, price.Price)
		}
		c.e.USDT.Add(c.e.USDT, token.USDT)
		c.e.Tokens = append(c.e.Tokens, *token)
	}
	return nil
}
