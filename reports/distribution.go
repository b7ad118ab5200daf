package reports

import (
	"context"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Distribution is a distribution that is declared. Weight is everybody's eligible integrals
// of its period.
type Distribution struct {
	staking.Distribution
	Paid      staking.Exact // in shares: rewards, and what they leave to the next ones
	GrossRate staking.Rate  // a year, of the gross income on what was eligible; zero if it is below zero or nobody was
	NetRate   staking.Rate  // the same of what was paid
}

// Left is what the distribution left to the next.
func (d Distribution) Left() staking.Exact { return d.Pool().Sub(d.Paid) }

// Distributions are a token's distributions that take effect on some days, both ends
// inclusive: the newest first, at most limit. Those of one day follow one another as the
// income is divided: losses first, then by period.
func (rs *Reports) Distributions(ctx context.Context, token string, from, to staking.Day,
	limit int) ([]Distribution, error) {
	return list(ctx, rs, "read the distributions of "+token, readDistribution, "SELECT "+distributionColumns+`
	      FROM distributions WHERE asset = $1 AND day BETWEEN $2 AND $3 ORDER BY day DESC, `+holding.InOrder+` LIMIT $4`,
		token, int64(from), int64(to), int64(max(limit, 0)))
}

// distributionColumns are what readDistribution reads.
const distributionColumns = "asset, day, first_day, last_day, gross, net, before_units, before_part, weight, " +
	"paid_units, paid_part"

func readDistribution(r db.Row) (Distribution, error) {
	weight, err := staking.ParseIntegral(r.Text(8))
	if err != nil {
		return Distribution{}, err
	}
	d := Distribution{
		Distribution: staking.Distribution{
			Asset: r.Text(0), Day: staking.Day(r.Int(1)), First: staking.Day(r.Int(2)), Last: staking.Day(r.Int(3)),
			Gross: ledger.Amount(r.Int(4)), Net: ledger.Amount(r.Int(5)), Before: holding.ReadExact(r, 6),
			Weight: weight,
		},
		Paid: holding.ReadExact(r, 9),
	}
	d.GrossRate, _ = staking.YearlyRate(d.Gross, d.Weight)
	d.NetRate, _ = staking.YearlyRate(d.Paid.Units, d.Weight)
	return d, nil
}
