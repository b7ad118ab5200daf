package simulation

import (
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// income is staking income, and the day on which it is divided in the mode share.
type income struct {
	staking.Income
	token    int // the index of its token
	day      staking.Day
	recorded bool
}

// readIncomes reads the recorded incomes of the wanted tokens whose periods touch the days,
// and adds the others.
func (s *simulation) readIncomes() error {
	known := map[string]staking.Income{}
	err := s.t.Query(func(r db.Row) error {
		i := income{
			Income: staking.Income{
				Reference: r.Text(0), Asset: r.Text(1), Chain: r.Text(2), Source: r.Text(3), First: staking.Day(r.Int(4)),
				Last: staking.Day(r.Int(5)), Gross: ledger.Amount(r.Int(6)), Evidence: r.Text(7),
			},
			day: staking.DayOf(db.TimeOf(r.Int(8))), recorded: true,
		}
		var wanted bool
		if i.token, wanted = s.index[i.Asset]; wanted {
			known[i.Reference] = i.Income
			s.incomes = append(s.incomes, i)
		}
		return nil
	}, `SELECT reference, asset, chain, source, first_day, last_day, gross, evidence, at FROM incomes
	     WHERE last_day >= $1 AND first_day <= $2 ORDER BY at, reference`, int64(s.From), int64(s.Through))
	if err != nil {
		return fmt.Errorf("read the staking income: %w", err)
	}
	for _, i := range s.Incomes {
		token, wanted := s.index[i.Asset]
		if err := i.Check(s.Through + 1); err != nil {
			return fmt.Errorf("income %q: %w", ledger.Clip(i.Reference), err)
		}
		recorded, twice := known[i.Reference]
		switch {
		case twice && recorded != i:
			return ledger.ErrConflict.In("reference", "income %q", ledger.Clip(i.Reference))
		case twice || !wanted:
			continue
		}
		known[i.Reference] = i
		s.incomes = append(s.incomes, income{Income: i, token: token, day: i.Last + 1})
	}
	return nil
}
