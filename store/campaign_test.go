package store_test

import (
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
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
			shares := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), "bob", day1+2, sol))(t).Shares
			if len(shares) != 1 || shares[0].Percent != 150 || shares[0].First != day1+1 || shares[0].Pool().Units != 333 ||
				shares[0].Exact.Units != want["bob"][3] || shares[0].Weighs.Symbol != bnb || !shares[0].Declared {
				t.Errorf("the shares of bob's reward are %+v", shares)
			}
			audited(t, db)
		})
	}
}

// campaignPaid is what a campaign has paid, over all its tokens, in parts of a smallest unit.
func campaignPaid(t *testing.T, books *store.DB, c staking.Campaign) *big.Int {
	t.Helper()
	sum := new(big.Int)
	ok(t, books.Engine().Read(t.Context(), func(v db.View) error {
		for _, p := range c.Parts {
			paid, err := holding.PaidOf(v, c.ID, p.Token, staking.Forever)
			if err != nil {
				return err
			}
			sum.Add(sum, parts(int64(paid.Units)))
			sum.Add(sum, big.NewInt(int64(paid.Part)))
		}
		return nil
	}))
	return sum
}

// TestFirstMembers: three enroll, the campaign is for the first two; bob leaves and comes back,
// and keeps his place.
func TestFirstMembers(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		c := spring()
		c.Members, c.Last = 2, day1+5
		testkit.Must(db.PostCampaign(t.Context(), c))(t)
		testkit.Must(db.Fund(t.Context(), "pool", bnb, 100_00000000, false))(t)
		for i, id := range []ledger.Account{"carol", "bob", "alice"} {
			clock.Set(1, []string{"13:00", "14:00", "15:00"}[i])
			open(t, db, id)
			on(t, db, id)
			deposit(t, db, "d-"+string(id), id, 2, bnb, noon)
		}
		clock.Set(1, "16:00") // carol leaves before it begins, and is enrolled again after bob
		off(t, db, "carol")
		on(t, db, "carol")
		clock.Set(2, "16:00")
		off(t, db, "bob")
		on(t, db, "bob") // from Day 3 on: Day 2 is not covered
		settleThrough(t, db, clock, 1, 7, false)
		for id, want := range map[ledger.Account]bool{"alice": true, "bob": false, "carol": true} {
			if got := len(paidIn(t, db, id, sol)) > 0; got != want {
				t.Errorf("%s is rewarded: %t", id, got)
			}
		}
		audited(t, db)
	})
}

// TestMembersKeepTheirPlace: who was covered on a day of the campaign, left and came back is a
// member still, and places that are left go to those who come later.
func TestMembersKeepTheirPlace(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		c := spring()
		c.Members, c.Last = 2, day1+6
		testkit.Must(db.PostCampaign(t.Context(), c))(t)
		testkit.Must(db.Fund(t.Context(), "pool", bnb, 100_00000000, false))(t)
		for _, id := range []ledger.Account{"alice", "bob", "carol"} {
			open(t, db, id)
			deposit(t, db, "d-"+string(id), id, 2, bnb, noon)
		}
		on(t, db, "bob")
		settleThrough(t, db, clock, 1, 2, false)
		clock.Set(4, "10:00")
		off(t, db, "bob")
		on(t, db, "alice")
		clock.Set(4, "11:00")
		on(t, db, "carol")
		clock.Set(5, "10:00")
		on(t, db, "bob")
		settleThrough(t, db, clock, 3, 8, false)
		same(t, "bob", keysOf(paidIn(t, db, "bob", sol)), []int{3, 4, 7, 8})
		same(t, "alice", keysOf(paidIn(t, db, "alice", sol)), []int{6, 7, 8})
		same(t, "carol", keysOf(paidIn(t, db, "carol", sol)), nil)
		audited(t, db)
	})
}

func keysOf(m map[int]ledger.Amount) []int { return slices.Sorted(maps.Keys(m)) }

// TestCampaignWaits: the eligible token's day waits for funds, and so does the reward token's;
// other tokens are paid, and all is paid when it is funded.
func TestCampaignWaits(t *testing.T) {
	eachWithAll(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		c := spring()
		c.Asset, c.Parts = ton, staking.EqualParts(1000, []string{bnb, sol})
		testkit.Must(db.PostCampaign(t.Context(), c))(t)
		testkit.Must(db.Fund(t.Context(), "sol", sol, 100_00000000, false))(t)
		open(t, db, "alice")
		on(t, db, "alice")
		deposit(t, db, "d1", "alice", 100, bnb, noon) // earns some units of BNB, for which there are no funds
		deposit(t, db, "d2", "alice", 100, sol, noon)
		clock.Set(6, "00:10")
		r := settle(t, db, clock)
		waits := map[string]error{}
		for _, w := range r.Waiting {
			waits[w.Asset] = w.Reason
			if w.Asset == ton {
				same(t, "the day that waits", w.Day, day1+2)
			}
		}
		wants(t, waits[bnb], staking.ErrFunds)
		wants(t, waits[ton], staking.ErrUndivided)
		if len(waits) != 2 {
			t.Errorf("%v waits", waits)
		}
		for _, s := range testkit.Must(reports.New(db.Reader()).Status(t.Context()))(t).Tokens {
			if s.Asset == ton {
				wants(t, s.Waiting, staking.ErrUndivided)
			}
		}
		audited(t, db)
		testkit.Must(db.Fund(t.Context(), "bnb", bnb, 100_00000000, false))(t)
		if r := settle(t, db, clock); len(r.Waiting) > 0 {
			t.Errorf("%v waits", r.Waiting)
		}
		if paid, want := campaignPaid(t, db, c), parts(1000); paid.Cmp(want) != 0 {
			t.Errorf("one holder got %s of %s parts", paid, want)
		}
		same(t, "earned", earned(t, db, "alice", ton), 1000)
		audited(t, db)
	})
}

// reserved is what of a token lies in @rewards for campaigns.
func reserved(t *testing.T, books *store.DB, token string) (n ledger.Amount) {
	t.Helper()
	ok(t, books.Engine().Read(t.Context(), func(v db.View) (err error) {
		n, err = store.ReservedByCampaigns(v, token)
		return err
	}))
	return n
}

// TestCampaignEndsEarly: a day on which nobody earns leaves its budget to the later days; when the
// last day is distributed, what is left is the operator's.
func TestCampaignEndsEarly(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		c := spring()
		c.Asset, c.Last = bnb, day1+9 // in the eligible token itself; nine days
		testkit.Must(db.PostCampaign(ctx, c))(t)
		testkit.Must(db.Fund(ctx, "pool", bnb, 100_00000000, false))(t)
		clock.Set(3, "12:00") // nobody earns on Days 2 and 3
		open(t, db, "alice")
		on(t, db, "alice")
		deposit(t, db, "d", "alice", 1, bnb, noon)
		settleThrough(t, db, clock, 1, 3, false)
		same(t, "reserved", reserved(t, db, bnb), 1000)
		clock.Set(5, "12:00")
		wants(t, failure(db.EndCampaign(ctx, "winter", day1+4)), ledger.ErrNotFound)
		wants(t, failure(db.EndCampaign(ctx, c.ID, day1+3)), ledger.ErrInvalid)
		wants(t, failure(db.EndCampaign(ctx, c.ID, c.Last)), ledger.ErrInvalid)
		if repeated := testkit.Must(db.EndCampaign(ctx, c.ID, day1+4))(t); repeated {
			t.Error("it was not ended before")
		}
		if repeated := testkit.Must(db.EndCampaign(ctx, c.ID, day1+4))(t); !repeated {
			t.Error("it was ended before")
		}
		wants(t, failure(db.EndCampaign(ctx, c.ID, day1+5)), ledger.ErrConflict)
		same(t, "reserved", reserved(t, db, bnb), 1000)
		settleThrough(t, db, clock, 4, 5, false)
		same(t, "reserved", reserved(t, db, bnb), 1000-142) // Day 4: 1000/7
		settleThrough(t, db, clock, 6, 9, false)
		same(t, "reserved", reserved(t, db, bnb), 0)
		// Day 5: 858/6.
		if paid, want := campaignPaid(t, db, c), parts(142+143); paid.Cmp(want) != 0 {
			t.Errorf("%s were paid, not %s parts", paid, want)
		}
		same(t, "the log", len(logged(t, db, "campaign add", "campaign end")), 2)
		audited(t, db)
	})
}

// TestCampaignIsRefused: what is wrong with it, and a repetition with another content.
func TestCampaignIsRefused(t *testing.T) {
	eachWithAll(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		first := testkit.Must(db.PostCampaign(ctx, spring()))(t)
		clock.Set(9, "12:00") // it is over: what was made then is answered as then
		if again := testkit.Must(db.PostCampaign(ctx, spring()))(t); first.Repeated || !again.Repeated {
			t.Errorf("%+v, then %+v", first, again)
		}
		for _, change := range []func(*staking.Campaign){
			func(c *staking.Campaign) { c.Title = "other" }, func(c *staking.Campaign) { c.Last++ },
			func(c *staking.Campaign) { c.Members = 5 }, func(c *staking.Campaign) { c.Multipliers = c.Multipliers[1:] },
			func(c *staking.Campaign) { c.Parts[0].Token = ton },
			func(c *staking.Campaign) { c.Pool, c.Parts[0].Amount = 999, 999 },
		} {
			c := spring()
			change(&c)
			wants(t, failure(db.PostCampaign(ctx, c)), ledger.ErrConflict)
		}
		for _, change := range []func(*staking.Campaign){
			func(c *staking.Campaign) {}, // it begins in the past
			func(c *staking.Campaign) { c.First, c.Last = day1+8, day1+9 },
			func(c *staking.Campaign) { c.First, c.Last = day1+10, day1+9 },
			func(c *staking.Campaign) { c.First, c.Last, c.Title = day1+9, day1+9, "" },
		} {
			c := spring()
			c.ID = "summer"
			change(&c)
			wants(t, failure(db.PostCampaign(ctx, c)), ledger.ErrInvalid)
		}
		c := spring()
		c.Parts[0].Token = "XXX"
		wants(t, failure(db.PostCampaign(ctx, c)), ledger.ErrNotFound)
	})
}

// TestCampaignOfAFrozenAndAClosedAccount: the share is credited as any other reward. The account
// is closed with a target on the day after the last that earned, before the share is paid.
func TestCampaignOfAFrozenAndAClosedAccount(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		testkit.Must(db.Fund(ctx, "pool", bnb, 100_00000000, false))(t)
		testkit.Must(db.PostCampaign(ctx, spring()))(t)
		for _, id := range []ledger.Account{"alice", "bob", "carol"} {
			open(t, db, id)
			on(t, db, id)
			deposit(t, db, "d-"+string(id), id, 1, bnb, noon)
		}
		clock.Set(2, "12:00")
		testkit.Must(db.Freeze(ctx, "bob", "court", true))(t)
		settleThrough(t, db, clock, 1, 2, false)
		clock.Set(3, "12:00")
		testkit.Must(db.SweepAccount(ctx, "alice", "carol"))(t)
		settleThrough(t, db, clock, 3, 6, false)
		same(t, "alice has", earned(t, db, "alice", sol), 111)
		if got := free(t, db, "alice", sol); got != 0 {
			t.Errorf("alice still has %d", got)
		}
		wants(t, refusal(db.Post(ctx, []ledger.Entry{{ID: "w", Kind: ledger.Withdrawal, Moves: []ledger.Move{
			{From: "bob", To: ledger.Custody, Asset: sol, Amount: 1}}}})), ledger.ErrFrozen)
		audited(t, db)
	})
}

// TestCampaignChangedByHand: the audit finds each.
func TestCampaignChangedByHand(t *testing.T) {
	url := "sqlite:" + t.TempDir() + "/books.db"
	clock := testkit.NewClock(noon)
	db := testkit.Must(store.Create(t.Context(), url, options(clock), shipped(t, day1)))(t)
	closeAfter(t, db)
	c := spring()
	c.ID, c.Members, c.First, c.Last = "few", 1, day1+2, day1+4
	testkit.Must(db.PostCampaign(t.Context(), c))(t)
	springStory(t, db, clock, false)
	byHand := handOf(t, url)
	byHand.keep(t)
	wantClean(t, auditOf(t, db, audit.Options{}))
	for _, c := range []struct{ sql, want string }{
		{"UPDATE campaigns SET pool = pool + 1", "funds another campaign than the row of it says"},
		{"UPDATE campaigns SET title = 'x'", "has another hash than the rows of its campaign"},
		{"UPDATE campaigns SET last_day = last_day - 1", "has another hash than the rows of its campaign"},
		{"UPDATE campaigns SET at = at + 1", "by the campaign's"},
		{"UPDATE campaigns SET bucket = bucket + 1", "where it does not belong"},
		{"DELETE FROM campaigns", "does not say what was posted"},
		{"UPDATE campaign_parts SET amount = amount + 1", "has another hash than the rows of its campaign"},
		{"UPDATE campaign_multipliers SET percent = percent + 1 WHERE label = 'vip'", "derived"},
		{"DELETE FROM entries WHERE entry = 'campaign/few'; DELETE FROM postings WHERE entry = 'campaign/few'",
			"the campaign few is funded by no entry"},
		{"INSERT INTO campaign_ends SELECT bucket, campaign, first_day, 0, '' FROM campaigns WHERE campaign = 'spring'",
			"was divided, and there is none"},
		{"UPDATE labels SET until_day = from_day", "bucket"},
		{"UPDATE campaign_members SET at = at + 1", "it was enrolled at"},
		{"UPDATE campaign_members SET account = 'bob', bucket = (SELECT bucket FROM accounts WHERE account = 'bob')",
			"and is no member"},
		{"DELETE FROM campaign_members", "is no member, and there are places left"},
		{"INSERT INTO campaign_members SELECT bucket, 'few', account, at FROM switch_events WHERE account = 'bob' AND " +
			"action = 'on'", "more than the 1"},
		{"INSERT INTO campaign_members SELECT bucket, 'few', 'nobody', at FROM campaign_members",
			"no enrollment of it covers"},
		{"UPDATE campaign_weights SET weight = '7'", "has a weight of 7 in the campaign"},
		{"DELETE FROM campaign_weights", "has no weight in the campaign"},
		{"UPDATE campaign_totals SET weight = weight || '0'", "declared is a weight of"},
		{"UPDATE campaign_totals SET weight = 'x'", "declared is a weight of x"},
		{"DELETE FROM campaign_totals", "is declared, and what it weighs"},
		{"UPDATE campaign_shares SET part = part + 1", "parts of a smallest unit of the budget"},
		{"UPDATE campaign_shares SET token = 'TON' WHERE campaign = 'few'", "and there is none"},
		{"UPDATE campaign_distributions SET paid_units = paid_units + 1", "the buckets have"},
		{"UPDATE campaign_distributions SET budget_units = budget_units + 1", "derived"},
		{"UPDATE campaign_distributions SET left_part = left_part + 1", "begins with"},
		{"UPDATE campaign_distributions SET weight = '1' || weight", "is divided by the weight 1"},
		{"DELETE FROM campaign_distributions", "is missing, though the day is declared"},
		{"UPDATE accruals SET reward = reward + 1 WHERE asset = 'SOL'", "reward is"},
		{"UPDATE accruals SET eligible_rest = 1 WHERE asset = 'BNB'", "the eligible average's rest is 1"},
	} {
		byHand(t, c.sql)
		r := auditOf(t, db, audit.Options{})
		byHand.restore(t, c.sql)
		if !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return strings.Contains(f.String(), c.want) }) {
			t.Errorf("%s: not found: %s; found: %v", c.sql, c.want, r.Findings)
		}
	}
	wantClean(t, auditOf(t, db, audit.Options{}))
}
