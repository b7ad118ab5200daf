package reports

import (
	"fmt"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Undivided are closed days of a token in the mode share that follow one another, whose income is not distributed, and
// of which the first and the last weigh: somebody gets a part of it.
type Undivided struct{ First, Last staking.Day }

// readUndivided reads the days that wait for income, in order, of each token that ever was in the mode share: of as
// many days back as a period can have.
func (rs *Reports) readUndivided(t db.View, closed staking.Day) (map[string][]Undivided, error) {
	history, err := db.All(t, store.ReadTermsRevision, "SELECT "+store.TermsColumns+
		" FROM terms WHERE asset IN (SELECT asset FROM terms WHERE mode = $1) ORDER BY from_day, revision",
		int64(staking.Share))
	if err != nil {
		return nil, err
	}
	from := max(closed-waitingReach, rs.FirstDay())
	paid, err := db.All(t, readDistribution, "SELECT "+distributionColumns+
		" FROM distributions WHERE last_day >= $1 AND first_day <= $2 ORDER BY day, asset, first_day, last_day",
		int64(from), int64(closed))
	if err != nil {
		return nil, err
	}
	terms, distributions := map[string][]store.TermsRevision{}, map[string][]Distribution{}
	for _, r := range history {
		terms[r.Asset] = append(terms[r.Asset], r)
	}
	for _, d := range paid {
		distributions[d.Asset] = append(distributions[d.Asset], d)
	}
	weighs := map[string][]staking.Day{}
	err = t.Query(func(r db.Row) error {
		asset := r.Text(0)
		weighs[asset] = append(weighs[asset], staking.Day(r.Int(1)))
		return nil
	}, `SELECT asset, day FROM declarations WHERE day BETWEEN $1 AND $2 AND (eligible > 0 OR eligible_rest > 0)
	     ORDER BY asset, day`, int64(from), int64(closed))
	if err != nil {
		return nil, fmt.Errorf("read days that weigh: %w", err)
	}
	found := map[string][]Undivided{}
	for asset, of := range terms {
		for _, r := range slices.Backward(spans(of, distributions[asset], nil, from, closed)) {
			days := weighs[asset]
			first, _ := slices.BinarySearch(days, r.First)
			after, _ := slices.BinarySearch(days, r.Last+1)
			if !r.Known && first < after {
				found[asset] = append(found[asset], Undivided{days[first], days[after-1]})
			}
		}
	}
	return found, nil
}
