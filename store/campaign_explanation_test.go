package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// budgetKey names a campaign's budget of a day of a token.
type budgetKey struct {
	campaign, token string
	day             staking.Day
}

// TestCampaignsAreExplained: on random books with campaigns beside the mode share and the mode fixed, what an
// explanation works out on paper, with the shares of incomes, of campaigns, the interest and what was carried, is the
// stored reward and the stored carry of every account, token and day; and the shares of all accounts are what each
// budget paid.
func TestCampaignsAreExplained(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
				s := shareBooks{T: t, db: db, clock: clock, random: rand.New(rand.NewPCG(34, seed)),
					reports: reports.New(db.Reader()), accounts: []ledger.Account{"alice", "bob", "carol", "dave"}}
				c := spring()
				c.Last = day1 + shareDays - 3
				other := staking.Campaign{ID: "autumn", Title: "The first three", Asset: bnb, Pool: 1_000_003, First: day1 + 2,
					Last: day1 + 20, Parts: staking.EqualParts(1_000_003, []string{sol, bnb}), Members: 3,
					Multipliers: []staking.Multiplier{{Label: "vip", Percent: 37}}}
				for _, c := range []staking.Campaign{c, other} {
					testkit.Must(db.PostCampaign(t.Context(), c))(t)
				}
				testkit.Must(db.Fund(t.Context(), "pool", sol, 100_00000000, false))(t)
				label(t, db, "dave", "vip", day1+3, day1+9)
				s.play()
				s.checkCampaigns(c, other)
				audited(t, db)
			})
		})
	}
}

// checkCampaigns checks the explanations of both tokens.
func (s *shareBooks) checkCampaigns(campaigns ...staking.Campaign) {
	s.Helper()
	paid := map[budgetKey]staking.Exact{}
	for _, id := range s.accounts {
		for d := day1; d < day1+shareDays; d++ {
			for _, token := range []string{bnb, sol} {
				e := testkit.Must(s.reports.Explain(s.Context(), id, d, token))(s.T)
				s.adds(e)
				for _, share := range e.Shares {
					if b := share.Budget; b != nil {
						k := budgetKey{b.Campaign.ID, b.Token, share.First}
						paid[k] = paid[k].Add(share.Exact)
						same(s, "the budget is of the day before", share.First, d-1)
					}
				}
			}
		}
	}
	for _, c := range campaigns {
		days := testkit.Must(s.reports.CampaignDays(s.Context(), c.ID, reports.CampaignDay{}, 1000))(s.T)
		if len(days) == 0 {
			s.Errorf("%s has paid nothing", c.ID)
		}
		for _, d := range days {
			k := budgetKey{c.ID, d.Token, d.Day}
			same(s, fmt.Sprint("the shares of ", k), paid[k], d.Paid)
			delete(paid, k)
		}
	}
	if len(paid) > 0 {
		s.Errorf("%v are explained and were not paid", paid)
	}
}
