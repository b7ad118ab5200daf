package reports

import (
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// accrualColumns are what readAccrual reads, of accruals a.
const accrualColumns = "a.day, a.account, a.asset, a.opening, a.average, a.rest, a.eligible, a.apr, a.reward, " +
	"a.before, a.carry, a.eligible_rest"

func readAccrual(r db.Row) staking.Accrual {
	return staking.Accrual{
		Day: staking.Day(r.Int(0)), Account: ledger.Account(r.Text(1)), Asset: r.Text(2),
		Opening: ledger.Amount(r.Int(3)), Average: ledger.Amount(r.Int(4)), Rest: r.Int(5), Eligible: ledger.Amount(r.Int(6)),
		APR: staking.Rate(r.Int(7)), Reward: ledger.Amount(r.Int(8)), Before: staking.Fraction(r.Int(9)),
		Carry: staking.Fraction(r.Int(10)), EligibleRest: r.Int(11),
	}
}
