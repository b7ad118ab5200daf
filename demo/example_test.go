package demo_test

import (
	"strings"
	"testing"

	"github.com/softstake/softstake/demo"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// TestTownHasEveryMode: one example of each, in which it is to be seen, and the income and the
// campaign that pay for it.
func TestTownHasEveryMode(t *testing.T) {
	for name, o := range map[string]demo.Options{
		"smallest": {Holders: 10, Days: 3, Seed: 5, Last: demo.LastDay(), Volatile: true},
		"weeks":    {Holders: 30, Days: 16, Seed: 2, Last: demo.LastDay(), Volatile: true},
	} {
		t.Run(name, func(t *testing.T) {
			town := makeTown(t, file(t), o)
			weeks := (o.Days - 1) / 7 // that ended early enough for their income to be divided
			checkIncomes(t, town, weeks)
			checkCampaign(t, town)
			examples, err := town.Examples(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range examples {
				if x.Way != demo.Way(i) {
					t.Errorf("example %d is of way %d", i, x.Way)
				}
				checkExample(t, x.Way, x.Explanation, weeks)
			}
			if len(examples) != int(demo.OfNothing)+1 {
				t.Errorf("there are %d examples", len(examples))
			}
			checkAudit(t, town)
		})
	}
}

// checkExample looks for what an example is there to show.
func checkExample(t *testing.T, way demo.Way, e reports.Explanation, weeks int) {
	t.Helper()
	m := e.Measured
	shows := false
	switch way {
	case demo.OfIncome:
		shows = weeks == 0 && e.Why == reports.WhyNoIncome || len(e.Shares) == 1 && len(e.Shares[0].Days) == 7 &&
			m.Reward > 0
	case demo.OfCampaign:
		shows = m.Reward > 0 && e.OnlyShares && len(e.Shares) == 1 && e.Shares[0].Budget != nil && e.Shares[0].Percent == 150
	case demo.OfOwner: // 350,000 and 250,000 share a cap of 500,000: 291,666.66666666 and a rest
		shows = m.Eligible == 29_166_666_666_666 && e.Together != (staking.Integral{}) && m.Average > m.Eligible
	case demo.OfLowest: // 500, of which 120 were held for half a day, and what it has earned since
		shows = e.Terms.Measure == staking.Lowest && len(e.Changes) == 2 && m.Average < 38_100_000_000 && m.Reward > 0
	case demo.OfNothing:
		shows = e.Why == reports.WhyExcluded && strings.Contains(e.Reason, "Launchpool has it")
	}
	if !shows {
		t.Errorf("the example of way %d does not show it: %+v", way, e)
	}
}

func checkIncomes(t *testing.T, town *demo.Town, weeks int) {
	t.Helper()
	incomes, err := town.Incomes(t.Context())
	if err != nil || len(incomes) != 3 {
		t.Fatalf("%v %v", incomes, err)
	}
	for _, in := range incomes {
		if in.Periods > weeks || in.Periods == 0 && weeks > 0 {
			t.Errorf("%s has %d periods in %d weeks", in.Token.Symbol, in.Periods, weeks)
		}
		if fee := in.Gross - in.Net; weeks > 0 && (fee <= 0 || fee > in.Gross*3/10 || fee < in.Gross*3/10-1000) {
			t.Errorf("of %d %s the operator keeps %d", in.Gross, in.Token.Symbol, fee)
		}
	}
}

func checkCampaign(t *testing.T, town *demo.Town) {
	t.Helper()
	c, err := town.Campaign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.Latest == nil || c.Latest.Day != town.Last-1 || c.Latest.Rate <= 0 || c.Latest.ValueRate <= 0 {
		t.Errorf("its last day is %+v", c.Latest)
	}
	if c.DaysLeft != int64(c.Last-town.Last)+1 || c.Paid.Units <= 0 || c.Paid.Units+c.Left < c.Pool-1 {
		t.Errorf("of %d it has paid %d and left %d, for %d days", c.Pool, c.Paid.Units, c.Left, c.DaysLeft)
	}
}
