package holding

import (
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/staking"
)

// lowestTokens are the tokens that are measured by the smallest balance of a day.
func lowestTokens(t db.View, d staking.Day) (map[string]bool, error) {
	lowest := map[string]bool{}
	err := t.Query(func(r db.Row) error { lowest[r.Text(0)] = true; return nil }, `SELECT t.asset FROM assets a CROSS JOIN terms t
	     WHERE t.asset = a.symbol AND t.measure = $2
	       AND t.from_day = (SELECT max(f.from_day) FROM terms f WHERE f.asset = a.symbol AND f.from_day <= $1)
	       AND t.revision = (SELECT max(r.revision) FROM terms r WHERE r.asset = a.symbol AND r.from_day = t.from_day)`,
		int64(d), int64(staking.Lowest))
	if err != nil {
		return nil, fmt.Errorf("read the measures of %s: %w", d, err)
	}
	return lowest, nil
}
