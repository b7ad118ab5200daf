package store

import (
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// oneMode is ledger.ErrInvalid for an income whose period has days of different modes: one
// part of it would be divided, and the other would fund the pool.
func oneMode(t db.View, i staking.Income, mode staking.Mode) error {
	terms, err := TermsAt(t, i.First)
	if err != nil {
		return err
	}
	others, err := db.Count(t, `SELECT count(*) FROM terms t WHERE t.asset = $1 AND t.from_day > $2 AND t.from_day <= $3 AND t.mode <> $4
		   AND t.revision = (SELECT max(r.revision) FROM terms r WHERE r.asset = t.asset AND r.from_day = t.from_day)`,
		i.Asset, int64(i.First), int64(i.Last), int64(mode))
	if err == nil && (others > 0 || terms[i.Asset].Mode != mode) {
		err = ledger.ErrInvalid.In("first", "%s is in the mode %s on %s, and in another on another day of the period; "+
			"enter the income of each part of the period by itself", i.Asset, mode, i.Last)
	}
	return err
}

// writeShares writes what the bucket's accruals of a day have of each distribution, if anything.
func writeShares(t db.Tx, bucket int, shares *holding.Shares) error {
	if shares == nil {
		return nil
	}
	var incomes, campaigns []*holding.Division
	for _, v := range shares.Divisions {
		if v.Paid == (staking.Exact{}) {
			continue
		}
		if v.Budget != nil {
			campaigns = append(campaigns, v)
		} else {
			incomes = append(incomes, v)
		}
	}
	if err := writeCampaignShares(t, bucket, campaigns); err != nil || len(incomes) == 0 {
		return err
	}
	number := func(name string, of func(*holding.Division) int64) db.Field[*holding.Division] {
		return db.Int(name, of)
	}
	return t.Insert("shares", db.SetOf(incomes,
		number("bucket", func(*holding.Division) int64 { return int64(bucket) }),
		number("day", func(v *holding.Division) int64 { return int64(v.Day) }),
		db.Text("asset", func(v *holding.Division) string { return v.Asset }),
		number("first_day", func(v *holding.Division) int64 { return int64(v.First) }),
		number("last_day", func(v *holding.Division) int64 { return int64(v.Last) }),
		number("units", func(v *holding.Division) int64 { return int64(v.Paid.Units) }),
		number("part", func(v *holding.Division) int64 { return int64(v.Paid.Part) })))
}

// declareDistributions writes the distributions of a token's day, with what all buckets'
// accruals have of each.
func (b *books) declareDistributions(t db.Tx, d staking.Day, token string) error {
	all, err := b.distributions(t, d, token)
	if err != nil || len(all) == 0 {
		return err
	}
	paid, err := paidShares(t, d, token)
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.Budget != nil {
			if err := declareBudget(t, v); err != nil {
				return err
			}
			continue
		}
		paid := paid[period{v.First, v.Last}]
		if left := v.Pool().Sub(paid); paid != (staking.Exact{}) && left.Units < 0 {
			return fmt.Errorf("sum the shares of %s: %w", token, errTampered)
		}
		if _, err := t.Exec(`INSERT INTO distributions (asset, day, first_day, last_day, gross, net, before_units, before_part, weight, paid_units, paid_part)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, token, int64(d), int64(v.First), int64(v.Last), int64(v.Gross),
			int64(v.Net), int64(v.Before.Units), int64(v.Before.Part), v.Weight.String(), int64(paid.Units),
			int64(paid.Part)); err != nil {
			return fmt.Errorf("write the distribution of %s: %w", token, err)
		}
	}
	return nil
}

// period is the first and the last day of an income.
type period struct{ first, last staking.Day }

// paidShares is what all buckets' accruals of a token's day have of the income of each period.
func paidShares(t db.View, d staking.Day, token string) (map[period]staking.Exact, error) {
	paid := map[period]staking.Exact{}
	err := t.QuerySet(func(r db.Row) error {
		p := period{staking.Day(r.Int(0)), staking.Day(r.Int(1))}
		paid[p] = paid[p].Add(holding.ReadExact(r, 2))
		return nil
	}, `SELECT s.first_day, s.last_day, s.units, s.part FROM {rows} JOIN shares s ON s.bucket = r.bucket AND s.day = r.day AND s.asset = r.asset`,
		everyBucket(sameInt("day", int64(d)), sameText("asset", token)))
	return paid, annotate(err, "sum the shares of %s", token)
}
