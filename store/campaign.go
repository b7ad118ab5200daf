package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// PostCampaign makes a campaign, and funds it: its pool goes from @custody to @rewards in one
// transaction with its rows, dated now. It is for days from tomorrow on. End is ignored.
// Idempotent by the ID: with different content it is ledger.ErrConflict. ledger.ErrInvalid for
// a campaign that is not well formed, ledger.ErrNotFound for an asset that the books do not keep.
func (b *DB) PostCampaign(ctx context.Context, c staking.Campaign) (Outcome, error) {
	asset, err := b.Asset(ctx, c.Asset)
	if err != nil {
		return Outcome{}, ledger.At("asset", err)
	}
	for _, p := range c.Parts {
		if _, err := b.Asset(ctx, p.Token); err != nil {
			return Outcome{}, ledger.At("tokens", err)
		}
	}
	if err := c.Check(asset); err != nil {
		return Outcome{}, err
	}
	c.End = c.Last
	_, there, err := b.campaign(ctx, c.ID)
	if err != nil {
		return Outcome{}, err
	}
	// One that is there is compared, whatever the day is.
	if tomorrow := staking.DayOf(b.clock()) + 1; !there && (c.First < tomorrow || c.Last >= staking.Forever) {
		return Outcome{}, ledger.ErrInvalid.In("first", "a campaign is made for days from tomorrow on (%s), not from %s",
			tomorrow, c.First)
	}
	return b.postMove(ctx, c.Entry(), call{
		system: true, op: control.AddCampaign, content: c, campaign: &c,
		log: logFields{action: "campaign add", subject: c.ID, detail: c.Describe(asset)},
	})
}

// campaign reads a campaign.
func (b *DB) campaign(ctx context.Context, id string) (c staking.Campaign, found bool, err error) {
	err = b.engine.Read(ctx, func(t db.View) (err error) {
		c, found, err = holding.FindCampaign(t, id)
		return err
	})
	return c, found, err
}

// writeCampaigns writes what the accepted entries say that fund campaigns.
func (g *groupCommit) writeCampaigns() error {
	type row struct {
		*item
		number int
	}
	var all, parts, multipliers []row
	for _, it := range g.accepted {
		if it.call.campaign == nil {
			continue
		}
		all = append(all, row{item: it})
		for i := range it.call.campaign.Parts {
			parts = append(parts, row{it, i})
		}
		for i := range it.call.campaign.Multipliers {
			multipliers = append(multipliers, row{it, i})
		}
	}
	text := func(name string, of func(row) string) db.Field[row] { return db.Text(name, of) }
	number := func(name string, of func(row) int64) db.Field[row] { return db.Int(name, of) }
	key := []db.Field[row]{
		number("bucket", func(r row) int64 { return int64(r.bucket) }),
		text("campaign", func(r row) string { return r.call.campaign.ID }),
	}
	numbered := append(slices.Clone(key), number("number", func(r row) int64 { return int64(r.number) }))
	return inOrder(
		func() error {
			return g.insertNew("campaigns", db.SetOf(all, append(slices.Clone(key),
				text("title", func(r row) string { return r.call.campaign.Title }),
				text("asset", func(r row) string { return r.call.campaign.Asset }),
				number("pool", func(r row) int64 { return int64(r.call.campaign.Pool) }),
				number("first_day", func(r row) int64 { return int64(r.call.campaign.First) }),
				number("last_day", func(r row) int64 { return int64(r.call.campaign.Last) }),
				number("members", func(r row) int64 { return r.call.campaign.Members }),
				number("measure", func(r row) int64 { return measureNumber(r.call.campaign.Measure) }),
				number("at", func(r row) int64 { return r.at }))...))
		},
		func() error {
			return g.insertNew("campaign_parts", db.SetOf(parts, append(slices.Clone(numbered),
				text("token", func(r row) string { return r.call.campaign.Parts[r.number].Token }),
				number("amount", func(r row) int64 { return int64(r.call.campaign.Parts[r.number].Amount) }))...))
		},
		func() error {
			return g.insertNew("campaign_multipliers", db.SetOf(multipliers, append(slices.Clone(numbered),
				text("label", func(r row) string { return r.call.campaign.Multipliers[r.number].Label }),
				number("percent", func(r row) int64 { return r.call.campaign.Multipliers[r.number].Percent }))...))
		})
}

// measureNumber is a campaign's measure in its row; -1: it has none.
func measureNumber(m *staking.Measure) int64 {
	if m == nil {
		return -1
	}
	return int64(*m)
}

// EndCampaign ends a campaign early: last is the last day that counts, at the earliest today,
// and before the day on which it ends. When that day is distributed, what is left of the pool is
// the operator's again. Repeating it has no further effect; another day is ledger.ErrConflict.
// ledger.ErrNotFound if there is no such campaign.
func (b *DB) EndCampaign(ctx context.Context, id string, last staking.Day) (repeated bool, err error) {
	if err := b.ensureDays(ctx); err != nil {
		return false, err
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		c, found, err := holding.FindCampaign(t, id)
		switch {
		case err != nil:
			return err
		case !found:
			return ledger.ErrNotFound.In("id", "campaign %q", ledger.Clip(id))
		}
		if repeated = c.End != c.Last && c.End == last; repeated {
			return nil
		}
		if c.End != c.Last {
			return ledger.ErrConflict.In("last", "the campaign was ended already; its last day is %s", c.End)
		}
		today := staking.DayOf(b.clock())
		// A clock that was set back must not take away a day that is divided.
		if err := b.lockOpenDay(t, today, c.Entry().Bucket()); err != nil {
			return err
		}
		switch {
		case today >= c.Last:
			return ledger.ErrInvalid.In("last", "the last day of the campaign is %s; there is no later one to take away", c.Last)
		case last < today || last >= c.Last:
			return ledger.ErrInvalid.In("last", "the last day that counts of a campaign that is ended is from %s to %s, "+
				"not %s", today, c.Last-1, last)
		}
		n, err := t.Exec("INSERT INTO campaign_ends (bucket, campaign, last_day, ended_at, ended_by) VALUES "+
			"($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING", int64(c.Entry().Bucket()), id, int64(last), b.now(),
			b.actor.Credential)
		if err == nil && n == 0 {
			err = db.ErrRetry // another has ended it at the same time
		}
		if err != nil {
			return err
		}
		return b.logLine(t, "campaign end", id, "its last day is "+last.String())
	})
	return repeated, annotate(err, "end the campaign")
}

// enlist makes members of the accounts that enrolled first, where a campaign has places left:
// of those who are covered on one of its days up to this one, by when they were enrolled, and
// then by account. The day is closed, and so are the days before it: later calls, of this day
// or of others, in this process or another, only add those who were enrolled after all of these.
func enlist(t db.Tx, d staking.Day, tokens []string) error {
	campaigns, err := holding.Campaigns(t, d)
	if err != nil {
		return err
	}
	for _, c := range campaigns {
		eligible := slices.ContainsFunc(c.Parts, func(p staking.Part) bool { return slices.Contains(tokens, p.Token) })
		if c.Members == 0 || !eligible {
			continue
		}
		var n int64
		n, err = db.Count(t, "SELECT count(*) FROM campaign_members WHERE campaign = $1", c.ID)
		if err == nil && n < c.Members {
			// The places that are left are counted by the statement that takes them: another process may have taken some
			// since the count before.
			_, err = t.Exec(`INSERT INTO campaign_members (bucket, campaign, account, at)
			                 SELECT x.bucket, $1, x.account, x.made FROM (`+candidates+`) AS x
			                  WHERE NOT EXISTS (SELECT 1 FROM campaign_members m WHERE m.bucket = x.bucket AND m.campaign = $1 AND m.account = x.account)
			                  ORDER BY x.made, x.account LIMIT $4 - (SELECT count(*) FROM campaign_members m WHERE m.campaign = $1) ON CONFLICT DO NOTHING`,
				c.ID, int64(c.First), int64(d), c.Members)
		}
		if err != nil {
			return fmt.Errorf("enlist the members of the campaign %s: %w", c.ID, err)
		}
	}
	return nil
}

// candidates are the accounts that are covered on a day from $2 through $3, and when the
// enrollment was made that first covers one: at the switch event that set it on, or, where there
// is none, at the end of the day before it begins.
const candidates = `SELECT e.bucket, e.account, coalesce(
		(SELECT min(s.at) FROM switch_events s
		  WHERE s.bucket = e.bucket AND s.account = e.account AND (s.action = 'on' OR s.action LIKE 'on:%')
		    AND s.at >= CAST(e.from_day - 1 AS bigint) * 86400000 AND s.at < CAST(e.from_day AS bigint) * 86400000
		    AND s.at > coalesce((SELECT max(o.at) FROM switch_events o
		         WHERE o.bucket = e.bucket AND o.account = e.account AND (o.action = 'off' OR o.action LIKE 'off:%')
		           AND o.at >= CAST(e.from_day - 1 AS bigint) * 86400000 AND o.at < CAST(e.from_day AS bigint) * 86400000), -1)),
		CAST(e.from_day AS bigint) * 86400000 - 1) AS made
	  FROM enrollments e
	 WHERE e.from_day < e.until_day AND e.until_day > $2 AND e.from_day <= $3
	   AND NOT EXISTS (SELECT 1 FROM enrollments f WHERE f.bucket = e.bucket AND f.account = e.account
	         AND f.from_day < f.until_day AND f.until_day > $2 AND f.from_day < e.from_day)`

// insertClaimants is for those who have a share of a campaign in a token that it may never have held: they get a
// balance of zero, so that they are measured.
func insertClaimants(t db.Tx, bucket int, shares *holding.Shares) error {
	if shares == nil {
		return nil
	}
	for _, v := range shares.Divisions {
		if v.Budget == nil || !v.Pays() || v.Budget.Token == v.Asset {
			continue
		}
		// The accounts are locked as Post locks them: what is closed or frozen at the same time is marked so.
		_, err := t.Exec(`INSERT INTO balances (bucket, account, asset, balance, carry, earned, closed, frozen)
		     SELECT a.bucket, a.account, CAST($4 AS text), 0, 0, 0, CASE WHEN o.closed > 0 THEN 1 ELSE 0 END, CASE WHEN o.frozen > 0 THEN 1 ELSE 0 END
		       FROM `+holding.EligibleTable(v.Budget)+` a JOIN accounts o ON o.bucket = a.bucket AND o.account = a.account
		      WHERE a.bucket = $1 AND a.day = $2 AND a.asset = $3
		        AND ($5 = 0 OR EXISTS (SELECT 1 FROM campaign_members m WHERE m.bucket = a.bucket AND m.campaign = $6 AND m.account = a.account))
		        AND NOT EXISTS (SELECT 1 FROM balances b WHERE b.bucket = a.bucket AND b.account = a.account AND b.asset = $4)
		      ORDER BY a.account`+t.Share("o")+` ON CONFLICT DO NOTHING`, int64(bucket), int64(v.First), v.Budget.Token, v.Asset,
			v.Budget.Campaign.Members, v.Budget.Campaign.ID)
		if err != nil {
			return fmt.Errorf("give a balance to those who have a share of the campaign %s: %w", v.Budget.Campaign.ID, err)
		}
	}
	return nil
}

// other adds to others what is eligible of a holding by the measure that the terms do not have, and what it weighs.
func (a *accruing) other(others []staking.Accrual, h staking.Holding) []staking.Accrual {
	accrual, _ := a.rule(a.day, a.terms[h.Asset], h.ByOther())
	if accrual.EligibleIntegral() == (staking.Integral{}) {
		return others
	}
	a.weighings.Add(accrual, true)
	return append(others, accrual)
}

// insertOthers writes them, in key order.
func (a *accruing) insertOthers(others []staking.Accrual) error {
	if len(others) == 0 {
		return nil
	}
	bucket, day := int64(a.bucket), int64(a.day)
	return a.t.Insert("campaign_eligible", db.SetOf(others,
		db.Int("bucket", func(staking.Accrual) int64 { return bucket }),
		db.Int("day", func(staking.Accrual) int64 { return day }),
		db.Text("account", func(a staking.Accrual) string { return string(a.Account) }),
		db.Text("asset", func(a staking.Accrual) string { return a.Asset }),
		db.Int("average", func(a staking.Accrual) int64 { return int64(a.Average) }),
		db.Int("rest", func(a staking.Accrual) int64 { return a.Rest }),
		db.Int("eligible", func(a staking.Accrual) int64 { return int64(a.Eligible) }),
		db.Int("eligible_rest", func(a staking.Accrual) int64 { return a.EligibleRest })))
}

// writeWeights writes what the bucket's accounts weigh on a day in campaigns.
func writeWeights(t db.Tx, bucket int, d staking.Day, all holding.Weighings) error {
	for _, w := range all {
		if w.Sum == (staking.Integral{}) {
			continue
		}
		if _, err := t.Exec("INSERT INTO campaign_weights (bucket, day, asset, campaign, weight) VALUES ($1, $2, $3, $4, $5)",
			int64(bucket), int64(d), w.Token, w.Campaign, w.Sum.String()); err != nil {
			return fmt.Errorf("write the weights of the campaign %s: %w", w.Campaign, err)
		}
	}
	return nil
}

// declareWeights writes everybody's weight of a token's day in each campaign.
func declareWeights(t db.Tx, d staking.Day, token string) error {
	campaigns, err := holding.Campaigns(t, d)
	if err != nil {
		return err
	}
	for _, c := range campaigns {
		if c.Part(token) == 0 {
			continue
		}
		var sum staking.Integral
		err := t.QuerySet(func(r db.Row) error {
			weight, err := staking.ParseIntegral(r.Text(0))
			sum = sum.Add(weight)
			return err
		}, `SELECT w.weight FROM {rows} JOIN campaign_weights w ON w.bucket = r.bucket AND w.day = r.day AND w.asset = r.asset
		       AND w.campaign = r.campaign`, everyBucket(sameInt("day", int64(d)), sameText("asset", token), sameText("campaign", c.ID)))
		if err == nil {
			_, err = t.Exec("INSERT INTO campaign_totals (day, asset, campaign, weight) VALUES ($1, $2, $3, $4)", int64(d),
				token, c.ID, sum.String())
		}
		if err != nil {
			return fmt.Errorf("declare what everybody weighs in the campaign %s: %w", c.ID, err)
		}
	}
	return nil
}

// writeCampaignShares writes what the bucket's accruals of a day have of campaigns' budgets.
func writeCampaignShares(t db.Tx, bucket int, shares []*holding.Division) error {
	for _, v := range shares {
		if _, err := t.Exec("INSERT INTO campaign_shares (bucket, day, asset, campaign, token, units, part) VALUES "+
			"($1, $2, $3, $4, $5, $6, $7)", int64(bucket), int64(v.Day), v.Asset, v.Budget.Campaign.ID, v.Budget.Token,
			int64(v.Paid.Units), int64(v.Paid.Part)); err != nil {
			return fmt.Errorf("write the shares of the campaign %s: %w", v.Budget.Campaign.ID, err)
		}
	}
	return nil
}

// declareBudget writes what a campaign's budget has paid to all buckets' accruals.
func declareBudget(t db.Tx, v staking.Distribution) error {
	b := v.Budget
	var paid staking.Exact
	err := t.QuerySet(func(r db.Row) error {
		paid = paid.Add(holding.ReadExact(r, 0))
		return nil
	}, `SELECT s.units, s.part FROM {rows} JOIN campaign_shares s ON s.bucket = r.bucket AND s.day = r.day AND s.asset = r.asset
	       AND s.campaign = r.campaign AND s.token = r.token`, everyBucket(sameInt("day", int64(v.Day)), sameText("asset", v.Asset),
		sameText("campaign", b.Campaign.ID), sameText("token", b.Token)))
	budget := b.Amount()
	if err == nil && budget.Sub(paid).Units < 0 {
		err = errTampered
	}
	if err == nil {
		_, err = t.Exec(`INSERT INTO campaign_distributions (campaign, token, day, asset, left_units, left_part, budget_units, budget_part, weight, paid_units, paid_part)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, b.Campaign.ID, b.Token, int64(v.Day), v.Asset, int64(b.Left.Units),
			int64(b.Left.Part), int64(budget.Units), int64(budget.Part), v.Weight.String(), int64(paid.Units), int64(paid.Part))
	}
	return annotate(err, "declare the budget of the campaign %s for %s of %s", b.Campaign.ID, b.Token, v.First)
}

// ReservedByCampaigns is what lies in @rewards of a token for campaigns: of each that is not over, its pool less what
// it has paid, together rounded up to a smallest unit. A campaign is over when the last day that counts is distributed;
// what rounding has left then, and what is left of one that was ended early, is the operator's.
func ReservedByCampaigns(t db.View, token string) (reserved ledger.Amount, err error) {
	left, err := leftOfCampaigns(t, token)
	return left.RoundedUp(), err
}

// leftOfCampaigns is ReservedByCampaigns, exactly. Only the sum is rounded: what the parts of campaigns have left and
// what holders carry of them makes whole units together, and nothing more lies in @rewards for them.
func leftOfCampaigns(t db.View, token string) (sum staking.Exact, err error) {
	campaigns, err := holding.CampaignsIn(t, token)
	if err != nil {
		return sum, err
	}
	for _, c := range campaigns {
		for _, p := range c.Parts {
			left, err := holding.LeftOf(t, c, p)
			if err != nil {
				return sum, fmt.Errorf("read what the campaign %s has left: %w", c.ID, err)
			}
			if _, err := sum.Units.Add(left.Units + 1); err != nil {
				return sum, err
			}
			sum = sum.Add(left)
		}
	}
	return sum, nil
}

// leftOfCampaignsAfter is what they will have left when a day is declared that is the next, whose distributions are
// all.
func leftOfCampaignsAfter(t db.View, token string, all []staking.Distribution) (staking.Exact, error) {
	left, err := leftOfCampaigns(t, token)
	for _, v := range all {
		b := v.Budget
		switch {
		case b == nil:
		case v.First == min(b.Campaign.Last, b.Campaign.End):
			left = left.Sub(b.Left)
		case v.Pays():
			left = left.Sub(b.Amount())
		}
	}
	return left, err
}
