package store

import (
	"errors"
	"fmt"
	"math"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Reserved is what of @rewards the operator may not take out, and a day in the mode fixed may not spend: the net
// income that was entered in the mode share and is not distributed, what distributions have left, what holders
// carry, and what the pools of campaigns have left. What those carry who have left is theirs when they come back.
// A loss that the next income makes up for takes nothing from the campaigns.
func Reserved(t db.View, token string) (ledger.Amount, error) {
	income, campaigns, err := reserves(t, token)
	return campaigns + income, err
}

// reserves is Reserved in two: for campaigns, rounded up to a smallest unit, and for income and what holders carry,
// which the sum rounds up only together. Neither is below zero.
func reserves(t db.View, token string) (income, campaigns ledger.Amount, err error) {
	day, carried, err := carriedThrough(t, staking.Forever, token)
	if err != nil {
		return 0, 0, err
	}
	left, err := holding.Left(t, day+1, token)
	if err != nil {
		return 0, 0, fmt.Errorf("read what the distributions of %s have left: %w", token, err)
	}
	beside, err := reserveBeside(t, day, token, left, carried)
	if err != nil {
		return 0, 0, err
	}
	pools, err := leftOfCampaigns(t, token)
	if err != nil {
		return 0, 0, err
	}
	campaigns = pools.RoundedUp()
	if _, err := beside.Units.Add(campaigns); err != nil {
		return 0, 0, err
	}
	return beside.Add(pools).RoundedUp() - campaigns, campaigns, nil
}

// reserveAfter is what will be reserved for income and what holders carry when a day is declared that is the next,
// whose distributions are all. change is by how much it changes what they carry.
func reserveAfter(t db.View, d staking.Day, token string, all []staking.Distribution, change staking.Exact) (
	staking.Exact, error) {
	left, err := holding.Left(t, d, token)
	if err != nil {
		return staking.Exact{}, err
	}
	for _, v := range all {
		if v.Budget != nil {
			continue
		}
		if left = (staking.Exact{}); !v.Pays() {
			left = v.Pool()
		}
	}
	_, carried, err := carriedThrough(t, d-1, token)
	if err != nil {
		return staking.Exact{}, err
	}
	return reserveBeside(t, d, token, left, carried.Add(change))
}

// carriedThrough is what the holders of a token carry together after the last day through one that is declared, and
// that day; -1: there is none.
func carriedThrough(t db.View, through staking.Day, token string) (day staking.Day, carried staking.Exact, err error) {
	day = -1
	err = t.Query(func(r db.Row) error {
		day, carried = staking.Day(r.Int(0)), holding.ReadExact(r, 1)
		return nil
	}, "SELECT day, carried_units, carried_part FROM declarations "+
		"WHERE asset = $1 AND day <= $2 ORDER BY day DESC LIMIT 1", token, int64(through))
	return day, carried, annotate(err, "read what the holders of %s carry", token)
}

// reserveBeside is what is reserved where the distributions through a day have left so much, and holders carry so much.
// A loss that the next income makes up for takes nothing of what they carry. It is nothing where there has been neither
// income in the mode share nor a campaign: what holders carry is then of the pool.
func reserveBeside(t db.View, through staking.Day, token string, left, carried staking.Exact) (staking.Exact, error) {
	net, entered, err := netEntered(t, (through + 1).Millis(), math.MaxInt64, token)
	if err != nil {
		return staking.Exact{}, err
	}
	if !entered {
		if divided, err := hasDistributions(t, token); err != nil || !divided {
			return staking.Exact{}, err
		}
	}
	if _, err := left.Units.Add(net); err != nil {
		return staking.Exact{}, err
	}
	if left = left.Add(staking.Exact{Units: net}); left.Units < 0 {
		left = staking.Exact{}
	}
	if _, err := left.Units.Add(carried.Units); err != nil {
		return staking.Exact{}, err
	}
	return left.Add(carried), nil
}

// hasDistributions reports whether an income or a campaign's budget was ever divided in the token.
func hasDistributions(t db.View, token string) (bool, error) {
	n, err := db.Count(t, `SELECT count(*) FROM (SELECT 1 FROM distributions WHERE asset = $1
	     UNION ALL SELECT 1 FROM campaign_distributions d JOIN campaigns c ON c.campaign = d.campaign
	     WHERE c.asset = $1 LIMIT 1) AS divided`, token)
	return n > 0, err
}

// Available is what lies in @rewards of a token, and how much of it a day that is over may not spend: in the mode
// share only what campaigns have left, since its income is what is distributed. change is by how much the day changes
// what holders carry.
func Available(t db.View, d staking.Day, token string, change staking.Exact) (pool, reserved ledger.Amount, err error) {
	all, err := holding.Distributions(t, d, token)
	if err != nil {
		return 0, 0, err
	}
	return AvailableAfter(t, d, token, all, change)
}

// AvailableAfter is Available where all are the distributions of the days through d that are not declared, by day, and
// change is by how much these days change what holders carry.
func AvailableAfter(t db.View, d staking.Day, token string, all []staking.Distribution, change staking.Exact) (
	pool, reserved ledger.Amount, err error) {
	if pool, err = PoolOf(t, token); err != nil {
		return 0, 0, err
	}
	left, err := leftOfCampaignsAfter(t, token, all)
	if err != nil {
		return 0, 0, err
	}
	terms, err := TermsAt(t, d)
	if err != nil || terms[token].Mode == staking.Share {
		return pool, max(left.RoundedUp(), 0), err
	}
	beside, err := reserveAfter(t, d, token, all, change)
	if err != nil {
		return 0, 0, err
	}
	return pool, max(left.Add(beside).RoundedUp(), 0), nil
}

// PoolOf is what lies in @rewards of a token.
func PoolOf(t db.View, token string) (ledger.Amount, error) {
	pool, err := db.Count(t, "SELECT balance FROM balances WHERE bucket = $1 AND account = $2 AND asset = $3",
		int64(ledger.Rewards.Bucket()), string(ledger.Rewards), token)
	return ledger.Amount(pool), err
}

// lockPool locks what lies in @rewards of a token until the commit: no income is entered, and nothing taken out.
func lockPool(t db.Tx, token string) error {
	_, err := t.Exec("UPDATE balances SET balance = balance WHERE bucket = $1 AND account = $2 AND asset = $3",
		int64(ledger.Rewards.Bucket()), string(ledger.Rewards), token)
	return annotate(err, "lock the pool of %s", token)
}

// reservedFor says what of @rewards is reserved, wherever that is the reason why something is refused.
const reservedFor = "reserved for income and campaigns that are not distributed yet and for what holders carry"

// ShortOfFunds is staking.ErrFunds if the pool, less what is reserved, is less than the day's total.
func ShortOfFunds(asset ledger.Asset, pool, reserved, total ledger.Amount) error {
	if total <= pool-reserved {
		return nil
	}
	has := asset.Format(pool) + " " + asset.Symbol
	if reserved > 0 {
		has += fmt.Sprintf(", of which %s is %s,", asset.Format(reserved), reservedFor)
	}
	return staking.ErrFunds.In("", "it has %s and the day needs %s", has, asset.Format(total)).
		Because(staking.ReasonFunds, asset.Symbol, asset.Format(total-(pool-reserved)))
}

// readPool reads what of @rewards is reserved, where entries take from it. Their rows are locked: what is
// entered in the same group commit, as income or for a campaign, is added by count.
func (g *groupCommit) readPool() (err error) {
	read := map[*balance]bool{}
	for it := range g.undecided {
		for _, c := range it.changes {
			if c.net >= 0 || c.account != ledger.Rewards {
				continue
			}
			if it.shares() {
				if it.owed, err = owedBefore(g.t, g.day(it), c.asset); err != nil {
					return err
				}
			}
			if read[c.balance] {
				continue
			}
			read[c.balance] = true
			c.balance.reserved, c.balance.campaigns, err = reserves(g.t, c.asset)
			if errors.Is(err, ledger.ErrOverflow) {
				c.balance.reserved, err = ledger.MaxSupply, nil // as much as there can be
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// owedBefore is the income of a token that was entered before a day, and what was left before it, if it is still to be
// distributed: a loss that is entered on the day is not divided with it, and must leave it in the pool, with what
// holders carry, which is paid with it.
func owedBefore(t db.View, d staking.Day, token string) (ledger.Amount, error) {
	declared, carried, err := carriedThrough(t, staking.Forever, token)
	if err != nil {
		return 0, err
	}
	left, err := holding.Left(t, declared+1, token)
	if err != nil {
		return 0, err
	}
	net, entered, err := netEntered(t, (declared + 1).Millis(), d.Millis(), token)
	if err != nil {
		return 0, err
	}
	if !entered {
		if divided, err := hasDistributions(t, token); err != nil || !divided {
			return 0, err
		}
	}
	owed := left.Add(staking.Exact{Units: net})
	if owed.Units < 0 { // the next income makes up for it, and what holders carry does not
		owed = staking.Exact{}
	}
	return owed.Add(carried).RoundedUp(), nil
}

// netEntered is the net income of a token that was entered in the mode share from a moment on and before another,
// and whether there is any.
func netEntered(t db.View, from, before int64, token string) (sum ledger.Amount, entered bool, err error) {
	err = t.Query(func(r db.Row) (err error) {
		entered = true
		sum, err = sum.Add(staking.Income{Gross: ledger.Amount(r.Int(0))}.Split(staking.Rate(r.Int(1))).Net)
		return err
	}, "SELECT gross, fee FROM incomes WHERE at >= $1 AND at < $2 AND asset = $3 AND mode = $4", from, before, token,
		int64(staking.Share))
	return sum, entered, annotate(err, "sum the income of %s that is not distributed", token)
}

// shares reports whether the item brings in income that is divided, or takes some back: that is what is reserved.
func (it *item) shares() bool { return it.call.income != nil && it.call.income.mode == staking.Share }

// countIncome adds what an accepted item brings in, as income or for a campaign, to what is
// reserved or, with the sign -1, takes it back.
func (g *groupCommit) countIncome(it *item, sign int64) {
	for _, c := range it.changes {
		if c.account != ledger.Rewards {
			continue
		}
		if it.shares() {
			c.balance.reserved += c.net * ledger.Amount(sign)
		}
		if it.call.campaign != nil {
			c.balance.campaigns += c.net * ledger.Amount(sign)
		}
	}
}
