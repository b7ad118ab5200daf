package reports

import (
	"context"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Income is staking income that was entered, how it was divided, and by whom it was entered.
type Income struct {
	staking.Income
	Rate staking.Rate // of the fee, 0 to 1
	ledger.Split
	At         time.Time // UTC, when it counts
	Credential string    // of who entered it
	// In the mode share it is distributed with the rewards of the day of At; in the mode fixed it funds the pool, and
	// Distributed is false.
	Mode        staking.Mode
	Distributed bool
}

// Day is the day with whose rewards the income is distributed, in the mode share.
func (i Income) Day() staking.Day { return staking.DayOf(i.At) }

// IncomesAsked says which incomes are wanted: those whose period ends on some days.
type IncomesAsked struct {
	From, To staking.Day // both ends inclusive
	Asset    string      // "": all
}

// Incomes are the wanted incomes after one of them, of which At and Reference count, at
// most limit: the last entered first. The zero one is before all.
func (rs *Reports) Incomes(ctx context.Context, asked IncomesAsked, after Income, limit int) ([]Income, error) {
	at, reference := int64(1)<<62, ""
	if !after.At.IsZero() {
		at, reference = db.MillisOf(after.At), after.Reference
	}
	return list(ctx, rs, "read the staking income", readIncome, incomeRows+`
	     WHERE i.last_day BETWEEN $3 AND $4 AND ($5 = '' OR i.asset = $5) AND (i.at < $6 OR (i.at = $6 AND i.reference > $7))
	     ORDER BY i.at DESC, i.reference LIMIT $8`,
		int64(staking.Share), int64(staking.DayMillis), int64(asked.From), int64(asked.To), asked.Asset, at, reference,
		int64(max(limit, 0)))
}

// incomeRows are what readIncome reads; its parameters are staking.Share and staking.DayMillis.
const incomeRows = `SELECT i.reference, i.asset, i.chain, i.source, i.first_day, i.last_day, i.gross, i.fee, i.evidence, i.at, e.credential, i.mode,
	           CASE WHEN i.mode = $1 AND EXISTS (SELECT 1 FROM distributions d WHERE d.asset = i.asset AND d.day = i.at / $2 AND d.first_day = i.first_day AND d.last_day = i.last_day) THEN 1 ELSE 0 END
	      FROM incomes i JOIN entries e ON e.bucket = i.bucket AND e.entry = 'income/' || i.reference`

func readIncome(r db.Row) (Income, error) {
	i := Income{
		Income: staking.Income{
			Reference: r.Text(0), Asset: r.Text(1), Chain: r.Text(2), Source: r.Text(3), First: staking.Day(r.Int(4)),
			Last: staking.Day(r.Int(5)), Gross: ledger.Amount(r.Int(6)), Evidence: r.Text(8),
		},
		Rate: staking.Rate(r.Int(7)), At: db.TimeOf(r.Int(9)), Credential: r.Text(10),
		Mode: staking.Mode(r.Int(11)), Distributed: r.Int(12) == 1,
	}
	i.Split = i.Income.Split(i.Rate)
	return i, nil
}

// SplitOf is how an income is divided: by the fee of the last day of its period.
func (rs *Reports) SplitOf(ctx context.Context, i staking.Income) (ledger.Split, error) {
	terms, err := rs.TermsOn(ctx, i.Last)
	for _, t := range terms {
		if t.Asset == i.Asset {
			return i.Split(t.Fee), err
		}
	}
	return ledger.Split{}, err
}
