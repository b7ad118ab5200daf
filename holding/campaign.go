package holding

import (
	"fmt"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// A campaign's day is weighed by the accruals of its eligible token, bucket by bucket, and
// everybody's weight is declared with them. The reward token's accruals of the day after have
// the shares of it, by the same mechanism as those of an income. So its run needs only what is
// declared, and does not know how late the eligible token's was.

// Campaigns are those that weigh a day, by ID.
func Campaigns(t db.View, d staking.Day) ([]staking.Campaign, error) {
	all, err := overlapping(t, d, d)
	return slices.DeleteFunc(all, func(c staking.Campaign) bool { return !c.On(d) }), err
}

// AllCampaigns are all that were ever made, by ID.
func AllCampaigns(t db.View) ([]staking.Campaign, error) { return overlapping(t, 0, staking.Forever) }

// CampaignsIn are all that were ever made that pay in a token, by ID.
func CampaignsIn(t db.View, token string) ([]staking.Campaign, error) {
	return campaignsWhere(t, "c.asset = $1", token)
}

// OpenCampaigns are those that may not be over, by ID: of each, a last day that counts may not be distributed. Of those
// that have ended only a row each is read.
func OpenCampaigns(t db.View) ([]staking.Campaign, error) {
	paid := map[string]staking.Day{}
	first := staking.Forever
	err := t.Query(func(r db.Row) error {
		paid[r.Text(0)] = staking.Day(r.Int(1))
		first = min(first, paid[r.Text(0)])
		return nil
	}, "SELECT asset, min(paid_through) FROM progress GROUP BY asset")
	if err != nil {
		return nil, fmt.Errorf("read which days are paid: %w", err)
	}
	// The last day that counts is part of the reward of the day after.
	open := func(c staking.Campaign) bool { return min(c.Last, c.End) >= paid[c.Asset] }
	return campaignsThat(t, open, "c.last_day >= $1", int64(first))
}

// overlapping are the campaigns that were made for one of some days, both ends inclusive.
func overlapping(t db.View, from, to staking.Day) ([]staking.Campaign, error) {
	return campaignsWhere(t, "c.first_day <= $2 AND c.last_day >= $1", int64(from), int64(to))
}

func campaignsWhere(t db.View, condition string, args ...any) ([]staking.Campaign, error) {
	return campaignsThat(t, func(staking.Campaign) bool { return true }, condition, args...)
}

// campaignsThat are those of a condition that are wanted. Only of these parts and multipliers are read.
func campaignsThat(t db.View, wanted func(staking.Campaign) bool, condition string,
	args ...any) ([]staking.Campaign, error) {
	all, err := db.All(t, func(r db.Row) (staking.Campaign, error) {
		return staking.Campaign{
			ID: r.Text(0), Title: r.Text(1), Asset: r.Text(2), Pool: ledger.Amount(r.Int(3)), First: staking.Day(r.Int(4)),
			Last: staking.Day(r.Int(5)), Members: r.Int(6), End: staking.Day(r.Int(7)), Measure: readMeasure(r.Int(8)),
		}, nil
	}, `SELECT c.campaign, c.title, c.asset, c.pool, c.first_day, c.last_day, c.members, coalesce(e.last_day, c.last_day), c.measure
	      FROM campaigns c LEFT JOIN campaign_ends e ON e.bucket = c.bucket AND e.campaign = c.campaign
	     WHERE `+condition+` ORDER BY c.campaign`, args...)
	all = slices.DeleteFunc(all, func(c staking.Campaign) bool { return !wanted(c) })
	for i := range all {
		if err == nil {
			err = readDetails(t, &all[i])
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the campaigns: %w", err)
	}
	return all, nil
}

// readMeasure is the measure of a campaign; nil, if it has none.
func readMeasure(n int64) *staking.Measure {
	if n < 0 {
		return nil
	}
	m := staking.Measure(n)
	return &m
}

// readDetails reads the parts and the multipliers.
func readDetails(t db.View, c *staking.Campaign) (err error) {
	bucket := int64(c.Entry().Bucket())
	c.Parts, err = db.All(t, func(r db.Row) (staking.Part, error) {
		return staking.Part{Token: r.Text(0), Amount: ledger.Amount(r.Int(1))}, nil
	}, "SELECT token, amount FROM campaign_parts WHERE bucket = $1 AND campaign = $2 ORDER BY number", bucket, c.ID)
	if err != nil {
		return err
	}
	c.Multipliers, err = db.All(t, func(r db.Row) (staking.Multiplier, error) {
		return staking.Multiplier{Label: r.Text(0), Percent: r.Int(1)}, nil
	}, "SELECT label, percent FROM campaign_multipliers WHERE bucket = $1 AND campaign = $2 ORDER BY number", bucket, c.ID)
	return err
}

// budgets are the distributions of campaigns that take effect on a day of a token, by campaign
// and eligible token, after some that are not declared. staking.ErrUndivided, if an eligible token's day before is not
// declared yet.
func budgets(t db.View, d staking.Day, token string, before []Foreseen) (all []staking.Distribution, err error) {
	campaigns, err := Campaigns(t, d-1)
	for _, c := range campaigns {
		for _, part := range c.Parts {
			if err != nil || c.Asset != token {
				continue
			}
			var v staking.Distribution
			if v, err = budget(t, c, d-1, part.Token, paidAfter(before, c.ID, part.Token)); err == nil {
				all = append(all, v)
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the budgets of campaigns of %s of %s: %w", token, d, err)
	}
	return all, nil
}

// budget is a campaign's for a day of a token. foreseen is what will have been paid of it beside what is declared.
func budget(t db.View, c staking.Campaign, d staking.Day, token string,
	foreseen staking.Exact) (staking.Distribution, error) {
	text, declared, err := db.First(t, db.TextOf, "SELECT weight FROM campaign_totals WHERE day = $1 AND asset = $2 AND "+
		"campaign = $3", int64(d), token, c.ID)
	if err == nil && !declared {
		err = staking.ErrUndivided.In("", "the campaign %s pays for %s of %s, which is not declared yet", c.ID, d, token).
			Because(staking.ReasonCampaign, c.ID, d, token)
	}
	if err != nil {
		return staking.Distribution{}, err
	}
	weight, err := staking.ParseIntegral(text)
	if err != nil {
		return staking.Distribution{}, err
	}
	paid, err := PaidOf(t, c.ID, token, d+1)
	if err != nil {
		return staking.Distribution{}, err
	}
	v := staking.BudgetOf(c, d, token, paid.Add(foreseen), weight)
	return v, ReadOther(t, v)
}

// PaidOf is what a campaign has paid of a token's part in the shares that took effect before a day.
func PaidOf(t db.View, campaign, token string, before staking.Day) (paid staking.Exact, err error) {
	err = t.Query(func(r db.Row) error {
		paid = paid.Add(ReadExact(r, 0))
		return nil
	}, "SELECT paid_units, paid_part FROM campaign_distributions WHERE campaign = $1 AND token = $2 AND day < $3",
		campaign, token, int64(before))
	return paid, err
}

// weigher says what the accounts of a bucket count in a campaign on a day.
type weigher struct {
	all     bool // accounts take part
	members map[ledger.Account]bool
	labels  map[ledger.Account]int64 // the highest multiplier, in hundredths
}

func weigherOf(t db.View, bucket int, c staking.Campaign, d staking.Day) (*weigher, error) {
	w := &weigher{all: c.Members == 0, members: map[ledger.Account]bool{}, labels: map[ledger.Account]int64{}}
	if !w.all {
		err := t.Query(func(r db.Row) error { w.members[ledger.Account(r.Text(0))] = true; return nil },
			"SELECT account FROM campaign_members WHERE bucket = $1 AND campaign = $2", int64(bucket), c.ID)
		if err != nil {
			return nil, fmt.Errorf("read the members of the campaign %s: %w", c.ID, err)
		}
	}
	if len(c.Multipliers) == 0 {
		return w, nil
	}
	err := t.Query(func(r db.Row) error {
		account := ledger.Account(r.Text(0))
		w.labels[account] = max(w.labels[account], c.Percent(r.Text(1)))
		return nil
	}, "SELECT account, label FROM labels WHERE bucket = $1 AND from_day <= $2 AND until_day > $2", int64(bucket),
		int64(d))
	if err != nil {
		return nil, fmt.Errorf("read the labels of accounts: %w", err)
	}
	return w, nil
}

// weight is what an account's eligible integral counts.
func (w *weigher) weight(account ledger.Account, eligible staking.Integral) staking.Integral {
	if !w.all && !w.members[account] {
		return staking.Integral{}
	}
	percent := w.labels[account]
	if percent == 0 {
		percent = staking.Once
	}
	return eligible.Times(percent)
}

// Weighing sums what a bucket's accruals of a day weigh in a campaign.
type Weighing struct {
	Campaign, Token string
	Sum             staking.Integral
	other           bool // by the measure that the token's terms do not have
	weigher         *weigher
}

// Weighings are those of some tokens' day in a bucket.
type Weighings []*Weighing

// WeighingsOf are the campaigns that weigh the day of some tokens in a bucket.
func WeighingsOf(t db.View, bucket int, by *Measuring, tokens []string) (Weighings, error) {
	var all Weighings
	for _, c := range by.campaigns {
		w, err := weigherOf(t, bucket, c, by.Day)
		if err != nil {
			return nil, err
		}
		for _, part := range c.Parts {
			if slices.Contains(tokens, part.Token) {
				all = append(all, &Weighing{Campaign: c.ID, Token: part.Token, other: by.byOther(c, part.Token), weigher: w})
			}
		}
	}
	return all, nil
}

// Add adds what an accrual weighs; of one by the measure that the token's terms do not have, in the campaigns that
// take that measure.
func (all Weighings) Add(a staking.Accrual, other bool) {
	for _, w := range all {
		if w.Token == a.Asset && w.other == other {
			w.Sum = w.Sum.Add(w.weigher.weight(a.Account, a.EligibleIntegral()))
		}
	}
}

// weigh reads what the holdings of a page weigh in the budget: by what is eligible of the eligible token
// of their accounts.
func (p *weighed) weigh(m *measure) (err error) {
	if p.weigher == nil {
		if p.weigher, err = weigherOf(m.t, int(m.bucket), p.budget.Campaign, p.first); err != nil {
			return err
		}
	}
	if len(m.page) == 0 {
		return nil
	}
	at := 0
	return m.t.Query(func(r db.Row) error {
		account := r.Text(0)
		var found bool
		if at, found = m.find(at, account, p.asset); found {
			p.weights[at] = p.weigher.weight(ledger.Account(account), ReadWeight(r, 1))
		}
		return nil
	}, `SELECT account, eligible, eligible_rest FROM `+EligibleTable(p.budget)+`
	     WHERE bucket = $1 AND day = $2 AND account BETWEEN $3 AND $4 AND asset = $5 ORDER BY account`,
		m.bucket, int64(p.first), m.first, m.last, p.budget.Token)
}

// FindCampaign reads a campaign by its ID.
func FindCampaign(t db.View, id string) (staking.Campaign, bool, error) {
	all, err := campaignsWhere(t, "c.campaign = $1", id)
	if err != nil || len(all) == 0 {
		return staking.Campaign{}, false, err
	}
	return all[0], true, nil
}

// LeftOf is what lies in @rewards for a part of a campaign, exactly: zero when its last day that counts is distributed.
func LeftOf(t db.View, c staking.Campaign, p staking.Part) (staking.Exact, error) {
	end := min(c.Last, c.End)
	over := end < c.First
	if !over {
		n, err := db.Count(t, "SELECT count(*) FROM campaign_distributions WHERE campaign = $1 AND token = $2 AND "+
			"day = $3", c.ID, p.Token, int64(end)+1)
		if err != nil {
			return staking.Exact{}, err
		}
		over = n > 0
	}
	if over {
		return staking.Exact{}, nil
	}
	paid, err := PaidOf(t, c.ID, p.Token, staking.Forever)
	return staking.Exact{Units: p.Amount}.Sub(paid), err
}

// PercentOf is what an account's eligible integrals of a day count in a campaign, in hundredths;
// 0 where it does not take part.
func PercentOf(t db.View, c staking.Campaign, account ledger.Account, d staking.Day) (percent int64, err error) {
	if c.Members > 0 {
		n, err := db.Count(t, "SELECT count(*) FROM campaign_members WHERE bucket = $1 AND campaign = $2 AND account = $3",
			int64(account.Bucket()), c.ID, string(account))
		if err != nil || n == 0 {
			return 0, err
		}
	}
	err = t.Query(func(r db.Row) error { percent = max(percent, c.Percent(r.Text(0))); return nil },
		"SELECT label FROM labels WHERE bucket = $1 AND account = $2 AND from_day <= $3 AND until_day > $3",
		int64(account.Bucket()), string(account), int64(d))
	if percent == 0 {
		percent = staking.Once
	}
	return percent, err
}
