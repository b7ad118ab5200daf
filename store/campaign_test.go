package store_test

import (
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// spring is a campaign of 1000 smallest units of SOL for those who hold BNB, on Days 2 to 4.
func spring() staking.Campaign {
	return staking.Campaign{
		ID: "spring", Title: "Hold BNB, get SOL", Asset: sol, Pool: 1000, First: day1 + 1, Last: day1 + 3,
		Parts:       staking.EqualParts(1000, []string{bnb}),
		Multipliers: []staking.Multiplier{{Label: "vip", Percent: 150}, {Label: "new", Percent: 120}},
	}
}

// label gives an account a label on some days.
func label(t *testing.T, books *store.DB, id ledger.Account, word string, from, until staking.Day) {
	t.Helper()
	ok(t, books.Engine().Write(t.Context(), func(t db.Tx) error {
		_, err := t.Exec("INSERT INTO labels (bucket, account, label, from_day, until_day, set_at, set_by) VALUES "+
			"($1, $2, $3, $4, $5, 0, 'test')", int64(id.Bucket()), string(id), word, int64(from), int64(until))
		return err
	}))
}

// paidIn are an account's rewards of a token, by day of the books.
func paidIn(t *testing.T, db *store.DB, id ledger.Account, asset string) map[int]ledger.Amount {
	t.Helper()
	found := map[int]ledger.Amount{}
	asked := reports.RewardsAsked{From: day1, To: day1 + 100, Asset: asset}
	for _, r := range testkit.Must(reports.New(db.Reader()).RewardPage(t.Context(), id, asked, nil, 100))(t) {
		if r.Reward > 0 {
			found[int(r.Day-day1)+1] = r.Reward
		}
	}
	return found
}

// springStory: alice has 3 BNB and bob, who is a vip, 1. Neither has ever held SOL. bob leaves on
// Day 4. late runs all days in one go.
func springStory(t *testing.T, db *store.DB, clock *testkit.Clock, late bool) {
	t.Helper()
	testkit.Must(db.Fund(t.Context(), "pool", bnb, 100_00000000, false))(t)
	testkit.Must(db.PostCampaign(t.Context(), spring()))(t)
	label(t, db, "bob", "vip", day1+1, day1+100)
	label(t, db, "bob", "new", day1+1, day1+100)
	for id, tokens := range map[ledger.Account]int64{"alice": 3, "bob": 1} {
		open(t, db, id)
		on(t, db, id)
		deposit(t, db, "d-"+string(id), id, tokens, bnb, noon)
	}
	if !late {
		settleThrough(t, db, clock, 1, 3, false)
	}
	clock.Set(4, "12:00")
	off(t, db, "bob")
	settleThrough(t, db, clock, 1, 6, late)
}

// TestCampaign: a pool in another token is divided by what the days weigh; a late run pays the same.
func TestCampaign(t *testing.T) {
	for _, late := range []bool{false, true} {
		each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
			springStory(t, db, clock, late)
			const coin = 100_000_000
			o := shareOracle{nil, nil, map[string]*big.Int{}}
			want := map[ledger.Account]map[int]ledger.Amount{"alice": {}, "bob": {}}
			left := parts(1000)
			held := map[string]int64{"alice": 3 * coin, "bob": 1 * coin} // grows by the rewards of BNB
			own := map[string]map[int]ledger.Amount{"alice": paidIn(t, db, "alice", bnb), "bob": paidIn(t, db, "bob", bnb)}
			for day := 2; day <= 4; day++ {
				weights := map[string]*big.Int{"alice": big.NewInt(100 * held["alice"]), "bob": big.NewInt(150 * held["bob"])}
				if day == 4 {
					delete(weights, "bob")
				}
				o.all = new(big.Int)
				for _, w := range weights {
					o.all.Add(o.all, w)
				}
				o.pool = new(big.Int).Set(left)
				if day < 4 {
					o.pool.Quo(o.pool, parts(int64(5-day)))
					o.pool.Mul(o.pool, parts(1))
				}
				for id, w := range weights {
					before := new(big.Int)
					if o.carry[id] != nil {
						before.Set(o.carry[id])
					}
					reward := o.reward(id, w)
					if reward > 0 {
						want[ledger.Account(id)][day+1] = reward
					}
					paid := new(big.Int).Add(parts(int64(reward)), o.carry[id])
					left.Sub(left, paid.Sub(paid, before))
				}
				for id := range held {
					held[id] += int64(own[id][day])
				}
			}
			for id, rewards := range want {
				if diff := cmp.Diff(rewards, paidIn(t, db, id, sol)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", id, diff)
				}
			}
			audited(t, db)
		})
	}
}
